/* SPDX-License-Identifier: GPL-2.0 */
/* The rule of which neighbours belong together; for ranges.c and ranges_count.c alone. */
#ifndef SPT_RANGES_RULE_H
#define SPT_RANGES_RULE_H

#include "spt/ranges.h"

/* Bits that a leaf of @level has set. */
static inline uint64_t spt_leaf_bits(int level)
{
	return SPT_SPTE_MMU_PRESENT | (level > 1 ? SPT_SPTE_PAGE_SIZE : 0);
}

/* Raw bits in which a leaf must equal the one before it in its table, plus one page. */
static inline uint64_t spt_range_compare(const struct spt_ranges *r, int level)
{
	uint64_t addr = r->tree.model->format.leaf_addr[level];

	return r->compare | spt_leaf_bits(level) | (r->splits & SPT_SPLIT_HPA ? addr : 0);
}

/* The slot that backs an entry's first page; shadow paging: that of the guest frame. */
const struct spt_memslot *spt_range_slot(struct spt_ranges *r, const struct spt_entry *e);

/*
 * Of a table whose addresses are GPAs: the slot of entry @first. *@end becomes the first
 * entry behind it that begins in another slot, or in none, if that is below *@end.
 */
const struct spt_memslot *spt_range_slot_until(struct spt_ranges *r,
					       const struct spt_sweep_table *t, unsigned int first,
					       unsigned int *end);

/* The same where addresses are no GPAs, but guest frames follow one another. */
const struct spt_memslot *spt_range_frames_until(struct spt_ranges *r,
						 const struct spt_sweep_table *t,
						 unsigned int first, unsigned int *end);

/* Whether an entry that follows the open range at once belongs to it. */
bool spt_range_continues(const struct spt_ranges *r, const struct spt_entry *e,
			 const struct spt_memslot *slot);

/* Then it grows; else another one begins. */
void spt_range_grow(struct spt_ranges *r, const struct spt_entry *e);
void spt_range_begin(struct spt_ranges *r, const struct spt_entry *e,
		     const struct spt_memslot *slot);

#endif
