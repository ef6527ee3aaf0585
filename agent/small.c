// SPDX-License-Identifier: GPL-2.0
/*
 * Keeping a gfn mapped with 4K pages.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kvm_host.h>
#include <linux/mutex.h>

#include "memslots.h"
#include "small.h"

/* Larger than any kernel's struct kvm_gfn_range. */
#define SPT_RANGE_WORDS	16
/* KVM_FILTER_SHARED: what is not private; kernels without private memory have no such field. */
#define SPT_FILTER_SHARED	1

int spt_small_needs(struct spt_action *act)
{
	static const enum spt_symbol_id needed[] = {
		SPT_S_DISALLOW_LPAGE, SPT_S_ALLOW_LPAGE, SPT_S_UNMAP_GFN_RANGE,
		SPT_S_FLUSH_REMOTE_TLBS, SPT_S_FREE_MEMSLOT, SPT_S_MMU_PAGE_FAULT,
	};
	unsigned int i;
	int error = 0;

	for (i = 0; i < ARRAY_SIZE(needed) && !error; i++)
		error = spt_action_needs(act, needed[i]);
	if (!error && (!spt_has(SPT_F_KVM_SLOTS_LOCK) || !spt_has(SPT_F_RANGE_SLOT) ||
		       !spt_has(SPT_F_RANGE_START) || !spt_has(SPT_F_RANGE_END) ||
		       spt_layout.bytes[SPT_F_RANGE_SIZE] > SPT_RANGE_WORDS * sizeof(u64)))
		error = spt_refuse_action(act, SPT_WHY_UNSUPPORTED,
					  "the layout lacks kvm.slots_lock or kvm_gfn_range");
	return error;
}

const void *spt_slot_of(const struct kvm *kvm, unsigned int as_id, u64 gfn)
{
	const void *slots = spt_slots(kvm, as_id);
	const void *slot = slots ? spt_slot_below(slots, gfn) : NULL;
	u64 npages;
	u64 base;

	if (!slot || spt_load(slot, SPT_F_SLOT_BASE_GFN, &base) ||
	    spt_load(slot, SPT_F_SLOT_NPAGES, &npages) || gfn - base >= npages)
		return NULL;
	return slot;
}

/* lpage_info of @level, 2M or 1G: an array with an element for each page of that size. */
static const void *spt_lpage_info(const void *slot, u8 level)
{
	const void *const *info = spt_at(slot, SPT_F_SLOT_LPAGE_INFO);
	const void *array;

	return spt_read(&array, &info[level - SPT_LEVEL_2M], sizeof(array)) ? NULL : array;
}

u32 spt_small_reasons(const void *slot, u64 gfn, u8 level)
{
	const void *array = spt_lpage_info(slot, level);
	unsigned int shift = spt_level_shift(level);
	u64 reasons = 0;
	u64 base = 0;

	if (!array || spt_load(slot, SPT_F_SLOT_BASE_GFN, &base))
		return 0;
	array += ((gfn >> shift) - (base >> shift)) * spt_layout.bytes[SPT_F_LPAGE_SIZE];
	spt_load(array, SPT_F_LPAGE_DISALLOW, &reasons);
	return reasons;
}

static void spt_put_number(void *object, enum spt_field_id id, u64 value)
{
	if (spt_has(id))
		memcpy(object + spt_layout.field[id].offset, &value, spt_layout.field[id].size);
}

/* mmu_invalidate_seq: who looked up a page before and maps it after has to look again. */
static void spt_invalidate(struct kvm *kvm)
{
	unsigned long *seq = (unsigned long *)spt_at(kvm, SPT_F_KVM_INVALIDATE_SEQ);

	WRITE_ONCE(*seq, *seq + 1);
}

void spt_unmap_gfns(struct kvm *kvm, const void *slot, u64 first, u64 end)
{
	u64 range[SPT_RANGE_WORDS] = { };

	spt_put_number(range, SPT_F_RANGE_SLOT, (unsigned long)slot);
	spt_put_number(range, SPT_F_RANGE_START, first);
	spt_put_number(range, SPT_F_RANGE_END, end);
	spt_put_number(range, SPT_F_RANGE_ATTR_FILTER, SPT_FILTER_SHARED);
	spt_invalidate(kvm);
	if (spt_call(unmap_gfn_range)(kvm, range))
		spt_call(flush_remote_tlbs)(kvm);
}

static void spt_small_slot_freed(struct spt_watch *watch, const void *slot)
{
	struct spt_small *small = container_of(watch, struct spt_small, watch);

	if (spt_lpage_info(slot, SPT_LEVEL_2M) == small->lpage)
		WRITE_ONCE(small->lost, true);
}

static void spt_small_deaf(struct spt_watch *watch)
{
	WRITE_ONCE(container_of(watch, struct spt_small, watch)->deaf, true);
}

static u64 spt_small_generation(const struct kvm *kvm, unsigned int as_id)
{
	const void *slots = spt_slots(kvm, as_id);
	u64 generation = 0;

	if (slots)
		spt_load(slots, SPT_F_SLOTS_GENERATION, &generation);
	return generation;
}

/*
 * Is the reason in what the slot has now? Other arrays may have the address of those that were
 * freed, so where no probe would have told it must be the same set of slots. slots_lock is held.
 */
