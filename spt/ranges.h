/* SPDX-License-Identifier: GPL-2.0 */
/* Neighbouring leaves of equal meaning merged into ranges; what each costs is one compare. */
#ifndef SPT_RANGES_H
#define SPT_RANGES_H

#include "spt/sweep.h"

/* clang-format off */
/* What keeps neighbours apart. */
#define SPT_SPLITS(S)							\
	S(LEVEL, level)		/* page size */				\
	S(PERM, perm)							\
	S(HPA, hpa)		/* not contiguous in host memory */	\
	S(SLOT, slot)							\
	S(TYPE, type)							\
	S(NX, nx)		/* table forbids huge pages for NX */	\
	S(DIRTY, dirty)		/* D bit */				\
	S(NODE, node)		/* NUMA node: ranges_node.h */

enum spt_split_nr {
#define S(id, name) SPT_SPLIT_NR_##id,
	SPT_SPLITS(S)
#undef S
	SPT_SPLIT_COUNT,
};
/* clang-format on */

enum spt_split {
#define S(id, name) SPT_SPLIT_##id = 1 << SPT_SPLIT_NR_##id,
	SPT_SPLITS(S)
#undef S
};

/* Without --split-by: what a reader would call 'the same memory'. */
#define SPT_SPLIT_DEFAULT                                                                          \
	(SPT_SPLIT_LEVEL | SPT_SPLIT_PERM | SPT_SPLIT_HPA | SPT_SPLIT_SLOT | SPT_SPLIT_TYPE)

extern const char *const spt_split_names[SPT_SPLIT_COUNT];

/* "level,perm,..." into SPT_SPLIT_*. Returns 0 or -EINVAL naming the bad word. */
int spt_split_parse(const char *text, unsigned int *ret, struct spt_error *err);

struct spt_range {
	const struct spt_root_ref *root;
	const struct spt_memslot *slot; /* of the first page; NULL none */
	const struct spt_node *node;	/* table of the first leaf */
	uint64_t gpa, size;		/* bytes */
	uint64_t hpa;			/* of the first page; SPT_NO_HPA for MMIO and frozen */
	uint64_t hpa_end;		/* behind the last page; likewise */
	uint64_t first_spte;		/* raw; decode it for permissions and flags */
	uint64_t last_spte;
	uint64_t page_size; /* of the first leaf */
	uint64_t pages;	    /* leaves merged */
	int level;	    /* of the first leaf */
	enum spt_spte_type type;
	bool hpa_contiguous; /* hpa + offset is right for all of it */
	bool mixed_perm, mixed_level, mixed_dirty, mixed_accessed; /* where not split by it */
	bool nx_disallowed; /* first leaf's table: nx_huge_page_disallowed */
};

struct spt_ranges {
	struct spt_tree tree;
	unsigned int splits; /* SPT_SPLIT_* */
	uint64_t compare;    /* raw bits that keep neighbours apart, but for the address */
	uint64_t perm_mask, dirty_mask, accessed_mask;
	const struct spt_memslot *slot; /* of the last lookup */
	struct spt_range open;		/* being grown */
	bool have_open;
};

/* As spt_tree_begin(); @splits SPT_SPLIT_*, 0: SPT_SPLIT_DEFAULT. */
void spt_ranges_begin(struct spt_ranges *ranges, const struct spt_model *model,
		      const struct spt_root_ref *root, uint64_t start, uint64_t len,
		      unsigned int splits);

/* The next range into *@ret; false at the end. */
bool spt_ranges_next(struct spt_ranges *ranges, struct spt_range *ret);

/*
 * How many there are, without making them: on several threads, at about the speed of
 * memory. @sweep says which model and, if wanted, which root and range. Returns 0,
 * -EINTR or -ENOMEM.
 */
int spt_ranges_count(const struct spt_sweep *sweep, unsigned int splits, uint64_t *ret,
		     struct spt_error *err);

#endif
