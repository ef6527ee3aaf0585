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
done_by track 'track gpa=0x10001000'
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

# The write tracking that is to be undone ends with the agent: no more than one write faults.
faults_of() {
	before=$(stat_of_all pf_taken)
	pages_do "$1" >/dev/null || return 1
	echo $(($(stat_of_all pf_taken) - before))
}
stat_of_all() {
	pages_do 'stats all' | tr ' ' '\n' | sed -n "s/^$1=//p"
}
check tracked-until-then test "$(faults_of 'write 0x10001000 1')" -ge 1
check tracked-still test "$(faults_of 'write 0x10001000 2')" -ge 1
check unload rmmod spt_agent
faults_of 'write 0x10001000 3' >/dev/null
check tracked-no-more test "$(faults_of 'write 0x10001000 4')" = 0
finish
