/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layout: where the running kernel keeps what the agent reads.
 *
 * The tool finds every entry by name in BTF or DWARF and the symbols in
 * /proc/kallsyms, and writes one struct spt_layout_blob to debugfs 'layout'.
 * The agent believes nothing of it before it checked build ids, bounds, symbol
 * names and live objects. Both sides compile the lists below, so an entry's
 * number is its meaning; SPT_LAYOUT_ABI changes when the lists do.
 */
#ifndef SPT_LAYOUT_H
#define SPT_LAYOUT_H

#include <linux/types.h>

#define SPT_LAYOUT_MAGIC	0x54554f59414c5450ULL	/* "PTLAYOUT" in memory order */
#define SPT_LAYOUT_ABI		4

/* Where types of an entry's root live; searched in this order, all hits must agree. */
#define SPT_MODULES(M)							\
	M(VMLINUX, vmlinux)						\
	M(KVM, kvm)							\
	M(AMD, kvm_amd)							\
	M(INTEL, kvm_intel)

enum spt_module {
#define M(id, name) SPT_MODULE_##id,
	SPT_MODULES(M)
#undef M
	SPT_MODULE_COUNT,
};

/*
 * F(id, need, type, path): path is a member path from 'type', alternatives
 * separated by '|' with the newest name first; members of anonymous structs and
 * unions need no name of their own, array elements are written [n], and
 * 'a.b' descends. 'need':
 *   R  every supported kernel has it: refuse without it
 *   O  optional: absent means that this kernel has no such thing
 *   A  required on AMD hosts, I required on Intel hosts, absent on the other
 *   T  of memslots in a tree by gfn, L of memslots in a sorted array: all of one of
 *      the two are required, and say in which form this kernel keeps its memslots
 * A field that is a pointer, an embedded struct or an array is entered with its
 * bit offset and its size in bits; a bit field with its own.
 */
