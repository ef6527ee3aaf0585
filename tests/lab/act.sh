#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Actions by 'control' alone: fault, zap, protect, age, dirty while the vCPU is paused, runs and
# halts; their effect in KVM's own counters, in the guest's eyes, in the tool's walk and in L1's
# memory. What is refused; the journal; a VMM that is killed; an agent that leaves.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/act_lib.sh
. "$(dirname "$0")/act_lib.sh"

case $LAB_MMU in
*shadow) shadow=1 ;;
*) shadow= ;;
esac

not_armed() {
	spt agent unload && spt agent load && pages_start || return 1
	grep -q '^armed: no' "$DEBUGFS/status" && [ -e "$DEBUGFS/$VM/control" ] || return 1
	! sh -c "exec 3<>$DEBUGFS/$VM/control" || return 1
	pages_stop
}

armed_by_the_tool() {
	spt agent unload && spt agent load --armed && grep -q '^armed: yes' "$DEBUGFS/status" &&
		grep -q '^actions: 0' "$DEBUGFS/status" && ! grep -q . "$DEBUGFS/journal"
}

settle
check not-armed-no-control not_armed
check armed-by-the-tool armed_by_the_tool
pages_start --irqchip || finish
control_open

# mapped_by CONTEXT GPA: a page that nobody touched is mapped, in that context, and KVM counts it.
mapped_by() {
	before=$(counter pages_4k)
	done_by "fault gpa=$2 access=w vcpu=0" || return 1
	[ "$(value ret)" = fixed ] && [ "$(value context)" = "$1" ] || return 1
	[ $(($(counter pages_4k) - before)) -eq 1 ]
}

# What KVM mapped is what the VMM's memory is, and the guest needs no fault to see it.
mapped_rightly() {
	pages_do "poke $1 0x5070a6e5" || return 1
	spt -V "$VM" walk gpa "$1" >"$WORK/walk" && grep -q coherent "$WORK/walk" || return 1
	before=$(counter pf_taken)
	seen=$(pages_do "read $1" | awk '{ print $2 }')
	echo "the guest reads $seen, faults: $before, then $(counter pf_taken)"
	[ $((seen)) -eq $((0x5070a6e5)) ] && [ "$(counter pf_taken)" -eq "$before" ]
}

running() {
	pages_do 'run 0x10000000+64K w' || return 1
	mapped_by run 0x10311000
	status=$?
	pages_do pause && return "$status"
}

halted() {
	pages_do halt || return 1
	mapped_by run 0x10312000
	status=$?
	pages_do pause && return "$status"
}

# What is mapped already stays; before 6.12 KVM clears the dirty bit of such an entry.
fault_again() {
	act 'fault gpa=0x10310000 access=r' || return 1
	case $(value result) in
	no-effect) [ "$(value ret)" = spurious ] ;;
	done) [ "$(value ret)" = fixed ] && [ "$(field entry level-after)" = 1 ] ;;
	*) return 1 ;;
	esac
}

# A read of untouched memory maps the zero page, a write then another one in its place.
fault_read_then_write() {
	done_by 'fault gpa=0x10313000 access=r count=2' && grep -q '^step: 2' "$WORK/act.out" ||
		return 1
	zero=$(field entry after)
	done_by 'fault gpa=0x10313000 access=w' && [ "$(field entry before)" = "$zero" ] &&
		[ "$(field entry after)" != "$zero" ]
}

# Without the TDP MMU pages beside it are mapped, too: of its 8 the host has no other one.
after_slot_delete() {
	pages_do 'delete-slot 9' && pages_do 'add-slot 9' && mapped_by thread 0x10318000
}

host_says_no() {
	pages_do 'mprotect 0x10320000 none' || return 1
	says failed host 'fault gpa=0x10320000 access=r' || return 1
	pages_do 'mprotect 0x10320000 rw' && pages_do 'write 0x10320000 7'
}

