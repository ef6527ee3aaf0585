#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Two vCPUs that use both halves of their memory while pages change sides, are punched and mapped in
# advance, a slot goes and comes, and callbacks fail: the audits find nothing, and afterwards all is
# as it should be. AUDITS: how many.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/verify_tdx.sh
. "$(dirname "$0")/verify_tdx.sh"
# shellcheck source=tests/lab/audits.sh
. "$(dirname "$0")/audits.sh"

audits=${AUDITS:-60}

settle
pages_start --tdx --vcpus "$LAB_SMP" || finish
change churn 'churn on'
echo 'busy 50' >"$SOFTTDX/$VM/inject"
echo 'error 50' >"$SOFTTDX/$VM/inject"
check "silent-under-load-$audits" audit_often "$audits"
check saw-changes-under-way was_seen_moving
was_busy() {
	pages_do 'churn off' >"$WORK/report" || return 1
	cat "$WORK/report"
	for kind in faults0 converts punches discards prefaults slots; do
		grep -Eq " $kind=[0-9]{2,}" "$WORK/report" || return 1
	done
}
check guest-was-busy was_busy
check callbacks-failed [ "$(recorded busy_injected) $(recorded errors_injected)" = '50 50' ]
change touch-again 'touch 0x10000000+4M w' 'touch 0x20000000+2M w' 'touch 0x8020200000+2M w' \
	'touch 0x8030000000+4M w' 'touch 0x40000000+512K w' 'touch 0x8040080000+512K w'
verify_tdx settled

# Killed in the middle of it.
change churn-again 'churn on'
check silent-again audit_often 3
pages_stop KILL
gone() {
	[ "$(total vms_destroyed)" = "$(total vms_converted)" ] && [ "$(total pages)" = 0 ]
}
check killed eventually gone
taken_down() {
	cat "$SOFTTDX/totals"
	[ "$(total tables_linked)" = "$(total tables_freed)" ] &&
		[ "$(total leaves_set)" = "$(total leaves_cleared)" ] && [ "$(total lost)" = 0 ]
}
check taken-down taken_down
finish
