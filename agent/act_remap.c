// SPDX-License-Identifier: GPL-2.0
/*
 * remap: the host's page behind an address moves to another frame, by the
 * kernel's own migration, and is mapped again.
 *
 * Migration is the whole truth about a page that moves: it takes the page from
 * every mapping, KVM's included (an MMU notifier), copies it when nobody can
 * write, and gives up when somebody holds the page. A huge page moves whole. What
 * it was in before is free memory then: there is nothing to take back.
 */
#include <linux/migrate.h>
#include <linux/migrate_mode.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/srcu.h>
#include <linux/vmstat.h>

#include "action.h"

/* Times that migration is asked for a page that somebody else is busy with. */
#define SPT_REMAP_TRIES	3

struct spt_remap {
	struct spt_entries before;
	struct spt_entries after;
};

/* The page that the VMM has in memory there, referenced, or NULL; mmap_lock is held. */
static struct page *spt_remap_get(struct spt_action *act)
{
	struct mm_struct *mm = act->acted->id.mm;
	struct page *page = NULL;

#ifdef SPT_HAVE_GUP_VMAS
	if (get_user_pages_remote(mm, act->target.hva, 1, FOLL_NOFAULT, &page, NULL, NULL) != 1)
#else
	if (get_user_pages_remote(mm, act->target.hva, 1, FOLL_NOFAULT, &page, NULL) != 1)
#endif
		return NULL;
	return page;
}

/* A mapping whose pages are not for migration. */
static int spt_remap_check_vma(struct spt_action *act, struct vm_area_struct *vma)
{
	if (!vma)
		return spt_refuse_action(act, SPT_WHY_HOST, "the VMM has nothing mapped at %#llx",
					 act->target.hva);
	if (vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP))
		return spt_refuse_action(act, SPT_WHY_PFNMAP, "the VMM maps frames, not pages");
	if (vma->vm_flags & VM_HUGETLB)
		return spt_refuse_action(act, SPT_WHY_HUGETLB, "a hugetlb page is not moved");
	if (vma_is_dax(vma))
		return spt_refuse_action(act, SPT_WHY_DAX, "the memory is a device's");
	return 0;
}

/* A page that must not move, or whose move would not be this VM's affair alone. */
static int spt_remap_check_page(struct spt_action *act, struct page *page)
{
	struct folio *folio = page_folio(page);

	if (PageReserved(page) || (!folio_test_anon(folio) && !folio->mapping))
		return spt_refuse_action(act, SPT_WHY_ZERO_PAGE,
					 "it is the host's zero page: write to it first");
	if (folio_is_zone_device(folio))
		return spt_refuse_action(act, SPT_WHY_DAX, "the page is a device's");
	if (folio_test_ksm(folio))
		return spt_refuse_action(act, SPT_WHY_KSM, "the page is shared by KSM");
	if (folio_maybe_dma_pinned(folio))
		return spt_refuse_action(act, SPT_WHY_PINNED, "the page is pinned, as for DMA");
	return 0;
}

/* The page to move, referenced; NULL: a refusal. */
static struct page *spt_remap_page(struct spt_action *act)
{
	struct mm_struct *mm = act->acted->id.mm;
	struct page *page = NULL;

	if (mmap_read_lock_killable(mm)) {
		spt_refuse_action(act, SPT_WHY_INTERRUPTED, "a signal came");
		return NULL;
	}
	if (!spt_remap_check_vma(act, vma_lookup(mm, act->target.hva))) {
		page = spt_remap_get(act);
		if (!page)
			spt_refuse_action(act, SPT_WHY_HOST, "the host has no page there now");
	}
	mmap_read_unlock(mm);
	if (page && spt_remap_check_page(act, page)) {
		put_page(page);
		page = NULL;
	}
	return page;
}

