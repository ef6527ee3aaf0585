// SPDX-License-Identifier: GPL-2.0
/*
 * 'dirty': write permission is taken from every leaf of a range, so that the next
 * write to each faults and gives it back. With show=1 the leaves that may be
 * written are told: since the range was armed, those were written to, or mapped
 * anew as writable.
 *
 * Done by kvm_mmu_slot_gfn_write_protect(), which is what dirty logging and write
 * tracking use; dirty bits and KVM's dirty logs are left alone.
 */
#include <linux/bitmap.h>
#include <linux/kvm_host.h>
#include <linux/srcu.h>

#include "action.h"
#include "entries.h"

/* Pages that are protected in one hold of mmu_lock. */
#define SPT_DIRTY_PAGES	512

struct spt_dirty_pass {
	struct spt_touched touched[2];	/* before, after */
	u64 first;			/* of the pages at hand */
	DECLARE_BITMAP(writable, SPT_DIRTY_PAGES);
};

static int spt_dirty_check(struct spt_action *act)
{
	int error = spt_target_range(act);

	if (!error)
		error = spt_action_needs(act, SPT_S_SLOT_GFN_WRITE_PROTECT);
	if (!error)
		error = spt_action_needs(act, SPT_S_FLUSH_REMOTE_TLBS);
	return error;
}

static bool spt_dirty_touched(const struct spt_entry *leaf)
{
	return !leaf->mirror && (spt_entry_perm(leaf->spte) & SPT_PERM_W);
}

/* Marks the first page that each leaf has among the pages at hand. */
static int spt_dirty_collect(const struct spt_entry *leaf, void *arg)
{
	struct spt_dirty_pass *dirty = arg;

	if (spt_dirty_touched(leaf))
		__set_bit(max(leaf->gfn, dirty->first) - dirty->first, dirty->writable);
	return 0;
}

static void spt_dirty_protect(struct spt_action *act, struct spt_dirty_pass *dirty,
			      const void *slot)
{
	rwlock_t *lock = spt_kvm_mmu_lock(act->kvm);
	bool flush = false;
	unsigned int i;

	write_lock(lock);
	for_each_set_bit(i, dirty->writable, SPT_DIRTY_PAGES)
		if (!spt_mirror_maps(act->kvm, dirty->first + i))
			flush |= spt_call(slot_gfn_write_protect)(act->kvm, slot, dirty->first + i,
								  SPT_LEVEL_4K);
	if (flush)
		spt_call(flush_remote_tlbs)(act->kvm);
	write_unlock(lock);
}

static int spt_dirty_some(struct spt_action *act, struct spt_dirty_pass *dirty, u64 end)
{
	struct srcu_struct *srcu = spt_kvm_srcu(act->kvm);
	const void *slot;
	int error;
	int idx;

	bitmap_zero(dirty->writable, SPT_DIRTY_PAGES);
	error = spt_scan_leaves(act, dirty->first, end, spt_dirty_collect, dirty);
	if (error || bitmap_empty(dirty->writable, SPT_DIRTY_PAGES))
		return error;
	idx = srcu_read_lock(srcu);
	slot = spt_action_slot(act);
	if (slot)
		spt_dirty_protect(act, dirty, slot);
	srcu_read_unlock(srcu, idx);
	if (!slot)
		return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_CHANGED,
				       "the memslot changed");
	return 0;
}

static int spt_dirty_range(struct spt_action *act, struct spt_dirty_pass *dirty)
{
	u64 end = act->target.gfn + act->target.npages;
	int error = 0;
	u64 next;

	for (dirty->first = act->target.gfn; dirty->first < end && !error; dirty->first = next) {
		next = min(dirty->first + SPT_DIRTY_PAGES, end);
		error = spt_dirty_some(act, dirty, next);
		if (!error && next < end && spt_action_stop(act))
			error = -ECANCELED;
		cond_resched();
	}
	return error;
}

static int spt_dirty_foresee(struct spt_action *act)
{
	struct spt_dirty_pass *dirty = act->own;

	return spt_touched_foresee(act, &dirty->touched[0], spt_dirty_touched);
}

static int spt_dirty_act(struct spt_action *act)
{
	struct spt_dirty_pass *dirty = act->own;
	int error;

	error = spt_touched_scan(act, &dirty->touched[0], spt_dirty_touched, act->args.show);
	if (error)
		return error;
	if (act->args.show)
		return spt_touched_shown(act, &dirty->touched[0]);
	error = spt_dirty_range(act, dirty);
	if (error)
		return error;
	error = spt_touched_scan(act, &dirty->touched[1], spt_dirty_touched, false);
	return error ? error : spt_touched_cleared(act, dirty->touched);
}

const struct spt_action_ops spt_dirty_ops = {
	.room = sizeof(struct spt_dirty_pass),
	.check = spt_dirty_check,
	.foresee = spt_dirty_foresee,
	.act = spt_dirty_act,
};
