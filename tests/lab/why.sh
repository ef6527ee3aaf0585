#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every cause that `why` names is made to happen, and `why` must name it and no other. What lasts
# only moments in KVM (an invalidation, a slot on its way out, a frozen entry) is put there by a
# module of the tests.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

nx=/sys/module/kvm/parameters/nx_huge_pages
tracker=/sys/module/page_track/parameters
breaker=/sys/module/breaker/parameters

# Reading all symbols takes L1 seconds: once.
vm_list() {
	[ -s "$WORK/vm_list" ] || awk '$3 == "vm_list" && $4 == "[kvm]" { print "vm_list=0x" $1; exit }' \
		/proc/kallsyms >"$WORK/vm_list"
	cat "$WORK/vm_list"
}

# The state and the causes, 'QUESTION:NAME', of the first root in one answer of `why --json`.
causes_in() {
	sed 's/"others":.*//' "$1" | grep -Eo '"state":"[^"]*"|"name":"[^"]*","question":"[^"]*"' |
		sed -E 's/"state":"([^"]*)"/\1/; s/"name":"([^"]*)","question":"([^"]*)"/\2:\1/' |
		tr '\n' ' ' | sed 's/ $//'
}

# expect NAME GPA 'STATE CAUSE...' [SPT-OPTION...]: exactly these, in this order.
expect() {
	expect_name=$1 expect_gpa=$2 expect_what=$3
	shift 3
	[ $# -gt 0 ] || set -- -V "$VM"
	spt "$@" --json why "$expect_gpa" >"$WORK/why.json" 2>"$WORK/why.err"
	found=$(causes_in "$WORK/why.json")
	if [ "$found" = "$expect_what" ]; then
		ok "$expect_name"
	else
		not_ok "$expect_name: GPA $expect_gpa is '$found', expected '$expect_what'"
		spt "$@" why "$expect_gpa" 2>&1 | sed 's/^/    /' | head -40
	fi
}

# fact NAME VALUE: of the last answer.
fact() {
	check "fact-$1" grep -q "{\"name\":\"$1\",\"value\":\"$2" "$WORK/why.json"
}

guest() {
	pages_do "$@" >"$WORK/answer" || not_ok "guest-$1: $(cat "$WORK/answer")"
}

# A field's place in its type, from the layout in force; nothing where this kernel has none.
offset_of() {
	sed -n "s/^$1 .* offset \([0-9]*\) size .*/\1/p" "$DEBUGFS/layout"
}

poke() {
	echo "$*" >"$breaker/poke"
}

mend() {
	echo 1 >"$breaker/restore"
}

# What the tables, the slots and the host's pages have, in the VM's everyday life.
everyday() {
	expect host-smaller 0x10000000 'mapped size:host-smaller'
	fact host.page_size 4096
	guest 'touch 0x48001000 w'
	expect slot-edge 0x48001000 'mapped size:slot-edge'
	fact slot.base_gfn 0x48001
	guest 'touch 0x68202000 w'
	expect misaligned 0x68202000 'mapped size:misaligned'
	fact difference 0x1
	expect 2m-of-a-small-slot 0x20000000 \
		'mapped size:misaligned size:slot-edge size:host-smaller'
	expect zero-page 0x10200000 'mapped size:host-special write:host-special-page'
	expect readonly-slot 0x40000000 \
		'mapped size:slot-edge size:host-smaller write:readonly-slot'
	expect dirty-logging 0x60000000 'mapped size:dirty-logging'
	expect dirty-log-protected 0x60008000 \
		'mapped size:dirty-logging write:dirty-log-protected'
	fact dirty_bitmap 0
	expect host-not-present 0x78000000 'unmapped mapped:host-not-present'
	guest 'madvise 0x78000000+4K populate-write'
	expect not-touched 0x78000000 'unmapped mapped:not-touched'
}

mmio() {
	guest 'touch 0x70000000 r'
	expect mmio-cached 0x70000000 'no-slot mmio:no-slot mmio:mmio-cached'
	expect no-slot 0xf0000000 'no-slot mmio:no-slot'
	guest 'dirty-log 11 on' 'dirty-log 11 off'
	expect mmio-stale 0x70000000 'no-slot mmio:no-slot mmio:mmio-stale'
}

# The deletion takes all of the guest's mappings.
slot_comes() {
	guest 'delete-slot 7' 'touch 0x58000000 r' 'add-slot 7'
	expect slot-over-mmio 0x58000000 'unmapped mapped:mmio-stale'
}

# The VMM's own mappings.
host() {
	guest 'touch 0x20600000 w' 'mprotect 0x20600000+4K r' 'mprotect 0x20600000+4K rw' \
		'touch 0x20600000 w'
	expect host-split 0x20600000 'mapped size:host-split'
	guest 'mprotect 0x10010000 r' 'touch 0x10010000 r'
	expect host-readonly 0x10010000 'mapped size:host-smaller write:host-readonly'
	guest 'mprotect 0x10010000 rw' 'mprotect 0x10012000 none'
	expect host-no-access 0x10012000 'unmapped mapped:host-no-access'
	guest 'mprotect 0x10012000 rw'
	guest 'touch 0x10013000 w' 'madvise 0x10013000 hwpoison'
	expect host-poisoned 0x10013000 'unmapped mapped:host-special-entry'
}

# A fork takes every page of the VMM from the guest.
copy_on_write() {
	guest 'touch 0x10011000 w' fork 'touch 0x10011000 r'
	expect copy-on-write 0x10011000 'mapped size:host-smaller write:host-readonly'
	guest 'poke 0x10011000 1'
	expect host-was-readonly 0x10011000 'mapped size:host-smaller write:host-was-readonly'
}

ksm_shares() {
	[ "$(cat /sys/kernel/mm/ksm/pages_shared)" -gt 0 ]
}

ksm() {
	guest 'write 0x10020000+8K 7' 'madvise 0x10020000+8K mergeable'
	echo 1 >/sys/kernel/mm/ksm/run
	check ksm-merges eventually ksm_shares
	guest 'touch 0x10020000+8K r'
	expect ksm 0x10020000 'mapped size:host-smaller write:host-readonly'
	guest 'madvise 0x10020000+8K unmergeable'
	echo 0 >/sys/kernel/mm/ksm/run
}

swap() {
	modprobe loop && dd if=/dev/zero of=/tmp/why.swap bs=1M count=16 2>/dev/null || return 1
	loop=$(losetup -f) && losetup "$loop" /tmp/why.swap || return 1
	mkswap "$loop" >/dev/null && swapon "$loop"
}

swapped() {
	check swap swap
	# Where the guest's own access keeps the page the first time, it has none the second time.
	guest 'touch 0x10014000 w' 'madvise 0x10014000 pageout' 'madvise 0x10014000 pageout'
	expect host-swapped 0x10014000 'unmapped mapped:host-swapped'
	swapoff "$loop" && losetup -d "$loop" && rm /tmp/why.swap
}

device() {
	guest 'touch 0x4c0f0000 r'
	expect device-memory 0x4c0f0000 'mapped size:slot-edge size:host-special'
}

nx() {
	before=$(cat "$nx")
	echo force >"$nx"
	guest 'touch 0x20000000 w'
	expect nx-huge-page 0x20000000 \
		'mapped size:misaligned size:slot-edge size:host-smaller exec:nx-huge-page'
	guest 'touch 0x20000000 x'
	expect nx-split 0x20000000 'mapped size:nx-huge-page'
	fact nx_huge_pages 1
	echo off >"$nx"
	guest 'touch 0x20000000 x'
	expect no-nx-split 0x20000000 'mapped size:misaligned size:slot-edge size:host-smaller'
	[ "$before" = N ] || echo auto >"$nx"
}

tracking() {
	check tracker-loads insmod /lab/modules/page_track.ko "$(vm_list)"
	guest 'touch 0x20200000 w' "write-file $tracker/track 0x20205" 'touch 0x20200000 w' \
		'touch 0x20205000 r'
	expect write-track 0x20200000 'mapped size:write-track'
	expect write-tracked 0x20205000 'mapped size:write-track write:write-tracked'
	fact gfn_write_track 1
	expect disallow-lpage 0x20000000 \
		'mapped size:misaligned size:slot-edge size:disallow-lpage size:host-smaller'
	guest "write-file $tracker/untrack 0x20205"
	expect not-refaulted 0x20200000 'mapped size:not-refaulted'
	expect was-write-protected 0x20205000 \
		'mapped size:not-refaulted write:was-write-protected'
	check tracker-unloads rmmod page_track
	guest 'touch 0x10001000 w' 'dirty-log 1 on' 'dirty-log 1 off'
	expect mmu-writable 0x10001000 'mapped size:host-smaller write:mmu-writable'
}

# Of an entry of 0x10000000: its table and place, 'HPA OFFSET'.
entry_of() {
	spt -V "$VM" --json walk gpa "$1" | tr -d ' \n' |
		grep -Eo '"level":1,"gpa":"[^"]*","index":[0-9]*,"table_hpa":"[^"]*"' | head -n 1 |
		sed -E 's/.*"index":([0-9]*),"table_hpa":"([^"]*)"/\2 \1/' | {
		read -r table index
		echo "$table" $((index * 8))
	}
}

# Frozen, by the value that this kernel's image says.
frozen_value() {
	case $(uname -r) in
	6.1.*) echo 0x5a0 ;;
	6.*) echo 0x80000000000005a0 ;;
	*) echo 0x80000000000001a0 ;;
	esac
}

