#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The commands that act, end to end: what they say is what KVM's tables, its counters, the host's
# page tables and the guest itself say; whatever the vCPU is doing; and every refusal.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/acts.sh
. "$(dirname "$0")/acts.sh"

case $LAB_MMU in
*shadow) tdp= ;;
*) tdp=1 ;;
esac

# Who may not act.
check load-to-read sh -c 'spt agent unload && spt agent load'
pages_start || finish
refused not-armed 2 'only reads.*--armed' spt --unsafe -V "$VM" fault 0x10000000
refused not-unsafe 2 'needs --unsafe' spt -V "$VM" fault 0x10000000
pages_stop
check arm arm
pages_start --irqchip --extra || finish
refused armed-not-unsafe 2 'needs --unsafe' spt -V "$VM" fault 0x10000000
refused no-such-vm 2 'no VM' spt --unsafe -V 999999 fault 0x10000000

# A fault is the guest's own: the same entry, one page more; whatever the vCPU does.
fresh=0x10300000 # of 'anon', untouched
fault_in_state() {
	state=$1 gpa=$2
	before=$(stat_of pages_4k)
	acts "fault-$state" fault "$gpa" w
	has "fault-$state-before" '"before":\{[^}]*"type":"nonpresent"'
	has "fault-$state-after" '"after":\{[^}]*"type":"leaf"[^}]*"perm":"rw'
	leaf=$(leaf_of "$gpa")
	check "fault-$state-same-entry" grep -q "\"spte\":\"$(echo "$leaf" | cut -d' ' -f2)\"" "$WORK/act.flat"
	after=$(stat_of pages_4k)
	check "fault-$state-counted" test "$after" -gt "$before"
}
mapped_already() {
	spt_act "$@"
	grep -Eq '"result":"(done|no-effect)"' "$WORK/act.flat" && grep -q '"ret":"\(fixed\|spurious\)"' "$WORK/act.flat"
}
if [ -n "$tdp" ]; then
	fault_in_state user $((fresh))
	guest 'run 0x10000000+64K w'
	fault_in_state running $((fresh + 0x1000))
	has fault-in-run '"context":"run"'
	guest pause halt
	fault_in_state halted $((fresh + 0x2000))
	guest pause
	# What is mapped stays; older kernels write the entry anew all the same.
	check fault-again mapped_already fault $fresh w --count 5
	check fault-fetch mapped_already fault 0x10180000 x
	guest "touch $fresh+12K w"
	declined fault-no-slot no-slot fault 0x70000000
	declined fault-no-vcpu no-vcpu fault $fresh --vcpu 77
	declined fault-read-only 'read-only|host|kvm|unchanged' fault 0x40000000 w
else
	declined fault-mode mode fault $fresh w
fi

# Zapped: nothing maps it, nothing is lost.
guest "fill 0x10000000+64K 4711"
acts zap zap 0x10000000+64K
has zap-counts '"before":\{"4k":16,"2m":0,"1g":0\},"after":\{"4k":0,"2m":0,"1g":0\}'
check zap-unmapped test -z "$(leaf_of 0x10008000)"
guest "verify 0x10000000+64K 4711"
check zap-mapped-again test -n "$(leaf_of 0x10008000)"
acts zap-huge zap 0x20000000+2M
declined zap-unmapped-again 'unmapped|unchanged' zap 0x20600000+2M
declined zap-no-root 'no-root|mode' zap 0x10000000 --root 0x1000
acts zap-dry zap 0x10000000+64K --dry-run
check zap-dry-did-nothing test -n "$(leaf_of 0x10008000)"
guest 'run 0x10000000+64K w'
acts zap-running zap 0x10000000+64K
acts zap-all zap all
guest pause

# Permissions: gone once.
guest 'touch 0x10000000+64K w'
acts protect protect 0x10002000 r
has protect-after '"after":\{[^}]*"perm":"r--'
guest 'write 0x10002000 0x77' 'read 0x10002000'
check protect-write-came-through grep -q '0x0*77$' "$WORK/answer"
check protect-once test "$(leaf_of 0x10002000 | cut -d' ' -f3 | cut -c1-2)" = rw
declined protect-no-slot no-slot protect 0x70000000 r
declined protect-unmapped unmapped protect 0x10390000 r

# What was touched since.
guest 'touch 0x10000000+64K w'
acts age age 0x10000000+64K
guest 'touch 0x10005000 r'
acts age-show age 0x10000000+64K --show
has age-touched '"gpa":"0x10005000","size":4096'
acts dirty dirty 0x10000000+64K
guest 'touch 0x10006000 w'
acts dirty-show dirty 0x10000000+64K --show
has dirty-touched '"gpa":"0x10006000","size":4096'

# A storm that does nothing says so.
refused storm-no-effect 1 'no action had an effect' \
	spt --unsafe -V "$VM" storm 0x10390000+64K --mix protect --count 3 --audit-every 0

# What ends the program ends the storm first, and what that left open is taken back.
storm_ended_by() { # SIGNAL
	spt --unsafe -V "$VM" storm 0x10000000+1M --mix write-track --seconds 600 --audit-every 0 \
		>"$WORK/storm" 2>&1 &
	eventually sh -c "spt journal --open | grep -q track" || return 1
	kill -"$1" $!
	wait $!
	[ $? -gt 128 ] && nothing_open
}
for signal in TERM HUP PIPE; do
	check "storm-ended-by-$signal" storm_ended_by $signal
done

# One journal line each, and the kernel's log and taint say the same.
check journal-lists sh -c "spt journal -V $VM | grep -q ' protect '"
declined undo-nothing no-undo undo 123456
refused undo-none 1 'nothing to take back' spt --unsafe -V "$VM" undo
check journal-empty nothing_open
check kernel-log sh -c 'dmesg | grep -q "spt.*zap"'
finish