# There its slots, and its root, are others.
in_smm() {
	pages_do 'smm on' && says refused busy 'fault gpa=0x10315000 access=w' &&
		says refused busy 'fault gpa=0x10315000 access=w dry-run=1' && pages_do 'smm off' &&
		done_by 'fault gpa=0x10315000 access=w'
}

if [ $shadow ]; then
	check fault-refused says refused mode 'fault gpa=0x10310000 access=w'
else
	check fault-paused mapped_by thread 0x10310000
	check fault-is-coherent mapped_rightly 0x10310000
	check fault-running running
	check fault-halted halted
	check fault-again fault_again
	check fault-zero-page fault_read_then_write
	check fault-huge done_by 'fault gpa=0x20600000 access=w'
	check fault-obsolete-root after_slot_delete
	check fault-host-says-no host_says_no
	check fault-read-only says refused read-only 'fault gpa=0x40000000 access=w'
	check fault-read-only-read act 'fault gpa=0x40020000 access=r'
	check fault-in-smm in_smm
	check fault-no-vcpu says refused no-vcpu 'fault gpa=0x10310000 vcpu=7'
fi

# Every page is gone, comes back by the guest's own faults, and has what it had.
zap_range() {
	pages_do 'fill 0x10000000+64K 77' || return 1
	before=$(counter pages_4k)
	done_by 'zap gpa=0x10000000+0x10000' || return 1
	[ "$(field mapped 4k-before)" -ge 16 ] && [ "$(field mapped 4k-after)" = 0 ] || return 1
	[ $((before - $(counter pages_4k))) -eq "$(field mapped 4k-before)" ] || return 1
	taken=$(counter pf_taken)
	pages_do 'verify 0x10000000+64K 77' && [ "$(counter pf_taken)" -gt "$taken" ]
}

zap_all() {
	pages_do 'fill 0x20000000+4M 99' && done_by 'zap gpa=all' || return 1
	[ "$(counter pages_4k)" -eq 0 ] && [ "$(counter pages_2m)" -eq 0 ] &&
		[ "$(counter pages_1g)" -eq 0 ] && pages_do 'verify 0x20000000+4M 99'
}

# Each round adds one to every page: a write that was lost shows as a page that is behind.
zap_running() {
	pages_do 'write 0x10000000+64K 0' && pages_do 'run 0x10000000+64K w' || return 1
	n=0
	while [ "$n" -lt 20 ]; do
		done_by 'zap gpa=0x10000000+0x10000' || return 1
		n=$((n + 1))
	done
	rounds=$(pages_do pause | sed -n 's/.*rounds0=\([0-9]*\).*/\1/p')
	for page in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do
		seen=$(pages_do "peek 0x1000${page}000" | awk '{ print $2 }')
		seen=$((seen))
		[ "$seen" -eq "$rounds" ] || [ "$seen" -eq $((rounds + 1)) ] || {
			echo "page $page: $seen after $rounds rounds"
			return 1
		}
	done
}

zap_one_root() {
	pages_do 'touch 0x10000000 w' && done_by 'zap gpa=0x10000000 dry-run=1' || return 1
	root=$(spt -V "$VM" roots --json | grep -o '"hpa": *"[^"]*"' | head -n 1 | cut -d'"' -f4)
	case $LAB_MMU in
	*shadow | *list)
		says refused mode "zap gpa=0x10000000 root=$root"
		;;
	*)
		done_by "zap gpa=0x10000000 root=$root" && [ "$(field mapped 4k-after)" = 0 ] &&
			says refused no-root 'zap gpa=0x10000000 root=0x1000'
		;;
	esac
}

check zap-range zap_range
check zap-all zap_all
check zap-again says no-effect unmapped 'zap gpa=0x10300000+0x10000'
check zap-again-dry-run says no-effect unmapped 'zap gpa=0x10300000+0x10000 dry-run=1'
check zap-running zap_running
check zap-one-root zap_one_root

