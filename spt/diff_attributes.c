// SPDX-License-Identifier: GPL-2.0
/* Runs of attributes of both images side by side, each looked at once. */
#include "spt/diff_attributes.h"
#include "spt/verdict.h"

#define NO_GFN (~0ULL)

/* A place in the runs of an image, which are in ascending order. */
struct place {
	const struct spt_model *model;
	uint32_t record, run;
};

const char *spt_conversion_name(enum spt_conversion conversion)
{
	static const char *const names[] = {
		[SPT_NOT_CONVERTED] = NULL,
		[SPT_CONVERTED_TO_SHARED] = "to-shared",
		[SPT_CONVERTED_TO_PRIVATE] = "to-private",
	};

	return names[conversion];
}

static bool knows_attributes(const struct spt_model *m)
{
	return m->image.head.req_parts & SPT_PART_ATTRS && !m->no_attrs;
}

bool spt_diff_knows_attributes(const struct spt_diff *diff)
{
	return knows_attributes(diff->before) && knows_attributes(diff->after);
}

static enum spt_conversion conversion_of(uint64_t before, uint64_t after)
{
	if (!((before ^ after) & SPT_ATTR_PRIVATE))
		return SPT_NOT_CONVERTED;
	return after & SPT_ATTR_PRIVATE ? SPT_CONVERTED_TO_PRIVATE : SPT_CONVERTED_TO_SHARED;
}

enum spt_conversion spt_diff_conversion(const struct spt_model *const models[2], uint64_t gfn)
{
	uint64_t before, after;

	spt_model_attrs(models[0], gfn, &before);
	spt_model_attrs(models[1], gfn, &after);
	return conversion_of(before, after);
}

/* The value at @gfn, and in *@end the first frame behind it that may have another. */
static uint64_t value_from(struct place *at, uint64_t gfn, uint64_t *end)
{
	const struct spt_model *m = at->model;

	for (; at->record < m->nr_attrs; at->record++, at->run = 0) {
		const struct spt_runs *runs = m->attrs[at->record];

		for (; at->run < runs->count; at->run++) {
			const struct spt_run *run = &runs->run[at->run];

			if (run->gfn + run->npages <= gfn)
				continue;
			*end = run->gfn > gfn ? run->gfn : run->gfn + run->npages;
			return run->gfn > gfn ? 0 : run->value;
		}
	}
	*end = NO_GFN;
	return 0;
}

static int give(const struct spt_diff *diff, const struct spt_change *open,
		int (*emit)(void *arg, const struct spt_change *c), void *arg, uint64_t *count)
{
	struct spt_change c = *open;
	uint64_t gfn = c.gpa >> SPT_PAGE_SHIFT;

	if (!c.conversion)
		return 0;
	c.kind = SPT_CHANGE_SLOT;
	c.slot_before = spt_memslot_find(&diff->before->memslots, 0, gfn);
	c.slot_after = spt_memslot_find(&diff->after->memslots, 0, gfn);
	(*count)++;
	return emit(arg, &c);
}

/* Frames that both images and the request speak of; false: none. */
static bool frames_wanted(const struct spt_diff *diff, uint64_t *first, uint64_t *last)
{
	const struct spt_head *heads[] = { &diff->before->image.head, &diff->after->image.head };

	*first = diff->len ? diff->start >> SPT_PAGE_SHIFT : 0;
	*last = diff->len ? (diff->start + (diff->len - 1)) >> SPT_PAGE_SHIFT : NO_GFN - 1;
	for (int i = 0; i < 2; i++) {
		uint64_t start = heads[i]->req_start >> SPT_PAGE_SHIFT;
		uint64_t end = (heads[i]->req_start + (heads[i]->req_len - 1)) >> SPT_PAGE_SHIFT;

		if (!heads[i]->req_len)
			continue;
		*first = start > *first ? start : *first;
		*last = end < *last ? end : *last;
	}
	return *first <= *last;
}

int spt_diff_attributes(const struct spt_diff *diff,
			int (*emit)(void *arg, const struct spt_change *c), void *arg,
			uint64_t *count)
{
	struct place a = { .model = diff->before }, b = { .model = diff->after };
	struct spt_change open = { 0 };
	uint64_t gfn, last;
	int ret = 0;

	if (!frames_wanted(diff, &gfn, &last))
		return 0;
	while (!ret && gfn <= last) {
		uint64_t end_a, end_b, end, before = value_from(&a, gfn, &end_a);
		enum spt_conversion conversion = conversion_of(before, value_from(&b, gfn, &end_b));

		end = end_a < end_b ? end_a : end_b;
		if (end > last + 1)
			end = last + 1;
		if (conversion != open.conversion) {
			ret = give(diff, &open, emit, arg, count);
			open = (struct spt_change){ .conversion = conversion,
						    .gpa = gfn << SPT_PAGE_SHIFT };
		}
		open.size += (end - gfn) << SPT_PAGE_SHIFT;
		gfn = end;
	}
	return ret ? ret : give(diff, &open, emit, arg, count);
}
