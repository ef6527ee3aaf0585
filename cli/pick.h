/* SPDX-License-Identifier: GPL-2.0 */
/* Which part of a VM a listing is to show: RANGE, --slot, --root. */
#ifndef SPT_CLI_PICK_H
#define SPT_CLI_PICK_H

#include "cli/cli.h"
#include "cli/target.h"

#define CLI_PICK_OPTIONS                                                                           \
	{ .name = "root",                                                                          \
	  .arg = "HPA",                                                                            \
	  .help = "this root alone, as 'roots' lists it",                                          \
	  .complete = CLI_COMPLETE_ROOT },                                                         \
	{                                                                                          \
		.name = "slot", .arg = "ID",                                                       \
		.help = "the addresses of this memory slot, instead of RANGE",                     \
		.complete = CLI_COMPLETE_SLOT                                                      \
	}

/*
 * Read the model for *@request, narrowed to RANGE (the first argument) or --slot. -EINVAL, -ENOENT:
 * both were given, or there is no such slot.
 */
int cli_pick(struct cli *cli, const struct cli_call *call, struct spt_request *request,
	     struct spt_model **ret);

/* Whether --root, if it was given, is this one; cli_pick() has seen that there is one. */
bool cli_picked(const struct cli_call *call, const struct spt_root_ref *root);

#endif
