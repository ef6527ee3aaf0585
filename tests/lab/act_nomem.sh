#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every allocation that the agent makes for an action fails once: it says so, or does without;
# nothing is changed by what is refused, and then the same line is done. On the stock kernels, which
# have no fault injection, by a module of the tests. And a host that has no huge page to give.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/act_control.sh
. "$(dirname "$0")/act_control.sh"

case $LAB_MMU in
*shadow) shadow=1 ;;
*) shadow= ;;
esac
BASE=0x10000000	# of slot 1, 'anon'
HUGE=0x20000000	# of slot 2, 'thp'
nth=/sys/module/no_memory/parameters/nth

# done_before LINE: by the guest, or as an action.
done_before() {
	case $1 in
	'guest '*) pages_do "${1#guest }" ;;
	*) control "$1" ;;
	esac
}

# failing N 'LINE': its N-th allocation fails; false when it has fewer.
failing() {
	: >"$WORK/control"
	exec 7<>"$DEBUGFS/$VM/control" || return 1
	echo "$1" >"$nth"
	{
		echo "$2" >&7 && cat <&7 >"$WORK/control"
	} 2>"$WORK/errno"
	left=$(cat "$nth")
	echo 0 >"$nth"
	exec 7>&-
	[ "$left" -eq 0 ]
}

# walked 'LINE' [BEFORE]...: its first allocation fails, its second, ... until there are no more.
# Each time there was none: -ENOMEM for the line, or a refusal that says memory, or it did without.
walked() {
	line=$1 failed=0
	shift
	while [ "$failed" -lt 100 ]; do
		for before; do
			done_before "$before" >/dev/null
		done
		slots >"$WORK/slots.before"
		failing $((failed + 1)) "$line" || break
		failed=$((failed + 1))
		cat "$WORK/errno" "$WORK/control"
		case "$(value result)" in
		done | no-effect) ;;
		*)
			grep -q '^reason: memory: ' "$WORK/control" ||
				grep -qi 'cannot allocate memory' "$WORK/errno" || return 1
			slots | cmp "$WORK/slots.before" - || return 1
			;;
		esac
		control 'undo id=all'
	done
	case $line:$(value result) in
	*:done | *' timeout='*:no-effect) ;;
	*) return 1 ;;
	esac
	echo "# $line: $failed allocations failed, each once" >>"$WORK/figures"
	[ "$failed" -gt 0 ]
}

arm_agent
pages_start --extra || finish
keep_slots
pages_do "touch $BASE+64K w" "touch $HUGE+2M w" >/dev/null
check probes-load insmod /lab/modules/no_memory.ko lab=1

touch="guest touch $BASE+64K w"
check no-memory-track walked "track gpa=$BASE" 'undo id=all'
check no-memory-undo walked 'undo id=all' "track gpa=$BASE"
check no-memory-protect walked "protect gpa=$BASE perm=r" "$touch"
check no-memory-zap walked "zap gpa=$BASE" "$touch"
check no-memory-age walked "age gpa=$BASE+0x10000" "$touch"
check no-memory-dirty walked "dirty gpa=$BASE+0x10000" "$touch"
check no-memory-remap walked "remap gpa=$BASE" "$touch"
check no-memory-split walked "split gpa=$HUGE" 'undo id=all' "guest touch $HUGE w"
check no-memory-trap walked "trap gpa=$BASE timeout=1" "$touch"
check no-memory-listen walked "track gpa=$BASE listen=1 timeout=1" "$touch"
[ $shadow ] || check no-memory-fault walked "fault gpa=$BASE access=w" "zap gpa=$BASE"
cat "$WORK/figures"
control 'undo id=all'
check no-memory-slots same_slots
check probes-unload rmmod no_memory
check guest-goes-on pages_do "fill $BASE+64K 8" "verify $BASE+64K 8" "touch $HUGE+4M w"

# --- KVM itself has none ---
pages_stop
# A vCPU that never ran has no tables in store.
pages_start --extra --no-run || finish
keep_slots
check probes-of-kvm insmod /lab/modules/no_memory.ko lab=1 of=kvm times=100
# kvm_says_no 'LINE': whatever KVM allocates for it fails.
kvm_says_no() {
	echo 1 >"$nth"
	control "$1"
	echo 0 >"$nth"
	cat "$WORK/control"
	[ "$(value result)" = "$2" ] && value reason | grep -Eq "^kvm: $3"
}
[ $shadow ] || check kvm-fault kvm_says_no "fault gpa=$BASE access=w" failed 'KVM could not resolve the fault'
if [ "$LAB_KERNEL" != 6.1 ] && [ ! $shadow ]; then
	# Of its counters, which it makes when they are wanted first.
	check kvm-counters kvm_says_no "track gpa=$BASE" refused 'KVM tracks no writes of this VM'
fi
pages_do "touch $HUGE w" >/dev/null
case $LAB_MMU in
npt | npt5 | ept)
	check kvm-split kvm_says_no "split gpa=$HUGE" failed 'KVM had no memory to split'
	done_by kvm-split-undone 'undo id=all'
	;;
esac
check probes-of-kvm-unload rmmod no_memory
done_by kvm-has-memory "track gpa=$BASE"
done_by kvm-had-memory 'undo id=all'
check kvm-slots same_slots

# --- all huge pages of the host are somebody else's ---
huge=$(cat /proc/sys/vm/nr_hugepages)
no_huge_page() {
	echo 100000 >/proc/sys/vm/nr_hugepages
	grep HugePages_Total /proc/meminfo
	control "remap gpa=$HUGE"
	cat "$WORK/control"
	echo "$huge" >/proc/sys/vm/nr_hugepages
	[ "$(value result)" = failed ] && value reason | grep -q '^memory: '
}
pages_do "touch $HUGE w" >/dev/null
if [ "$(stat_of pages_2m)" -ge 1 ]; then
	check no-huge-page no_huge_page
	done_by huge-page-again "remap gpa=$HUGE"
fi
check slots-as-before same_slots
finish
