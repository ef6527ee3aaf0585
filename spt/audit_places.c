// SPDX-License-Identifier: GPL-2.0
/*
 * Where each table hangs, whatever it says of itself: one table with a wrong gfn is
 * one finding, and not one for each thing below it.
 */
#include "spt/audit_engine.h"
#include "spt/tree.h"

#define UNPLACED (~0ULL)

const struct spt_node *audit_child(const struct audit *a, const struct spt_node *node, uint64_t hpa)
{
	const struct spt_node *first = spt_node_find(a->m, hpa);

	for (const struct spt_node *n = first; n;
	     n = n->next_same_hpa ? &a->m->nodes[n->next_same_hpa - 1] : NULL)
		if (n->page && n->level == node->level - 1 && n->root_sp == node->root_sp)
			return n;
	return first && first->page ? first : NULL;
}

/* Of tables with one address those after the first, where they are one and the same. */
static void mark_again(struct audit *a, const struct spt_node *first)
{
	const struct spt_node *n = first;

	while (n->next_same_hpa) {
		n = &a->m->nodes[n->next_same_hpa - 1];
		if (first->page && n->page && n->page->sp == first->page->sp)
			a->linked[n - a->m->nodes] |= AUDIT_AGAIN;
	}
}

static void place_children(struct audit *a, const struct spt_node *node)
{
	struct spt_tree_frame at = { .node = node, .end = SPT_TABLE_ENTRIES };
	uint64_t pages = spt_level_pages(node->level), spte;

	while (spt_tree_step(&at, a->f->empty, &spte)) {
		const struct spt_node *child;
		uint64_t *base;

		if (!audit_is_link(spte, node->level))
			continue;
		child = audit_child(a, node, spt_spte_table_hpa(a->f, spte));
		base = child ? &a->base[child - a->m->nodes] : NULL;
		if (base && *base == UNPLACED)
			*base = (audit_base(a, node) + (at.index - 1) * pages) &
				~(a->m->gpa_bits >> SPT_PAGE_SHIFT);
	}
}

/* From the highest level down, so that a table's place is known before its children's. */
void audit_places(struct audit *a)
{
	const struct spt_model *m = a->m;

	for (int level = SPT_MAX_LEVEL; level > 1; level--)
		for (uint32_t i = 0; i < m->nr_nodes; i++)
			if (m->nodes[i].level == level && m->nodes[i].page)
				a->upper[a->nr_upper++] = i;
	for (uint32_t i = 0; i < m->nr_nodes; i++) {
		const struct spt_root_ref *root = NULL;

		if (m->nodes[i].next_same_hpa && spt_node_find(m, m->nodes[i].hpa) == &m->nodes[i])
			mark_again(a, &m->nodes[i]);
		a->base[i] = UNPLACED;
		if (m->nodes[i].page && m->nodes[i].page->root_count)
			root = audit_root(a, &m->nodes[i]);
		if (root && root->node == &m->nodes[i])
			a->base[i] = m->nodes[i].page->gfn;
	}
	for (uint32_t i = 0; i < a->nr_upper; i++) {
		const struct spt_node *node = &m->nodes[a->upper[i]];

		if (audit_base(a, node) == UNPLACED)
			a->base[a->upper[i]] = node->page->gfn;
		if (node->direct)
			place_children(a, node);
	}
	for (uint32_t i = 0; i < m->nr_nodes; i++)
		if (a->base[i] == UNPLACED)
			a->base[i] = m->nodes[i].page ? m->nodes[i].page->gfn : 0;
}
