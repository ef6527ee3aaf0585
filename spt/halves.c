// SPDX-License-Identifier: GPL-2.0
#include "spt/halves.h"
#include "spt/verdict.h"

enum { PRIVATE, SHARED };

struct frames {
	uint64_t first, end;
};

static struct frames both(struct frames a, struct frames b)
{
	struct frames r = { a.first > b.first ? a.first : b.first, a.end < b.end ? a.end : b.end };

	if (r.end < r.first)
		r.end = r.first;
	return r;
}

static uint64_t bytes_of(struct frames f)
{
	return (f.end - f.first) << SPT_PAGE_SHIFT;
}

static struct frames wanted(const struct spt_sweep *sweep)
{
	uint64_t last = sweep->start + (sweep->len - 1);

	if (!sweep->len || last < sweep->start)
		return (struct frames){ sweep->len ? sweep->start >> SPT_PAGE_SHIFT : 0, ~0ULL };
	return (struct frames){ sweep->start >> SPT_PAGE_SHIFT, (last >> SPT_PAGE_SHIFT) + 1 };
}

static uint64_t private_bytes(const struct spt_model *m, struct frames frames)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < m->nr_attrs; i++)
		for (uint32_t r = 0; r < m->attrs[i]->count; r++) {
			const struct spt_run *run = &m->attrs[i]->run[r];

			if (run->value & SPT_ATTR_PRIVATE)
				bytes += bytes_of(
					both(frames,
					     (struct frames){ run->gfn, run->gfn + run->npages }));
		}
	return bytes;
}

static uint64_t gmem_bytes(const struct spt_model *m, const struct spt_memslot *slot,
			   struct frames frames)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < slot->nr_gmem; i++) {
		const struct spt_host_runs *runs = m->memslots.gmem[slot->first_gmem + i];

		for (uint32_t r = 0; r < runs->count; r++)
			bytes += bytes_of(both(
				frames, (struct frames){ runs->run[r].gfn,
							 runs->run[r].gfn + runs->run[r].npages }));
	}
	return bytes;
}

static void count_tables(const struct spt_model *m, struct spt_half_count ret[2])
{
	for (uint32_t i = 0; i < m->nr_nodes; i++) {
		const struct spt_node *node = &m->nodes[i];

		/* Known by its mirror, whether the image has it or not. */
		if (!node->page)
			continue;
		ret[node->mirror ? PRIVATE : SHARED].tables += spt_level_size(1);
		if (node->mirror && node->page->external)
			ret[PRIVATE].tables += spt_level_size(1);
	}
}

bool spt_halves_count(const struct spt_sweep *sweep, const struct spt_stats *stats,
		      struct spt_half_count ret[2])
{
	const struct spt_model *m = sweep->model;

	ret[PRIVATE] = (struct spt_half_count){ .half = SPT_HALF_PRIVATE };
	ret[SHARED] = (struct spt_half_count){ .half = SPT_HALF_SHARED };
	if (m->no_attrs || !m->vm.rec || !(m->image.head.req_parts & SPT_PART_ATTRS))
		return false;
	for (uint32_t i = 0; i < m->memslots.count; i++) {
		const struct spt_slot *slot = m->memslots.slots[i].slot;
		struct frames own = { slot->base_gfn, slot->base_gfn + slot->npages };
		struct frames frames = both(wanted(sweep), own);
		uint64_t private = private_bytes(m, frames);

		if (slot->as_id)
			continue;
		ret[PRIVATE].bytes += private;
		ret[SHARED].bytes += bytes_of(frames) - private;
		ret[PRIVATE].pages += gmem_bytes(m, &m->memslots.slots[i], frames);
		ret[PRIVATE].has_pages |= spt_model_knows_gmem(m, &m->memslots.slots[i]);
	}
	for (size_t i = 0; i < stats->nr_slots; i++) {
		const struct spt_slot_count *row = &stats->slot[i];
		enum spt_half half = row->root ? spt_root_half(row->root) : SPT_HALF_NONE;

		if (half)
			ret[half == SPT_HALF_PRIVATE ? PRIVATE : SHARED].mapped +=
				spt_slot_count_mapped(row);
	}
	count_tables(m, ret);
	return true;
}
