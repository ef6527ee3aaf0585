// SPDX-License-Identifier: GPL-2.0
#include "tests/fuzz/queries.h"

#include "spt/audit.h"
#include "spt/diff.h"
#include "spt/events.h"
#include "spt/registers.h"
#include "spt/reverse.h"
#include "spt/halves.h"
#include "spt/stats.h"
#include "spt/walk_hpa.h"
#include "spt/why.h"

/* A small image can describe a tree for hours: it is left after so many looks. */
#define MAX_LOOKS 8

static const uint64_t addresses[] = { 0, 0x3000, 0x200000, 0x40000000, 0x7f0000003000, ~0ULL };
#define ADDRESSES (sizeof(addresses) / sizeof(addresses[0]))

static int enough(void *arg, uint64_t done, uint64_t total)
{
	unsigned int *looks = arg;

	return ++*looks > MAX_LOOKS;
}

static int ignore(void *arg, const struct spt_change *change)
{
	return 0;
}

static void count(const struct spt_model *model)
{
	unsigned int looks = 0;
	struct spt_sweep sweep = {
		.model = model, .threads = 1, .progress = enough, .progress_arg = &looks
	};
	struct spt_error err = { 0 };
	struct spt_stats stats;

	struct spt_half_count halves[2];

	if (!spt_stats_count(&sweep, NULL, &stats, &err)) {
		spt_halves_count(&sweep, &stats, halves);
		spt_stats_free(&stats);
	}
}

static void look_back(const struct spt_model *model)
{
	for (size_t i = 0; i < ADDRESSES; i++) {
		unsigned int looks = 0;
		struct spt_sweep sweep = {
			.model = model, .threads = 1, .progress = enough, .progress_arg = &looks
		};
		struct spt_error err = { 0 };
		struct spt_reverse reverse;
		uint64_t gpas[4];

		if (spt_reverse_find(&sweep, addresses[i], &reverse, &err))
			continue;
		spt_reverse_gpas(model, &reverse, addresses[i], gpas, 4);
		for (size_t hit = 0; hit < reverse.count; hit++) {
			struct spt_entry entry;

			spt_reverse_parent(model, &reverse.hit[hit], &entry);
		}
		spt_reverse_free(&reverse);
	}
}

static void compare(const struct spt_model *model)
{
	unsigned int looks = 0;
	struct spt_diff diff = { .before = model,
				 .after = model,
				 .flags = SPT_DIFF_BITS | SPT_DIFF_ALL,
				 .threads = 1,
				 .progress = enough,
				 .progress_arg = &looks };
	struct spt_diff_totals totals;
	struct spt_error err = { 0 };
	char text[160];

	spt_diff_run(&diff, ignore, NULL, &totals, &err);
	spt_diff_strange(model, model, text, sizeof(text));
}

static void audit(const struct spt_model *model)
{
	unsigned int looks = 0;
	struct spt_audit_request request = { .threads = 1,
					     .progress = enough,
					     .progress_arg = &looks };
	struct spt_error err = { 0 };
	struct spt_audit result;

	spt_audit_model(&result, model, &request, &err);
	spt_audit_free(&result);
}

struct recording {
	const struct spt_model *model;
	struct spt_events_summary summary;
};

static int look_at_event(void *arg, const struct spt_event *event)
{
	struct recording *r = arg;
	char text[SPT_EVENT_TEXT];

	spt_event_text(r->model, event, text);
	return spt_summary_add(&r->summary, r->model, event);
}

static void replay(const struct spt_model *model)
{
	struct recording r = { .model = model };
	struct spt_trace trace;

	if (!spt_events_trace(&model->image, &trace) || spt_summary_init(&r.summary))
		return;
	spt_events_each(&model->image, look_at_event, &r, NULL);
	spt_summary_finish(&r.summary);
	for (size_t i = 0; i < r.summary.nr_pages; i++)
		spt_events_storm(&r.summary.pages[i]);
	spt_summary_deinit(&r.summary);
}

static void registers(const struct spt_model *model)
{
	struct spt_registers regs;
	uint64_t rip;

	for (uint32_t i = 0; i < model->nr_vcpus; i++) {
		spt_registers_of(model, i, &regs);
		spt_registers_code_bits(&regs);
		spt_registers_linear_rip(&regs, &rip);
		spt_regs_source_name(regs.source);
	}
}

void fuzz_queries(const struct spt_model *model)
{
	static struct spt_why why;

	for (size_t i = 0; i < ADDRESSES; i++)
		spt_why_gpa(model, addresses[i], &why);
	count(model);
	look_back(model);
	compare(model);
	audit(model);
	replay(model);
	registers(model);
}
