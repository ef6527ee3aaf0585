/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The image: everything known about one VM at one moment.
 *
 * One format, defined only here: the agent's debugfs file 'image' emits it, a
 * snapshot file is it, and the tool reads it from either.
 *
 * An image is a sequence of records. A record is a multiple of 8 bytes long and
 * starts with struct spt_rec; all integers are little-endian. SPT_REC_HEAD is
 * the first record, SPT_REC_END the last. A reader skips records of unknown
 * type, takes from a known record no more than its length says, and reads
 * members beyond a record's length as unknown, so that records may grow at
 * their end. Nothing in an image is to be trusted before it was checked.
 *
 * Lists that differ from kernel to kernel (VM, vCPU, masks, role bits) are
 * X-macros: one entry is the array index in the record, the name in JSON and,
 * in the agent, the field that is read. A value is valid only where its bit in
 * the record's 'known' words is set; a clear bit means that this kernel has no
 * such thing ('n/a'). Entries are appended, never reordered.
 */
#ifndef SPT_IMAGE_H
#define SPT_IMAGE_H

#include <linux/types.h>

#define SPT_IMAGE_MAGIC		0x4547414d49545053ULL	/* "SPTIMAGE" in memory order */
#define SPT_IMAGE_ABI		1

/* Entries of one hardware page table, and of one stored piece of it: a cache line. */
#define SPT_TABLE_ENTRIES	512
#define SPT_CHUNK_ENTRIES	8
#define SPT_TABLE_CHUNKS	(SPT_TABLE_ENTRIES / SPT_CHUNK_ENTRIES)

/* A physical address that is not known or does not exist (KVM: INVALID_PAGE). */
#define SPT_NO_HPA		(~0ULL)

enum spt_rec_type {
	SPT_REC_HEAD		= 1,	/* struct spt_head */
	SPT_REC_MASKS		= 2,	/* struct spt_masks */
	SPT_REC_VM		= 3,	/* struct spt_values, SPT_VM_VALUES; two of them */
	SPT_REC_VCPU		= 4,	/* struct spt_values, SPT_VCPU_VALUES; one per vCPU */
	SPT_REC_SLOT		= 5,	/* struct spt_slot; one per slot and address space */
	SPT_REC_SLOT_RUNS	= 6,	/* struct spt_runs, of the last slot */
	SPT_REC_ATTRS		= 7,	/* struct spt_runs: memory attributes of the VM */
	SPT_REC_ROOT		= 8,	/* struct spt_root: one per TDP MMU root */
	SPT_REC_TABLE		= 9,	/* struct spt_table: a table with its kvm_mmu_page */
	SPT_REC_RAW_TABLE	= 10,	/* struct spt_raw_table: a root without a kvm_mmu_page */
	SPT_REC_TRANSLATIONS	= 11,	/* struct spt_array, of the last table */
	SPT_REC_HOST_WALK	= 12,	/* struct spt_host_walk */
	SPT_REC_NOTE		= 13,	/* struct spt_note */
	SPT_REC_DIRTY		= 14,	/* struct spt_dirty: dirty bitmap of the last slot */
	SPT_REC_HOST_RUNS	= 15,	/* struct spt_host_runs, of the last slot's HVAs */
	SPT_REC_RMAPS		= 16,	/* struct spt_rmaps, of the last slot */
	SPT_REC_GUEST_TABLE	= 17,	/* struct spt_guest_table: added by the tool */
	SPT_REC_INDEX		= 18,	/* where a saved file's records are: added by the tool */
	SPT_REC_GMEM_RUNS	= 19,	/* struct spt_host_runs, of the last slot's guest_memfd */
	SPT_REC_EXTERNAL	= 20,	/* struct spt_external: behind the mirror table it is of */
	SPT_REC_TDX_PAGES	= 21,	/* struct spt_tdx_pages */
	SPT_REC_REGS		= 22,	/* struct spt_values, SPT_REGS_VALUES; one per vCPU */
	SPT_REC_EVENTS		= 23,	/* struct spt_events: added by the tool */
	SPT_REC_TRACE		= 24,	/* struct spt_trace: added by the tool */
	SPT_REC_END		= 255,	/* struct spt_end */
};

struct spt_rec {
	__u32 type;		/* enum spt_rec_type */
	__u32 len;		/* bytes of the record, this header included; multiple of 8 */
};

/* Parts of an image that a request selects ('parts=vm,vcpus,...' in this order). */
#define SPT_PARTS(P)							\
	P(VM, vm)		/* counters, generations, invalidation */ \
	P(VCPUS, vcpus)							\
	P(MEMSLOTS, memslots)						\
	P(LPAGE, lpage)		/* lpage_info and write-track runs */	\
	P(ATTRS, attrs)		/* memory attributes */			\
	P(ROOTS, roots)							\
	P(TABLES, tables)	/* every table's entries */		\
	P(HOST, host)		/* host walk of the requested range */	\
	P(DIRTY, dirty)		/* dirty bitmaps */			\
	P(RMAPS, rmaps)		/* reverse maps of the shadow MMU */	\
	P(HOST_RUNS, host_runs)	/* host's mapping of every slot, merged */ \
	P(GMEM, gmem)		/* pages that guest_memfd has for every slot, merged */ \
	P(REGS, regs)		/* the vCPUs' registers, as of their last exit */ \
	P(FRESH, fresh)		/* the same; who is in the guest is interrupted for it */

