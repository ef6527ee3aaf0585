// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "spt/huge_share.h"
#include "spt/lpage.h"
#include "spt/verdict.h"

/* Index of the first of @count things, ascending, that ends above @gfn, from @low on. */
#define FIRST_ABOVE(array, count, low, gfn)                                                        \
	({                                                                                         \
		uint32_t low_ = (low), high_ = (count), step_ = 1;                                 \
                                                                                                   \
		/* Near the last one as a rule. */                                                 \
		while (low_ + step_ < high_ &&                                                     \
		       (array)[low_ + step_ - 1].gfn + (array)[low_ + step_ - 1].npages <=         \
			       (gfn)) {                                                            \
			low_ += step_;                                                             \
			step_ *= 2;                                                                \
		}                                                                                  \
		if (low_ + step_ < high_)                                                          \
			high_ = low_ + step_;                                                      \
		while (low_ < high_) {                                                             \
			uint32_t mid_ = low_ + (high_ - low_) / 2;                                 \
                                                                                                   \
			if ((array)[mid_].gfn + (array)[mid_].npages <= (gfn))                     \
				low_ = mid_ + 1;                                                   \
			else                                                                       \
				high_ = mid_;                                                      \
		}                                                                                  \
		low_;                                                                              \
	})

/* First run of the cursor's kind that ends above @gfn; NULL: there is none. */
static const struct spt_run *run_above(struct spt_run_cursor *c, uint64_t gfn)
{
	if (gfn < c->last)
		c->rec = c->pos = 0;
	c->last = gfn;
	for (; c->rec < c->nr_recs; c->rec++, c->pos = 0) {
		const struct spt_runs *runs = c->recs[c->rec];

		if (runs->kind != c->kind || !runs->count ||
		    runs->run[runs->count - 1].gfn + runs->run[runs->count - 1].npages <= gfn)
			continue;
		c->pos = FIRST_ABOVE(runs->run, runs->count, c->pos, gfn);
		return &runs->run[c->pos];
	}
	return NULL;
}

/* The same for what the host maps of the slot. */
static const struct spt_host_run *host_above(struct spt_huge *h, uint64_t gfn)
{
	if (gfn < h->host_last)
		h->host_rec = h->host_pos = 0;
	h->host_last = gfn;
	for (; h->host_rec < h->slot->nr_host; h->host_rec++, h->host_pos = 0) {
		const struct spt_host_runs *runs =
			h->model->memslots.host[h->slot->first_host + h->host_rec];

		if (!runs->count ||
		    runs->run[runs->count - 1].gfn + runs->run[runs->count - 1].npages <= gfn)
			continue;
		h->host_pos = FIRST_ABOVE(runs->run, runs->count, h->host_pos, gfn);
		return &runs->run[h->host_pos];
	}
	return NULL;
}

static struct spt_run_cursor cursor_of(const struct spt_runs *const *recs, uint32_t nr_recs,
				       enum spt_run_kind kind)
{
	return (struct spt_run_cursor){ .recs = recs, .nr_recs = nr_recs, .kind = kind };
}

void spt_huge_begin(struct spt_huge *h, const struct spt_model *m, unsigned int as_id)
{
	memset(h, 0, sizeof(*h));
	h->model = m;
	h->as_id = as_id;
	h->have_lpage = spt_model_has_lpage(m);
	h->have_host = m->image.head.req_parts & SPT_PART_HOST_RUNS;
	h->attrs = cursor_of(m->attrs, m->nr_attrs, SPT_RUN_ATTRS);
}

/* The slot of @gfn; false: it has none. */
static bool find_slot(struct spt_huge *h, uint64_t gfn)
{
	const struct spt_memslots *set = &h->model->memslots;
	const struct spt_runs *const *runs;
	const struct spt_slot *slot;

	if (h->slot && gfn >= h->first && gfn < h->end)
		return true;
	h->slot = spt_memslot_find(set, h->as_id, gfn);
	if (!h->slot)
		return false;
	slot = h->slot->slot;
	runs = (const struct spt_runs *const *)set->runs + h->slot->first_runs;
	h->first = slot->base_gfn;
	h->end = slot->base_gfn + slot->npages;
	h->track = cursor_of(runs, h->slot->nr_runs, SPT_RUN_WRITE_TRACK);
	h->host_rec = h->host_pos = 0;
	h->host_last = 0;
	for (int level = 2; level <= 3; level++) {
		h->lpage[level] = cursor_of(runs, h->slot->nr_runs, spt_lpage_kind(level));
		h->all_over[level] = 0;
		if (slot->flags & SPT_SLOT_LOG_DIRTY)
			h->all_over[level] |= SPT_CAUSE_BIT(SPT_CAUSE_DIRTY_LOG);
		if (spt_slot_misaligned(slot, level))
			h->all_over[level] |= SPT_CAUSE_BIT(SPT_CAUSE_MISALIGNED);
		if (slot->flags & SPT_SLOT_GMEM_ONLY)
			h->all_over[level] |= SPT_CAUSE_BIT(SPT_CAUSE_GMEM_ORDER);
	}
	return true;
}

