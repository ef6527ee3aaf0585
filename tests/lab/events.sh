#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Events against what the guest is known to do, one for one: each page that it touches, each one
# that the host takes back, nothing else; recorded and replayed the same; lost ones counted exactly.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

TRACING=/sys/kernel/tracing
[ -d $TRACING/instances ] || mount -t tracefs tracefs $TRACING
# The host's own ageing, merging and huge pages would be events, too.
echo 0 >/sys/kernel/mm/ksm/run
[ ! -e /sys/module/damon_stat/parameters/enabled ] ||
	echo N >/sys/module/damon_stat/parameters/enabled
pages_start || finish

guest() {
	pages --send "$WORK/pages.sock" "$1" >"$WORK/answer" 2>&1 ||
		not_ok "guest: $1: $(cat "$WORK/answer")"
}

instance() {
	records "$RECORDER"
}

# record NAME OPTION...: a recording begins; 'recorded' ends it.
record() {
	NAME=$1
	shift
	spt -V "$VM" -rn events --record "$WORK/$NAME.spt" "$@" >"$WORK/$NAME.out" \
		2>"$WORK/$NAME.err" &
	RECORDER=$!
	eventually instance || not_ok "$NAME: no recording: $(cat "$WORK/$NAME.err")"
}

recorded() {
	kill -INT $RECORDER
	wait $RECORDER
	status=$?
	check "$NAME-status" test $status -eq 0
	check "$NAME-no-instance" test ! -e $TRACING/instances/spt-$RECORDER
	spt -i "$WORK/$NAME.spt" -J events >"$WORK/$NAME.json" 2>/dev/null
	spt -i "$WORK/$NAME.spt" -rn events >"$WORK/$NAME.replay" 2>/dev/null
}

# The rows of a kind as 'ADDRESS CAUSE SLOT VCPU RIP', sorted.
rows() {
	spt -i "$WORK/$NAME.spt" -rn events -o kind,address,cause,slot,vcpu_id,rip 2>/dev/null |
		grep "^$1 " | sed 's/^[^ ]* //' | sort
}

# FIRST COUNT TEXT...: a line for each page.
pages_of() {
	first=$1 count=$2
	shift 2
	i=0
	while [ $i -lt "$count" ]; do
		printf '0x%016x %s\n' $((first + i * 4096)) "$*"
		i=$((i + 1))
	done
}

equal() {
	rows "$1" >"$WORK/found"
	sort >"$WORK/wanted"
	cmp -s "$WORK/wanted" "$WORK/found" && return
	echo "missing:"
	grep -vxFf "$WORK/found" "$WORK/wanted" | head -5
	echo "found instead:"
	grep -vxFf "$WORK/wanted" "$WORK/found" | head -5
	return 1
}

# How libsmartcols writes a blank in raw output.
word() {
	echo "$1" | sed 's/ /\\x20/g'
}

code=$(pages --send "$WORK/pages.sock" code)
rip_of() {
	printf '0x%016x' "$(echo "$code" | tr ' ' '\n' | sed -n "s/^$1=//p")"
}

lost_in() {
	sed -n 's/.*"lost":\([0-9]*\).*/\1/p' "$1"
}

none_lost() {
	[ "$(lost_in "$WORK/$NAME.json")" = 0 ]
}

# Under shadow paging a fault has the guest-virtual address, and entries are set by another function.
gva=0
mapped=spte
if [ "$LAB_MMU" = svm-shadow ] || [ "$LAB_MMU" = vmx-shadow ]; then
	gva=$((0x100000000000))
fi
grep -q '^tdp_mmu=1' "$DEBUGFS/$VM/vm" || mapped="set"

# One page after the other is written, taken back by the host, and read.
FREE=$((0x10300000))
record actions
guest "touch 0x10300000+64K w"
guest "madvise 0x10300000+64K dontneed"
guest "touch 0x10300000+32K r"
recorded
check actions-none-lost none_lost
check actions-replay cmp "$WORK/actions.out" "$WORK/actions.replay"
if [ $gva = 0 ]; then
	{
		pages_of $FREE 16 "$(word 'write, not mapped') 1 0 $(rip_of write)"
		pages_of $FREE 8 "$(word 'read, not mapped') 1 0 $(rip_of read)"
	} >"$WORK/faults"
else
	{
		pages_of $((gva + FREE)) 16 "$(word 'write, not mapped') - 0 $(rip_of write)"
		pages_of $((gva + FREE)) 8 "$(word 'read, not mapped') - 0 $(rip_of read)"
	} >"$WORK/faults"
fi
check actions-faults equal fault <"$WORK/faults"
if [ $mapped = spte ]; then
	{
		pages_of $FREE 16 "mapped 1 0 $(rip_of write)"
		pages_of $FREE 8 "mapped 1 0 $(rip_of read)"
		pages_of $FREE 16 "unmapped 1 - -"
	} >"$WORK/entries"
	check actions-entries equal spte <"$WORK/entries"
else
	{
		pages_of $FREE 16 "$(word 'entry set') 1 0 $(rip_of write)"
		pages_of $FREE 8 "$(word 'entry set') 1 0 $(rip_of read)"
	} >"$WORK/entries"
	check actions-entries equal set <"$WORK/entries"