# takes_and_gives PERM COMMAND: the guest's next access faults, is done, and the entry is as before.
takes_and_gives() {
	pages_do 'touch 0x10001000 x' && pages_do 'touch 0x10001000 w' || return 1
	done_by "protect gpa=0x10001000 perm=$1" || return 1
	was=$(field entry before)
	[ "$was" != "$(field entry after)" ] || return 1
	taken=$(counter pf_taken)
	pages_do "$2" && [ "$(counter pf_taken)" -gt "$taken" ] || return 1
	# Again: what was before is what came back, and the dirty bit by the processor.
	pages_do 'touch 0x10001000 w' || return 1
	done_by "protect gpa=0x10001000 perm=$1" && [ "$(field entry before)" = "$was" ]
}

check protect-write takes_and_gives rx 'touch 0x10001000 w'
check protect-again says no-effect unchanged 'protect gpa=0x10001000 perm=rx'
check protect-exec takes_and_gives rw 'touch 0x10001000 x'
check protect-both takes_and_gives r 'touch 0x10001000 w'
check protect-unmapped says no-effect unmapped 'protect gpa=0x10330000 perm=r'
check protect-unmapped-dry-run says no-effect unmapped 'protect gpa=0x10330000 perm=r dry-run=1'

# mapped_in_smm RANGE: writable there, as it is elsewhere.
mapped_in_smm() {
	pages_do 'smm on' && pages_do "touch $1 w" && pages_do 'smm leave' || return 1
	[ -n "$shadow" ] || spt -V "$VM" roots -rno as_id,valid | grep -q '^1 *yes'
}

# arms_and_shows ACTION: everything is touched, then what the guest touches and nothing else.
arms_and_shows() {
	pages_do 'touch 0x10000000+64K w' || return 1
	done_by "$1 gpa=0x10000000+0x10000" && [ "$(value count)" -ge 16 ] || return 1
	act "$1 gpa=0x10000000+0x10000 show=1" && [ "$(value count)" = 0 ] || return 1
	pages_do 'touch 0x10003000+8K w' || return 1
	act "$1 gpa=0x10000000+0x10000 show=1" && [ "$(field touched gpa)" = 0x10003000 ] &&
		[ "$(field touched size)" = 0x2000 ]
}

check age arms_and_shows age
check dirty arms_and_shows dirty
# SMM has slots and a root of its own, which stays: what that maps is not meant.
check smm-has-a-root mapped_in_smm 0x10000000+64K
check age-beside-smm arms_and_shows age
check dirty-beside-smm arms_and_shows dirty
check protect-beside-smm takes_and_gives rw 'touch 0x10001000 x'
check smm-off pages_do 'smm off' 'touch 0x10000000+64K w' 'touch 0x20000000+4M w'
check age-unmapped says no-effect unmapped 'age gpa=0x10340000+0x4000'
check age-unmapped-dry-run says no-effect unmapped 'age gpa=0x10340000+0x4000 dry-run=1'
check dirty-huge done_by 'dirty gpa=0x20000000+0x400000'

# What is refused, and that nothing was changed by it.
for line in bogus 'fault' 'fault gpa' 'fault gpa=' 'fault gpa=0x1000+0x1000' 'fault gpa=-1' \
	'fault gpa=0x1000 access=q' 'fault gpa=0x1000 gpa=0x1000' 'fault gpa=0x1000 count=0' \
	'fault gpa=0x1000 root=0x1000' 'fault gpa=0x1000 colour=1' 'fault  gpa=0x1000' 'zap gpa=0x1000+0' 'protect gpa=0x1000' \
	'zap gpa=0xffffffffffffffff+0x2000' 'undo' 'age gpa=all' 'fault gpa=0x1000 dry-run=2' \
	'protect gpa=0x1000 perm=rwx' 'zap gpa=0x1000+0x10000000001'; do
	check "bad-line: $line" says refused bad-line "$line"
done
check no-slot says refused no-slot 'zap gpa=0x70000000'
check past-the-slot says refused no-slot 'zap gpa=0x103ff000+0x2000'
check nothing-to-undo says refused no-undo 'undo id=all'

two_lines() {
	! printf 'zap gpa=0x1000\nzap gpa=0x1000\n' >&3
}

