#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The audit finds nothing wrong with a sound VM, however much it changes meanwhile: guests that fault,
# zap, log dirty pages, split and collapse huge pages, delete and add slots. AUDITS: how many;
# LAB_ALL: as many as it takes to meet what is rare.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/audits.sh
. "$(dirname "$0")/audits.sh"

case $LAB_MMU-$LAB_KERNEL${LAB_ALL:+-all} in
npt-6.12-all | svm-shadow-6.12-all) audits=${AUDITS:-1000} ;;
npt-6.12 | svm-shadow-6.12) audits=${AUDITS:-200} ;;
ept-6.12-all | ept-list-6.12-all) audits=${AUDITS:-100} ;;
ept-6.12 | ept-list-6.12) audits=${AUDITS:-40} ;;
ept* | vmx*) audits=${AUDITS:-20} ;;
*-all) audits=${AUDITS:-200} ;;
*) audits=${AUDITS:-100} ;;
esac

settle
vcpus=1
[ "${LAB_SMP:-1}" -eq 1 ] || vcpus=2
pages_start --vcpus $vcpus || finish
check silent-at-rest audit_often 3
change churn 'churn on'
check "silent-under-load-$audits" audit_often "$audits"
case $LAB_MMU in
npt | svm-shadow) check saw-changes-under-way was_seen_moving ;;
esac
was_busy() {
	pages_do 'churn off' >"$WORK/report" || return 1
	cat "$WORK/report"
	for kind in faults0 slots discards dirty huge; do
		grep -Eq " $kind=[0-9]{2,}" "$WORK/report" || return 1
	done
}
check guest-was-busy was_busy
check silent-afterwards audit_often 3

# Small pages for what is executed, and system management mode: other tables, other roots.
echo force >/sys/module/kvm/parameters/nx_huge_pages
change more-tables 'smm on' 'touch 0x10000000+1M w' 'touch 0x20000000+4K w' 'touch 0x20001000 x' \
	'touch 0x50000000+64K w' 'touch 0x58000000+64K r' 'touch 0x70000000 w'
check silent-in-smm audit_often 3
change back 'smm off' 'touch 0x20200000 w' 'touch 0x20201000 x' 'touch 0x50000000+64K w'
check silent-with-nx-splits audit_often 3
echo off >/sys/module/kvm/parameters/nx_huge_pages
finish
