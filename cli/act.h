/* SPDX-License-Identifier: GPL-2.0 */
/* What all commands share that act on a guest. */
#ifndef SPT_CLI_ACT_H
#define SPT_CLI_ACT_H

#include "cli/cli.h"
#include "spt/control.h"
#include "spt/model.h"

#define CLI_ACT_VCPU_MAX 0xffff /* more than KVM allows */

/* Options that carry a key of the same name, for the commands' tables. */
#define CLI_ACT_VCPU                                                                               \
	{                                                                                          \
		.name = "vcpu", .letter = 'p', .arg = "N", .help = "in the context of this vCPU"   \
	}
#define CLI_ACT_COUNT                                                                              \
	{                                                                                          \
		.name = "count", .letter = 'c', .arg = "K", .help = "do it so many times"          \
	}
#define CLI_ACT_ROOT                                                                               \
	{                                                                                          \
		.name = "root", .arg = "HPA", .help = "in this root alone, as 'roots' shows it",   \
		.complete = CLI_COMPLETE_ROOT                                                      \
	}
#define CLI_ACT_TIMEOUT                                                                            \
	{                                                                                          \
		.name = "timeout", .letter = 't', .arg = "S",                                      \
		.help = "end after so many seconds (60)"                                           \
	}
#define CLI_ACT_DRY_RUN                                                                            \
	{                                                                                          \
		.name = "dry-run", .help = "check, say what would be done and to what, do nothing" \
	}

/* A VM that is to be acted upon. */
struct cli_act {
	char vm[32];
	struct spt_control *control;
	struct spt_format format; /* how its entries are to be read */
};

/*
 * Find the VM, learn how its entries are read and open its control file. Lets go of
 * the image: a VM that dies is not to be held by who watches it. 0 or -errno; close
 * with cli_act_close() in any case.
 */
int cli_act_open(struct cli *cli, struct cli_act *act);
void cli_act_close(struct cli_act *act);

/* Fill @request with the options above, as far as given. */
int cli_act_options(struct cli *cli, const struct cli_call *call,
		    struct spt_action_request *request);

/* The address, the range or 'all', by what the action takes. */
int cli_act_target(struct cli *cli, const char *text, struct spt_action_request *request);

/* Open, run, show: what a command does when it has its request. */
int cli_act_run(struct cli *cli, const struct spt_action_request *request);

#endif
