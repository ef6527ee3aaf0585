#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Somebody is in an action's way: another holds the lock that it waits for, and it can be killed
# there; what was found by its checks is another thing when it gets there; a vCPU, a counter, an
# allocation is not to be had. Each time it says so, and nothing is changed.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/act_control.sh
. "$(dirname "$0")/act_control.sh"
# shellcheck source=tests/lab/breaker.sh
. "$(dirname "$0")/breaker.sh"

case $LAB_MMU in
*shadow) shadow=1 ;;
*) shadow= ;;
esac
BASE=0x10000000	# of slot 1, 'anon'
HUGE=0x20000000	# of slot 2, 'thp'
SMALL=0x20200000 # of the same; mapped in 4K, and nothing keeps it so
held=/sys/module/hold_lock/parameters

# says RESULT REASON TEXT 'LINE': for check.
says() {
	control "$4"
	cat "$WORK/control"
	[ "$(value result)" = "$1" ] && value reason | grep -Eq "^$2: .*$3"
}

# begin 'LINE': in the background, its answer goes to $WORK/acted; $ACTOR is who writes.
begin() {
	echo "$1" >"$WORK/line"
	rm -f "$WORK/acted" "$WORK/actor"
	(
		exec 7<>"$DEBUGFS/$VM/control"
		dd if="$WORK/line" bs=512 count=1 >&7 2>/dev/null &
		echo $! >"$WORK/actor"
		wait
		cat <&7
	) >"$WORK/acted" 2>&1 &
	BEGUN=$!
	eventually test -s "$WORK/actor"
	ACTOR=$(cat "$WORK/actor")
}
# It sleeps in our code, or in KVM's.
sleeps_in() { # PATTERN PID...
	pattern=$1
	shift
	for pid; do
		head -n 1 /proc/"$pid"/stack | grep -Eq "$pattern" && return 0
	done
	return 1
}
vmm_waits() {
	# shellcheck disable=SC2046 # numbers
	sleeps_in ' kvm_' $(ls /proc/"$PAGES_PID"/task)
}
ended() {
	! [ -e /proc/"$1" ] || grep -q '^State:.*Z' /proc/"$1"/status
}

# Until it sleeps in our code; where it is instead.
waits() {
	eventually sleeps_in ' (spt_|rwsem_|down_)' "$1" || {
		cat /proc/"$1"/stack
		return 1
	}
}

# dies_waiting ACTION 'LINE' [LOCK]: killed while it waits for the lock, which is held on.
dies_waiting() {
	echo 1 >"$held/${3-slots}" || return 1
	begin "$2" && waits "$ACTOR"
	begun=$?
	kill -9 "$ACTOR"
	eventually ended "$ACTOR"
	died=$?
	echo 0 >"$held/${3-slots}"
	wait "$BEGUN"
	tail -n 1 "$DEBUGFS/journal"
	[ "$begun" -eq 0 ] && [ "$died" -eq 0 ] &&
		tail -n 1 "$DEBUGFS/journal" | grep -Eq " action=$1 .* result=(refused|failed) reason=interrupted undo=none"
}

# finds_another SLOT 'LINE': the slot that its checks saw goes while it waits.
finds_another() {
	echo 1 >"$held/slots" || return 1
	pages_do "delete-slot $1" >"$WORK/deleted" &
	deleting=$!
	eventually vmm_waits && begin "$2" && waits "$ACTOR"
	begun=$?
	echo 0 >"$held/slots"
	wait "$BEGUN"
	wait "$deleting"
	cat "$WORK/deleted" "$WORK/acted"
	pages_do "add-slot $1" || return 1
	[ "$begun" -eq 0 ] && tail -n 2 "$WORK/acted" | grep -q '^result: refused' &&
		grep -q '^reason: changed: the memslot is another one now' "$WORK/acted"
}

# Mapped as huge ones, but for one that was tracked when it was mapped.
mapped() {
	pages_do "touch $BASE+64K w" "touch $HUGE w" >/dev/null || return 1
	control "zap gpa=$SMALL+0x200000"
	control "track gpa=$SMALL" && pages_do "touch $SMALL r" >/dev/null && control 'undo id=all'
}

arm_agent
pages_start --extra || finish
keep_slots
check mapped mapped
vms=$(awk '$1 == "kvm:vm_list" { print $2 }' "$DEBUGFS/layout")
check holder-loads insmod /lab/modules/hold_lock.ko vm_list="$vms"
check breaker-loads load_breaker

# --- slots_lock ---
check dies-split dies_waiting split "split gpa=$HUGE"
check dies-track dies_waiting track "track gpa=$BASE"
check dies-listening dies_waiting track "track gpa=$BASE listen=1"
check dies-trap dies_waiting trap "trap gpa=$BASE"
check dies-collapse dies_waiting collapse "collapse gpa=$SMALL"
check dies-left-nothing same_slots

