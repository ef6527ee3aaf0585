#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Whoever is killed in the middle of an action, the VMM, the tool or a vCPU's thread: nothing hangs,
# nothing leaks, no record stays. KILL_KINDS: which of the actions, for who looks into one.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/acts.sh
. "$(dirname "$0")/acts.sh"

check arm arm
used() {
	lsmod | awk -v m="$1" '$1 == m { print $3 }'
}
vendor_before=$(used "$LAB_VENDOR")

# Each action over and over, as fast as the agent takes it.
lines='fault:fault 0x10000000 w --count 200
zap:zap 0x10000000+64K
remap:remap 0x10001000 --count 200
split:split 0x20000000
collapse:collapse 0x20000000
protect:protect 0x10002000 r
track:protect 0x10003000 --write-track
listen:protect 0x10003000 --write-track --listen --timeout 20
trap:trap 0x10004000 --count 100 --timeout 20
age:age 0+1G
dirty:dirty 0x10000000+4M
storm:storm all --rate 500 --seconds 20 --audit-every 0'

# again LINE: in the background, in one shell with its own unsafe; its pid is in $actor.
again() {
	yes "$1" | head -n 3000 >"$WORK/lines"
	spt --unsafe -V "$VM" -f "$WORK/lines" >"$WORK/actor" 2>&1 </dev/null &
	actor=$!
	eventually grep -q . "$WORK/actor"
}

vm_gone() {
	test ! -e "$DEBUGFS/$VM"
}

ended() {
	! kill -0 "$1" 2>/dev/null
}

echo "$lines" | grep -E "^(${KILL_KINDS:-.*}):" >"$WORK/kinds"
while IFS=: read -r kind line; do
	# The tool. Whatever it had begun is over when its file is closed, and the guest goes on.
	pages_start --irqchip || break
	guest 'touch 0x10000000+64K w' 'touch 0x20000000+2M w' 'fill 0x10000000+64K 5'
	guest 'run 0x10000000+64K w'
	again "$line"
	kill -9 $actor
	wait $actor 2>/dev/null
	spt --unsafe -V "$VM" undo all >/dev/null 2>&1
	guest pause 'verify 0x10000000+64K 5'
	check "tool-killed-$kind" nothing_open
	check "tool-killed-$kind-sound" spt -V "$VM" audit

	# The vCPU's thread.
	guest 'run 0x10000000+64K w'
	again "$line"
	guest end-thread
	kill -15 $actor
	check "thread-ended-$kind" eventually ended $actor
	wait $actor 2>/dev/null

	# The VMM.
	pages_stop KILL
	check "after-thread-$kind" eventually vm_gone
	pages_start --irqchip || break
	guest 'touch 0x20000000+2M w' 'run 0x10000000+64K w'
	again "$line"
	pages_stop KILL
	check "vmm-killed-$kind" eventually ended $actor
	wait $actor 2>/dev/null
	check "vmm-killed-$kind-gone" eventually vm_gone
	check "vmm-killed-$kind-nothing-open" nothing_open
done <"$WORK/kinds"

same_use() {
	[ "$(used "$LAB_VENDOR")" = "$vendor_before" ]
}
check nothing-held eventually same_use
check pages-at-home pages_at_home
check unload spt agent unload
check load spt agent load
finish
