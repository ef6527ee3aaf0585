#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Somebody holds mmu_lock for write: the TDP MMU's tables are dumped all the same, and who needs the
# lock, because shadow pages are kept by nothing else, waits for it and can be killed.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

held=/sys/module/hold_lock/parameters/held

hold() {
	echo "$1" >"$held"
}

load_holder() {
	address=$(awk '$3 == "vm_list" && $4 == "[kvm]" { print $1 }' /proc/kallsyms)
	insmod /lab/modules/hold_lock.ko vm_list="0x$address"
}

tables() {
	cat "$DEBUGFS/$VM/tables"
}

pages_start || finish
check holder-loads load_holder
tables >"$WORK/before"

same_under_lock() {
	hold 1 || return 1
	timeout 20 cat "$DEBUGFS/$VM/tables" >"$WORK/held"
	status=$?
	timeout 20 cat "$DEBUGFS/$VM/image" >"$WORK/image" || status=1
	hold 0
	[ "$status" -eq 0 ] && cmp "$WORK/before" "$WORK/held" && [ -s "$WORK/image" ]
}

waits_and_dies() { # PROGRAM...
	rm -f "$WORK/status"
	hold 1 || return 1
	(
		timeout -s KILL 2 "$@" >"$WORK/held"
		echo $? >"$WORK/status"
	) &
	eventually test -s "$WORK/status"
	died=$?
	hold 0
	wait $!
	# Killed at the end of its time, not before: it had been waiting.
	[ "$died" -eq 0 ] && [ "$(cat "$WORK/status")" -eq 137 ]
}

case $LAB_MMU in
*shadow | *list)
	check reader-waits-and-can-be-killed waits_and_dies cat "$DEBUGFS/$VM/tables"
	# Nor do the few records keep it that are made, and wait for more to go out with.
	# shellcheck disable=SC2016 # for that shell
	check reader-with-records-can-be-killed waits_and_dies \
		sh -c 'exec 7<>"$0"; echo "parts=tables" >&7; exec cat <&7' "$DEBUGFS/$VM/image"
	;;
*)
	check tdp-dump-while-mmu-lock-is-held same_under_lock
	;;
esac
check dump-goes-on-after tables
check holder-unloads rmmod hold_lock
finish
