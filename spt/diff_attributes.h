/* SPDX-License-Identifier: GPL-2.0 */
/* Memory attributes of two images: what was converted; the inside of spt_diff_run(). */
#ifndef SPT_DIFF_ATTRIBUTES_H
#define SPT_DIFF_ATTRIBUTES_H

#include "spt/diff.h"

/* Whether both images have the attributes of a VM that can have any. */
bool spt_diff_knows_attributes(const struct spt_diff *diff);

/* What became of one frame from models[0] to models[1]. */
enum spt_conversion spt_diff_conversion(const struct spt_model *const models[2], uint64_t gfn);

/* Each run of frames that was converted, as a change of kind 'slot'. */
int spt_diff_attributes(const struct spt_diff *diff,
			int (*emit)(void *arg, const struct spt_change *c), void *arg,
			uint64_t *count);

#endif
