/* SPDX-License-Identifier: GPL-2.0 */
/* Which NUMA node of this host a frame belongs to, from the kernel's own list of zones. */
#ifndef SPT_NUMA_H
#define SPT_NUMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPT_NUMA_NODES 1024 /* MAX_NUMNODES of x86 */

/* Frames of one zone; zones of one node may follow one another. */
struct spt_numa_span {
	uint64_t first, end; /* bytes of host-physical memory */
	int node;
};

struct spt_numa {
	struct spt_numa_span *span; /* ascending by 'first' */
	size_t count;
	bool overlap; /* spans of different nodes do: which node it is cannot be said there */
};

/*
 * Read @path (NULL: /proc/zoneinfo). Returns 0, -ENOMEM or what open() said; @ret
 * then is empty. spt_numa_free() in any case.
 */
int spt_numa_read(const char *path, struct spt_numa *ret);
void spt_numa_free(struct spt_numa *numa);

/* The node of all of @first .. @last, or -1: in none, in several, or it cannot be said. */
int spt_numa_node(const struct spt_numa *numa, uint64_t first, uint64_t last);

#endif
