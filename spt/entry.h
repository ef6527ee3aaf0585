/* SPDX-License-Identifier: GPL-2.0 */
/* One entry of one table, seen from its root: shared by the tree and the walks. */
#ifndef SPT_ENTRY_H
#define SPT_ENTRY_H

#include "spt/tree.h"

/* PT_PRESENT_MASK, EPT's R: raw roots and external tables lack KVM's bit 11. */
#define SPT_RAW_PRESENT 1ULL

static inline enum spt_spte_type spt_entry_type(const struct spt_model *m,
						const struct spt_node *node, uint64_t spte)
{
	if (!node->page) {
		if (!(spte & SPT_RAW_PRESENT))
			return SPT_SPTE_NONPRESENT;
		return node->is_external && (node->level == 1 || spte & SPT_SPTE_PAGE_SIZE)
			       ? SPT_SPTE_LEAF
			       : SPT_SPTE_TABLE;
	}
	return spt_spte_type(&m->format, spte, node->level);
}

/*
 * Fill *@e for entry @index of @node in @root; @address is the first one that it
 * translates, as the tables count. Finds and checks the child of a table entry.
 */
void spt_entry_fill(const struct spt_model *m, const struct spt_root_ref *root,
		    const struct spt_node *node, unsigned int index, uint64_t address,
		    uint64_t spte, struct spt_entry *e);

/*
 * The child alone of an entry of type table, as above; NULL: missing, or not of this place.
 * @guess: node that it probably is, or NULL.
 */
const struct spt_node *spt_entry_child(const struct spt_model *m, const struct spt_root_ref *root,
				       const struct spt_node *node, uint64_t address, uint64_t spte,
				       const struct spt_node *guess);

/* First address that the root's table translates, and how many bits an address has. */
static inline uint64_t spt_root_base(const struct spt_root_ref *root)
{
	const struct spt_node *node = root->node;

	/* A root below one that the image lacks, raw or external, begins at its gfn. */
	if (node && node->is_external)
		return node->external->gfn << SPT_PAGE_SHIFT;
	return node && node->direct && node->page ? node->page->gfn << SPT_PAGE_SHIFT : 0;
}

/*
 * The range @start .. @last (what users write) in addresses as the root's tables count,
 * clipped to what the root translates and the image was made of. False: nothing is left.
 */
bool spt_root_range(const struct spt_model *m, const struct spt_root_ref *root, uint64_t start,
		    uint64_t last, uint64_t *ret_first, uint64_t *ret_last);

static inline unsigned int spt_root_bits(const struct spt_root_ref *root)
{
	if (root->node && root->node->raw_kind == SPT_RAW_PAE_ROOT)
		return 32;
	if (spt_root_base(root))
		return 52;
	return spt_level_shift(root->level) + SPT_LEVEL_BITS;
}

#endif
