/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where SPTEs are found: from the roots of the TDP MMU, or by reverse maps.
 */
#ifndef SPT_AGENT_ENTRIES_H
#define SPT_AGENT_ENTRIES_H

#include "action.h"

u32 spt_role_of(const void *sp);
/* 0 where the role has no such field. */
u32 spt_role_field(u32 role, enum spt_field_id id);

/* Calls @visit for each valid root of the TDP MMU, under RCU; ends when it returns non-zero. */
int spt_visit_roots(const struct kvm *kvm, int (*visit)(const void *root, void *arg), void *arg);
/* Is @root of an address space that @act is about? In another the gfn may be another page. */
bool spt_root_meant(const struct spt_action *act, const void *root);
/*
 * The last entry on the path from @root to @gfn, RCU held. @gfn has no shared
 * bits; those of the VM are added where the root wants them. False: the root does
 * not reach that far.
 */
bool spt_root_walk(const void *root, u64 gfn, u64 shared_bits, struct spt_entry *entry);

/*
 * Does a mirror root map @gfn? To be asked once more under mmu_lock for write, where that cannot
 * change, before KVM is told to change leaves of a gfn in all roots: taking a permission from one
 * of a mirror takes the page from the TD.
 */
bool spt_mirror_maps(const struct kvm *kvm, u64 gfn);

/* Has the slot reverse maps at all? None, as long as the TDP MMU is alone. */
bool spt_rmap_arrays(const void *slot);
/* The head of @gfn's reverse map at @level in @slot, srcu held; 0: nothing maps it. */
u64 spt_rmap_of(const void *slot, u64 gfn, u8 level);
/* Calls @visit for the SPTEs of one reverse map. mmu_lock is held. */
int spt_visit_rmap(u64 head, u64 gfn, u8 level, spt_leaf_fn visit, void *arg);

#endif
