#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# VMs with private memory come and go: no warning, and no page of memory is missing afterwards. VMS:
# how many.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/verify_tdx.sh
. "$(dirname "$0")/verify_tdx.sh"

vms=${VMS:-50}
# Of all tables that a VM has, eight and more, one would show.
least=$vms

gone() {
	[ "$(total vms_destroyed)" = "$(total vms_converted)" ]
}

# one [WHAT]: a VM with both halves in use, and its end; what goes wrong at its end.
one() {
	pages_start --tdx || return 1
	[ $# -eq 0 ] || echo "$1" >"$SOFTTDX/$VM/inject"
	pages_do 'convert 0x10000000+16K shared' 'touch 0x8010000000+16K w' 'punch 0x10010000+16K' \
		'prefault 0x10280000+64K' >"$WORK/one" || return 1
	if [ $(($(total vms_converted) % 2)) -eq 0 ]; then
		pages_stop
	else
		pages_stop KILL
	fi
	eventually gone
}

many() { # COUNT [WHAT]
	count=$1
	shift
	while [ "$count" -gt 0 ]; do
		one "$@" || return 1
		count=$((count - 1))
	done
}

# Free pages: those of the zones and those that each CPU keeps for itself; in nr_free_pages alone
# some hundred come and go.
free_pages() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '$1 == "nr_free_pages" || $1 == "count:" { sum += $2 } END { print sum }' /proc/zoneinfo
}

# lost COUNT [WHAT]: pages that are missing after as many VMs. Slabs grow at first: the smallest of
# some attempts is what the VMs took.
lost() {
	before=$(free_pages)
	many "$@" || return 1
	echo $((before - $(free_pages)))
}

settle
check warm-up many 5
tainted=$(cat /proc/sys/kernel/tainted)
lost "$vms" >"$WORK/lost"
echo "# $(cat "$WORK/lost") pages missing after $vms VMs"
check "no-page-missing-after-$vms" [ "$(cat "$WORK/lost")" -lt "$least" ]
check no-warning [ "$(cat /proc/sys/kernel/tainted)" = "$tainted" ]
no_pages() {
	[ "$(total pages)" = 0 ] && [ "$(total tables_linked)" = "$(total tables_freed)" ] &&
		[ "$(total leaves_set)" = "$(total leaves_cleared)" ]
}
check all-taken-down no_pages

# That missing pages would be seen: each of some VMs loses its tables.
before=$(free_pages)
kept=$(total tables_freed)
check some-that-lose many $((vms / 2)) 'keep 1000'
kept=$(($(total tables_freed) - kept)) missing=$((before - $(free_pages)))
echo "# $missing pages missing, $kept tables kept"
check many-tables [ $kept -ge $((2 * least)) ]
check as-many-are-missing [ "$missing" -ge "$least" ]
finish
