/* SPDX-License-Identifier: GPL-2.0 */
/* Cutting what a sweep is to see into parts of equal cost; used by sweep.c alone. */
#ifndef SPT_SWEEP_PARTS_H
#define SPT_SWEEP_PARTS_H

#include <stddef.h>

#include "spt/sweep.h"

/* Where a part begins: an address, as the tables count, of a root. */
struct spt_sweep_cut {
	uint32_t root; /* index in model->roots */
	uint64_t address;
};

struct spt_sweep_parts {
	struct spt_sweep_cut *cut; /* ascending; part i goes from cut i to cut i + 1 */
	size_t count;		   /* parts; cut has one more, behind the last root */
	size_t room;
	uint64_t cost; /* of all parts: tables, about */
};

/* At most @want parts, but at least one. Returns 0 or -ENOMEM. */
int spt_sweep_parts_make(const struct spt_sweep *sweep, size_t want, struct spt_sweep_parts *ret);
void spt_sweep_parts_free(struct spt_sweep_parts *parts);

/*
 * The addresses, both inclusive, that the sweep wants of root @nr, and of those
 * the ones from @from to @to. False: none.
 */
struct spt_sweep_span {
	uint64_t want_first, want_last; /* of the whole sweep */
	uint64_t first, last;		/* of this part */
};
bool spt_sweep_span(const struct spt_sweep *sweep, const struct spt_sweep_cut *from,
		    const struct spt_sweep_cut *to, uint32_t nr, struct spt_sweep_span *ret);

/* Which entries of @node, whose first one translates @base, lie in @first .. @last. */
static inline void spt_sweep_clip(const struct spt_node *node, uint64_t base, uint64_t first,
				  uint64_t last, unsigned int *ret_first, unsigned int *ret_end)
{
	unsigned int shift = spt_level_shift(node->level);
	uint64_t low = first > base ? (first - base) >> shift : 0, high;

	*ret_first = low < SPT_TABLE_ENTRIES ? low : SPT_TABLE_ENTRIES;
	*ret_end = *ret_first;
	if (last < base)
		return;
	high = (last - base) >> shift;
	*ret_end = high < SPT_TABLE_ENTRIES ? high + 1 : SPT_TABLE_ENTRIES;
	if (*ret_end < *ret_first)
		*ret_end = *ret_first;
}

#endif