static bool spt_small_there(const struct spt_small *small, const void *slot)
{
	if (!slot || READ_ONCE(small->lost) ||
	    spt_lpage_info(slot, SPT_LEVEL_2M) != small->lpage ||
	    !spt_small_reasons(slot, small->gfn, SPT_LEVEL_2M))
		return false;
	if (!READ_ONCE(small->deaf) ||
	    spt_small_generation(small->watch.kvm, small->as_id) == small->generation)
		return true;
	pr_notice("gpa %#llx: stays mapped in 4K until its memslot goes: " SPT_WATCH_DEAF
		  ", and memslots changed\n", small->gfn << PAGE_SHIFT);
	return false;
}

/* The part of the slot that the 2M page around @gfn has. */
static void spt_small_range(const void *slot, u64 gfn, u64 *first, u64 *end)
{
	u64 npages = 0;
	u64 base = 0;

	spt_load(slot, SPT_F_SLOT_BASE_GFN, &base);
	spt_load(slot, SPT_F_SLOT_NPAGES, &npages);
	*first = max(SPT_2M_GFN(gfn), base);
	*end = min(SPT_2M_GFN(gfn) + SPT_2M_PAGES, base + npages);
}

static int spt_huge_leaf(const struct spt_entry *leaf, void *arg)
{
	return leaf->level > SPT_LEVEL_4K;
}

/* slots_lock is held: the slot stays what it is. */
static int spt_small_hold_slot(struct spt_action *act, const void *slot, struct spt_small *small)
{
	rwlock_t *mmu_lock = spt_kvm_mmu_lock(act->kvm);
	u32 before = spt_small_reasons(slot, small->gfn, SPT_LEVEL_2M);
	u64 first;
	u64 end;

	small->lpage = spt_lpage_info(slot, SPT_LEVEL_2M);
	small->generation = spt_small_generation(act->kvm, small->as_id);
	small->was_huge = spt_scan_leaves(act, small->gfn, small->gfn + 1, spt_huge_leaf, NULL) > 0;
	spt_small_range(slot, small->gfn, &first, &end);
	write_lock(mmu_lock);
	spt_call(disallow_lpage)(slot, small->gfn);
	if (small->was_huge) {
		if (spt_vm_tdp_mmu(act->kvm) && spt_can(SPT_S_TRY_SPLIT_HUGE_PAGES))
			spt_call(try_split_huge_pages)(act->kvm, slot, first, end, SPT_LEVEL_4K);
		else
			spt_unmap_gfns(act->kvm, slot, first, end);
	}
	small->held = true;
	write_unlock(mmu_lock);
	if (spt_small_reasons(slot, small->gfn, SPT_LEVEL_2M) == before)
		return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_KVM,
				       "disallow_lpage stayed what it was");
	return 0;
}

int spt_action_watch(struct spt_action *act, struct spt_watch *watch)
{
	int error = spt_watch_add(watch);

	if (error == -ENOMEM)
		return spt_refuse_action(act, SPT_WHY_MEMORY, "no memory for probes");
	if (error)
		return spt_refuse_action(act, SPT_WHY_UNSUPPORTED,
					 "the kernel takes no probes in KVM: error %d", -error);
	return 0;
}

int spt_small_foresee(struct spt_action *act)
{
	struct spt_watch watch = { .kvm = act->kvm };
	int error = spt_action_watch(act, &watch);

	spt_watch_remove(&watch);
	return error;
}

int spt_small_hold(struct spt_action *act, u64 gfn, struct spt_small *small)
{
	struct mutex *slots_lock = spt_kvm_slots_lock(act->kvm);
	const void *slot;
	int error;

	small->gfn = gfn;
	small->as_id = act->target.as_id;
	small->watch.kvm = act->kvm;
	small->watch.slot_freed = spt_small_slot_freed;
	small->watch.deaf = spt_small_deaf;
	error = spt_action_watch(act, &small->watch);
	if (error)
		return error;
	if (mutex_lock_killable(slots_lock)) {
		spt_watch_remove(&small->watch);
		return spt_refuse_action(act, SPT_WHY_INTERRUPTED, "waiting for slots_lock");
	}
	slot = spt_action_slot(act);
	error = slot ? spt_small_hold_slot(act, slot, small) :
		       spt_refuse_action(act, SPT_WHY_CHANGED, "the memslot is another one now");
	mutex_unlock(slots_lock);
	if (error) {
		if (small->held)
			spt_small_release(small, false);
		spt_watch_remove(&small->watch);
	}
	return error;
}

bool spt_small_release(struct spt_small *small, bool remap)
{
	struct kvm *kvm = (struct kvm *)small->watch.kvm;
	struct mutex *slots_lock;	/* keeps the slot */
	const void *slot;
	bool there;
	u64 first;
	u64 end;

	if (!small->held)
		return false;
	slots_lock = spt_kvm_slots_lock(kvm);
	mutex_lock(slots_lock);
	slot = spt_slot_of(kvm, small->as_id, small->gfn);
	there = spt_small_there(small, slot);
	if (there) {
		spt_small_range(slot, small->gfn, &first, &end);
		write_lock(spt_kvm_mmu_lock(kvm));
		spt_call(allow_lpage)(slot, small->gfn);
		if (remap)
			spt_unmap_gfns(kvm, slot, first, end);
		write_unlock(spt_kvm_mmu_lock(kvm));
	}
	mutex_unlock(slots_lock);
	small->held = false;
	spt_watch_remove(&small->watch);
	return there;
}
