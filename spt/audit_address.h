/* SPDX-License-Identifier: GPL-2.0 */
/* The rules about stretches of guest frames, for one leaf of any size or a table of leaves. */
#ifndef SPT_AUDIT_ADDRESS_H
#define SPT_AUDIT_ADDRESS_H

#include "spt/audit_engine.h"

/* Leaves that map frames of one slot in order: one leaf, or a table of level 1. */
struct audit_span {
	struct audit_part *part;
	const struct audit_place *place;   /* the leaf; NULL: a table's, see 'leaves' */
	const struct audit_leaves *leaves; /* of which the writable ones are looked at */
	const struct spt_node *node;
	const struct spt_memslot *slot;
	uint64_t gfn, pages;
};

/* Writable leaves against what a slot knows of frames @gfn .. @gfn + @pages - 1. */
void audit_span_tracked(struct audit *a, const struct audit_span *s, uint64_t gfn, uint64_t pages);
void audit_span_synced(struct audit *a, const struct audit_span *s, uint64_t gfn, uint64_t pages);
void audit_span_dirty(struct audit *a, const struct audit_span *s, uint64_t gfn, uint64_t pages);
void audit_say_readonly(struct audit *a, const struct audit_span *s);

/* A leaf's pages against the host's. */
void audit_host_leaf(struct audit *a, struct audit_part *part, const struct audit_place *p,
		     const struct spt_memslot *slot);
/* All leaves of a table against the host's runs. */
void audit_host_table(struct audit *a, struct audit_part *part, const struct audit_leaves *l,
		      const struct spt_memslot *slot);

/* The place of leaf @index of a table. */
struct audit_place audit_leaf_place(const struct audit *a, const struct audit_leaves *l,
				    unsigned int index);

#endif