passing() {
	check breaker-loads insmod /lab/modules/breaker.ko lab=1 "$(vm_list)"
	guest 'touch 0x10002000 w'
	# shellcheck disable=SC2046 # two words
	poke memory $(entry_of 0x10002000) 8 = "$(frozen_value)"
	expect frozen 0x10002000 'changing mapped:frozen'
	mend
	poke slot 0x78000 "$(offset_of SLOT_FLAGS)" 4 = 0x10000
	expect slot-changing 0x78300000 'unmapped mapped:slot-changing mapped:host-not-present'
	mend
	for field in IN_PROGRESS=1 START=0x78300 END=0x78301; do
		poke kvm 0 "$(offset_of "KVM_INVALIDATE_${field%=*}")" 8 = "${field#*=}"
	done
	expect invalidation 0x78300000 'unmapped mapped:invalidation mapped:host-not-present'
	expect no-invalidation 0x78301000 'unmapped mapped:host-not-present'
	mend
	odd
	private
	check breaker-unloads rmmod breaker
}

# The entry of the VMM's own table for a GPA: the table's HPA, the offset in it.
host_entry_of() {
	spt -V "$VM" --json walk gpa "$1" | tr -d ' \n' | sed 's/.*"host":{//' |
		grep -Eo '"level":1,"table_hpa":"[^"]*","index":[0-9]*' | head -n 1 |
		sed -E 's/.*"table_hpa":"([^"]*)","index":([0-9]*)/\1 \2/' | {
		read -r table index
		echo "$table" $((index * 8))
	}
}

