// SPDX-License-Identifier: GPL-2.0
/*
 * Why a page is not mapped by the next larger one. KVM takes the smallest of what
 * the guest's page, the slot, lpage_info, the host's mapping and the NX mitigation
 * allow (kvm_mmu_hugepage_adjust(), disallowed_hugepage_adjust()).
 */
#include <inttypes.h>

#include "spt/lpage.h"
#include "spt/verdict.h"
#include "spt/why_parts.h"

/* KVM's count for the block, taken apart. */
struct count {
	uint64_t first, end; /* frames of the block */
	bool known;	     /* the image has disallow_lpage */
	bool parts_known;    /* and what it is made of: it covers the block */
	bool mixed;
	bool geometry;	/* 1 of it is the slot's shape */
	uint64_t value; /* without the flag */
	uint64_t tracked;
	struct spt_why_shadowed shadowed;
};

/* Sum of the write-track counts of the block's frames. */
static uint64_t sum_tracked(const struct spt_why_ask *ask, uint64_t first, uint64_t end)
{
	const struct spt_memslots *set = &ask->model->memslots;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < ask->memslot->nr_runs; i++) {
		const struct spt_runs *runs = set->runs[ask->memslot->first_runs + i];

		for (uint32_t r = 0; runs->kind == SPT_RUN_WRITE_TRACK && r < runs->count; r++) {
			uint64_t from = runs->run[r].gfn, to = from + runs->run[r].npages;

			from = from > first ? from : first;
			to = to < end ? to : end;
			if (from < to)
				sum += (to - from) * runs->run[r].value;
		}
	}
	return sum;
}

static void take_count(const struct spt_why_ask *ask, int level, struct count *c)
{
	const struct spt_model *m = ask->model;
	uint64_t value;

	*c = (struct count){ .first = spt_block_first(ask->gfn, level) };
	c->end = c->first + spt_level_pages(level);
	c->geometry =
		spt_slot_misaligned(ask->slot, level) || spt_slot_cuts(ask->slot, c->first, level);
	c->known = spt_model_has_lpage(m);
	if (!c->known)
		return;
	spt_memslot_run(&m->memslots, ask->memslot, spt_lpage_kind(level), ask->gfn, &value);
	c->mixed = value & SPT_LPAGE_MIXED_FLAG;
	c->value = value & ~SPT_LPAGE_MIXED_FLAG;
	c->parts_known = spt_model_covers(m, c->first << SPT_PAGE_SHIFT) &&
			 spt_model_covers(m, (c->end - 1) << SPT_PAGE_SHIFT);
	c->tracked = sum_tracked(ask, c->first, c->end);
	spt_why_find_shadowed(m, c->first, c->end, &c->shadowed);
}

static void fact_block(struct spt_why_ask *ask, const struct count *c)
{
	spt_why_fact(ask, "block", "gfn 0x%" PRIx64 "-0x%" PRIx64, c->first, c->end - 1);
}

static void fact_count(struct spt_why_ask *ask, const struct count *c)
{
	if (!c->known) {
		spt_why_fact(ask, "disallow_lpage", "n/a");
		return;
	}
	if (c->mixed)
		spt_why_fact(ask, "disallow_lpage", "%" PRIu64 " | KVM_LPAGE_MIXED_FLAG", c->value);
	else
		spt_why_fact(ask, "disallow_lpage", "%" PRIu64, c->value);
}

static void fact_geometry(struct spt_why_ask *ask)
{
	spt_why_fact_hex(ask, "slot.base_gfn", ask->slot->base_gfn);
	spt_why_fact_hex(ask, "slot.npages", ask->slot->npages);
}

