/* SPDX-License-Identifier: GPL-2.0 */
/* Finding the roots among what an image holds; used by spt_model_load() alone. */
#ifndef SPT_ROOTS_H
#define SPT_ROOTS_H

#include "spt/model.h"

/* How many roots there may be at most, and find them: model->roots has that much room. */
uint32_t spt_roots_count(const struct spt_model *model);
void spt_roots_find(struct spt_model *model);

/* Spreads page addresses; the low bits are used. */
static inline uint32_t spt_hpa_hash(uint64_t hpa)
{
	return (hpa >> SPT_PAGE_SHIFT) * 0x9e3779b97f4a7c15ULL >> 32;
}

#endif