# An entry of the host for a page that is being moved: its type is behind that of poisoned pages.
migration_value() {
	case $(uname -r) in
	6.1.*) type=27 ;;
	6.*) type=28 ;;
	*) type=25 ;;
	esac
	printf '0x%x\n' $((type << 59 | 0x1234000))
}

# What nobody can make last, or what nothing explains.
odd() {
	# shellcheck disable=SC2046 # two words
	poke memory $(host_entry_of 0x10190000) 8 = "$(migration_value)"
	expect host-migrating 0x10190000 'unmapped mapped:host-migrating'
	mend
	# shellcheck disable=SC2046
	poke memory $(host_entry_of 0x10002000) 8 = 0
	expect host-not-mapped 0x10002000 'mapped size:host-not-mapped'
	mend
	# shellcheck disable=SC2046
	poke memory $(entry_of 0x10002000) 8 '|' 0x8000000000000000
	expect not-executable-unexplained 0x10002000 'mapped size:host-smaller exec:unexplained'
	mend
	# W and host-writable away, MMU-writable not: KVM makes no such entry.
	# shellcheck disable=SC2046
	poke memory $(entry_of 0x10002000) 8 '&' 0xfffffffffffffdfd
	expect not-writable-unexplained 0x10002000 'mapped size:host-smaller write:unexplained'
	fact mmu-writable 1
	mend
	guest 'touch 0x70000000 r'
	mmio=$(spt -V "$VM" --json tree 0x70000000+4K --leaves | tr -d ' \n' |
		sed 's/.*"spte":"\([^"]*\)".*/\1/')
	# shellcheck disable=SC2046
	poke memory $(entry_of 0x10002000) 8 = "$mmio"
	poke slot 0x10000 "$(offset_of SLOT_ID)" 2 = 32764
	expect internal-slot 0x10002000 'mmio mmio:internal-slot mmio:mmio-cached'
	mend
}

# No stock kernel has a kind of VM with private memory on such a CPU: KVM is told that this is one.
private() {
	offset=$(offset_of KVM_HAS_PRIVATE_MEM)
	if [ -z "$offset" ]; then
		skip "mixed-attributes: this kernel has no memory attributes"
		return
	fi
	poke kvm 0 "$offset" 1 = 1
	guest 'attributes 0x20000000+64K private' 'touch 0x20100000 w'
	expect mixed-attributes 0x20100000 'mapped size:mixed-attributes'
	expect private-without-memory 0x20000000 'unmapped mapped:private-without-memory'
	guest 'attributes 0x20000000+64K shared'
	expect no-mixed-attributes 0x20100000 'mapped size:not-refaulted'
	if has_gmem; then
		guest 'attributes 0x54000000+64K private'
		expect private 0x54008000 'unmapped mapped:private-no-page mapped:private'
		guest 'attributes 0x54000000+64K shared'
	fi
	mend
}