static int spt_remap_check(struct spt_action *act)
{
	static const enum spt_symbol_id needed[] = {
		SPT_S_MIGRATE_PAGES, SPT_S_PUTBACK_MOVABLE_PAGES, SPT_S_LRU_ADD_DRAIN_ALL,
#ifdef SPT_HAVE_ISOLATE_BOOL
		SPT_S_FOLIO_ISOLATE_LRU,
#else
		SPT_S_ISOLATE_LRU_PAGE,
#endif
	};
	struct page *page;
	unsigned int i;
	int error = 0;

	for (i = 0; i < ARRAY_SIZE(needed) && !error; i++)
		error = spt_action_needs(act, needed[i]);
	if (!error)
		error = spt_target_page(act);
	/* What is encrypted is so by its address, too: KVM wants such memory pinned. */
	if (!error && spt_vm_encrypted(act->kvm))
		error = spt_refuse_action(act, SPT_WHY_PRIVATE,
					  "the guest's memory is encrypted (SEV): a copy elsewhere is another content");
	if (error)
		return error;
	act->vcpu = spt_action_vcpu(act);
	if (!act->vcpu && (act->args.given & SPT_KEY_BIT(VCPU)))
		return -ECANCELED;
	page = spt_remap_page(act);
	if (!page)
		return -ECANCELED;
	spt_say(act, SPT_LINE_OLD_HPA, "%#018llx", PFN_PHYS(page_to_pfn(page)));
	spt_say(act, SPT_LINE_PAGE_SIZE, "%lu", folio_size(page_folio(page)));
	put_page(page);
	return 0;
}

/*
 * Where the copy goes: one folio, had before anything is done, for a huge page
 * without a place to go would be split.
 */
static struct folio *spt_spare_take(struct folio *old, unsigned long at)
{
	struct folio **spare = (struct folio **)at;
	struct folio *folio = *spare;

	if (!folio || folio_order(folio) != folio_order(old))
		return NULL;
	*spare = NULL;
	return folio;
}

static void spt_spare_give(struct folio *folio, unsigned long at)
{
	struct folio **spare = (struct folio **)at;

	*spare = folio;
}

#ifdef SPT_HAVE_NEW_FOLIO
static struct folio *spt_migrate_to(struct folio *old, unsigned long at)
{
	return spt_spare_take(old, at);
}

static void spt_migrate_back(struct folio *folio, unsigned long at)
{
	spt_spare_give(folio, at);
}
#else
static struct page *spt_migrate_to(struct page *old, unsigned long at)
{
	struct folio *folio = spt_spare_take(page_folio(old), at);

	return folio ? &folio->page : NULL;
}

static void spt_migrate_back(struct page *page, unsigned long at)
{
	spt_spare_give(page_folio(page), at);
}
#endif

/* Takes it from the LRU list: nobody else moves it or reclaims it now. The reference stays. */
static bool spt_remap_isolate(struct folio *folio)
{
#ifdef SPT_HAVE_ISOLATE_BOOL
	return spt_call(folio_isolate_lru)(folio);
#else
	return !spt_call(isolate_lru_page)(&folio->page);
#endif
}

/* 0, or how many pages did not move, or an error. Takes the reference of @folio. */
static int spt_remap_move(struct folio *folio)
{
	gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_NOWARN;
	struct folio *spare;
	LIST_HEAD(pages);
	int left = -EBUSY;

	if (folio_test_large(folio))
		gfp |= __GFP_NORETRY;
	spare = __folio_alloc_node(gfp, folio_order(folio), folio_nid(folio));
	if (!spare || !spt_remap_isolate(folio)) {
		folio_put(folio);
		if (!spare)
			return -ENOMEM;
		folio_put(spare);
		return left;
	}
	/* migrate_pages() and putback_movable_pages() take it away. */
	node_stat_mod_folio(folio, NR_ISOLATED_ANON + folio_is_file_lru(folio),
			    folio_nr_pages(folio));
	list_add(&folio->lru, &pages);
	folio_put(folio);
	left = spt_call(migrate_pages)(&pages, spt_migrate_to, spt_migrate_back,
				       (unsigned long)&spare, MIGRATE_SYNC, MR_SYSCALL, NULL);
	if (!list_empty(&pages))
		spt_call(putback_movable_pages)(&pages);
	if (spare)
		folio_put(spare);
	return left;
}