#define SPT_FIELDS(F)							\
	/* struct kvm */						\
	F(KVM_SIZE, R, kvm, "")						\
	F(KVM_MMU_LOCK, R, kvm, "mmu_lock")				\
	F(KVM_SLOTS_LOCK, O, kvm, "slots_lock")				\
	F(KVM_MM, R, kvm, "mm")						\
	F(KVM_VM_LIST, R, kvm, "vm_list")				\
	F(KVM_USERS_COUNT, R, kvm, "users_count")			\
	F(KVM_USERSPACE_PID, R, kvm, "userspace_pid")			\
	F(KVM_DEBUGFS_DENTRY, R, kvm, "debugfs_dentry")			\
	F(KVM_SRCU, R, kvm, "srcu")					\
	F(KVM_MEMSLOTS, R, kvm, "memslots")				\
	F(KVM_VCPU_ARRAY, R, kvm, "vcpu_array|vcpus")	/* xarray, or array of pointers */ \
	F(KVM_ONLINE_VCPUS, R, kvm, "online_vcpus")			\
	F(KVM_CREATED_VCPUS, O, kvm, "created_vcpus")			\
	F(KVM_INVALIDATE_SEQ, R, kvm, "mmu_invalidate_seq|mmu_notifier_seq") /* 20ec3ebd707c */ \
	F(KVM_INVALIDATE_IN_PROGRESS, R, kvm, "mmu_invalidate_in_progress|mmu_notifier_count") \
	F(KVM_INVALIDATE_START, O, kvm, "mmu_invalidate_range_start|mmu_notifier_range_start") \
	F(KVM_INVALIDATE_END, O, kvm, "mmu_invalidate_range_end|mmu_notifier_range_end") \
	F(KVM_DIRTY_RING_SIZE, O, kvm, "dirty_ring_size")		\
	F(KVM_MANUAL_DIRTY_LOG_PROTECT, O, kvm, "manual_dirty_log_protect") \
	F(KVM_MEM_ATTR_ARRAY, O, kvm, "mem_attr_array")			\
	F(KVM_VM_BUGGED, O, kvm, "vm_bugged")				\
	F(KVM_VM_DEAD, O, kvm, "vm_dead")				\
	F(KVM_STAT_PAGES_4K, O, kvm, "stat.pages_4k|stat.pages[0]")	\
	F(KVM_STAT_PAGES_2M, O, kvm, "stat.pages_2m|stat.pages[1]")	\
	F(KVM_STAT_PAGES_1G, O, kvm, "stat.pages_1g|stat.pages[2]")	\
	F(KVM_STAT_NX_LPAGE_SPLITS, O, kvm, "stat.nx_lpage_splits")	\
	F(KVM_VM_TYPE, O, kvm, "arch.vm_type")				\
	F(KVM_HAS_PRIVATE_MEM, O, kvm, "arch.has_private_mem")		\
	F(KVM_HAS_PROTECTED_STATE, O, kvm, "arch.has_protected_state")	\
	F(KVM_PRE_FAULT_ALLOWED, O, kvm, "arch.pre_fault_allowed")	\
	F(KVM_GFN_DIRECT_BITS, O, kvm,					\
	  "arch.gfn_direct_bits|arch.gfn_shared_mask|arch.gfn_stolen_mask") \
	F(KVM_TDP_MMU_ENABLED, O, kvm, "arch.tdp_mmu_enabled")	/* a global since 1f98f2bd8ec4 */ \
	F(KVM_TDP_MMU_ROOTS, R, kvm, "arch.tdp_mmu_roots")		\
	F(KVM_TDP_MMU_PAGES, O, kvm, "arch.tdp_mmu_pages")		\
	F(KVM_ACTIVE_MMU_PAGES, R, kvm, "arch.active_mmu_pages")	\
	F(KVM_PRIVATE_MMU_PAGES, O, kvm, "arch.private_mmu_pages")	\
	F(KVM_MMU_PAGE_HASH, R, kvm, "arch.mmu_page_hash")	/* array, or pointer to it */ \
	F(KVM_N_USED_MMU_PAGES, O, kvm, "stat.mmu_shadow_pages|arch.n_used_mmu_pages") \
	F(KVM_N_REQUESTED_MMU_PAGES, O, kvm, "arch.n_requested_mmu_pages") \
	F(KVM_N_MAX_MMU_PAGES, O, kvm, "arch.n_max_mmu_pages")		\
	F(KVM_INDIRECT_SHADOW_PAGES, O, kvm, "arch.indirect_shadow_pages") \
	F(KVM_MMU_VALID_GEN, O, kvm, "arch.mmu_valid_gen")		\
	F(KVM_SHADOW_MMIO_VALUE, O, kvm, "arch.shadow_mmio_value")	\
	F(KVM_DISABLED_QUIRKS, O, kvm, "arch.disabled_quirks")		\
	F(KVM_NX_PAGES_SHADOW, O, kvm, "arch.possible_nx_huge_pages[0].nr_pages") \
	F(KVM_NX_PAGES_TDP, O, kvm, "arch.possible_nx_huge_pages[1].nr_pages") \
	F(KVM_CPU_DIRTY_LOG_SIZE, O, kvm, "arch.cpu_dirty_log_size")	\
	/* struct kvm_memslots, kvm_memory_slot, lpage info */		\
	F(SLOTS_GENERATION, R, kvm_memslots, "generation")		\
	F(SLOTS_GFN_TREE, T, kvm_memslots, "gfn_tree")			\
	F(SLOTS_NODE_IDX, T, kvm_memslots, "node_idx")			\
	F(SLOTS_ARRAY, L, kvm_memslots, "memslots")	/* by falling gfn */ \
	F(SLOTS_USED, L, kvm_memslots, "used_slots")			\
	F(SLOTS_ID_TO_INDEX, L, kvm_memslots, "id_to_index")		\
	F(SLOT_SIZE, R, kvm_memory_slot, "")				\
	F(SLOT_GFN_NODE, T, kvm_memory_slot, "gfn_node")	/* [2] */ \
	F(SLOT_BASE_GFN, R, kvm_memory_slot, "base_gfn")		\
	F(SLOT_NPAGES, R, kvm_memory_slot, "npages")			\
	F(SLOT_DIRTY_BITMAP, R, kvm_memory_slot, "dirty_bitmap")	\
	F(SLOT_HVA, R, kvm_memory_slot, "userspace_addr")		\
	F(SLOT_FLAGS, R, kvm_memory_slot, "flags")			\
	F(SLOT_ID, R, kvm_memory_slot, "id")				\
	F(SLOT_AS_ID, R, kvm_memory_slot, "as_id")			\
	F(SLOT_GMEM_FILE, O, kvm_memory_slot, "gmem.file|private_file")	\
	F(SLOT_GMEM_PGOFF, O, kvm_memory_slot, "gmem.pgoff|private_offset") /* bytes */ \
	F(SLOT_RMAP, R, kvm_memory_slot, "arch.rmap")	/* [3] */	\
	F(SLOT_LPAGE_INFO, R, kvm_memory_slot, "arch.lpage_info")	/* [2]: 2M, 1G */ \
	F(SLOT_WRITE_TRACK, R, kvm_memory_slot,	/* 338068b5bec4 */	\
	  "arch.gfn_write_track|arch.gfn_track[0]")			\
	F(RMAP_HEAD, R, kvm_rmap_head, "val")				\
	F(PTE_LIST_SIZE, R, pte_list_desc, "")				\
	F(PTE_LIST_MORE, R, pte_list_desc, "more")			\
	F(PTE_LIST_COUNT, R, pte_list_desc, "spte_count")	/* 13236e25ebab */ \
	F(PTE_LIST_SPTES, R, pte_list_desc, "sptes")	/* [14] */	\
	F(LPAGE_SIZE, R, kvm_lpage_info, "")				\
	F(LPAGE_DISALLOW, R, kvm_lpage_info, "disallow_lpage")		\
	/* struct kvm_vcpu, kvm_vcpu_arch */				\
	F(VCPU_SIZE, R, kvm_vcpu, "")					\
	F(VCPU_KVM, R, kvm_vcpu, "kvm")					\
	F(VCPU_MUTEX, O, kvm_vcpu, "mutex")				\
	F(VCPU_ID, R, kvm_vcpu, "vcpu_id")				\
	F(VCPU_IDX, R, kvm_vcpu, "vcpu_idx")				\
	F(VCPU_CPU, R, kvm_vcpu, "cpu")					\
	F(VCPU_MODE, R, kvm_vcpu, "mode")				\
	F(VCPU_REQUESTS, R, kvm_vcpu, "requests")			\
	F(VCPU_PID, R, kvm_vcpu, "pid")					\
	F(VCPU_PID_LOCK, O, kvm_vcpu, "pid_lock")	/* rwlock; RCU before 3e7f43188ee2 */ \
	F(VCPU_HFLAGS, O, kvm_vcpu, "arch.hflags")			\
	F(VCPU_MMU, R, kvm_vcpu, "arch.mmu")				\
	F(VCPU_ROOT_MMU, R, kvm_vcpu, "arch.root_mmu")			\
	F(VCPU_GUEST_MMU, R, kvm_vcpu, "arch.guest_mmu")		\
	F(VCPU_CPU_ROLE, O, kvm_vcpu, "arch.gva_walk.cpu_role")	/* else in kvm_mmu */ \
	F(VCPU_NGPA_CPU_ROLE, O, kvm_vcpu, "arch.ngpa_walk.cpu_role")	/* the same */ \
	F(VCPU_CR0, R, kvm_vcpu, "arch.cr0")				\
	F(VCPU_CR2, R, kvm_vcpu, "arch.cr2")				\
	F(VCPU_CR3, R, kvm_vcpu, "arch.cr3")				\
	F(VCPU_CR4, R, kvm_vcpu, "arch.cr4")				\
	F(VCPU_EFER, R, kvm_vcpu, "arch.efer")				\
	F(VCPU_PKRU, O, kvm_vcpu, "arch.pkru")				\
	F(VCPU_REGS, R, kvm_vcpu, "arch.regs")	/* RAX..R15 in KVM's order, then RIP */ \
	F(VCPU_RIP, O, kvm_vcpu, "arch.rip")	/* where RIP left the array */ \
	F(VCPU_REGS_AVAIL, R, kvm_vcpu, "arch.regs_avail")		\
	F(VCPU_PDPTRS, O, kvm_vcpu, "arch.pdptrs")	/* else in kvm_mmu */ \
	F(VCPU_MP_STATE, O, kvm_vcpu, "arch.mp_state")			\
	F(VCPU_XCR0, O, kvm_vcpu, "arch.xcr0")				\
	F(VCPU_DB, O, kvm_vcpu, "arch.db")	/* [4] */		\
	F(VCPU_DR6, O, kvm_vcpu, "arch.dr6")				\
	F(VCPU_DR7, O, kvm_vcpu, "arch.dr7")				\
	F(VCPU_CR0_OWNED, O, kvm_vcpu, "arch.cr0_guest_owned_bits")	\
	F(VCPU_CR4_OWNED, O, kvm_vcpu, "arch.cr4_guest_owned_bits")	\
	F(VCPU_PROTECTED, O, kvm_vcpu, "arch.guest_state_protected")	\
	F(VCPU_STAT_EXITS, O, kvm_vcpu, "stat.exits")			\
	F(VCPU_LAST_GUEST_TSC, O, kvm_vcpu, "arch.last_guest_tsc")	\
	F(VCPU_TSC_OFFSET, O, kvm_vcpu, "arch.l1_tsc_offset")		\
	F(VCPU_TSC_RATIO, O, kvm_vcpu, "arch.l1_tsc_scaling_ratio")	\
	F(VCPU_TSC_KHZ, O, kvm_vcpu, "arch.virtual_tsc_khz")		\
	/* struct kvm_mmu */						\
	F(MMU_SIZE, R, kvm_mmu, "")					\
	F(MMU_ROOT_HPA, R, kvm_mmu, "root.hpa|root_hpa")		\
	F(MMU_ROOT_PGD, R, kvm_mmu, "root.pgd|root_pgd")		\
	F(MMU_MIRROR_ROOT_HPA, O, kvm_mmu, "mirror_root_hpa|private_root_hpa") \
	F(MMU_PREV_ROOTS, R, kvm_mmu, "prev_roots")	/* [3] of {pgd, hpa} */ \
	F(MMU_ROOT_ROLE, R, kvm_mmu, "root_role|mmu_role.base")	\
	F(MMU_CPU_ROLE, O, kvm_mmu, "cpu_role")				\
	F(MMU_PAE_ROOT, R, kvm_mmu, "pae_root")				\
	F(MMU_PML4_ROOT, O, kvm_mmu, "pml4_root")			\
	F(MMU_PML5_ROOT, O, kvm_mmu, "pml5_root")			\
	F(MMU_PDPTRS, O, kvm_mmu, "pdptrs")				\
	F(ROOT_INFO_SIZE, R, kvm_mmu_root_info, "")			\
	F(ROOT_INFO_PGD, R, kvm_mmu_root_info, "pgd")			\
	F(ROOT_INFO_HPA, R, kvm_mmu_root_info, "hpa")			\
	F(MMU_PAGE_FAULT, O, kvm_mmu, "page_fault")			\
	/* what actions hand to KVM: a range of a slot, a fault */	\
	F(RANGE_SIZE, O, kvm_gfn_range, "")				\
	F(RANGE_SLOT, O, kvm_gfn_range, "slot")				\
	F(RANGE_START, O, kvm_gfn_range, "start")			\
	F(RANGE_END, O, kvm_gfn_range, "end")				\
	F(RANGE_ATTR_FILTER, O, kvm_gfn_range, "attr_filter")		\
	F(RANGE_MAY_BLOCK, O, kvm_gfn_range, "may_block")		\
	F(RANGE_LOCKLESS, O, kvm_gfn_range, "lockless")			\
	F(FAULT_SIZE, O, kvm_page_fault, "")				\
	F(FAULT_ADDR, O, kvm_page_fault, "addr")			\
	F(FAULT_ERROR_CODE, O, kvm_page_fault, "error_code")		\
	F(FAULT_EXEC, O, kvm_page_fault, "exec")			\
	F(FAULT_WRITE, O, kvm_page_fault, "write")			\
	F(FAULT_USER, O, kvm_page_fault, "user")			\
	F(FAULT_IS_TDP, O, kvm_page_fault, "is_tdp")			\
	F(FAULT_NX_WORKAROUND, O, kvm_page_fault, "nx_huge_page_workaround_enabled") \
	F(FAULT_MAX_LEVEL, O, kvm_page_fault, "max_level")		\
	F(FAULT_REQ_LEVEL, O, kvm_page_fault, "req_level")		\
	F(FAULT_GOAL_LEVEL, O, kvm_page_fault, "goal_level")		\
	F(KVM_DISABLE_NX_HUGE, O, kvm, "arch.disable_nx_huge_pages")	\
	/* union kvm_mmu_page_role */					\
	F(ROLE_LEVEL, R, kvm_mmu_page_role, "level")			\
	F(ROLE_HAS_4_BYTE_GPTE, O, kvm_mmu_page_role, "has_4_byte_gpte") \
	F(ROLE_QUADRANT, R, kvm_mmu_page_role, "quadrant")		\
	F(ROLE_DIRECT, R, kvm_mmu_page_role, "direct")			\
	F(ROLE_ACCESS, R, kvm_mmu_page_role, "access")			\
	F(ROLE_INVALID, R, kvm_mmu_page_role, "invalid")		\
	F(ROLE_EFER_NX, O, kvm_mmu_page_role, "efer_nx|nxe")		\
	F(ROLE_CR0_WP, O, kvm_mmu_page_role, "cr0_wp")			\
	F(ROLE_SMEP_ANDNOT_WP, O, kvm_mmu_page_role, "smep_andnot_wp")	\
	F(ROLE_SMAP_ANDNOT_WP, O, kvm_mmu_page_role, "smap_andnot_wp")	\
	F(ROLE_AD_DISABLED, O, kvm_mmu_page_role, "ad_disabled")	\
	F(ROLE_GUEST_MODE, O, kvm_mmu_page_role, "guest_mode")		\
	F(ROLE_PASSTHROUGH, O, kvm_mmu_page_role, "passthrough")	\
	F(ROLE_IS_MIRROR, O, kvm_mmu_page_role, "is_mirror|is_private|private") \
	F(ROLE_CR4_SMEP, O, kvm_mmu_page_role, "cr4_smep")		\
	F(ROLE_SMM, R, kvm_mmu_page_role, "smm")			\
	F(ROLE_GPTE_IS_8_BYTES, O, kvm_mmu_page_role, "gpte_is_8_bytes") \
	/* struct kvm_mmu_page */					\
	F(SP_SIZE, R, kvm_mmu_page, "")					\
	F(SP_LINK, R, kvm_mmu_page, "link")				\
	F(SP_HASH_LINK, R, kvm_mmu_page, "hash_link")			\
	F(SP_TDP_MMU_PAGE, R, kvm_mmu_page, "tdp_mmu_page")		\
	F(SP_UNSYNC, O, kvm_mmu_page, "unsync")				\
	F(SP_MMU_VALID_GEN, O, kvm_mmu_page, "mmu_valid_gen")		\
	F(SP_ROOT_TO_ZAP, O, kvm_mmu_page, "tdp_mmu_scheduled_root_to_zap") \
	F(SP_NX_DISALLOWED, O, kvm_mmu_page,	/* 55c510e26ab6 */	\
	  "nx_huge_page_disallowed|lpage_disallowed")			\
	F(SP_NX_LINK, O, kvm_mmu_page, "possible_nx_huge_page_link|lpage_disallowed_link") \
	F(SP_HOST_MMIO, O, kvm_mmu_page, "has_mapped_host_mmio")	\
	F(SP_ROLE, R, kvm_mmu_page, "role")				\
	F(SP_GFN, R, kvm_mmu_page, "gfn")				\
	F(SP_GFN_STOLEN_BITS, O, kvm_mmu_page, "gfn_stolen_bits")	\
	F(SP_SPT, R, kvm_mmu_page, "spt")				\
	F(SP_TRANSLATION, O, kvm_mmu_page, "shadowed_translation|gfns") /* 6a97575d5cff */ \
	F(SP_ROOT_COUNT, R, kvm_mmu_page, "root_count")			\
	F(SP_TDP_ROOT_COUNT, O, kvm_mmu_page, "tdp_mmu_root_count")	\
	F(SP_UNSYNC_CHILDREN, O, kvm_mmu_page, "unsync_children")	\
	F(SP_WRITE_FLOODING, O, kvm_mmu_page, "write_flooding_count")	\
	F(SP_EXTERNAL_SPT, O, kvm_mmu_page, "external_spt|private_spt|private_sp") \
	F(SP_PARENT_PTES, R, kvm_mmu_page, "parent_ptes")		\
	F(SP_PTEP, O, kvm_mmu_page, "ptep")				\
	/* the vendor's part */						\
	F(SVM_VMCB, A, vcpu_svm, "vmcb")				\
	F(SVM_VMCB01, O, vcpu_svm, "vmcb01.ptr")			\
	F(SVM_SEV_ACTIVE, O, kvm_svm, "sev_info.active")		\
	F(VMCB_NESTED_CR3, A, vmcb_control_area, "nested_cr3")		\
	F(VMCB_CR3, A, vmcb, "save.cr3")				\
	F(VMX_LOADED_VMCS, I, vcpu_vmx, "loaded_vmcs")			\
	F(LOADED_VMCS_VMCS, I, loaded_vmcs, "vmcs")			\
	F(LOADED_VMCS_CPU, I, loaded_vmcs, "cpu")			\
	/* TDX host support: kvm_intel's, where the kernel has it */	\
	F(KVM_TDX_KVM, O, kvm_tdx, "kvm")				\
	F(TDX_STATE, O, kvm_tdx, "state")				\
	F(TDX_HKID, O, kvm_tdx, "hkid")					\
	F(TDX_ATTRIBUTES, O, kvm_tdx, "attributes")			\
	F(TDX_XFAM, O, kvm_tdx, "xfam")					\
	F(TDX_TDR, O, kvm_tdx, "td.tdr_page|tdr_pa|tdr.pa")	/* struct page, or address */ \
	F(TDX_TDCS_COUNT, O, kvm_tdx, "td.tdcs_nr_pages")		\
	F(TDX_TDCS, O, kvm_tdx, "td.tdcs_pages")	/* array of struct page * */ \
	F(VCPU_TDX_VCPU, O, vcpu_tdx, "vcpu")				\
	F(VCPU_TDX_STATE, O, vcpu_tdx, "state")				\
	F(VCPU_TDX_TDVPR, O, vcpu_tdx, "vp.tdvpr_page|tdvpr_pa|tdvpr.pa") \
	F(VCPU_TDX_TDCX, O, vcpu_tdx, "vp.tdcx_pages")			\
	F(TDX_TDCX_COUNT, O, kvm_tdx, "td.tdcx_nr_pages")		\
	F(KVM_SVM_KVM, A, kvm_svm, "kvm")				\
	F(VCPU_SVM_VCPU, A, vcpu_svm, "vcpu")				\
	F(VCPU_VMX_VCPU, I, vcpu_vmx, "vcpu")				\
	/* host maximum physical address */				\
	F(HOST_MAXPHYADDR, O, kvm_host_values, "maxphyaddr")

