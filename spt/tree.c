// SPDX-License-Identifier: GPL-2.0
/*
 * Pre-order iteration: give an entry, then go down into its table, then on to
 * its neighbours, then up; behind the last root there is nothing left.
 */
#include <string.h>

#include "decoders/role.h"
#include "spt/entry.h"
#include "spt/tree.h"

uint64_t spt_root_address(const struct spt_root_ref *root, uint64_t address)
{
	unsigned int bits = spt_root_bits(root);

	/* 48 and 57 bit virtual addresses; 32 bit ones are not extended. */
	if (root->kind == SPT_ROOT_SHADOW && bits >= 48)
		return (uint64_t)((int64_t)(address << (64 - bits)) >> (64 - bits));
	return address & ~root->gpa_bits;
}

/*
 * A child must be one level down. In a direct tree its gfn says where it hangs,
 * so that no table can be met twice; shadow tables may hang at many places.
 */
static unsigned int child_problems(const struct spt_root_ref *root, const struct spt_node *child,
				   int level, uint64_t address)
{
	uint64_t frame = address & ~root->gpa_bits;

	if (child->level != level - 1)
		return SPT_ENTRY_BAD_CHILD;
	if (!spt_root_maps_gpa(root))
		return 0;
	if (child->is_external)
		return root->kind != SPT_ROOT_EXTERNAL ||
				       child->external->gfn << SPT_PAGE_SHIFT != frame
			       ? SPT_ENTRY_BAD_CHILD
			       : 0;
	if (!child->page)
		return child->raw_kind ? 0 : SPT_ENTRY_BAD_CHILD;
	if (!child->direct || child->page->gfn << SPT_PAGE_SHIFT != frame)
		return SPT_ENTRY_BAD_CHILD;
	if (child->root_sp && root->page && child->root_sp != root->page->sp)
		return SPT_ENTRY_BAD_CHILD;
	return 0;
}

/* An image of a range leaves out the shadow tables that map nothing of it. */
static unsigned int missing_child(const struct spt_model *m, const struct spt_root_ref *root)
{
	return m->image.head.req_len && !spt_root_maps_gpa(root) ? 0 : SPT_ENTRY_NO_CHILD;
}

static inline void fill(const struct spt_model *m, const struct spt_root_ref *root,
			const struct spt_node *node, unsigned int index, uint64_t address,
			uint64_t spte, const struct spt_node *guess, struct spt_entry *e)
{
	e->root = root;
	e->node = node;
	e->child = NULL;
	e->spte = spte;
	e->gpa = spt_root_address(root, address);
	e->size = spt_level_size(node->level);
	e->hpa = SPT_NO_HPA;
	e->index = index;
	e->level = node->level;
	e->type = spt_entry_type(m, node, spte);
	e->problems = 0;
	if (e->type == SPT_SPTE_LEAF) {
		e->hpa = spt_spte_leaf_hpa(&m->format, spte, node->level);
	} else if (e->type == SPT_SPTE_TABLE) {
		e->hpa = spt_spte_table_hpa(&m->format, spte);
		e->child = spt_node_child_near(m, root, e->hpa, node->level - 1, guess);
		e->problems = e->child ? child_problems(root, e->child, node->level, address)
				       : missing_child(m, root);
		if (e->problems)
			e->child = NULL;
	}
}

void spt_entry_fill(const struct spt_model *m, const struct spt_root_ref *root,
		    const struct spt_node *node, unsigned int index, uint64_t address,
		    uint64_t spte, struct spt_entry *e)
{
	fill(m, root, node, index, address, spte, NULL, e);
}

const struct spt_node *spt_entry_child(const struct spt_model *m, const struct spt_root_ref *root,
				       const struct spt_node *node, uint64_t address, uint64_t spte,
				       const struct spt_node *guess)
{
	const struct spt_node *child = spt_node_child_near(
		m, root, spt_spte_table_hpa(&m->format, spte), node->level - 1, guess);

	return child && !child_problems(root, child, node->level, address) ? child : NULL;
}

struct spt_spte spt_entry_decode(const struct spt_model *m, const struct spt_entry *e)
{
	return spt_spte_decode(&m->format, e->spte, e->level, spt_node_kind(m, e->node));
}

bool spt_entry_guest_access(const struct spt_model *m, const struct spt_entry *e,
			    unsigned int *access)
{
	const struct spt_node *node = e->node;
	uint64_t gpa;

	if (!node->page)
		return false;
	if (!node->direct)
		return spt_node_translation(node, e->index, &gpa, access);
	/* Below a guest's large page the tables are direct, and their role says it. */
	if (e->root && spt_root_maps_gpa(e->root))
		return false;
	*access = spt_role_get(m->format.role, node->page->role, SPT_ROLE_ACCESS);
	return true;
}

