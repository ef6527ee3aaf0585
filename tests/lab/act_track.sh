#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# track counts each write of the guest, or reports it, and leaves nothing behind.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/act_control.sh
. "$(dirname "$0")/act_control.sh"

PAGE=0x10100000

arm_agent
pages_start --extra || finish
keep_slots
code=$(pages_do code)
at_write=$(echo "$code" | tr ' ' '\n' | sed -n 's/^write=//p')
at_run=$(echo "$code" | tr ' ' '\n' | sed -n 's/^run-write=//p')

peek() { # GPA
	echo $(($(pages_do "peek $1" | cut -d' ' -f2)))
}

# Counted until undone: as many as the guest made.
pages_do "poke $PAGE 0" "touch $PAGE r" >/dev/null
done_by track "track gpa=$PAGE"
id=$(value undo)
pages_do "run $PAGE w" >/dev/null
counted() {
	[ "$(peek "$PAGE")" -gt 200 ]
}
eventually counted
pages_do pause >/dev/null
done_by untrack "undo id=$id"
check count-is-exact test "$(value count)" = "$(peek "$PAGE")"
check slots-as-before same_slots
pages_do "touch $PAGE w" >/dev/null
turned_down undone-twice refused no-undo "undo id=$id"

# Reported: by whom, where, what.
listen "track gpa=$PAGE listen=1 count=3"
pages_do "write $PAGE 0x1122334455667788" "touch $PAGE r" "write $((PAGE + 8)) 2" \
	"write $((PAGE + 0x1000)) 3" "write $((PAGE + 16)) 4" "write $PAGE 5" >/dev/null
check listen heard
check three-writes test "$(hits)" = 3
check who test "$(grep -c "^hit: .*vcpu=0 rip=0x0*${at_write#0x} " "$WORK/heard")" = 3
check what grep -q "^hit: .* gpa=0x0*${PAGE#0x} .*value=0x1122334455667788" "$WORK/heard"
check instruction grep -q '^hit: .* insn=488937' "$WORK/heard"
check not-the-next-page sh -c "! grep -q 'value=0x3$' $WORK/heard"
check slots-as-before-listening same_slots

# Many, while it runs.
pages_do "run $PAGE w" >/dev/null
listen "track gpa=$PAGE listen=1 count=200"
check listen-many heard
pages_do pause >/dev/null
check many test "$(hits)" = 200
check many-at test "$(grep -c "^hit: .* rip=0x0*${at_run#0x} " "$WORK/heard")" = 200
# The counter grows by one with each: nothing between two hits was missed.
grep '^hit: ' "$WORK/heard" | sed 's/.*value=//' | while read -r v; do echo $((v)); done >"$WORK/values"
between() {
	# shellcheck disable=SC2016 # awk's own
	awk 'NR > 1 && $1 != last + 1 { bad = 1 } { last = $1 } END { exit bad || NR != 200 }' "$1"
}
check none-between between "$WORK/values"

# A range, over a huge page.
if [ "$(stat_of pages_2m)" -ge 1 ]; then
	pages_do 'fill 0x20000000+2M 7' >/dev/null
	huge=$(stat_of pages_2m)
	done_by track-range 'track gpa=0x20000000+0x10000'
	pages_do 'fill 0x20000000+2M 8' >/dev/null
	check content pages_do 'verify 0x20000000+2M 8'
	done_by untrack-range 'undo id=all'
	check range-count test "$(value count)" = 16
	check content-after pages_do 'verify 0x20000000+2M 8'
	check huge-again test "$(stat_of pages_2m)" = "$huge"
	check slots-after-range same_slots
fi

# The guest's own page tables: it must not stand still.
case $LAB_MMU in
*shadow) ;;
*)
	listen 'track gpa=0x10000+0x40000 listen=1 timeout=30'
	pages_do 'touch 0x10200000+16K r' >/dev/null
	check guest-goes-on pages_do 'touch 0x10300000+64K w'
	# Its accessed and dirty bits are set already: not every processor writes them again.
	kill $LISTENER 2>/dev/null
	wait $LISTENER 2>/dev/null
	check slots-after-tables same_slots
	;;
esac

# The slot goes and comes again.
done_by track-a-slot 'track gpa=0x50000000'
pages_do 'delete-slot 6' 'add-slot 6' 'touch 0x50000000 w' >/dev/null
control 'undo id=all'
check slots-after-renewal same_slots

turned_down no-slot refused no-slot 'track gpa=0x70000000'
turned_down over-the-end refused no-slot 'track gpa=0x10000000+0x800000'

# Closed, unloaded, killed.
listen "track gpa=$PAGE listen=1"
check unload-under-a-listener sh -c '! spt agent unload'
kill $LISTENER
wait $LISTENER 2>/dev/null
check closed eventually same_slots
listen "track gpa=$PAGE listen=1 timeout=1"
heard
check timeout sh -c "grep -q '^reason: timeout' $WORK/heard"
done_by track-before-unload "track gpa=$PAGE"
check unload spt agent unload
check load spt agent load --armed
check unloading-takes-back same_slots
done_by track-before-kill "track gpa=$PAGE"
listen "track gpa=$((PAGE + 0x1000)) listen=1"
pages_do "run $PAGE+8K w" >/dev/null
eventually test "$(hits)" -gt 10
pages_stop KILL
gone() {
	[ ! -e "$DEBUGFS/$VM" ]
}
kill $LISTENER 2>/dev/null
wait $LISTENER 2>/dev/null
check vm-gone eventually gone

# A record outlives its VM, and then KVM's own module, which KVM names on.
outlives_kvm() {
	options=
	for option in npt ept; do
		if [ -e "/sys/module/$LAB_VENDOR/parameters/$option" ]; then
			options=$option=$(cat "/sys/module/$LAB_VENDOR/parameters/$option")
		fi
	done
	pages_start && control "track gpa=$PAGE" || return 1
	pages_stop KILL
	eventually rmmod "$LAB_VENDOR" || return 1
	rmmod spt_agent
	unloaded=$?
	modprobe "$LAB_VENDOR" "$options" && spt agent load --armed && [ "$unloaded" -eq 0 ]
}
check outlives-kvm outlives_kvm
finish