fi
check actions-unmap sh -c "grep -c '\"kind\":\"unmap\"' '$WORK/actions.json' | grep -qx 1"
instruction() {
	spt -i "$WORK/actions.spt" -rn events -o kind,rip,instruction 2>/dev/null |
		grep "^fault $(rip_of "$1") " | cut -d' ' -f3 | sort -u | grep -qx "$(word "$2" | sed 's/[[\\]/\\&/g')"
}
check actions-instruction instruction write 'mov qword ptr [rdi], rsi'

# MMIO is emulated, and is named.
record mmio --kind mmio,fault
guest "touch 0x70000000 w"
recorded
one_mmio() {
	cat "$WORK/mmio.out"
	[ "$(grep -c '"kind":"mmio"' "$WORK/mmio.json")" -eq 1 ]
}
check mmio-write one_mmio

# Only what is asked for: the kernel filters by address and by kind.
record range --range 0x10340000+64K --kind fault
guest "touch 0x10340000+64K w"
guest "touch 0x10380000+64K w"
recorded
if [ $gva = 0 ]; then
	check range-faults equal fault <<EOF
$(pages_of 0x10340000 16 "$(word 'write, not mapped') 1 0 $(rip_of write)")
EOF
	check range-none-left none_lost
fi

# Everything of a slot, several times, as fast as this machine faults: none is lost.
guest "madvise 0x10000000+4M dontneed"
record rate --kind fault
guest "touch 0x10000000+4M w"
guest "madvise 0x10000000+4M dontneed"
guest "touch 0x10000000+4M w"
recorded
check rate-none-lost none_lost
rate_faults() {
	[ "$(wc -l <"$WORK/rate.out")" -eq 2048 ] || { wc -l <"$WORK/rate.out"; return 1; }
}
check rate-faults rate_faults

# A recorder that is stopped loses events, and knows how many: what it has and what it lost are all.
guest "madvise 0x10000000+4M dontneed"
record stopped --kind fault --buffer 8K
kill -STOP $RECORDER
guest "touch 0x10000000+4M w"
guest "madvise 0x10000000+4M dontneed"
guest "touch 0x10000000+4M w"
kill -CONT $RECORDER
recorded
lost_exactly() {
	lost=$(lost_in "$WORK/stopped.json")
	have=$(wc -l <"$WORK/stopped.out")
	echo "$have events, $lost lost"
	[ "$lost" -gt 0 ] && [ $((have + lost)) -eq 2048 ]
}
check stopped-lost-exactly lost_exactly
check stopped-says-so grep -q 'events were lost' "$WORK/stopped.err"

# The summary names the page and the instruction; mapping and taking away again and again is a storm.
guest "madvise 0x10000000+4M dontneed"
record circle --summary
i=0
while [ $i -lt 36 ]; do
	guest "touch 0x103c0000 w"
	guest "madvise 0x103c0000 dontneed"
	i=$((i + 1))
done
recorded
summary_has() {
	spt -i "$WORK/circle.spt" events --summary >"$WORK/summary" 2>/dev/null
	grep -q "$1" "$WORK/summary" || { cat "$WORK/summary"; return 1; }
}
[ $gva != 0 ] || check summary-page summary_has '^ *36 .* 0x00000000103c0000  slot 1'
check summary-instruction summary_has "^ *36  $(rip_of write)  mov"
[ $mapped = set ] || check summary-storm summary_has '0x00000000103c0000 circle: mapped 36 times'

# Killed, a recording leaves its instance behind; the next one removes it.
record killed
kill -KILL $RECORDER
wait $RECORDER 2>/dev/null
left=$RECORDER
check killed-leaves test -e $TRACING/instances/spt-$left
record after
recorded
check after-removed test ! -e $TRACING/instances/spt-$left

# What ends the program ends the recording first, which is kept.
record ended
guest "touch 0x10300000+16K w"
kill -TERM $RECORDER
wait $RECORDER
status=$?
check ended-status test $status -eq 143
check ended-no-instance test ! -e $TRACING/instances/spt-$RECORDER
check ended-kept spt -i "$WORK/ended.spt" events --summary

# So does a reader that has seen enough; nothing is said about that.
(
	spt -V "$VM" -rn events
	echo $? >"$WORK/closed.status"
) 2>"$WORK/closed.err" | head -n 1 >/dev/null &
closed() {
	guest "madvise 0x10300000+16K dontneed"
	guest "touch 0x10300000+16K w"
	[ -s "$WORK/closed.status" ]
}
check closed-ends eventually closed
check closed-status grep -qx 141 "$WORK/closed.status"
check closed-quiet test ! -s "$WORK/closed.err"

# Beside another VM: its events are not ours.
other=$WORK/other.sock
pages --socket "$other" >"$WORK/other.out" 2>&1 </dev/null &
OTHER=$!
check other-ready eventually grep -q '^READY' "$WORK/other.out"
guest "madvise 0x10000000+4M dontneed"
record one-of-two --kind fault
pages --send "$other" "touch 0x10300000+64K w" >/dev/null
guest "touch 0x103e0000+16K w"
recorded
check one-of-two-filter grep -q '"threads":[1-9]' "$WORK/one-of-two.json"
only_ours() {
	[ "$(wc -l <"$WORK/one-of-two.out")" -eq 4 ]
}
check one-of-two-faults only_ours
pages --send "$other" quit >/dev/null
wait $OTHER

spt -V "$VM" save "$WORK/plain.spt" >/dev/null
refused none-in-plain 2 'has no events' spt -i "$WORK/plain.spt" events
finish