enum spt_field_id {
#define F(id, need, type, path) SPT_F_##id,
	SPT_FIELDS(F)
#undef F
	SPT_F_COUNT,
};

/*
 * What the agent cannot read, though its place is known: an alternative of a field that
 * is another thing than today's. It refuses; an image of such a kernel can be read.
 * W(field, alternative, reason)
 */
#define SPT_FOREIGN(W)							\
	W(KVM_VCPU_ARRAY, 1, "it keeps a VM's vCPUs in an array")	\
	W(SLOT_GMEM_PGOFF, 1, "it keeps private memory in files of its own kind") \
	W(SP_TRANSLATION, 1, "shadow pages keep guest frames without their access bits") \
	W(SP_EXTERNAL_SPT, 2, "private tables' pages hang on private_sp")

/* S(id, need, module, name): a symbol; 'need' as above. */
#define SPT_SYMBOLS(S)							\
	S(VM_LIST, R, kvm, "vm_list")					\
	S(KVM_LOCK, R, kvm, "kvm_lock")					\
	S(KVM_CHARDEV_OPS, R, kvm, "kvm_chardev_ops")			\
	S(HOST_WRITABLE_MASK, R, kvm, "shadow_host_writable_mask")	\
	S(MMU_WRITABLE_MASK, R, kvm, "shadow_mmu_writable_mask")	\
	S(NX_MASK, R, kvm, "shadow_nx_mask")				\
	S(X_MASK, O, kvm, "shadow_x_mask")				\
	S(XS_MASK, O, kvm, "shadow_xs_mask")				\
	S(XU_MASK, O, kvm, "shadow_xu_mask")				\
	S(USER_MASK, R, kvm, "shadow_user_mask")			\
	S(ACCESSED_MASK, R, kvm, "shadow_accessed_mask")		\
	S(DIRTY_MASK, R, kvm, "shadow_dirty_mask")			\
	S(MMIO_VALUE, R, kvm, "shadow_mmio_value")			\
	S(MMIO_MASK, R, kvm, "shadow_mmio_mask")			\
	S(MMIO_ACCESS_MASK, R, kvm, "shadow_mmio_access_mask")		\
	S(PRESENT_MASK, R, kvm, "shadow_present_mask")			\
	S(MEMTYPE_MASK, O, kvm, "shadow_memtype_mask")			\
	S(ME_VALUE, O, kvm, "shadow_me_value")				\
	S(ME_MASK, O, kvm, "shadow_me_mask")				\
	S(ACC_TRACK_MASK, R, kvm, "shadow_acc_track_mask")		\
	S(NONPRESENT_OR_RSVD_MASK, R, kvm, "shadow_nonpresent_or_rsvd_mask") \
	S(RSVD_LOWER_GFN_MASK, R, kvm, "shadow_nonpresent_or_rsvd_lower_gfn_mask") \
	S(MMIO_CACHING, R, kvm, "enable_mmio_caching")			\
	S(TDP_ENABLED, R, kvm, "tdp_enabled")				\
	S(NX_HUGE_PAGES, O, kvm, "nx_huge_pages")			\
	S(AD_ENABLED, O, kvm, "kvm_ad_enabled")				\
	S(TDP_MMU_ENABLED, O, kvm, "tdp_mmu_enabled")			\
	S(MAX_HUGE_LEVEL, O, kvm, "max_huge_page_level")		\
	S(PHYS_BITS, O, kvm, "shadow_phys_bits")			\
	S(KVM_HOST, O, kvm, "kvm_host")					\
	/* functions, called by actions alone */			\
	S(TASK_WORK_CANCEL_MATCH, O, vmlinux, "task_work_cancel_match")	\
	S(GET_RUNNING_VCPU, O, kvm, "kvm_get_running_vcpu")		\
	S(VCPU_LOAD, O, kvm, "vcpu_load")				\
	S(VCPU_PUT, O, kvm, "vcpu_put")					\
	S(VCPU_WAKE_UP, O, kvm, "kvm_vcpu_wake_up")			\
	S(FLUSH_REMOTE_TLBS, O, kvm, "kvm_flush_remote_tlbs")		\
	S(MMU_LOAD, O, kvm, "kvm_mmu_load")				\
	S(FREE_OBSOLETE_ROOTS, O, kvm, "kvm_mmu_free_obsolete_roots")	\
	S(TDP_PAGE_FAULT, O, kvm, "kvm_tdp_page_fault")			\
	S(MMU_DO_PAGE_FAULT, O, kvm, "kvm_mmu_do_page_fault")	/* inlined before 6.12 */ \
	S(UNPROTECT_GFN_AND_RETRY, O, kvm, "__kvm_mmu_unprotect_gfn_and_retry") \
	S(ZAP_GFN_RANGE, O, kvm, "kvm_zap_gfn_range")			\
	S(TDP_MMU_ZAP_LEAFS, O, kvm, "tdp_mmu_zap_leafs")		\
	S(SLOT_GFN_WRITE_PROTECT, O, kvm, "kvm_mmu_slot_gfn_write_protect") \
	S(AGE_GFN, O, kvm, "kvm_age_gfn")				\
	S(UNMAP_GFN_RANGE, O, kvm, "kvm_unmap_gfn_range")		\
	S(TRY_SPLIT_HUGE_PAGES, O, kvm, "kvm_mmu_try_split_huge_pages")	\
	S(DISALLOW_LPAGE, O, kvm, "kvm_mmu_gfn_disallow_lpage")		\
	S(ALLOW_LPAGE, O, kvm, "kvm_mmu_gfn_allow_lpage")		\
	S(GET_LINEAR_RIP, O, kvm, "kvm_get_linear_rip")			\
	S(PAGE_TRACK_REGISTER, O, kvm, "kvm_page_track_register_notifier") \
	S(PAGE_TRACK_UNREGISTER, O, kvm, "kvm_page_track_unregister_notifier") \
	S(WRITE_TRACK_ADD_GFN, O, kvm, "kvm_write_track_add_gfn")	/* 96316a06700f */ \
	S(WRITE_TRACK_REMOVE_GFN, O, kvm, "kvm_write_track_remove_gfn")	\
	S(SLOT_PAGE_TRACK_ADD, O, kvm, "kvm_slot_page_track_add_page")	/* before it */ \
	S(SLOT_PAGE_TRACK_REMOVE, O, kvm, "kvm_slot_page_track_remove_page") \
	S(MIGRATE_PAGES, O, vmlinux, "migrate_pages")			\
	S(PUTBACK_MOVABLE_PAGES, O, vmlinux, "putback_movable_pages")	\
	S(LRU_ADD_DRAIN_ALL, O, vmlinux, "lru_add_drain_all")		\
	S(FOLIO_ISOLATE_LRU, O, vmlinux, "folio_isolate_lru")	/* a bool since be2d57563822 */ \
	S(ISOLATE_LRU_PAGE, O, vmlinux, "isolate_lru_page")		\
	/* functions that are probed, not called */			\
	S(MMU_PAGE_FAULT, O, kvm, "kvm_mmu_page_fault")			\
	S(MMU_TRACK_WRITE, O, kvm, "kvm_mmu_track_write")		\
	S(PAGE_TRACK_WRITE, O, kvm, "kvm_page_track_write")	/* before 58ea7cf700ca */ \
	S(FREE_MEMSLOT, O, kvm, "kvm_arch_free_memslot")		\
	S(CURRENT_VMCS, I, kvm_intel, "current_vmcs")			\
	S(ENABLE_EPT_AD_BITS, I, kvm_intel, "enable_ept_ad_bits")

