// SPDX-License-Identifier: GPL-2.0
/*
 * The way back from host memory. Almost no entry is the one that is looked for, so a
 * table's stored entries are compared as one array; only where one matches is the
 * table gone through entry by entry.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spt/entry.h"
#include "spt/reverse.h"
#include "spt/vector.h"

struct hits {
	struct spt_reverse_hit *at;
	size_t count, room;
};

struct search {
	const struct spt_model *model;
	uint64_t hpa;
	struct hits found;
};

static int add_hit(struct hits *hits, const struct spt_reverse_hit *hit)
{
	if (hits->count == hits->room) {
		size_t room = hits->room ? hits->room * 2 : 4;
		struct spt_reverse_hit *more = realloc(hits->at, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		hits->at = more;
		hits->room = room;
	}
	hits->at[hits->count++] = *hit;
	return 0;
}

static uint64_t page_of(uint64_t hpa)
{
	return hpa & ~(spt_level_size(1) - 1);
}

static uint64_t table_span(const struct spt_node *node)
{
	return spt_level_size(node->level) * SPT_TABLE_ENTRIES;
}

static int see_table(void *arg, void *state, const struct spt_sweep_table *t)
{
	const struct search *s = arg;
	bool external = t->node->page && t->node->page->external &&
			page_of(t->node->page->external) == page_of(s->hpa);
	struct spt_reverse_hit hit = {
		.kind = SPT_REVERSE_TABLE,
		.root = t->root,
		.node = t->node,
		.spte = t->parent_spte,
		.index = t->parent_index,
		.level = t->node->level,
		.address = spt_root_address(t->root, t->base),
		.size = table_span(t->node),
	};
	int ret = 0;

	if (t->node->hpa == page_of(s->hpa))
		ret = add_hit(state, &hit);
	if (external && !ret) {
		hit.kind = SPT_REVERSE_EXTERNAL;
		ret = add_hit(state, &hit);
	}
	return ret;
}

/* The entries of a table in which at least one bit pattern matched. */
static int find_leaves(const struct search *s, struct hits *hits, const struct spt_sweep_table *t,
		       unsigned int first, unsigned int end)
{
	struct spt_tree_frame at = { .node = t->node, .index = first, .end = end };
	const struct spt_format *f = &s->model->format;
	int level = t->node->level, ret = 0;
	uint64_t spte;

	while (!ret && spt_tree_step(&at, f->empty, &spte)) {
		uint64_t size = spt_level_size(level);
		struct spt_reverse_hit hit = {
			.kind = SPT_REVERSE_LEAF,
			.root = t->root,
			.node = t->node,
			.spte = spte,
			.index = at.index - 1,
			.level = level,
			.size = size,
		};

		if (spt_entry_type(s->model, t->node, spte) != SPT_SPTE_LEAF ||
		    (spte ^ s->hpa) & f->leaf_addr[level])
			continue;
		hit.address = spt_root_address(t->root, spt_sweep_address(t, hit.index)) +
			      (s->hpa & (size - 1));
		ret = add_hit(hits, &hit);
	}
	return ret;
}

static int see_entries(void *arg, void *state, const struct spt_sweep_table *t, unsigned int first,
		       unsigned int end)
{
	const struct search *s = arg;
	uint64_t mask = s->model->format.leaf_addr[t->node->level] | SPT_SPTE_MMU_PRESENT;
	const uint64_t *from = spt_node_position(t->node, first);
	const uint64_t *to = spt_node_position(t->node, end);

	if (!spt_any_equal(from, to - from, mask, s->hpa | SPT_SPTE_MMU_PRESENT))
		return 0;
	return find_leaves(s, state, t, first, end);
}

static int merge(void *arg, void *state)
{
	struct search *s = arg;
	const struct hits *hits = state;
	int ret = 0;

	for (size_t i = 0; i < hits->count && !ret; i++)
		ret = add_hit(&s->found, &hits->at[i]);
	return ret;
}

static void drop(void *state)
{
	free(((struct hits *)state)->at);
}

/* Tables of the image that the sweep did not come to. */
static int find_detached(struct search *s)
{
	const struct spt_model *m = s->model;
	const struct spt_node *n = spt_node_find(m, page_of(s->hpa));
	int ret = 0;

	for (; n && !ret; n = n->next_same_hpa ? &m->nodes[n->next_same_hpa - 1] : NULL) {
		struct spt_reverse_hit hit = {
			.kind = SPT_REVERSE_DETACHED,
			.node = n,
			.level = n->level,
			.address = n->page ? n->page->gfn << SPT_PAGE_SHIFT : 0,
			.size = table_span(n),
		};
		bool reached = n->raw_kind || n->is_external;

		for (size_t i = 0; i < s->found.count; i++)
			reached |= s->found.at[i].kind == SPT_REVERSE_TABLE &&
				   s->found.at[i].node == n;
		if (!reached)
			ret = add_hit(&s->found, &hit);
	}
	return ret;
}

/* A vCPU has its own three whether they are in use or not. */
static int find_vcpu_roots(struct search *s)
{
	static const struct {
		enum spt_vcpu_value value;
		enum spt_raw_table_kind kind;
	} own[] = {
		{ SPT_VCPU_PAE_ROOT, SPT_RAW_PAE_ROOT },
		{ SPT_VCPU_PML4_ROOT, SPT_RAW_PML4_ROOT },
		{ SPT_VCPU_PML5_ROOT, SPT_RAW_PML5_ROOT },
	};
	const struct spt_model *m = s->model;
	int ret = 0;

	for (uint32_t i = 0; i < m->nr_vcpus && !ret; i++) {
		const struct spt_valueset *values = &m->vcpus[i].values;
		uint64_t hpa, idx = i;

		spt_value(values, SPT_VCPU_IDX, &idx);
		for (size_t k = 0; k < sizeof(own) / sizeof(own[0]) && !ret; k++) {
			struct spt_reverse_hit hit = {
				.kind = SPT_REVERSE_VCPU_ROOT,
				.level = own[k].kind - SPT_RAW_PAE_ROOT + 3,
				.raw_kind = own[k].kind,
				.vcpu = idx,
			};

			if (!spt_value(values, own[k].value, &hpa) || hpa == SPT_NO_HPA || !hpa ||
			    page_of(hpa) != page_of(s->hpa))
				continue;
			hit.node = spt_node_find(m, page_of(hpa));
			hit.size = spt_level_size(hit.level) * SPT_TABLE_ENTRIES;
			ret = add_hit(&s->found, &hit);
		}
	}
	return ret;
}

int spt_reverse_find(const struct spt_sweep *sweep, uint64_t hpa, struct spt_reverse *ret,
		     struct spt_error *err)
{
	static const struct spt_sweep_ops ops = {
		.state_size = sizeof(struct hits),
		.table = see_table,
		.entries = see_entries,
		.merge = merge,
		.drop = drop,
	};
	struct search s = { .model = sweep->model, .hpa = hpa };
	int code = spt_sweep(sweep, &ops, &s, err);

	if (!code && !sweep->root && !sweep->len) {
		code = find_detached(&s);
		if (!code)
			code = find_vcpu_roots(&s);
		if (code)
			spt_fail(err, -code, "%s: out of memory", s.model->image.name);
	}
	ret->hit = s.found.at;
	ret->count = s.found.count;
	return code;
}

void spt_reverse_free(struct spt_reverse *reverse)
{
	free(reverse->hit);
	reverse->hit = NULL;
	reverse->count = 0;
}
