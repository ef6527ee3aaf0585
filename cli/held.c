// SPDX-License-Identifier: GPL-2.0
#include "cli/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/address.h"

static const char *const names[] = {
#define X(name) name,
	CLI_HELD_OPTIONS(X)
#undef X
};

#define NAMES (sizeof(names) / sizeof(names[0]))

_Static_assert(NAMES <= CLI_MAX_HELD, "struct cli has room for every held option");

static size_t find_name(const char *name)
{
	size_t i = 0;

	while (i < NAMES && strcmp(names[i], name) != 0)
		i++;
	return i;
}

const struct cli_option *cli_held_option(const char *name)
{
	if (find_name(name) == NAMES)
		return NULL;
	for (int c = 0; cli_commands[c]; c++) {
		const struct cli_option *o = cli_commands[c]->options;

		for (; o && o->name; o++)
			if (!strcmp(o->name, name))
				return o;
	}
	return NULL;
}

const char *cli_held(const struct cli *cli, const char *name)
{
	size_t i = find_name(name);

	return i < NAMES ? cli->held[i] : NULL;
}

static bool is_word(const char *const *words, const char *text, size_t len)
{
	for (; *words; words++)
		if (strlen(*words) == len && !memcmp(*words, text, len))
			return true;
	return false;
}

/* Every part of a list, or the one word. */
static int check_words(struct cli *cli, const struct cli_option *o, const char *value)
{
	const char *part = value;

	while (true) {
		size_t len = o->list ? strcspn(part, ",") : strlen(part);

		if (!is_word(o->words, part, len))
			return cli_fail(cli, EINVAL, "set: '%.*s' is no value of %s: see 'help'",
					(int)len, part, o->name);
		if (!part[len])
			return 0;
		part += len + 1;
	}
}

int cli_hold(struct cli *cli, const char *name, const char *value)
{
	const struct cli_option *o = cli_held_option(name);
	size_t i = find_name(name);
	uint64_t number;
	char *kept = NULL;
	int rc = 0;

	if (!o)
		return cli_fail(cli, EINVAL, "set: no setting '%s'", name);
	if (value && o->words)
		rc = check_words(cli, o, value);
	else if (value && o->arg && !strcmp(o->arg, "N"))
		rc = cli_parse_address(value, name, &number, &cli->error);
	if (rc)
		return rc;
	if (value) {
		kept = strdup(value);
		if (!kept)
			return cli_fail(cli, ENOMEM, "out of memory");
	}
	free(cli->held[i]);
	cli->held[i] = kept;
	return 0;
}

void cli_take_held(const struct cli *cli, struct cli_call *call)
{
	const struct cli_option *o = call->command->options;

	for (int i = 0; o && o[i].name; i++) {
		if (call->value[i])
			continue;
		call->value[i] = cli_held(cli, o[i].name);
		call->held[i] = call->value[i];
	}
}

void cli_drop_held(struct cli *cli)
{
	for (size_t i = 0; i < NAMES; i++) {
		free(cli->held[i]);
		cli->held[i] = NULL;
	}
}
