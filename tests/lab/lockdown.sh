#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A kernel that is locked down lets nobody act: not who comes, nor who had come before, with the tool
# or without; and the agent can still leave and takes back what was done. The last suite of its boot:
# it cannot be taken back, and nothing can be read by debugfs after it.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/act_control.sh
. "$(dirname "$0")/act_control.sh"

LOCKDOWN=/sys/kernel/security/lockdown

[ -e $LOCKDOWN ] || mount -t securityfs none /sys/kernel/security
arm_agent
pages_start || finish
huge=$(stat_of pages_2m)
done_by track 'track gpa=0x20000000'
pages_do 'touch 0x20000000+8K w' >/dev/null || not_ok touch-tracked
check track-is-4k test "$(stat_of pages_2m)" = $((huge - 1))
pages_do 'touch 0x10002000 w' >/dev/null || not_ok touch
exec 3<>"$DEBUGFS/$VM/control"
allowed() {
	echo 'zap gpa=0x10002000 dry-run=1' >&3 && cat <&3 | grep -q '^result: done'
}
check allowed-before allowed
check lock sh -c "echo integrity >$LOCKDOWN && grep -F '[integrity]' $LOCKDOWN"

mapped=$(stat_of pages_4k)
refused_now() {
	! echo 'zap gpa=0x10002000' >&3
}
check refused-in-an-open-file refused_now
check refused-to-open sh -c "! (exec 4<>$DEBUGFS/$VM/control) 2>/dev/null"
refused refused-by-the-tool 2 'lock(ed)?-?down' spt --unsafe -V "$VM" zap 0x10002000
refused not-even-read 2 'lock(ed)?-?down' spt -V "$VM" roots
check nothing-was-zapped test "$(stat_of pages_4k)" = "$mapped"
exec 3>&-

# The write tracking that is to be undone ends with the agent: the page may be huge again.
check unload rmmod spt_agent
pages_do 'touch 0x20000000+8K w' >/dev/null || not_ok touch-untracked
check tracked-no-more test "$(stat_of pages_2m)" = "$huge"
finish
