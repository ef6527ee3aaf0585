// SPDX-License-Identifier: GPL-2.0
#include "tests/bench/scale/scale.h"

static int run(struct scale_image *image, struct spt_error *err)
{
	int ret;

	scale_map(image, false);
	ret = scale_load(image, err);
	scale_unmap(image);
	return ret;
}

const struct scale_figure scale_open = { "open", "map, check, load", 1, true, run };
