#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A Linux guest that checks its memory all the time goes through a storm: it lives, its checksums
# are right, nothing that must hold of KVM's tables is broken, nothing stays behind. STORM_SECONDS:
# how long. And it lives through a thousand traps on its kernel's code.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/acts.sh
. "$(dirname "$0")/acts.sh"

# On the debug kernel everything takes some ten times as long.
[ "$LAB_KERNEL" != debug ] || : "${TRAPS:=100}" "${STORM_SECONDS:=40}"
seconds=${STORM_SECONDS:-20}
mix=${STORM_MIX:-fault:4,zap:4,remap:3,split:1,collapse:1,protect:2,write-track:1,age:1,dirty:1,undo:1}
case $LAB_MMU in
*shadow) mix=${STORM_MIX:-zap:4,remap:3,protect:2,write-track:1,age:1,dirty:1,undo:1} ;;
esac
check arm arm
VM=$(spt --json vms | tr -d ' \n' | sed 's/.*"vms":\[{"id":"\([^"]*\)".*/\1/')
slots=$(spt -V "$VM" memslots -rn | wc -l)
vendor_before=$(lsmod | awk -v m="$LAB_VENDOR" '$1 == m { print $3 }')

# In the guest: files in its memory, one that stays and one that is written anew, sums compared.
# shellcheck disable=SC2016 # expanded in the guest
check checksums-begin lab-guest 'cat >/tmp/check <<"END"
dd if=/dev/urandom of=/tmp/still bs=64k count=256 2>/dev/null
still=$(md5sum </tmp/still)
rounds=0
while [ ! -e /tmp/enough ]; do
	cp /tmp/still /tmp/moving
	[ "$(md5sum </tmp/moving)" = "$still" ] && [ "$(md5sum </tmp/still)" = "$still" ] || {
		echo "wrong after $rounds rounds" >/tmp/wrong
		break
	}
	cmp -s /tmp/moving /tmp/still || echo "differs after $rounds rounds" >/tmp/wrong
	rounds=$((rounds + 1))
	echo $rounds >/tmp/rounds
done
END
sh /tmp/check >/dev/null 2>&1 &'
eventually lab-guest 'test -s /tmp/rounds'

storm() {
	spt --unsafe -V "$VM" storm all --rate 200 --seconds "$seconds" --seed "${STORM_SEED:-1}" \
		--audit-every 200 --mix "$mix" >"$WORK/storm" 2>&1
}
check storm storm
sed 's/^/# /' "$WORK/storm"
each_did() {
	cat "$WORK/storm"
	for action in $(echo "$mix" | tr ',' '\n' | sed -n 's/^\(zap\|remap\|protect\):.*/\1/p'); do
		awk -v a="$action" '$1 == a && $2 > 0 { found = 1 } END { exit !found }' "$WORK/storm" || return 1
	done
}
check storm-had-effects each_did
check storm-left-nothing nothing_open
check audit-clean spt -V "$VM" audit
check guest-alive lab-guest 'echo still here'
before=$(lab-guest 'cat /tmp/rounds')
went_on() {
	[ "$(lab-guest 'cat /tmp/rounds')" -gt "$before" ]
}
check checksums-go-on eventually went_on
check checksums-right lab-guest '! test -e /tmp/wrong'
echo "# rounds of checksums: $(lab-guest 'cat /tmp/rounds')"

# Ctrl-C stops it at once, and it still tidies up.
spt --unsafe -V "$VM" --json storm all --rate 200 --seconds 600 --audit-every 0 --mix "$mix" \
	>"$WORK/long" 2>&1 </dev/null &
stormer=$!
# Not before it acts: in the background it begins with the signal ignored.
eventually grep -q " pid=$stormer " "$DEBUGFS/journal"
kill -2 $stormer
interrupted() {
	wait "$stormer"
	grep -q '"end":"stopped"' "$WORK/long" || { cat "$WORK/long"; return 1; }
}
check storm-interrupted interrupted
check storm-interrupted-left-nothing nothing_open

# A thousand traps on a page of its kernel's code.
case $LAB_MMU in
*shadow) ;;
*)
	# Where its kernel was seen running; without KASLR its code is where it was linked to be.
	kernel_runs() {
		rip=$(spt -V "$VM" vcpus -rn -o rip | head -n 1)
		case $rip in
		0xffffffff8*) ;;
		*) return 1 ;;
		esac
	}
	check kernel-runs eventually kernel_runs
	page=$(printf '0x%x' $(((rip - 0xffffffff80000000) & ~0xfff)))
	thousand() {
		spt --unsafe -V "$VM" --json trap "$page" x --count "${TRAPS:-1000}" --timeout 240 >"$WORK/traps" 2>"$WORK/traps.err"
	}
	check "trap-${TRAPS:-1000}" thousand
	hits=$(grep -c '"seq"' "$WORK/traps")
	check trap-hits test "$hits" -ge "${TRAPS:-1000}"
	[ "$hits" -ge "${TRAPS:-1000}" ] || tail -c 400 "$WORK/traps" "$WORK/traps.err"
	echo "# traps of $page by: $(sed -n 's/.*"text":"\([^"]*\)".*/\1/p' "$WORK/traps" | sort | uniq -c | sort -rn | head -4 | tr '\n' ';')"
	check guest-alive-after-traps lab-guest 'echo still here'
	;;
esac

check checksums-end lab-guest 'touch /tmp/enough; ! test -e /tmp/wrong'
# shellcheck disable=SC2016 # expanded in the guest
check guest-log-clean lab-guest '! dmesg | grep -E "BUG|Oops|WARNING|Call Trace|segfault|general protection"'
check same-slots test "$(spt -V "$VM" memslots -rn | wc -l)" = "$slots"
same_use() {
	[ "$(lsmod | awk -v m="$LAB_VENDOR" '$1 == m { print $3 }')" = "$vendor_before" ]
}
check nothing-held eventually same_use
check pages-at-home pages_at_home
check unload spt agent unload
finish
