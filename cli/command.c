// SPDX-License-Identifier: GPL-2.0
#include "cli/command.h"

#include <stddef.h>
#include <string.h>

const struct cli_command *const cli_commands[] = {
#define X(name) &cli_cmd_##name,
	CLI_COMMANDS(X)
#undef X
		NULL,
};

/* What people type besides. */
static const struct {
	const char *name, *means;
} aliases[] = {
	{ "exit", "quit" },
	{ "?", "help" },
};

const struct cli_command *cli_find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (!strcmp(name, aliases[i].name))
			name = aliases[i].means;
	for (int i = 0; cli_commands[i]; i++)
		if (!strcmp(cli_commands[i]->name, name))
			return cli_commands[i];
	return NULL;
}

/* Its index among the command's options, or -1. */
static int find_option(const struct cli_call *call, const char *name)
{
	const struct cli_option *options = call->command->options;

	for (int i = 0; options && options[i].name; i++)
		if (!strcmp(options[i].name, name))
			return i;
	return -1;
}

const char *cli_option(const struct cli_call *call, const char *name)
{
	int i = find_option(call, name);

	return i < 0 ? NULL : call->value[i];
}

bool cli_names_option(const struct cli_call *call, const char *name)
{
	int i = find_option(call, name);

	return i >= 0 && call->value[i] && !call->held[i];
}
