// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/held.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/run.h"
#include "cli/shell.h"
#include "cli/target.h"

/*
 * The first Ctrl-C stops the command, a second one before it reacted ends the program; but not
 * the shell, nor what waits for another program, which has its own use for Ctrl-C.
 */
static void on_interrupt(int signal_number)
{
	if (cli_interrupted && !cli_outlives_interrupts)
		_exit(128 + signal_number);
	cli_interrupted = 1;
}

static void catch_interrupt(void)
{
	/* No SA_RESTART: a read that hangs is to return, too. */
	struct sigaction action = { .sa_handler = on_interrupt };

	sigaction(SIGINT, &action, NULL);
}

static int run_commands(struct cli *cli, const char *commands)
{
	char *line = strdup(commands);
	int status;

	if (!line) {
		cli_fail(cli, ENOMEM, "out of memory");
		cli_report(cli, NULL);
		return CLI_ERROR;
	}
	cli->shell = true;
	status = cli_run_line(cli, line, "-c");
	free(line);
	return status;
}

static int run_script(struct cli *cli, const char *path)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	int status;

	if (!in) {
		cli_fail(cli, errno, "%s: %s", path, strerror(errno));
		cli_report(cli, NULL);
		return CLI_ERROR;
	}
	cli->shell = true;
	status = cli_run_file(cli, in, is_stdin ? "stdin" : path, true);
	if (!is_stdin)
		fclose(in);
	return status;
}

/* Takes spt's own options; *argc, argv are the command and its words. */
static int parse_program(struct cli *cli, int *argc, const char **argv, const char **own,
			 bool *help)
{
	const char *globals[CLI_OPT_GLOBALS] = { NULL };
	struct cli_option_set sets[] = {
		{ cli_global_options, globals },
		{ cli_program_options, own },
	};
	int rc;

	rc = cli_parse_options(argv, argc, sets, 2, true, &cli->error);
	if (!rc)
		rc = cli_apply_globals(&cli->opt, globals, &cli->error);
	if (rc)
		return rc;
	*help = globals[CLI_OPT_HELP] != NULL;
	if (!!own[CLI_OPT_COMMANDS] + !!own[CLI_OPT_SCRIPT] + !!*argc > 1)
		return cli_fail(cli, EINVAL, "-c, -f and a command exclude each other");
	return 0;
}

static int run_program(struct cli *cli, int argc, char **argv)
{
	const char **words = (const char **)argv + 1;
	const char *own[CLI_OPT_PROGRAM] = { NULL };
	static const char *help_words[] = { "help" };
	bool help = false;

	int nr_words = --argc;

	if (parse_program(cli, &argc, words, own, &help)) {
		cli->opt.json = cli_wants_json(nr_words, words);
		cli_report(cli, NULL);
		return CLI_ERROR;
	}
	if (own[CLI_OPT_VERSION]) {
		fprintf(cli->out, "spt %s\n", SPT_VERSION);
		return CLI_DONE;
	}
	if (help && !argc)
		return cli_run(cli, 1, help_words, NULL);
	if (own[CLI_OPT_COMMANDS])
		return run_commands(cli, own[CLI_OPT_COMMANDS]);
	if (own[CLI_OPT_SCRIPT])
		return run_script(cli, own[CLI_OPT_SCRIPT]);
	if (argc)
		return cli_run(cli, argc, words, NULL);
	return cli_shell(cli);
}

int main(int argc, char **argv)
{
	struct cli cli = { .out = stdout, .tty = isatty(STDOUT_FILENO) };
	int status;

	catch_interrupt();
	status = run_program(&cli, argc, argv);
	cli_target_close(&cli);
	cli_drop_held(&cli);
	free(cli.used);
	if (fclose(stdout) && status != CLI_ERROR) {
		fprintf(stderr, "spt: cannot write the output: %s\n", strerror(errno));
		status = CLI_ERROR;
	}
	return status;
}
