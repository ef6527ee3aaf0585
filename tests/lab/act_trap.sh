#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# trap reports who touches a page: the right instruction for a known store, load and fetch, as often
# as was asked for, and the page is mapped as before when it is over.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/act_control.sh
. "$(dirname "$0")/act_control.sh"

PAGE=0x10100000

arm_agent
pages_start --extra --vcpus "$([ "$LAB_SMP" -gt 1 ] && echo 2 || echo 1)" || finish
keep_slots
code=$(pages_do code)
at() { # NAME
	echo "$code" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# told NAME RIP ACCESS INSN: the one hit is that.
told() {
	check "$1" heard
	check "$1-once" test "$(hits)" = 1
	check "$1-rip" test $(($(word rip hit "$WORK/heard"))) = $(($2))
	check "$1-access" test "$(word access hit "$WORK/heard")" = "$3"
	check "$1-insn" sh -c "grep -q '^hit: .* insn=$4' $WORK/heard"
	check "$1-bits" test "$(word bits hit "$WORK/heard")" = 64
	check "$1-gpa" test $(($(word gpa hit "$WORK/heard") & ~0xfff)) = $((PAGE))
	check "$1-slots" same_slots
}

pages_do "touch $PAGE x" "touch $PAGE w" >/dev/null
listen "trap gpa=$PAGE count=1"
pages_do "touch $((PAGE + 0x1000)) w" "touch $PAGE w" >/dev/null
told store "$(at write)" w 488937
case $LAB_MMU in
# Where the processor tells the address, or KVM is given it.
ept* | *shadow) check store-gva test $(($(word gva hit "$WORK/heard"))) = $((0x100000000000 + PAGE)) ;;
esac
listen "trap gpa=$PAGE count=1"
pages_do "touch $PAGE r" >/dev/null
told load "$(at read)" r 488b07
listen "trap gpa=$PAGE access=x count=1"
pages_do "touch $PAGE x" >/dev/null
told fetch $((0x100000000000 + PAGE + 8)) x c3
check fetch-gva test $(($(word gva hit "$WORK/heard"))) = $((0x100000000000 + PAGE + 8))

# Writes alone: reads pass.
listen "trap gpa=$PAGE access=w count=1"
pages_do "touch $PAGE r" "touch $PAGE r" "touch $PAGE w" >/dev/null
told store-alone "$(at write)" w 488937
# Nothing was mapped when it began.
pages_do "madvise $PAGE dontneed" >/dev/null
listen "trap gpa=$PAGE access=w count=1"
pages_do "touch $PAGE r" "touch $PAGE w" >/dev/null
told store-unmapped "$(at write)" w 488937
pages_do "touch $PAGE x" >/dev/null
listen "trap gpa=$PAGE access=r count=1"
pages_do "touch $PAGE r" >/dev/null
told load-alone "$(at read)" r 488b07

# Many, while it runs; no access is reported twice, so the counter has grown at least so much.
pages_do "poke $PAGE 0" "run $PAGE w" >/dev/null
listen "trap gpa=$PAGE count=200"
check many heard
pages_do pause >/dev/null
check many-hits test "$(hits)" = 200
run_write=$(at run-write)
check many-rip test "$(grep -c "^hit: .* rip=0x0*${run_write#0x} " "$WORK/heard")" = 200
check many-are-different test $(($(pages_do "peek $PAGE" | cut -d' ' -f2))) -ge 199
pages_do "poke $PAGE 0" "run $PAGE w" >/dev/null
listen "trap gpa=$PAGE access=w count=200"
check many-writes heard
rounds=$(pages_do pause | sed 's/.*rounds0=//; s/ .*//')
check many-writes-hits test "$(hits)" = 200
check no-write-lost test $(($(pages_do "peek $PAGE" | cut -d' ' -f2))) = "$rounds"

# A page of a huge one: only it counts, and it is huge again when it is over.
if [ "$(stat_of pages_2m)" -ge 1 ]; then
	pages_do 'fill 0x20000000+2M 7' >/dev/null
	huge=$(stat_of pages_2m)
	listen 'trap gpa=0x20010000 count=5'
	pages_do 'touch 0x20000000+0x10000 w' 'touch 0x20011000+0x10000 w' >/dev/null
	check neighbours-do-not-count test "$(hits)" = 0
	n=0
	while [ $n -lt 200 ] && ! grep -q '^result:' "$WORK/heard"; do
		pages_do 'read 0x20010000' >/dev/null
		n=$((n + 1))
	done
	check in-huge heard
	check in-huge-hits test "$(hits)" = 5
	pages_do 'touch 0x20000000+2M r' >/dev/null
	check huge-again test "$(stat_of pages_2m)" = "$huge"
	check content pages_do 'verify 0x20021000+0x100000 7'
	check huge-slots same_slots
fi

# The ways it ends.
listen "trap gpa=$PAGE timeout=1"
heard
check timeout test "$(value result "$WORK/heard")" = no-effect
check timeout-reason grep -q '^reason: timeout' "$WORK/heard"
check timeout-slots same_slots
check mapped-after-timeout pages_do "touch $PAGE w"
listen "trap gpa=$PAGE"
check unload-under-a-trap sh -c '! spt agent unload'
kill $LISTENER
wait $LISTENER 2>/dev/null
check closed eventually same_slots
check guest-goes-on pages_do "touch $PAGE w"

turned_down no-slot refused no-slot 'trap gpa=0x70000000'
turned_down bad-access refused bad-line "trap gpa=$PAGE access=q"

# The slot goes while it listens.
listen 'trap gpa=0x50000000 timeout=20'
pages_do 'delete-slot 6' >/dev/null
kill $LISTENER 2>/dev/null
wait $LISTENER 2>/dev/null
pages_do 'add-slot 6' 'touch 0x50000000 w' >/dev/null || not_ok slot-comes-again
check slots-after-renewal same_slots

# The VMM dies in the middle.
pages_do "run $PAGE w" >/dev/null
listen "trap gpa=$PAGE count=10000"
some() {
	[ "$(hits)" -gt 5 ]
}
eventually some
pages_stop KILL
check ends-with-the-vmm eventually grep -q '^result:' "$WORK/heard"
wait $LISTENER 2>/dev/null
gone() {
	[ ! -e "$DEBUGFS/$VM" ]
}
check vm-gone eventually gone
finish
