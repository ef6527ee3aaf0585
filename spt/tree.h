/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hierarchy, entry by entry, in pre-order: an iterator whose struct holds
 * all its state. Roots come in the model's order.
 */
#ifndef SPT_TREE_H
#define SPT_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "decoders/spte.h"
#include "spt/model.h"

/* Problems of one entry; the walk goes on behind it. */
#define SPT_ENTRY_NO_CHILD  (1U << 0) /* names a table that the image does not have */
#define SPT_ENTRY_BAD_CHILD (1U << 1) /* the table is of another level or place */

struct spt_entry {
	const struct spt_root_ref *root;
	const struct spt_node *node;  /* table it is in */
	const struct spt_node *child; /* table it points to, NULL none */
	uint64_t spte;		      /* raw */
	uint64_t gpa;  /* first address it translates: GPA, or virtual/L2 (root kind) */
	uint64_t size; /* bytes it translates */
	uint64_t hpa;  /* what a table or leaf entry points to; else SPT_NO_HPA */
	unsigned int index;
	int level;
	enum spt_spte_type type;
	unsigned int problems; /* SPT_ENTRY_* */
};

/* Everything that decoders/spte.h knows about the entry. */
struct spt_spte spt_entry_decode(const struct spt_model *model, const struct spt_entry *entry);

/* ACC_WRITE_MASK is the same in both layouts of role.access; ACC_EXEC_MASK is not. */
#define SPT_ACC_WRITE 2U

/*
 * Access bits (ACC_*) that the guest's own tables leave the entry, where KVM shadows them; false:
 * not known, or there are no such tables.
 */
bool spt_entry_guest_access(const struct spt_model *model, const struct spt_entry *entry,
			    unsigned int *access);

#define SPT_TREE_LEAVES	  (1U << 0) /* leaf and special entries only, no tables */
#define SPT_TREE_LEFTOVER (1U << 1) /* non-present entries that hold a value, too */

struct spt_tree {
	const struct spt_model *model;
	const struct spt_root_ref *root; /* being walked */
	const struct spt_root_ref *only; /* NULL: every root */
	uint64_t start, last;		 /* addresses asked for, both inclusive */
	unsigned int flags;
	uint64_t first_in_root, last_in_root; /* the same, as this root's tables count */
	int depth;			      /* frames of stack in use; 0: next root */
	struct spt_tree_frame {
		const struct spt_node *node;
		const uint64_t *row; /* chunk of 'index', valid unless index begins one */
		uint64_t base;	     /* what entry 0 translates, as the tables count */
		unsigned int index;  /* next entry to look at */
		unsigned int end;    /* first entry behind the range */
	} stack[SPT_MAX_WALK + 1];
	const struct spt_node *guess; /* table that probably is the next one */
	struct spt_entry entry;	      /* the current one */
};

/*
 * Begin at @root (NULL: all roots). Only entries that overlap @start .. @start + @len - 1
 * are given; @len 0: everything. A root that translates other addresses than GPAs
 * is compared by those.
 */
void spt_tree_begin(struct spt_tree *tree, const struct spt_model *model,
		    const struct spt_root_ref *root, uint64_t start, uint64_t len,
		    unsigned int flags);

/* The next entry, valid until the next call; NULL at the end. */
const struct spt_entry *spt_tree_next(struct spt_tree *tree);

/*
 * Step one frame to its next entry that is stored and not empty, and past it;
 * false at the frame's end. For loops over one table that need no more.
 */
static inline bool spt_tree_step(struct spt_tree_frame *f, uint64_t empty, uint64_t *spte)
{
	while (f->index < f->end) {
		unsigned int chunk = f->index / SPT_CHUNK_ENTRIES;
		uint64_t rest = f->node->chunks >> chunk;

		if (!(rest & 1)) {
			f->index =
				rest ? (chunk + __builtin_ctzll(rest)) * SPT_CHUNK_ENTRIES : f->end;
			continue;
		}
		if (f->index % SPT_CHUNK_ENTRIES == 0 || !f->row)
			f->row = spt_node_row(f->node, chunk);
		*spte = f->row[f->index++ % SPT_CHUNK_ENTRIES];
		if (*spte && *spte != empty && *spte != f->node->empty)
			return true;
	}
	return false;
}

/* Address as users write it: without the root's own bits; virtual ones sign-extended. */
uint64_t spt_root_address(const struct spt_root_ref *root, uint64_t address);

#endif
