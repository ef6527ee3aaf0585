/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KVM's structures as the first TDX trees had them, in our own words: member names, order and
 * types as published then, without what nobody here reads.
 *
 *   default      2021, on Linux 5.13: memslots in a sorted array, vCPUs in an array, private
 *                tables told from shared ones by gfn_stolen_bits, on lists of their own
 *   -DKVM_LATER  2022, on Linux 5.19: memslots in a tree, the private half is a bit of the role
 *
 * What is written through these structures is read back by their debug information alone.
 */
#ifndef TESTS_OLD_KVM_H
#define TESTS_OLD_KVM_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef u64 gfn_t, gpa_t, hpa_t;
typedef long long loff_t_;
typedef struct {
	int counter;
} atomic_t;
typedef struct {
	atomic_t refs;
} refcount_t;

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct rb_node {
	unsigned long parent_color;
	struct rb_node *right, *left;
};

struct rb_root {
	struct rb_node *node;
};

struct xarray {
	u32 lock, flags;
	void *head;
};

struct kvm_rmap_head {
	unsigned long val;
};

struct pte_list_desc {
	struct pte_list_desc *more;
	u64 spte_count;
	u64 *sptes[14];
};

struct kvm_lpage_info {
	int disallow_lpage;
};

struct kvm_arch_memory_slot {
	struct kvm_rmap_head *rmap[3];
	struct kvm_lpage_info *lpage_info[2];
	u16 *gfn_track[1];
};

struct file;

struct kvm_memory_slot {
#ifdef KVM_LATER
	struct hlist_node id_node[2];
	struct rb_node hva_node[2][2];
	struct rb_node gfn_node[2];
#endif
	gfn_t base_gfn;
	unsigned long npages;
	unsigned long *dirty_bitmap;
	struct kvm_arch_memory_slot arch;
	unsigned long userspace_addr;
	u32 flags;
	short id;
	u16 as_id;
	struct file *private_file;
	loff_t_ private_offset; /* bytes */
};

#define KVM_MEM_SLOTS_NUM 512

struct kvm_memslots {
	u64 generation;
#ifdef KVM_LATER
	unsigned long last_used_slot;
	struct rb_root hva_tree;
	struct rb_root gfn_tree;
	int node_idx;
#else
	short id_to_index[KVM_MEM_SLOTS_NUM];
	atomic_t last_used_slot;
	int used_slots;
	struct kvm_memory_slot memslots[]; /* by falling base_gfn */
#endif
};

union kvm_mmu_page_role {
	u32 word;
	struct {
		unsigned level : 4;
#ifdef KVM_LATER
		unsigned has_4_byte_gpte : 1;
#else
		unsigned gpte_is_8_bytes : 1;
#endif
		unsigned quadrant : 2;
		unsigned direct : 1;
		unsigned access : 3;
		unsigned invalid : 1;
		unsigned efer_nx : 1;
		unsigned cr0_wp : 1;
		unsigned smep_andnot_wp : 1;
		unsigned smap_andnot_wp : 1;
		unsigned ad_disabled : 1;
		unsigned guest_mode : 1;
#ifdef KVM_LATER
		unsigned passthrough : 1;
		unsigned private : 1;
		unsigned : 4;
#else
		unsigned : 6;
#endif
		unsigned smm : 8;
	};
};

/* The private root has no page of its own that KVM knows: what private_sp holds then. */
#define KVM_MMU_PRIVATE_SP_ROOT ((void *)1)

struct kvm_mmu_page {
	struct list_head link;
	struct hlist_node hash_link;
	_Bool tdp_mmu_page;
	_Bool unsync;
	u8 mmu_valid_gen;
	_Bool lpage_disallowed;
	union kvm_mmu_page_role role;
	gfn_t gfn;
#ifndef KVM_LATER
	gfn_t gfn_stolen_bits;
#endif
	u64 *spt;
	gfn_t *gfns;
	void *private_sp;
	union {
		int root_count;
		refcount_t tdp_mmu_root_count;
	};
	unsigned int unsync_children;
#ifdef KVM_LATER
	union {
		struct kvm_rmap_head parent_ptes;
		u64 *ptep;
	};
#else
	struct kvm_rmap_head parent_ptes;
#endif
	unsigned long unsync_child_bitmap[8];
	struct list_head lpage_disallowed_link;
	atomic_t write_flooding_count;
};

struct kvm_mmu_root_info {
	gpa_t pgd;
	hpa_t hpa;
};

#ifndef KVM_LATER
union kvm_mmu_extended_role {
	u32 word;
	struct {
		unsigned valid : 1;
		unsigned execonly : 1;
	};
};

union kvm_mmu_role {
	u64 as_u64;
	struct {
		union kvm_mmu_page_role base;
		union kvm_mmu_extended_role ext;
	};
};
#endif

struct kvm_mmu {
	unsigned long (*get_guest_pgd)(void *vcpu);
#ifdef KVM_LATER
	struct kvm_mmu_root_info root;
	hpa_t private_root_hpa;
	u64 cpu_role;
	union kvm_mmu_page_role root_role;
#else
	hpa_t root_hpa;
	gpa_t root_pgd;
	union kvm_mmu_role mmu_role;
	u8 root_level;
	u8 shadow_root_level;
	_Bool direct_map;
	hpa_t private_root_hpa;
#endif
	struct kvm_mmu_root_info prev_roots[3];
	u64 *pae_root;
	u64 *pml4_root;
	u64 *pml5_root;
	u64 pdptrs[4];
};

struct kvm_vcpu_arch {
	unsigned long regs[17];
	u32 regs_avail, regs_dirty;
	unsigned long cr0, cr2, cr3, cr4;
	u64 efer;
	u32 hflags;
	struct kvm_mmu *mmu;
	struct kvm_mmu root_mmu;
	struct kvm_mmu guest_mmu;
};

struct kvm;

struct kvm_vcpu {
	struct kvm *kvm;
	int cpu, vcpu_id, vcpu_idx, mode;
	u64 requests;
	void *pid;
	struct kvm_vcpu_arch arch;
};

struct kvm_arch {
	unsigned long vm_type;
	unsigned long n_used_mmu_pages, n_requested_mmu_pages, n_max_mmu_pages;
	unsigned int indirect_shadow_pages;
	u8 mmu_valid_gen;
	struct hlist_head mmu_page_hash[4096];
	struct list_head active_mmu_pages;
	struct list_head private_mmu_pages;
	struct list_head lpage_disallowed_mmu_pages;
	_Bool tdp_mmu_enabled;
	struct list_head tdp_mmu_roots;
	struct list_head tdp_mmu_pages;
	gfn_t gfn_shared_mask;
};

struct kvm {
	u64 mmu_lock;
	void *mm;
	struct kvm_memslots *memslots[2];
#ifdef KVM_LATER
	struct xarray vcpu_array;
#else
	struct kvm_vcpu *vcpus[288];
#endif
	int online_vcpus, created_vcpus;
	struct list_head vm_list;
	refcount_t users_count;
	int userspace_pid;
	void *debugfs_dentry;
	char srcu[64];
	unsigned long mmu_notifier_seq;
	long mmu_notifier_count;
	unsigned long mmu_notifier_range_start, mmu_notifier_range_end;
	u32 dirty_ring_size;
	struct kvm_arch arch;
};

struct loaded_vmcs {
	void *vmcs;
	int cpu;
};

struct vcpu_vmx {
	struct kvm_vcpu vcpu;
	struct loaded_vmcs *loaded_vmcs;
};

#endif
