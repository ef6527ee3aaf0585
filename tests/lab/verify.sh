# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For the suites that compare spt with L1's physical memory; sourced after lib.sh. What spt says is
# gathered here, in L1; verify.py judges it on the host.

GATHERED=/lab/out/verify	# on the host: $LAB_RUN/l1/out/verify

# The kernel's own tidying of memory between two looks at it is no difference in spt.
settle() {
	for knob in khugepaged/scan_sleep_millisecs khugepaged/alloc_sleep_millisecs; do
		echo 4000000 >/sys/kernel/mm/transparent_hugepage/$knob
	done
	echo 0 >/sys/kernel/mm/ksm/run
}

# change NAME COMMAND...: one result for commands to the guest, all of which must be answered 'ok'.
change() {
	change_name=$1
	shift
	check "$change_name" pages --send "$WORK/pages.sock" "$@"
}

# Every address that has a story: what was touched, and neighbours that were not.
walk_addresses() {
	pages_do touched | sed 's/^ok//'
	# Guest code, untouched memory of both kinds, an untouched part of the hole, no slot at all.
	echo 0x1000 0x10190000 0x20600000 0x70008000 0x7fff0000
}

# gather: all that verify.py judges, of the paused guest.
gather() {
	rm -rf "$GATHERED"
	mkdir -p "$GATHERED"
	pages --send "$WORK/pages.sock" "layout $GATHERED/layout" "pagemap-file $GATHERED/pagemap" ||
		return 1
	pages_do stats >"$GATHERED/stats" || return 1
	spt -V "$VM" --json tree --leftover >"$GATHERED/tree" || return 1
	for part in ranges memslots vcpus roots tables; do
		spt -V "$VM" --json $part >"$GATHERED/$part" || return 1
	done
	# 1 says that something is not mapped: an answer.
	walk_addresses | tr -s ' ' '\n' | sed '/./s/^/walk gpa /' >"$WORK/walks"
	spt -V "$VM" --json -f "$WORK/walks" >"$GATHERED/walks"
	[ $? -le 1 ]
}

# verify NAME [OPTION...]: gather and have it judged; its results are this suite's.
verify() {
	verify_name=$1
	shift
	if ! gather >"$WORK/gather.err" 2>&1; then
		not_ok "$verify_name-gather: $(cat "$WORK/gather.err")"
		return
	fi
	# shellcheck disable=SC2016,SC2034 # LAB_RUN is the host's; FAILED is lib.sh's
	lab-outside sh -c 'dir=$1; shift; exec verify.py "$LAB_RUN/l1/out/$dir" "$@"' verify \
		"${GATHERED##*/}" --mmu "$LAB_MMU" --name "$verify_name" "$@" >"$WORK/verdict" 2>&1 || FAILED=1
	grep -q '^ok ' "$WORK/verdict" || not_ok "$verify_name-judged: $(cat "$WORK/verdict")"
	cat "$WORK/verdict"
}
