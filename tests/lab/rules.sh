#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each rule of the audit fires when what it says is broken, at the right address, and nothing else
# does; and none when it is mended. The guest is paused while something is broken.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/breaker.sh
. "$(dirname "$0")/breaker.sh"

tdp=
list=
shadow=
case $LAB_MMU in
npt* | ept) tdp=1 ;;
ept-list) list=1 ;;
*) shadow=1 ;;
esac
ept=
case $LAB_MMU in
ept*) ept=1 ;;
esac

settle
pages_start || finish
# A leaf table without leaves: to break what it says of itself breaks nothing below.
change empty-table 'touch 0x600000 w' 'madvise 0x600000+4K dontneed' 'touch 0x13000 r'
check breaker-loads load_breaker
check silent-before quiet

host_writable=$(mask shadow_host_writable_mask)
mmu_writable=$(mask shadow_mmu_writable_mask)
writable=$((host_writable | mmu_writable | 2))

entry 0x600000 2 2>/dev/null
[ -s "$WORK/entry" ] || rm -f "$WORK/trouble"
empty=$hpa empty_link=$spte
entry 0x10003000 4
root=$table
entry 0x10003000 1
leaf=$spte leaf_hpa=$hpa leaf_table=$table

# --- Tables and how they hang together.
if [ $tdp$list ]; then
	entry 0x10003000 2
	at=$((at + 16)) # 0x10400000: behind the slot's memory
	poke_entry '=' "$spte"
	poke_entry ^ $((hpa ^ leaf_hpa))
	fires child-table 0x10400000

	poke_page "$empty" SP_ROLE 4 ^ 3
	fires child-level 0x600000

	poke_page "$empty" SP_GFN 8 ^ 0x200
	fires child-gfn 0x600000

	poke_page "$empty" SP_ROLE 4 ^ $((1 << $(layout ROLE_GUEST_MODE bit)))
	fires child-role 0x600000

	poke_page "$empty" "$([ $tdp ] && echo SP_PTEP || echo SP_PARENT_PTES)" 8 ^ 8
	fires parent-pointer 0x600000

	poke private "$root" 0 8 ^ 8
	fires backlink -
fi
if [ $tdp ]; then
	entry 0x10003000 2
	at=$((at + 16))
	poke_entry '=' "$empty_link"
	fires linked-once 0x10400000
fi

# --- Leaves against memory slots and the host.
if [ $tdp ]; then
	entry 0x40000000 1
	at=$((at + 64 * 8)) # behind the slot's end, in the same table
	poke_entry '=' "$spte"
	poke_kvm KVM_STAT_PAGES_4K 8 + 1
	fires leaf-slot 0x40040000
fi
entry 0x10003000 1
poke_entry ^ 0x1000
fires leaf-host 0x10003000

entry 0x10200000 1
poke_entry '|' $writable
fires host-writable 0x10200000

entry 0x70000000 1
mmio=$spte
poke_entry ^ 0x4000000000000000
fires mmio-generation 0x70000000

if [ $tdp$list ]; then
	poke_entry ^ 0x1000
	fires mmio-gfn 0x70000000
else
	poke_entry ^ $((0x70000000 ^ 0x10003000))
	fires mmio-over-present 0x10003000
fi

entry 0x10180000 1
at=$((at + 16 * 8)) # 0x10190000, which was never touched
poke_entry '=' "$mmio"
poke_entry ^ $((0x70000000 ^ 0x10190000))
fires mmio-in-slot 0x10190000

# --- Huge leaves.
entry 0x20000000 2
poke_entry ^ 0x2000
fires huge-aligned 0x20000000

poke slot 0x20400 "$(layout SLOT_NPAGES offset)" 8 - 0x300
fires huge-in-slot 0x20400000

poke slot 0x20000 "$(layout SLOT_HVA offset)" 8 + 0x1000
fires 'huge-hva leaf-host' 0x20000000 # the slot's other memory moved, too

poke lpage 0x20000 2 4 + 1
fires huge-disallowed 0x20000000

# --- Permission to write.
entry 0x10003000 1
poke_entry ^ "$mmu_writable"
fires w-mmu-writable 0x10003000

poke_entry ^ "$host_writable"
fires mmu-host-writable 0x10003000

entry 0x40003000 1
poke_entry '|' $writable
fires w-readonly-slot 0x40003000

if [ $shadow ]; then
	poke track 0x10003 0 2 + 1
	fires w-tracked 0x10003000
fi

# Where the processor may log (PML), W says nothing; older kernels do not tell whether it does.
if [ -z "$ept" ] || [ "$(layout KVM_CPU_DIRTY_LOG_SIZE offset)" ]; then
	entry 0x60008000 1
	poke_entry '|' 2
	fires w-dirty-log 0x60008000
fi

# --- The format of single entries.
entry 0x10003000 1
[ "$(layout ROLE_ACCESS mask)" = 0xf ] && type_shift=60 || type_shift=52
poke_entry ^ $((3 << type_shift))
fires ad-type 0x10003000

poke_entry '|' 0x200000000000
fires reserved-bits 0x10003000

if [ $ept ]; then
	poke_entry ^ 0x20 # WB, 6, becomes 2
	fires memory-type 0x10003000
fi

entry 0x10180000 1
at=$((at + 16 * 8))
poke_entry '=' "$leaf"
poke_entry ^ 0x800
fires hw-present "$([ $shadow ] && echo - || echo 0x10190000)"

