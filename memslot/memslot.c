// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memslot/memslot.h"

#define PAGE_SHIFT 12
#define NO_HVA	   (~0ULL)

/* include/uapi/linux/kvm.h; from bit 16 on include/linux/kvm_host.h. */
const struct spt_slot_flag spt_slot_flags[] = {
	{ 1U << 0, "log-dirty" },
	{ 1U << 1, "readonly" },
	{ 1U << 2, "guest-memfd" },
	{ SPT_SLOT_INVALID, "invalid" },
	{ SPT_SLOT_GMEM_ONLY, "gmem-only" },
	{ 0, NULL },
};

void spt_memslots_init(struct spt_memslots *set)
{
	memset(set, 0, sizeof(*set));
}

void spt_memslots_deinit(struct spt_memslots *set)
{
	free(set->slots);
	free(set->runs);
	free(set->host);
	free(set->gmem);
	free(set->rmaps);
	free(set->dirty);
	spt_memslots_init(set);
}

void spt_memslots_reset(struct spt_memslots *set)
{
	set->count = set->nr_runs = set->nr_host = set->nr_rmaps = set->nr_dirty = 0;
	set->nr_gmem = 0;
	memset(set->first, 0, sizeof(set->first));
}

int spt_memslots_add(struct spt_memslots *set, const struct spt_slot *slot)
{
	if (set->count == set->max_slots) {
		uint32_t max = set->max_slots * 2 + 16;
		struct spt_memslot *more = realloc(set->slots, max * sizeof(*more));

		if (!more)
			return -ENOMEM;
		set->slots = more;
		set->max_slots = max;
	}
	set->slots[set->count++] = (struct spt_memslot){
		.slot = slot,
		.first_runs = set->nr_runs,
		.first_host = set->nr_host,
		.first_gmem = set->nr_gmem,
		.first_rmaps = set->nr_rmaps,
		.first_dirty = set->nr_dirty,
	};
	return 0;
}

int spt_memslots_add_runs(struct spt_memslots *set, const struct spt_runs *runs)
{
	if (!set->count)
		return 0; /* belongs to a slot that was lost */
	if (set->nr_runs == set->max_runs) {
		uint32_t max = set->max_runs * 2 + 16;
		const struct spt_runs **more = realloc(set->runs, max * sizeof(*more));

		if (!more)
			return -ENOMEM;
		set->runs = more;
		set->max_runs = max;
	}
	set->runs[set->nr_runs++] = runs;
	set->slots[set->count - 1].nr_runs++;
	return 0;
}

int spt_memslots_add_host(struct spt_memslots *set, const struct spt_host_runs *runs)
{
	if (!set->count)
		return 0; /* belongs to a slot that was lost */
	if (set->nr_host == set->max_host) {
		uint32_t max = set->max_host * 2 + 16;
		const struct spt_host_runs **more = realloc(set->host, max * sizeof(*more));

		if (!more)
			return -ENOMEM;
		set->host = more;
		set->max_host = max;
	}
	set->host[set->nr_host++] = runs;
	set->slots[set->count - 1].nr_host++;
	return 0;
}

int spt_memslots_add_gmem(struct spt_memslots *set, const struct spt_host_runs *runs)
{
	if (!set->count)
		return 0; /* belongs to a slot that was lost */
	if (set->nr_gmem == set->max_gmem) {
		uint32_t max = set->max_gmem * 2 + 16;
		const struct spt_host_runs **more = realloc(set->gmem, max * sizeof(*more));

		if (!more)
			return -ENOMEM;
		set->gmem = more;
		set->max_gmem = max;
	}
	set->gmem[set->nr_gmem++] = runs;
	set->slots[set->count - 1].nr_gmem++;
	return 0;
}

int spt_memslots_add_rmaps(struct spt_memslots *set, const struct spt_rmaps *rmaps)
{
	if (!set->count)
		return 0; /* belongs to a slot that was lost */
	if (set->nr_rmaps == set->max_rmaps) {
		uint32_t max = set->max_rmaps * 2 + 16;
		const struct spt_rmaps **more = realloc(set->rmaps, max * sizeof(*more));

		if (!more)
			return -ENOMEM;
		set->rmaps = more;
		set->max_rmaps = max;
	}
	set->rmaps[set->nr_rmaps++] = rmaps;
	set->slots[set->count - 1].nr_rmaps++;
	return 0;
}

