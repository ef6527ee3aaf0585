/* SPDX-License-Identifier: GPL-2.0 */
/* The list of `stats` about private and shared memory. */
#ifndef SPT_CLI_SHOW_HALVES_H
#define SPT_CLI_SHOW_HALVES_H

#include "cli/table.h"
#include "spt/halves.h"

extern const struct cli_column cli_halves_columns[];

/* A row for each half. */
void cli_add_halves(struct cli_table *t, const struct spt_model *model,
		    const struct spt_half_count halves[2]);

#endif
