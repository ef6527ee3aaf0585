// SPDX-License-Identifier: GPL-2.0
/* `agent`: load the module with the layout of this kernel, unload it, ask how it is. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cmd_layout.h"
#include "cli/json.h"
#include "cli/target.h"

static const struct cli_option options[] = {
	{ .name = "armed", .help = "load: allow actions on guests; reading needs it not" },
	{ .name = "module",
	  .letter = 'm',
	  .arg = "FILE",
	  .help = "load: spt_agent.ko (default $SPT_AGENT, beside spt, installed)",
	  .complete = CLI_COMPLETE_FILE },
	CLI_LAYOUT_OPTIONS,
	{ NULL },
};

/* A value of the status file as JSON: numbers and yes/no as such. */
static struct json_object *value_json(const char *value)
{
	const char *p = value;

	while (isdigit((unsigned char)*p))
		p++;
	if (p > value && !*p && p - value < 19)
		return json_object_new_int64(atoll(value));
	if (!strcmp(value, "yes") || !strcmp(value, "no"))
		return json_object_new_boolean(!strcmp(value, "yes"));
	return strcmp(value, "n/a") ? json_object_new_string(value) : NULL;
}

static void put_status(struct cli *cli, char *status)
{
	char *next;

	for (char *line = status; *line; line = next) {
		char *value;

		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		value = strchr(line, ':');
		if (!value)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		cli_json_put(cli, line, value_json(value));
	}
}

static int agent_status(struct cli *cli, const struct cli_call *call)
{
	char *status;
	int rc = spt_agent_status(&status, &cli->error);

	if (rc)
		return rc;
	if (cli->opt.json)
		put_status(cli, status);
	else
		fputs(status, cli->out);
	free(status);
	return 0;
}

static void print_loaded(struct cli *cli, const struct spt_agent_loaded *loaded, const char *status)
{
	char vendor[16], mmu[16], release[80];

	spt_agent_status_value(status, "vendor", vendor, sizeof(vendor));
	spt_agent_status_value(status, "mmu", mmu, sizeof(mmu));
	spt_agent_status_value(status, "kernel", release, sizeof(release));
	fprintf(cli->out, "agent %s: ", loaded->inserted ? "loaded" : "was loaded");
	if (loaded->layout_kept)
		fprintf(cli->out, "layout in force");
	else
		fprintf(cli->out, "layout from %s (%u of %u fields)",
			loaded->source == SPT_LAYOUT_BTF ? "BTF" : "DWARF", loaded->fields,
			(unsigned int)SPT_F_COUNT);
	fprintf(cli->out, ", Linux %s, %s/%s\n", release, vendor, mmu);
}

static int agent_load(struct cli *cli, const struct cli_call *call)
{
	struct spt_agent_load how = {
		.module = cli_option(call, "module"),
		.armed = cli_has_option(call, "armed"),
	};
	struct spt_agent_loaded loaded;
	const char *dirs[2];
	char *status;
	int rc;

	cli_layout_from(call, dirs, &how.from);
	rc = spt_agent_load(&how, &loaded, &cli->error);
	if (!rc)
		rc = spt_agent_status(&status, &cli->error);
	if (rc)
		return rc;
	if (cli->opt.json) {
		cli_json_put(cli, "inserted", json_object_new_boolean(loaded.inserted));
		cli_json_put(cli, "layout_kept", json_object_new_boolean(loaded.layout_kept));
		put_status(cli, status);
	} else {
		print_loaded(cli, &loaded, status);
	}
	free(status);
	return 0;
}

static int agent_unload(struct cli *cli, const struct cli_call *call)
{
	int rc;

	/* The shell's own open VM would keep the agent in use. */
	cli_target_close(cli);
	rc = spt_agent_unload(&cli->error);
	if (rc)
		return rc;
	if (cli->opt.json)
		cli_json_put(cli, "unloaded", json_object_new_boolean(true));
	else
		fputs("agent unloaded\n", cli->out);
	return 0;
}

static const char *const verbs[] = { "status", "load", "unload", NULL };

static int agent_run(struct cli *cli, const struct cli_call *call)
{
	if (!strcmp(call->argv[0], "load"))
		return agent_load(cli, call);
	if (!strcmp(call->argv[0], "unload"))
		return agent_unload(cli, call);
	return agent_status(cli, call);
}

const struct cli_command cli_cmd_agent = {
	.name = "agent",
	.args = "status|load|unload",
	.help = "the kernel module that reads KVM: its state, insert it, remove it",
	.details =
		"'load' inserts spt_agent.ko and hands it the layout of the running kernel, found\n"
		"by name in BTF, or in DWARF where there is no BTF. Without --armed the agent can\n"
		"only read.",
	.example = "agent load",
	.min_args = 1,
	.max_args = 1,
	.flags = CLI_LIVE_ONLY,
	.words = verbs,
	.options = options,
	.run = agent_run,
};
