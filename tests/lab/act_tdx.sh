#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A VM of two halves: every action on its private memory is refused, by either address of a page,
# and touches nothing; on its shared memory each does what it does elsewhere, but for write
# tracking, which needs code that KVM can read. Mode tdx.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/verify_tdx.sh
. "$(dirname "$0")/verify_tdx.sh"
# shellcheck source=tests/lab/acts.sh
. "$(dirname "$0")/acts.sh"

root_hpa() { # KIND
	spt -V "$VM" roots -rn -o hpa,kind | awk -v kind="$1" '$2 == kind { print $1; exit }'
}

# leaf KIND GPA: 'LEVEL PERM' of the leaf that maps the page in that root, or nothing.
leaf() {
	spt -V "$VM" --json walk gpa "$2" >"$WORK/walk" 2>/dev/null
	tr -d ' \n' <"$WORK/walk" | sed 's/{"root_hpa"/\n&/g' |
		grep "^{\"root_hpa\":\"[^\"]*\",\"kind\":\"$1\"" | tr '{' '\n' |
		sed -n 's/^"level":\([0-9]\).*"type":"leaf".*"perm":"\([rwxX-]*\)".*/\1 \2/p'
}

check arm arm
settle
pages_start --tdx || finish

# --- Private memory: nothing acts on it.
spt -V "$VM" save "$WORK/before.spt" >/dev/null
told=$(recorded leaves_set),$(recorded leaves_cleared)
for gpa in 0x10001000 0x8010001000; do
	declined "private-fault-$gpa" private fault $gpa w
	declined "private-zap-$gpa" private zap $gpa
	declined "private-remap-$gpa" private remap $gpa
	declined "private-split-$gpa" private split $gpa
	declined "private-collapse-$gpa" private collapse $gpa
	declined "private-protect-$gpa" private protect $gpa r
	declined "private-track-$gpa" private protect $gpa+4K --write-track
	declined "private-trap-$gpa" private trap $gpa w --timeout 1
	declined "private-age-$gpa" private age $gpa+4K
	declined "private-dirty-$gpa" private dirty $gpa+4K
done
# What is private, too, but was never mapped; both halves in one range; the mirror by its name.
declined private-unmapped private fault 0x103c8000 w
declined both-halves private zap 0x20180000+1M
declined mirror-root 'mirror|private' zap 0x20200000 --root "$(root_hpa mirror)"
declined external-root no-root zap 0x20200000 --root "$(root_hpa external)"
declined everything mirror zap all
check refusals-changed-nothing spt -V "$VM" diff "$WORK/before.spt"
check refusals-told-nothing [ "$(recorded leaves_set),$(recorded leaves_cleared)" = "$told" ]
check refusals-not-counted grep -q '^actions: 0' "$DEBUGFS/status"

# --- Shared memory of the same VM.
shared=0x8020200000 # its first 64K are mapped in 4K
acts fault fault 0x8020280000 w
has fault-in-direct '"kind":"direct"[^}]*"gpa":"0x0*20280000"'
check fault-mapped test "$(leaf direct 0x20280000)" = '1 rwx'
check fault-not-mirrored test -z "$(leaf mirror 0x20280000)"

guest "fill $shared+64K 4711"
acts zap zap $shared+64K
has zap-counts '"before":\{"4k":16,'
check zap-unmapped test -z "$(leaf direct $shared)"
guest "verify $shared+64K 4711"
acts zap-root zap $shared --root "$(root_hpa direct)"
guest "verify $shared+64K 4711"

acts protect protect $shared r
check protect-taken test "$(leaf direct $shared)" = '1 r--'
guest "write $shared 0x77" "read $shared"
check protect-once grep -q '0x0*77$' "$WORK/answer"

acts remap remap 0x20201000
old=$(act_number old_hpa)
guest "pagemap 0x20201000"
check remap-moved sh -c "! grep -q '$old' '$WORK/answer'"
guest "verify $shared+64K 4711"

guest "touch $shared+64K w"
acts age age $shared+64K
guest 'touch 0x8020205000 r'
acts age-show age $shared+64K --show
has age-touched '"gpa":"0x0*20205000","size":4096'
acts dirty dirty $shared+64K
guest 'touch 0x8020206000 w'
acts dirty-show dirty $shared+64K --show
has dirty-touched '"gpa":"0x0*20206000","size":4096'

guest 'fill 0x8030000000+2M 99'
check huge test "$(leaf direct 0x30000000 | cut -c1)" = 2
acts split split 0x30000000
check split-small test "$(leaf direct 0x30000000 | cut -c1)" = 1
acts split-zap zap 0x30000000+2M
guest 'verify 0x8030000000+2M 99'
check split-stays test "$(leaf direct 0x30000000 | cut -c1)" = 1
acts undo undo
guest 'verify 0x8030000000+2M 99'
check undone test "$(leaf direct 0x30000000 | cut -c1)" = 2
declined collapse-huge not-4k collapse 0x30000000
declined track private protect $shared+4K --write-track

# The one who touches it, by the known instruction's address; the code itself cannot be read.
at_write=$(pages_do code | tr ' ' '\n' | sed -n 's/^write=//p')
trap_begun() {
	grep -q '"hits"' "$WORK/trap" || ! kill -0 "$1" 2>/dev/null
}
spt --unsafe -V "$VM" --json trap 0x20204000 w --count 1 --timeout 60 >"$WORK/trap" 2>&1 </dev/null &
trapper=$!
eventually trap_begun $trapper
guest 'touch 0x8020204000 w'
check trap wait $trapper
tr -d '\n' <"$WORK/trap" >"$WORK/act.flat"
has trap-rip "\"rip\":\"0x0*${at_write#0x}\""
has trap-page '"gpa":"0x0*20204000"'
check trap-no-code sh -c "! grep -Eq '\"(insn|text)\":\"' '$WORK/act.flat'"

# Many, at random, with the whole of the private half beside them.
acts storm storm 0x30000000+4M --rate 100 --count 150 --seed 7 --audit-every 50 \
	--mix fault,zap,remap,split,collapse,protect,age,dirty,undo
guest 'verify 0x8030000000+2M 99'
check nothing-open nothing_open
check at-home pages_at_home
check private-untouched [ "$(recorded leaves_set),$(recorded leaves_cleared)" = "$told" ]

# Armed on a page that becomes private meanwhile: that is left alone, however often it is looked at.
spt --unsafe -V "$VM" --json trap 0x20205000 w --count 100 --timeout 60 >"$WORK/trap" 2>&1 </dev/null &
trapper=$!
eventually trap_begun $trapper
guest 'convert 0x20205000 private' 'touch 0x20205000 w'
check private-mapped test "$(leaf mirror 0x20205000)" = '1 rwx'
told=$(recorded leaves_set),$(recorded leaves_cleared)
looks=0
while [ "$looks" -lt 20 ]; do
	spt -V "$VM" audit >/dev/null
	looks=$((looks + 1))
done
check trap-private-now test "$(leaf mirror 0x20205000)" = '1 rwx'
check trap-private-told [ "$(recorded leaves_set),$(recorded leaves_cleared)" = "$told" ]
kill $trapper
wait $trapper
guest 'touch 0x20205000 w' 'convert 0x20205000 shared' 'touch 0x8020205000 w'
verify_tdx acted
finish
