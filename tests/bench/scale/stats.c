// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "spt/stats.h"
#include "tests/bench/scale/scale.h"

static int run(struct scale_image *image, struct spt_error *err)
{
	struct spt_sweep sweep = { .model = &image->model };
	static struct spt_stats stats;
	int ret = spt_stats_count(&sweep, NULL, &stats, err);

	spt_stats_free(&stats);
	return ret;
}

const struct scale_figure scale_stats = { "stats", "stats of everything", 1, false, run };

/* As a command does it: nothing mapped yet. */
static int run_whole(struct scale_image *image, struct spt_error *err)
{
	int ret;

	scale_map(image, false);
	ret = scale_load(image, err);
	if (!ret)
		ret = run(image, err);
	scale_unmap(image);
	return ret;
}

const struct scale_figure scale_whole = { "whole", "map, check, load, stats", 1, true, run_whole };
