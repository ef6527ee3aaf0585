# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For the suites that act on guests; sourced after lib.sh.

# Load the agent anew, armed.
arm() {
	if [ -d /sys/module/spt_agent ]; then
		spt agent unload >/dev/null || return 1
	fi
	spt agent load --armed >"$WORK/armed" 2>&1 && grep -q '^armed: yes' "$DEBUGFS/status"
}

# spt_act ARGUMENT...: an action on $VM; its JSON is in $WORK/act, in one line in $WORK/act.flat.
spt_act() {
	spt --unsafe -V "$VM" --json "$@" >"$WORK/act" 2>"$WORK/act.err" </dev/null
	act_status=$?
	tr -d '\n' <"$WORK/act" >"$WORK/act.flat"
	cat "$WORK/act" "$WORK/act.err"
	return $act_status
}

# acts NAME ARGUMENT...: it must be done.
acts() {
	acts_name=$1
	shift
	if spt_act "$@" >"$WORK/act.out"; then
		ok "$acts_name"
	else
		not_ok "$acts_name: status $act_status of: $*: $(cat "$WORK/act.err")"
		head -c 2000 "$WORK/act" | sed 's/^/    /'
	fi
}

# declined NAME REASON ARGUMENT...: exit status 1, the result not 'done', and this reason in the
# JSON and, in one line, on stderr.
declined() {
	declined_name=$1 reason=$2
	shift 2
	spt_act "$@" >"$WORK/act.out"
	if [ $act_status -ne 1 ]; then
		not_ok "$declined_name: exit status $act_status, not 1, of: $*: $(cat "$WORK/act.err")"
	elif ! grep -Eq "\"reason\":\\{\"code\":\"($reason)\"" "$WORK/act.flat"; then
		not_ok "$declined_name: not $reason: $(cat "$WORK/act.err")"
	elif [ "$(wc -l <"$WORK/act.err")" -ne 1 ]; then
		not_ok "$declined_name: not one line on stderr: $(cat "$WORK/act.err")"
	else
		ok "$declined_name"
	fi
}

# has NAME PATTERN: the last answer.
has() {
	if grep -Eq "$2" "$WORK/act.flat"; then
		ok "$1"
	else
		not_ok "$1: not /$2/ in: $(head -c 1500 "$WORK/act.flat")"
	fi
}

# act_number KEY: the first number of this name in the last answer.
act_number() {
	sed -n "s/^[^#]*\"$1\":\"\\{0,1\\}\\([0-9a-fx]*\\).*/\\1/p" "$WORK/act.flat"
}

# guest COMMAND...: to the pages guest; a failure is a result.
guest() {
	pages_do "$@" >"$WORK/answer" || not_ok "guest $*: $(cat "$WORK/answer")"
}

# stat_of NAME: KVM's own counter of the pages guest.
stat_of() {
	pages --send "$WORK/pages.sock" 'stats all' | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# leaf_of GPA: 'LEVEL SPTE PERM' of the leaf that maps it in the first root, or nothing. Shadow
# tables are looked through where the pages guest has the page.
leaf_of() {
	case $LAB_MMU in
	*shadow) set -- $(($1 + 0x100000000000)) ;;
	esac
	spt -V "$VM" --json tree "$1" 2>/dev/null | tr -d ' \n' | tr '{' '\n' |
		sed -n 's/.*"level":\([0-9]\).*"spte":"\([0-9a-fx]*\)".*"type":"leaf".*"perm":"\([rwxX-]*\)".*/\1 \2 \3/p' |
		head -n 1
}

poisoned() {
	grep -i '^HardwareCorrupted' /proc/meminfo
}
poisoned_before=$(poisoned)	# by another suite of this boot

# No isolated pages, no newly poisoned ones: what a migration that goes wrong leaves behind.
pages_at_home() {
	grep -E '^nr_isolated_(anon|file) ' /proc/vmstat
	poisoned
	! grep -E '^nr_isolated_(anon|file) ' /proc/vmstat | grep -qv ' 0$' &&
		[ "$(poisoned)" = "$poisoned_before" ]
}

# nothing_open: no undo record waits.
nothing_open() {
	cat "$DEBUGFS/journal"
	! grep -q 'undo=open' "$DEBUGFS/journal"
}
