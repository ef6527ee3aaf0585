/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keeping a gfn mapped with 4K pages: KVM counts in lpage_info how many reasons
 * there are not to map a huge page, and an action that wants 4K is one more.
 */
#ifndef SPT_AGENT_SMALL_H
#define SPT_AGENT_SMALL_H

#include "action.h"
#include "watch.h"

/*
 * One reason, of ours. What it is counted in dies with the slot's arch member: a
 * probe tells, and the reason is no more. Zeroed before the first use.
 */
struct spt_small {
	struct spt_watch watch;
	const void *lpage;	/* lpage_info of 2M, of the slot */
	u64 generation;		/* of the slots when it was added */
	u64 gfn;
	u16 as_id;
	bool held;
	bool lost;		/* the slot went, and what was counted with it */
	bool deaf;		/* probes came no more: it may have gone unseen */
	bool was_huge;		/* something larger than 4K mapped it when this began */
};

/* Frames that a 2M page has, and the first of the one that @gfn is in. */
#define SPT_2M_PAGES	512ULL
#define SPT_2M_GFN(gfn)	((gfn) & ~(SPT_2M_PAGES - 1))

/* Refuses where this kernel lacks what the functions below call. */
int spt_small_needs(struct spt_action *act);

/* spt_watch_add(), or a refusal. */
int spt_action_watch(struct spt_action *act, struct spt_watch *watch);
/* For 'foresee': would it be refused? The probes are put in, and taken out again. */
int spt_small_foresee(struct spt_action *act);

/*
 * Adds the reason for @gfn of act->target's slot and makes what is mapped huge
 * there 4K: by splitting where the TDP MMU has it, by removing it elsewhere. Takes
 * slots_lock and mmu_lock. 0, or a refusal with nothing held.
 */
int spt_small_hold(struct spt_action *act, u64 gfn, struct spt_small *small);
/*
 * Takes the reason away, if it is still there, and with @remap what is mapped of
 * the 2M around, so that the next access may map a huge page. The VM is held. May
 * be called when nothing is held. False: the slot had gone before, or nobody knows.
 */
bool spt_small_release(struct spt_small *small, bool remap);

/* How many reasons there are against a huge page of @level at @gfn; the slot is held. */
u32 spt_small_reasons(const void *slot, u64 gfn, u8 level);

/*
 * Removes what maps the gfns of @slot, in all its roots, and flushes. A fault
 * that is under way in another vCPU will be taken again. The caller holds
 * slots_lock, and mmu_lock for write.
 */
void spt_unmap_gfns(struct kvm *kvm, const void *slot, u64 first, u64 end);

/* The slot of @gfn in that address space, NULL: none; slots_lock or kvm->srcu is held. */
const void *spt_slot_of(const struct kvm *kvm, unsigned int as_id, u64 gfn);

#endif
