// SPDX-License-Identifier: GPL-2.0
/*
 * Every leaf of a range, in short stretches, each of which begins as if it had
 * never been here.
 */
#include <linux/kvm_host.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/srcu.h>

#include "action.h"
#include "entries.h"

struct spt_scan {
	struct spt_action *act;
	u64 gfn;		/* where the stretch at hand begins */
	u64 end;
	u64 deadline;		/* of the stretch */
	spt_leaf_fn visit;
	void *arg;
	int ret;		/* what the visitor said */
	const void *root;
	u32 role;
	const void *roots[SPT_ENTRIES_MAX];
	unsigned int count;
};

static bool spt_scan_due(const struct spt_scan *scan, unsigned int n)
{
	return !(n % 64) && ktime_get_mono_fast_ns() > scan->deadline;
}

static int spt_scan_add_root(const void *root, void *arg)
{
	struct spt_scan *scan = arg;

	if (scan->count == ARRAY_SIZE(scan->roots))
		return 1;
	if (spt_root_meant(scan->act, root))
		scan->roots[scan->count++] = root;
	return 0;
}

static int spt_scan_is_root(const void *root, void *arg)
{
	const struct spt_scan *scan = arg;

	return root == scan->root && spt_role_of(root) == scan->role;
}

/* A stretch of one root. False: the root is done, or gone. */
static bool spt_scan_root_some(struct spt_scan *scan)
{
	struct spt_entry entry;
	unsigned int n;

	if (!spt_visit_roots(scan->act->kvm, spt_scan_is_root, scan))
		return false;
	for (n = 1; scan->gfn < scan->end && !scan->ret && !spt_scan_due(scan, n); n++) {
		if (!spt_root_walk(scan->root, scan->gfn, scan->act->target.shared_bits, &entry))
			return false;
		if (entry.leaf)
			scan->ret = scan->visit(&entry, scan->arg);
		scan->gfn = entry.gfn + (1ULL << spt_level_shift(entry.level));
	}
	return scan->gfn < scan->end && !scan->ret;
}

static int spt_scan_root(struct spt_scan *scan, const void *root, u64 first)
{
	bool more = true;

	scan->root = root;
	scan->gfn = first;
	rcu_read_lock();
	scan->role = spt_role_of(root);
	rcu_read_unlock();
	while (more) {
		scan->deadline = ktime_get_mono_fast_ns() + SPT_SLICE_NS;
		rcu_read_lock();
		more = spt_scan_root_some(scan);
		rcu_read_unlock();
		if (more && spt_action_stop(scan->act))
			return -ECANCELED;
		cond_resched();
	}
	return scan->ret;
}

/* A stretch of the reverse maps of @slot at one level, up to @end. mmu_lock is held. */
static void spt_scan_rmaps_some(struct spt_scan *scan, const void *slot, u64 end, u8 level)
{
	u64 step = 1ULL << spt_level_shift(level);
	unsigned int n;
	u64 head;

	for (n = 1; scan->gfn < end && !scan->ret && !spt_scan_due(scan, n); n++) {
		head = spt_rmap_of(slot, scan->gfn, level);
		if (head)
			scan->ret = spt_visit_rmap(head, scan->gfn, level, scan->visit,
						   scan->arg);
		scan->gfn = (scan->gfn & ~(step - 1)) + step;
	}
}

/* A stretch in the slot that holds the place, or the next slot. False: there are no more. */
static bool spt_scan_slot_some(struct spt_scan *scan, u8 level)
{
	rwlock_t *lock = spt_kvm_mmu_lock(scan->act->kvm);
	const void *slots = spt_slots(scan->act->kvm, 0);
	const void *slot = slots ? spt_slot_below(slots, scan->gfn) : NULL;
	u64 npages = 0;
	u64 base = 0;

	if (slot && (spt_load(slot, SPT_F_SLOT_BASE_GFN, &base) ||
		     spt_load(slot, SPT_F_SLOT_NPAGES, &npages)))
		return false;
	if (!slot || scan->gfn - base >= npages) {
		slot = slots ? spt_slot_from(slots, scan->gfn) : NULL;
		if (!slot || spt_load(slot, SPT_F_SLOT_BASE_GFN, &scan->gfn))
			return false;
		return scan->gfn < scan->end;
	}
	if (!spt_rmap_arrays(slot)) {
		scan->gfn = base + npages;
		return scan->gfn < scan->end;
	}
	if (!read_trylock(lock)) {
		spt_mmu_wait();
		return !fatal_signal_pending(current);
	}
	scan->deadline = ktime_get_mono_fast_ns() + SPT_SLICE_NS;
	spt_scan_rmaps_some(scan, slot, min(base + npages, scan->end), level);
	read_unlock(lock);
	return scan->gfn < scan->end && !scan->ret;
}

static int spt_scan_rmaps(struct spt_scan *scan, u64 first, u8 level)
{
	struct srcu_struct *srcu = spt_kvm_srcu(scan->act->kvm);
	bool more = true;
	int idx;

	scan->gfn = first;
	while (more) {
		idx = srcu_read_lock(srcu);
		more = spt_scan_slot_some(scan, level);
		srcu_read_unlock(srcu, idx);
		if (more && spt_action_stop(scan->act))
			return -ECANCELED;
		cond_resched();
	}
	return scan->ret;
}

int spt_scan_leaves(struct spt_action *act, u64 first, u64 end, spt_leaf_fn visit, void *arg)
{
	struct spt_scan scan = {
		.act = act,
		.end = end,
		.visit = visit,
		.arg = arg,
	};
	unsigned int i;
	u8 level;
	int ret = 0;

	rcu_read_lock();
	spt_visit_roots(act->kvm, spt_scan_add_root, &scan);
	rcu_read_unlock();
	for (i = 0; i < scan.count && !ret; i++)
		ret = spt_scan_root(&scan, scan.roots[i], first);
	for (level = SPT_LEVEL_4K; level <= SPT_LEVEL_1G && !ret; level++)
		ret = spt_scan_rmaps(&scan, first, level);
	return ret;
}