/* What KVM's count says beyond the slot's shape, which @geometry tells. */
static uint64_t count_causes(struct spt_huge *h, uint64_t first, int level, bool geometry)
{
	uint64_t end = first + spt_level_pages(level), causes = 0, value;
	const struct spt_run *run = run_above(&h->lpage[level], first);
	const struct spt_run *track;

	if (!run || run->gfn >= end)
		return 0;
	value = run->value;
	if (value & SPT_LPAGE_MIXED_FLAG)
		causes |= SPT_CAUSE_BIT(SPT_CAUSE_MIXED_ATTRS);
	if ((value & ~SPT_LPAGE_MIXED_FLAG) <= geometry)
		return causes;
	/* Where KVM shadows page tables, they are what is tracked. */
	track = run_above(&h->track, first);
	if (spt_model_has_indirect(h->model))
		causes |= SPT_CAUSE_BIT(SPT_CAUSE_SHADOWED_SIZE);
	else if (track && track->gfn < end)
		causes |= SPT_CAUSE_BIT(SPT_CAUSE_WRITE_TRACK_SIZE);
	else
		causes |= SPT_CAUSE_BIT(SPT_CAUSE_DISALLOW);
	return causes;
}

/* The host decides by the mapping of the page that faults: by the first one of the block here. */
static uint64_t host_causes(struct spt_huge *h, uint64_t first, int level)
{
	uint64_t pages = spt_level_pages(level);
	const struct spt_host_run *run;

	if (!h->have_host)
		return SPT_CAUSE_BIT(SPT_CAUSE_HOST_UNKNOWN);
	run = host_above(h, first > h->first ? first : h->first);
	if (!run || run->gfn >= first + pages || run->hpa == SPT_NO_HPA)
		return SPT_CAUSE_BIT(SPT_CAUSE_HOST_GONE);
	if (run->level >= (uint32_t)level)
		return 0;
	if (run->flags & SPT_HOST_RUN_ZERO)
		return SPT_CAUSE_BIT(SPT_CAUSE_HOST_SPECIAL);
	/* All of it in one piece, and in the right place: only the entries are small. */
	if (run->gfn <= first && run->gfn + run->npages >= first + pages &&
	    !(((run->hpa >> SPT_PAGE_SHIFT) + (first - run->gfn)) & (pages - 1)))
		return SPT_CAUSE_BIT(SPT_CAUSE_HOST_SPLIT);
	return SPT_CAUSE_BIT(SPT_CAUSE_HOST_SMALLER);
}

static uint64_t table_causes(const struct spt_node *table)
{
	uint64_t causes = 0;

	if (!table || !table->page)
		return 0;
	if (!table->direct)
		causes |= SPT_CAUSE_BIT(SPT_CAUSE_GUEST_SMALLER);
	if (table->mirror)
		causes |= SPT_CAUSE_BIT(SPT_CAUSE_MIRROR_4K);
	if (table->page->flags & SPT_PAGE_NX_DISALLOWED)
		causes |= SPT_CAUSE_BIT(SPT_CAUSE_NX_SPLIT);
	return causes;
}

uint64_t spt_huge_causes(struct spt_huge *h, uint64_t gpa, int level, const struct spt_node *table)
{
	uint64_t gfn = (gpa & ~h->model->gpa_bits) >> SPT_PAGE_SHIFT;
	uint64_t first = spt_block_first(gfn, level), causes = table_causes(table);
	const struct spt_run *run;
	bool edge, gmem;

	if (!find_slot(h, gfn))
		return 0;
	edge = spt_slot_cuts(h->slot->slot, first, level);
	causes |= h->all_over[level];
	if (edge)
		causes |= SPT_CAUSE_BIT(SPT_CAUSE_SLOT_EDGE);
	if (h->have_lpage)
		causes |= count_causes(h, first, level,
				       edge || causes & SPT_CAUSE_BIT(SPT_CAUSE_MISALIGNED));
	run = run_above(&h->attrs, gfn);
	gmem = run && run->gfn <= gfn && run->value & SPT_ATTR_PRIVATE;
	if (gmem && !(table && table->mirror))
		causes |= SPT_CAUSE_BIT(SPT_CAUSE_GMEM_ORDER);
	/* The host maps nothing of guest_memfd's. */
	if (!(causes & SPT_CAUSE_BIT(SPT_CAUSE_GMEM_ORDER)) && !gmem && (h->have_host || !causes))
		causes |= host_causes(h, first, level);
	return causes ? causes : SPT_CAUSE_BIT(SPT_CAUSE_STALE_SIZE);
}

void spt_huge_share_add(struct spt_huge_share *share, int level, uint64_t bytes, uint64_t causes)
{
	share->bytes[level] += bytes;
	if (!causes)
		return;
	share->decided[level][spt_huge_decides(causes)] += bytes;
	for (uint64_t rest = causes; rest; rest &= rest - 1)
		share->held[level][__builtin_ctzll(rest)] += bytes;
}

void spt_huge_share_merge(struct spt_huge_share *into, const struct spt_huge_share *from)
{
	for (int level = 1; level <= 3; level++) {
		into->bytes[level] += from->bytes[level];
		for (int cause = 0; cause < SPT_CAUSE_COUNT; cause++) {
			into->decided[level][cause] += from->decided[level][cause];
			into->held[level][cause] += from->held[level][cause];
		}
	}
}
