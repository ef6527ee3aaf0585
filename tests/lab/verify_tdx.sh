# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For the suites of a VM with private memory, in mode tdx; sourced after lib.sh and verify.sh. What
# spt and softtdx say is gathered here, in L1; tdx.py judges it on the host.

SOFTTDX=/sys/kernel/debug/softtdx

# A page of each part of the layout, 8 digits; the tests change what they are.
tdx_pages='00001000 00002000 10000000 10003000 10004000 10010000 10100000 10280000 20000000 20200000
	20201000 30000000 30201000 40000000 40007000 40080000'

# gather_tdx: all that tdx.py judges, of the paused guest.
gather_tdx() {
	gather_guest || return 1
	for part in record entries; do
		cat "$SOFTTDX/$VM/$part" >"$GATHERED/$part" || return 1
	done
	for part in tree vcpus roots; do
		spt -V "$VM" --json $part >"$GATHERED/$part" || return 1
	done
	for gpa in $tdx_pages; do
		echo "0x$gpa 0x80$gpa"
	done | gather_walks
}

# verify_tdx NAME [OPTION...]: gather and have it judged.
verify_tdx() {
	verify_name=$1
	shift
	have_judged "$verify_name" gather_tdx tdx.py "$@"
	check "$verify_name-audit" spt -V "$VM" audit
}

# recorded NAME: what softtdx counted of this VM; total NAME: of those that are gone.
recorded() {
	awk -v name="$1:" '$1 == name { print $2 }' "$SOFTTDX/$VM/record"
}

total() {
	awk -v name="$1:" '$1 == name { print $2 }' "$SOFTTDX/totals"
}
