#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The refusals that no other suite provokes, each by its cause: limits, a vCPU that cannot be had, a
# KVM that says no, a caller that is killed, and a kernel that lacks what an action calls.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/act_control.sh
. "$(dirname "$0")/act_control.sh"
# shellcheck source=tests/lab/breaker.sh
. "$(dirname "$0")/breaker.sh"

case $LAB_MMU in
*shadow) shadow=1 ;;
*) shadow= ;;
esac
BASE=0x10000000	# 1M of 'anon', touched
BIG=0x100000000	# 1G

# says RESULT REASON TEXT 'LINE': for check.
says() {
	control "$4"
	cat "$WORK/control"
	[ "$(value result)" = "$1" ] && value reason | grep -Eq "^$2: .*$3"
}

arm_agent
pages_start --extra --sparse-gib 1 || finish
keep_slots

# --- limits ---
check track-limit says refused limit 'at most 65536 pages' "track gpa=$BIG+0x10001000"
check track-within-limit control "track gpa=$BIG+0x10000000 dry-run=1"
check track-limit-left-nothing same_slots

# 256 records, the last two of a huge page's and of a range; the next one is one too many, whatever
# it is, until one is taken back.
fill_up() {
	n=0
	while [ "$n" -lt 254 ]; do
		echo "track gpa=$((BASE + n * 0x1000))" >&7 || return 1
		n=$((n + 1))
	done
	cat <&7 >"$WORK/last" && grep -q '^result: done' "$WORK/last"
}
exec 7<>"$DEBUGFS/$VM/control"
check undo-limit-filled fill_up
exec 7>&-
done_by undo-limit-split 'split gpa=0x20000000'
split=$(value undo)
done_by undo-limit-last "track gpa=$((BASE + 254 * 0x1000))+0x2000"
check undo-limit-counted test "$(grep -c 'undo=open' "$DEBUGFS/journal")" = 256
before=$(spt -V "$VM" memslots --json)
check undo-limit says refused limit 'the VM has 256 actions to take back' "track gpa=$BASE"
check undo-limit-of-split says refused limit 256 'split gpa=0x20200000'
# Who only asks is told the same; who listens leaves no record.
check undo-limit-dry-run says refused limit 256 "track gpa=$BASE dry-run=1"
check undo-limit-of-split-dry-run says refused limit 256 'split gpa=0x20200000 dry-run=1'
check undo-limit-listening control "track gpa=$BASE listen=1 dry-run=1"
check undo-limit-changed-nothing test "$(spt -V "$VM" memslots --json)" = "$before"
check undo-limit-others control "zap gpa=$BASE"
done_by undo-limit-one-back "undo id=$split"
done_by undo-limit-room-again 'split gpa=0x20200000'
done_by undo-limit-all-back 'undo id=all'
check undo-limit-all-of-them test "$(grep -c '^undone: ' "$WORK/control")" = 256
check undo-limit-slots-as-before same_slots
check undo-limit-guest-goes-on pages_do "touch $BASE+1M w" 'touch 0x20000000+4M w'

# --- a host that has nothing there ---
pages_do 'unmap 0x10380000+4K' >/dev/null
check nothing-mapped says refused host 'nothing mapped' 'remap gpa=0x10380000'
[ $shadow ] || check nothing-to-fault-dry-run says refused host 'nothing for writing' \
	'fault gpa=0x10380000 access=w dry-run=1'
pages_do 'map 0x10380000+4K' >/dev/null

# --- vCPUs that cannot be had; with shadow paging no action wants one ---
if [ ! $shadow ]; then
	vms=$(awk '$1 == "kvm:vm_list" { print $2 }' "$DEBUGFS/layout")
	check holder-loads insmod /lab/modules/hold_lock.ko vm_list="$vms"
	held=/sys/module/hold_lock/parameters/vcpu
	pages_do "touch $BASE+1M w" >/dev/null
	control "zap gpa=$BASE"
	echo 1 >$held
	# Its thread sleeps in the VMM, somebody else has the vCPU.
	check busy-vcpu says failed busy 'did not come by within' "fault gpa=$BASE access=w"
	echo 0 >$held
	done_by vcpu-free-again "fault gpa=$BASE access=w"
	check holder-unloads rmmod hold_lock

	check breaker-loads load_breaker
	mended() {
		echo 1 >"$breaker/restore" && [ ! -s "$WORK/trouble" ]
	}
	poke_kvm KVM_ONLINE_VCPUS 4 = 0
	check no-vcpu-at-all says refused no-vcpu 'has no vCPU$' "fault gpa=$BASE access=w"
	check mended-vcpus mended
	poke_kvm KVM_VM_DEAD 1 = 1
	check vm-dead says refused gone 'is dead' "fault gpa=$BASE access=w"
	check vm-dead-dry-run says refused gone 'is dead' "fault gpa=$BASE access=w dry-run=1"
	check mended-vm mended
	# An invalidation of everything that does not end: KVM asks for another try for ever.
	control "zap gpa=$BASE"
	if [ "$(layout KVM_INVALIDATE_START offset)" ]; then
		poke_kvm KVM_INVALIDATE_START 8 = 0
		poke_kvm KVM_INVALIDATE_END 8 = 0x7fffffffffffffff
	fi
	poke_kvm KVM_INVALIDATE_IN_PROGRESS 8 = 1
	check never-over says failed busy 'another try 1000 times' "fault gpa=$BASE access=w"
	check mended-invalidation mended
	done_by fault-after-all "fault gpa=$BASE access=w"
	check breaker-unloads rmmod breaker
