#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# split keeps 4K until it is undone, whatever happens meanwhile; collapse maps huge again. KVM's
# counters, the guest's memory and KVM's counts of reasons against huge pages say so.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/act_control.sh
. "$(dirname "$0")/act_control.sh"

THP=0x20000000	# 2M of the slot 'thp', written

arm_agent
pages_start --extra || finish
if [ "$(stat_of pages_2m)" -lt 1 ]; then
	skip "split: the host gave this guest no huge page"
	finish
fi
pages_do "fill $THP+2M 7" >/dev/null || not_ok fill
keep_slots
huge=$(stat_of pages_2m)

other_slots() {
	! same_slots
}

# What the entry of a page has to say of its level, after it was touched.
level_is() { # GPA LEVEL
	pages_do "touch $1 w" >/dev/null
	control "split gpa=$1 dry-run=1"
	case $2 in
	1) [ "$(value reason | cut -d: -f1)" = not-huge ] ;;
	*) [ "$(value result)" = 'done' ] ;;
	esac
}

check dry-run level_is $THP 2
check dry-run-changed-nothing test "$(stat_of pages_2m)" = "$huge"

done_by split "split gpa=$((THP + 0x5000))"
id=$(value undo)
check split-levels test "$(word level-before)" = 2 -a "$(word level-after)" != 2
check split-has-an-undo test -n "$id"
check content pages_do "verify $THP+2M 7"
check split-counters test "$(stat_of pages_2m)" = $((huge - 1))
control "zap gpa=$THP+0x200000"
check content-after-zap pages_do "verify $THP+2M 7"
check still-4k level_is $THP 1
turned_down split-again refused not-huge "split gpa=$THP"
turned_down collapse-of-split refused kept "collapse gpa=$((THP + 0x5000))"
check another-slot-counts other_slots

done_by undo "undo id=$id"
check huge-again level_is $THP 2
check huge-counters test "$(stat_of pages_2m)" = "$huge"
check content-after-undo pages_do "verify $THP+2M 7"
check counts-as-before same_slots
turned_down undo-twice refused no-undo "undo id=$id"
check journal-done sh -c "grep '^id=$id ' $DEBUGFS/journal | grep -q 'undo=done'"

# Two reasons are two.
done_by split-one "split gpa=$THP"
one=$(value undo)
pages_do "touch 0x20200000+4K w" >/dev/null
done_by split-two "split gpa=$((THP + 0x200000))"
done_by undo-one "undo id=$one"
check one-is-huge level_is $THP 2
check two-is-not level_is $((THP + 0x200000)) 1
done_by undo-all "undo id=all"
check all-are-huge level_is $((THP + 0x200000)) 2
check counts-as-before-again same_slots

# A collapse: what was tracked when it was mapped is 4K, and nothing keeps it so.
pages_do "madvise 0x20400000+2M dontneed" 'madvise 0x20400000+2M populate-write' >/dev/null
if control 'track gpa=0x20400000'; then
	id=$(value undo)
	pages_do 'touch 0x20401000 w' >/dev/null
	done_by untrack "undo id=$id"
	check tracked-is-4k level_is 0x20401000 1
	done_by collapse 'collapse gpa=0x20401000'
	case $LAB_MMU in
	# Where the guest's own tables are shadowed its next access maps it.
	*shadow) ;;
	*) check collapse-level test "$(word level-after)" = 2 ;;
	esac
	check collapsed-is-huge level_is 0x20401000 2
	turned_down collapse-again refused not-4k 'collapse gpa=0x20401000'
else
	not_ok "track: $(tail -n 2 "$WORK/control" | tr '\n' ' ')"
fi

# Refusals.
turned_down no-slot refused no-slot 'split gpa=0x70000000'
turned_down small refused not-huge 'split gpa=0x10000000'
turned_down unmapped refused unmapped 'split gpa=0x78300000'
turned_down collapse-host-small refused not-huge 'collapse gpa=0x10000000'
case $LAB_MMU in
*shadow)
	# Huge for the host, 4K for the guest, which is what shadow pages map.
	pages_do 'madvise 0x78000000+2M populate-write' 'touch 0x78000000 w' >/dev/null
	turned_down collapse-guest-small refused kept 'collapse gpa=0x78000000'
	;;
esac
turned_down collapse-dirty-logged refused kept 'collapse gpa=0x60000000'
turned_down collapse-no-slot refused no-slot 'collapse gpa=0xf0000000'

# The slot goes, its counts with it, and comes again: nothing of the old is taken from the new.
done_by split-of-a-slot "split gpa=$THP"
pages_do 'delete-slot 2' 'add-slot 2' "touch $THP w" >/dev/null || not_ok slot-renewed
check huge-in-the-new-slot level_is $THP 2
control 'undo id=all'
check new-slot-counts same_slots
check content-in-the-new-slot pages_do "verify $((THP + 0x1000))+0x1ff000 7"

# Dirty logging gives the slot another struct and leaves the counts.
done_by split-before-log "split gpa=$THP"
pages_do 'dirty-log 2 on' 'dirty-log 2 off' "touch $THP w" >/dev/null || not_ok log
check small-after-log level_is $THP 1
done_by undo-after-log 'undo id=all'
check huge-after-log level_is $THP 2
check counts-after-log same_slots

# What is to be taken back is found by the layout that it was done by: that stays. And unloading
# takes back.
offer() {
	dd if="$WORK/layout" of="$DEBUGFS/layout" bs=64k conv=notrunc
}
check layout-to-offer spt layout --blob "$WORK/layout"
check layout-taken-when-nothing-is-open offer
done_by split-before-unload "split gpa=$THP"
layout_stays() {
	! offer 2>"$WORK/offer" && grep -qi busy "$WORK/offer"
}
check layout-stays-for-an-undo layout_stays
check unload spt agent unload
check load spt agent load --armed
check huge-after-unload level_is $THP 2
check counts-after-unload same_slots

# SMM's root, which stays, maps it huge: that is another page's affair.
pages_do 'smm on' "touch $THP w" 'smm leave' "touch $THP w" >/dev/null || not_ok smm
done_by split-beside-smm "split gpa=$THP"
done_by undo-beside-smm 'undo id=all'
pages_do "touch $THP w" >/dev/null
check huge-beside-smm level_is $THP 2
pages_do 'smm off' "touch $THP w" >/dev/null || not_ok smm-off

# The VMM dies: what was to be taken back is lost with it.
done_by split-before-kill "split gpa=$THP"
id=$(value undo)
pages_stop KILL
gone() {
	[ ! -e "$DEBUGFS/$VM" ] && journal_of "$id" | grep -q 'undo=lost'
}
check lost-with-the-vm eventually gone
finish
