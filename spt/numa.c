// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/zoneinfo: for each zone "Node N, zone NAME", among its lines "spanned PAGES"
 * and "start_pfn: PFN" (mm/vmstat.c: zoneinfo_show_print()).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spt/numa.h"

#define PAGE_SHIFT 12

static int add_span(struct spt_numa *n, int node, uint64_t start, uint64_t pages)
{
	struct spt_numa_span *more;

	if (!pages || node < 0 || node >= SPT_NUMA_NODES)
		return 0;
	more = realloc(n->span, (n->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	n->span = more;
	n->span[n->count++] =
		(struct spt_numa_span){ start << PAGE_SHIFT, (start + pages) << PAGE_SHIFT, node };
	return 0;
}

static int by_first(const void *a, const void *b)
{
	const struct spt_numa_span *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* Neighbours of one node as one span. */
static void join(struct spt_numa *n)
{
	size_t kept = 0;

	if (!n->count)
		return;
	qsort(n->span, n->count, sizeof(*n->span), by_first);
	for (size_t i = 1; i < n->count; i++) {
		struct spt_numa_span *last = &n->span[kept], *next = &n->span[i];

		n->overlap |= next->first < last->end && next->node != last->node;
		if (next->node != last->node) {
			n->span[++kept] = *next;
			continue;
		}
		if (next->end > last->end)
			last->end = next->end;
	}
	n->count = kept + 1;
}

int spt_numa_read(const char *path, struct spt_numa *ret)
{
	FILE *f = fopen(path ? path : "/proc/zoneinfo", "re");
	uint64_t spanned = 0, start;
	int node = -1, code = 0;
	char line[256];

	memset(ret, 0, sizeof(*ret));
	if (!f)
		return -errno;
	while (!code && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Node %d, zone", &node) == 1)
			spanned = 0;
		else if (sscanf(line, " spanned %" SCNu64, &spanned) == 1)
			continue;
		else if (sscanf(line, " start_pfn: %" SCNu64, &start) == 1)
			code = add_span(ret, node, start, spanned);
	}
	fclose(f);
	if (code)
		spt_numa_free(ret);
	join(ret);
	return code;
}

void spt_numa_free(struct spt_numa *numa)
{
	free(numa->span);
	memset(numa, 0, sizeof(*numa));
}

int spt_numa_node(const struct spt_numa *numa, uint64_t first, uint64_t last)
{
	for (size_t i = 0; i < numa->count && !numa->overlap; i++)
		if (first >= numa->span[i].first && last < numa->span[i].end)
			return numa->span[i].node;
	return -1;
}
