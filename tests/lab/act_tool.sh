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
if [ -n "$tdp" ]; then
	fault_in_state user $((fresh))
	guest 'run 0x10000000+64K w'
	fault_in_state running $((fresh + 0x1000))
	has fault-in-run '"context":"run"'
	guest pause halt
	fault_in_state halted $((fresh + 0x2000))
	guest pause
	acts fault-again fault $fresh w --count 5
	acts fault-fetch fault 0x10180000 x
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
declined zap-no-root no-root zap 0x10000000 --root 0x1000
acts zap-dry zap 0x10000000+64K --dry-run
check zap-dry-did-nothing test -n "$(leaf_of 0x10008000)"
guest 'run 0x10000000+64K w'
acts zap-running zap 0x10000000+64K
acts zap-all zap all
guest pause

# Another frame, the same content, and the host says the same.
guest "fill 0x10000000+64K 815"
acts remap remap 0x10004000 --count 3
old=$(act_number old_hpa) new=$(sed 's/.*"new_hpa":"\([0-9a-fx]*\)".*/\1/' "$WORK/act.flat")
check remap-moved test "$old" != "$new"
guest "pagemap 0x10004000"
check remap-host-agrees grep -q "$new" "$WORK/answer"
guest "verify 0x10000000+64K 815"
# While it is written in a loop no write is lost: each page was added 1 to in each round.
guest 'write 0x10000000+16K 0' 'run 0x10000000+16K w'
acts remap-running remap 0x10001000 --count 20
guest pause
rounds=$(sed -n 's/.*rounds0=\([0-9]*\).*/\1/p' "$WORK/answer")
for page in 0x10000000 0x10001000 0x10002000 0x10003000; do
	guest "peek $page"
	value=$(($(sed 's/[^0-9a-fx]*\([0-9a-fx]*\)$/\1/' "$WORK/answer")))
	check "remap-no-write-lost-$page" test "$rounds" -gt 0 -a "$value" -ge "$rounds" -a \
		"$value" -le $((rounds + 1))
done
declined remap-hugetlb hugetlb remap 0x30005000
declined remap-zero-page zero-page remap 0x10200000
declined remap-no-slot no-slot remap 0x70000000
declined remap-device 'pfnmap|dax' remap 0x4c0f0000
check remap-pages-at-home pages_at_home

# Huge to 4K until undone, and back.
if [ -n "$tdp" ]; then
	guest 'touch 0x20000000+2M w' 'fill 0x20000000+2M 99'
	acts split split 0x20000000
	has split-before '"before":\{"level":2'
	has split-after '"after":\{"level":1'
	check split-now test "$(leaf_of 0x20000000 | cut -c1)" = 1
	acts split-zap zap 0x20000000+2M
	guest 'verify 0x20000000+2M 99'
	check split-stays test "$(leaf_of 0x20000000 | cut -c1)" = 1
	declined split-again 'not-huge' split 0x20000000
	acts undo-newest undo
	guest 'verify 0x20000000+2M 99'
	check undo-huge-again test "$(leaf_of 0x20000000 | cut -c1)" = 2
	declined split-4k not-huge split 0x10000000
	declined split-no-slot no-slot split 0x70000000
	declined collapse-huge not-4k collapse 0x20000000
	declined undo-nothing no-undo undo 123456
	acts split-once-more split 0x20000000
	acts undo-all undo all
	# The VMM's dirty log splits, too; with it off again the page can be whole.
	acts split-for-collapse split 0x20200000
	acts undo-for-collapse undo all
fi
refused undo-none 1 'nothing to take back' spt --unsafe -V "$VM" undo

# Permissions: gone once, and tracked for good.
guest 'touch 0x10000000+64K w'
acts protect protect 0x10002000 r
has protect-after '"after":\{[^}]*"perm":"r--'
guest 'write 0x10002000 77' 'read 0x10002000'
check protect-write-came-through grep -Eq '(77|0x4d)' "$WORK/answer"
check protect-once test "$(leaf_of 0x10002000 | cut -d' ' -f3 | cut -c1-2)" = rw
declined protect-no-slot no-slot protect 0x70000000 r
declined protect-unmapped unmapped protect 0x10390000 r
acts track protect 0x10003000+4K --write-track
guest 'write 0x10003000 78' 'read 0x10003000'
check track-write-came-through grep -Eq '(78|0x4e)' "$WORK/answer"
check track-stays test "$(leaf_of 0x10003000 | cut -d' ' -f3 | cut -c2)" != w
acts track-undo undo
guest 'write 0x10003000 79'
check track-undone test "$(leaf_of 0x10003000 | cut -d' ' -f3 | cut -c2)" = w

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

# Who touches the page: a store, a load and a fetch by their known instructions.
trap_one() { # NAME GPA ACCESS INSTRUCTION
	spt --unsafe -V "$VM" --json trap "$2" "$3" --count 1 --timeout 60 >"$WORK/trap" 2>&1 </dev/null &
	trapper=$!
	eventually grep -q '"hits"' "$WORK/trap" || not_ok "trap-$1-armed: $(cat "$WORK/trap")"
	pages_do "touch $2 $3" >/dev/null
	check "trap-$1" wait $trapper
	tr -d '\n' <"$WORK/trap" >"$WORK/act.flat"
	has "trap-$1-access" "\"access\":\"$3\""
	has "trap-$1-instruction" "\"text\":\"$4\""
	has "trap-$1-page" "\"gpa\":\"$2\""
}
trap_one store 0x10004000 w 'mov qword ptr \[rdi\], rsi'
trap_one load 0x10004000 r 'mov rax, qword ptr \[rdi\]'
trap_one fetch 0x10180000 x 'ret'
refused trap-timeout 1 timeout spt --unsafe -V "$VM" trap 0x10004000 --timeout 1

# One journal line each, and the kernel's log and taint say the same.
check journal-lists sh -c "spt journal -V $VM | grep -q ' remap '"
check journal-empty nothing_open
check kernel-log sh -c 'dmesg | grep -q "spt.*zap"'
finish
