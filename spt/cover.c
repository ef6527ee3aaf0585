// SPDX-License-Identifier: GPL-2.0
#include "spt/cover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spt/entry.h"
#include "spt/sweep_parts.h"
#include "spt/vector.h"

void spt_cover_none(struct spt_cover *c)
{
	memset(c, 0, sizeof(*c));
	c->all = 0xff;
	c->node = SPT_COVER_NO_NODE;
}

static void add_node(struct spt_cover *c, int node)
{
	if (node == SPT_COVER_NO_NODE || node == c->node)
		return;
	c->node = c->node == SPT_COVER_NO_NODE ? node : SPT_COVER_NODES;
}

void spt_cover_add(struct spt_cover *c, const struct spt_cover *more)
{
	for (int i = 0; i < SPT_COVER_LEVELS; i++)
		c->bytes[i] += more->bytes[i];
	c->accessed += more->accessed;
	c->dirty += more->dirty;
	c->no_accessed += more->no_accessed;
	c->no_dirty += more->no_dirty;
	c->print += more->print;
	c->any |= more->any;
	c->all &= more->all;
	c->has |= more->has;
	add_node(c, more->node);
}

int spt_covers_init(struct spt_covers *c, const struct spt_model *model,
		    const struct spt_numa *numa, bool prints)
{
	memset(c, 0, sizeof(*c));
	c->model = model;
	c->numa = numa && numa->count ? numa : NULL;
	c->prints = prints;
	c->whole = calloc((size_t)model->nr_nodes + 1, sizeof(*c->whole));
	c->known = calloc((size_t)model->nr_nodes + 1, sizeof(*c->known));
	if (c->whole && c->known)
		return 0;
	spt_covers_deinit(c);
	return -ENOMEM;
}

void spt_covers_deinit(struct spt_covers *c)
{
	free(c->whole);
	free(c->known);
	memset(c, 0, sizeof(*c));
}

/* Of one stretch of one table while it is looked at. */
struct look {
	struct spt_covers *covers;
	const struct spt_root_ref *root;
	uint64_t first, last; /* addresses wanted, both inclusive */
	uint64_t *budget;
};

/* Leaves that are alike in all but their address, A and D: what one of them says of all. */
static void add_class(struct spt_cover *c, const struct spt_model *m, const struct spt_node *node,
		      uint64_t spte, uint64_t bytes, uint64_t accessed, uint64_t dirty)
{
	struct spt_spte s = spt_spte_decode(&m->format, spte, node->level, spt_node_kind(m, node));
	int level = node->level < SPT_COVER_LEVELS ? node->level : SPT_COVER_LEVELS;

	c->bytes[level - 1] += bytes;
	c->any |= s.perm;
	c->all &= s.perm;
	if (s.accessed == SPT_NA)
		c->no_accessed += bytes;
	else
		c->accessed += accessed;
	if (s.dirty == SPT_NA)
		c->no_dirty += bytes;
	else
		c->dirty += dirty;
	if (s.access_tracked)
		c->has |= SPT_COVER_TRACKED;
}

static void add_hpa_node(struct spt_cover *c, const struct spt_covers *covers, uint64_t hpa,
			 uint64_t size)
{
	if (covers->numa && c->node != SPT_COVER_NODES)
		add_node(c, spt_numa_node(covers->numa, hpa, hpa + size - 1));
}

/* A value that is not the same when an entry changes, moves or goes. */
static uint64_t print_of(uint64_t spte, uint64_t address)
{
	return (spte ^ 0x9e3779b97f4a7c15ULL) * ((address >> (SPT_PAGE_SHIFT - 1)) | 1);
}

/* One entry that leads to no table, of which @bytes are wanted; @address is its first. */
static void add_entry(struct spt_cover *c, const struct look *l, const struct spt_node *node,
		      uint64_t spte, uint64_t address, uint64_t bytes)
{
	const struct spt_model *m = l->covers->model;
	enum spt_spte_type type = spt_entry_type(m, node, spte);

	if (type == SPT_SPTE_NONPRESENT)
		return;
	if (l->covers->prints)
		c->print += print_of(spte, address);
	if (type == SPT_SPTE_MMIO)
		c->has |= SPT_COVER_MMIO;
	else if (type == SPT_SPTE_FROZEN)
		c->has |= SPT_COVER_FROZEN;
	else if (type == SPT_SPTE_TABLE)
		c->has |= SPT_COVER_MISSING;
	if (type != SPT_SPTE_LEAF)
		return;
	add_class(c, m, node, spte, bytes, spte & m->format.accessed ? bytes : 0,
		  spte & m->format.dirty ? bytes : 0);
	add_hpa_node(c, l->covers, spt_spte_leaf_hpa(&m->format, spte, node->level),
		     spt_level_size(node->level));
}

/* Bits in which leaves may differ and still be of one class. */
static uint64_t free_bits(const struct spt_format *f)
{
	return f->leaf_addr[1] | f->accessed | f->dirty;
}