fi

# --- KVM has reasons of its own ---
if [ ! $shadow ]; then
	done_by tracked "track gpa=$BASE"
	check would-emulate says failed kvm 'would emulate' "fault gpa=$BASE access=w"
	done_by untracked 'undo id=all'
fi
case $LAB_MMU in
*shadow) ;;
*)
	# An entry of the guest's tables that is accessed for the first time: the processor writes it.
	# Of 0x100000000000, where all of its addresses begin, in the first table.
	table=0x10100
	entry=$(pages_do "peek $table" | awk '{ print $2 }')
	listen "track gpa=0x10000 listen=1 timeout=60"
	pages_do "poke $table $((entry & ~0x20))" "touch $BASE+64K r" >/dev/null || not_ok guest-tables
	check guest-tables-kept eventually grep -q '^reason: kept: ' "$WORK/heard"
	kill "$LISTENER" 2>/dev/null
	wait "$LISTENER" 2>/dev/null
	check guest-tables-slots same_slots
	;;
esac

# --- a kernel whose probes are never called, be they registered or not ---
probes_off() { # FILE VALUE [VALUE BEFORE]
	was=${3-$(cat "$1")}
	echo "$2" >"$1" || return 1
	probed=0
	for line in 'split gpa=0x20000000' "track gpa=$BASE" "track gpa=$BASE listen=1" \
		"trap gpa=$BASE timeout=5"; do
		says refused unsupported 'takes no probes' "$line dry-run=1" &&
			says refused unsupported 'takes no probes' "$line" || probed=1
	done
	echo "$was" >"$1"
	return "$probed"
}
pages_do "touch $BASE w" 'touch 0x20000000+2M w' >/dev/null
check kprobes-off probes_off /sys/kernel/debug/kprobes/enabled 0 1
ftrace=/proc/sys/kernel/ftrace_enabled
if echo 0 >$ftrace; then
	echo 1 >$ftrace
	check ftrace-off probes_off $ftrace 0
else
	skip "ftrace-off: this kernel has no such switch, or does not let it be turned"
fi 2>/dev/null
check probes-off-left-nothing same_slots
# Turned off while somebody waits for them: that ends, and says so; what is tracked is so no more,
# for an instruction that KVM cannot emulate would not be seen.
told_off() {
	eventually grep -q '^result: ' "$WORK/heard" && cat "$WORK/heard" &&
		[ "$(value result "$WORK/heard")" = failed ] &&
		grep -q "^reason: unsupported: the kernel's probes were turned off" "$WORK/heard"
}
turned_off() { # FILE VALUE [VALUE BEFORE]
	was=${3-$(cat "$1")}
	deaf=0
	for line in "track gpa=$BASE listen=1 timeout=60" "trap gpa=$BASE timeout=60"; do
		listen "$line" && heard_of && echo "$2" >"$1" && told_off && same_slots || deaf=1
		echo "$was" >"$1"
		kill "$LISTENER" 2>/dev/null
		wait "$LISTENER" 2>/dev/null
	done
	control "track gpa=$BASE" && ! same_slots && echo "$2" >"$1" && eventually same_slots || deaf=1
	echo "$was" >"$1"
	control 'undo id=all' && same_slots || deaf=1
	return "$deaf"
}
# What was heard before is not forgotten.
heard_of() {
	case $line in
	track*) pages_do "touch $BASE w" >/dev/null && eventually grep -q '^hit: ' "$WORK/heard" ;;
	esac
}
check kprobes-turned-off turned_off /sys/kernel/debug/kprobes/enabled 0 1
if echo 0 >$ftrace; then
	echo 1 >$ftrace
	check ftrace-turned-off turned_off $ftrace 0
else
	skip "ftrace-turned-off: this kernel has no such switch, or does not let it be turned"
fi 2>/dev/null
for line in 'split gpa=0x20000000' "track gpa=$BASE" "trap gpa=$BASE"; do
	check "probes-on: ${line%% *}" control "$line dry-run=1"
done

