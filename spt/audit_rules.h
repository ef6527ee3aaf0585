/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What must be true of KVM's shadow page tables: the rules of `audit`.
 *
 * One entry is the rule's name for --rule, its text for --list and the key of its
 * result. KVM symbols are those of arch/x86/kvm/mmu unless another file is named;
 * SDM is Intel's manual, APM is AMD's. Entries are appended, never renamed.
 */
#ifndef SPT_AUDIT_RULES_H
#define SPT_AUDIT_RULES_H

/* clang-format off */
/*
 * R(id, name, scope, parts, what it says, why it matters, source)
 *
 * scope: what 'checked' counts (enum spt_audit_scope).
 * parts: SPT_PART_* names, or-ed, without which nothing can be judged.
 */
#define SPT_AUDIT_RULES(R)								\
	/* Tables and how they hang together. */					\
	R(CHILD_TABLE, "child-table", ENTRY, P(TABLES),					\
	  "an entry that leads to a table leads to one that KVM has",			\
	  "the CPU would walk a page that is something else by now",			\
	  "spte_to_child_sp(), page_private() of the table's page")			\
	R(CHILD_LEVEL, "child-level", ENTRY, P(TABLES),					\
	  "a table is one level below the entry that leads to it",			\
	  "every address below is translated with the wrong bits",			\
	  "tdp_mmu_init_child_sp(), kvm_mmu_child_role()")				\
	R(CHILD_GFN, "child-gfn", ENTRY, P(TABLES),					\
	  "a table's gfn is the one that the entry above it stands for",		\
	  "zaps and reverse maps look for the leaves under another gfn: use after free",\
	  "kvm_mmu_get_child_sp(), tdp_mmu_init_child_sp(); CVE-2026-46113")		\
	R(CHILD_ROLE, "child-role", ENTRY, P(TABLES),					\
	  "a table's role is what its parent's role implies, and it is not invalid",	\
	  "a table of another MMU (nested, SMM, mirror) or one that was zapped is walked",\
	  "kvm_mmu_child_role(), tdp_mmu_init_child_sp(); CVE-2026-53359")		\
	R(PARENT_POINTER, "parent-pointer", TABLE, P(TABLES),				\
	  "a table's pointer to the entry above it names the entry that leads to it",	\
	  "zapping the table clears an entry elsewhere and leaves this one",		\
	  "struct kvm_mmu_page.ptep, parent_ptes; tdp_mmu_zap_sp(), kvm_mmu_unlink_parents()")\
	R(BACKLINK, "backlink", TABLE, P(TABLES),					\
	  "page_private() of a table's page is its kvm_mmu_page",			\
	  "KVM finds the wrong bookkeeping for every entry in it",			\
	  "sptep_to_sp(), to_shadow_page(); set_page_private() in tdp_mmu_init_sp()")	\
	R(LINKED_ONCE, "linked-once", TABLE, P(TABLES),					\
	  "one entry leads to a table of the TDP MMU, not two",				\
	  "zapping one of them frees a table that the other still leads to",		\
	  "tdp_mmu_link_sp(), handle_removed_pt()")					\
	/* Leaves against memory slots and the host. */					\
	R(LEAF_SLOT, "leaf-slot", LEAF, P(TABLES) | P(MEMSLOTS),			\
	  "a leaf maps a guest frame that a memory slot has",				\
	  "a deleted slot's memory stays mapped in the guest after the VMM let go of it",\
	  "kvm_arch_flush_shadow_memslot(), kvm_mmu_zap_memslot()")			\
	R(LEAF_HOST, "leaf-host", LEAF, P(TABLES) | P(MEMSLOTS),			\
	  "a leaf's page is the one that the host maps for its slot and gfn",		\
	  "the guest reads and writes memory that belongs to somebody else",		\
	  "kvm_mmu_notifier_invalidate_range_start(), mmu_invalidate_retry_gfn()")	\
	R(HOST_WRITABLE, "host-writable", LEAF, P(TABLES) | P(MEMSLOTS),		\
	  "a leaf that allows writes maps a page that the host may write",		\
	  "the guest writes into a page that is shared, merged or write-protected",	\
	  "kvm_faultin_pfn(), make_spte(): map_writable")				\
	R(MMIO_IN_SLOT, "mmio-in-slot", SPECIAL, P(TABLES) | P(MEMSLOTS) | P(VM),	\
	  "no MMIO entry of the current generation stands for a frame of a slot",	\
	  "accesses to memory exit to the VMM as if it were a device",			\
	  "mark_mmio_spte(), kvm_handle_noslot_fault(); check_mmio_spte()")		\
	R(MMIO_GENERATION, "mmio-generation", SPECIAL, P(TABLES) | P(VM),		\
	  "an MMIO entry's generation is one that the memory slots have had",		\
	  "an entry from the future becomes valid by itself when the slots get there",	\
	  "check_mmio_spte(), kvm_mmu_invalidate_mmio_sptes()")				\
	R(MMIO_GFN, "mmio-gfn", SPECIAL, P(TABLES),					\
	  "the gfn in an MMIO entry is that of its place",				\
	  "the VMM is asked to emulate an access to another address",			\
	  "make_mmio_spte(), get_mmio_spte_gfn()")					\
	R(MMIO_PRESENT, "mmio-over-present", SPECIAL, P(TABLES) | P(VM),		\
	  "a gfn with an MMIO entry of the current generation is mapped nowhere",	\
	  "a present entry was overwritten without being zapped, or would be",		\
	  "mmu_set_spte(), mark_mmio_spte(); CVE-2026-23401")				\
	/* Huge leaves. */								\
	R(HUGE_ALIGNED, "huge-aligned", LEAF, P(TABLES),				\
	  "a huge leaf's page begins at a multiple of its size",			\
	  "reserved address bits: every access faults",					\
	  "kvm_mmu_hugepage_adjust(); SDM Vol. 3C 29.3.2, APM Vol. 2 5.3")		\
	R(HUGE_SLOT, "huge-in-slot", LEAF, P(TABLES) | P(MEMSLOTS),			\
	  "a huge leaf lies wholly inside one slot",					\
	  "the guest reaches what lies beside the slot's memory",			\
	  "kvm_alloc_memslot_metadata() in x86.c")					\
	R(HUGE_HVA, "huge-hva", LEAF, P(TABLES) | P(MEMSLOTS),				\
	  "under a huge leaf, GPA and HVA are congruent modulo its size",		\
	  "host and guest huge page cannot coincide: wrong pages are mapped",		\
	  "kvm_alloc_memslot_metadata() in x86.c")					\
	R(HUGE_DISALLOWED, "huge-disallowed", LEAF, P(TABLES) | P(MEMSLOTS) | P(LPAGE),	\
	  "no writable huge leaf stands where disallow_lpage forbids it",		\
	  "write tracking and private memory need small pages to see every change",	\
	  "kvm_mmu_max_mapping_level(), kvm_mmu_gfn_disallow_lpage()")			\
	R(HUGE_ATTRS, "huge-attrs", LEAF, P(TABLES) | P(ATTRS),				\
	  "memory attributes are the same all over a huge leaf",			\
	  "private and shared memory behind one entry",					\
	  "hugepage_has_attrs(), KVM_LPAGE_MIXED_FLAG; commit 992b54bd083c")		\
	R(ATTRS_ROOT, "attrs-root", LEAF, P(TABLES) | P(ATTRS) | P(VM),			\
	  "private frames are mapped in the mirror root alone, shared ones outside it",	\
	  "host memory in a TD's private tree is not zapped when the host takes it back",\
	  "kvm_mmu_faultin_pfn(), kvm_gfn_range_filter_to_root_types()")		\
	/* Permission to write. */							\
	R(W_MMU_WRITABLE, "w-mmu-writable", CLASS, P(TABLES),				\
	  "W implies MMU-writable",							\
	  "KVM write-protects by clearing both: one of them was missed",		\
	  "check_spte_writable_invariants() in spte.h; commit 7c8a4742c4ab")		\
	R(MMU_HOST_WRITABLE, "mmu-host-writable", CLASS, P(TABLES),			\
	  "MMU-writable implies host-writable",						\
	  "a fast page fault would make a page writable that the host keeps read-only",	\
	  "check_spte_writable_invariants() in spte.h")					\
	R(W_READONLY_SLOT, "w-readonly-slot", LEAF, P(TABLES) | P(MEMSLOTS),		\
	  "no leaf of a read-only slot allows writes",					\
	  "the guest changes its firmware, or any memory it was only shown",		\
	  "__kvm_faultin_pfn(), memslot_is_readonly() in kvm_main.c")			\
	R(W_TRACKED, "w-tracked", LEAF, P(TABLES) | P(MEMSLOTS) | P(LPAGE),		\
	  "no leaf that covers a write-tracked frame allows writes",			\
	  "KVM misses a change of a guest page table that it shadows",			\
	  "mmu_try_to_unsync_pages(), kvm_gfn_is_write_tracked()")			\
	R(W_DIRTY_LOG, "w-dirty-log", LEAF, P(TABLES) | P(MEMSLOTS) | P(DIRTY) | P(VM),	\
	  "under dirty logging a leaf allows writes only where the page is marked dirty",\
	  "live migration loses the guest's next write",				\
	  "make_spte(): mark_page_dirty_in_slot(); kvm_mmu_write_protect_pt_masked()")	\
	/* The format of single entries. */						\
	R(AD_TYPE, "ad-type", CLASS, P(TABLES),						\
	  "an entry's A/D type is one that exists and fits its table's role",		\
	  "accessed and dirty state is kept where nobody looks for it",			\
	  "SPTE_TDP_AD_*, make_spte(), make_nonleaf_spte()")				\
	R(RESERVED_BITS, "reserved-bits", CLASS, P(TABLES),				\
	  "a present entry has no bit set that the CPU reserves",			\
	  "every access through it faults, or exits as a misconfiguration",		\
	  "is_rsvd_spte(); SDM Vol. 3C 29.3.3.1, APM Vol. 2 15.25")			\
	R(MEMORY_TYPE, "memory-type", CLASS, P(TABLES),					\
	  "a leaf's memory type is one of UC, WC, WT, WP and WB",			\
	  "EPT misconfiguration: the vCPU cannot go on",				\
	  "make_spte(): kvm_x86_ops.get_mt_mask; SDM Vol. 3C 29.3.3.1")			\
	R(HW_PRESENT, "hw-present", CLASS, P(TABLES),					\
	  "an entry that is empty for KVM is empty for the CPU",			\
	  "the guest reaches a page that KVM and the host take for unmapped",		\
	  "is_shadow_present_pte(): SPTE_MMU_PRESENT_MASK; SHADOW_NONPRESENT_VALUE")	\
	R(FROZEN, "frozen", SPECIAL, P(TABLES),						\
	  "an entry does not stay frozen",						\
	  "every fault on the address is retried for ever",				\
	  "FROZEN_SPTE (REMOVED_SPTE), tdp_mmu_set_spte_atomic()")			\
	/* The shadow MMU. */								\
	R(RMAP_LEAF, "rmap-leaf", LEAF, P(TABLES) | P(MEMSLOTS) | P(RMAPS),		\
	  "the reverse map of its gfn names each present leaf of the shadow MMU",	\
	  "the leaf survives when the host takes the page back: use after free",	\
	  "rmap_add(), kvm_zap_rmap(); CVE-2026-46113")					\
	R(RMAP_ENTRY, "rmap-entry", RMAP, P(TABLES) | P(MEMSLOTS) | P(RMAPS),		\
	  "a reverse map names present leaves of its own gfn and level only",		\
	  "KVM follows it into a table that was freed",					\
	  "pte_list_remove(), rmap_remove(), drop_spte()")				\
	R(SHADOW_ACCESS, "shadow-access", LEAF, P(TABLES),				\
	  "a shadow leaf allows no more than the guest's own tables do",		\
	  "a guest's user mode reaches what its kernel forbids",			\
	  "kvm_mmu_page_set_translation(), FNAME(fetch) in paging_tmpl.h")		\
	R(GUEST_PTE, "guest-pte", ENTRY, P(TABLES),					\
	  "a synchronised shadow entry translates as the guest's entry says",		\
	  "the guest's change of its page table was missed",				\
	  "kvm_mmu_track_write(), FNAME(sync_spte) in paging_tmpl.h")			\
	R(SHADOW_TRACKED, "shadow-tracked", TABLE, P(TABLES) | P(MEMSLOTS) | P(LPAGE),	\
	  "the guest table behind a shadow page above level 1 is write-tracked",	\
	  "the guest changes an upper table and KVM does not notice",			\
	  "account_shadowed()")								\
	R(UNSYNC_PAGE, "unsync-page", TABLE, P(TABLES),					\
	  "only a shadow page of level 1 that shadows a guest table is unsync",		\
	  "nothing synchronises it before the guest uses it again",			\
	  "mmu_try_to_unsync_pages(), kvm_unsync_page()")				\
	R(UNSYNC_PARENT, "unsync-parent", TABLE, P(TABLES),				\
	  "a shadow page counts at least the children that are unsync or lead to such",	\
	  "a guest's TLB flush does not reach the unsync page below",			\
	  "mmu_mark_children_unsync(), kvm_mmu_mark_parents_unsync()")			\
	R(UNSYNC_WRITABLE, "unsync-writable", LEAF, P(TABLES),				\
	  "no leaf lets the guest write a table whose shadow page is in sync",		\
	  "the guest changes its page table and KVM does not notice",			\
	  "mmu_try_to_unsync_pages(), kvm_vcpu_write_protect_gfn()")			\
	R(NX_LIST, "nx-list", TABLE, P(TABLES),						\
	  "a table on the list of possible NX huge pages forbids huge pages itself",	\
	  "the recovery thread zaps a table it should not, or never this one",		\
	  "account_nx_huge_page(), track_possible_nx_huge_page()")			\
	/* Counters. */									\
	R(COUNT_PAGES, "count-pages", VM, P(TABLES) | P(VM),				\
	  "pages_4k, pages_2m and pages_1g are the numbers of leaves",			\
	  "a leaf was lost or counted twice",						\
	  "kvm_update_page_stats()")							\
	R(COUNT_SHADOW, "count-shadow-pages", VM, P(TABLES) | P(VM),			\
	  "n_used_mmu_pages is the number of shadow pages",				\
	  "KVM recycles too early or never, and leaks the pages",			\
	  "kvm_account_mmu_page(), kvm_unaccount_mmu_page()")				\
	R(COUNT_TDP, "count-tdp-pages", VM, P(TABLES) | P(VM),				\
	  "tdp_mmu_pages is the number of the TDP MMU's tables below the roots",	\
	  "a table was lost",								\
	  "tdp_account_mmu_page(), tdp_unaccount_mmu_page()")				\
	R(COUNT_INDIRECT, "count-indirect", VM, P(TABLES) | P(VM),			\
	  "indirect_shadow_pages is the number of pages that shadow a guest table",	\
	  "at 0 KVM does not look for writes to guest tables at all",			\
	  "account_shadowed(), kvm_mmu_track_write()")					\
	R(COUNT_NX, "count-nx", VM, P(TABLES) | P(VM),					\
	  "nx_lpage_splits is the number of tables listed as possible NX huge pages",	\
	  "the recovery thread zaps too few or too many",				\
	  "track_possible_nx_huge_page(), kvm_recover_nx_huge_pages()")			\
	R(COUNT_ROOTS, "count-roots", ROOT, P(ROOTS) | P(TABLES) | P(VCPUS),		\
	  "a root's reference count covers the vCPUs that use it",			\
	  "the root is freed while a CPU walks it",					\
	  "kvm_tdp_mmu_get_root(), kvm_tdp_mmu_put_root(), mmu_free_root_page()")	\
	R(VCPU_ROOT, "vcpu-root", VCPU, P(ROOTS) | P(TABLES) | P(VCPUS),		\
	  "a vCPU's root is a table of its MMU's level that is a root",			\
	  "the CPU walks a page that is no root",					\
	  "kvm_mmu_load(), struct kvm_mmu.root")					\
	/* Invalidation. */								\
	R(INVALIDATE_STUCK, "invalidate-stuck", VM, P(VM),				\
	  "an invalidation comes to its end",						\
	  "vCPUs that fault in its range spin until it does",				\
	  "kvm_mmu_invalidate_begin(), kvm_mmu_invalidate_end(); commit d02c357e5bfa")	\
	R(INVALIDATE_SEQ, "invalidate-seq", VM, P(VM),					\
	  "hint: mmu_invalidate_seq is past INT_MAX",					\
	  "kernels that keep a copy of it in an int make vCPUs spin on faults from there on",\
	  "is_page_fault_stale(); commit 82d811ff5665")					\
	/* Memory of two halves: a TD's mirror root and the shared one. */		\
	R(MIRROR_GMEM, "mirror-gmem", LEAF, P(TABLES) | P(MEMSLOTS) | P(GMEM),		\
	  "a mirror leaf's page is the one that guest_memfd has for its gfn",		\
	  "private memory is a page that the file may give away, or already has",	\
	  "kvm_gmem_get_pfn(), __kvm_gmem_invalidate_begin() in guest_memfd.c")		\
	R(MIRROR_EXTERNAL, "mirror-external", EXTERNAL, P(TABLES) | P(VM),		\
	  "an external entry is what the mirror's entry stands for, unless that is frozen",\
	  "the CPU walks another tree than the one that KVM keeps and zaps",		\
	  "__tdp_mmu_set_spte_atomic(): set_external_spte, free_external_spt")		\
	R(ONE_HALF, "one-half", LEAF, P(TABLES) | P(VM),				\
	  "no host page is mapped by the mirror root and by a shared one",		\
	  "the host and devices reach memory that the guest trusts",			\
	  "kvm_mmu_faultin_pfn_gmem(), __kvm_mmu_faultin_pfn()")			\
	R(MIRROR_USER, "mirror-user", LEAF, P(TABLES) | P(MEMSLOTS) | P(VM),		\
	  "the mirror root maps no page that the VMM's own page tables map for a slot",	\
	  "MMU notifiers zap the shared root alone: use after free when the host takes it",\
	  "kvm_handle_hva_range(): KVM_FILTER_SHARED")					\
	R(SHARED_BIT, "shared-bit", LEAF, P(TABLES) | P(VM),				\
	  "leaves of a shared root lie above the GPA bit, those of the mirror below",	\
	  "the guest reaches shared memory by an address that it takes for private",	\
	  "kvm_gfn_root_bits(), kvm_is_addr_direct() in mmu.h")
/* clang-format on */

#endif