static void slot_shape(struct spt_why_ask *ask, int level, const struct count *c)
{
	uint64_t hva_frame = ask->slot->hva >> SPT_PAGE_SHIFT;

	if (spt_slot_misaligned(ask->slot, level)) {
		spt_why_add(ask, SPT_CAUSE_MISALIGNED);
		spt_why_fact_hex(ask, "slot.base_gfn", ask->slot->base_gfn);
		spt_why_fact_hex(ask, "slot.userspace_addr", ask->slot->hva);
		spt_why_fact_hex(ask, "difference",
				 (ask->slot->base_gfn ^ hva_frame) & (spt_level_pages(level) - 1));
		fact_count(ask, c);
	}
	if (spt_slot_cuts(ask->slot, c->first, level)) {
		spt_why_add(ask, SPT_CAUSE_SLOT_EDGE);
		fact_geometry(ask);
		fact_block(ask, c);
		fact_count(ask, c);
	}
}

/* Without lpage_info the attributes themselves tell. */
static bool attrs_differ(const struct spt_why_ask *ask, const struct count *c)
{
	for (uint32_t i = 0; i < ask->model->nr_attrs; i++) {
		const struct spt_runs *runs = ask->model->attrs[i];

		for (uint32_t r = 0; r < runs->count; r++) {
			uint64_t from = runs->run[r].gfn, to = from + runs->run[r].npages;

			if (from < c->end && to > c->first && (from > c->first || to < c->end))
				return true;
		}
	}
	return false;
}

static void mixed_attributes(struct spt_why_ask *ask, const struct count *c)
{
	if (c->known ? !c->mixed : !attrs_differ(ask, c))
		return;
	spt_why_add(ask, SPT_CAUSE_MIXED_ATTRS);
	fact_count(ask, c);
	spt_why_fact_hex(ask, "attributes", ask->private_gfn ? SPT_ATTR_PRIVATE : 0);
	fact_block(ask, c);
}

/* What the count is made of, beyond the slot's shape. */
static void count_parts(struct spt_why_ask *ask, const struct count *c)
{
	uint64_t named = c->geometry + c->tracked + c->shadowed.low;

	if (c->value <= c->geometry)
		return;
	if (c->tracked > c->shadowed.high) {
		spt_why_add(ask, SPT_CAUSE_WRITE_TRACK_SIZE);
		fact_count(ask, c);
		spt_why_fact_number(ask, "gfn_write_track", c->tracked);
		fact_block(ask, c);
	}
	if (c->shadowed.one) {
		spt_why_add(ask, SPT_CAUSE_SHADOWED_SIZE);
		fact_count(ask, c);
		spt_why_fact(ask, "shadow pages", "%u of level 1, %u above", c->shadowed.low,
			     c->shadowed.high);
		spt_why_fact(ask, "sp.gfn", "0x%" PRIx64 ", level %d",
			     (uint64_t)c->shadowed.one->page->gfn, c->shadowed.one->level);
		fact_block(ask, c);
	}
	if (c->value > named || !c->parts_known) {
		spt_why_add(ask, SPT_CAUSE_DISALLOW);
		fact_count(ask, c);
		spt_why_fact_number(ask, "of which slot shape", c->geometry);
		if (c->parts_known)
			spt_why_fact_number(ask, "of which accounted for", named - c->geometry);
		else
			spt_why_fact(ask, "of which accounted for", "n/a");
		fact_block(ask, c);
	}
}

static void guest_page(struct spt_why_ask *ask)
{
	if (ask->last->node->direct)
		return;
	spt_why_add(ask, SPT_CAUSE_GUEST_SMALLER);
	spt_why_fact_spte(ask);
	spt_why_fact(ask, "sp.role.direct", "0");
	spt_why_fact_hex(ask, "sp.gfn", ask->last->node->page->gfn);
}

static void max_level(struct spt_why_ask *ask, int larger)
{
	const struct spt_masks *masks = &ask->model->image.masks;

	if (!(masks->known >> SPT_MASK_MAX_HUGE_LEVEL & 1) ||
	    (uint64_t)larger <= masks->value[SPT_MASK_MAX_HUGE_LEVEL])
		return;
	spt_why_add(ask, SPT_CAUSE_MAX_LEVEL);
	spt_why_fact_number(ask, "max_huge_page_level", masks->value[SPT_MASK_MAX_HUGE_LEVEL]);
}

