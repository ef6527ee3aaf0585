// SPDX-License-Identifier: GPL-2.0
/* The actions on a guest's tables, one command each; what they share is in cli/act.c. */
#include <errno.h>
#include <string.h>

#include "cli/act.h"

static const char *const accesses[] = { "r", "w", "x", NULL };
static const char *const perms[] = { "r", "rx", "rw", NULL };

/* Of every command whose name is the action's. */
static int act_run(struct cli *cli, const struct cli_call *call)
{
	struct spt_action_request request = { .action = spt_action_find(call->command->name) };
	int rc = cli_act_target(cli, call->argv[0], &request);

	if (!rc)
		rc = cli_act_options(cli, call, &request);
	if (call->argc > 1 && call->command->second == perms) {
		request.perm = call->argv[1];
		request.keys |= SPT_KEY_BIT(PERM);
	} else if (call->argc > 1) {
		request.access = *call->argv[1];
		request.keys |= SPT_KEY_BIT(ACCESS);
	}
	return rc ? rc : cli_act_run(cli, &request);
}

static int protect_run(struct cli *cli, const struct cli_call *call)
{
	bool track = cli_has_option(call, "write-track"), listen = cli_has_option(call, "listen");
	struct spt_action_request request = { .action = SPT_ACT_TRACK };
	int rc;

	if (!track && (listen || cli_has_option(call, "count") || cli_has_option(call, "timeout")))
		return cli_fail(cli, EINVAL,
				"protect: --listen, --count and --timeout go with "
				"--write-track");
	if (!track && call->argc < 2)
		return cli_fail(cli, EINVAL,
				"protect: say what is to remain: r, rx or rw, or "
				"--write-track");
	if (!track)
		return act_run(cli, call);
	if (call->argc > 1)
		return cli_fail(cli, EINVAL, "protect: --write-track takes no permission");
	rc = cli_act_target(cli, call->argv[0], &request);
	if (!rc)
		rc = cli_act_options(cli, call, &request);
	if (listen) {
		request.listen = true;
		request.keys |= SPT_KEY_BIT(LISTEN);
	}
	return rc ? rc : cli_act_run(cli, &request);
}

static const struct cli_option fault_options[] = {
	CLI_ACT_VCPU, CLI_ACT_COUNT, CLI_ACT_DRY_RUN, { NULL }
};
static const struct cli_option zap_options[] = { CLI_ACT_ROOT, CLI_ACT_DRY_RUN, { NULL } };
static const struct cli_option vcpu_options[] = { CLI_ACT_VCPU, CLI_ACT_DRY_RUN, { NULL } };
static const struct cli_option plain_options[] = { CLI_ACT_DRY_RUN, { NULL } };
static const struct cli_option protect_options[] = {
	{ .name = "write-track",
	  .letter = 'w',
	  .help = "keep every write to the range trapped until undone" },
	{ .name = "listen",
	  .letter = 'l',
	  .help = "with --write-track: print each write, then end" },
	CLI_ACT_COUNT,
	CLI_ACT_TIMEOUT,
	CLI_ACT_DRY_RUN,
	{ NULL },
};
static const struct cli_option show_options[] = {
	{ .name = "show",
	  .letter = 's',
	  .help = "change nothing: what was touched since the last time" },
	CLI_ACT_DRY_RUN,
	{ NULL },
};
static const struct cli_option trap_options[] = {
	{ .name = "count", .letter = 'c', .arg = "K", .help = "end after so many hits (1)" },
	CLI_ACT_TIMEOUT,
	CLI_ACT_DRY_RUN,
	{ NULL },
};

#define ACT(name_, args_, max_, second_, options_, example_, help_, details_)                      \
	const struct cli_command cli_cmd_##name_ = {                                               \
		.name = #name_,                                                                    \
		.args = args_,                                                                     \
		.help = help_,                                                                     \
		.details = details_,                                                               \
		.example = example_,                                                               \
		.min_args = 1,                                                                     \
		.max_args = max_,                                                                  \
		.second = second_,                                                                 \
		.flags = CLI_ACTS,                                                                 \
		.options = options_,                                                               \
		.run = act_run,                                                                    \
	}

ACT(fault, "GPA [r|w|x]", 2, accesses, fault_options, "--unsafe fault 0x1000 w",
    "resolve an address as if a vCPU had faulted there",
    "KVM's own fault path runs in the context of a vCPU, whether that is in the guest, halted\n"
    "or in user space; the host pages in what it must. Without an access: a read.\n"
    "No undo: 'zap' removes the mapping again.");
ACT(zap, "RANGE|all", 1, NULL, zap_options, "--unsafe zap 0x1000+64K",
    "remove mappings and flush the TLBs",
    "The guest's next accesses fault and map the pages again; its memory is not touched.\n"
    "No undo is needed.");
ACT(remap, "GPA", 1, NULL, fault_options, "--unsafe remap 0x1000 --count 10",
    "give an address another host page, with the same content",
    "The host migrates the page to another frame, KVM is told, the mapping is made again.\n"
    "No undo: the old frame may have another owner by now.");
ACT(split, "GPA", 1, NULL, plain_options, "--unsafe split 0x200000",
    "map the huge page around an address as 4K pages, until undone", NULL);
ACT(collapse, "GPA", 1, NULL, vcpu_options, "--unsafe collapse 0x200000",
    "map a huge page again where the host has one", "No undo: 'split' is its opposite.");
ACT(age, "RANGE", 1, NULL, show_options, "--unsafe age 0+1G",
    "clear accessed bits, or show what was accessed since",
    "First without --show, then, after a while, with it.");
ACT(dirty, "RANGE", 1, NULL, show_options, "--unsafe dirty 0+1G",
    "track writes anew, or show what was written since",
    "First without --show, then, after a while, with it. Dirty logging by the VMM goes on\n"
    "undisturbed.");
ACT(trap, "GPA [r|w|x]", 2, accesses, trap_options, "--unsafe trap 0x1000 w --count 3",
    "report the next accesses to a page: who, from where, with which instruction",
    "The page's mapping is taken away until somebody touches it. Without an access: any.\n"
    "Ctrl-C, the count or the timeout ends it; the next access maps the page again.");

const struct cli_command cli_cmd_protect = {
	.name = "protect",
	.args = "GPA r|rx|rw | RANGE --write-track",
	.help = "take permissions from a mapping once, or track all writes",
	.details =
		"What is named remains, until the guest's next fault there gives the rest back.\n"
		"--write-track lasts until undone: every write is emulated by KVM, which is slow. It ends\n"
		"by itself where KVM cannot emulate: where the processor writes to the guest's page tables\n"
		"or pushes an interrupt's frame, and at an instruction that KVM may not know.",
	.example = "--unsafe protect 0x1000 r",
	.min_args = 1,
	.max_args = 2,
	.second = perms,
	.flags = CLI_ACTS,
	.options = protect_options,
	.run = protect_run,
};
