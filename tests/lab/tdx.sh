#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What spt says of a VM with private memory: its direct and its mirror tree are what L1's memory
# has, the mirror is the external tree that the module keeps and that the processor walks; after
# each kind of change again.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/verify_tdx.sh
. "$(dirname "$0")/verify_tdx.sh"

settle
pages_start --tdx || finish
verify_tdx ready --promises

# leaves NAME +SET -CLEARED COMMAND...: that many leaves KVM sets and clears for these commands.
leaves() {
	leaves_name=$1 set=$2 cleared=$3
	shift 3
	set_before=$(recorded leaves_set) cleared_before=$(recorded leaves_cleared)
	change "$leaves_name" "$@"
	check "$leaves_name-leaves" [ "$(($(recorded leaves_set) - set_before)) \
$(($(recorded leaves_cleared) - cleared_before))" = "$set $cleared" ]
}

# answers WORDS COMMAND: the guest answers the command with these words.
answers() {
	answers_wanted=$1
	shift
	pages_do "$1" >"$WORK/answer"
	check "answers-$1" grep -q "^$answers_wanted" "$WORK/answer"
}

leaves prefault 64 0 'prefault 0x10280000+256K'
# One is the guest's page table for that address.
leaves private-fault 5 0 'touch 0x10300000+16K w'
leaves shared-fault 0 0 'touch 0x8020280000+64K w' 'touch 0x8030000000+4M w' 'touch 0x8020300000 r'
verify_tdx faults

# The wrong half is refused, and nothing comes of it.
answers 'error memory fault: 0x10000000 was used as shared' 'touch 0x8010000000 r'
answers 'error memory fault: 0x20200000 was used as private' 'touch 0x20200000 r'
verify_tdx refused

# Both ways; what a page held is gone with it, and new pages are zero.
leaves to-shared 0 4 'convert 0x10000000+16K shared' 'touch 0x8010000000+16K w'
answers 'error memory fault: 0x10000000 was used as private' 'touch 0x10000000 r'
answers 'ok 0x0000008010000000' 'read 0x8010003000'
verify_tdx shared
leaves to-private 4 0 'convert 0x10000000+16K private' 'touch 0x10000000+16K r'
answers 'error memory fault: 0x10000000 was used as shared' 'touch 0x8010000000 r'
answers 'ok 0x0000000000000000' 'read 0x10003000'
answers 'ok 0x0000000010000000' 'read 0x10004000'
verify_tdx private

# Only the attribute changes: the pages stay in the file, what maps them goes.
leaves attribute 16 16 'attributes 0x20000000+64K shared' 'attributes 0x20000000+64K private' \
	'touch 0x20000000+64K r'
answers 'ok 0x0000000020000000' 'read 0x2000f000'
verify_tdx attribute

leaves punch 0 4 'punch 0x10010000+16K'
verify_tdx punched
leaves refault 4 0 'touch 0x10010000+16K w'
leaves delete-slot 0 8 'delete-slot 4'
verify_tdx deleted
# The file was not the slot's alone: its pages are there still.
leaves add-slot 8 0 'add-slot 4' 'touch 0x40000000+32K r'
answers 'ok 0x0000000040000000' 'read 0x40007000'
verify_tdx added

# However the VMM ends, all is taken down, each callback for what another has made.
gone() {
	[ "$(total vms_destroyed)" = "$(total vms_converted)" ]
}
taken_down() {
	[ "$(total tables_linked)" = "$(total tables_freed)" ] &&
		[ "$(total leaves_set)" = "$(total leaves_cleared)" ] && [ "$(total lost)" = 0 ]
}
pages_stop
check quit eventually gone
check quit-taken-down taken_down
pages_start --tdx || finish
pages_do 'run 0x10000000+256K w' >"$WORK/run"
pages_stop KILL
check killed eventually gone
check killed-taken-down taken_down
no_pages() {
	[ "$(total pages)" = 0 ]
}
check no-external-page-is-left eventually no_pages
finish
