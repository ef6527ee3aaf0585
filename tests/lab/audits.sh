# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For the suites that audit a sound VM over and over; sourced after lib.sh.

# audit_often N: as many audits in one process; every one of them must have found nothing. Its
# last line of every audit is kept in $WORK/verdicts.
audit_often() {
	yes audit | head -n "$1" >"$WORK/script"
	spt -V "$VM" -f "$WORK/script" >"$WORK/audits" 2>&1
	echo "exit status $?"
	grep -E '^[0-9]+ violation' "$WORK/audits" >"$WORK/verdicts"
	grep -vE '^0 violations' "$WORK/verdicts" | sort | uniq -c
	# The lines before a verdict that is none are the violations.
	awk '/^[0-9]+ violation/ && !/^0 / { print held; print; shown++ } { held = held "\n" $0 }
		/^[0-9]+ violation/ { held = "" } shown > 2 { exit }' "$WORK/audits" |
		grep -vE ' +0 +[0-9]+ *$| n/a '
	grep '^spt:' "$WORK/audits" | head -5
	[ "$(grep -c '^0 violations' "$WORK/verdicts")" -eq "$1" ]
}

# How much of it was a look at something that moved: load that never shows would prove nothing.
was_seen_moving() {
	grep -c 'under way' "$WORK/verdicts"
	grep -q 'under way' "$WORK/verdicts"
}
