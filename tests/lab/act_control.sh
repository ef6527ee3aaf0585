# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For the suites that act on a guest through its 'control', without the tool: sourced after lib.sh.

# The agent armed: anew, unless it is and has nothing to take back. Loading takes Bochs half a minute.
arm_agent() {
	if grep -q '^armed: yes' "$DEBUGFS/status" 2>/dev/null &&
		! grep -q 'undo=open' "$DEBUGFS/journal"; then
		return 0
	fi
	if [ ! -d /sys/module/spt_agent ] || spt agent unload >"$WORK/arm" 2>&1; then
		spt agent load --armed >>"$WORK/arm" 2>&1 && return 0
	fi
	not_ok "agent-armed: $(cat "$WORK/arm")"
	finish
}

# control 'LINE': what is answered is left in $WORK/control; true when the result is 'done'.
control() {
	: >"$WORK/control"
	(
		exec 7<>"$DEBUGFS/$VM/control"
		echo "$1" >&7
		cat <&7
	) >"$WORK/control" 2>&1
	[ "$(tail -n 1 "$WORK/control")" = 'result: done' ]
}

# The value of a line of the last answer; of its last one if there are several.
value() { # NAME [FILE]
	sed -n "s/^$1: //p" "${2:-$WORK/control}" | tail -n 1
}

# A word KEY=VALUE of the last 'entry' line, or of another line of the answer.
word() { # KEY [NAME] [FILE]
	value "${2:-entry}" "${3-}" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# done_by NAME 'LINE' / turned_down NAME RESULT REASON 'LINE': one result each.
done_by() {
	if control "$2"; then
		ok "$1"
	else
		not_ok "$1: $2: $(tail -n 2 "$WORK/control" | tr '\n' ' ')"
	fi
}

turned_down() {
	control "$4"
	if [ "$(value result)" = "$2" ] && value reason | grep -q "^$3:"; then
		ok "$1"
	else
		not_ok "$1: $4: $(tail -n 2 "$WORK/control" | tr '\n' ' ')"
	fi
}

# listen 'LINE': begins in the background, goes to $WORK/heard; back when it is armed.
listen() {
	: >"$WORK/heard"
	(
		exec 7<>"$DEBUGFS/$VM/control"
		echo "$1" >&7
		exec cat <&7
	) >"$WORK/heard" 2>&1 &
	LISTENER=$!
	eventually grep -Eq '^(armed: 1|result: )' "$WORK/heard" && grep -q '^armed: 1' "$WORK/heard" &&
		return 0
	not_ok "listen: $1: $(tail -n 2 "$WORK/heard" | tr '\n' ' ')"
	return 1
}

# Until it has ended by itself; true when the result is 'done'.
heard() {
	wait "$LISTENER"
	[ "$(value result "$WORK/heard")" = 'done' ]
}

hits() {
	grep -c '^hit: ' "$WORK/heard"
}

# One of KVM's counters, or of the kernel's.
stat_of() { # NAME
	pages_do stats | tr ' ' '\n' | sed -n "s/^$1=//p"
}
vmstat_of() { # NAME
	sed -n "s/^$1 //p" /proc/vmstat
}

journal_of() { # ID
	grep "^id=$1 " "$DEBUGFS/journal"
}

# What keeps pages small or tracked: all of the slots but the generation, which every change of a
# slot moves. keep_slots remembers it, same_slots is true when it is that again.
# Where the guest's own tables are shadowed, what is counted for those comes and goes.
slots() {
	case $LAB_MMU in
	*shadow) tables=0 ;;
	*) tables=none ;;
	esac
	awk -v tables=id=$tables '$1 == "slot" { keep = $3 != tables } keep' "$DEBUGFS/$VM/memslots" |
		sed 's/ generation=[^ ]*//'
}
keep_slots() {
	slots >"$WORK/slots"
}
same_slots() {
	slots | cmp -s - "$WORK/slots"
}
