/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a VM's tables hold, counted in one sweep: entries by level, type and permission,
 * what is mapped of each slot by which page size and why by no larger one, on which NUMA
 * node it lies, and what the tables themselves cost.
 */
#ifndef SPT_STATS_H
#define SPT_STATS_H

#include "spt/huge_share.h"
#include "spt/numa.h"
#include "spt/sweep.h"

#define SPT_STATS_PERMS 16 /* sets of enum spt_perm */

/* Leaves of one level and permission. */
struct spt_leaf_count {
	uint64_t leaves;
	uint64_t accessed, dirty;	/* of those where it is recorded */
	uint64_t no_accessed, no_dirty; /* where nobody records it */
	uint64_t access_tracked;	/* permissions taken to see the next access */
};

/* Tables of one level. */
struct spt_table_count {
	uint64_t tables;   /* all, each once, however often it is linked */
	uint64_t detached; /* of them, those that no root leads to */
	uint64_t raw;	   /* of them, those without a kvm_mmu_page */
	uint64_t pages;	   /* 4K pages of host memory: the tables, translations, external ones */
	uint64_t links;	   /* places where they hang, roots included */
};

/* What one root maps of one slot. */
struct spt_slot_count {
	const struct spt_root_ref *root; /* NULL: all roots whose addresses are no GPAs */
	const struct spt_memslot *slot;	 /* NULL: leaves without a slot */
	uint64_t bytes;			 /* of the slot in the range counted */
	/* By level of the leaf, and why by no larger page. */
	struct spt_huge_share share;
};

struct spt_stats {
	uint64_t entries[SPT_MAX_LEVEL + 1][SPT_SPTE_TYPES]; /* NONPRESENT: that hold a value */
	uint64_t missing; /* of the table entries: the table is not in the image */
	struct spt_leaf_count leaf[SPT_MAX_LEVEL + 1][SPT_STATS_PERMS];
	struct spt_table_count table[SPT_MAX_LEVEL + 1];
	struct spt_slot_count *slot; /* by root and slot; also those of which nothing is mapped */
	size_t nr_slots;
	uint32_t *slot_hash; /* while counting: root and slot to index + 1; open addressing */
	size_t slot_hash_size;
	bool have_nodes; /* false: NUMA nodes are unknown */
	uint64_t node_bytes[SPT_NUMA_NODES];
	uint64_t no_node_bytes; /* mapped, but no node is known for it */
};

/*
 * Count. @sweep says which model and, if wanted, which root and range; without them
 * detached tables are counted, too. @numa: of the host whose VM it is, NULL: from the
 * image's host mappings if it has them. Returns 0, -EINTR or -ENOMEM;
 * spt_stats_free() also after an error.
 */
int spt_stats_count(const struct spt_sweep *sweep, const struct spt_numa *numa,
		    struct spt_stats *ret, struct spt_error *err);
void spt_stats_free(struct spt_stats *stats);

/* Bytes of a slot that are mapped, and that are not; the latter only for a root of GPAs. */
uint64_t spt_slot_count_mapped(const struct spt_slot_count *slot);
uint64_t spt_slot_count_holes(const struct spt_slot_count *slot);

#endif
