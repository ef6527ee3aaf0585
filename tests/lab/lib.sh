# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For the lab suites, which source it: results, the agent, a 'pages' guest. POSIX
# sh with busybox's tools only, because nothing else exists under Bochs.

DEBUGFS=/sys/kernel/debug/spt
WORK=${LAB_WORK:-/tmp/suite.$$}
mkdir -p "$WORK"
FAILED=0
PAGES_PID=

ok() {
	echo "ok $*"
}

not_ok() {
	FAILED=1
	echo "not ok $*"
}

skip() {
	echo "skip $*"
}

# check NAME COMMAND...: one result for whether the command succeeds; its output is kept in
# $WORK/check.out and shown when it does not.
check() {
	check_name=$1
	shift
	if "$@" >"$WORK/check.out" 2>&1; then
		ok "$check_name"
	else
		not_ok "$check_name: status $? of: $*"
		sed 's/^/    /' "$WORK/check.out" | head -20
	fi
}

# refused NAME STATUS PATTERN COMMAND...: the command must exit with STATUS, print exactly one line
# on stderr, and that line must match PATTERN.
refused() {
	refused_name=$1 refused_status=$2 refused_pattern=$3
	shift 3
	"$@" >"$WORK/refused.out" 2>"$WORK/refused.err" </dev/null
	status=$?
	lines=$(wc -l <"$WORK/refused.err")
	if [ $status -ne "$refused_status" ]; then
		not_ok "$refused_name: exit status $status, not $refused_status: $(cat "$WORK/refused.err")"
	elif [ "$lines" -ne 1 ]; then
		not_ok "$refused_name: $lines lines on stderr, not one: $(cat "$WORK/refused.err")"
	elif ! grep -Eqi "$refused_pattern" "$WORK/refused.err"; then
		not_ok "$refused_name: says '$(cat "$WORK/refused.err")', expected /$refused_pattern/"
	else
		ok "$refused_name"
	fi
}

# records PID: spt has begun to record. A new trace instance is on until spt turns it off, enables
# its events and turns it on again.
records() {
	trace=/sys/kernel/tracing/instances/spt-$1
	enabled=$(cat "$trace/events/enable" 2>/dev/null) && [ "$enabled" != 0 ] &&
		[ "$(cat "$trace/tracing_on" 2>/dev/null)" = 1 ]
}

# Wait until a command succeeds; false after about 30 s of trying.
eventually() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 900 ] || return 1
		sleep 0.1
	done
}

# pages_start OPTION...: a 'pages' guest in the background; its VM id is left in $VM.
pages_start() {
	rm -f "$WORK/pages.sock" "$WORK/pages.out"
	pages --socket "$WORK/pages.sock" "$@" >"$WORK/pages.out" 2>&1 </dev/null &
	PAGES_PID=$!
	if ! eventually grep -q '^READY' "$WORK/pages.out"; then
		not_ok "pages-ready: $(cat "$WORK/pages.out")"
		return 1
	fi
	# shellcheck disable=SC2034 # for the suites
	VM=$(cd "$DEBUGFS" && ls -d "$PAGES_PID"-* 2>/dev/null)
}

# One command to the guest; prints its answer, fails when that is not 'ok'.
pages_do() {
	answer=$(pages --send "$WORK/pages.sock" "$@")
	echo "$answer"
	case $answer in
	ok*) return 0 ;;
	esac
	return 1
}

# pages_stop [SIGNAL]: end the guest (by 'quit' without a signal) and reap it.
pages_stop() {
	[ -n "$PAGES_PID" ] || return 0
	if [ -n "${1-}" ]; then
		kill -s "$1" "$PAGES_PID"
	else
		pages_do quit >/dev/null
	fi
	wait "$PAGES_PID" 2>/dev/null
	PAGES_PID=
}

finish() {
	pages_stop KILL 2>/dev/null
	rm -rf "$WORK"
	exit $FAILED
}
