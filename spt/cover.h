/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What covers a stretch of a root's addresses: by which page sizes it is mapped, with which
 * permissions, how much of it was accessed and written. What a whole table says is
 * remembered, so that any number of stretches of any size cost one look at each table.
 */
#ifndef SPT_COVER_H
#define SPT_COVER_H

#include "spt/numa.h"
#include "spt/tree.h"

#define SPT_COVER_LEVELS 3 /* of leaves: 4K, 2M, 1G; index level - 1 */

/* What else there is, in struct spt_cover 'has'. */
#define SPT_COVER_MMIO	  (1U << 0)
#define SPT_COVER_FROZEN  (1U << 1)
#define SPT_COVER_TRACKED (1U << 2) /* permissions removed to see the next access */
#define SPT_COVER_MISSING (1U << 3) /* a table that the image does not have */

#define SPT_COVER_NO_NODE (-1) /* of no leaf is the NUMA node known */
#define SPT_COVER_NODES	  (-2) /* several */

struct spt_cover {
	uint64_t bytes[SPT_COVER_LEVELS]; /* mapped, by level of the leaf */
	uint64_t accessed, dirty;	  /* of those */
	uint64_t no_accessed, no_dirty;	  /* where nobody records it */
	uint64_t print;			  /* of every entry: not equal, something changed */
	int32_t node;			  /* NUMA node of all whose node is known */
	uint8_t any, all;		  /* enum spt_perm: of some leaf, of each leaf */
	uint8_t has;			  /* SPT_COVER_* */
};

static inline uint64_t spt_cover_mapped(const struct spt_cover *c)
{
	return c->bytes[0] + c->bytes[1] + c->bytes[2];
}

/* Of no stretch; and @more put beside @c. */
void spt_cover_none(struct spt_cover *c);
void spt_cover_add(struct spt_cover *c, const struct spt_cover *more);

/* What is remembered of the tables of one loaded model. */
struct spt_covers {
	const struct spt_model *model;
	const struct spt_numa *numa; /* nodes by HPA; NULL: not looked at */
	bool prints;		     /* make 'print', which costs as much again */
	struct spt_cover *whole;     /* by node */
	uint8_t *known;		     /* by node: 'whole' is valid */
};

/* @model and @numa (or NULL) must stay. 0 or -ENOMEM. */
int spt_covers_init(struct spt_covers *c, const struct spt_model *model,
		    const struct spt_numa *numa, bool prints);
void spt_covers_deinit(struct spt_covers *c);

/*
 * What of @start .. @start + @len - 1, as the root's tables count (spt_root_range()), @root
 * maps. Looks at no more than *@budget tables that are not remembered yet and takes what
 * it looked at off it; false: it was used up, and *@ret is of a part only.
 */
bool spt_cover(struct spt_covers *c, const struct spt_root_ref *root, uint64_t start, uint64_t len,
	       uint64_t *budget, struct spt_cover *ret);

#endif