enum spt_part_nr {
#define P(id, name) SPT_PART_NR_##id,
	SPT_PARTS(P)
#undef P
	SPT_PART_COUNT,
};

enum spt_part {
#define P(id, name) SPT_PART_##id = 1 << SPT_PART_NR_##id,
	SPT_PARTS(P)
#undef P
};

/* What a plain read without a request gives; HOST needs a range, DIRTY is asked for. */
#define SPT_PARTS_DEFAULT	(SPT_PART_VM | SPT_PART_VCPUS | SPT_PART_MEMSLOTS | \
				 SPT_PART_LPAGE | SPT_PART_ATTRS | SPT_PART_ROOTS | \
				 SPT_PART_TABLES | SPT_PART_GMEM | SPT_PART_REGS)

/* The most bytes of GPA space whose host walk is emitted page by page. */
#define SPT_HOST_WALK_MAX	(2ULL << 20)

enum spt_vendor { SPT_VENDOR_SVM = 1, SPT_VENDOR_VMX = 2 };
enum spt_mmu { SPT_MMU_NPT = 1, SPT_MMU_EPT = 2, SPT_MMU_SHADOW = 3 };

/*
 * Bits of union kvm_mmu_page_role (arch/x86/include/asm/kvm_host.h). Position
 * and width differ between kernels and travel in struct spt_head.
 */
#define SPT_ROLE_BITS(B)						\
	B(LEVEL, level)							\
	B(HAS_4_BYTE_GPTE, has_4_byte_gpte)				\
	B(QUADRANT, quadrant)						\
	B(DIRECT, direct)						\
	B(ACCESS, access)						\
	B(INVALID, invalid)						\
	B(EFER_NX, efer_nx)						\
	B(CR0_WP, cr0_wp)						\
	B(SMEP_ANDNOT_WP, smep_andnot_wp)				\
	B(SMAP_ANDNOT_WP, smap_andnot_wp)				\
	B(AD_DISABLED, ad_disabled)					\
	B(GUEST_MODE, guest_mode)					\
	B(PASSTHROUGH, passthrough)					\
	B(IS_MIRROR, is_mirror)						\
	B(CR4_SMEP, cr4_smep)						\
	B(SMM, smm)							\
	B(GPTE_IS_8_BYTES, gpte_is_8_bytes)	/* before has_4_byte_gpte, inverted */

enum spt_role_bit {
#define B(id, name) SPT_ROLE_##id,
	SPT_ROLE_BITS(B)
#undef B
	SPT_ROLE_COUNT,
	SPT_ROLE_MAX = 24,	/* array size in struct spt_head */
};

struct spt_bits {
	__u8 shift;
	__u8 width;		/* 0: this kernel's role has no such bit */
};

struct spt_head {
	struct spt_rec rec;
	__u64 magic;
	__u32 abi;
	__u32 vendor;		/* enum spt_vendor */
	__u32 mmu;		/* enum spt_mmu: what KVM uses for a guest with paging off */
	__u32 tdp_mmu;		/* 1: the VM's direct tables are the TDP MMU's */
	char release[64];	/* uname -r of the host, NUL-terminated like all strings here */
	char agent[16];		/* version of the agent */
	__u8 kvm_build_id[20];
	__u8 pad0[4];
	char id[32];		/* PID-FD, as KVM's debugfs names the VM */
	char comm[16];		/* of the VMM's main thread */
	__s32 pid;		/* of the VMM */
	__s32 fd;		/* the VM's file descriptor in it, -1 unknown */
	__u64 time_ns;		/* CLOCK_REALTIME when the image was begun */
	__u64 req_start;	/* first GPA asked for */
	__u64 req_len;		/* bytes; 0: the whole address space */
	__u32 req_parts;	/* enum spt_part, or-ed */
	__u8 maxphyaddr;	/* host physical address bits; 0 unknown */
	__u8 root_level;	/* levels of a direct root; 0 unknown */
	__u8 swp_first_special;	/* host entries: first type that is no swap file; 0 unknown */
	__u8 swp_first_migration;	/* first of the 3 types of a page being moved */
	__u64 spte_addr_mask;	/* SPTE_BASE_ADDR_MASK: physical_mask & PAGE_MASK */
	__u64 empty_spte;	/* value of a TDP entry that never mapped anything: 0 or bit 63 */
	__u64 frozen_spte;	/* REMOVED_SPTE / FROZEN_SPTE of this kernel; 0 unknown */
	struct spt_bits role[SPT_ROLE_MAX];	/* by enum spt_role_bit */
};

