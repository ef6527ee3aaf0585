/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why memory is not mapped by huge pages, block by block: what `why` says of one
 * page, for a whole guest. A block of 2M (or 1G) is judged from the slot, the runs
 * of disallow_lpage, write tracking and attributes, and the host's runs: by
 * interval arithmetic, no page is looked at.
 *
 *	struct spt_huge huge;
 *	spt_huge_begin(&huge, model, as_id);
 *	for each level-1 table of the root, ascending:
 *		causes = spt_huge_causes(&huge, gpa, 2, table);
 *		spt_huge_share_add(&share, 1, leaves * 4096, causes);
 *
 * One struct spt_huge for each thread. Blocks may be asked for in any order; in
 * ascending order a question costs a few compares.
 */
#ifndef SPT_HUGE_SHARE_H
#define SPT_HUGE_SHARE_H

#include "spt/model.h"
#include "spt/why_cause.h"

/* A place in the runs of one kind of one slot, or in the VM's attributes. */
struct spt_run_cursor {
	const struct spt_runs *const *recs;
	uint32_t nr_recs;
	uint32_t kind;	   /* enum spt_run_kind; records of other kinds are passed by */
	uint32_t rec, pos; /* first run that ends above the frame asked for last */
	uint64_t last;	   /* that frame */
};

struct spt_huge {
	const struct spt_model *model;
	unsigned int as_id;
	const struct spt_memslot *slot; /* of the last question; NULL: none */
	uint64_t first, end;		/* its frames */
	uint64_t all_over[4];		/* by level: causes that hold all over the slot */
	struct spt_run_cursor lpage[4]; /* by level: [2], [3] */
	struct spt_run_cursor track;
	struct spt_run_cursor attrs;
	uint32_t host_rec, host_pos; /* in the slot's host runs, likewise */
	uint64_t host_last;
	bool have_lpage, have_host;
};

void spt_huge_begin(struct spt_huge *huge, const struct spt_model *model, unsigned int as_id);

/*
 * What keeps the block of @level (2: 2M, 3: 1G) that holds @gpa from being one
 * page: SPT_CAUSE_BIT()s of the question SIZE. @gpa decides which slot is asked
 * where the block touches several. @table: the table that maps it by smaller pages,
 * whose NX split and guest's page size count; NULL: none. 0: @gpa has no slot.
 */
uint64_t spt_huge_causes(struct spt_huge *huge, uint64_t gpa, int level,
			 const struct spt_node *table);

/* The one that decides, by KVM's own order; SPT_CAUSE_COUNT for an empty set. */
static inline enum spt_cause spt_huge_decides(uint64_t causes)
{
	return causes ? (enum spt_cause)__builtin_ctzll(causes) : SPT_CAUSE_COUNT;
}

/* How much of some memory (a slot, a root) is mapped by what size, and why by no larger. */
struct spt_huge_share {
	uint64_t bytes[4]; /* mapped, by level of the leaf: [1] 4K, [2] 2M, [3] 1G */
	/* Bytes of level-1 leaves by the cause that decides against 2M; of level-2 ones, 1G. */
	uint64_t decided[4][SPT_CAUSE_COUNT];
	/* The same by every cause that holds: sums to more than 'bytes'. */
	uint64_t held[4][SPT_CAUSE_COUNT];
};

/* @bytes more are mapped at @level, with these causes against the next one. */
void spt_huge_share_add(struct spt_huge_share *share, int level, uint64_t bytes, uint64_t causes);

/* What one thread counted into what all did. */
void spt_huge_share_merge(struct spt_huge_share *into, const struct spt_huge_share *from);

#endif
