#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The audit finds nothing wrong with a Linux guest at work: processes that come and go, files; and
# with one that has a guest of its own, whose page tables KVM shadows. AUDITS: how many of each.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/audits.sh
. "$(dirname "$0")/audits.sh"

audits=${AUDITS:-200}
VM=$(spt --json vms | tr -d ' \n' | sed 's/.*"vms":\[{"id":"\([^"]*\)".*/\1/')

check work lab-guest '(while [ ! -e /tmp/enough ]; do
	ls -lR /bin /proc/self >/tmp/list; grep -c x /tmp/list; sh -c "sh -c true"
	dd if=/dev/zero of=/tmp/file bs=64k count=64; rm /tmp/file
	done >/dev/null 2>&1 &)'
check "silent-at-work-$audits" audit_often "$audits"
check work-ends lab-guest 'touch /tmp/enough'

case $LAB_MMU in
npt)
	# shellcheck disable=SC2016 # expanded in the guest
	check inner-kvm lab-guest 'for m in $(cat /lib/load); do insmod $m; done; test -c /dev/kvm'
	check inner-guest lab-guest 'pages --background --socket /tmp/pages.sock --churn forever'
	check "silent-with-nested-guest-$audits" audit_often "$audits"
	shadow_was_judged() {
		grep -E '^(rmap-leaf|shadow-access|shadow-tracked) +[1-9]' "$WORK/audits" | tail -3
		[ "$(grep -cE '^(rmap-leaf|shadow-access|shadow-tracked) +[1-9]' "$WORK/audits")" -ge 30 ]
	}
	check shadow-rules-were-judged shadow_was_judged
	check inner-guest-ends lab-guest 'pages --send /tmp/pages.sock "churn off" quit'
	;;
esac
check silent-afterwards audit_often 3
finish
