/* SPDX-License-Identifier: GPL-2.0 */
/* The state of counting, shared by the files that count; private to them. */
#ifndef SPT_STATS_PART_H
#define SPT_STATS_PART_H

#include "spt/stats.h"
#include "spt/vector.h"

/* The whole of it. */
struct spt_stats_pass {
	const struct spt_model *model;
	const struct spt_sweep *sweep;
	struct spt_stats *result;
	uint64_t key;		     /* bits of an entry that decide how it is counted */
	const struct spt_numa *numa; /* nodes by HPA; NULL: none */
	bool host_runs;		     /* nodes by what the image says of the host's mapping */
};

/* One part of the sweep. */
struct spt_stats_part {
	struct spt_stats stats;
	struct spt_slot_count *row;	/* of the last leaf, in stats.slot */
	const struct spt_memslot *slot; /* of the last lookup */
	struct spt_reduced bits;	/* of the last array counted */
	struct spt_huge huge[SPT_ADDRESS_SPACES];
	struct { /* why no larger page, last answer */
		const struct spt_node *node;
		const struct spt_memslot *slot;
		uint64_t gpa, causes;
	} asked;
	struct { /* what leaves like 'spte' are */
		uint64_t spte;
		struct spt_leaf_count *count; /* NULL: nothing yet */
		enum spt_spte_kind kind;
		int level;
		bool accessed_known, dirty_known, tracked;
	} class;
};

/* Count an array of stored entries of @node; returns how many are leaves. */
uint64_t spt_stats_entries(struct spt_stats_part *p, const struct spt_stats_pass *pass,
			   const struct spt_node *node, const uint64_t *entry, size_t count);

/* The sweep's callback: entries, and whose memory they map. */
int spt_stats_see_entries(void *arg, void *state, const struct spt_sweep_table *t,
			  unsigned int first, unsigned int end);

/* Add the slots of a part to the result; then those of which nothing is mapped. 0, -ENOMEM. */
int spt_stats_merge_slots(struct spt_stats_pass *pass, const struct spt_stats *from);
int spt_stats_all_slots(struct spt_stats_pass *pass);

#endif
