#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A VM that keeps its vCPUs' registers to itself, as with SEV-ES or TDX: spt shows none, and what
# would have to read them is refused with that reason. The breaker makes KVM take a paused VM for
# such a one, by a vCPU's mark and by the VM's; and for one of plain SEV, whose memory is encrypted.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/acts.sh
. "$(dirname "$0")/acts.sh"
# shellcheck source=tests/lab/breaker.sh
. "$(dirname "$0")/breaker.sh"

page=0x10000000
case $LAB_MMU in
tdx) page=0x8020200000 kind=--tdx ;; # of the shared half
*) kind= ;;
esac

mend() {
	echo 1 >"$breaker/restore"
}

regs_are() { # SOURCE
	spt -V "$VM" -J regs >"$WORK/regs" 2>&1
	cat "$WORK/regs"
	grep -q "\"source\":\"$1\"" "$WORK/regs"
}
no_registers() {
	regs_are protected && ! grep -Eq '"(rip|rsp|cr3|efer)":"0x' "$WORK/regs"
}
# --fresh does not get at them either.
no_fresh() {
	spt -V "$VM" -J regs --fresh >"$WORK/regs" 2>&1
	grep -q '"source":"protected"' "$WORK/regs" && ! grep -q '"rip":"0x' "$WORK/regs"
}
says_why() { # COMMAND...
	spt -V "$VM" "$@" >"$WORK/why" 2>&1
	status=$?
	cat "$WORK/why"
	[ "$status" -ne 0 ] && grep -q 'protected' "$WORK/why"
}

check arm arm
# One word or none.
# shellcheck disable=SC2086
pages_start $kind || finish
check breaker-loads load_breaker
[ -n "$kind" ] || check open-at-first regs_are outside

poke vcpu 0 "$(layout VCPU_PROTECTED offset)" 1 = 1
check pokes-vcpu test ! -s "$WORK/trouble"
check regs-protected no_registers
check regs-fresh no_fresh
check disasm-says-why says_why disasm rip
check walk-gva-says-why says_why walk gva 0x100010000000
declined trap-refused private trap $page w --timeout 1
check trap-reason grep -q 'registers of the guest.s vCPUs are private' "$WORK/act.err"
declined trap-read-refused private trap $page r --timeout 1
declined track-refused private protect $page+4K --write-track
# What needs no registers is done.
acts zap-works zap $page
check mended mend

if grep -q '^KVM_HAS_PROTECTED_STATE .*offset' "$DEBUGFS/layout"; then
	poke_kvm KVM_HAS_PROTECTED_STATE 1 = 1
	check pokes-vm test ! -s "$WORK/trouble"
	declined trap-refused-vm private trap $page w --timeout 1
	declined track-refused-vm private protect $page+4K --write-track
	check mended-vm mend
else
	check no-such-field-in-this-kernel test "${LAB_KERNEL%%.*}" = 6
fi

# Plain SEV: the registers are KVM's, the memory is ciphertext to it, bound to where it lies.
if [ "$LAB_VENDOR" = kvm_amd ] && [ -z "$kind" ]; then
	poke_kvm SVM_SEV_ACTIVE 1 = 1
	check pokes-sev test ! -s "$WORK/trouble"
	declined track-refused-sev private protect $page+4K --write-track
	check track-reason-sev grep -q 'encrypted (SEV)' "$WORK/act.err"
	declined track-refused-sev-dry-run private protect $page+4K --write-track --dry-run
	declined remap-refused-sev private remap $page
	check remap-reason-sev grep -q 'encrypted (SEV)' "$WORK/act.err"
	acts trap-not-refused-sev trap $page --dry-run
	check mended-sev mend
fi

# It is an ordinary one again.
[ -n "$kind" ] || check open-again regs_are outside
guest "touch $page w"
acts trap-again protect $page r
guest "touch $page w"
[ -n "$kind" ] || acts track-again protect $page+4K --write-track --dry-run
acts remap-again remap $page
check breaker-unloads rmmod breaker
finish
