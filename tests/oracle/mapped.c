// SPDX-License-Identifier: GPL-2.0
/*
 * What an image says of host mappings and reverse maps, as lines to be sorted, so
 * that it can be compared with what others say:
 *
 *   mapped pages IMAGE    each 4K page of the host runs that is there: GPA HPA
 *   mapped runs IMAGE     the host runs themselves: GPA pages HPA level flags
 *   mapped rmaps IMAGE    each reverse map: gfn level SPTE's address
 *   mapped leaves IMAGE   the same from the leaves of the shadow MMU's tables
 *   mapped lpage IMAGE    what forbids huge pages: address space, slot, level, gfn,
 *                         count; level 1 for write-tracked frames
 *   mapped forbidden IMAGE   the same as it must be: from where the slots are, and
 *                         from the guest's tables that shadow pages stand for
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "index.h"

#define PAGE	    4096UL
#define MMU_PRESENT (1UL << 11)
#define HUGE	    (1UL << 7)

static void print_run(const struct spt_host_run *run)
{
	printf("%#" PRIx64 " %" PRIu64 " %#" PRIx64 " %u %#x\n", (uint64_t)run->gfn * PAGE,
	       (uint64_t)run->npages, (uint64_t)run->hpa, run->level, run->flags);
}

static void print_pages(const struct spt_host_run *run)
{
	if (run->hpa == SPT_NO_HPA || run->flags & SPT_HOST_RUN_PROTNONE)
		return;
	for (uint64_t i = 0; i < run->npages; i++)
		printf("%#" PRIx64 " %#" PRIx64 "\n", (uint64_t)(run->gfn + i) * PAGE,
		       (uint64_t)run->hpa + i * PAGE);
}

static void host_runs(const struct spt_rec *rec, void (*print)(const struct spt_host_run *run))
{
	const struct spt_host_runs *runs = (const void *)rec;

	for (uint32_t i = 0; rec->type == SPT_REC_HOST_RUNS && i < runs->count; i++)
		print(&runs->run[i]);
}

static void print_rmaps(const struct spt_rec *rec)
{
	const struct spt_rmaps *rmaps = (const void *)rec;

	for (uint32_t i = 0; rec->type == SPT_REC_RMAPS && i < rmaps->count; i++)
		printf("%#" PRIx64 " %u %#" PRIx64 "\n", (uint64_t)rmaps->rmap[i].gfn, rmaps->level,
		       (uint64_t)rmaps->rmap[i].sptep_hpa);
}

/* KVM keeps what a page that is not direct translates to as an array, gfn << 12 | access. */
static uint64_t translation(const struct table *t, unsigned int index)
{
	const struct spt_array *array = t->translations;
	unsigned int chunk = index / SPT_CHUNK_ENTRIES;
	uint64_t before;

	if (!array || !(array->chunks >> chunk & 1))
		return 0;
	before = (uint64_t)__builtin_popcountll(array->chunks & ((1ULL << chunk) - 1));
	return array->entry[before * SPT_CHUNK_ENTRIES + index % SPT_CHUNK_ENTRIES] >> 12;
}

static void print_leaves(const struct table *t)
{
	if (!t->page || t->root)
		return;
	for (unsigned int i = 0; i < SPT_TABLE_ENTRIES; i++) {
		uint64_t spte = table_entry(t, i);
		uint64_t gfn = t->page->gfn + ((uint64_t)i << 9 * (t->level - 1));

		if (!(spte & MMU_PRESENT) || (t->level > 1 && !(spte & HUGE)))
			continue;
		if (!t->direct)
			gfn = translation(t, i) >> 9 * (t->level - 1) << 9 * (t->level - 1);
		printf("%#" PRIx64 " %d %#" PRIx64 "\n", gfn, t->level, t->hpa + 8 * i);
	}
}

static void print_count(const struct spt_slot *slot, int level, uint64_t gfn, uint64_t count)
{
	printf("%u %d %d %#" PRIx64 " %" PRIu64 "\n", slot->as_id, slot->id, level, gfn, count);
}

