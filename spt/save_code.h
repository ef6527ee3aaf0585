/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's code around each vCPU's RIP, to be saved with an image when that is asked for. */
#ifndef SPT_SAVE_CODE_H
#define SPT_SAVE_CODE_H

#include "spt/guest_tables.h"

/*
 * Give @fn the page that each vCPU's RIP is in, the next one where RIP is near its end,
 * and the page tables that lead there, each page once. @model has the parts
 * SPT_REGISTERS_PARTS; vCPUs whose RIP or registers cannot be had are left out, as are
 * pages that cannot be read. Returns 0, what @fn returned, or -ENOMEM.
 */
int spt_save_code(struct spt_source *src, const struct spt_model *model, spt_guest_table_fn *fn,
		  void *arg, uint64_t *given);

#endif
