#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# While readers loop, everything that can happen to a VM happens to it: slots vanish, dirty logging
# is switched, huge pages are split, the VMM is killed; and the agent cannot be unloaded under a
# reader. Whether the kernel minded is judged from its log by whoever booted it.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

used() {
	lsmod | awk -v m="$1" '$1 == m { print $3 }'
}

kvm_before=$(used kvm) vendor_before=$(used "$LAB_VENDOR")

# reader_loop: reads images and every text file of $VM until the VM is gone; counts in $WORK/reads.
reader_loop() {
	n=0
	while [ -e "$DEBUGFS/$VM/image" ]; do
		for file in image vm vcpus memslots roots tables ranges; do
			cat "$DEBUGFS/$VM/$file" >/dev/null 2>&1
		done
		n=$((n + 1))
		echo "$n" >"$WORK/reads"
	done
}

has_read() { # COUNT
	[ "$(cat "$WORK/reads" 2>/dev/null || echo 0)" -ge "$1" ]
}

# Busy guest, busy readers; then the VMM is killed under them.
killed_under_readers() {
	rm -f "$WORK/reads"
	pages_start --churn forever --vcpus "$1" || return 1
	reader_loop &
	first=$!
	reader_loop &
	second=$!
	eventually has_read 5 || { echo "no reads"; return 1; }
	pages_stop KILL
	wait "$first" "$second"
	[ ! -e "$DEBUGFS/$VM" ]
}
check killed-under-readers killed_under_readers 1
check killed-under-readers-again killed_under_readers 1

# An open image pins the agent, says so, and goes on.
pages_start || finish
exec 8<"$DEBUGFS/$VM/image"
refused unload-under-a-reader 2 'in use|busy|open' spt agent unload
check reader-goes-on sh -c 'cat <&8 >/dev/null'
exec 8<&-

# The VM is released with the last open file, not before and not later.
exec 8<"$DEBUGFS/$VM/image"
pages_stop KILL
check vendor-module-pinned test "$(used "$LAB_VENDOR")" -gt "$vendor_before"
exec 8<&-
released() {
	[ "$(used "$LAB_VENDOR")" = "$vendor_before" ] && [ "$(used kvm)" = "$kvm_before" ]
}
check references-released eventually released
check agent-unloads spt agent unload
check agent-loads spt agent load

# Many VMs, many lives: no memory is kept. Slab and page counts settle.
# Free memory when it no longer grows: what was freed after a grace period is there.
free_kib() {
	sync
	last=0
	while :; do
		echo 3 >/proc/sys/vm/drop_caches
		now=$(awk '$1 == "MemFree:" { print $2 }' /proc/meminfo)
		[ "$now" -gt $((last + 64)) ] || break
		last=$now
		sleep 0.2
	done
	echo "$now"
}
lives() {
	i=0
	while [ "$i" -lt "$1" ]; do
		pages_start || return 1
		cat "$DEBUGFS/$VM/image" "$DEBUGFS/$VM/tables" >/dev/null
		pages_stop
		i=$((i + 1))
	done
}
# Bochs takes seconds for a life of which QEMU takes a fraction of one.
case $LAB_MMU in
ept* | vmx*) at_once=${LAB_LIVES:-1} ;;
*) at_once=${LAB_LIVES:-4} ;;
esac
# A leak grows with every life, while caches and per-CPU lists only move: of three times, the one
# that took least tells. KASAN keeps for long what was freed, by the suites before as well: there it
# takes more of them, and kmemleak looks, too.
rounds='1 2 3'
[ ! -e /sys/kernel/debug/kmemleak ] || rounds="$rounds 4 5 6 7 8"
no_leak() {
	lives "$at_once" || return 1
	least=
	for round in $rounds; do
		before=$(free_kib)
		lives "$at_once" || return 1
		lost=$((before - $(free_kib)))
		echo "round $round: $lost KiB less after $at_once VMs"
		if [ -z "$least" ] || [ "$lost" -lt "$least" ]; then
			least=$lost
		fi
	done
	[ "$least" -lt 256 ]
}
check no-leak no_leak
finish
