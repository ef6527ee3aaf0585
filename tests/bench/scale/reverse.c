// SPDX-License-Identifier: GPL-2.0
#include "spt/reverse.h"
#include "tests/bench/scale/scale.h"

static int run(struct scale_image *image, struct spt_error *err)
{
	struct spt_sweep sweep = { .model = &image->model };
	struct spt_reverse found;
	/* The frame of a page in the middle of the guest, as a user would ask. */
	int ret = spt_reverse_find(&sweep, 0x123456789, &found, err);

	spt_reverse_free(&found);
	return ret;
}

const struct scale_figure scale_reverse = { "reverse", "who maps a host page", 1, false, run };
