/* SPDX-License-Identifier: GPL-2.0 */
/* What refers to a host page, for people and as JSON. */
#ifndef SPT_CLI_SHOW_HPA_H
#define SPT_CLI_SHOW_HPA_H

#include "cli/cli.h"
#include "spt/walk_hpa.h"

/* Title, the entries that map @hpa, and the table that it is. */
void cli_print_reverse(struct cli *cli, const struct spt_model *model, uint64_t hpa,
		       const struct spt_reverse *reverse);

/* Members 'maps' and 'tables' of the JSON object that is open. */
void cli_reverse_to_json(struct cli *cli, const struct spt_model *model, uint64_t hpa,
			 const struct spt_reverse *reverse);

#endif