static int spt_remap_try(struct spt_action *act, u64 *old_hpa, u64 *size, u64 *new_hpa)
{
	struct page *page;
	unsigned int n;
	int left = -EBUSY;

	for (n = 0; n < SPT_REMAP_TRIES && left; n++) {
		page = spt_remap_page(act);
		if (!page)
			return -ECANCELED;
		*old_hpa = PFN_PHYS(page_to_pfn(page));
		*size = folio_size(page_folio(page));
		/*
		 * Pages wait on each CPU for their place on the list; to have them there is work
		 * on each, which may wait for long where a vCPU of real-time priority runs.
		 */
		if (n)
			spt_call(lru_add_drain_all)();
		left = spt_remap_move(page_folio(page));
		if (spt_action_stop(act))
			return -ECANCELED;
	}
	if (left)
		return spt_action_over(act, SPT_RESULT_FAILED,
				       left == -ENOMEM ? SPT_WHY_MEMORY : SPT_WHY_PINNED,
				       left < 0 ? "migration says error %d" :
						  "%d page did not move: somebody holds it",
				       left < 0 ? -left : left);
	page = NULL;
	if (!mmap_read_lock_killable(act->acted->id.mm)) {
		page = spt_remap_get(act);
		mmap_read_unlock(act->acted->id.mm);
	}
	*new_hpa = page ? PFN_PHYS(page_to_pfn(page)) : SPT_NO_HPA;
	if (page)
		put_page(page);
	return 0;
}

/* The entry has what the host has. */
static bool spt_remap_mapped(const struct spt_action *act, const struct spt_entries *entries,
			     u64 hpa)
{
	unsigned int i;

	for (i = 0; i < entries->count; i++) {
		const struct spt_entry *entry = &entries->at[i];
		u64 offset = (act->target.gfn - entry->gfn) << PAGE_SHIFT;

		if (!entry->present || !entry->leaf)
			continue;
		if (((entry->spte & spt_layout.addr_mask &
		      ~((PAGE_SIZE << spt_level_shift(entry->level)) - 1)) + offset) != hpa)
			return false;
	}
	return true;
}

/* The VMM's page there is still the guest's. */
static bool spt_remap_in_slot(struct spt_action *act)
{
	struct srcu_struct *srcu = spt_kvm_srcu(act->kvm);
	bool there;
	int idx;

	idx = srcu_read_lock(srcu);
	there = spt_action_slot(act);
	srcu_read_unlock(srcu, idx);
	return there;
}

static int spt_remap_act(struct spt_action *act)
{
	struct spt_remap *own = act->own;
	u64 old_hpa;
	u64 new_hpa;
	u64 size;
	int error;

	if (!spt_remap_in_slot(act))
		return spt_refuse_action(act, SPT_WHY_CHANGED, "the memslot is another one now");
	spt_entries_read(act, act->target.gfn, &own->before);
	error = spt_remap_try(act, &old_hpa, &size, &new_hpa);
	if (error)
		return error;
	spt_say(act, SPT_LINE_OLD_HPA, "%#018llx", old_hpa);
	if (new_hpa != SPT_NO_HPA)
		spt_say(act, SPT_LINE_NEW_HPA, "%#018llx", new_hpa);
	spt_say(act, SPT_LINE_PAGE_SIZE, "%llu", size);
	if (new_hpa == old_hpa)
		return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_UNCHANGED,
				       "the page is where it was");
	act->effects++;
	/* Where that cannot be, the guest's next access maps it. */
	spt_fault_again(act, act->target.gfn);
	spt_entries_read(act, act->target.gfn, &own->after);
	spt_say_entries(act, &own->before, &own->after);
	if (new_hpa != SPT_NO_HPA && !spt_remap_mapped(act, &own->after, new_hpa))
		return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_CHANGED,
				       "an entry maps another frame than the host: it moved again");
	return 0;
}

const struct spt_action_ops spt_remap_ops = {
	.room = sizeof(struct spt_remap),
	.check = spt_remap_check,
	.act = spt_remap_act,
};
