/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the first and the later of the old kernels (tests/old/kvm.h) kept differently: where a
 * memslot, a vCPU, a shadow page stands, and by what a private page is told. For vm.c alone.
 */
#ifndef TESTS_OLD_SHAPE_H
#define TESTS_OLD_SHAPE_H

#include <string.h>

#include "kvm.h"

static inline void list_init(struct list_head *list)
{
	list->next = list->prev = list;
}

static inline void list_add(struct list_head *entry, struct list_head *list)
{
	entry->next = list->next;
	entry->prev = list;
	list->next->prev = entry;
	list->next = entry;
}

#ifdef KVM_LATER

/* One set of an address space: a tree by gfn, in the nodes that are in force. */
struct slot_set {
	struct kvm_memslots set;
	struct kvm_memory_slot slot[2];
};

/* The nodes that are not in force, as of a change that was never made, must not be looked at. */
static inline void set_begin(struct slot_set *s, int as)
{
	s->set.generation = 4 + as;
	s->set.node_idx = as;
}

static inline struct kvm_memory_slot *set_add(struct slot_set *s, short id, int nr)
{
	struct rb_node *node = &s->slot[nr].gfn_node[s->set.node_idx];

	(void)id;
	s->slot[nr].gfn_node[!s->set.node_idx].left = (struct rb_node *)0xdead;
	/* The second to be added is below the first: its gfn is smaller. */
	if (s->set.gfn_tree.node)
		s->set.gfn_tree.node->left = node;
	else
		s->set.gfn_tree.node = node;
	return &s->slot[nr];
}

/* An array with nothing but its first entry is that entry. */
static inline void vm_shape(struct kvm *kvm, struct kvm_vcpu *vcpu)
{
	kvm->arch.tdp_mmu_enabled = 1;
	kvm->vcpu_array.head = vcpu;
}

static inline void page_shape(struct kvm_mmu_page *sp, bool private, struct kvm_arch *arch)
{
	sp->tdp_mmu_page = 1;
	sp->role.private = private;
	list_add(&sp->link, &arch->tdp_mmu_pages);
}

static inline void root_shape(struct kvm_mmu_page *sp, struct kvm_arch *arch)
{
	sp->link.prev->next = sp->link.next;
	sp->link.next->prev = sp->link.prev;
	list_add(&sp->link, &arch->tdp_mmu_roots);
	sp->tdp_mmu_root_count.refs.counter = 1;
}

static inline void set_parent(struct kvm_mmu_page *sp, u64 *entry)
{
	sp->ptep = entry;
}

static inline void load_root(struct kvm_mmu *mmu, hpa_t hpa, union kvm_mmu_page_role role)
{
	mmu->root.hpa = hpa;
	mmu->root_role = role;
}

#else

/* One set of an address space: an array by falling gfn. */
struct slot_set {
	union {
		struct kvm_memslots set;
		char room[sizeof(struct kvm_memslots) + 2 * sizeof(struct kvm_memory_slot)];
	};
};

static inline void set_begin(struct slot_set *s, int as)
{
	s->set.generation = 4 + as;
	memset(s->set.id_to_index, -1, sizeof(s->set.id_to_index));
}

static inline struct kvm_memory_slot *set_add(struct slot_set *s, short id, int nr)
{
	s->set.id_to_index[id] = nr;
	s->set.used_slots = nr + 1;
	return &s->set.memslots[nr];
}

static inline void vm_shape(struct kvm *kvm, struct kvm_vcpu *vcpu)
{
	kvm->vcpus[0] = vcpu;
}

static inline void page_shape(struct kvm_mmu_page *sp, bool private, struct kvm_arch *arch)
{
	sp->role.gpte_is_8_bytes = 1;
	sp->gfn_stolen_bits = private ? 0 : arch->gfn_shared_mask;
	list_add(&sp->link, private ? &arch->private_mmu_pages : &arch->active_mmu_pages);
}

static inline void root_shape(struct kvm_mmu_page *sp, struct kvm_arch *arch)
{
	(void)arch;
	sp->root_count = 1;
}

static inline void set_parent(struct kvm_mmu_page *sp, u64 *entry)
{
	sp->parent_ptes.val = (unsigned long)entry;
}

static inline void load_root(struct kvm_mmu *mmu, hpa_t hpa, union kvm_mmu_page_role role)
{
	mmu->root_hpa = hpa;
	mmu->mmu_role.base = role;
	mmu->mmu_role.ext.valid = 1;
}

#endif
#endif
