#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What spt says of a guest is what the processor would do: every entry against L1's physical memory,
# every HPA against the host's pagemap, every count against KVM's, every mapping against what the
# guest's layout promises; then again after each kind of change.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"

settle
pages_start || finish
verify ready --promises

# A huge page is split by the host, one goes, one comes.
change change-huge 'madvise 0x20000000+4K dontneed' 'touch 0x20000000+64K w' \
	'madvise 0x20200000+2M dontneed' 'touch 0x20600000 w'
verify huge

# Logging starts on a slot with huge mappings and stops on one that had it.
change change-log 'dirty-log 2 on' 'touch 0x20400000+64K w' 'get-dirty 2' \
	'touch 0x20400000+32K w' 'dirty-log 8 off' 'touch 0x60000000+2M r'
verify log

# Slots go and come back, memory is taken from the guest and from under it.
change change-slots 'delete-slot 7' 'touch 0x58000000 r' 'delete-slot 9' 'add-slot 9' \
	'touch 0x68100000+64K w' 'unmap 0x10010000+64K' 'mprotect 0x10040000+64K r' \
	'touch 0x10040000+64K r' 'touch 0x50000000+64K w' 'touch 0x20000000+8M r' 'touch 0x10100000+64K w'
verify slots
pages_stop

# Many tables, few entries; and tables without a gap.
pages_start --sparse-gib 2 --dense-tables 4 || finish
verify large --promises

# It goes round and round without an exit of its own, and L1 goes on, too.
before=$(pages_do 'peek 0x10000000')
counts_on() {
	[ "$(pages_do 'peek 0x10000000')" != "$before" ]
}
change loop 'run 0x10000000+64K w'
check loop-beside-others eventually counts_on
change loop-ends pause
finish
