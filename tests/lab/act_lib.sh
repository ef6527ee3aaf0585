# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For the suites that act on a guest through its 'control'; sourced after lib.sh.

# The agent anew, armed; what it is given goes to the module.
load_armed() {
	[ ! -d /sys/module/spt_agent ] || spt agent unload || return 1
	insmod "$LAB_AGENT" armed=1 "$@" && spt agent load
}

# The file's descriptor is 3: what listens ends with it.
control_open() {
	exec 3<>"$DEBUGFS/$VM/control"
}

control_close() {
	exec 3>&-
}

# act LINE: false when there is nothing to read; what was said is in $WORK/act.out.
act() {
	printf '%s\n' "$*" >&3 || return 1
	cat <&3 >"$WORK/act.out" || return 1
	echo "--- $*"
	cat "$WORK/act.out"
	tail -n 1 "$WORK/act.out" | grep -q '^result: '
}

# value NAME: of the last line with that name.
value() {
	sed -n "s/^$1: //p" "$WORK/act.out" | tail -n 1
}

# field NAME KEY: the word KEY=… in the last line with that name.
field() {
	value "$1" | tr ' ' '\n' | sed -n "s/^$2=//p"
}

# done_by LINE: done, with the effect.
done_by() {
	act "$@" && [ "$(value result)" = "done" ]
}

# says RESULT REASON LINE: that result for that reason.
says() {
	says_result=$1 says_reason=$2
	shift 2
	act "$@" && [ "$(value result)" = "$says_result" ] &&
		[ "$(value reason | cut -d: -f1)" = "$says_reason" ]
}

# counter NAME: of this VM, in KVM's own debugfs.
counter() {
	cat "/sys/kernel/debug/kvm/$VM/$1"
}
