/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What changed from one image of a VM to another: memory slots, roots, and what
 * each root maps, neighbours with the same change merged.
 *
 * Roots are matched by what they are for (kind, address space, role; shadow ones
 * also by the guest's table), not by where they are: one that was made anew is a
 * change of its own, and its content is compared all the same. Entries are
 * compared by what they mean: a table that moved is no change, and neither are
 * accessed and dirty bits unless asked for.
 */
#ifndef SPT_DIFF_H
#define SPT_DIFF_H

#include "spt/tree.h"

/* clang-format off */
/* In the order in which one change may be several: the first that fits is its kind. */
#define SPT_CHANGES(C)							\
	C(ADDED, added)							\
	C(REMOVED, removed)						\
	C(SPLIT, split)		/* smaller pages than before */		\
	C(COLLAPSED, collapsed)	/* larger pages than before */		\
	C(REMAPPED, remapped)	/* another page, or MMIO over a page */	\
	C(PERMISSION, permission)					\
	C(SLOT, slot)							\
	C(ROOT, root)

enum spt_change_kind {
#define C(id, name) SPT_CHANGE_##id,
	SPT_CHANGES(C)
#undef C
	SPT_CHANGE_KINDS,
};
/* clang-format on */

const char *spt_change_name(enum spt_change_kind kind); /* as in JSON */

/* What one image has at the first address of a change. */
struct spt_mapped {
	uint64_t spte;	/* raw */
	uint64_t hpa;	/* of the change's first page; SPT_NO_HPA: MMIO, or nothing */
	int8_t level;	/* of the entry; 0: nothing is there */
	uint8_t type;	/* enum spt_spte_type */
	uint8_t kind;	/* enum spt_spte_kind, for spt_spte_decode() */
	bool scattered; /* the further pages are not contiguous with the first */
};

/*
 * Memory attributes that differ: private memory became shared, or the other way round. A
 * change of mappings there is part of the conversion; memory that was converted is also a
 * change of its own, of kind 'slot', whether anything was mapped or not.
 */
enum spt_conversion { SPT_NOT_CONVERTED, SPT_CONVERTED_TO_SHARED, SPT_CONVERTED_TO_PRIVATE };

const char *spt_conversion_name(enum spt_conversion conversion); /* NULL: none */

struct spt_change {
	enum spt_change_kind kind;
	enum spt_conversion conversion;
	unsigned int also;  /* bits 1 << kind: what else is true of it */
	uint64_t gpa, size; /* bytes; of a root's content in the addresses that it translates */
	uint64_t pages;	    /* entries compared: of the smaller page size; 0 for slots, roots */
	struct spt_mapped before, after;
	const struct spt_root_ref *root_before, *root_after; /* NULL: there is none */
	/* SPT_CHANGE_SLOT; where memory was converted the slot that has it, which is the same. */
	const struct spt_memslot *slot_before, *slot_after;
};

/* Flags. */
#define SPT_DIFF_BITS (1U << 0) /* A and D bits, generations: whatever an entry says */
#define SPT_DIFF_ALL  (1U << 1) /* also invalid roots, which nobody can enter any more */

struct spt_diff {
	const struct spt_model *before, *after; /* loaded */
	uint64_t start, len;			/* of GPA space; len 0: everything */
	unsigned int flags;			/* SPT_DIFF_* */
	unsigned int threads;			/* 0: as many as there are CPUs */
	/* Now and then, on the caller's thread; not 0: stop with -EINTR. May be NULL. */
	int (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;
};

struct spt_diff_totals {
	uint64_t changes;
	uint64_t unknown; /* entries whose table one image lacks: nothing is said about them */
};

/*
 * Hand every change to @emit, on the caller's thread: slots, roots, then the
 * content of root after root by address. A change is valid during the call.
 * Returns 0, what @emit returned, -EINTR or -ENOMEM (the error says why).
 */
int spt_diff_run(const struct spt_diff *diff, int (*emit)(void *arg, const struct spt_change *c),
		 void *arg, struct spt_diff_totals *totals, struct spt_error *err);

/*
 * In words what makes the two images hard to compare: other VM, other kernel,
 * other kind of MMU. False: nothing.
 */
bool spt_diff_strange(const struct spt_model *before, const struct spt_model *after, char *text,
		      size_t size);

#endif
