// SPDX-License-Identifier: GPL-2.0
#include "spt/ranges.h"
#include "tests/bench/scale/scale.h"

/* As they are listed, one after the other. */
static int run(struct scale_image *image, struct spt_error *err)
{
	struct spt_ranges ranges;
	struct spt_range range;

	spt_ranges_begin(&ranges, &image->model, NULL, 0, 0, 0);
	while (spt_ranges_next(&ranges, &range))
		;
	return 0;
}

const struct scale_figure scale_ranges = { "ranges", "ranges of everything", 1, false, run };

static int count(struct scale_image *image, struct spt_error *err)
{
	struct spt_sweep sweep = { .model = &image->model };
	uint64_t ranges;

	return spt_ranges_count(&sweep, SPT_SPLIT_HPA, &ranges, err);
}

const struct scale_figure scale_ranges_random = { "ranges_random", "ranges --count --split-by hpa",
						  1, false, count };
