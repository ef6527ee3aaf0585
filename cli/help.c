// SPDX-License-Identifier: GPL-2.0
#include "cli/help.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fold.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/table.h"

static void print_options(FILE *out, const struct cli_option *options)
{
	for (int i = 0; options && options[i].name; i++) {
		const struct cli_option *o = &options[i];
		char name[64];

		snprintf(name, sizeof(name), "--%s%s%s", o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
		if (o->letter)
			fprintf(out, "  -%c, %-22s %s\n", o->letter, name, o->help);
		else
			fprintf(out, "      %-22s %s\n", name, o->help);
	}
}

static void print_columns(FILE *out, const struct cli_column *columns)
{
	fprintf(out, "\nColumns for --output (those marked with * are shown without it):\n");
	for (int i = 0; columns[i].name; i++)
		fprintf(out, "  %c %-20s %s\n", columns[i].flags & CLI_COL_EXTRA ? ' ' : '*',
			columns[i].name, columns[i].help);
}

static struct json_object *options_to_json(const struct cli_option *options)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; options && options[i].name; i++) {
		struct json_object *o = json_object_new_object();

		cli_json_set_text(o, "name", options[i].name);
		cli_json_set_text(o, "arg", options[i].arg);
		cli_json_set_text(o, "help", options[i].help);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *command_to_json(const struct cli_command *c)
{
	struct json_object *o = json_object_new_object();
	struct json_object *columns = json_object_new_array();

	cli_json_set_text(o, "name", c->name);
	cli_json_set_text(o, "args", c->args);
	cli_json_set_text(o, "help", c->help);
	cli_json_set_text(o, "example", c->example);
	cli_json_set(o, "options", options_to_json(c->options));
	for (int i = 0; c->columns && c->columns[i].name; i++)
		json_object_array_add(columns, json_object_new_string(c->columns[i].name));
	cli_json_set(o, "columns", columns);
	return o;
}

static void print_command(FILE *out, const struct cli_command *c)
{
	fprintf(out, "%s%s%s\n  %s\n", c->name, c->args ? " " : "", c->args ? c->args : "",
		c->help);
	if (c->details)
		fprintf(out, "\n%s\n", c->details);
	if (c->more)
		c->more(out);
	if (c->options) {
		fprintf(out, "\nOptions:\n");
		print_options(out, c->options);
	}
	if (c->columns)
		print_columns(out, c->columns);
	if (c->example)
		fprintf(out, "\nExample:\n  %s%s\n", c->flags & CLI_SHELL_ONLY ? "" : "spt ",
			c->example);
	fprintf(out, "\nOptions of every command: see 'spt help'.\n");
}

static void print_all(FILE *out)
{
	fprintf(out,
		"spt [OPTIONS] [COMMAND [ARGS]]\n"
		"  Look into the page tables that KVM keeps for its guests (EPT, NPT, shadow).\n"
		"  Without a command: a shell, or the commands on stdin.\n\nCommands:\n");
	for (int i = 0; cli_commands[i]; i++) {
		const struct cli_command *c = cli_commands[i];
		char name[64];

		snprintf(name, sizeof(name), "%s%s%s", c->name, c->args ? " " : "",
			 c->args ? c->args : "");
		if (strlen(name) > 30)
			fprintf(out, "  %s\n  %-30s %s\n", name, "", c->help);
		else
			fprintf(out, "  %-30s %s\n", name, c->help);
	}
	fprintf(out, "\nOptions, before or after the command:\n");
	print_options(out, cli_global_options);
	fprintf(out, "\nOptions before the command:\n");
	print_options(out, cli_program_options);
	fprintf(out,
		"\nADDR, LEN: decimal or 0x hex, K, M, G or T may follow."
		" RANGE: START+LEN, START-END, or one address for its page.\n"
		"Exit status: 0 done, 1 the answer is 'no' (not mapped), 2 usage or environment error.\n"
		"'spt help COMMAND' says more about one command.\n");
}

/* The text of one command, or with NULL of all, as wide as the terminal. */
static int print_folded(struct cli *cli, const struct cli_command *c)
{
	size_t size, width = cli_width(cli);
	char *text = NULL;
	FILE *all = open_memstream(&text, &size);

	if (!all)
		return cli_fail(cli, ENOMEM, "out of memory for help");
	if (c)
		print_command(all, c);
	else
		print_all(all);
	if (fclose(all)) {
		free(text);
		return cli_fail(cli, ENOMEM, "out of memory for help");
	}
	cli_fold(cli->out, text, width);
	free(text);
	return 0;
}

int cli_help_command(struct cli *cli, const struct cli_command *c)
{
	if (!cli->opt.json)
		return print_folded(cli, c);
	cli_json_put(cli, "command", command_to_json(c));
	return 0;
}

int cli_help_all(struct cli *cli)
{
	if (!cli->opt.json)
		return print_folded(cli, NULL);
	cli_json_put(cli, "options", options_to_json(cli_global_options));
	cli_json_array_begin(cli, "commands");
	for (int i = 0; cli_commands[i]; i++)
		cli_json_put(cli, NULL, command_to_json(cli_commands[i]));
	cli_json_array_end(cli);
	return 0;
}

static int help_run(struct cli *cli, const struct cli_call *call)
{
	const struct cli_command *command;

	if (!call->argc)
		return cli_help_all(cli);
	command = cli_find_command(call->argv[0]);
	if (!command)
		return cli_fail(cli, EINVAL, "unknown command '%s': see 'spt help'", call->argv[0]);
	return cli_help_command(cli, command);
}

const struct cli_command cli_cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.help = "print the list of commands, or what one of them does",
	.example = "help walk",
	.max_args = 1,
	.complete = CLI_COMPLETE_COMMAND,
	.run = help_run,
};