static void print_slot_runs(const struct spt_rec *rec, const struct spt_slot **slot)
{
	static const int levels[] = {
		[SPT_RUN_LPAGE_2M] = 2, [SPT_RUN_LPAGE_1G] = 3, [SPT_RUN_WRITE_TRACK] = 1
	};
	const struct spt_runs *runs = (const void *)rec;

	if (rec->type == SPT_REC_SLOT)
		*slot = (const void *)rec;
	for (uint32_t i = 0; rec->type == SPT_REC_SLOT_RUNS && i < runs->count; i++)
		for (uint64_t gfn = 0; gfn < runs->run[i].npages;
		     gfn += 1ULL << 9 * (levels[runs->kind] - 1))
			print_count(*slot, levels[runs->kind], runs->run[i].gfn + gfn,
				    runs->run[i].value);
}

/* kvm_alloc_memslot_metadata(): pages that stick out, and slots that are not congruent. */
static uint64_t forbidden_by_slot(const struct spt_slot *slot, int level, uint64_t gfn)
{
	uint64_t pages = 1ULL << 9 * (level - 1);

	if (level == 1)
		return 0;
	return gfn < slot->base_gfn || gfn + pages > slot->base_gfn + slot->npages ||
	       (slot->base_gfn ^ slot->hva / PAGE) & (pages - 1);
}

/* account_shadowed(): each shadow page of a guest table counts; above level 1 its writes are seen.
 */
static uint64_t forbidden_by_shadow(const struct index *x, const struct spt_slot *slot, int level,
				    uint64_t gfn)
{
	uint64_t pages = 1ULL << 9 * (level - 1);
	uint64_t count = 0;

	for (size_t i = 0; i < x->tables; i++) {
		const struct table *t = &x->table[i];

		if (!t->page || t->root || t->direct ||
		    index_role(x, t->page->role, SPT_ROLE_PASSTHROUGH) ||
		    index_role(x, t->page->role, SPT_ROLE_SMM) != slot->as_id ||
		    t->page->gfn - slot->base_gfn >= slot->npages)
			continue;
		count += t->page->gfn - gfn < pages && (level > 1 || t->level > 1);
	}
	return count;
}

static void print_forbidden(const struct index *x, const struct spt_slot *slot)
{
	for (int level = 1; level <= 3; level++) {
		uint64_t pages = 1ULL << 9 * (level - 1);
		uint64_t gfn = slot->base_gfn & ~(pages - 1);

		for (; gfn < slot->base_gfn + slot->npages; gfn += pages) {
			uint64_t count = forbidden_by_slot(slot, level, gfn) +
					 forbidden_by_shadow(x, slot, level, gfn);

			if (count)
				print_count(slot, level, gfn, count);
		}
	}
}

int main(int argc, char **argv)
{
	struct index image = { 0 };
	const struct spt_slot *slot = NULL;
	int fd = argc == 3 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || index_read(&image, fd)) {
		fprintf(stderr, "mapped pages|runs|rmaps|leaves|lpage|forbidden IMAGE: %s\n",
			image.error);
		return 2;
	}
	for (size_t at = 0; at < image.size;) {
		const struct spt_rec *rec = (const void *)(image.bytes + at);

		if (!strcmp(argv[1], "pages"))
			host_runs(rec, print_pages);
		else if (!strcmp(argv[1], "runs"))
			host_runs(rec, print_run);
		else if (!strcmp(argv[1], "rmaps"))
			print_rmaps(rec);
		else if (!strcmp(argv[1], "lpage"))
			print_slot_runs(rec, &slot);
		at += rec->len;
	}
	for (size_t i = 0; !strcmp(argv[1], "leaves") && i < image.tables; i++)
		print_leaves(&image.table[i]);
	for (size_t i = 0; !strcmp(argv[1], "forbidden") && i < image.slots; i++)
		print_forbidden(&image, image.slot[i]);
	index_free(&image);
	return 0;
}
