/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ranges that NUMA nodes keep apart, too. A node is no bit of an entry but where its page is, so
 * these are made from ranges that are contiguous in host memory: cut where the node changes, and
 * put together again where nothing else keeps them apart.
 */
#ifndef SPT_RANGES_NODE_H
#define SPT_RANGES_NODE_H

#include "spt/page_node.h"
#include "spt/ranges.h"

struct spt_node_range {
	struct spt_range range;
	int node; /* of all its pages; SPT_NO_NODE: not known, or of something that maps nothing */
};

struct spt_node_ranges {
	struct spt_nodes nodes;
	struct spt_ranges ranges; /* contiguous ones */
	struct spt_ranges rule;	  /* what was asked for; its open range is the one that grows */
	struct spt_range rest;	  /* of a contiguous one, yet to be cut */
	bool have_rest;
	int node; /* of the open one */
};

/* As spt_ranges_begin(); nodes keep neighbours apart whatever @splits says. */
void spt_node_ranges_begin(struct spt_node_ranges *ranges, const struct spt_nodes *nodes,
			   const struct spt_root_ref *root, uint64_t start, uint64_t len,
			   unsigned int splits);

/* The next one into *@ret; false at the end. */
bool spt_node_ranges_next(struct spt_node_ranges *ranges, struct spt_node_range *ret);

/* Node of a range that spt_ranges_next() gave; SPT_NO_NODE where it is not contiguous. */
int spt_range_node(const struct spt_nodes *nodes, const struct spt_range *range);

#endif
