/* SPDX-License-Identifier: GPL-2.0 */
/* Comparing what two roots map in one region; the inside of spt_diff_run(). */
#ifndef SPT_DIFF_TABLES_H
#define SPT_DIFF_TABLES_H

#include "spt/diff.h"

/* What one image has in a region: a table, one entry that covers it, or nothing. */
struct spt_diff_side {
	const struct spt_node *node; /* NULL: no table */
	struct spt_mapped mapped;    /* no table: what is there */
	bool unknown;		     /* an entry names a table that the image lacks */
};

/* A region is what one entry at @level translates. */
struct spt_diff_region {
	const struct spt_root_ref *root[2]; /* NULL: that image has no such root */
	struct spt_diff_side side[2];	    /* before, after */
	uint64_t base;			    /* first address, as the tables count */
	int level;
};

/* Changes found, in order of addresses. */
struct spt_diff_list {
	struct spt_change *change;
	size_t count, room;
	uint64_t unknown;
};

/* What all comparisons of one run have in common. */
struct spt_diff_rules {
	const struct spt_model *model[2];
	bool same_format;
	unsigned int flags;
	uint64_t care;	   /* raw bits that a change shows in, where formats are the same */
	bool conversions;  /* both images have memory attributes */
	uint64_t attrs[2]; /* raw bits beside the address that keep changes apart */
};

void spt_diff_rules_init(struct spt_diff_rules *rules, const struct spt_diff *diff);

/*
 * Part @i, of SPT_TABLE_ENTRIES, of a region that has a table on one side at least.
 * False: it is outside @first .. @last, or nothing is there on either side.
 */
bool spt_diff_part(const struct spt_diff_rules *rules, const struct spt_diff_region *region,
		   unsigned int i, uint64_t first, uint64_t last, struct spt_diff_region *part);

/* Compare a region and all below it. Returns 0 or -ENOMEM. */
int spt_diff_compare(const struct spt_diff_rules *rules, const struct spt_diff_region *region,
		     uint64_t first, uint64_t last, struct spt_diff_list *list);

/* Whether @next goes on where @c ends, with the same change; then @c is made longer. */
bool spt_diff_merge(const struct spt_diff_rules *rules, struct spt_change *c,
		    const struct spt_change *next);

#endif
