// SPDX-License-Identifier: GPL-2.0
/*
 * 'protect': permissions are taken from the leaves that map a page, once: the next
 * access that lacks one faults, and KVM gives back what the page may have.
 *
 * Writing is taken by kvm_mmu_slot_gfn_write_protect(). Execution KVM takes from
 * nobody, so that is done here, by cmpxchg under mmu_lock for write: all that
 * changes an entry meanwhile is its accessed and dirty bits. The frame and every
 * other bit stay, so nothing that KVM keeps count of changes.
 */
#include <linux/kvm_host.h>
#include <linux/rcupdate.h>
#include <linux/srcu.h>

#include "action.h"
#include "entries.h"

#define SPT_CMPXCHG_TRIES	16

struct spt_protect {
	struct spt_entries before;
	struct spt_entries after;
};

static int spt_protect_check(struct spt_action *act)
{
	int error = spt_target_page(act);

	if (error)
		return error;
	spt_say(act, SPT_LINE_PERM, "r%s%s", act->args.perm & SPT_PERM_W ? "w" : "",
		act->args.perm & SPT_PERM_X ? "x" : "");
	if (act->args.perm & SPT_PERM_W && act->args.perm & SPT_PERM_X)
		return spt_refuse_action(act, SPT_WHY_BAD_LINE, "rwx takes nothing away");
	error = spt_action_needs(act, SPT_S_SLOT_GFN_WRITE_PROTECT);
	return error ? error : spt_action_needs(act, SPT_S_FLUSH_REMOTE_TLBS);
}

/*
 * The bits that allow execution where they are allowed to: an access-tracked entry
 * permits nothing now, and has them elsewhere until the next access.
 */
static u64 spt_protect_exec_bits(u64 spte)
{
	return spt_executable_mask() << spt_entry_saved_shift(spte);
}

static bool spt_protect_executes(u64 spte)
{
	u64 nx = spt_mask(SPT_S_NX_MASK);

	return nx ? !(spte & nx) : spte & spt_protect_exec_bits(spte);
}

/* The entry without execution; KVM's masks say which bits that is. */
static u64 spt_protect_no_exec(u64 spte)
{
	u64 nx = spt_mask(SPT_S_NX_MASK);

	return nx ? spte | nx : spte & ~spt_protect_exec_bits(spte);
}

/* True: the entry was changed. mmu_lock is held for write. */
static bool spt_protect_entry(const struct spt_entry *entry)
{
	unsigned int tries;
	u64 old;

	if (!entry->leaf || entry->mirror)
		return false;
	for (tries = 0; tries < SPT_CMPXCHG_TRIES; tries++) {
		old = READ_ONCE(*entry->sptep);
		/* It was read without the lock, or the tables changed: not the same leaf. */
		if (!spt_spte_present(old) ||
		    (old ^ entry->spte) & spt_layout.addr_mask ||
		    !spt_protect_executes(old))
			return false;
		if (cmpxchg64(entry->sptep, old, spt_protect_no_exec(old)) == old)
			return true;
	}
	return false;
}

struct spt_protect_find {
	const struct spt_action *act;
	bool changed;
};

static int spt_protect_root(const void *root, void *arg)
{
	struct spt_protect_find *find = arg;
	const struct spt_target *target = &find->act->target;
	struct spt_entry entry;

	if (spt_root_meant(find->act, root) &&
	    spt_root_walk(root, target->gfn, target->shared_bits, &entry))
		find->changed |= spt_protect_entry(&entry);
	return 0;
}

static int spt_protect_visit(const struct spt_entry *entry, void *arg)
{
	struct spt_protect_find *find = arg;

	find->changed |= spt_protect_entry(entry);
	return 0;
}

/* Every leaf that maps the page, found again under the lock. True: one changed. */
static bool spt_protect_exec(struct spt_action *act, const void *slot)
{
	struct spt_protect_find find = { act };
	u64 gfn = act->target.gfn;
	u64 head;
	u8 level;

	rcu_read_lock();
	spt_visit_roots(act->kvm, spt_protect_root, &find);
	rcu_read_unlock();
	for (level = SPT_LEVEL_4K; level <= SPT_LEVEL_1G; level++) {
		head = spt_rmap_of(slot, gfn, level);
		if (head)
			spt_visit_rmap(head, gfn, level, spt_protect_visit, &find);
	}
	return find.changed;
}

static int spt_protect_leaves(struct spt_action *act)
{
	struct srcu_struct *srcu = spt_kvm_srcu(act->kvm);
	rwlock_t *lock = spt_kvm_mmu_lock(act->kvm);
	bool private = false;
	bool flush = false;
	const void *slot;
	int idx;

	idx = srcu_read_lock(srcu);
	slot = spt_action_slot(act);
	if (slot) {
		write_lock(lock);
		private = spt_mirror_maps(act->kvm, act->target.gfn);
		if (!private && !(act->args.perm & SPT_PERM_W))
			flush = spt_call(slot_gfn_write_protect)(act->kvm, slot, act->target.gfn,
								 SPT_LEVEL_4K);
		if (!private && !(act->args.perm & SPT_PERM_X))
			flush |= spt_protect_exec(act, slot);
		if (flush)
			spt_call(flush_remote_tlbs)(act->kvm);
		write_unlock(lock);
	}
	srcu_read_unlock(srcu, idx);
	if (!slot)
		return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_CHANGED,
				       "the memslot changed");
	if (private)
		return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_CHANGED,
				       "the page has become private to the guest");
	return 0;
}

/* Reads what there is to take permissions from. */
static int spt_protect_foresee(struct spt_action *act)
{
	struct spt_protect *own = act->own;

	spt_entries_read(act, act->target.gfn, &own->before);
	if (spt_entries_mapped(&own->before))
		return 0;
	spt_say_entries(act, &own->before, &own->before);
	return spt_action_over(act, SPT_RESULT_NO_EFFECT, SPT_WHY_UNMAPPED,
			       "no leaf maps the page");
}

static int spt_protect_act(struct spt_action *act)
{
	struct spt_protect *own = act->own;
	int error = spt_protect_foresee(act);

	if (error)
		return error;
	error = spt_protect_leaves(act);
	spt_entries_read(act, act->target.gfn, &own->after);
	if (spt_say_entries(act, &own->before, &own->after))
		act->effects++;
	return error;
}

const struct spt_action_ops spt_protect_ops = {
	.room = sizeof(struct spt_protect),
	.check = spt_protect_check,
	.foresee = spt_protect_foresee,
	.act = spt_protect_act,
};
