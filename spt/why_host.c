// SPDX-License-Identifier: GPL-2.0
/* What the host maps at an address: from a walk of the VMM's page tables, or from a run. */
#include "spt/lpage.h"
#include "spt/why_parts.h"

#define PTE_SPECIAL (1ULL << 9) /* _PAGE_SPECIAL: no struct page, or not to be touched */

/*
 * Whether the walks of all pages of the block name frames in one piece, at the
 * place that a page of @level needs: then only the host's entries are small.
 */
static bool walks_in_one_piece(const struct spt_why_ask *ask, int level)
{
	uint64_t first = spt_block_first(ask->gfn, level) << SPT_PAGE_SHIFT;
	uint64_t size = spt_level_size(level), seen = 0;
	uint64_t start = ask->host.hpa - ((ask->gfn << SPT_PAGE_SHIFT) - first);
	const struct spt_model *m = ask->model;

	if (start & (size - 1))
		return false;
	for (uint32_t i = 0; i < m->nr_host; i++) {
		uint64_t gpa = m->host[i]->gpa;
		struct spt_host_path path;

		if (gpa < first || gpa - first >= size)
			continue;
		if (!spt_host_path(m, gpa, &path) || path.hpa != start + (gpa - first))
			return false;
		seen += path.page_size;
	}
	return seen == size;
}

static bool run_in_one_piece(const struct spt_why_ask *ask, const struct spt_host_run *run,
			     int level)
{
	uint64_t first = spt_block_first(ask->gfn, level), pages = spt_level_pages(level);

	return run->gfn <= first && run->gfn + run->npages >= first + pages &&
	       !(((run->hpa >> SPT_PAGE_SHIFT) + (first - run->gfn)) & (pages - 1));
}

static void from_walk(struct spt_why_ask *ask, int larger)
{
	const struct spt_host_path *path = &ask->walk->host;
	struct spt_why_host *h = &ask->host;
	const struct spt_host_level *last;

	h->type = path->type;
	if (path->type == SPT_HOST_ERROR)
		return;
	last = &path->level[path->nr_levels - 1];
	h->known = h->have_entry = true;
	h->level = last->level;
	h->entry = last->entry;
	h->writable = path->writable;
	h->special = path->type == SPT_HOST_PAGE && last->entry & PTE_SPECIAL;
	h->hpa = path->hpa == SPT_NO_HPA ? SPT_NO_HPA : path->hpa & ~(spt_level_size(1) - 1);
	if (larger > h->level && h->hpa != SPT_NO_HPA && h->level == 1)
		h->in_one_piece = walks_in_one_piece(ask, larger);
}

static void from_run(struct spt_why_ask *ask, const struct spt_host_run *run, int larger)
{
	struct spt_why_host *h = &ask->host;

	h->known = true;
	if (!run || run->hpa == SPT_NO_HPA) {
		h->type = !run					? SPT_HOST_NONE
			  : run->flags & SPT_HOST_RUN_MIGRATION ? SPT_HOST_MIGRATION
			  : run->flags & SPT_HOST_RUN_SPECIAL	? SPT_HOST_SPECIAL
			  : run->flags & SPT_HOST_RUN_SWAP	? SPT_HOST_SWAP
								: SPT_HOST_NONE;
		return;
	}
	h->type = run->flags & SPT_HOST_RUN_PROTNONE ? SPT_HOST_PROTNONE : SPT_HOST_PAGE;
	h->level = run->level ? run->level : 1;
	h->writable = run->flags & SPT_HOST_RUN_WRITABLE;
	h->special = run->flags & SPT_HOST_RUN_ZERO;
	h->hpa = run->hpa + ((ask->gfn - run->gfn) << SPT_PAGE_SHIFT);
	if (larger > h->level)
		h->in_one_piece = run_in_one_piece(ask, run, larger);
}

void spt_why_find_host(struct spt_why_ask *ask, int larger)
{
	const struct spt_model *m = ask->model;

	ask->host = (struct spt_why_host){ .hpa = SPT_NO_HPA };
	if (!ask->memslot || ask->slot->flags & SPT_SLOT_GMEM_ONLY)
		return;
	/* The walk is of one slot's HVA: the other address space may have another one. */
	if (ask->walk->have_host && ask->walk->host.nr_levels && ask->walk->slot &&
	    spt_memslot_hva(ask->memslot, ask->walk->gpa) == ask->walk->hva)
		from_walk(ask, larger);
	else if (m->image.head.req_parts & SPT_PART_HOST_RUNS)
		from_run(ask, spt_memslot_host_run(&m->memslots, ask->memslot, ask->gfn), larger);
}