check two-lines-are-none two_lines
journal_tells() {
	grep -Eq '^id=[0-9]+ time=[0-9]+\.[0-9]{9} pid=[0-9]+ comm=[^ ]+ vm='"$VM"' action=zap target=all before=[0-9]+ after=0 result=done reason=- undo=none$' \
		"$DEBUGFS/journal" &&
		[ "$(sed -n 's/^actions: //p' "$DEBUGFS/status")" -ge "$(wc -l <"$DEBUGFS/journal")" ] &&
		! grep -q 'action=zap target=0x70000000' "$DEBUGFS/journal" &&
		[ $(($(cat /proc/sys/kernel/tainted) & 64)) -ne 0 ]
}

check journal journal_tells
verify acted

# --- a VMM that dies, an agent that leaves ---
# Its VMM is killed while the line is being done: the rest of it is refused, nothing stays.
killed_meanwhile() {
	pages_do "run 0x10000000+64K w" || return 1
	victim=$VM
	(act "$1" >"$WORK/killed.out"; echo over >>"$WORK/killed.out") &
	writer=$!
	eventually test -s "$WORK/act.out" -o "$(counter remote_tlb_flush)" -gt 0
	pages_stop KILL
	wait "$writer"
	grep -q over "$WORK/killed.out" || return 1
	says refused gone 'zap gpa=0x10000000'
	status=$?
	control_close
	eventually sh -c "! test -e $DEBUGFS/$victim" && return "$status"
}
if [ $shadow ]; then
	line='zap gpa=all'
else
	line='fault gpa=0x10311000 access=w count=5000'
fi
check vmm-killed killed_meanwhile "$line"

# Memory of other kinds. And a vCPU whose thread has ended is nobody's, but is to be had.
zap_device() {
	pages_do 'touch 0x4c0f0000 r' && done_by 'zap gpa=0x4c0f0000' &&
		[ "$(field entry level-before)" = 1 ] || return 1
	[ -z "$shadow" ] || return 0
	done_by 'fault gpa=0x4c0f0000 access=r' && [ "$(value ret)" = fixed ]
}

pages_start --extra || finish
control_open
if spt -V "$VM" memslots 0x54000000 >/dev/null 2>&1; then
	check guest-memfd says refused private 'zap gpa=0x54000000'
else
	echo "skip guest-memfd: this kernel has none for such a VM"
fi
# What the VMM maps without a struct page is KVM's to map, and no less to be unmapped.
if [ -e /dev/mem ]; then
	check device zap_device
else
	skip "device: this kernel has no /dev/mem"
fi
if [ ! $shadow ]; then
	check end-thread pages_do end-thread
	check thread-ended mapped_by thread 0x10310000
fi
control_close
pages_stop

# A page that a forced fault makes writable would be one more in a ring that may be full.
if [ ! $shadow ]; then
	pages_start --dirty-ring || finish
	control_open
	check fault-dirty-ring says refused kept 'fault gpa=0x60000000 access=w'
	check fault-dirty-ring-dry-run says refused kept 'fault gpa=0x60000000 access=w dry-run=1'
	check fault-dirty-ring-read says refused kept 'fault gpa=0x60000000 access=r'
	check fault-beside-the-ring done_by 'fault gpa=0x10310000 access=w'
	control_close
	pages_stop
fi

limited() {
	load_armed rate=1 && pages_start && control_open || return 1
	# More than one in a second, each of which takes the last one's place.
	for line in 1 2 3 4 5 6 7 8; do
		echo 'zap gpa=0x10000000 dry-run=1' >&3 || return 1
	done
	cat <&3 >"$WORK/act.out"
	[ "$(value result)" = refused ] && [ "$(value reason | cut -d: -f1)" = rate ] || return 1
	eventually done_by 'zap gpa=0x10000000'
}
check rate-limit limited

# Files hold the agent, and when they are closed nothing does.
unload_when_closed() {
	! rmmod spt_agent 2>/dev/null && control_close && spt agent unload && spt agent load
}
check unload-waits-for-control unload_when_closed
pages_stop
finish
