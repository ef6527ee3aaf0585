// SPDX-License-Identifier: GPL-2.0
#include "spt/page_node.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Spans are ascending; between them is no memory that the kernel has a node for. */
static int by_frame(const struct spt_numa *numa, uint64_t hpa, uint64_t size, uint64_t *len)
{
	*len = size;
	for (size_t i = 0; i < numa->count && !numa->overlap; i++) {
		const struct spt_numa_span *span = &numa->span[i];

		if (hpa < span->first) {
			*len = smaller(size, span->first - hpa);
			return SPT_NO_NODE;
		}
		if (hpa < span->end) {
			*len = smaller(size, span->end - hpa);
			return span->node;
		}
	}
	return SPT_NO_NODE;
}

/* One run, if it speaks of these very frames; what the host has mapped since does not count. */
static int by_run(const struct spt_nodes *nodes, const struct spt_frames *f, uint64_t *len)
{
	uint64_t gfn = f->gpa >> SPT_PAGE_SHIFT, at, next;
	const struct spt_host_run *run;

	*len = f->size;
	run = f->slot ? spt_memslot_host_run_from(&nodes->model->memslots, f->slot, gfn) : NULL;
	if (!run)
		return SPT_NO_NODE;
	next = (run->gfn > gfn ? run->gfn : run->gfn + run->npages) - gfn;
	*len = smaller(f->size, next << SPT_PAGE_SHIFT);
	at = run->hpa + ((gfn - run->gfn) << SPT_PAGE_SHIFT);
	if (run->gfn > gfn || run->hpa == SPT_NO_HPA || at != f->hpa)
		return SPT_NO_NODE;
	return spt_host_run_node(run);
}

int spt_node_until(const struct spt_nodes *nodes, const struct spt_frames *frames, uint64_t *len)
{
	struct spt_frames rest = *frames;
	uint64_t some;
	int node;

	if (nodes->numa)
		return by_frame(nodes->numa, frames->hpa, frames->size, len);
	node = by_run(nodes, &rest, len);
	/* Runs end also where other things change than the node. */
	while (*len < frames->size) {
		rest.gpa = frames->gpa + *len;
		rest.hpa = frames->hpa + *len;
		rest.size = frames->size - *len;
		if (by_run(nodes, &rest, &some) != node)
			break;
		*len += some;
	}
	return node;
}

int spt_node_of(const struct spt_nodes *nodes, const struct spt_frames *frames)
{
	uint64_t len;
	int node = spt_node_until(nodes, frames, &len);

	return len == frames->size ? node : SPT_NO_NODE;
}