int spt_memslots_add_dirty(struct spt_memslots *set, const struct spt_dirty *dirty)
{
	if (!set->count)
		return 0; /* belongs to a slot that was lost */
	if (set->nr_dirty == set->max_dirty) {
		uint32_t max = set->max_dirty * 2 + 16;
		const struct spt_dirty **more = realloc(set->dirty, max * sizeof(*more));

		if (!more)
			return -ENOMEM;
		set->dirty = more;
		set->max_dirty = max;
	}
	set->dirty[set->nr_dirty++] = dirty;
	set->slots[set->count - 1].nr_dirty++;
	return 0;
}

static int by_gfn(const void *a, const void *b)
{
	const struct spt_slot *x = ((const struct spt_memslot *)a)->slot;
	const struct spt_slot *y = ((const struct spt_memslot *)b)->slot;

	if (x->as_id != y->as_id)
		return x->as_id < y->as_id ? -1 : 1;
	return (x->base_gfn > y->base_gfn) - (x->base_gfn < y->base_gfn);
}

/* As the agent gives them. */
static bool in_order(const struct spt_memslots *set)
{
	for (uint32_t i = 1; i < set->count; i++)
		if (by_gfn(&set->slots[i - 1], &set->slots[i]) > 0)
			return false;
	return true;
}

void spt_memslots_sort(struct spt_memslots *set)
{
	uint32_t i = 0;

	if (!in_order(set))
		qsort(set->slots, set->count, sizeof(*set->slots), by_gfn);
	for (unsigned int as = 0; as <= SPT_ADDRESS_SPACES; as++) {
		while (i < set->count && set->slots[i].slot->as_id < as)
			i++;
		set->first[as] = i;
	}
}

const struct spt_memslot *spt_memslot_from(const struct spt_memslots *set, unsigned int as_id,
					   uint64_t gfn)
{
	if (as_id >= SPT_ADDRESS_SPACES)
		return NULL;

	uint32_t low = set->first[as_id], high = set->first[as_id + 1];

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct spt_slot *slot = set->slots[mid].slot;

		if (slot->base_gfn + slot->npages <= gfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low < set->first[as_id + 1] ? &set->slots[low] : NULL;
}

const struct spt_memslot *spt_memslot_find(const struct spt_memslots *set, unsigned int as_id,
					   uint64_t gfn)
{
	const struct spt_memslot *slot = spt_memslot_from(set, as_id, gfn);

	return slot && slot->slot->base_gfn <= gfn ? slot : NULL;
}

uint64_t spt_memslot_hva(const struct spt_memslot *slot, uint64_t gpa)
{
	/* The guest gets guest_memfd's pages, wherever the slot's address leads in the VMM. */
	if (slot->slot->flags & SPT_SLOT_GMEM_ONLY)
		return NO_HVA;
	return slot->slot->hva + (gpa - (slot->slot->base_gfn << PAGE_SHIFT));
}

bool spt_memslot_next_alias(const struct spt_memslots *set, uint64_t hva, uint32_t *pos,
			    const struct spt_memslot **slot, uint64_t *gpa)
{
	while (*pos < set->count) {
		const struct spt_memslot *at = &set->slots[(*pos)++];
		uint64_t offset = hva - at->slot->hva;

		if (at->slot->flags & SPT_SLOT_GMEM_ONLY || hva < at->slot->hva ||
		    offset >> PAGE_SHIFT >= at->slot->npages)
			continue;
		*slot = at;
		*gpa = (at->slot->base_gfn << PAGE_SHIFT) + offset;
		return true;
	}
	return false;
}

const struct spt_run *spt_runs_find(const struct spt_runs *runs, uint64_t gfn)
{
	uint32_t low = 0, high = runs->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct spt_run *run = &runs->run[mid];

		if (run->gfn + run->npages <= gfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low < runs->count && runs->run[low].gfn <= gfn ? &runs->run[low] : NULL;
}

bool spt_memslot_run(const struct spt_memslots *set, const struct spt_memslot *slot,
		     enum spt_run_kind kind, uint64_t gfn, uint64_t *value)
{
	bool known = false;

	*value = 0;
	for (uint32_t i = 0; i < slot->nr_runs; i++) {
		const struct spt_runs *runs = set->runs[slot->first_runs + i];
		const struct spt_run *run;

		if (runs->kind != kind)
			continue;
		known = true;
		run = spt_runs_find(runs, gfn);
		if (run) {
			*value = run->value;
			break;
		}
	}
	return known;
}

/* The first run that ends above @gfn, among @count records that follow one another; or NULL. */
static const struct spt_host_run *host_records_from(const struct spt_host_runs *const *records,
						    uint32_t count, uint64_t gfn)
{
	uint32_t low = 0, high = count;

	/* The last record that begins at or below the frame, or the first. */
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (records[mid]->count && records[mid]->run[0].gfn <= gfn)
			low = mid + 1;
		else
			high = mid;
	}
	for (uint32_t nr = low ? low - 1 : 0; nr < count; nr++) {
		const struct spt_host_runs *runs = records[nr];

		for (low = 0, high = runs->count; low < high;) {
			uint32_t mid = low + (high - low) / 2;

			if (runs->run[mid].gfn + runs->run[mid].npages <= gfn)
				low = mid + 1;
			else
				high = mid;
		}
		if (low < runs->count)
			return &runs->run[low];
	}
	return NULL;
}

/* The run that holds @gfn. */
static const struct spt_host_run *host_records_find(const struct spt_host_runs *const *records,
						    uint32_t count, uint64_t gfn)
{
	const struct spt_host_run *run = host_records_from(records, count, gfn);

	return run && run->gfn <= gfn ? run : NULL;
}

const struct spt_host_run *spt_memslot_host_run_from(const struct spt_memslots *set,
						     const struct spt_memslot *slot, uint64_t gfn)
{
	return host_records_from(set->host + slot->first_host, slot->nr_host, gfn);
}

const struct spt_host_run *spt_memslot_host_run(const struct spt_memslots *set,
						const struct spt_memslot *slot, uint64_t gfn)
{
	return host_records_find(set->host + slot->first_host, slot->nr_host, gfn);
}

const struct spt_host_run *spt_memslot_gmem_run(const struct spt_memslots *set,
						const struct spt_memslot *slot, uint64_t gfn)
{
	return host_records_find(set->gmem + slot->first_gmem, slot->nr_gmem, gfn);
}

uint64_t spt_memslot_gmem_pages(const struct spt_memslots *set, const struct spt_memslot *slot)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < slot->nr_gmem; i++) {
		const struct spt_host_runs *runs = set->gmem[slot->first_gmem + i];

		for (uint32_t r = 0; r < runs->count; r++)
			pages += runs->run[r].npages;
	}
	return pages;
}

