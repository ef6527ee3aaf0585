/* SPDX-License-Identifier: GPL-2.0 */
/* What the kinds of `walk` share. */
#ifndef SPT_CLI_CMD_WALK_H
#define SPT_CLI_CMD_WALK_H

#include "cli/cli.h"
#include "cli/show_walk.h"

#define CLI_MAX_ALIASES 64 /* guest addresses of one HVA or HPA that are walked */

/*
 * Walk @count guest addresses and show each, in JSON the further ones as 'aliases'.
 * Returns 0: one of them is mapped, 1: none, or an error.
 */
int cli_walk_aliases(struct cli *cli, const struct cli_walk_from *from, const uint64_t *gpa,
		     size_t count);

/* `walk hpa`. */
int cli_walk_hpa(struct cli *cli, const struct cli_walk_from *from);

#endif
