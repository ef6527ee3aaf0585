// SPDX-License-Identifier: GPL-2.0
/*
 * What an image says of host mappings and reverse maps, as lines to be sorted, so
 * that it can be compared with what others say:
 *
 *   mapped pages IMAGE    each 4K page of the host runs that is there: GPA HPA
 *   mapped runs IMAGE     the host runs themselves: GPA pages HPA level flags
 *   mapped rmaps IMAGE    each reverse map: gfn level SPTE's address
 *   mapped leaves IMAGE   the same from the leaves of the shadow MMU's tables
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

int main(int argc, char **argv)
{
	struct index image = { 0 };
	int fd = argc == 3 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || index_read(&image, fd)) {
		fprintf(stderr, "mapped pages|runs|rmaps|leaves IMAGE: %s\n", image.error);
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
		at += rec->len;
	}
	for (size_t i = 0; !strcmp(argv[1], "leaves") && i < image.tables; i++)
		print_leaves(&image.table[i]);
	index_free(&image);
	return 0;
}
