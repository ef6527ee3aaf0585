#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A Linux guest that checks its memory all the time goes through a storm: it lives, its checksums
# are right, nothing that must hold of KVM's tables is broken, nothing stays behind. Ctrl-C ends a
# storm at once, and so does the first violation. STORM_SECONDS: how long.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/acts.sh
. "$(dirname "$0")/acts.sh"
# shellcheck source=tests/lab/checksums.sh
. "$(dirname "$0")/checksums.sh"
# shellcheck source=tests/lab/breaker.sh
. "$(dirname "$0")/breaker.sh"

# Memory that nobody owns and that is none of ours moves up and down by some.
LEAK_KIB=8192

# On the debug kernel everything takes some ten times as long.
[ "$LAB_KERNEL" != debug ] || : "${STORM_SECONDS:=40}"
seconds=${STORM_SECONDS:-20}
mix=${STORM_MIX:-fault:4,zap:4,remap:3,split:1,collapse:1,protect:2,write-track:1,age:1,dirty:1,undo:1}
case $LAB_MMU in
*shadow) mix=${STORM_MIX:-zap:4,remap:3,protect:2,write-track:1,age:1,dirty:1,undo:1} ;;
esac
watch_linux
echo 3 >/proc/sys/vm/drop_caches
nobodys=$(unaccounted)

actions() {
	sed -n 's/^actions: //p' "$DEBUGFS/status"
}

# Says where it is from time to time: what hangs is seen.
storm() {
	spt --unsafe -V "$VM" storm all --rate 200 --seconds "$seconds" --seed "${STORM_SEED:-1}" \
		--audit-every 200 --mix "$mix" >"$WORK/storm" 2>&1 &
	stormer=$!
	begun=$(cut -d. -f1 /proc/uptime) said=0
	while kill -0 "$stormer" 2>/dev/null; do
		now=$(($(cut -d. -f1 /proc/uptime) - begun))
		[ $((now - said)) -lt 20 ] || {
			echo "# after $now s: $(actions) actions" >&3
			said=$now
		}
		sleep 1
	done
	wait "$stormer"
}
exec 3>&1
check storm storm
exec 3>&-
sed 's/^/# /' "$WORK/storm"
each_did() {
	cat "$WORK/storm"
	for action in $(echo "$mix" | tr ',' '\n' | sed -n 's/^\(zap\|remap\|protect\):.*/\1/p'); do
		awk -v a="$action" '$1 == a && $2 > 0 { found = 1 } END { exit !found }' "$WORK/storm" || return 1
	done
}
check storm-had-effects each_did
check storm-left-nothing nothing_open
check storm-audit-clean spt -V "$VM" audit
check checksums-go-on checksums_go_on
echo "# rounds of checksums: $(rounds)"

# long_storm OPTION...: one that nobody waits for to end; returns when it acts.
long_storm() {
	spt --unsafe -V "$VM" --json storm all --rate 200 --seconds 600 --mix "$mix" "$@" \
		>"$WORK/long" 2>&1 </dev/null &
	stormer=$!
	eventually grep -q " pid=$stormer " "$DEBUGFS/journal"
}

long_number() { # KEY
	tr -d ' \n' <"$WORK/long" | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"
}

# Ctrl-C stops it at once: one action was under way, and what it kept is taken back.
interrupted() {
	# Not before it acts: in the background it begins with the signal ignored.
	long_storm --audit-every 0 || return 1
	kill -2 "$stormer"
	then=$(actions)
	wait "$stormer"
	cat "$WORK/long"
	echo "actions: $then at the signal, $(actions) at the end, $(long_number undone) of them undone"
	grep -q '"end":"stopped"' "$WORK/long" &&
		[ $(($(actions) - then - $(long_number undone))) -le 1 ]
}
check storm-interrupted interrupted
check storm-interrupted-left-nothing nothing_open

# A counter that nothing acts on says what is not so: the next audit ends the storm, between two of
# which lie this many actions.
violated() {
	load_breaker || return 1
	long_storm --audit-every 20 || return 1
	then=$(actions)
	poke_kvm KVM_STAT_NX_LPAGE_SPLITS 8 + 1
	wait "$stormer"
	status=$?
	echo 1 >"$breaker/restore"
	rmmod breaker
	cat "$WORK/long"
	echo "actions: $then at the poke, $(actions) at the end, $(long_number undone) of them undone"
	[ "$status" -eq 1 ] && [ ! -s "$WORK/trouble" ] && grep -q '"end":"violation"' "$WORK/long" &&
		grep -q '"rule":"count-nx"' "$WORK/long" &&
		[ $(($(actions) - then - $(long_number undone))) -le 40 ]
}
check storm-ends-by-violation violated

linux_unharmed
check pages-at-home pages_at_home
no_page_lost() {
	now=$(unaccounted)
	echo "$nobodys KiB were nobody's before, $now are now"
	[ $((now - nobodys)) -lt $LEAK_KIB ]
}
echo 3 >/proc/sys/vm/drop_caches
check no-page-lost eventually no_page_lost
echo "# $(no_page_lost)"
check unload spt agent unload
finish
