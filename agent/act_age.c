// SPDX-License-Identifier: GPL-2.0
/*
 * 'age': the accessed bits of a range are cleared, as the host's own page aging
 * does through kvm_age_gfn(), and the TLBs flushed, so that the next access sets
 * them again. With show=1 the entries that were accessed since are told.
 */
#include <linux/kvm_host.h>
#include <linux/srcu.h>

#include "action.h"

/* Pages of one call, mmu_lock being held where KVM wants it. */
#define SPT_AGE_PAGES	(1ULL << 12)

struct spt_age_pass {
	struct spt_action *act;
	struct spt_touched touched[2];	/* before, after */
};

static int spt_age_check(struct spt_action *act)
{
	int error = spt_target_range(act);

	if (!error && (!spt_has(SPT_F_RANGE_SLOT) || !spt_has(SPT_F_RANGE_START) ||
		       !spt_has(SPT_F_RANGE_END)))
		error = spt_refuse_action(act, SPT_WHY_UNSUPPORTED,
					  "struct kvm_gfn_range is not known");
	if (!error)
		error = spt_action_needs(act, SPT_S_AGE_GFN);
	if (!error)
		error = spt_action_needs(act, SPT_S_FLUSH_REMOTE_TLBS);
	return error;
}

/* kvm_age_gfn() on a piece of the slot; srcu is held. */
static void spt_age_piece(struct spt_action *act, const void *slot, u64 first, u64 end)
{
	bool lockless = spt_has(SPT_F_RANGE_LOCKLESS);
	rwlock_t *lock = spt_kvm_mmu_lock(act->kvm);
	u64 range[SPT_RANGE_BYTES / sizeof(u64)] = { };

	spt_store(range, SPT_F_RANGE_SLOT, (unsigned long)slot);
	spt_store(range, SPT_F_RANGE_START, first);
	spt_store(range, SPT_F_RANGE_END, end);
	spt_store(range, SPT_F_RANGE_MAY_BLOCK, 0);
	spt_store(range, SPT_F_RANGE_LOCKLESS, 1);
	/* KVM_FILTER_SHARED: what mirror roots map has no accessed bits of meaning. */
	spt_store(range, SPT_F_RANGE_ATTR_FILTER, 1);
	if (lockless) {
		spt_call(age_gfn)(act->kvm, range);
	} else {
		write_lock(lock);
		spt_call(age_gfn)(act->kvm, range);
		write_unlock(lock);
	}
}

static int spt_age_pieces(struct spt_action *act)
{
	struct srcu_struct *srcu = spt_kvm_srcu(act->kvm);
	u64 end = act->target.gfn + act->target.npages;
	const void *slot;
	u64 next;
	u64 gfn;
	int idx;

	for (gfn = act->target.gfn; gfn < end; gfn = next) {
		next = min(gfn + SPT_AGE_PAGES, end);
		idx = srcu_read_lock(srcu);
		slot = spt_action_slot(act);
		if (slot)
			spt_age_piece(act, slot, gfn, next);
		srcu_read_unlock(srcu, idx);
		if (!slot)
			return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_CHANGED,
					       "the memslot changed");
		if (next < end && spt_action_stop(act))
			return -ECANCELED;
		cond_resched();
	}
	return 0;
}

static bool spt_age_touched(const struct spt_entry *leaf)
{
	return spt_entry_accessed(leaf->spte);
}

static int spt_age_foresee(struct spt_action *act)
{
	struct spt_age_pass *age = act->own;

	return spt_touched_foresee(act, &age->touched[0], spt_age_touched);
}

static int spt_age_act(struct spt_action *act)
{
	struct spt_age_pass *age = act->own;
	int error;

	error = spt_touched_scan(act, &age->touched[0], spt_age_touched, act->args.show);
	if (error)
		return error;
	if (act->args.show)
		return spt_touched_shown(act, &age->touched[0]);
	error = spt_age_pieces(act);
	spt_call(flush_remote_tlbs)(act->kvm);
	if (error)
		return error;
	error = spt_touched_scan(act, &age->touched[1], spt_age_touched, false);
	return error ? error : spt_touched_cleared(act, age->touched);
}

const struct spt_action_ops spt_age_ops = {
	.room = sizeof(struct spt_age_pass),
	.check = spt_age_check,
	.foresee = spt_age_foresee,
	.act = spt_age_act,
};
