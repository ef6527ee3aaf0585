#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Shadow paging: gfn, role, place and translations of the shadow pages follow from the guest's own
# page tables. verify.py adds that comparison in these modes; here the guest's tables are used in
# every way that makes another kind of shadow page.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"

settle
pages_start || finish
check mode-is-shadow sh -c "spt -V '$VM' --json vms | tr -d ' \n' | grep -q '\"mmu\":\"shadow\"'"
verify shadow --promises

# 2M guest pages over 4K host pages (direct shadow pages) and 4K over 2M.
change change-direct 'madvise 0x20000000+2M dontneed' 'madvise 0x20000000+2M nohugepage' \
	'touch 0x20000000+128K w' 'touch 0x78000000+64K w' 'touch 0x68000000+64K r' \
	'touch 0x60100000+64K w'
verify direct

# The walk by GPA finds the shadow entries through their recorded translations.
translated() {
	spt -V "$VM" --json walk gpa 0x10003000 >"$WORK/json" || return 1
	cat "$WORK/json"
	tr -d ' \n' <"$WORK/json" | grep -q '"verdict":"coherent"' &&
		tr -d ' \n' <"$WORK/json" | grep -q '"gpa":"0x0*100010003000"'
}
check walk-by-translation translated
pages_stop

# Read in two pieces, between which most tables go and come again: KVM makes the new ones of what the
# old ones were. That the page read last is another one now, at another place, is noticed.
pages_start --sparse-gib 1 || finish
comes_again() {
	set --
	for n in $(seq 0 511); do
		set -- "$@" "touch $((0x100007000 + n * 0x200000)) w"
	done
	pages_do 'mmu-pages 64' 'mmu-pages 100000' "$@" | grep -v '^ok$'
	[ "$(spt -V "$VM" tables -rn -o hpa | wc -l)" -ge 512 ]
}
two_pieces() {
	exec 7<"$DEBUGFS/$VM/tables"
	dd bs=4096 count=1 <&7 >"$WORK/first" 2>/dev/null
	comes_again
	came=$?
	cat <&7 >"$WORK/rest"
	exec 7<&-
	grep -c '^shadow' "$WORK/first" "$WORK/rest"
	grep '^#' "$WORK/rest"
	[ "$came" -eq 0 ] && grep -q '^# list-changed' "$WORK/rest"
}
check tables-that-come-again two_pieces
finish