has_gmem() {
	! pages_do layout | grep -Eq '"name":"gmem"[^}]*"skipped":"'
}

gmem() {
	if ! has_gmem; then
		skip "guest-memfd: this kernel gives no guest_memfd to such a VM"
		return
	fi
	guest 'touch 0x54000000 w'
	expect guest-memfd 0x54000000 'mapped size:guest-memfd'
}

giant() {
	if pages_do layout | grep -Eq '"name":"hugetlb-1g"[^}]*"skipped":"'; then
		skip "largest: L1 has no 1G page"
	else
		expect largest 0x92345000 'mapped size:largest'
	fi
}

# The same VM from a file: what the host maps is known only where it was kept.
offline() {
	guest 'touch 0x10000000 w' 'get-dirty 8'
	check save spt -V "$VM" save "$WORK/why.spt"
	expect offline-host-unknown 0x10000000 'mapped size:host-unknown' -i "$WORK/why.spt"
	expect offline-dirty 0x60008000 'mapped size:dirty-logging write:dirty-log-protected' \
		-i "$WORK/why.spt"
	check save-host spt -V "$VM" save --with host "$WORK/host.spt"
	expect offline-host-smaller 0x10000000 'mapped size:host-smaller' -i "$WORK/host.spt"
	expect offline-not-present 0x78302000 'unmapped mapped:host-not-present' -i "$WORK/host.spt"
}

# Before a vCPU runs there is no root.
unborn() {
	pages_start --no-run || finish
	expect no-root 0x10000000 'unmapped mapped:no-root mapped:host-not-present'
	pages_stop
}

# The entry of the guest's table that maps a GPA by 4K: its GPA.
guest_pte() {
	table=0x10000 gva=$((0x100000000000 + $1))
	for shift in 39 30 21; do
		entry=$(pages_do "peek $(printf 0x%x $((table + (gva >> shift & 511) * 8)))")
		table=$((${entry#ok } & 0xffffffffff000))
	done
	printf '0x%x\n' $((table + (gva >> 12 & 511) * 8))
}

shadow() {
	guest 'touch 0x78000000+16K w'
	expect guest-page-smaller 0x78001000 'mapped size:guest-page-smaller'
	guest 'touch 0x10000 r'
	expect shadowed-table 0x10000 \
		'mapped size:guest-page-smaller size:shadowed-table size:host-smaller write:shadowed-page-table'
	pte=$(guest_pte 0x78010000)
	value=$(pages_do "peek $pte")
	guest "write $pte $(printf 0x%x $((${value#ok } & ~2)))" 'touch 0x78010000 r'
	expect guest-readonly 0x78010000 'mapped size:guest-page-smaller write:guest-readonly'
	expect guest-nx 0x30005000 \
		'mapped size:guest-page-smaller size:misaligned size:slot-edge size:host-smaller exec:guest-nx'
	expect shadow-dirty-logging 0x60000000 'mapped size:dirty-logging'
	expect shadow-absent 0x78200000 'unmapped mapped:host-not-present'
	expect shadow-no-slot 0xf0000000 'no-slot mmio:no-slot'
	guest 'touch 0x70000000 r'
	expect shadow-mmio 0x70000000 'no-slot mmio:no-slot mmio:mmio-cached'
	nx_shadow
}

nx_shadow() {
	echo force >"$nx"
	guest 'touch 0x20000000 x'
	expect shadow-nx-split 0x20000000 'mapped size:nx-huge-page'
	echo off >"$nx"
}

# Where the emulated CPU has no 1G pages, that is one more reason against them.
max_level() {
	[ "$(sed -n 's/^max_huge_page_level: //p' "$DEBUGFS/masks")" != 0x2 ] || echo "size:max-level "
}

case $LAB_MMU in
*shadow)
	pages_start || finish
	shadow
	;;
npt*)
	unborn
	pages_start --extra || finish
	everyday
	mmio
	host
	ksm
	swapped
	device
	tracking
	passing
	gmem
	giant
	offline
	nx
	slot_comes
	copy_on_write
	;;
*)
	pages_start || finish
	expect host-smaller 0x10000000 'mapped size:host-smaller'
	fact host.page_size 4096
	expect dirty-logging 0x60000000 'mapped size:dirty-logging'
	expect readonly-slot 0x40000000 \
		'mapped size:slot-edge size:host-smaller write:readonly-slot'
	expect zero-page 0x10200000 'mapped size:host-special write:host-special-page'
	expect mmio-cached 0x70000000 'no-slot mmio:no-slot mmio:mmio-cached'
	expect 2m-of-a-small-slot 0x20000000 \
		"mapped $(max_level)size:misaligned size:slot-edge size:host-smaller"
	;;
esac
pages_stop
finish