/* SPTE masks in force: KVM's variables of the same name (arch/x86/kvm/mmu/spte.c). */
#define SPT_MASKS(M)							\
	M(HOST_WRITABLE, shadow_host_writable_mask)			\
	M(MMU_WRITABLE, shadow_mmu_writable_mask)			\
	M(NX, shadow_nx_mask)						\
	M(X, shadow_x_mask)		/* until xs/xu replaced it */	\
	M(XS, shadow_xs_mask)						\
	M(XU, shadow_xu_mask)						\
	M(USER, shadow_user_mask)					\
	M(ACCESSED, shadow_accessed_mask)				\
	M(DIRTY, shadow_dirty_mask)					\
	M(MMIO_VALUE, shadow_mmio_value)  /* the VM's own where it has one */ \
	M(MMIO_MASK, shadow_mmio_mask)					\
	M(MMIO_ACCESS, shadow_mmio_access_mask)				\
	M(PRESENT, shadow_present_mask)					\
	M(MEMTYPE, shadow_memtype_mask)					\
	M(ME_VALUE, shadow_me_value)					\
	M(ME_MASK, shadow_me_mask)					\
	M(ACC_TRACK, shadow_acc_track_mask)				\
	M(NONPRESENT_OR_RSVD, shadow_nonpresent_or_rsvd_mask)		\
	M(RSVD_LOWER_GFN, shadow_nonpresent_or_rsvd_lower_gfn_mask)	\
	M(MMIO_CACHING, enable_mmio_caching)				\
	M(TDP_ENABLED, tdp_enabled)					\
	M(NX_HUGE_PAGES, nx_huge_pages)					\
	M(AD_ENABLED, kvm_ad_enabled)					\
	M(TDP_MMU_ENABLED, tdp_mmu_enabled)				\
	M(MAX_HUGE_LEVEL, max_huge_page_level)

enum spt_mask {
#define M(id, name) SPT_MASK_##id,
	SPT_MASKS(M)
#undef M
	SPT_MASK_COUNT,
};

struct spt_masks {
	struct spt_rec rec;
	__u64 known;		/* bit i: value[i] is valid */
	__u64 value[SPT_MASK_COUNT];
};

/*
 * struct kvm and kvm_arch. Addresses and sizes in the kernel's own units. An image
 * that is to be audited has the record twice, before and after everything else: what
 * counts pages or generations and is the same in both did not change meanwhile.
 */
#define SPT_VM_VALUES(V)						\
	V(USERS_COUNT, users_count)					\
	V(VM_TYPE, vm_type)						\
	V(HAS_PRIVATE_MEM, has_private_mem)				\
	V(HAS_PROTECTED_STATE, has_protected_state)			\
	V(PRE_FAULT_ALLOWED, pre_fault_allowed)				\
	V(GFN_DIRECT_BITS, gfn_direct_bits)				\
	V(CREATED_VCPUS, created_vcpus)					\
	V(ONLINE_VCPUS, online_vcpus)					\
	V(MMU_VALID_GEN, mmu_valid_gen)					\
	V(N_USED_MMU_PAGES, n_used_mmu_pages)				\
	V(N_REQUESTED_MMU_PAGES, n_requested_mmu_pages)			\
	V(N_MAX_MMU_PAGES, n_max_mmu_pages)				\
	V(INDIRECT_SHADOW_PAGES, indirect_shadow_pages)			\
	V(TDP_MMU_PAGES, tdp_mmu_pages)					\
	V(MMU_INVALIDATE_SEQ, mmu_invalidate_seq)			\
	V(MMU_INVALIDATE_IN_PROGRESS, mmu_invalidate_in_progress)	\
	V(MMU_INVALIDATE_RANGE_START, mmu_invalidate_range_start)	\
	V(MMU_INVALIDATE_RANGE_END, mmu_invalidate_range_end)		\
	V(PAGES_4K, pages_4k)						\
	V(PAGES_2M, pages_2m)						\
	V(PAGES_1G, pages_1g)						\
	V(NX_LPAGE_SPLITS, nx_lpage_splits)				\
	V(GENERATION_0, generation_as0)					\
	V(GENERATION_1, generation_as1)	/* SMM's slots; n/a: one address space */ \
	V(DIRTY_RING_SIZE, dirty_ring_size)				\
	V(MANUAL_DIRTY_LOG_PROTECT, manual_dirty_log_protect)		\
	V(CPU_DIRTY_LOG_SIZE, cpu_dirty_log_size)			\
	V(SHADOW_MMIO_VALUE, shadow_mmio_value)				\
	V(DISABLED_QUIRKS, disabled_quirks)				\
	V(VM_BUGGED, vm_bugged)						\
	V(VM_DEAD, vm_dead)						\
	V(POSSIBLE_NX_PAGES, possible_nx_huge_pages)	/* linked pages */ \
	V(SEV_ACTIVE, sev_active)					\
	V(EXTERNAL_READABLE, external_readable)	/* 1: are in the image; 0: a TDX module's own */ \
	V(TDX_STATE, tdx_state)		/* enum kvm_tdx_state: 2 is finalized */ \
	V(TDX_HKID, tdx_hkid)		/* key of the TD's memory, -1 none */ \
	V(TDX_ATTRIBUTES, tdx_attributes)				\
	V(TDX_XFAM, tdx_xfam)						\
	V(TDX_TDR, tdx_tdr)		/* HPA */			\
	V(TDX_TDCS_PAGES, tdx_tdcs_pages)	/* how many */

