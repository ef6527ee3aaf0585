// SPDX-License-Identifier: GPL-2.0
/*
 * Where each table hangs, whatever it says of itself: one table with a wrong gfn is
 * one finding, and not one for each thing below it.
 */
#include <errno.h>
#include <stdlib.h>

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

/* A second entry that leads to @child, or one that leads nowhere. */
static int remember(struct audit *a, const struct audit_link *link)
{
	if (a->nr_links == a->links_room) {
		size_t room = a->links_room ? a->links_room * 2 : 64;
		struct audit_link *more = realloc(a->links, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		a->links = more;
		a->links_room = room;
	}
	a->links[a->nr_links++] = *link;
	return 0;
}

/* A table's children: images hold them in the order in which they hang, so the next is tried first.
 */
static int place_children(struct audit *a, const struct spt_node *node)
{
	struct spt_tree_frame at = { .node = node, .end = SPT_TABLE_ENTRIES };
	const struct spt_node *end = a->m->nodes + a->m->nr_nodes, *guess = node + 1;
	uint64_t pages = spt_level_pages(node->level);
	struct audit_link link = { .node = node };
	int ret = 0;

	while (!ret && spt_tree_step(&at, a->f->empty, &link.spte)) {
		uint64_t hpa = spt_spte_table_hpa(a->f, link.spte);
		size_t nr;

		if (!audit_is_link(link.spte, node->level))
			continue;
		link.index = at.index - 1;
		if (guess < end && guess->hpa == hpa && guess->page && !guess->shared_hpa)
			link.child = guess;
		else
			link.child = audit_child(a, node, hpa);
		if (link.child)
			guess = link.child + 1;
		nr = link.child ? link.child - a->m->nodes : 0;
		if (!link.child || a->parent[nr]) {
			ret = remember(a, &link);
			if (link.child)
				a->linked[nr] |= AUDIT_LINKED2;
			continue;
		}
		a->linked[nr] |= AUDIT_LINKED;
		a->parent[nr] = node - a->m->nodes + 1;
		a->parent_index[nr] = link.index;
		if (node->direct)
			a->base[nr] = (audit_base(a, node) + link.index * pages) &
				      ~(a->m->gpa_bits >> SPT_PAGE_SHIFT);
	}
	return ret;
}

static int find_upper(struct audit *a)
{
	const struct spt_model *m = a->m;
	uint32_t first[SPT_MAX_LEVEL + 2] = { 0 };

	/* first[l]: where level l begins, behind all higher ones. */
	for (uint32_t i = 0; i < m->nr_nodes; i++)
		if (m->nodes[i].page && m->nodes[i].level > 1)
			first[m->nodes[i].level - 1]++;
	for (int level = SPT_MAX_LEVEL; level > 0; level--)
		first[level] += first[level + 1];
	a->nr_upper = first[1];
	a->upper = calloc(a->nr_upper + 1, sizeof(*a->upper));
	if (!a->upper)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->nr_nodes; i++)
		if (m->nodes[i].page && m->nodes[i].level > 1)
			a->upper[first[m->nodes[i].level]++] = i;
	return 0;
}

/* From the highest level down, so that a table's place is known before its children's. */
int audit_places(struct audit *a)
{
	const struct spt_model *m = a->m;
	int ret = find_upper(a);

	for (uint32_t i = 0; i < m->nr_nodes && !ret; i++) {
		a->base[i] = UNPLACED;
		if (m->nodes[i].next_same_hpa && spt_node_find(m, m->nodes[i].hpa) == &m->nodes[i])
			mark_again(a, &m->nodes[i]);
	}
	for (uint32_t i = 0; i < m->nr_roots && !ret; i++)
		if (m->roots[i].node && m->roots[i].node->page)
			a->base[m->roots[i].node - m->nodes] = m->roots[i].node->page->gfn;
	for (uint32_t i = 0; i < a->nr_upper && !ret; i++) {
		const struct spt_node *node = &m->nodes[a->upper[i]];

		if (audit_base(a, node) == UNPLACED)
			a->base[a->upper[i]] = node->page->gfn;
		if (!(a->linked[a->upper[i]] & AUDIT_AGAIN))
			ret = place_children(a, node);
	}
	for (uint32_t i = 0; i < m->nr_nodes && !ret; i++)
		if (a->base[i] == UNPLACED)
			a->base[i] = m->nodes[i].page ? m->nodes[i].page->gfn : 0;
	return ret;
}
