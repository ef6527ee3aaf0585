// SPDX-License-Identifier: GPL-2.0
/*
 * split: what is mapped huge becomes 4K and stays so until it is undone, be it
 * zapped and faulted in again meanwhile.
 *
 * KVM's own split keeps every translation and costs the guest nothing, but would
 * not last: the next fault after a zap maps a huge page again. So there is one
 * more reason against huge pages, counted by KVM itself, until undo takes it
 * away; then the 4K pages around are removed, and the next fault maps what the
 * host has. Where KVM does not split in place, as with shadow paging, the huge
 * page is removed and mapped again in 4K by the next fault.
 *
 * collapse: 4K pages that nothing keeps small any more are removed, and the next
 * fault, which is ours where that can be, maps the huge page.
 */
#include <linux/slab.h>

#include "entries.h"
#include "small.h"

struct spt_split {
	struct spt_entries before;
	struct spt_entries after;
};

/* What split and collapse begin with: the page, mapped; the entries are in own->before. */
static int spt_split_target(struct spt_action *act)
{
	struct spt_split *own = act->own;
	int error;

	error = spt_small_needs(act);
	if (!error)
		error = spt_target_page(act);
	if (error)
		return error;
	spt_entries_read(act, act->target.gfn, &own->before);
	if (!spt_entries_mapped(&own->before))
		return spt_refuse_action(act, SPT_WHY_UNMAPPED, "no entry maps the address");
	return 0;
}

static int spt_split_check(struct spt_action *act)
{
	struct spt_split *own = act->own;
	int error = spt_split_target(act);

	if (error)
		return error;
	if (!spt_entries_huge(&own->before))
		return spt_refuse_action(act, SPT_WHY_NOT_HUGE, "it is mapped with 4K pages");
	return 0;
}

static int spt_split_act(struct spt_action *act)
{
	struct spt_small *small = kzalloc(sizeof(*small), GFP_KERNEL);
	struct spt_split *own = act->own;
	int error;

	if (!small)
		return spt_refuse_action(act, SPT_WHY_MEMORY, "no memory");
	spt_entries_read(act, act->target.gfn, &own->before);
	error = spt_small_hold(act, act->target.gfn, small);
	if (error) {
		kfree(small);
		return error;
	}
	act->undo->own = small;
	act->keep_undo = true;
	spt_entries_read(act, act->target.gfn, &own->after);
	/* Only the TDP MMU splits in place. */
	if (!spt_entries_mapped(&own->after) && spt_fault_again(act, act->target.gfn))
		spt_entries_read(act, act->target.gfn, &own->after);
	act->effects += spt_say_entries(act, &own->before, &own->after) > 0;
	if (spt_entries_huge(&own->after))
		return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_KVM,
				       "KVM had no memory to split all of it; undo what there is");
	return 0;
}

static int spt_split_undo(struct spt_undo *undo, struct spt_action *act)
{
	struct spt_small *small = undo->own;

	/* Where the slot has gone there is nothing left to take back. */
	spt_small_release(small, small->was_huge);
	return 0;
}

/* The VM is gone, and with it every slot. */
static void spt_split_lost(struct spt_undo *undo)
{
	struct spt_small *small = undo->own;

	spt_watch_remove(&small->watch);
}

const struct spt_action_ops spt_split_ops = {
	.room = sizeof(struct spt_split),
	.check = spt_split_check,
	.foresee = spt_small_foresee,
	.act = spt_split_act,
	.undo = spt_split_undo,
	.lost = spt_split_lost,
};

/* Why KVM would map 4K there, whatever the host has; NULL: it would not. */
static const char *spt_kept_small(struct spt_action *act)
{
	struct srcu_struct *srcu = spt_kvm_srcu(act->kvm);
	const char *why = NULL;
	const void *slot;
	int idx;

	if (act->target.dirty_log)
		return "the slot is dirty-logged";
	idx = srcu_read_lock(srcu);
	slot = spt_action_slot(act);
	if (slot && spt_small_reasons(slot, act->target.gfn, SPT_LEVEL_2M))
		why = "KVM is told not to: the slot's edge, write tracking, or a split to undo";
	srcu_read_unlock(srcu, idx);
	return why;
}

/*
 * Shadow pages map what the guest maps, and nothing larger: a table of 4K entries
 * that is direct stands for one large entry of the guest's.
 */
static bool spt_guest_huge(const struct spt_entries *entries)
{
	unsigned int i;

	for (i = 0; i < entries->count; i++)
		if (entries->at[i].leaf && spt_role_field(entries->at[i].role, SPT_F_ROLE_DIRECT))
			return true;
	return false;
}

static int spt_collapse_check(struct spt_action *act)
{
	struct spt_split *own = act->own;
	const char *why;
	int error = spt_split_target(act);

	if (error)
		return error;
	if (spt_entries_huge(&own->before))
		return spt_refuse_action(act, SPT_WHY_NOT_4K, "it is mapped huge");
	why = spt_kept_small(act);
	if (why)
		return spt_refuse_action(act, SPT_WHY_KEPT, "%s", why);
	if (spt_host_level(act->acted->id.mm, act->target.hva) < SPT_LEVEL_2M)
		return spt_refuse_action(act, SPT_WHY_NOT_HUGE, "the host maps it with 4K pages");
	if (spt_layout.mmu == SPT_MMU_SHADOW && !spt_guest_huge(&own->before))
		return spt_refuse_action(act, SPT_WHY_KEPT,
					 "the guest's own tables, which are shadowed, map 4K pages");
	return 0;
}

/*
 * KVM's own way goes over the whole slot; removing the 4K pages of this 2M alone
 * and faulting again ends the same, whatever else is in the slot.
 */
static int spt_collapse_act(struct spt_action *act)
{
	struct mutex *slots_lock = spt_kvm_slots_lock(act->kvm);
	struct spt_split *own = act->own;
	u64 first = SPT_2M_GFN(act->target.gfn);
	const void *slot;
	bool mapped;

	spt_entries_read(act, act->target.gfn, &own->before);
	if (mutex_lock_killable(slots_lock))
		return spt_refuse_action(act, SPT_WHY_INTERRUPTED, "waiting for slots_lock");
	slot = spt_action_slot(act);
	if (slot) {
		write_lock(spt_kvm_mmu_lock(act->kvm));
		spt_unmap_gfns(act->kvm, slot, first, first + SPT_2M_PAGES);
		write_unlock(spt_kvm_mmu_lock(act->kvm));
	}
	mutex_unlock(slots_lock);
	if (!slot)
		return spt_refuse_action(act, SPT_WHY_CHANGED, "the memslot is another one now");
	mapped = spt_fault_again(act, act->target.gfn);
	spt_entries_read(act, act->target.gfn, &own->after);
	act->effects += spt_say_entries(act, &own->before, &own->after) > 0;
	if (spt_entries_huge(&own->after))
		return 0;
	if (spt_entries_mapped(&own->after))
		return spt_action_over(act, SPT_RESULT_NO_EFFECT, SPT_WHY_UNCHANGED,
				       "KVM mapped a 4K page again");
	/* With shadow paging only the guest can fault: what kept it small is gone. */
	if (spt_layout.mmu == SPT_MMU_SHADOW)
		return 0;
	return spt_action_over(act, SPT_RESULT_FAILED, mapped ? SPT_WHY_CHANGED : SPT_WHY_BUSY,
			       "the 4K pages are removed, the next access maps it again");
}

const struct spt_action_ops spt_collapse_ops = {
	.room = sizeof(struct spt_split),
	.check = spt_collapse_check,
	.act = spt_collapse_act,
};
