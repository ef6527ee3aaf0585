// SPDX-License-Identifier: GPL-2.0
/* `tui`: the live view; it asks for commands' answers here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run.h"
#include "cli/show_explain.h"
#include "cli/target.h"
#include "tui/tui.h"

/* What the command says on stderr goes to @out, too: the terminal belongs to the view. */
static void copy_errors(int fd, FILE *out)
{
	char text[512];
	ssize_t n;

	fflush(stderr);
	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, text, sizeof(text))) > 0)
		fwrite(text, 1, (size_t)n, out);
}

/* Run @line with stderr in a file of its own, which is @errors. */
static int run_line(struct cli *cli, char *line, int errors, FILE *out)
{
	int saved = dup(STDERR_FILENO), status;

	if (saved < 0) {
		fprintf(out, "cannot run a command: %s\n", strerror(errno));
		return CLI_ERROR;
	}
	fflush(stderr);
	dup2(errors, STDERR_FILENO);
	status = cli_run_line(cli, line, NULL);
	copy_errors(errors, out);
	dup2(saved, STDERR_FILENO);
	close(saved);
	return status;
}

static int run_command(void *arg, const char *id, const char *line, int columns, FILE *out)
{
	struct cli *cli = arg;
	struct cli inner = { .opt = cli->opt, .out = out, .shell = true, .warned = true };
	int errors = memfd_create("spt-errors", MFD_CLOEXEC), status;
	char *copy = strdup(line);

	if (id)
		inner.opt.vm = id;
	inner.opt.json = inner.opt.raw = false;
	inner.opt.columns = NULL;
	if (errors < 0 || !copy) {
		fprintf(out, "cannot run a command: %s\n", strerror(errno));
		status = CLI_ERROR;
	} else {
		cli_explain_width(columns);
		status = run_line(&inner, copy, errors, out);
		cli_explain_width(0);
	}
	cli_target_close(&inner);
	free(inner.used);
	free(copy);
	if (errors >= 0)
		close(errors);
	return status;
}

static int tui_command_run(struct cli *cli, const struct cli_call *call)
{
	struct tui_options options = {
		.vm = cli->opt.vm,
		.image = cli->opt.image,
		.view = call->argc ? call->argv[0] : NULL,
		.image_flags = cli_image_flags(cli),
		.unsafe = cli->opt.unsafe,
		.command = run_command,
		.arg = cli,
	};

	if (cli->opt.json)
		return cli_fail(cli, EINVAL, "tui: is for people: --json does not apply");
	spt_debugfs_set(cli->opt.debug_dir);
	fflush(cli->out);
	return tui_run(&options, &cli->error);
}

static void print_key(void *arg, const char *keys, const char *where, const char *help)
{
	fprintf(arg, "  %-16s %s%s%s%s\n", keys, help, where[0] ? " (" : "", where,
		where[0] ? ")" : "");
}

static void print_keys(FILE *out)
{
	fprintf(out, "\nKeys:\n");
	tui_keys_list(print_key, out);
}

const struct cli_command cli_cmd_tui = {
	.name = "tui",
	.args = "[VIEW]",
	.help = "open the live view: map, tree, ranges, vCPUs and more, on the whole terminal",
	.details =
		"VIEW is what it begins with, the map if it is left out; '?' shows the keys.\n"
		"Of a live VM it reads what is visible, again when something moved. Actions ('!')\n"
		"need --unsafe and are confirmed one by one. NO_COLOR is honoured.",
	.more = print_keys,
	.example = "-i vm.spt tui map",
	.max_args = 1,
	.words = tui_view_names,
	.flags = CLI_ENDLESS,
	.run = tui_command_run,
};
