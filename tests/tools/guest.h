/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest whose tables are a function of a seed: which page has which frame is
 * computed where it is asked for, nothing is kept.
 */
#ifndef SPT_TESTS_GUEST_H
#define SPT_TESTS_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/spt_image.h"
#include "decoders/format.h"

#define GUEST_GENERATION 4
#define GUEST_MAX_SIZE	 (4ULL << 40)

struct guest_wish {
	const char *kind;
	const char *format; /* built-in one; NULL: one that fits the kind */
	uint64_t size;	    /* bytes of memory */
	uint64_t seed;
	double changes; /* per cent of the pages that are not as the seed alone says */
	uint64_t change_seed;
	uint64_t change_run; /* pages that change together */
	bool list;	     /* print the changes */
};

struct guest {
	struct spt_head head;
	struct spt_masks masks;
	struct spt_format format;
	struct guest_wish wish;
	struct {
		uint64_t gpa, bytes, hva;
	} slot[2];
	int slots;
	bool shadow;
	bool random;		    /* every page any frame */
	unsigned int huge_of_8;	    /* how many of eight 2M pieces are huge pages */
	unsigned int gap_of_64;	    /* how many of 64 pages are missing where there are 4K pages */
	uint64_t leaf, huge, table; /* entries but for their address */
	uint64_t change_below;	    /* a hash below changes its pages */
	uint64_t tables, pages_4k, pages_2m;
	unsigned int frame_bits; /* of a random frame's number */
};

/* NULL, or what is wrong with the wish. Counts tables and pages. */
const char *guest_init(struct guest *g, const struct guest_wish *wish);

/* Bytes that an entry of a level translates. */
static inline uint64_t guest_span(int level)
{
	return 4096ULL << 9 * (level - 1);
}

/* Which entry of a table of @level stands for its first address: a guest kernel maps all memory. */
unsigned int guest_first_index(const struct guest *g, int level);

/* Whether there is a table of @level that begins at @gpa, which is aligned. */
bool guest_has_table(const struct guest *g, int level, uint64_t gpa);

/* The kvm_mmu_page of that table; @ptep: HPA of the entry that leads to it. */
struct spt_page guest_page(const struct guest *g, int level, uint64_t gpa, uint64_t ptep);

/* All of its entries. Prints their changes if that was wished. */
void guest_entries(const struct guest *g, int level, uint64_t gpa,
		   uint64_t entry[SPT_TABLE_ENTRIES]);

#endif
