// SPDX-License-Identifier: GPL-2.0
/* `undo` and `journal`: what was done, and taking it back. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/act.h"
#include "cli/address.h"
#include "cli/table.h"
#include "spt/journal.h"
#include "spt/source.h"

enum {
	COL_ID,
	COL_TIME,
	COL_VM,
	COL_ACTION,
	COL_TARGET,
	COL_BEFORE,
	COL_AFTER,
	COL_RESULT,
	COL_REASON,
	COL_UNDO,
	COL_PID,
	COL_COMM
};

static const struct cli_column columns[] = {
	[COL_ID] = { "id", 4, CLI_COL_RIGHT, "of the action, for undo" },
	[COL_TIME] = { "time", 23, 0, "when it was done" },
	[COL_VM] = { "vm", 10, 0, "whose tables it changed" },
	[COL_ACTION] = { "action", 8, 0, "what was done" },
	[COL_TARGET] = { "target", 18, 0, "guest-physical address or range" },
	[COL_BEFORE] = { "before", 20, 0, "level and value of the entry, or the number of leaves" },
	[COL_AFTER] = { "after", 20, 0, "the same afterwards" },
	[COL_RESULT] = { "result", 9, 0, "done, refused, no-effect or failed" },
	[COL_REASON] = { "reason", 10, CLI_COL_EXTRA, "why it was not done" },
	[COL_UNDO] = { "undo", 4, 0, "none, open, done, or lost with the VM" },
	[COL_PID] = { "pid", 6, CLI_COL_RIGHT | CLI_COL_EXTRA, "process that asked" },
	[COL_COMM] = { "comm", 15, 0, "its name" },
	{ NULL },
};

static void cell_time(struct cli_table *t, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char text[40];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	cli_cell_text(t, COL_TIME, "%s.%03uZ", text, (unsigned int)(ns % 1000000000 / 1000000));
}

static void add_row(struct cli_table *t, const struct spt_journal_entry *e)
{
	cli_table_row(t);
	cli_cell_number(t, COL_ID, (int64_t)e->id);
	cell_time(t, e->time_ns);
	cli_cell_string(t, COL_VM, e->vm);
	cli_cell_string(t, COL_ACTION, e->action);
	cli_cell_string(t, COL_TARGET, e->target);
	cli_cell_string(t, COL_BEFORE, e->before);
	cli_cell_string(t, COL_AFTER, e->after);
	cli_cell_string(t, COL_RESULT, e->result);
	cli_cell_string(t, COL_REASON, e->reason);
	cli_cell_string(t, COL_UNDO, spt_undo_state_name(e->undo));
	cli_cell_number(t, COL_PID, e->pid);
	cli_cell_string(t, COL_COMM, e->comm);
}

static int journal_run(struct cli *cli, const struct cli_call *call)
{
	struct spt_journal_entry *list;
	struct spt_vm_name vm;
	struct cli_table *t;
	size_t count;
	int rc = 0;

	spt_debugfs_set(cli->opt.debug_dir);
	if (cli->opt.vm)
		rc = spt_vm_find(cli->opt.vm, &vm, &cli->error);
	if (!rc)
		rc = spt_journal_read(cli->opt.vm ? vm.id : NULL, &list, &count, &cli->error);
	if (rc)
		return rc;
	t = cli_table_begin(cli, columns, "journal", 0);
	for (size_t i = 0; t && i < count; i++)
		if (!cli_has_option(call, "open") || list[i].undo == SPT_UNDO_OPEN)
			add_row(t, &list[i]);
	free(list);
	return t ? cli_table_end(t) : -cli->error.code;
}

static const struct cli_option journal_options[] = {
	{ .name = "open", .help = "only what can be taken back" },
	{ NULL },
};

const struct cli_command cli_cmd_journal = {
	.name = "journal",
	.help = "what was done to guests of this host, and what can be taken back",
	.details = "Of all VMs, unless one is chosen with --vm.",
	.example = "journal --open",
	.flags = CLI_LIVE_ONLY,
	.options = journal_options,
	.columns = columns,
	.run = journal_run,
};

/* The newest action of this VM that can be taken back. */
static int newest_open(struct cli *cli, uint64_t *id)
{
	struct spt_journal_entry *list;
	struct spt_vm_name vm;
	bool found = false;
	size_t count;
	int rc;

	spt_debugfs_set(cli->opt.debug_dir);
	rc = spt_vm_find(cli->opt.vm, &vm, &cli->error);
	if (!rc)
		rc = spt_journal_read(vm.id, &list, &count, &cli->error);
	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++)
		if (list[i].undo == SPT_UNDO_OPEN) {
			*id = list[i].id;
			found = true;
		}
	free(list);
	if (!found)
		cli_warn(cli, "undo: VM %s has nothing to take back", vm.id);
	return found ? 0 : 1;
}

static int undo_run(struct cli *cli, const struct cli_call *call)
{
	struct spt_action_request request = { .action = SPT_ACT_UNDO, .keys = SPT_KEY_BIT(ID) };
	int rc = 0;

	request.all = call->argc && !strcmp(call->argv[0], "all");
	if (!call->argc)
		rc = newest_open(cli, &request.id);
	else if (!request.all)
		rc = cli_parse_address(call->argv[0], "ID", &request.id, &cli->error);
	if (!rc)
		rc = cli_act_options(cli, call, &request);
	return rc ? rc : cli_act_run(cli, &request);
}

static const struct cli_option undo_options[] = { CLI_ACT_DRY_RUN, { NULL } };

const struct cli_command cli_cmd_undo = {
	.name = "undo",
	.args = "[ID|all]",
	.help = "take an action back: the last one, one of the journal, or all of the VM",
	.example = "--unsafe undo all",
	.max_args = 1,
	.flags = CLI_ACTS,
	.options = undo_options,
	.run = undo_run,
};
