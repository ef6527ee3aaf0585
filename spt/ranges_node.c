// SPDX-License-Identifier: GPL-2.0
#include "spt/ranges_node.h"

#include "spt/ranges_rule.h"

static struct spt_frames frames_of(const struct spt_range *r)
{
	/* Of other addresses than GPAs only the frames are known. */
	return (struct spt_frames){
		.slot = spt_root_maps_gpa(r->root) ? r->slot : NULL,
		.gpa = r->gpa,
		.hpa = r->hpa,
		.size = r->size,
	};
}

int spt_range_node(const struct spt_nodes *nodes, const struct spt_range *r)
{
	struct spt_frames frames = frames_of(r);

	if (r->type != SPT_SPTE_LEAF || !r->hpa_contiguous)
		return SPT_NO_NODE;
	return spt_node_of(nodes, &frames);
}

void spt_node_ranges_begin(struct spt_node_ranges *n, const struct spt_nodes *nodes,
			   const struct spt_root_ref *root, uint64_t start, uint64_t len,
			   unsigned int splits)
{
	splits = splits ? splits : SPT_SPLIT_DEFAULT;
	*n = (struct spt_node_ranges){ .nodes = *nodes };
	spt_ranges_begin(&n->ranges, nodes->model, root, start, len,
			 splits | SPT_SPLIT_HPA | SPT_SPLIT_SLOT | SPT_SPLIT_TYPE |
				 SPT_SPLIT_LEVEL);
	spt_ranges_begin(&n->rule, nodes->model, root, start, len, splits);
}

/* The first piece of what is left, of one node, in whole pages. */
static int cut(struct spt_node_ranges *n, struct spt_range *piece)
{
	struct spt_range *rest = &n->rest;
	uint64_t addr = n->nodes.model->format.leaf_addr[rest->level], len;
	struct spt_frames frames = frames_of(rest);
	int node;

	*piece = *rest;
	n->have_rest = false;
	if (rest->type != SPT_SPTE_LEAF)
		return SPT_NO_NODE;
	node = spt_node_until(&n->nodes, &frames, &len);
	len &= ~(rest->page_size - 1);
	if (!len) { /* a page of several */
		node = SPT_NO_NODE;
		len = rest->page_size;
	}
	if (len >= rest->size)
		return node;
	piece->size = len;
	piece->pages = len / rest->page_size;
	piece->hpa_end = rest->hpa + len;
	piece->last_spte = (rest->first_spte & ~addr) | (piece->hpa_end - rest->page_size);
	rest->gpa += len;
	rest->size -= len;
	rest->pages -= piece->pages;
	rest->hpa += len;
	rest->first_spte = (rest->first_spte & ~addr) | rest->hpa;
	n->have_rest = true;
	return node;
}

static bool next_piece(struct spt_node_ranges *n, struct spt_range *piece, int *node)
{
	if (!n->have_rest && !spt_ranges_next(&n->ranges, &n->rest))
		return false;
	*node = cut(n, piece);
	return true;
}

/* A piece as if it were one entry: its first. */
static struct spt_entry first_entry(const struct spt_range *r)
{
	return (struct spt_entry){
		.root = r->root,
		.node = r->node,
		.spte = r->first_spte,
		.gpa = r->gpa,
		.size = r->page_size,
		.hpa = r->hpa,
		.level = r->level,
		.type = r->type,
	};
}

/* What followed the open range, and belongs to it, becomes part of it. */
static void take_in(struct spt_ranges *rule, const struct spt_range *r)
{
	struct spt_entry e = first_entry(r);
	struct spt_range *o = &rule->open;

	spt_range_grow(rule, &e);
	o->size += r->size - e.size;
	o->pages += r->pages - 1;
	o->hpa_end = r->hpa_end;
	o->last_spte = r->last_spte;
	o->hpa_contiguous &= r->hpa_contiguous;
	o->mixed_perm |= r->mixed_perm;
	o->mixed_level |= r->mixed_level;
	o->mixed_dirty |= r->mixed_dirty;
	o->mixed_accessed |= r->mixed_accessed;
}

bool spt_node_ranges_next(struct spt_node_ranges *n, struct spt_node_range *ret)
{
	struct spt_ranges *rule = &n->rule;
	struct spt_range piece;
	int node;

	while (next_piece(n, &piece, &node)) {
		struct spt_entry e = first_entry(&piece);
		bool done = false;

		if (rule->have_open && node == n->node &&
		    spt_range_continues(rule, &e, piece.slot)) {
			take_in(rule, &piece);
			continue;
		}
		done = rule->have_open;
		if (done)
			*ret = (struct spt_node_range){ rule->open, n->node };
		rule->open = piece;
		rule->have_open = true;
		n->node = node;
		if (done)
			return true;
	}
	if (!rule->have_open)
		return false;
	*ret = (struct spt_node_range){ rule->open, n->node };
	rule->have_open = false;
	return true;
}