# --- who is killed in the middle: the journal says so ---
# The kernel may move pages at any time for reasons of its own.
moving() { # COUNT
	[ "$(vmstat_of pgmigrate_success)" -gt "$1" ] && grep -q spt_remap /proc/"$acting"/stack
}
writer_killed() {
	moved=$(vmstat_of pgmigrate_success)
	(
		exec 7<>"$DEBUGFS/$VM/control"
		exec dd if="$WORK/line" bs=512 count=1 >&7 2>/dev/null
	) &
	acting=$!
	eventually moving "$moved" || { tail -n 2 "$DEBUGFS/journal"; return 1; }
	kill -9 "$acting"
	wait "$acting" 2>/dev/null
	eventually grep -q ' action=remap .* result=failed reason=interrupted ' "$DEBUGFS/journal"
}
echo "remap gpa=$BASE count=10000" >"$WORK/line"
check killed-writer writer_killed
# Gone through in windows, each of them short.
looker_killed() {
	(
		exec 7<>"$DEBUGFS/$VM/control"
		exec dd if="$WORK/line" bs=512 count=1 >&7 2>/dev/null
	) &
	acting=$!
	eventually grep -q spt_touched_scan /proc/"$acting"/stack || return 1
	kill -9 "$acting"
	wait "$acting" 2>/dev/null
	tail -n 1 "$DEBUGFS/journal"
	grep -q ' action=age target=0x100000000+.* result=failed reason=interrupted ' "$DEBUGFS/journal"
}
echo "age gpa=0x100000000+0x40000000" >"$WORK/line"
check killed-looker looker_killed
listen "trap gpa=$BASE timeout=60"
kill "$LISTENER"
wait "$LISTENER" 2>/dev/null
closed() {
	grep -q ' action=trap .* reason=interrupted ' "$DEBUGFS/journal"
}
check closed-file eventually closed
check closed-slots same_slots

# --- a kernel that lacks something ---
# without ID LINE...: each of the lines is refused where the layout lacks that, and nothing else is.
spt layout --blob "$WORK/layout" >/dev/null || not_ok layout-blob
give() {
	dd if="$1" of="$DEBUGFS/layout" bs=64k conv=notrunc 2>"$WORK/give" || { cat "$WORK/give"; return 1; }
}
without() {
	lacking=$1
	shift
	layout-without "$WORK/layout" "$WORK/without" "$lacking" && give "$WORK/without" || return 1
	for line; do
		says refused unsupported '' "$line" || return 1
	done
	give "$WORK/layout"
}
pages_do "touch $BASE+1M w" "touch $BASE+4K x" >/dev/null
fault="fault gpa=$BASE access=w" zap="zap gpa=$BASE" remap="remap gpa=$BASE"
split='split gpa=0x20000000' protect="protect gpa=$BASE perm=r" track="track gpa=$BASE"
trap="trap gpa=$BASE" age="age gpa=$BASE" dirty="dirty gpa=$BASE" collapse='collapse gpa=0x20000000'
for id in DISALLOW_LPAGE ALLOW_LPAGE UNMAP_GFN_RANGE FLUSH_REMOTE_TLBS FREE_MEMSLOT MMU_PAGE_FAULT \
	KVM_SLOTS_LOCK RANGE_SLOT; do
	check "without-$id" without $id "$split" "$track" "$trap"
done
check without-FLUSH-others without FLUSH_REMOTE_TLBS "$protect" "$age" "$dirty"
check without-collapse without UNMAP_GFN_RANGE "$collapse"
check without-write-protect without SLOT_GFN_WRITE_PROTECT "$protect" "$trap" "$dirty"
check without-cancel without TASK_WORK_CANCEL_MATCH "$trap"
check without-age without AGE_GFN "$age"
check without-age-range without RANGE_START "$age"
check without-zap without ZAP_GFN_RANGE "$zap"
for id in MIGRATE_PAGES PUTBACK_MOVABLE_PAGES LRU_ADD_DRAIN_ALL; do
	check "without-$id" without $id "$remap"
done
if [ "$LAB_KERNEL" = 6.1 ]; then
	check without-isolate without ISOLATE_LRU_PAGE "$remap"
	check without-track without SLOT_PAGE_TRACK_ADD "$track"
	check without-untrack without SLOT_PAGE_TRACK_REMOVE "$track"
	[ $shadow ] || check without-fault-struct without FAULT_ADDR "$fault"
else
	check without-isolate without FOLIO_ISOLATE_LRU "$remap"
	check without-track without WRITE_TRACK_ADD_GFN "$track"
	check without-written without MMU_TRACK_WRITE "$track"
fi
if [ ! $shadow ]; then
	for id in GET_RUNNING_VCPU VCPU_LOAD VCPU_PUT VCPU_WAKE_UP VCPU_MUTEX MMU_LOAD FREE_OBSOLETE_ROOTS; do
		check "without-$id" without $id "$fault"
	done
fi
check all-there-again control "$protect"
check guest-goes-on pages_do "touch $BASE+1M w"
finish
