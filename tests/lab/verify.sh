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

# gather_guest: of the paused guest what it knows itself: its layout, the VMM's pages, KVM's counters.
gather_guest() {
	rm -rf "$GATHERED"
	mkdir -p "$GATHERED"
	pages --send "$WORK/pages.sock" "layout $GATHERED/layout" "pagemap-file $GATHERED/pagemap" ||
		return 1
	pages_do stats >"$GATHERED/stats"
}

# gather_walks: 'walk gpa' of each address on stdin.
gather_walks() {
	tr -s ' ' '\n' | sed '/./s/^/walk gpa /' >"$WORK/walks"
	spt -V "$VM" --json -f "$WORK/walks" >"$GATHERED/walks"
	# 1 says that something is not mapped: an answer.
	[ $? -le 1 ]
}

# gather: all that verify.py judges.
gather() {
	gather_guest || return 1
	spt -V "$VM" --json tree --leftover >"$GATHERED/tree" || return 1
	for part in ranges memslots vcpus roots tables; do
		spt -V "$VM" --json $part >"$GATHERED/$part" || return 1
	done
	walk_addresses | gather_walks
}

# have_judged NAME GATHER PROGRAM [OPTION...]: what GATHER gathers PROGRAM judges on the host; its results
# are this suite's.
have_judged() {
	judge_name=$1 gather=$2 program=$3
	shift 3
	if ! $gather >"$WORK/gather.err" 2>&1; then
		not_ok "$judge_name-gather: $(cat "$WORK/gather.err")"
		return
	fi
	# shellcheck disable=SC2016,SC2034 # LAB_RUN is the host's; FAILED is lib.sh's
	lab-outside sh -c 'program=$1 dir=$2; shift 2; exec "$program" "$LAB_RUN/l1/out/$dir" "$@"' \
		judge "$program" "${GATHERED##*/}" --name "$judge_name" "$@" >"$WORK/verdict" 2>&1 ||
		FAILED=1
	grep -q '^ok ' "$WORK/verdict" || not_ok "$judge_name-judged: $(cat "$WORK/verdict")"
	cat "$WORK/verdict"
}

# verify NAME [OPTION...]: gather and have it judged.
verify() {
	verify_name=$1
	shift
	have_judged "$verify_name" gather verify.py --mmu "$LAB_MMU" "$@"
}
