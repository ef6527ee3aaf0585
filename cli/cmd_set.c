// SPDX-License-Identifier: GPL-2.0
/* `set`: what holds for all commands of a session that do not say otherwise. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/held.h"
#include "cli/options.h"
#include "cli/shell.h"
#include "cli/table.h"

enum { COL_NAME, COL_VALUE, COL_MEANING };

static const struct cli_column columns[] = {
	[COL_NAME] = { "name", 12, 0, "setting" },
	[COL_VALUE] = { "value", 5, 0, "on or off, or what is set" },
	[COL_MEANING] = { "meaning", 40, 0, "what it does" },
	{ NULL },
};

/* Where a setting lives. */
enum home {
	SWITCH, /* a global option that is on or off */
	PAGER,
	VM, /* what is looked at */
	IMAGE,
	HELD, /* an option of commands, see cli/held.h */
};

/* In the order in which they are listed; 'words' below has the same. */
static const struct setting {
	const char *name;
	enum home home;
	enum cli_global_option option; /* of SWITCH, VM and IMAGE */
} settings[] = { { "vm", VM, CLI_OPT_VM },
		 { "image", IMAGE, CLI_OPT_IMAGE },
		 { "json", SWITCH, CLI_OPT_JSON },
		 { "raw", SWITCH, CLI_OPT_RAW },
		 { "no-headings", SWITCH, CLI_OPT_NO_HEADINGS },
		 { "salvage", SWITCH, CLI_OPT_SALVAGE },
		 { "pager", PAGER, CLI_OPT_GLOBALS },
#define X(name) { name, HELD, CLI_OPT_GLOBALS },
		 CLI_HELD_OPTIONS(X)
#undef X
};

static const char *const setting_words[] = {
	"vm",
	"image",
	"json",
	"raw",
	"no-headings",
	"salvage",
	"pager",
#define X(name) name,
	CLI_HELD_OPTIONS(X)
#undef X
		NULL,
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

_Static_assert(sizeof(setting_words) / sizeof(setting_words[0]) == SETTINGS + 1,
	       "every setting is a word");

static const char *const value_words[] = { "on", "off", NULL };
static const struct cli_option on_or_off = { .name = "value",
					     .arg = "VALUE",
					     .words = value_words };

static const struct setting *find_setting(const char *name)
{
	size_t i = 0;

	while (i < SETTINGS && strcmp(settings[i].name, name) != 0)
		i++;
	return i < SETTINGS ? &settings[i] : NULL;
}

/* The option that the setting stands for; NULL: the pager. */
static const struct cli_option *option_of(const struct setting *s)
{
	if (s->home == HELD)
		return cli_held_option(s->name);
	return s->option == CLI_OPT_GLOBALS ? NULL : &cli_global_options[s->option];
}

static bool is_switch(const struct setting *s)
{
	const struct cli_option *o = option_of(s);

	return !o || !o->arg;
}

static const struct cli_option *value_option(const char *name)
{
	const struct setting *s = find_setting(name);

	if (!s)
		return NULL;
	return is_switch(s) ? &on_or_off : option_of(s);
}

/* Of the session: the line of this very command may have options of its own. */
static bool *switch_of(struct cli *cli, const struct setting *s)
{
	switch (s->option) {
	case CLI_OPT_JSON:
		return &cli->session->json;
	case CLI_OPT_RAW:
		return &cli->session->raw;
	case CLI_OPT_NO_HEADINGS:
		return &cli->session->no_headings;
	case CLI_OPT_SALVAGE:
		return &cli->session->salvage;
	default:
		return &cli->paging;
	}
}

/* NULL: there is none. */
static const char *value_of(struct cli *cli, const struct setting *s)
{
	switch (s->home) {
	case SWITCH:
	case PAGER:
		return *switch_of(cli, s) ? "on" : "off";
	case VM:
		return cli->session->vm;
	case IMAGE:
		return cli->session->image;
	case HELD:
		break;
	}
	if (is_switch(s))
		return cli_held(cli, s->name) ? "on" : "off";
	return cli_held(cli, s->name);
}

static int list_settings(struct cli *cli)
{
	struct cli_table *t = cli_table_begin(cli, columns, "settings", 0);

	if (!t)
		return -cli->error.code;
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct cli_option *o = option_of(&settings[i]);
		const char *value = value_of(cli, &settings[i]);

		cli_table_row(t);
		cli_cell_text(t, COL_NAME, "%s", settings[i].name);
		if (value)
			cli_cell_text(t, COL_VALUE, "%s", value);
		cli_cell_text(t, COL_MEANING, "%s",
			      o ? o->help
				: "show long output of the dialogue with $PAGER, or less");
	}
	return cli_table_end(t);
}

/* JSON and raw are two ways to print the same: the one that is wanted takes the other's place. */
static void turn(struct cli *cli, const struct setting *s, bool on)
{
	*switch_of(cli, s) = on;
	if (on && s->option == CLI_OPT_JSON)
		cli->session->raw = false;
	if (on && s->option == CLI_OPT_RAW)
		cli->session->json = false;
}

static int set_run(struct cli *cli, const struct cli_call *call)
{
	const char *value = call->argc > 1 ? call->argv[1] : NULL;
	const struct setting *s;
	bool on;

	if (!call->argc)
		return list_settings(cli);
	s = find_setting(call->argv[0]); /* run.c has checked the word */
	on = !value || !strcmp(value, "on");
	if (is_switch(s) && !on && strcmp(value, "off") != 0)
		return cli_fail(cli, EINVAL, "set: %s is on or off, not '%s'", s->name, value);
	switch (s->home) {
	case SWITCH:
	case PAGER:
		turn(cli, s, on);
		return 0;
	case VM:
		return cli_use(cli, value, NULL);
	case IMAGE:
		return cli_use(cli, NULL, value);
	case HELD:
		break;
	}
	if (is_switch(s))
		return cli_hold(cli, s->name, on ? "" : NULL);
	return cli_hold(cli, s->name, value && strcmp(value, "off") != 0 ? value : NULL);
}

const struct cli_command cli_cmd_set = {
	.name = "set",
	.args = "[NAME [VALUE|on|off]]",
	.help = "what holds for all commands from now on; without arguments: list it",
	.details =
		"What a command's own line says comes first. Without VALUE a switch is on, and another\n"
		"setting is as it was before it was set. 'vm' and 'image' are what 'use' sets; the last\n"
		"ones are options of commands, for every command that has such an option.",
	.example = "set split-by level,perm",
	.max_args = 2,
	.flags = CLI_SHELL_ONLY,
	.words = setting_words,
	.value_of = value_option,
	.columns = columns,
	.run = set_run,
};
