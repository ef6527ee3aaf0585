// SPDX-License-Identifier: GPL-2.0
/*
 * Counting ranges. Where all of a stretch of a table are leaves of one slot, the ranges
 * that begin in it are the entries that do not follow the one before them: one pass over
 * the array. Everything else is asked the rule entry by entry, and so is each border.
 */
#include <errno.h>
#include <string.h>

#include "spt/entry.h"
#include "spt/ranges_rule.h"
#include "spt/vector.h"

struct count {
	const struct spt_model *model;
	struct spt_ranges rule; /* the open range is what the parts so far end with */
	uint64_t ranges;
};

/* One part of the sweep. */
struct part {
	struct spt_ranges rule;
	bool begun;
	uint64_t ranges;	/* that begin in it */
	struct spt_entry first; /* entry, which may go on with the part before */
	const struct spt_memslot *first_slot;
};

static void begin_part(struct part *p, const struct count *c)
{
	if (p->begun)
		return;
	p->rule = c->rule;
	p->rule.have_open = false;
	p->begun = true;
}

/* An entry in its turn; @slot is NULL where slots do not keep neighbours apart. */
static void take_entry(struct part *p, const struct spt_entry *e, const struct spt_memslot *slot)
{
	if (p->rule.have_open && spt_range_continues(&p->rule, e, slot)) {
		spt_range_grow(&p->rule, e);
		return;
	}
	if (!p->ranges++) {
		p->first = *e;
		p->first_slot = slot;
	}
	spt_range_begin(&p->rule, e, slot);
}

/* Entry @index of a table, unless it is none that ranges are made of. */
static bool make_entry(const struct spt_model *m, const struct spt_sweep_table *t,
		       unsigned int index, uint64_t spte, struct spt_entry *e)
{
	*e = (struct spt_entry){
		.root = t->root,
		.node = t->node,
		.spte = spte,
		.gpa = spt_root_address(t->root, spt_sweep_address(t, index)),
		.size = spt_level_size(t->node->level),
		.hpa = SPT_NO_HPA,
		.index = index,
		.level = t->node->level,
		.type = spt_entry_type(m, t->node, spte),
	};
	if (e->type == SPT_SPTE_LEAF)
		e->hpa = spt_spte_leaf_hpa(&m->format, spte, e->level);
	return e->type != SPT_SPTE_TABLE && e->type != SPT_SPTE_NONPRESENT;
}

static void take_one_by_one(struct part *p, const struct count *c, const struct spt_sweep_table *t,
			    unsigned int first, unsigned int end)
{
	struct spt_tree_frame at = { .node = t->node, .index = first, .end = end };
	struct spt_entry e;
	uint64_t spte;

	while (spt_tree_step(&at, c->model->format.empty, &spte))
		if (make_entry(c->model, t, at.index - 1, spte, &e))
			take_entry(p, &e,
				   p->rule.splits & SPT_SPLIT_SLOT ? spt_range_slot(&p->rule, &e)
								   : NULL);
}

/* Leaves and holes, of one slot: how often a leaf does not follow the one before. */
static void take_array(struct part *p, const struct count *c, const struct spt_sweep_table *t,
		       unsigned int index, const uint64_t *entry, size_t count,
		       const struct spt_memslot *slot)
{
	size_t first = 0, last = count - 1;
	struct spt_entry e;

	while (!(entry[first] & SPT_SPTE_MMU_PRESENT))
		first++;
	while (!(entry[last] & SPT_SPTE_MMU_PRESENT))
		last--;
	make_entry(c->model, t, index + first, entry[first], &e);
	take_entry(p, &e, slot);
	if (first == last)
		return;
	p->ranges += spt_count_breaks(entry + first, last - first + 1, e.size,
				      spt_range_compare(&p->rule, e.level));
	make_entry(c->model, t, index + last, entry[last], &e);
	/* As the next one will see it. */
	spt_range_begin(&p->rule, &e, slot);
}

