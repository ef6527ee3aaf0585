#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# EPT without accessed and dirty bits: to see whether the guest uses a page, KVM takes its permissions
# away and keeps them in the SPTE. Such an entry still maps its page, and says what it will allow.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/audits.sh
. "$(dirname "$0")/audits.sh"

damon=/sys/kernel/mm/damon/admin/kdamonds

reload() { # PARAMETER...
	spt agent unload && rmmod kvm_intel && modprobe kvm_intel "$@" && spt agent load
}

# The host looks which pages of the VMM are in use, and asks KVM for those of the guest.
look_at_use() {
	echo 1 >"$damon/nr_kdamonds" &&
		echo 1 >"$damon/0/contexts/nr_contexts" &&
		echo vaddr >"$damon/0/contexts/0/operations" &&
		echo 1 >"$damon/0/contexts/0/targets/nr_targets" &&
		echo "$PAGES_PID" >"$damon/0/contexts/0/targets/0/pid_target" &&
		echo on >"$damon/0/state"
}

tracked() {
	spt -V "$VM" --json tree --leaves | tr -d ' \n' | sed 's/{"level"/\n&/g' | grep '"acc-track"' \
		>"$WORK/tracked"
	[ -s "$WORK/tracked" ]
}

# Each of them against the VMM's own page tables, and what the guest was given before.
tracked_agree() {
	pages_do "pagemap-file $WORK/pagemap" >/dev/null || return 1
	sed 's/.*"gpa":"\([^"]*\)".*"hpa":"\([^"]*\)".*/\1 \2/' "$WORK/tracked" | sort >"$WORK/ours"
	echo "$(wc -l <"$WORK/ours") tracked"
	sort "$WORK/pagemap" | comm -23 "$WORK/ours" - >"$WORK/wrong"
	cat "$WORK/wrong"
	[ ! -s "$WORK/wrong" ] && ! grep -v '"type":"leaf"' "$WORK/tracked"
}

settle
check no-ad-bits reload eptad=0
pages_start || finish
role() {
	spt -V "$VM" --json roots | tr -d ' \n' | grep -q '"ad_disabled":1'
}
check role-says-so role
check no-entry-is-tracked sh -c "! spt -V '$VM' --json tree --leaves | grep -q acc-track"
check host-looks look_at_use
check entries-are-tracked eventually tracked
echo off >"$damon/0/state"
check tracked tracked
check tracked-entries-map-their-pages tracked_agree
said_why() {
	gpa=$(sed -n '1s/.*"gpa":"\([^"]*\)".*/\1/p' "$WORK/tracked")
	spt -V "$VM" --json why "$gpa" >"$WORK/why" || return 1
	cat "$WORK/why"
	tr -d ' \n' <"$WORK/why" | grep -q '"name":"access-tracked"'
}
check why-says-so said_why
check audit-is-silent audit_often 3
# An access gives the permissions back.
used() {
	pages_do 'touch 0x10000000+1M w' >/dev/null
	tracked
	! grep -E '"gpa":"0x0*100[0-9a-f]{5}"' "$WORK/tracked"
}
check an-access-ends-it used
pages_stop
check ad-bits-again reload eptad=1
finish
