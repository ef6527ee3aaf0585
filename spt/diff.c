// SPDX-License-Identifier: GPL-2.0
/*
 * The run: slots, pairs of roots, then the roots' content cut into units of a
 * gigabyte, which threads compare and the caller's thread hands out in order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spt/diff_attributes.h"
#include "spt/diff_pairs.h"
#include "spt/diff_tables.h"
#include "spt/entry.h"
#include "spt/workers.h"

#define UNIT_LEVEL 3  /* what one of its entries translates */
#define WINDOW	   64 /* units compared between two hand-outs */

struct unit {
	struct spt_diff_region region;
	uint64_t first, last;
};

struct run {
	const struct spt_diff *diff;
	struct spt_diff_rules rules;
	struct spt_diff_pairs pairs;
	struct unit *unit;
	size_t count, room;
	struct spt_diff_list list[WINDOW];
	int (*emit)(void *arg, const struct spt_change *c);
	void *arg;
	struct spt_diff_totals totals;
	struct spt_change open; /* may go on in the next unit */
	bool have_open;
};

const char *spt_change_name(enum spt_change_kind kind)
{
	static const char *const names[] = {
#define C(id, name) [SPT_CHANGE_##id] = #name,
		SPT_CHANGES(C)
#undef C
	};

	return names[kind];
}

static int flush(struct run *run)
{
	if (!run->have_open)
		return 0;
	run->have_open = false;
	run->totals.changes++;
	return run->emit(run->arg, &run->open);
}

static int give(struct run *run, const struct spt_change *c)
{
	int ret;

	if (run->have_open && spt_diff_merge(&run->rules, &run->open, c))
		return 0;
	ret = flush(run);
	run->open = *c;
	run->have_open = true;
	return ret;
}

