// SPDX-License-Identifier: GPL-2.0
#include "cli/options.h"

#include <errno.h>
#include <string.h>

const struct cli_option cli_global_options[] = {
	[CLI_OPT_VM] = { "vm", 'V', "ID",
			 "the VM: PID-FD, a PID that has one VM, or the VMM's -name",
			 .complete = CLI_COMPLETE_VM },
	[CLI_OPT_IMAGE] = { "image", 'i', "FILE", "read this saved image, not a live VM",
			    .complete = CLI_COMPLETE_FILE },
	[CLI_OPT_JSON] = { "json", 'J', NULL, "print JSON" },
	[CLI_OPT_RAW] = { "raw", 'r', NULL, "print lists with single blanks, '-' for nothing" },
	[CLI_OPT_OUTPUT] = { "output", 'o', "COLS",
			     "print these columns of a list, separated by commas; +COLS: the usual ones, too",
			     .complete = CLI_COMPLETE_COLUMN },
	[CLI_OPT_NO_HEADINGS] = { "no-headings", 'n', NULL, "print lists without their heading" },
	[CLI_OPT_UNSAFE] = { "unsafe", 0, NULL,
			     "allow commands that change a guest's page tables" },
	[CLI_OPT_SALVAGE] = { "salvage", 0, NULL, "read what can be read of a damaged image" },
	[CLI_OPT_DEBUG_DIR] = { "debug-dir", 0, "DIR",
				"the agent's directory (default /sys/kernel/debug/spt)",
				.complete = CLI_COMPLETE_FILE },
	[CLI_OPT_HELP] = { "help", 'h', NULL, "print the help of spt or of the command" },
	[CLI_OPT_GLOBALS] = { NULL },
};

const struct cli_option cli_program_options[] = {
	[CLI_OPT_COMMANDS] = { "command", 'c', "CMDS", "run these commands, separated by ';'" },
	[CLI_OPT_SCRIPT] = { "file", 'f', "SCRIPT", "run the commands in this file, '-' for stdin",
			     .complete = CLI_COMPLETE_FILE },
	[CLI_OPT_VERSION] = { "version", 0, NULL, "print the version" },
	[CLI_OPT_PROGRAM] = { NULL },
};

/* One option found in the tables. */
struct match {
	const struct cli_option *option;
	const char **value;
};

static struct match find_long(const struct cli_option_set *sets, int nsets, const char *name,
			      size_t len)
{
	for (int s = 0; s < nsets; s++) {
		const struct cli_option *o = sets[s].options;

		for (int i = 0; o && o[i].name; i++)
			if (strlen(o[i].name) == len && !memcmp(o[i].name, name, len))
				return (struct match){ &o[i], &sets[s].value[i] };
	}
	return (struct match){ NULL, NULL };
}

static struct match find_short(const struct cli_option_set *sets, int nsets, char letter)
{
	for (int s = 0; s < nsets; s++) {
		const struct cli_option *o = sets[s].options;

		for (int i = 0; o && o[i].name; i++)
			if (letter && o[i].letter == letter)
				return (struct match){ &o[i], &sets[s].value[i] };
	}
	return (struct match){ NULL, NULL };
}

/* '--name', '--name=VALUE' or '--name VALUE'; *@next is the index of the next word. */
static int parse_long(const char **argv, int argc, int *next, const struct cli_option_set *sets,
		      int nsets, struct spt_error *e)
{
	const char *name = argv[*next - 1] + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	struct match m = find_long(sets, nsets, name, len);

	if (!m.option)
		return spt_fail(e, EINVAL, "unknown option '--%.*s': see 'spt help'", (int)len,
				name);
	if (!m.option->arg) {
		if (equals)
			return spt_fail(e, EINVAL, "option '--%.*s' takes no value", (int)len,
					name);
		*m.value = "";
		return 0;
	}
	if (equals)
		*m.value = equals + 1;
	else if (*next < argc)
		*m.value = argv[(*next)++];
	else
		return spt_fail(e, EINVAL, "option '--%s' needs a value: --%s %s", name, name,
				m.option->arg);
	return 0;
}

/* '-J', '-Jn', '-oCOLS' or '-o COLS'. */
static int parse_short(const char **argv, int argc, int *next, const struct cli_option_set *sets,
		       int nsets, struct spt_error *e)
{
	for (const char *p = argv[*next - 1] + 1; *p; p++) {
		struct match m = find_short(sets, nsets, *p);

		if (!m.option)
			return spt_fail(e, EINVAL, "unknown option '-%c': see 'spt help'", *p);
		if (!m.option->arg) {
			*m.value = "";
			continue;
		}
		if (p[1])
			*m.value = p + 1;
		else if (*next < argc)
			*m.value = argv[(*next)++];
		else
			return spt_fail(e, EINVAL, "option '-%c' needs a value: -%c %s", *p, *p,
					m.option->arg);
		break;
	}
	return 0;
}

int cli_parse_options(const char **argv, int *argc, const struct cli_option_set *sets, int nsets,
		      bool stop_at_argument, struct spt_error *e)
{
	int kept = 0;
	int next = 0;

	while (next < *argc) {
		const char *word = argv[next++];
		int rc;

		if (word[0] != '-' || !word[1]) {
			argv[kept++] = word;
			if (stop_at_argument)
				break;
			continue;
		}
		if (!strcmp(word, "--"))
			break;
		if (word[1] == '-')
			rc = parse_long(argv, *argc, &next, sets, nsets, e);
		else
			rc = parse_short(argv, *argc, &next, sets, nsets, e);
		if (rc)
			return rc;
	}
	while (next < *argc)
		argv[kept++] = argv[next++];
	*argc = kept;
	return 0;
}

int cli_apply_globals(struct cli_globals *globals, const char *const *value, struct spt_error *e)
{
	if (value[CLI_OPT_VM] && value[CLI_OPT_IMAGE])
		return spt_fail(e, EINVAL, "--vm and --image exclude each other");
	if (value[CLI_OPT_VM]) {
		globals->vm = value[CLI_OPT_VM];
		globals->image = NULL;
	}
	if (value[CLI_OPT_IMAGE]) {
		globals->image = value[CLI_OPT_IMAGE];
		globals->vm = NULL;
	}
	if (value[CLI_OPT_OUTPUT])
		globals->columns = value[CLI_OPT_OUTPUT];
	if (value[CLI_OPT_DEBUG_DIR])
		globals->debug_dir = value[CLI_OPT_DEBUG_DIR];
	if (value[CLI_OPT_JSON] && value[CLI_OPT_RAW])
		return spt_fail(e, EINVAL, "--json and --raw exclude each other");
	/* What this line asks for takes the place of what held before it. */
	if (value[CLI_OPT_JSON] || value[CLI_OPT_RAW]) {
		globals->json = value[CLI_OPT_JSON] != NULL;
		globals->raw = value[CLI_OPT_RAW] != NULL;
	}
	globals->no_headings |= value[CLI_OPT_NO_HEADINGS] != NULL;
	globals->unsafe |= value[CLI_OPT_UNSAFE] != NULL;
	globals->salvage |= value[CLI_OPT_SALVAGE] != NULL;
	return 0;
}
