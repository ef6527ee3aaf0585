// SPDX-License-Identifier: GPL-2.0
/* `set`: what holds for all commands of a session that do not say otherwise. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/table.h"

enum { COL_NAME, COL_VALUE, COL_MEANING };

static const struct cli_column columns[] = {
	[COL_NAME] = { "name", 12, 0, "setting" },
	[COL_VALUE] = { "value", 5, 0, "on or off" },
	[COL_MEANING] = { "meaning", 40, 0, "what it does when it is on" },
	{ NULL },
};

/* Settings that are on or off: global options, and the pager. */
static const struct {
	const char *name;
	enum cli_global_option option; /* CLI_OPT_GLOBALS: none */
} settings[] = {
	{ "json", CLI_OPT_JSON },
	{ "raw", CLI_OPT_RAW },
	{ "no-headings", CLI_OPT_NO_HEADINGS },
	{ "salvage", CLI_OPT_SALVAGE },
	{ "pager", CLI_OPT_GLOBALS },
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static bool *value_of(struct cli *cli, size_t i)
{
	switch (settings[i].option) {
	case CLI_OPT_JSON:
		return &cli->opt.json;
	case CLI_OPT_RAW:
		return &cli->opt.raw;
	case CLI_OPT_NO_HEADINGS:
		return &cli->opt.no_headings;
	case CLI_OPT_SALVAGE:
		return &cli->opt.salvage;
	default:
		return &cli->paging;
	}
}

static int list_settings(struct cli *cli)
{
	struct cli_table *t = cli_table_begin(cli, columns, "settings", 0);

	if (!t)
		return -cli->error.code;
	for (size_t i = 0; i < SETTINGS; i++) {
		cli_table_row(t);
		cli_cell_text(t, COL_NAME, "%s", settings[i].name);
		cli_cell_text(t, COL_VALUE, "%s", *value_of(cli, i) ? "on" : "off");
		cli_cell_text(t, COL_MEANING, "%s",
			      settings[i].option == CLI_OPT_GLOBALS
				      ? "show long output of the dialogue with $PAGER, or less"
				      : cli_global_options[settings[i].option].help);
	}
	return cli_table_end(t);
}

static int set_run(struct cli *cli, const struct cli_call *call)
{
	size_t i = 0;

	if (!call->argc)
		return list_settings(cli);
	while (i < SETTINGS && strcmp(settings[i].name, call->argv[0]) != 0)
		i++;
	/* The words of the command are those of the table; run.c has checked them. */
	if (i == SETTINGS)
		return cli_fail(cli, EINVAL, "set: no setting '%s'", call->argv[0]);
	*value_of(cli, i) = call->argc < 2 || !strcmp(call->argv[1], "on");
	return 0;
}

static const char *const setting_words[] = {
	"json", "raw", "no-headings", "salvage", "pager", NULL
};
static const char *const value_words[] = { "on", "off", NULL };

const struct cli_command cli_cmd_set = {
	.name = "set",
	.args = "[json|raw|no-headings|salvage|pager [on|off]]",
	.help = "what holds for all commands from now on; without arguments: list it",
	.example = "set raw on",
	.max_args = 2,
	.flags = CLI_SHELL_ONLY,
	.words = setting_words,
	.second = value_words,
	.columns = columns,
	.run = set_run,
};
