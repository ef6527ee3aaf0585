#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# An ordinary VM shows no mirror: what is about two halves of memory is n/a, and says why.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
pages_start || finish

flat() {
	tr -d ' \n'
}
none() { # FILE WORD...
	none_file=$1
	shift
	for word in "$@"; do
		grep -Fq "$word" "$none_file" && return 1
	done
	return 0
}
spt -V "$VM" --json roots | flat >"$WORK/roots"
check no-mirror-root none "$WORK/roots" '"kind":"mirror"' '"kind":"external"' '"half":"'
spt -V "$VM" roots >"$WORK/text"
check no-word-of-it none "$WORK/text" mirror external 'GPA bit'
spt -V "$VM" --json walk gpa 0x10003000 | flat >"$WORK/walk"
check walk-one-address grep -Fq '"halves":null,"attributes":null' "$WORK/walk"
spt -V "$VM" stats --only halves >"$WORK/stats"
check stats-na grep -qx 'n/a' "$WORK/stats"
# Kernels without the code of mirrors are told from VMs without one.
why='this VM has no mirror root'
grep -q '^KVM_GFN_DIRECT_BITS .*offset' "$DEBUGFS/layout" || why='this kernel has no mirror roots'
spt -V "$VM" audit >"$WORK/audit"
for rule in attrs-root mirror-gmem mirror-external one-half mirror-user shared-bit; do
	check "audit-$rule" grep -Eq "^$rule +n/a +n/a +n/a ($why|this VM cannot have memory attributes)" "$WORK/audit"
done
spt -V "$VM" --json vm | flat >"$WORK/vm"
check vm-no-td grep -Fq '"tdx_state":null,"tdx_hkid":null' "$WORK/vm"
finish