/* KVM_X86_TDX_VM, a value of vm_type: private memory is mapped by a mirror root. */
#define SPT_VM_TYPE_TDX		5

enum spt_vm_value {
#define V(id, name) SPT_VM_##id,
	SPT_VM_VALUES(V)
#undef V
	SPT_VM_COUNT,
};

/* struct kvm_vcpu and kvm_vcpu_arch; mmu is arch.mmu. */
#define SPT_VCPU_VALUES(V)						\
	V(ID, vcpu_id)							\
	V(IDX, vcpu_idx)						\
	V(PID, pid)		/* thread that ran it last */		\
	V(CPU, cpu)		/* -1: not loaded since creation */	\
	V(MODE, mode)		/* OUTSIDE_GUEST_MODE 0, IN_GUEST_MODE 1, ... */ \
	V(REQUESTS, requests)						\
	V(HFLAGS, hflags)						\
	V(IN_GUEST_MMU, guest_mmu)	/* 1: arch.mmu is guest_mmu (L2 runs) */ \
	V(ROOT_HPA, root_hpa)						\
	V(ROOT_PGD, root_pgd)						\
	V(PREV_ROOT_HPA_0, prev_root_hpa0)				\
	V(PREV_ROOT_PGD_0, prev_root_pgd0)				\
	V(PREV_ROOT_HPA_1, prev_root_hpa1)				\
	V(PREV_ROOT_PGD_1, prev_root_pgd1)				\
	V(PREV_ROOT_HPA_2, prev_root_hpa2)				\
	V(PREV_ROOT_PGD_2, prev_root_pgd2)				\
	V(MIRROR_ROOT_HPA, mirror_root_hpa)				\
	V(ROOT_ROLE, root_role)						\
	V(CPU_ROLE, cpu_role)						\
	V(PAE_ROOT, pae_root)		/* HPA */			\
	V(PML4_ROOT, pml4_root)		/* HPA */			\
	V(PML5_ROOT, pml5_root)		/* HPA */			\
	V(HW_ROOT, hw_root)	/* nCR3 in the VMCB, EPTP in the VMCS */ \
	V(HW_ROOT_SOURCE, hw_root_source)	/* enum spt_hw_root_source */ \
	V(CR0, cr0)							\
	V(CR2, cr2)							\
	V(CR3, cr3)							\
	V(CR4, cr4)							\
	V(EFER, efer)							\
	V(PKRU, pkru)							\
	V(REGS_AVAIL, regs_avail)					\
	V(CR3_FRESH, cr3_fresh)		/* 1: cr3 is the guest's now or at its last exit */ \
	V(REGS_FRESH, regs_fresh)	/* 1: vCPU was not in guest mode when read */ \
	V(RAX, rax) V(RCX, rcx) V(RDX, rdx) V(RBX, rbx)			\
	V(RSP, rsp) V(RBP, rbp) V(RSI, rsi) V(RDI, rdi)			\
	V(R8, r8) V(R9, r9) V(R10, r10) V(R11, r11)			\
	V(R12, r12) V(R13, r13) V(R14, r14) V(R15, r15)			\
	V(RIP, rip)							\
	V(PDPTR0, pdptr0) V(PDPTR1, pdptr1) V(PDPTR2, pdptr2) V(PDPTR3, pdptr3)	\
	V(TDX_STATE, tdx_vcpu_state)	/* enum vcpu_tdx_state: 1 is initialized */ \
	V(TDX_TDVPR, tdx_tdvpr)		/* HPA */			\
	V(STATE_PROTECTED, state_protected)	/* 1: its registers are not KVM's to read */

enum spt_vcpu_value {
#define V(id, name) SPT_VCPU_##id,
	SPT_VCPU_VALUES(V)
#undef V
	SPT_VCPU_COUNT,
};

enum spt_hw_root_source {
	SPT_HW_ROOT_COMPUTED = 1,	/* from root_hpa and the role, as construct_eptp() does */
	SPT_HW_ROOT_VMCB = 2,		/* read from the VMCB */
	SPT_HW_ROOT_VMCS = 3,		/* VMREAD on the CPU that has the VMCS loaded */
};

/*
 * The registers of a vCPU, all of one moment. A segment is four values, in the order
 * in which VMX counts segments; attributes as VMX has them (SDM vol. 3, 24.4.1), bit 16
 * aside, with which VMX says that the register is unusable.
 */
