#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Events and registers of a guest that has a guest of its own (L2): whose each of them is, one for
# one against what the kernel itself says, and against what L2 is known to do.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

TRACING=/sys/kernel/tracing
[ -d $TRACING/instances ] || mount -t tracefs tracefs $TRACING
VM=$(spt vms -r -n -o id)
COUNTED=/sys/kernel/debug/kvm/$VM/pf_taken
KERNELS=$TRACING/instances/kernels-own
# L2's code, all of it in one page; what it touches.
CODE=0x100000001000
FIRST=0x10300000 PAGES=16

in_guest() {
	lab-guest "$@"
}

inner() { # COMMAND...: of the inner VMM
	in_guest "pages --send /tmp/pages.sock $*"
}

# shellcheck disable=SC2016 # expanded in the guest
check inner-kvm in_guest 'for m in $(cat /lib/load); do insmod $m; done; test -c /dev/kvm'
check inner-guest in_guest 'mount -t debugfs none /sys/kernel/debug; pages --background --socket /tmp/pages.sock'
inner code >"$WORK/code"
rip_of() {
	tr ' ' '\n' <"$WORK/code" | sed -n "s/^$1=//p"
}

# All threads of the VMM stand still: nothing happens to the VM, and what happened is counted.
stopped() {
	! cut -d')' -f2 /proc/"${VM%-*}"/task/*/stat | grep -qv '^ T'
}
stand_still() {
	kill -STOP "${VM%-*}"
	eventually stopped
}
go_on() {
	kill -CONT "${VM%-*}"
}

kernels_own() {
	mkdir "$KERNELS" && echo mono >"$KERNELS/trace_clock" &&
		echo 8192 >"$KERNELS/buffer_size_kb" || return 1
	enter=kvm_nested_vmenter
	[ -d "$KERNELS/events/kvm/$enter" ] || enter=kvm_nested_vmrun
	for event in kvm/kvm_page_fault kvm/kvm_nested_vmexit_inject kvm/$enter kvmmmu/kvm_mmu_set_spte; do
		echo 1 >"$KERNELS/events/$event/enable" || return 1
	done
}
recording() {
	records "$RECORDER"
}

# Both begin and end while the VM stands still: they have seen the same.
check stands-still stand_still
check kernels-own kernels_own
before=$(cat "$COUNTED")
spt -V "$VM" -rn events --record "$WORK/l2.spt" >"$WORK/l2.out" 2>"$WORK/l2.err" &
RECORDER=$!
check recording eventually recording
go_on

# What L2 writes the hypervisor gives it, and KVM maps; what is taken away comes again. The guest
# itself needs memory that it never had, too.
inner "'touch $FIRST+64K w' 'madvise $FIRST+64K dontneed' 'touch $FIRST+32K r'" >"$WORK/inner.out"
check inner-touched sh -c "! grep -qv '^ok' '$WORK/inner.out'"
in_guest 'dd if=/dev/zero of=/tmp/some bs=1M count=8 2>/dev/null; rm /tmp/some'
# Code of L2 is to be had while it runs, and it faults while it runs when its memory goes.
inner "'run 0x10000000+256K w'" >/dev/null
taken_away() {
	inner "'madvise 0x10000000+256K dontneed'" >/dev/null
	grep -q "^[^ ]* [^ ]* fault .*L2:.* 0x0*$(rip_of run-write | cut -c3-) add" "$WORK/l2.out"
}
check inner-instruction eventually taken_away
inner pause >/dev/null

stand_still
kill -INT $RECORDER
wait $RECORDER
check recorded test $? -eq 0
after=$(cat "$COUNTED")
cat $KERNELS/trace >"$WORK/kernels-own"
go_on
rmdir $KERNELS
spt -i "$WORK/l2.spt" -J events >"$WORK/l2.json"
one_for_one() {
	grep -q 'CPU:.*LOST' "$WORK/kernels-own" && return 1
	nested_events.py "$WORK/l2.json" "$WORK/kernels-own" "$CODE" "$FIRST" "$PAGES" "$(rip_of write)" \
		$((after - before))
}
check one-for-one one_for_one
sed 's/^/# /' "$WORK/check.out"

# Code of L2 was read by L2's tables: it is what the inner guest has there.
instructions() {
	spt -i "$WORK/l2.spt" -rn events -o kind,l2,rip,instruction 2>/dev/null |
		sed -n 's/^fault yes 0x0*\([0-9a-f]*\) \([^(].*\)/0x\1 \2/p' | sort -u >"$WORK/found"
	cat >"$WORK/wanted" <<EOF
$(rip_of read) mov\x20rax,\x20qword\x20ptr\x20[rdi]
$(rip_of write) mov\x20qword\x20ptr\x20[rdi],\x20rsi
$(rip_of run-write) add\x20qword\x20ptr\x20[rdi],\x201
EOF
	cat "$WORK/found"
	grep -q "^$(rip_of run-write) " "$WORK/found" && ! grep -vxFf "$WORK/wanted" "$WORK/found"
}
check l2-instructions instructions
summary() {
	spt -i "$WORK/l2.spt" events --summary 2>/dev/null >"$WORK/summary"
	cat "$WORK/summary"
	grep -q 'L2: write, not mapped' "$WORK/summary" &&
		grep -q "0x0*$(rip_of run-write | cut -c3-)  L2: add" "$WORK/summary" &&
		grep -q 'l2-gpa, [0-9]* given to the guest' "$WORK/summary"
}
check summary summary

# The vCPU goes to L2 and back all the time. Its registers are of one of them, and say of which: the
# CR3 of L2 is no other's.
inner "'run 0x10000000+256K w'" >/dev/null
in_guest "sh -c 'while :; do pages --send /tmp/pages.sock \"madvise 0x10000000+256K dontneed\"; done' >/dev/null 2>&1 & echo \$! >/tmp/loop" >/dev/null
whose() { # OPTION...: 'L2' or 'guest', or what is wrong
	spt -V "$VM" -J regs "$@" 2>"$WORK/regs.err" | tr -d ' \n' >"$WORK/regs"
	nested=$(sed -n 's/.*"nested":\([a-z]*\).*/\1/p' "$WORK/regs")
	cr3=$(sed -n 's/.*"cr3":"\([^"]*\)".*/\1/p' "$WORK/regs")
	case $nested,$cr3 in
	true,0x10000) echo L2 ;;
	false,0x10000) echo "not L2 with CR3 $cr3" ;;
	false,0x*) echo guest ;;
	*) echo "nested '$nested', CR3 '$cr3': $(cat "$WORK/regs.err")" ;;
	esac
}
sample() { # COUNT OPTION...
	count=$1
	shift
	while [ "$count" -gt 0 ]; do
		whose "$@"
		count=$((count - 1))
	done >"$WORK/samples"
	sort "$WORK/samples" | uniq -c
	! grep -qvx 'L2\|guest' "$WORK/samples" && grep -qx L2 "$WORK/samples" &&
		grep -qx guest "$WORK/samples"
}
check regs-say-whose sample 100
sed 's/^/# /' "$WORK/check.out"
check regs-fresh-say-whose sample 100 --fresh
sed 's/^/# /' "$WORK/check.out"
in_l2() {
	spt -V "$VM" regs --fresh >"$WORK/regs" && grep -q 'running its own guest (L2), whose registers these are' "$WORK/regs"
}
check regs-title eventually in_l2
# shellcheck disable=SC2016
in_guest 'kill $(cat /tmp/loop)' >/dev/null
inner pause >/dev/null
inner quit >/dev/null
not_in_l2() {
	[ "$(whose --fresh)" = guest ]
}
check regs-without-l2 not_in_l2
finish
