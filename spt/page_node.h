/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The NUMA node that a page of a guest is on: of a live VM by its frames, of an image by
 * what the host mapped for it when it was saved.
 */
#ifndef SPT_PAGE_NODE_H
#define SPT_PAGE_NODE_H

#include "spt/model.h"
#include "spt/numa.h"

#define SPT_NO_NODE (-1) /* not known */

/* Who knows nodes. */
struct spt_nodes {
	const struct spt_model *model;
	const struct spt_numa *numa; /* of the host whose VM it is; NULL: an image */
};

/* Some mapped memory. */
struct spt_frames {
	const struct spt_memslot *slot; /* that has it; NULL: none, an image knows no node then */
	uint64_t gpa;			/* in @slot */
	uint64_t hpa, size;		/* bytes, whole 4K pages, contiguous */
};

/* Node of the host's run, or SPT_NO_NODE. */
static inline int spt_host_run_node(const struct spt_host_run *run)
{
	return (int)(run->flags >> SPT_HOST_RUN_NODE_SHIFT & 0xffff) - 1;
}

/* Node of the first page; *@len is how many bytes from there on are of it (or of none known). */
int spt_node_until(const struct spt_nodes *nodes, const struct spt_frames *frames, uint64_t *len);

/* Node of all of them; SPT_NO_NODE also where there are several. */
int spt_node_of(const struct spt_nodes *nodes, const struct spt_frames *frames);

#endif
