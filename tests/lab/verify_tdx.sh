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
	rm -rf "$GATHERED"
	mkdir -p "$GATHERED"
	pages --send "$WORK/pages.sock" "layout $GATHERED/layout" "pagemap-file $GATHERED/pagemap" ||
		return 1
	pages_do stats >"$GATHERED/stats" || return 1
	for part in record entries; do
		cat "$SOFTTDX/$VM/$part" >"$GATHERED/$part" || return 1
	done
	for part in tree vcpus roots; do
		spt -V "$VM" --json $part >"$GATHERED/$part" || return 1
	done
	# 1 says that something is not mapped: an answer.
	for gpa in $tdx_pages; do
		echo "walk gpa 0x$gpa"
		echo "walk gpa 0x80$gpa"
	done >"$WORK/walks"
	spt -V "$VM" --json -f "$WORK/walks" >"$GATHERED/walks"
	[ $? -le 1 ]
}

# verify_tdx NAME [OPTION...]: gather and have it judged; its results are this suite's.
verify_tdx() {
	verify_name=$1
	shift
	if ! gather_tdx >"$WORK/gather.err" 2>&1; then
		not_ok "$verify_name-gather: $(cat "$WORK/gather.err")"
		return
	fi
	# shellcheck disable=SC2016,SC2034 # LAB_RUN is the host's; FAILED is lib.sh's
	lab-outside sh -c 'dir=$1; shift; exec tdx.py "$LAB_RUN/l1/out/$dir" "$@"' tdx \
		"${GATHERED##*/}" --name "$verify_name" "$@" >"$WORK/verdict" 2>&1 || FAILED=1
	grep -q '^ok ' "$WORK/verdict" || not_ok "$verify_name-judged: $(cat "$WORK/verdict")"
	cat "$WORK/verdict"
	check "$verify_name-audit" spt -V "$VM" audit
}

# recorded NAME: what softtdx counted of this VM; total NAME: of those that are gone.
recorded() {
	awk -v name="$1:" '$1 == name { print $2 }' "$SOFTTDX/$VM/record"
}

total() {
	awk -v name="$1:" '$1 == name { print $2 }' "$SOFTTDX/totals"
}