/* Stored entries of a table of 4K pages; false: they are not all holes and leaves of one class. */
static bool add_array(struct spt_cover *c, const struct look *l, const struct spt_node *node,
		      const uint64_t *entry, unsigned int count, uint64_t address)
{
	const struct spt_format *f = &l->covers->model->format;
	const uint64_t empty[2] = { f->empty, node->empty };
	struct spt_reduced r = spt_reduce(entry, count, empty, f->accessed, f->dirty);
	const uint64_t page = spt_level_size(1);

	if (r.other || node->raw_kind || node->is_external || node->empty & SPT_SPTE_MMU_PRESENT)
		return false;
	if (!r.present)
		return true;
	if ((r.any ^ r.all) & ~free_bits(f))
		return false;
	add_class(c, l->covers->model, node, r.all, r.present * page, r.accessed * page,
		  r.dirty * page);
	for (unsigned int i = 0; l->covers->prints && i < count; i++)
		if (entry[i] & SPT_SPTE_MMU_PRESENT)
			c->print += print_of(entry[i], address + i * page);
	for (unsigned int i = 0; l->covers->numa && i < count; i++)
		if (entry[i] & SPT_SPTE_MMU_PRESENT)
			add_hpa_node(c, l->covers, spt_spte_leaf_hpa(f, entry[i], 1), page);
	return true;
}

/* Entries @first .. @end - 1 of a table of 4K pages. */
static void cover_pages(const struct look *l, const struct spt_node *node, uint64_t base,
			unsigned int first, unsigned int end, struct spt_cover *c)
{
	while (first < end) {
		unsigned int stored = spt_node_stored_from(node, first);
		unsigned int next = stored ? first + stored
					   : (first / SPT_CHUNK_ENTRIES + 1) * SPT_CHUNK_ENTRIES;
		uint64_t address = base + ((uint64_t)first << SPT_PAGE_SHIFT);

		if (next > end)
			next = end;
		if (stored &&
		    !add_array(c, l, node, spt_node_position(node, first), next - first, address))
			for (unsigned int i = first; i < next; i++)
				add_entry(c, l, node, spt_node_entry(node, i),
					  base + ((uint64_t)i << SPT_PAGE_SHIFT),
					  spt_level_size(1));
		first = next;
	}
}

static bool cover_node(const struct look *l, const struct spt_node *node, uint64_t base,
		       struct spt_cover *c);

/* An upper table: leaves, and what is below the rest. */
static bool cover_upper(const struct look *l, const struct spt_node *node, uint64_t base,
			unsigned int first, unsigned int end, struct spt_cover *c)
{
	const struct spt_model *m = l->covers->model;
	struct spt_tree_frame at = { .node = node, .index = first, .end = end };
	uint64_t size = spt_level_size(node->level), spte;
	const struct spt_node *guess = NULL;

	while (spt_tree_step(&at, m->format.empty, &spte)) {
		uint64_t address = base + (at.index - 1) * size;
		uint64_t from = address > l->first ? address : l->first;
		uint64_t to = address + size - 1 < l->last ? address + size - 1 : l->last;
		const struct spt_node *child = NULL;

		if (spt_entry_type(m, node, spte) == SPT_SPTE_TABLE)
			child = spt_entry_child(m, l->root, node, address, spte, guess);
		if (!child) {
			add_entry(c, l, node, spte, address, to - from + 1);
			continue;
		}
		guess = child + 1 < m->nodes + m->nr_nodes ? child + 1 : NULL;
		if (!cover_node(l, child, address, c))
			return false;
	}
	return true;
}

/* What of the wanted addresses @node, whose first entry translates @base, covers: added to @c. */
static bool cover_node(const struct look *l, const struct spt_node *node, uint64_t base,
		       struct spt_cover *c)
{
	struct spt_covers *covers = l->covers;
	size_t nr = (size_t)(node - covers->model->nodes);
	unsigned int first, end;
	struct spt_cover whole;
	bool all, complete = true;

	spt_sweep_clip(node, base, l->first, l->last, &first, &end);
	if (first >= end)
		return true;
	all = l->first <= base &&
	      l->last >= base + spt_level_size(node->level) * SPT_TABLE_ENTRIES - 1;
	if (all && covers->known[nr]) {
		spt_cover_add(c, &covers->whole[nr]);
		return true;
	}
	if (all && !*l->budget)
		return false;
	spt_cover_none(&whole);
	if (node->level == 1)
		cover_pages(l, node, base, first, end, &whole);
	else
		complete = cover_upper(l, node, base, first, end, &whole);
	spt_cover_add(c, &whole);
	if (all && complete) {
		covers->whole[nr] = whole;
		covers->known[nr] = 1;
		*l->budget -= *l->budget > 0;
	}
	return complete;
}

bool spt_cover(struct spt_covers *c, const struct spt_root_ref *root, uint64_t start, uint64_t len,
	       uint64_t *budget, struct spt_cover *ret)
{
	struct look l = { c, root, start, start + len - 1, budget };

	spt_cover_none(ret);
	if (!root->node || !len)
		return true;
	return cover_node(&l, root->node, spt_root_base(root), ret);
}
