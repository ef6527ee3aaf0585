#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The live view on a live guest: what it shows is what the guest has, changes are seen as they
# happen, an action does what it says, a guest that is killed is told of, and who only looks costs
# next to nothing. The keys are in tui.keys and tui.idle; what sends them is tests/screen of the
# build, in the host's root: QEMU only.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/acts.sh
. "$(dirname "$0")/acts.sh"
here=$(dirname "$0")
spt=$(readlink -f "$(command -v spt)")
screen=${spt%/cli/spt}/tests/screen/screen
# Ticks of the processor's time, in 10 s, that an emulated one may be busy with a view that nobody
# touches, of a guest that stands still: a kilobyte is read twice a second, what is seen every 2 s.
IDLE_TICKS=30

session() {
	check "$1" "$screen" "$WORK/screens" "$here/tui.$1" "SPT=$spt" "VM=$VM" "WORK=$WORK" \
		"PAGES=$(command -v pages)" "PAGES_PID=$PAGES_PID"
}

check arm arm
pages_start || finish
session idle
if [ -s "$WORK/after" ]; then
	ticks=$(($(cat "$WORK/after") - $(cat "$WORK/before")))
	check "idle-cost: $ticks ticks in 10 s" test $ticks -le $IDLE_TICKS
else
	not_ok "idle-cost: the session did not come so far"
fi
session keys
PAGES_PID=
finish
