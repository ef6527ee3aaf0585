#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The agent's life: what it shows, to whom, and that it comes and goes without a trace.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

used() {
	lsmod | awk -v m="$1" '$1 == m { print $3 }'
}

check status-layout sh -c "grep -Eq '^layout: btf' $DEBUGFS/status"
check status-build-id sh -c "grep -Eq '^kvm_build_id: [0-9a-f]{40}' $DEBUGFS/status"
for key in abi version kernel vendor mmu tdp_mmu armed vms actions; do
	check "status-$key" grep -q "^$key: " "$DEBUGFS/status"
done
check masks grep -Eq '^shadow_host_writable_mask: 0x[0-9a-f]+$' "$DEBUGFS/masks"
check masks-absent grep -Eq '^shadow_.*: n/a$' "$DEBUGFS/masks"

modes_right() {
	for file in status masks journal; do
		[ "$(stat -c %a "$DEBUGFS/$file")" = 400 ] || { echo "$file"; return 1; }
	done
	[ "$(stat -c %a "$DEBUGFS/layout")" = 600 ]
}
check file-modes modes_right

kvm_before=$(used kvm) vendor_before=$(used "$LAB_VENDOR")
pages_start || finish
vm_modes_right() {
	[ "$(stat -c %a "$DEBUGFS/$VM")" = 500 ] || return 1
	for file in vm vcpus memslots roots tables ranges; do
		[ "$(stat -c %a "$DEBUGFS/$VM/$file")" = 400 ] || { echo "$file"; return 1; }
		cat "$DEBUGFS/$VM/$file" >"$WORK/text" || return 1
		[ -s "$WORK/text" ] || { echo "$file is empty"; return 1; }
	done
	[ "$(stat -c %a "$DEBUGFS/$VM/image")" = 600 ]
}
check vm-directory test -n "$VM" -a -d "$DEBUGFS/$VM"
check vm-directory-is-kvms test -d "/sys/kernel/debug/kvm/$VM"
check vm-file-modes vm_modes_right
check vms-count grep -q '^vms: 1$' "$DEBUGFS/status"
pages_stop
check vm-directory-gone test ! -e "$DEBUGFS/$VM"
check vms-none grep -q '^vms: 0$' "$DEBUGFS/status"

# A directory is there as soon as the VM is, looked at by name and by listing.
pages_start || finish
by_name() {
	test -r "$DEBUGFS/$VM/vm"
}
check vm-directory-by-name by_name
pages_stop KILL
check vm-directory-gone-after-kill test ! -e "$DEBUGFS/$VM"

# Under Bochs each load costs seconds: it reads all of kallsyms.
RELOADS=8
[ "$LAB_VENDOR" = kvm_amd ] || RELOADS=1
reload() {
	i=0
	while [ "$i" -lt "$RELOADS" ]; do
		spt agent unload || return 1
		[ ! -e "$DEBUGFS" ] || return 1
		spt agent load || return 1
		i=$((i + 1))
	done
}
check reload-again-and-again reload
# With a guest there, the layout is checked against its live objects before it is believed.
pages_start || finish
beside_a_guest() {
	spt agent unload && spt agent load && spt -V "$VM" walk gpa 0x1000
}
check reload-beside-a-guest beside_a_guest
pages_stop
check kvm-references test "$(used kvm)" = "$kvm_before"
check vendor-references test "$(used "$LAB_VENDOR")" = "$vendor_before"
finish
