#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The control of the debug kernel: each of its checks trips, so that a run in which none did says
# something. A run with this suite must fail, for every line of 'offences' (scripts/test sees to it).
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

commit=/sys/module/offender/parameters/commit

tripped() { # PATTERN
	dmesg | grep -Eq "$1"
}

insmod /lab/modules/offender.ko lab=1 || finish
grep -v '^#' "$(dirname "$0")/offences" >"$WORK/offences"
while IFS='	' read -r offence pattern; do
	if tripped "$pattern"; then
		not_ok "$offence: the log says so before"
		continue
	fi
	echo "$offence" >$commit
	[ "$offence" = leak ] || check "$offence" tripped "$pattern"
done <"$WORK/offences"
check offender-unloads rmmod offender
finish