static void guest_memfd(struct spt_why_ask *ask)
{
	spt_why_add(ask, SPT_CAUSE_GMEM_ORDER);
	spt_why_fact_number(ask, "slot.gmem.file", ask->slot->gmem_file);
	spt_why_fact_hex(ask, "slot.gmem.pgoff", ask->slot->gmem_pgoff);
	spt_why_fact_slot_flags(ask);
}

static void host_page(struct spt_why_ask *ask, int larger)
{
	const struct spt_why_host *h = &ask->host;

	if (!h->known)
		return;
	if (h->hpa == SPT_NO_HPA)
		spt_why_add(ask, SPT_CAUSE_HOST_GONE);
	else if (h->level >= larger)
		return;
	else if (h->special)
		spt_why_add(ask, SPT_CAUSE_HOST_SPECIAL);
	else
		spt_why_add(ask, h->in_one_piece ? SPT_CAUSE_HOST_SPLIT : SPT_CAUSE_HOST_SMALLER);
	spt_why_fact_host(ask);
}

static void nx_split(struct spt_why_ask *ask)
{
	const struct spt_masks *masks = &ask->model->image.masks;
	const struct spt_page *page = ask->last->node->page;

	if (!page || !(page->flags & SPT_PAGE_NX_DISALLOWED))
		return;
	spt_why_add(ask, SPT_CAUSE_NX_SPLIT);
	spt_why_fact(ask, "sp.nx_huge_page_disallowed", "1 of table 0x%" PRIx64,
		     (uint64_t)page->hpa);
	if (masks->known >> SPT_MASK_NX_HUGE_PAGES & 1)
		spt_why_fact_number(ask, "nx_huge_pages", masks->value[SPT_MASK_NX_HUGE_PAGES]);
}

/* How many causes of SIZE there are so far; all others come later. */
static bool nothing_yet(const struct spt_why_ask *ask, unsigned int before)
{
	return ask->answer->nr_causes == before;
}

void spt_why_not_larger(struct spt_why_ask *ask)
{
	unsigned int before = ask->answer->nr_causes;
	int larger = ask->last->level + 1;
	struct count count;
	bool mirror, gmem;

	ask->answer->larger = larger;
	if (larger > 3) {
		spt_why_add(ask, SPT_CAUSE_LARGEST);
		spt_why_fact_spte(ask);
		return;
	}
	if (!ask->slot)
		return;
	mirror = ask->last->node->mirror;
	gmem = ask->private_gfn || ask->slot->flags & SPT_SLOT_GMEM_ONLY;
	guest_page(ask);
	max_level(ask, larger);
	if (ask->slot->flags & SPT_SLOT_LOG_DIRTY) {
		spt_why_add(ask, SPT_CAUSE_DIRTY_LOG);
		spt_why_fact_slot_flags(ask);
	}
	take_count(ask, larger, &count);
	slot_shape(ask, larger, &count);
	mixed_attributes(ask, &count);
	if (count.known)
		count_parts(ask, &count);
	if (mirror) {
		spt_why_add(ask, SPT_CAUSE_MIRROR_4K);
		spt_why_fact(ask, "sp.role.is_mirror", "1");
		if (ask->walk->gmem_hpa != SPT_NO_HPA)
			spt_why_fact_hex(ask, "guest_memfd page", ask->walk->gmem_hpa);
	} else if (gmem) {
		guest_memfd(ask);
	}
	if (!gmem && !mirror)
		host_page(ask, larger);
	nx_split(ask);
	if (!nothing_yet(ask, before))
		return;
	if (!ask->host.known || !count.known) {
		spt_why_add(ask, SPT_CAUSE_HOST_UNKNOWN);
		spt_why_fact_host(ask);
		fact_count(ask, &count);
		return;
	}
	spt_why_add(ask, SPT_CAUSE_STALE_SIZE);
	fact_count(ask, &count);
	spt_why_fact_host(ask);
}