/* What of an array are no holes are leaves. */
static bool only_leaves(const struct spt_model *m, const struct spt_node *node,
			const struct spt_reduced *bits)
{
	uint64_t leaf = spt_leaf_bits(node->level);

	return !node->raw_kind && !(node->empty & SPT_SPTE_MMU_PRESENT) && !bits->other &&
	       (bits->all & leaf) == leaf;
}

/* Entries of one slot, or of none, as far as that matters; all are stored. */
static void take_stored(struct part *p, const struct count *c, const struct spt_sweep_table *t,
			unsigned int first, unsigned int end, const struct spt_memslot *slot)
{
	const uint64_t empty[2] = { c->model->format.empty, t->node->empty };
	const uint64_t *entry = spt_node_position(t->node, first);
	struct spt_reduced bits = spt_reduce(entry, end - first, empty, 0, 0);

	if (!only_leaves(c->model, t->node, &bits))
		take_one_by_one(p, c, t, first, end);
	else if (bits.present)
		take_array(p, c, t, first, entry, end - first, slot);
}

static void take_stretch(struct part *p, const struct count *c, const struct spt_sweep_table *t,
			 unsigned int first, unsigned int end, const struct spt_memslot *slot)
{
	while (first < end) {
		unsigned int stored = spt_node_stored_from(t->node, first);

		if (!stored) {
			first = (first / SPT_CHUNK_ENTRIES + 1) * SPT_CHUNK_ENTRIES;
			continue;
		}
		if (stored > end - first)
			stored = end - first;
		take_stored(p, c, t, first, first + stored, slot);
		first += stored;
	}
}

/*
 * Of a shadow table: guest frames that follow one another from entry @first to *@end, which
 * becomes lower where they or their slot end. False: they do not, *@end is behind @first.
 */
static bool one_slot(struct part *p, const struct spt_sweep_table *t, unsigned int first,
		     unsigned int *end, const struct spt_memslot **slot)
{
	unsigned int frames = spt_node_frames_from(t->node, first, *end - first);

	*end = first + (frames ? frames : 1);
	if (!frames)
		return false;
	*slot = spt_range_frames_until(&p->rule, t, first, end);
	return true;
}

static int see_entries(void *arg, void *state, const struct spt_sweep_table *t, unsigned int first,
		       unsigned int end)
{
	const struct count *c = arg;
	struct part *p = state;

	begin_part(p, c);
	while (first < end) {
		unsigned int next = end;
		const struct spt_memslot *slot = NULL;

		if (p->rule.splits & SPT_SPLIT_SLOT && spt_root_maps_gpa(t->root))
			slot = spt_range_slot_until(&p->rule, t, first, &next);
		else if (p->rule.splits & SPT_SPLIT_SLOT && !one_slot(p, t, first, &next, &slot)) {
			take_one_by_one(p, c, t, first, next);
			first = next;
			continue;
		}
		take_stretch(p, c, t, first, next, slot);
		first = next;
	}
	return 0;
}

static int merge(void *arg, void *state)
{
	const struct part *p = state;
	struct count *c = arg;

	if (!p->ranges)
		return 0;
	c->ranges += p->ranges;
	if (c->rule.have_open && spt_range_continues(&c->rule, &p->first, p->first_slot))
		c->ranges--;
	c->rule.open = p->rule.open;
	c->rule.have_open = true;
	return 0;
}

int spt_ranges_count(const struct spt_sweep *sweep, unsigned int splits, uint64_t *ret,
		     struct spt_error *err)
{
	static const struct spt_sweep_ops ops = {
		.state_size = sizeof(struct part),
		.entries = see_entries,
		.merge = merge,
	};
	struct count c = { .model = sweep->model };
	int code;

	spt_ranges_begin(&c.rule, sweep->model, sweep->root, sweep->start, sweep->len, splits);
	code = spt_sweep(sweep, &ops, &c, err);
	*ret = c.ranges;
	return code;
}