enum spt_symbol_id {
#define S(id, need, module, name) SPT_S_##id,
	SPT_SYMBOLS(S)
#undef S
	SPT_S_COUNT,
};

#define SPT_FIELD_PRESENT	(1U << 0)
#define SPT_FIELD_POINTER	(1U << 1)	/* the member's type is a pointer */
#define SPT_FIELD_BITS		(1U << 2)	/* a bit field */
#define SPT_FIELD_ARRAY		(1U << 3)

struct spt_layout_field {
	__u32 bit_offset;	/* from the start of the type */
	__u32 bit_size;
	__u32 flags;		/* SPT_FIELD_* */
	__u32 alternative;	/* which name was found, 0 the newest */
};

struct spt_layout_symbol {
	__u64 address;		/* 0: this kernel has no such symbol */
	__u64 size;		/* bytes of the object where known, else 0 */
};

enum spt_layout_source { SPT_LAYOUT_BTF = 1, SPT_LAYOUT_DWARF = 2 };

struct spt_layout_blob {
	__u64 magic;
	__u32 abi;
	__u32 size;		/* bytes of the blob */
	__u32 source;		/* enum spt_layout_source */
	__u32 vendor;		/* enum spt_vendor: the vendor module it was made for */
	__u32 fields;		/* SPT_F_COUNT */
	__u32 symbols;		/* SPT_S_COUNT */
	struct {
		__u8 id[20];	/* NT_GNU_BUILD_ID of the module, of the kernel for vmlinux */
		__u8 pad[4];
	} build_id[SPT_MODULE_COUNT];
	char release[64];
	struct spt_layout_field field[SPT_F_COUNT];
	struct spt_layout_symbol symbol[SPT_S_COUNT];
	__u64 checksum;		/* sum of spt_checksum_word() of all words before */
};

#endif
