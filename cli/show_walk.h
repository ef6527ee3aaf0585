/* SPDX-License-Identifier: GPL-2.0 */
/* One walk, for people and as JSON. */
#ifndef SPT_CLI_SHOW_WALK_H
#define SPT_CLI_SHOW_WALK_H

#include "cli/cli.h"
#include "spt/walk.h"

/* The address that was asked for. */
struct cli_walk_from {
	const char *kind; /* "gpa", "hva" */
	uint64_t address;
};

/* Members of the JSON object that is open. */
void cli_walk_to_json(struct cli *cli, const struct spt_model *model,
		      const struct cli_walk_from *from, const struct spt_walk *walk);

void cli_print_walk(struct cli *cli, const struct spt_model *model,
		    const struct cli_walk_from *from, const struct spt_walk *walk);

#endif
