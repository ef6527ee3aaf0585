#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The commands that move, split, track and watch pages, end to end: what they say is what KVM's
# tables, the host's page tables and the guest itself say; and what they refuse.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/acts.sh
. "$(dirname "$0")/acts.sh"

case $LAB_MMU in
*shadow) tdp= ;;
*) tdp=1 ;;
esac
check arm arm
pages_start --irqchip --extra || finish

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
if [ -e /dev/mem ]; then
	declined remap-device 'pfnmap|dax' remap 0x4c0f0000
else
	skip "remap-device: this kernel has no /dev/mem"
fi
check remap-pages-at-home pages_at_home

# Huge to 4K until undone, and back.
guest 'touch 0x20000000+2M w' 'fill 0x20000000+2M 99'
acts split split 0x20000000
has split-before '"before":\{"level":2'
# With shadow paging the guest's next access maps it.
[ -z "$tdp" ] || has split-after '"after":\{"level":1'
guest 'verify 0x20000000+4K 99'
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
acts split-once-more split 0x20000000
acts undo-all undo all
# The VMM's dirty log splits, too; with it off again the page can be whole.
guest 'touch 0x20200000+4K w'
acts split-for-collapse split 0x20200000
acts undo-for-collapse undo all
# Every write trapped, until undone.
acts track protect 0x10003000+4K --write-track
guest 'write 0x10003000 0x78' 'read 0x10003000'
check track-write-came-through grep -q '0x0*78$' "$WORK/answer"
check track-stays test "$(leaf_of 0x10003000 | cut -d' ' -f3 | cut -c2)" != w
acts track-undo undo
guest 'write 0x10003000 79'
check track-undone test "$(leaf_of 0x10003000 | cut -d' ' -f3 | cut -c2)" = w

# Who touches the page: a store, a load and a fetch by their known instructions.
armed_or_ended() {
	grep -q '"hits"' "$WORK/trap" || ! kill -0 "$1" 2>/dev/null
}

trap_one() { # NAME GPA ACCESS INSTRUCTION
	spt --unsafe -V "$VM" --json trap "$2" "$3" --count 1 --timeout 60 >"$WORK/trap" 2>&1 </dev/null &
	trapper=$!
	eventually armed_or_ended $trapper
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

check journal-lists sh -c "spt journal -V $VM | grep -q ' remap '"
check journal-empty nothing_open
finish
