/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The causes that `why` can name. One row gives the enum, the name in text and
 * JSON, the sentence and the place in KVM that makes it so; within a question the
 * order is that in which KVM looks, so the first cause that holds decides.
 */
#ifndef SPT_WHY_CAUSE_H
#define SPT_WHY_CAUSE_H

#include <stdint.h>

/* clang-format off */
/* What a cause answers. */
#define SPT_QUESTIONS(Q)						\
	Q(SIZE, "size", "not mapped larger")				\
	Q(MAPPED, "mapped", "not mapped")				\
	Q(WRITE, "write", "not writable")				\
	Q(EXEC, "exec", "not executable")				\
	Q(MMIO, "mmio", "emulated")

enum spt_question {
#define Q(id, name, text) SPT_QUESTION_##id,
	SPT_QUESTIONS(Q)
#undef Q
	SPT_QUESTION_COUNT,
};

/* C(id, question, name, sentence, source in KVM). Names are stable. */
#define SPT_CAUSES(C)							\
	/* Why not the next larger page: in the order of kvm_mmu_hugepage_adjust(). */ \
	C(GUEST_SMALLER, SIZE, "guest-page-smaller",			\
	  "the guest's own page table maps no larger page here, and a shadow entry maps no more than that", \
	  "FNAME(page_fault): fault->max_level = walker.level")		\
	C(MAX_LEVEL, SIZE, "max-level",					\
	  "the CPU or the MMU in use has no larger page",		\
	  "kvm_configure_mmu(): max_huge_page_level")			\
	C(DIRTY_LOG, SIZE, "dirty-logging",				\
	  "the slot's dirty log is on: it counts 4K pages, so only those are mapped", \
	  "kvm_mmu_hugepage_adjust(): kvm_slot_dirty_track_enabled()")	\
	C(MISALIGNED, SIZE, "misaligned",				\
	  "guest frame and HVA differ in the bits below the larger page", \
	  "kvm_alloc_memslot_metadata(): (base_gfn ^ ugfn)")		\
	C(SLOT_EDGE, SIZE, "slot-edge",					\
	  "the larger page would reach past the end of the slot",	\
	  "kvm_alloc_memslot_metadata(): base_gfn, base_gfn + npages")	\
	C(MIXED_ATTRS, SIZE, "mixed-attributes",			\
	  "some of the larger page is private memory and some is shared", \
	  "kvm_arch_post_set_memory_attributes(): KVM_LPAGE_MIXED_FLAG") \
	C(WRITE_TRACK_SIZE, SIZE, "write-track",			\
	  "a page of it is write-tracked: a shadowed guest page table, or one that a device model asked for", \
	  "kvm_mmu_gfn_disallow_lpage() by write tracking")		\
	C(SHADOWED_SIZE, SIZE, "shadowed-table",			\
	  "a page of it is a guest page table that KVM shadows",	\
	  "account_shadowed()")						\
	C(DISALLOW, SIZE, "disallow-lpage",				\
	  "KVM's count of reasons against a large page is not 0, for more than the facts show", \
	  "lpage_info_slot(): disallow_lpage")				\
	C(MIRROR_4K, SIZE, "private-4k",				\
	  "a TD's private memory is mapped with 4K pages",		\
	  "kvm_x86_ops.gmem_max_mapping_level")				\
	C(GMEM_ORDER, SIZE, "guest-memfd",				\
	  "the page comes from guest_memfd, whose folio is no larger",	\
	  "kvm_gmem_get_pfn(): max_order")				\
	C(HOST_SPLIT, SIZE, "host-split",				\
	  "the host maps the page by small entries though its frames would make the larger page", \
	  "host_pfn_mapping_level()")					\
	C(HOST_SMALLER, SIZE, "host-smaller",				\
	  "the host maps the page no larger",				\
	  "host_pfn_mapping_level()")					\
	C(HOST_SPECIAL, SIZE, "host-special",				\
	  "the host maps it by a small special entry: device memory or the zero page", \
	  "host_pfn_mapping_level(); _PAGE_SPECIAL")			\
	C(HOST_GONE, SIZE, "host-not-mapped",				\
	  "the host maps no page there now",				\
	  "host_pfn_mapping_level()")					\
	C(NX_SPLIT, SIZE, "nx-huge-page",				\
	  "the guest executed from it, and executable huge pages are not allowed (iTLB multihit)", \
	  "disallowed_hugepage_adjust(): nx_huge_page_disallowed")	\
	C(HOST_UNKNOWN, SIZE, "host-unknown",				\
	  "whether the host maps it larger is not in the image",	\
	  "host_pfn_mapping_level()")					\
	C(STALE_SIZE, SIZE, "not-refaulted",				\
	  "nothing is against it any more: it becomes larger when it is zapped and faults again", \
	  "kvm_mmu_hugepage_adjust() at the next fault")		\
	C(LARGEST, SIZE, "largest",					\
	  "there is no larger page than 1G",				\
	  "KVM_MAX_HUGEPAGE_LEVEL")					\
	/* Why no page is mapped. */					\
	C(SLOT_INVALID, MAPPED, "slot-changing",			\
	  "the slot is being deleted or moved: faults wait or are emulated", \
	  "kvm_invalidate_memslot(): KVM_MEMSLOT_INVALID")		\
	C(INVALIDATING, MAPPED, "invalidation",				\
	  "the host is invalidating this range: faults are retried until it is done", \
	  "mmu_invalidate_retry_gfn(): mmu_invalidate_in_progress")	\
	C(FROZEN, MAPPED, "frozen",					\
	  "the entry is being changed at this moment",			\
	  "tdp_mmu_set_spte_atomic(): FROZEN_SPTE")			\
	C(ACC_TRACK, MAPPED, "access-tracked",				\
	  "mapped, but without permissions so that the next access is seen; that access gives them back", \
	  "mark_spte_for_access_track(); fast_page_fault()")		\
	C(OTHER_HALF, MAPPED, "other-half",				\
	  "the page is of the other half of memory: an access by an address of this one exits as a memory fault", \
	  "kvm_mmu_faultin_pfn(): is_private != kvm_mem_is_private()")	\
	C(PRIVATE_NO_GMEM, MAPPED, "private-without-memory",		\
	  "the page is private and its slot has no guest_memfd: accesses exit as memory faults", \
	  "kvm_mmu_faultin_pfn_gmem(): kvm_slot_has_gmem()")		\
	C(PRIVATE_NO_PAGE, MAPPED, "private-no-page",			\
	  "private memory that guest_memfd has no page for: never touched, or punched out; the next access makes one", \
	  "kvm_gmem_get_pfn(), kvm_gmem_punch_hole()")			\
	C(PRIVATE, MAPPED, "private",					\
	  "private memory that was not mapped yet; a shared access exits as a memory fault", \
	  "kvm_mmu_faultin_pfn(): is_private != kvm_mem_is_private()")	\
	C(HOST_SWAPPED, MAPPED, "host-swapped",				\
	  "the host has the page on swap: the next access reads it back", \
	  "kvm_faultin_pfn(): async page fault")			\
	C(HOST_MIGRATING, MAPPED, "host-migrating",			\
	  "the host is moving the page", "kvm_faultin_pfn()")		\
	C(HOST_POISONED, MAPPED, "host-special-entry",			\
	  "the host's entry is poison or a userfaultfd marker: the next access ends in the VMM", \
	  "kvm_handle_error_pfn(): KVM_PFN_ERR_HWPOISON")		\
	C(HOST_PROTNONE, MAPPED, "host-no-access",			\
	  "the host's entry allows no access (mprotect or a NUMA hint)", \
	  "hva_to_pfn()")						\
	C(STALE_MMIO, MAPPED, "mmio-stale",				\
	  "an MMIO entry of an older memslot generation is in its place: KVM ignores it", \
	  "check_mmio_spte()")						\
	C(NO_ROOT, MAPPED, "no-root",					\
	  "there is no table: no vCPU has entered the guest since KVM dropped them", \
	  "kvm_mmu_load()")						\
	C(HOST_NONE, MAPPED, "host-not-present",			\
	  "the host has no page there: it was never written or was thrown away", \
	  "kvm_unmap_gfn_range(); MADV_DONTNEED")			\
	C(UNTOUCHED, MAPPED, "not-touched",				\
	  "no access faulted it in since the slot was made or the range was zapped last", \
	  "kvm_tdp_mmu_map(), direct_map(), FNAME(fetch)")		\
	/* Why the page cannot be written. */				\
	C(SLOT_READONLY, WRITE, "readonly-slot",			\
	  "the slot is read-only: a write exits to the VMM as MMIO",	\
	  "memslot_is_readonly(): KVM_MEM_READONLY")			\
	C(WRITE_TRACKED, WRITE, "write-tracked",			\
	  "the frame is write-tracked: each write is trapped and emulated", \
	  "kvm_gfn_is_write_tracked()")					\
	C(SHADOWED, WRITE, "shadowed-page-table",			\
	  "the frame is a guest page table that KVM shadows: a write is trapped to keep both in step", \
	  "mmu_try_to_unsync_pages()")					\
	C(GUEST_READONLY, WRITE, "guest-readonly",			\
	  "the guest's own entry allows no writes, or was not written yet (D clear)", \
	  "FNAME(protect_clean_gpte)(), gpte_access()")			\
	C(HOST_ZERO_PAGE, WRITE, "host-special-page",			\
	  "the host maps a page that is not for writing: the zero page or device memory", \
	  "hva_to_pfn(): writable; _PAGE_SPECIAL")			\
	C(HOST_READONLY, WRITE, "host-readonly",			\
	  "the host's own entry allows no writes: copy-on-write, KSM or a read-only mapping", \
	  "hva_to_pfn(): writable")					\
	C(HOST_WAS_READONLY, WRITE, "host-was-readonly",		\
	  "the host did not let the page be written when it was mapped; a write faults it in anew", \
	  "make_spte(): host_writable")					\
	C(DIRTY_PROTECTED, WRITE, "dirty-log-protected",		\
	  "write-protected so that the dirty log sees the next write, which gives W back", \
	  "kvm_arch_mmu_enable_log_dirty_pt_masked(), fast_page_fault()") \
	C(MMU_WRITABLE, WRITE, "mmu-writable",				\
	  "KVM took W and may give it back without a lock at the next write", \
	  "fast_page_fault(): is_mmu_writable_spte()")			\
	C(WAS_PROTECTED, WRITE, "was-write-protected",			\
	  "KVM took W to trap writes (MMU-writable is clear) and has no reason left: a write faults it in anew", \
	  "kvm_mmu_slot_gfn_write_protect()")				\
	C(NOT_WRITABLE, WRITE, "unexplained",				\
	  "W is clear, and nothing in the image explains it",		\
	  "make_spte()")						\
	/* Why code on the page does not run. */			\
	C(NX_HUGE, EXEC, "nx-huge-page",				\
	  "huge pages are mapped without execute permission; execution splits them (iTLB multihit)", \
	  "make_spte(): is_nx_huge_page_enabled()")			\
	C(GUEST_NX, EXEC, "guest-nx",					\
	  "the guest's own entry allows no execution",			\
	  "gpte_access()")						\
	C(NOT_EXEC, EXEC, "unexplained",				\
	  "X is clear, and nothing in the image explains it",		\
	  "make_spte()")						\
	/* Why an access is emulated. */				\
	C(NO_SLOT, MMIO, "no-slot",					\
	  "no memory slot has this address: accesses exit to the VMM as MMIO", \
	  "kvm_handle_noslot_fault()")					\
	C(MMIO_CACHED, MMIO, "mmio-cached",				\
	  "an MMIO entry of the current memslot generation is there: accesses exit without a lookup", \
	  "handle_mmio_page_fault()")					\
	C(MMIO_STALE, MMIO, "mmio-stale",				\
	  "the MMIO entry is of an older memslot generation: KVM ignores it and looks again", \
	  "check_mmio_spte()")						\
	C(INTERNAL_SLOT, MMIO, "internal-slot",				\
	  "the slot is KVM's own (APIC access page, TSS, identity map), not the VMM's", \
	  "__x86_set_memory_region()")

enum spt_cause {
#define C(id, question, name, text, source) SPT_CAUSE_##id,
	SPT_CAUSES(C)
#undef C
	SPT_CAUSE_COUNT,
};
/* clang-format on */

/* Sets of causes. */
#define SPT_CAUSE_BIT(cause) (1ULL << (cause))
_Static_assert(SPT_CAUSE_COUNT <= 64, "a set of causes is one word");

struct spt_cause_row {
	const char *name;
	const char *text;   /* one sentence without a full stop */
	const char *source; /* where KVM does it */
	enum spt_question question;
};

extern const struct spt_cause_row spt_causes[SPT_CAUSE_COUNT];
extern const char *const spt_question_names[SPT_QUESTION_COUNT];
extern const char *const spt_question_texts[SPT_QUESTION_COUNT];

#endif
