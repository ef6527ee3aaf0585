#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Where the processor itself writes, tracking must end before KVM gives up: a Linux guest whose
# interrupts are pushed on a page that is tracked goes on.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/acts.sh
. "$(dirname "$0")/acts.sh"
# shellcheck source=tests/lab/checksums.sh
. "$(dirname "$0")/checksums.sh"

ENTRY_STACK=0xfffffe0000002ff8	# of Linux's first CPU: what interrupts user mode is pushed there

watch_linux
stack_found() {
	page=$(spt -V "$VM" walk gva "$ENTRY_STACK" | sed -n 's/^GVA .* -> GPA \(0x[0-9a-f]*\) .*/\1/p')
	page=$((page & ~0xfff))
	[ "$page" -gt 0 ]
}
check stack-found eventually stack_found

# Until it is undone: the agent lets go by itself, the record stays.
let_go() {
	dmesg | grep -q "gpa $(printf '0x%x' "$page"): writes are tracked no more: the processor writes there"
}
acts track protect "$page" --write-track
check let-go eventually let_go
check goes-on checksums_go_on
acts undo undo all
n=0
while [ "$n" -lt 20 ]; do
	spt --unsafe -V "$VM" protect "$page" --write-track >/dev/null 2>&1 </dev/null
	spt --unsafe -V "$VM" undo all >/dev/null 2>&1 </dev/null
	n=$((n + 1))
done
check goes-on-often checksums_go_on
# Who listens is told.
listens() {
	spt --unsafe -V "$VM" --json protect "$page" --write-track --listen --timeout 60 >"$WORK/listen" 2>&1 </dev/null
	cat "$WORK/listen"
	tr -d ' \n' <"$WORK/listen" | grep -q '"code":"kept"'
}
check listener-is-told listens
check goes-on-after-listening checksums_go_on

linux_unharmed
check unload spt agent unload
finish