static int add_unit(struct run *run, const struct spt_diff_region *region, uint64_t first,
		    uint64_t last)
{
	if (run->count == run->room) {
		size_t room = run->room * 2 + 256;
		struct unit *more = realloc(run->unit, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		run->unit = more;
		run->room = room;
	}
	run->unit[run->count++] = (struct unit){ *region, first, last };
	return 0;
}

static int cut(struct run *run, const struct spt_diff_region *region, uint64_t first, uint64_t last)
{
	if (region->level <= UNIT_LEVEL || (!region->side[0].node && !region->side[1].node) ||
	    region->side[0].unknown || region->side[1].unknown)
		return add_unit(run, region, first, last);
	for (unsigned int i = 0; i < SPT_TABLE_ENTRIES; i++) {
		struct spt_diff_region part;
		int ret;

		if (!spt_diff_part(&run->rules, region, i, first, last, &part))
			continue;
		ret = cut(run, &part, first, last);
		if (ret)
			return ret;
	}
	return 0;
}

/* A root that only one image has is compared with nothing. */
static struct spt_diff_side root_side(const struct spt_root_ref *root)
{
	return (struct spt_diff_side){
		.node = root ? root->node : NULL,
		.mapped.hpa = SPT_NO_HPA,
		.unknown = root && !root->node,
	};
}

/* The part of the range that both images speak of, as this pair's tables count. */
static bool pair_range(const struct run *run, const struct spt_diff_pair *pair, uint64_t *first,
		       uint64_t *last)
{
	uint64_t end = run->diff->len ? run->diff->start + run->diff->len - 1 : ~0ULL;

	*first = 0;
	*last = ~0ULL;
	for (int i = 0; i < 2; i++) {
		const struct spt_root_ref *root = pair->root[i] ? pair->root[i] : pair->root[!i];
		uint64_t a, b;

		if (!spt_root_range(run->rules.model[i], root,
				    run->diff->len ? run->diff->start : 0, end, &a, &b))
			return false;
		*first = a > *first ? a : *first;
		*last = b < *last ? b : *last;
	}
	return *first <= *last;
}

static int cut_pair(struct run *run, const struct spt_diff_pair *pair)
{
	const struct spt_root_ref *root = pair->root[0] ? pair->root[0] : pair->root[1];
	struct spt_diff_region region = {
		.root = { pair->root[0], pair->root[1] },
		.side = { root_side(pair->root[0]), root_side(pair->root[1]) },
		.base = root->node ? spt_root_base(root) : 0,
		.level = root->level + 1,
	};
	uint64_t first, last;

	if (!pair_range(run, pair, &first, &last))
		return 0;
	return cut(run, &region, first, last);
}

static int compare_unit(void *arg, uint64_t nr, unsigned int thread)
{
	struct run *run = arg;
	const struct unit *unit = &run->unit[nr];

	return spt_diff_compare(&run->rules, &unit->region, unit->first, unit->last,
				&run->list[nr % WINDOW]);
}

/* Hand out a window's changes in order, and empty it. */
static int give_window(struct run *run, size_t first, size_t end)
{
	int ret = 0;

	for (size_t i = first; i < end; i++) {
		struct spt_diff_list *list = &run->list[i % WINDOW];

		for (size_t k = 0; !ret && k < list->count; k++)
			ret = give(run, &list->change[k]);
		run->totals.unknown += list->unknown;
		list->count = 0;
		list->unknown = 0;
	}
	return ret;
}

static int compare_units(struct run *run, struct spt_error *err)
{
	struct spt_workers workers = {
		.threads = run->diff->threads,
		.job = compare_unit,
		.arg = run,
	};

	for (size_t first = 0; first < run->count; first += WINDOW) {
		size_t end = first + WINDOW < run->count ? first + WINDOW : run->count;
		int ret = spt_workers_run(&workers, first, end);

		if (ret)
			return ret;
		ret = give_window(run, first, end);
		if (!ret && run->diff->progress &&
		    run->diff->progress(run->diff->progress_arg, end, run->count))
			ret = spt_fail(err, EINTR, "interrupted");
		if (ret)
			return ret;
	}
	return flush(run);
}

static void run_deinit(struct run *run)
{
	for (int i = 0; i < WINDOW; i++)
		free(run->list[i].change);
	spt_diff_pairs_deinit(&run->pairs);
	free(run->unit);
}

static int run_all(struct run *run, struct spt_error *err)
{
	int ret = spt_diff_slots(run->diff, run->emit, run->arg, &run->totals.changes);

	if (!ret && run->rules.conversions)
		ret = spt_diff_attributes(run->diff, run->emit, run->arg, &run->totals.changes);
	if (!ret)
		ret = spt_diff_pairs_find(&run->pairs, run->diff);
	for (size_t i = 0; !ret && i < run->pairs.count; i++)
		if (spt_diff_pair_changed(&run->pairs.pair[i])) {
			struct spt_change c = {
				.kind = SPT_CHANGE_ROOT,
				.root_before = run->pairs.pair[i].root[0],
				.root_after = run->pairs.pair[i].root[1],
			};

			ret = give(run, &c);
		}
	if (!ret)
		ret = flush(run);
	for (size_t i = 0; !ret && i < run->pairs.count; i++)
		ret = cut_pair(run, &run->pairs.pair[i]);
	return ret ? ret : compare_units(run, err);
}

int spt_diff_run(const struct spt_diff *diff, int (*emit)(void *arg, const struct spt_change *c),
		 void *arg, struct spt_diff_totals *totals, struct spt_error *err)
{
	struct run *run = calloc(1, sizeof(*run));
	int ret;

	if (!run)
		return spt_fail(err, ENOMEM, "out of memory");
	run->diff = diff;
	run->emit = emit;
	run->arg = arg;
	spt_diff_rules_init(&run->rules, diff);
	ret = run_all(run, err);
	if (totals)
		*totals = run->totals;
	run_deinit(run);
	free(run);
	return ret == -ENOMEM ? spt_fail(err, ENOMEM, "out of memory for the changes") : ret;
}

bool spt_diff_strange(const struct spt_model *before, const struct spt_model *after, char *text,
		      size_t size)
{
	const struct spt_head *a = &before->image.head, *b = &after->image.head;

	text[0] = 0;
	if (strcmp(a->id, b->id) || strcmp(a->comm, b->comm))
		snprintf(text, size, "two VMs: %s (%s) and %s (%s)", a->id, a->comm, b->id,
			 b->comm);
	else if (strcmp(a->release, b->release))
		snprintf(text, size, "two kernels: %s and %s", a->release, b->release);
	if (a->mmu != b->mmu)
		snprintf(text, size, "two kinds of MMU: %s and %s", spt_model_mmu(before),
			 spt_model_mmu(after));
	return text[0];
}
