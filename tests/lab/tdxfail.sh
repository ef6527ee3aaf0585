#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Callbacks of the TDX module that are busy, fail or take long leave the mirror's entry frozen for
# that time only, and the audit tells it from one that stays frozen. The long ones need a second CPU
# to look on.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/verify_tdx.sh
. "$(dirname "$0")/verify_tdx.sh"

breaker=/sys/module/breaker/parameters
frozen=0x80000000000001a0

inject() { # WORDS
	echo "$1" >"$SOFTTDX/$VM/inject"
}

# audit_frozen: the rule's 'VIOLATIONS IN_FLUX' of one audit.
audit_frozen() {
	spt -V "$VM" --json audit --rule frozen >"$WORK/audit" 2>"$WORK/audit.err"
	[ $? -le 1 ] || cat "$WORK/audit.err"
	tr -d ' \n' <"$WORK/audit" | sed 's/.*"violations":\([0-9]*\),"in_flux":\([0-9]*\).*/\1 \2\n/'
}

sound() {
	found=$(audit_frozen)
	cat "$WORK/audit"
	[ "$found" = '0 0' ]
}

settle
pages_start --tdx || finish
check sound-at-first sound

# What fails is tried again until it is done. With every table on the way missing, too.
inject 'busy 7'
change busy 'touch 0x10200000+64K w'
check busy-seven-times [ "$(recorded busy_injected)" = 7 ]
inject 'error 7'
change error 'touch 0x20080000+64K w'
check error-seven-times [ "$(recorded errors_injected)" = 7 ]
inject 'busy 3'
change busy-table 'convert 0x20200000+2M private' 'prefault 0x20200000+64K'
check busy-ten-times [ "$(recorded busy_injected)" = 10 ]
check sound-after-failures sound
verify_tdx failures

# The mirror's leaf of a private GPA: its table and the offset there. The external tree comes after.
mirror_entry() {
	spt -V "$VM" tree -rn -o level,gpa,index,table_hpa,type |
		awk -v gpa="$(printf '0x%016x' "$1")" '$5 == "leaf" && $1 == 1 && $2 == gpa {
			print $4, $3 * 8
			exit
		}'
}

# One that stays frozen, until it is mended.
vms=$(awk '$1 == "kvm:vm_list" { print $2 }' "$DEBUGFS/layout")
check breaker-loads insmod /lab/modules/breaker.ko lab=1 vm_list="$vms"
echo "memory $(mirror_entry 0x10002000) 8 = $frozen" >$breaker/poke
stuck() {
	found=$(audit_frozen)
	cat "$WORK/audit"
	[ "$found" = '1 0' ] && grep -q '0x0*10002000"' "$WORK/audit"
}
check stuck-is-found stuck
echo 1 >$breaker/restore
check breaker-unloads rmmod breaker
check sound-when-mended sound
change go-on 'touch 0x10002000 w'

# Each entry is frozen half a second, one after the other, while the audits go on.
slow() {
	inject 'delay 40 500'
	pages_do 'touch 0x10280000+128K w' >"$WORK/slow" &
	while kill -0 $! 2>/dev/null; do
		audit_frozen
	done >"$WORK/audits"
	wait $!
}
if [ "$LAB_SMP" -gt 1 ]; then
	check slow-is-done slow
	check slow-so-often [ "$(recorded delays_injected)" -ge 32 ]
	echo "# $(wc -l <"$WORK/audits") audits: $(sort "$WORK/audits" | uniq -c | tr -s ' \n' ' ')"
	check transient-was-seen grep -q ' [1-9]' "$WORK/audits"
	check transient-is-no-violation sh -c "! grep -v '^0 ' '$WORK/audits'"
	inject 'delay 0 0'
	check sound-after-slow sound
	verify_tdx slow
fi
finish
