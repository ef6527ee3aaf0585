#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The shell and the live view on a live guest, over a serial line of L1: a program of the host types
# at its other end, and compares whole screens. What is typed is in serial.shell and serial.view,
# the screens are in serial.screens; with SCREENS_UPDATE=1 they are written anew, into the copy of
# this directory that /share is. QEMU only.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/acts.sh
. "$(dirname "$0")/acts.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"

line=/dev/ttyS1

# on_line COMMAND...: on the line, as whoever logs in there; what it ended with is its last word.
# shellcheck disable=SC2317 # the host tells us to
on_line() {
	stty -F "$line" sane rows 24 cols 80 erase '^H'
	# shellcheck disable=SC2016 # expanded there
	setsid -c sh -c '"$@"; echo "status $?"' on_line "$@" <>"$line" >&0 2>&0 &
	on_line=$!
}

# Nobody is on the line, even where a session came to no end.
hang_up() {
	[ -z "${on_line-}" ] || kill -KILL -"$on_line" 2>/dev/null
	on_line=
}

# size ROWS COLUMNS: a serial line does not say what size the terminal has; its user does.
# shellcheck disable=SC2317
size() {
	stty -F "$line" rows "$1" cols "$2"
}

# Does what serial.tell is told on the host.
attend() {
	trap 'hang_up; exit' TERM
	while :; do
		if [ -e /lab/out/tell ]; then
			mv /lab/out/tell "$WORK/tell"
			# shellcheck source=/dev/null
			. "$WORK/tell" >"$WORK/tell.out" 2>&1
			echo $? >/lab/out/told.new && mv /lab/out/told.new /lab/out/told
		fi
		sleep 0.1
	done
}

# session NAME: what serial.NAME types, and what it must see.
session() {
	# shellcheck disable=SC2016 # expanded on the host
	check "$1" lab-outside sh -c 'exec screen ${2:+--update} --size 80x24 serial.screens serial.$1 \
		"LINE=$PWD/serial.line $LAB_LINE" "TELL=$PWD/serial.tell" "LAB_RUN=$LAB_RUN"' \
		session "$1" "${SCREENS_UPDATE-}"
}

guests() {
	killall -KILL pages 2>/dev/null
	eventually sh -c "! ls -d $DEBUGFS/*-*"
	# Names of VMs are of four digits, whatever ran before.
	echo 5000 >/proc/sys/kernel/ns_last_pid
	pages_start || finish
}

check arm arm
settle
guests
attend &
attending=$!
session shell
kill $attending
wait $attending
guests
attend &
attending=$!
session view
kill $attending
wait $attending
finish