check another-split finds_another 2 "split gpa=$HUGE"
check another-mapped mapped
check another-collapse finds_another 2 "collapse gpa=$SMALL"
check another-track finds_another 1 "track gpa=$BASE"
pages_do "touch $BASE+64K w" >/dev/null
check another-trap finds_another 1 "trap gpa=$BASE"
check another-mapped-again mapped
check another-left-nothing same_slots

# --- The VMM's memory ---
if [ ! $shadow ]; then
	check dies-fault dies_waiting fault "fault gpa=$BASE access=w" memory
fi
# As early as in its checks: nothing was begun.
dies_looking() {
	was=$(wc -l <"$DEBUGFS/journal")
	! dies_waiting remap "$1" memory && [ "$died" -eq 0 ] && [ "$begun" -eq 0 ] &&
		[ "$(wc -l <"$DEBUGFS/journal")" = "$was" ]
}
check dies-remap dies_looking "remap gpa=$BASE"

# --- The slot goes between two steps ---
gone_between() { # ACTION 'LINE'
	begin "$2" && eventually begun_with "$1" || return 1
	pages_do 'delete-slot 1' || return 1
	wait "$BEGUN"
	tail -n 5 "$WORK/acted"
	spt -V "$VM" --json tree "$BASE" >"$WORK/tree"
	pages_do 'add-slot 1' || return 1
	grep -q '^reason: changed: the memslot is another one now' "$WORK/acted" &&
		tail -n 1 "$WORK/acted" | grep -q '^result: failed' && ! grep -q '"mmio"' "$WORK/tree"
}
# The first of its steps was made.
begun_with() {
	case $1 in
	remap) [ "$(vmstat_of pgmigrate_success)" -gt "$moved" ] ;;
	*) [ "$(stat_of pages_4k)" -gt "$small" ] ;;
	esac
}
moved=$(vmstat_of pgmigrate_success)
check gone-remap gone_between remap "remap gpa=$BASE count=10000"
if [ ! $shadow ]; then
	pages_do "touch $BASE+64K w" >/dev/null
	control "zap gpa=$BASE"
	small=$(stat_of pages_4k)
	check gone-fault gone_between fault "fault gpa=$BASE access=w count=10000"
fi

# --- Nobody to fault for the guest, and a vCPU that is elsewhere ---
if [ ! $shadow ]; then
	check nobody-mapped mapped
	echo 1 >"$held/vcpu"
	check nobody-faults says failed busy '4K pages are removed' "collapse gpa=$SMALL"
	echo 0 >"$held/vcpu"
	nested=$(($(layout VCPU_GUEST_MMU offset) - $(layout VCPU_ROOT_MMU offset)))
	poke vcpu 0 "$(layout VCPU_MMU offset)" 8 + "$nested"
	check pokes-nested test ! -s "$WORK/trouble"
	check nested says refused nested 'runs a nested guest' "fault gpa=$BASE access=w"
	check nested-dry-run says refused nested 'runs a nested guest' "fault gpa=$BASE access=w dry-run=1"
	check nested-mended sh -c "echo 1 >$breaker/restore"
fi

# --- A KVM that keeps no counters for the slot ---
# It makes them when they are wanted; that was when something was tracked.
poke slot $((BASE >> 12)) "$(layout SLOT_WRITE_TRACK offset)" 8 = 0
check pokes-counters test ! -s "$WORK/trouble"
check no-counters says refused kvm 'keeps no counters' "track gpa=$BASE"
if [ "$LAB_KERNEL" = 6.1 ]; then
	check no-counters-dry-run says refused kvm 'keeps no counters' "track gpa=$BASE dry-run=1"
fi
check counters-mended sh -c "echo 1 >$breaker/restore"
done_by counters-back "track gpa=$BASE"
done_by counters-undone 'undo id=all'

# --- Lines that the file does not take ---
not_taken() { # WHY 'LINE' ['LINE BEFORE']
	(
		exec 7<>"$DEBUGFS/$VM/control"
		[ $# -lt 3 ] || echo "$3" >&7
		echo "$2" >&7
	) 2>&1 | grep -qi "$1"
}
check too-long not_taken 'invalid' "zap gpa=$(printf '%0600d' 1)"
check listens-already not_taken 'busy' "zap gpa=$BASE" "trap gpa=$BASE timeout=20"
# Root is not enough.
opens_with() { # OPTION...
	/usr/bin/setpriv "$@" sh -c "exec 4<>$DEBUGFS/$VM/control"
}
without_capability() {
	opens_with --bounding-set=+sys_admin && ! opens_with --inh-caps=-sys_admin \
		--bounding-set=-sys_admin 2>"$WORK/opens" && cat "$WORK/opens" &&
		grep -qi 'not permitted' "$WORK/opens"
}
if [ -x /usr/bin/setpriv ]; then
	check no-capability without_capability
else
	skip "no-capability: no setpriv that takes one away"
fi
check stop-of-nothing says refused unsupported 'no stop' stop
check slots-as-before same_slots

check breaker-unloads rmmod breaker
check holder-unloads rmmod hold_lock
check guest-goes-on pages_do "fill $BASE+64K 8" "verify $BASE+64K 8" "touch $HUGE+4M w"
finish