#define SPT_REGS_SEGMENT(V, ID, name)					\
	V(ID##_SELECTOR, name##_selector) V(ID##_BASE, name##_base)	\
	V(ID##_LIMIT, name##_limit) V(ID##_ATTRIBUTES, name##_attributes)

#define SPT_REGS_VALUES(V)						\
	V(VCPU_ID, vcpu_id)						\
	V(SOURCE, source)		/* enum spt_regs_source */	\
	V(AGE_NS, age_ns)		/* since the exit that they are of */ \
	V(EXITS, exits)			/* that the vCPU had */		\
	V(MP_STATE, mp_state)		/* KVM_MP_STATE_*: 0 runnable, 3 halted */ \
	V(NESTED, nested)		/* 1: they are of its own guest (L2) */ \
	V(RAX, rax) V(RCX, rcx) V(RDX, rdx) V(RBX, rbx)			\
	V(RSP, rsp) V(RBP, rbp) V(RSI, rsi) V(RDI, rdi)			\
	V(R8, r8) V(R9, r9) V(R10, r10) V(R11, r11)			\
	V(R12, r12) V(R13, r13) V(R14, r14) V(R15, r15)			\
	V(RIP, rip) V(RFLAGS, rflags)					\
	V(CR0, cr0) V(CR2, cr2) V(CR3, cr3) V(CR4, cr4) V(EFER, efer) V(XCR0, xcr0) \
	SPT_REGS_SEGMENT(V, ES, es) SPT_REGS_SEGMENT(V, CS, cs)		\
	SPT_REGS_SEGMENT(V, SS, ss) SPT_REGS_SEGMENT(V, DS, ds)		\
	SPT_REGS_SEGMENT(V, FS, fs) SPT_REGS_SEGMENT(V, GS, gs)		\
	SPT_REGS_SEGMENT(V, LDTR, ldtr) SPT_REGS_SEGMENT(V, TR, tr)	\
	V(GDTR_BASE, gdtr_base) V(GDTR_LIMIT, gdtr_limit)		\
	V(IDTR_BASE, idtr_base) V(IDTR_LIMIT, idtr_limit)		\
	V(DR0, dr0) V(DR1, dr1) V(DR2, dr2) V(DR3, dr3) V(DR6, dr6) V(DR7, dr7) \
	V(STAR, star) V(LSTAR, lstar) V(CSTAR, cstar) V(SFMASK, sfmask)	\
	V(KERNEL_GS_BASE, kernel_gs_base)				\
	V(SYSENTER_CS, sysenter_cs) V(SYSENTER_ESP, sysenter_esp)	\
	V(SYSENTER_EIP, sysenter_eip) V(PAT, pat)			\
	V(EXIT_REASON, exit_reason)	/* the hardware's, of the last exit */ \
	V(EXIT_INFO_1, exit_info1)	/* EXITINFO1, or the exit qualification */ \
	V(EXIT_INFO_2, exit_info2)	/* EXITINFO2, or the guest-physical address */

enum spt_register {
#define V(id, name) SPT_REGISTER_##id,
	SPT_REGS_VALUES(V)
#undef V
	SPT_REGISTER_COUNT,
};

enum spt_regs_source {
	SPT_REGS_LAST_EXIT = 1,	/* the vCPU was in the guest: what it had when it entered */
	SPT_REGS_OUTSIDE = 2,	/* it was not in the guest: they are its registers */
	SPT_REGS_INTERRUPTED = 3,	/* it was interrupted, and read before it went on */
	SPT_REGS_PROTECTED = 4,	/* protected guest state: KVM does not have them */
};

/* Named 64-bit values: SPT_REC_VM, SPT_REC_VCPU and SPT_REC_REGS. */
struct spt_values {
	struct spt_rec rec;
	__u64 known[2];		/* bit i of the 128: value[i] is valid */
	__u64 value[];		/* (rec.len - sizeof(struct spt_values)) / 8 of them */
};

/* Flags of struct spt_slot 'known'. */
#define SPT_SLOT_KNOWN_GMEM	(1U << 0)	/* this kernel has guest_memfd */
#define SPT_SLOT_KNOWN_GMEM_PAGES (1U << 1)	/* and its page cache could be looked at */

struct spt_slot {
	struct spt_rec rec;
	__u64 base_gfn;
	__u64 npages;
	__u64 hva;
	__u64 generation;	/* of the slot set, bit 63: update in progress */
	__u64 dirty_bitmap;	/* 1: one is allocated */
	__u64 gmem_file;	/* 0: not bound; else inode number of the guest_memfd */
	__u64 gmem_pgoff;	/* pages */
	__u32 flags;		/* KVM_MEM_*, and KVM's internal ones from bit 16 */
	__u16 as_id;
	__s16 id;
	__u32 known;		/* SPT_SLOT_KNOWN_* */
	__u32 has_rmap;		/* 1: rmap arrays are allocated */
};

enum spt_run_kind {
	SPT_RUN_LPAGE_2M = 1,	/* value: disallow_lpage, zero ones left out */
	SPT_RUN_LPAGE_1G = 2,
	SPT_RUN_WRITE_TRACK = 3,	/* value: write-track count, zero ones left out */
	SPT_RUN_ATTRS = 4,	/* value: KVM_MEMORY_ATTRIBUTE_* */
};

struct spt_run {
	__u64 gfn;
	__u64 npages;		/* 4K pages */
	__u64 value;
};

/* Runs of equal values, ascending by gfn; may be split over several records. */
struct spt_runs {
	struct spt_rec rec;
	__u32 kind;		/* enum spt_run_kind */
	__u32 count;
	struct spt_run run[];
};

/* Flags of struct spt_page; a 'known' bit says that this kernel has the field. */
#define SPT_PAGE_TDP_MMU		(1U << 0)	/* tdp_mmu_page */
#define SPT_PAGE_UNSYNC			(1U << 1)
#define SPT_PAGE_NX_DISALLOWED		(1U << 2)	/* nx_huge_page_disallowed */
#define SPT_PAGE_HOST_MMIO		(1U << 3)	/* has_mapped_host_mmio */
#define SPT_PAGE_ROOT_TO_ZAP		(1U << 4)	/* tdp_mmu_scheduled_root_to_zap */
#define SPT_PAGE_NX_LINKED		(1U << 5)	/* on possible_nx_huge_pages */
#define SPT_PAGE_HAS_EXTERNAL		(1U << 6)	/* known only: external_spt exists */
#define SPT_PAGE_BACKLINK_BAD		(1U << 7)	/* page_private(spt) is not this page */
#define SPT_PAGE_PRIVATE		(1U << 8)	/* gfn_stolen_bits: a TD's private half */
#define SPT_PAGE_NO_ACCESS		(1U << 9)	/* 'gfns': translations have no access */

/* struct kvm_mmu_page, the header of one table. */
struct spt_page {
	__u64 sp;		/* its address: identity, nothing else */
	__u64 hpa;		/* of the table (spt) */
	__u64 gfn;		/* first guest frame it translates; shadow: the guest table's */
	__u32 role;		/* bits as in struct spt_head */
	__u32 flags;		/* SPT_PAGE_* */
	__u32 known;		/* flags that exist on this kernel */
	__u32 root_count;
	__u32 unsync_children;
	__u32 write_flooding;
	__u64 parent;		/* TDP MMU: HPA of ptep, 0 root; shadow: parent_ptes */
	__u64 external;		/* mirror: HPA of external_spt, 0 none */
	__u8 mmu_valid_gen;
	__u8 pad[7];
};

struct spt_root {
	struct spt_rec rec;
	struct spt_page page;
	__u32 order;		/* position in tdp_mmu_roots */
	__u32 pad;
};

/* Which structure a table was found in. */
enum spt_table_source { SPT_FROM_TDP_ROOT = 1, SPT_FROM_ACTIVE_LIST = 2 };

/*
 * A table. Bit c of 'chunks' says that entries 8c..8c+7 follow, in order; a
 * chunk left out holds only 'empty' entries (TDP MMU: spt_head.empty_spte,
 * shadow pages: 'empty' below) or lies outside the range asked for.
 */
struct spt_table {
	struct spt_rec rec;
	struct spt_page page;
	__u64 root;		/* sp of the root it was reached from; 0: active list */
	__u64 empty;		/* value of every entry that was left out */
	__u64 chunks;
	__u64 entry[];
};

enum spt_raw_table_kind { SPT_RAW_PAE_ROOT = 1, SPT_RAW_PML4_ROOT = 2, SPT_RAW_PML5_ROOT = 3 };

struct spt_raw_table {
	struct spt_rec rec;
	__u32 kind;		/* enum spt_raw_table_kind */
	__u32 vcpu;		/* vcpu_idx */
	__u64 hpa;
	__u64 empty;
	__u64 chunks;
	__u64 entry[];
};

/*
 * What is behind a mirror table: the table that its kvm_mmu_page names as
 * external_spt, which the hardware walks in its place. Entries as above with the
 * empty value 0; they are hardware's, KVM's bits are not in them. Where external
 * tables are a TDX module's own there are no such records.
 */
struct spt_external {
	struct spt_rec rec;
	__u64 hpa;
	__u64 mirror;		/* HPA of the mirror table */
	__u64 sp;		/* its kvm_mmu_page */
	__u64 root;		/* sp of the mirror root */
	__u64 gfn;		/* first guest frame it translates */
	__u64 chunks;
	__u8 level;
	__u8 pad[7];
	__u64 entry[];
};

/* Same encoding, empty value 0: shadowed_translation, gfn << 12 | access. */
struct spt_array {
	struct spt_rec rec;
	__u64 sp;
	__u64 chunks;
	__u64 entry[];
};

#define SPT_HOST_LEVELS		5

/* One HVA through the VMM's own page tables; level[0] is the 4K level. */
struct spt_host_walk {
	struct spt_rec rec;
	__u64 gpa;
	__u64 hva;
	__u8 top;		/* paging levels of the host: 4 or 5 */
	__u8 leaf;		/* level where the walk ended; its entry may be non-present */
	__u16 error;		/* 0, or a positive errno: the VMM's memory is gone, no slot ... */
	__u32 pad;
	struct {
		__u64 table_hpa;	/* SPT_NO_HPA: not reached */
		__u64 entry;
	} level[SPT_HOST_LEVELS];
};

enum spt_note_kind {
	SPT_NOTE_ROOT_CHANGED = 1,	/* a root vanished or became invalid while walked; a: sp */
	SPT_NOTE_PATH_CHANGED = 2,	/* a table on the path was replaced; a: gfn, b: level */
	SPT_NOTE_LIST_CHANGED = 3,	/* active_mmu_pages was resumed at a guessed place */
	SPT_NOTE_SLOTS_CHANGED = 4,	/* a: as_id */
	SPT_NOTE_BAD_TABLE = 5,		/* a: HPA named by entry b that is no table */
	SPT_NOTE_UNREADABLE = 6,	/* a: address that could not be read */
	SPT_NOTE_LIMIT = 7,		/* a list was longer than its bound; a: the bound */
};

struct spt_note {
	struct spt_rec rec;
	__u32 kind;		/* enum spt_note_kind */
	__u32 pad;
	__u64 a;
	__u64 b;
};

struct spt_dirty {
	struct spt_rec rec;
	__u64 gfn;		/* of the first bit */
	__u64 npages;
	__u64 word[];		/* bit i: gfn + i is dirty */
};

/* Flags of struct spt_host_run. */
#define SPT_HOST_RUN_WRITABLE	(1U << 0)
#define SPT_HOST_RUN_DIRTY	(1U << 1)
#define SPT_HOST_RUN_SWAP	(1U << 2)	/* an entry that is not present: no page */
#define SPT_HOST_RUN_PROTNONE	(1U << 3)	/* a page that nobody may touch now */
#define SPT_HOST_RUN_MIGRATION	(1U << 4)
#define SPT_HOST_RUN_ZERO	(1U << 5)	/* the kernel's zero page */
#define SPT_HOST_RUN_SPECIAL	(1U << 6)	/* with SWAP: poison or a marker, of no swap file */
#define SPT_HOST_RUN_NODE_SHIFT	8	/* NUMA node + 1 of the frames, 0 unknown: 16 bits */

/* Neighbours that the VMM's page tables map alike, frames contiguous. */
struct spt_host_run {
	__u64 gfn;		/* first guest frame */
	__u64 npages;		/* 4K pages */
	__u64 hpa;		/* of the first page; SPT_NO_HPA: not mapped */
	__u32 flags;		/* SPT_HOST_RUN_* */
	__u32 level;		/* 1 4K, 2 2M, 3 1G: size of the host's mapping */
};

/*
 * The host's mapping of the last slot, ascending by gfn; several records may
 * follow one another. Frames between runs are not mapped by the host.
 */
struct spt_host_runs {
	struct spt_rec rec;
	__u32 count;
	__u32 pad;
	struct spt_host_run run[];
};

/*
 * The same of what a slot's guest_memfd has in its page cache: 'hpa' is never
 * SPT_NO_HPA, 'level' the size of the folio, of the flags only the node is set.
 * Frames between runs have no page yet, or were punched out.
 */

/* Pages that KVM gave to the TDX module for a TD or a vCPU of it. */
enum spt_tdx_page_kind { SPT_TDX_TDCS = 1, SPT_TDX_TDCX = 2 };

struct spt_tdx_pages {
	struct spt_rec rec;
	__u32 kind;		/* enum spt_tdx_page_kind */
	__u32 vcpu;		/* vcpu_idx; 0 for the TD's */
	__u32 count;
	__u32 pad;
	__u64 hpa[];
};

/* One SPTE that a reverse map names. */
struct spt_rmap {
	__u64 gfn;
	__u64 sptep_hpa;	/* of the entry: its table's HPA + 8 * index */
};

/* Reverse maps of the last slot, one level a record; gfns without SPTEs left out. */
struct spt_rmaps {
	struct spt_rec rec;
	__u32 level;		/* 1 4K, 2 2M, 3 1G */
	__u32 count;
	struct spt_rmap rmap[];
};

/* A page of the guest's memory that is one of its page tables; as in struct spt_array. */
struct spt_guest_table {
	struct spt_rec rec;
	__u64 gpa;
	__u64 chunks;
	__u64 entry[];
};

/*
 * What `events` recorded, from KVM's tracepoints: what happened when, and where it is in
 * the image that the record is in, as known soon after it happened.
 */
#define SPT_EVENT_KINDS(E)						\
	E(FAULT, fault)			/* kvm_page_fault */		\
	E(EXIT, exit)			/* kvm_exit, of those that faults make */ \
	E(SPTE, spte)			/* kvm_tdp_mmu_spte_changed */	\
	E(SET, set)			/* kvm_mmu_set_spte */		\
	E(FAST, fast)			/* fast_page_fault: resolved without mmu_lock */ \
	E(MMIO_FAULT, mmio_fault)	/* handle_mmio_page_fault */	\
	E(MMIO_SPTE, mmio_spte)		/* mark_mmio_spte */		\
	E(MMIO, mmio)			/* kvm_mmio: the access was emulated */ \
	E(ZAP_PAGE, zap_page)		/* kvm_mmu_prepare_zap_page */	\
	E(ZAP_ALL, zap_all)		/* kvm_mmu_zap_all_fast */	\
	E(SPLIT, split)			/* kvm_mmu_split_huge_page */	\
	E(UNMAP, unmap)			/* kvm_unmap_hva_range: the host takes memory back */ \
	E(AGE, age)			/* kvm_age_hva */		\
	E(NESTED, nested_exit)		/* kvm_nested_vmexit, of those that faults make */ \
	E(REFLECT, reflect)		/* kvm_nested_vmexit_inject: a fault of L2 is given on */

enum spt_event_kind {
#define E(id, name) SPT_EVENT_##id,
	SPT_EVENT_KINDS(E)
#undef E
	SPT_EVENT_KINDS_COUNT,
};

/* Bits of struct spt_event 'known': which members the event has. */
enum spt_event_member {
	SPT_EVENT_HAS_VCPU = 1 << 0,
	SPT_EVENT_HAS_ADDRESS = 1 << 1,
	SPT_EVENT_HAS_ERROR = 1 << 2,
	SPT_EVENT_HAS_RIP = 1 << 3,
	SPT_EVENT_HAS_OLD = 1 << 4,
	SPT_EVENT_HAS_NEW = 1 << 5,
	SPT_EVENT_HAS_LEVEL = 1 << 6,
	SPT_EVENT_HAS_ROOT = 1 << 7,
	SPT_EVENT_HAS_SLOT = 1 << 8,
	SPT_EVENT_HAS_RESULT = 1 << 9,
	SPT_EVENT_HAS_AS = 1 << 10,
};

/* What 'address' is. */
enum spt_event_space { SPT_EVENT_GPA, SPT_EVENT_GVA, SPT_EVENT_HVA, SPT_EVENT_L2_GPA };

#define SPT_EVENT_FOREIGN	(1U << 0)	/* by a thread that is not the VMM's */
#define SPT_EVENT_WRITE		(1U << 1)	/* MMIO: a write */
#define SPT_EVENT_ASKED		(1U << 3)	/* MMIO: the VMM was asked, and has yet to answer */
#define SPT_EVENT_OF_FAULT	(1U << 2)	/* 'rip' is that of the thread's fault before it */
#define SPT_EVENT_L2		(1U << 4)	/* the vCPU ran its own guest, whose is 'rip' */
#define SPT_EVENT_LEFT		(1U << 5)	/* no code: the vCPU had left who was there */

#define SPT_EVENT_CODE		15

struct spt_event {
	__u64 time_ns;		/* CLOCK_MONOTONIC */
	__u64 address;		/* of the page where KVM speaks of one */
	__u64 len;		/* bytes from there on; 0: one address */
	__u64 error_code;	/* PFERR_*, exit qualification, or KVM's access bits */
	__u64 rip;
	__u64 old_spte;
	__u64 new_spte;
	__u64 root_hpa;		/* of the address space's valid root */
	__u64 result;		/* RET_PF_* of a fast fault, exit reason, generation, ... */
	__u32 known;		/* enum spt_event_member, or-ed */
	__s32 vcpu;		/* vcpu_id */
	__s32 pid;		/* of the thread */
	__u16 cpu;
	__s16 slot;		/* its id, -1: no slot has the address */
	__u8 kind;		/* enum spt_event_kind */
	__u8 space;		/* enum spt_event_space */
	__u8 level;
	__u8 as_id;
	__u8 flags;		/* SPT_EVENT_* */
	__u8 code_bits;		/* of the code segment: 16, 32, 64; 0: not known */
	__u8 code_len;		/* bytes of 'code' that could be read at RIP */
	__u8 code[SPT_EVENT_CODE];
	__u8 pad[2];
	char comm[16];		/* of the thread */
};

struct spt_events {
	struct spt_rec rec;
	__u32 count;
	__u32 size;		/* bytes of one event */
	struct spt_event event[];
};

/* The recording as a whole. What was lost happened and is in no event. */
struct spt_trace {
	struct spt_rec rec;
	__u64 begin_ns;		/* CLOCK_MONOTONIC */
	__u64 end_ns;
	__u64 begin_real_ns;	/* CLOCK_REALTIME at begin_ns */
	__u64 events;		/* recorded */
	__u64 overrun;		/* lost: overwritten before they were read */
	__u64 dropped;		/* lost: no room */
	__u64 commit;		/* lost: written while another was being written */
	__u64 unkept;		/* read, but more than were to be kept */
	__u32 absent;		/* bit i: this kernel has no tracepoint of enum spt_event_kind i */
	__u32 wanted;		/* bit i: kind i was asked for */
	__u32 threads;		/* of the VMM, that events were taken of; 0: all threads */
	__u32 vms;		/* VMs on the host, the most at a time */
	__u64 l2_begin_ns;	/* entries set for L2 are recorded from then on; 0: all are */
};

/* Flags of struct spt_end. */
#define SPT_END_TORN		(1U << 0)	/* see the notes and the generations */

struct spt_end {
	struct spt_rec rec;
	__u64 records;		/* this one included */
	__u64 tables;		/* SPT_REC_TABLE records */
	__u64 entries;		/* stored in those */
	__u64 seq_end;		/* mmu_invalidate_seq now; the VM record has it at the start */
	__u64 in_progress_end;	/* mmu_invalidate_in_progress now */
	__u64 generation_end[2];	/* memslot generations now */
	__u64 time_ns;		/* CLOCK_REALTIME */
	__u32 flags;		/* SPT_END_* */
	__u32 pad;
	__u64 checksum;		/* spt_checksum() of all bytes before this member */
};

/*
 * Sum of the 64-bit words, each times the odd number 2i + 1 of its index i in
 * the image, modulo 2^64. Any change of one word changes it, words may be added
 * in any order, and it costs one multiplication a word.
 */
static inline __u64 spt_checksum_word(__u64 index, __u64 word)
{
	return word * (2 * index + 1);
}

#endif
