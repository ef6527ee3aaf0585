#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A 32-bit guest with PAE page tables. Shadowing it, KVM has a root of four entries that is no shadow
# page; its tables follow from the guest's own, and 'walk gva' goes through those.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"

settle
pages_start --pae || finish

# The vCPU's root is its pae_root, of level 3 and without a role of its own.
raw_root() {
	spt -V "$VM" --json vcpus | tr -d ' \n' >"$WORK/vcpus"
	spt -V "$VM" --json roots | tr -d ' \n' >"$WORK/roots"
	cat "$WORK/vcpus" "$WORK/roots"
	root=$(grep -o '"root_hpa":"[^"]*"' "$WORK/vcpus" | head -n 1 | cut -d'"' -f4)
	tr '{' '\n' <"$WORK/roots" | grep "\"hpa\":\"$root\",\"kind\":\"shadow\",\"level\":3"
	grep -q "\"pae_root\":\"$root\"" "$WORK/vcpus" &&
		spt -V "$VM" tables -rn -o hpa,flags | grep "^0x0*${root#0x} pae-root"
}
case $LAB_MMU in
*shadow) check root-is-pae-root raw_root ;;
esac
check content pages --send "$WORK/pages.sock" 'fill 0x10040000+64K 7' 'verify 0x10040000+64K 7'
change restored 'madvise 0x10040000+64K dontneed' 'touch 0x10040000+64K w'
verify pae --promises

change change-pae 'madvise 0x20000000+2M dontneed' 'madvise 0x20000000+2M nohugepage' \
	'touch 0x20000000+128K w' 'touch 0x78000000+64K w' 'touch 0x68000000+64K r' \
	'touch 0x10180000 x' 'delete-slot 7' 'add-slot 7' 'touch 0x10000000+1M w'
verify changed
check audit-is-silent spt -V "$VM" audit
pages_stop
LAB_PAGES=--pae LAB_WORK=$WORK/walk sh "$(dirname "$0")/walk.sh" || FAILED=1
finish