if [ $tdp ]; then
	[ "$type_shift" = 60 ] && frozen=0x1a0 || frozen=0x5a0
	poke_entry '|' "$frozen"
	fires frozen 0x10190000
fi

# --- The shadow MMU.
if [ $shadow$list ]; then
	poke rmap 0x10003 1 8 = 0
	fires rmap-leaf 0x10003000

	entry 0x10003000 1
	poke rmap 0x10190 1 8 = "@$((table + at))"
	fires rmap-entry 0x10190000
fi
if [ $shadow ]; then
	poke_page "$root" SP_UNSYNC 1 '|' 1
	fires unsync-page -

	entry 0x10003000 1
	poke pointed $((table + index)) "$(layout SP_TRANSLATION offset)" 8 ^ 2
	fires shadow-access 0x10003000

	poke track 0x10 0 2 - 1
	fires shadow-tracked -

	poke_page "$leaf_table" SP_UNSYNC 1 '|' 1
	fires unsync-parent -

	# The guest may write its own table since it read it: KVM let its shadow page go unsync.
	entry 0x1000 1
	poke_page "$table" SP_UNSYNC 1 '&' 0
	fires unsync-writable 0x13000
fi
if [ $shadow ]; then
	# The guest's own tables are in a saved image: there one of their entries is another than the
	# one that was shadowed. Through the VMM's mapping KVM does not see it change.
	entry 0x10003000 1
	guest_table=$(spt -V "$VM" --json tables | tr -d ' \n' | sed 's/{"hpa"/\n&/g' |
		sed -n "s/^{\"hpa\":\"$table\",.*\"gpa\":\"\([^\"]*\)\".*/\1/p")
	pte=$((guest_table + at))
	before=$(pages_do "peek $pte" | cut -d' ' -f 2)
	pages_do "poke $pte $((before ^ 0x4000))" >/dev/null
	spt -V "$VM" save --with guest-tables,host "$WORK/guest.spt" >/dev/null 2>>"$WORK/trouble"
	pages_do "poke $pte $before" >/dev/null
	[ -s "$WORK/guest.spt" ] && rm -f "$WORK/trouble"
	audited "$WORK/guest.spt" >"$WORK/found"
	fired=$status
	judge guest-pte -
fi
nx=$(layout KVM_NX_PAGES_SHADOW offset)
[ -z "$tdp" ] || nx=$(layout KVM_NX_PAGES_TDP offset)
poke_page "$([ $shadow ] && echo "$leaf_table" || echo "$empty")" SP_NX_LINK 8 = "@$leaf_hpa"
poke_kvm KVM_STAT_NX_LPAGE_SPLITS 8 + 1
[ -z "$nx" ] || poke kvm 0 "$nx" 8 + 1
fires nx-list -

# --- Counters, roots, invalidation.
poke_kvm KVM_STAT_PAGES_4K 8 + 1
fires count-pages -

if [ $shadow$list ]; then
	poke_kvm KVM_N_USED_MMU_PAGES 8 - 1
	fires count-shadow-pages -
elif [ "$(layout KVM_TDP_MMU_PAGES mask)" ]; then
	poke_kvm KVM_TDP_MMU_PAGES 8 + 1
	fires count-tdp-pages -
fi

poke_kvm KVM_INDIRECT_SHADOW_PAGES 4 + 1
fires count-indirect -

poke_kvm KVM_STAT_NX_LPAGE_SPLITS 8 + 1
fires count-nx -

if [ $tdp ]; then
	poke_page "$root" SP_TDP_ROOT_COUNT 4 = 0
else
	# A shadow page is a root by its count: one more vCPU's root than it counts.
	poke mmu 0 $(($(layout MMU_PREV_ROOTS offset) + $(layout ROOT_INFO_HPA offset))) 8 = "$root"
fi
fires count-roots -

if [ $tdp ]; then
	poke mmu 0 "$(layout MMU_ROOT_HPA offset)" 8 = "$empty"
	fires vcpu-root -
fi

poke_kvm KVM_INVALIDATE_IN_PROGRESS 8 + 1
fires invalidate-stuck -

poke_kvm KVM_INVALIDATE_SEQ 8 '|' 0x80000000
fires invalidate-seq -

# Private memory: no stock kernel gives it to a VM on such a CPU, so KVM is told that this one has
# it, for the time that attributes are set. Half of a huge page is made private, which takes the
# page from the tables; then it is put back there.
private_half() {
	entry 0x20000000 2
	huge=$spte
	poke_kvm KVM_HAS_PRIVATE_MEM 1 = 1
	pages_do 'attributes 0x20000000+1M private' >/dev/null || echo "no attributes" >>"$WORK/trouble"
	entry 0x20200000 2
	poke memory "$table" $((at - 8)) 8 = "$huge"
	poke_kvm KVM_STAT_PAGES_2M 8 + 1
	fires huge-attrs 0x20000000
	poke_kvm KVM_HAS_PRIVATE_MEM 1 = 1
	pages_do 'attributes 0x20000000+1M shared' >/dev/null || echo "no attributes" >>"$WORK/trouble"
	echo 1 >$breaker/restore
	check silent-with-attributes-gone quiet
}
if [ $tdp ] && [ "$(layout KVM_HAS_PRIVATE_MEM offset)" ]; then
	private_half
fi

check breaker-unloads rmmod breaker
# It is as if nothing had been: the guest goes on.
change go-on 'touch 0x10000000+1M w' 'touch 0x20000000+2M w' 'touch 0x78000000+64K w' 'touch 0x70000000 r'
check silent-after quiet
finish