static void push(struct spt_tree *t, const struct spt_node *node, uint64_t base)
{
	struct spt_tree_frame *f = &t->stack[t->depth++];
	unsigned int shift = spt_level_shift(node->level);
	uint64_t first = t->first_in_root > base ? (t->first_in_root - base) >> shift : 0;
	uint64_t last = t->last_in_root >= base ? (t->last_in_root - base) >> shift : 0;

	f->node = node;
	f->row = NULL;
	f->base = base;
	f->index = first < SPT_TABLE_ENTRIES ? first : SPT_TABLE_ENTRIES;
	f->end = last < SPT_TABLE_ENTRIES ? last + 1 : SPT_TABLE_ENTRIES;
	if (t->last_in_root < base)
		f->end = f->index;
}

/*
 * GPAs: what the caller wants, the root translates up to @low, and the image was
 * made of; beyond its range an image has entries, but not the tables below them.
 */
static bool clip_to_image(const struct spt_model *m, uint64_t low, uint64_t *first, uint64_t *last)
{
	const struct spt_head *head = &m->image.head;
	uint64_t page = spt_level_size(1) - 1;

	if (*last > low)
		*last = low;
	if (head->req_len) {
		uint64_t image_last = (head->req_start + head->req_len - 1) | page;

		if (*first < (head->req_start & ~page))
			*first = head->req_start & ~page;
		if (*last > image_last)
			*last = image_last;
	}
	return *first <= *last;
}

bool spt_root_range(const struct spt_model *m, const struct spt_root_ref *root, uint64_t start,
		    uint64_t last, uint64_t *ret_first, uint64_t *ret_last)
{
	unsigned int bits = spt_root_bits(root);
	uint64_t mask = (1ULL << bits) - 1;

	if (spt_root_maps_gpa(root)) {
		if (!clip_to_image(m, mask & ~root->gpa_bits, &start, &last))
			return false;
		*ret_first = start | root->gpa_bits;
		*ret_last = last | root->gpa_bits;
		return true;
	}
	*ret_first = 0;
	*ret_last = mask;
	if (!start && last == ~0ULL)
		return true;
	if (root->kind == SPT_ROOT_NESTED) {
		*ret_first = start;
		*ret_last = last < mask ? last : mask;
		return start <= mask;
	}
	/* Virtual: one canonical half, or everything. */
	if ((start ^ last) >> (bits - 1))
		return true;
	*ret_first = start & mask;
	*ret_last = last & mask;
	return true;
}

static bool next_root(struct spt_tree *t)
{
	const struct spt_root_ref *end = t->model->roots + t->model->nr_roots;

	for (;;) {
		if (t->only) {
			if (t->root)
				return false;
			t->root = t->only;
		} else {
			t->root = t->root ? t->root + 1 : t->model->roots;
			if (t->root >= end)
				return false;
		}
		if (t->root->node && spt_root_range(t->model, t->root, t->start, t->last,
						    &t->first_in_root, &t->last_in_root)) {
			push(t, t->root->node, spt_root_base(t->root));
			return true;
		}
	}
}

void spt_tree_begin(struct spt_tree *t, const struct spt_model *model,
		    const struct spt_root_ref *root, uint64_t start, uint64_t len,
		    unsigned int flags)
{
	memset(t, 0, sizeof(*t));
	t->model = model;
	t->only = root;
	t->start = len ? start : 0;
	t->last = len && len - 1 <= ~0ULL - start ? start + len - 1 : ~0ULL;
	t->flags = flags;
}

/* Whether the caller wants to see an entry of this type. */
static bool wanted(const struct spt_tree *t, enum spt_spte_type type)
{
	if (type == SPT_SPTE_NONPRESENT)
		return t->flags & SPT_TREE_LEFTOVER;
	return type != SPT_SPTE_TABLE || !(t->flags & SPT_TREE_LEAVES);
}

const struct spt_entry *spt_tree_next(struct spt_tree *t)
{
	for (;;) {
		/* 1. Below the entry that was given last. */
		if (t->entry.child) {
			struct spt_tree_frame *f = &t->stack[t->depth - 1];
			const struct spt_node *child = t->entry.child;
			uint64_t base = f->base + ((uint64_t)t->entry.index
						   << spt_level_shift(f->node->level));

			t->entry.child = NULL;
			t->guess = spt_node_after(t->model, child);
			push(t, child, base);
		}
		/* 2. No frame: the next root, if there is one. */
		if (!t->depth && (!t->model->nr_roots || !next_root(t)))
			return NULL;

		/* 3. The next entry of this table; 4. or back to the one above. */
		struct spt_tree_frame *f = &t->stack[t->depth - 1];
		uint64_t spte;

		if (!spt_tree_step(f, t->model->format.empty, &spte)) {
			t->depth--;
			continue;
		}

		unsigned int index = f->index - 1;

		fill(t->model, t->root, f->node, index,
		     f->base + ((uint64_t)index << spt_level_shift(f->node->level)), spte, t->guess,
		     &t->entry);
		if (wanted(t, t->entry.type) || t->entry.problems)
			return &t->entry;
	}
}
