// SPDX-License-Identifier: GPL-2.0
#include "spt/diff.h"
#include "tests/bench/scale/scale.h"

static int count(void *arg, const struct spt_change *change)
{
	++*(uint64_t *)arg;
	return 0;
}

static int run(struct scale_image *image, struct spt_error *err)
{
	struct spt_diff diff = { .before = &image[0].model, .after = &image[1].model };
	struct spt_diff_totals totals;
	uint64_t changes = 0;

	return spt_diff_run(&diff, count, &changes, &totals, err);
}

const struct scale_figure scale_diff = { "diff", "diff of two images", 2, false, run };