/* The last piece of the bitmap that begins at or below @gfn; an image may lack clean ones. */
static uint32_t find_dirty(const struct spt_memslots *set, const struct spt_memslot *slot,
			   uint64_t gfn)
{
	uint32_t low = slot->first_dirty, high = low + slot->nr_dirty;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (set->dirty[mid]->gfn <= gfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool spt_memslot_dirty(const struct spt_memslots *set, const struct spt_memslot *slot, uint64_t gfn,
		       bool *known)
{
	uint32_t nr = find_dirty(set, slot, gfn);
	const struct spt_dirty *dirty = nr > slot->first_dirty ? set->dirty[nr - 1] : NULL;
	uint64_t bit = dirty ? gfn - dirty->gfn : 0;

	*known = dirty && bit < dirty->npages;
	return *known && (dirty->word[bit / 64] >> (bit % 64) & 1);
}

uint64_t spt_memslot_dirty_word(const struct spt_memslots *set, const struct spt_memslot *slot,
				uint64_t gfn)
{
	uint32_t nr = find_dirty(set, slot, gfn), end = slot->first_dirty + slot->nr_dirty;
	uint64_t word = 0;

	for (nr = nr > slot->first_dirty ? nr - 1 : nr; nr < end; nr++) {
		const struct spt_dirty *dirty = set->dirty[nr];
		uint64_t at = gfn > dirty->gfn ? gfn - dirty->gfn : 0;
		uint64_t skip = gfn < dirty->gfn ? dirty->gfn - gfn : 0;

		if (skip >= 64)
			break;
		/* Bit 'at' of this piece is bit 'skip' of the word. */
		for (; skip < 64 && at < dirty->npages; at++, skip++)
			if (!(at % 64) && !skip && at + 64 <= dirty->npages)
				return dirty->word[at / 64];
			else
				word |= (dirty->word[at / 64] >> (at % 64) & 1) << skip;
	}
	return word;
}
