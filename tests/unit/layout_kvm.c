// SPDX-License-Identifier: GPL-2.0
/*
 * Structs with every member that SPT_FIELDS requires, in the newest spelling or,
 * with -DOLD, in the oldest one. What the tests take away or move, they do with
 * further macros.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct list_head {
	struct list_head *next, *prev;
};

struct rb_node {
	unsigned long parent;
	struct rb_node *right, *left;
};

struct xarray {
	u32 lock, flags;
	void *head;
};

struct kvm_lpage_info {
	int disallow_lpage;
};

struct kvm_rmap_head {
	unsigned long val;
};

struct pte_list_desc {
	struct pte_list_desc *more;
	u32 spte_count, tail_count;
	u64 *sptes[14];
};

struct kvm_arch_memory_slot {
	struct kvm_rmap_head *rmap[3];
	struct kvm_lpage_info *lpage_info[2];
#ifdef OLD
	u16 *gfn_track[1];
#else
	u16 *gfn_write_track;
#endif
};

struct kvm_memory_slot {
	struct rb_node gfn_node[2];
	u64 base_gfn;
	unsigned long npages;
	unsigned long *dirty_bitmap;
	struct kvm_arch_memory_slot arch;
	unsigned long userspace_addr;
	u32 flags;
	short id;
	u16 as_id;
};

struct kvm_memslots {
	u64 generation;
	struct rb_node *gfn_tree;
	int node_idx;
};

union kvm_mmu_page_role {
	u32 word;
	struct {
		unsigned level : 4;
#ifdef OLD
		unsigned gpte_is_8_bytes : 1;
#else
		unsigned has_4_byte_gpte : 1;
#endif
		unsigned quadrant : 2;
		unsigned direct : 1;
		unsigned access : 3;
		unsigned invalid : 1;
		unsigned : 12;
		unsigned smm : 8;
	};
};

struct kvm_mmu_page {
	struct list_head link;
	struct list_head hash_link;
	u8 tdp_mmu_page;
#ifdef OLD
	u8 lpage_disallowed;
	u64 *gfns;
	void *private_sp;
#else
	u8 nx_huge_page_disallowed;
	u64 *shadowed_translation;
	void *external_spt;
#endif
	union kvm_mmu_page_role role;
#ifndef NO_GFN
	u64 gfn;
#endif
#ifdef MOVED
	u64 something_new;
#endif
	u64 *spt;
	union {
		int root_count;
		int tdp_mmu_root_count;
	};
	unsigned long parent_ptes;
};

struct kvm_mmu_root_info {
	u64 pgd, hpa;
};

struct kvm_mmu {
	struct kvm_mmu_root_info root;
	struct kvm_mmu_root_info prev_roots[3];
	union kvm_mmu_page_role root_role;
	u64 *pae_root;
};

struct kvm_vcpu_arch {
	struct kvm_mmu *mmu, root_mmu, guest_mmu;
	unsigned long cr0, cr2, cr3, cr4, regs[17];
	u64 efer;
	u32 regs_avail;
};

struct kvm;

struct kvm_vcpu {
	struct kvm *kvm;
	int vcpu_id, vcpu_idx, cpu, mode;
	u64 requests;
	void *pid;
	struct kvm_vcpu_arch arch;
};

struct kvm_arch {
	struct list_head tdp_mmu_roots, active_mmu_pages;
#ifdef OLD
	struct list_head mmu_page_hash[16];
	unsigned long n_used_mmu_pages;
#else
	struct list_head *mmu_page_hash;
	u8 vm_type;
#endif
};

struct kvm_stat {
	u64 pages[3];
	u64 mmu_shadow_pages;
};

struct kvm {
	u32 mmu_lock;
	void *mm;
	struct list_head vm_list;
	int users_count, userspace_pid, online_vcpus;
	void *debugfs_dentry;
	char srcu[24];
	struct kvm_memslots *memslots[2];
	struct xarray vcpu_array;
#ifdef OLD
	unsigned long mmu_notifier_seq;
	long mmu_notifier_count;
	char stat[8];
#else
	unsigned long mmu_invalidate_seq;
	long mmu_invalidate_in_progress;
	struct kvm_stat stat;
#endif
	struct kvm_arch arch;
};

struct vmcb_control_area {
	char reserved[0xb0];
	u64 nested_cr3;
};

struct vmcb_save_area {
	char reserved[0x150];
	u64 cr3;
};

struct vmcb {
	struct vmcb_control_area control;
	struct vmcb_save_area save;
};

struct vcpu_svm {
	struct kvm_vcpu vcpu;
	struct vmcb *vmcb;
};

struct kvm_svm {
	struct kvm kvm;
};

/* kvm_intel with TDX host support (arch/x86/kvm/vmx/tdx.h, arch/x86/include/asm/tdx.h). */
#ifdef INTEL
struct page;

struct loaded_vmcs {
	void *vmcs, *shadow_vmcs;
	int cpu;
};

struct vcpu_vmx {
	struct kvm_vcpu vcpu;
	u8 fail;
	struct loaded_vmcs *loaded_vmcs;
};

#ifndef NO_TDX
struct tdx_td {
	struct page *tdr_page;
	int tdcs_nr_pages;
	struct page **tdcs_pages;
	int tdcx_nr_pages;
};

struct tdx_vp {
	struct page *tdvpr_page;
	u64 tdvpr_pa;
	struct page **tdcx_pages;
};

enum kvm_tdx_state { TD_STATE_UNINITIALIZED = 0, TD_STATE_INITIALIZED, TD_STATE_RUNNABLE };
enum vcpu_tdx_state { VCPU_TD_STATE_UNINITIALIZED = 0, VCPU_TD_STATE_INITIALIZED };

struct kvm_tdx {
	struct kvm kvm;
	void *misc_cg;
	int hkid;
	enum kvm_tdx_state state;
	u64 attributes;
	u64 xfam;
	u64 tsc_offset;
	u64 tsc_multiplier;
	struct tdx_td td;
	struct page *page_add_src;
};

struct vcpu_tdx {
	struct kvm_vcpu vcpu;
	u64 ext_exit_qualification, exit_gpa;
	struct tdx_vp vp;
	struct list_head cpu_list;
	u64 vp_enter_ret;
	enum vcpu_tdx_state state;
};
#endif
#endif

#ifdef INTEL
struct vcpu_vmx vcpu_vmx;
#ifndef NO_TDX
struct kvm_tdx kvm_tdx;
struct vcpu_tdx vcpu_tdx;
#endif
#elif defined(VENDOR)
struct vcpu_svm vcpu_svm;
struct kvm_svm kvm_svm;
#else
struct kvm vm;
struct kvm_vcpu vcpu;
struct kvm_mmu_page page;
struct kvm_memory_slot slot;
struct pte_list_desc desc;
#endif
