// SPDX-License-Identifier: GPL-2.0
#include "cli/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "cli/complete.h"
#include "cli/run.h"
#include "cli/target.h"
#include "spt/source.h"

#define HISTORY_LINES 1000

/* Directories of @path, which is written to for the moment, as far as they are missing. */
static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
}

/* $XDG_STATE_HOME/spt/history, by the XDG base directory specification; "" without a home. */
static void history_path(char *path, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	path[0] = '\0';
	if (state && state[0] == '/')
		snprintf(path, size, "%s/spt/history", state);
	else if (home && home[0] == '/')
		snprintf(path, size, "%s/.local/state/spt/history", home);
}

/* Ctrl-C while a line is edited: drop it and offer an empty one. */
static int drop_line(void)
{
	if (cli_interrupted) {
		cli_interrupted = 0;
		rl_replace_line("", 1);
		rl_crlf();
		rl_on_new_line();
		rl_redisplay();
	}
	return 0;
}

static const char *file_name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The live VM that the prompt named last. */
static struct spt_vm_name current;

/* Its VMM may have ended, or have closed the VM; what we hold of it must not outlive that. */
static void notice_death(struct cli *cli)
{
	bool runs = !kill(current.pid, 0) || errno != ESRCH;
	struct spt_error err;
	char dir[4096];

	snprintf(dir, sizeof(dir), "%s/%s", spt_debugfs(), current.id);
	if (!current.id[0] || cli->opt.image || (!access(dir, F_OK) && runs))
		return;
	cli_target_close(cli);
	/* Of a VM that runs on it may be the agent that is gone. */
	if (runs && spt_agent_check(&err))
		cli_warn(cli, "%s", err.text);
	else
		cli_warn(cli, "VM %s is gone: 'vms' lists those that are left, 'use' takes one",
			 current.id);
	current.id[0] = '\0';
}

/* The shell that readline's hooks are called for. */
static struct cli *dialogue_of;

/* Ten times a second while a line is edited; once a second is enough to look. */
static int while_waiting(void)
{
	static unsigned int ticks;

	if (++ticks % 10 == 0 && current.id[0]) {
		bool before = current.id[0];

		notice_death(dialogue_of);
		if (before && !current.id[0]) {
			rl_on_new_line();
			rl_redisplay();
		}
	}
	return drop_line();
}

/* The current VM's id, also when it is the only one and was not named. */
static void set_prompt(const struct cli *cli, char *prompt, size_t size)
{
	struct spt_vm_name vm;

	spt_debugfs_set(cli->opt.debug_dir);
	if (!cli->opt.image && !spt_vm_find(cli->opt.vm, &vm, NULL))
		current = vm;
	if (cli->opt.image)
		snprintf(prompt, size, "spt %s> ", file_name_of(cli->opt.image));
	else if (cli->opt.vm || !spt_vm_find(NULL, &vm, NULL))
		snprintf(prompt, size, "spt %s> ", cli->opt.vm ? cli->opt.vm : vm.id);
	else
		snprintf(prompt, size, "spt> ");
}

/* Candidates that readline has not taken yet. */
static char **generating;

static char *next_candidate(const char *text, int state)
{
	return *generating ? *generating++ : NULL;
}

static char **complete_word(const char *text, int start, int end)
{
	bool file = false;
	char **candidates =
		cli_complete(dialogue_of, rl_line_buffer, (size_t)start, (size_t)end, &file);
	char **matches;

	/* Readline completes file names by itself; what is none of them, not at all. */
	rl_attempted_completion_over = !file;
	if (!candidates)
		return NULL;
	generating = candidates;
	matches = rl_completion_matches(text, next_candidate);
	free(candidates); /* the strings are readline's now */
	return matches;
}

/* At once: a session that is killed is remembered, and two at a time lose nothing. */
static void remember(const char *line, char *history)
{
	add_history(line);
	if (!history[0])
		return;
	make_parents(history);
	if (append_history(1, history)) {
		/* It appends to what is there. */
		int fd = open(history, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

		if (fd >= 0)
			close(fd);
		append_history(1, history);
	}
}

static int dialogue(struct cli *cli)
{
	char history[4096];
	char prompt[300];

	rl_readline_name = "spt";
	rl_attempted_completion_function = complete_word;
	/* Readline calls the one only if a read was interrupted, the other ten times a second. */
	rl_signal_event_hook = drop_line;
	rl_event_hook = while_waiting;
	dialogue_of = cli;
	cli->paging = true;
	cli_outlives_interrupts++;
	rl_basic_word_break_characters = " \t\n;=,";
	/* A file's name is to come out as one word, and as the file that it is. */
	rl_completer_quote_characters = "'\"";
	rl_filename_quote_characters = " \t;|#\"\\";
	rl_variable_bind("expand-tilde", "on");
	using_history();
	stifle_history(HISTORY_LINES);
	history_path(history, sizeof(history));
	if (history[0])
		read_history(history);

	while (!cli->quit) {
		char *line;

		set_prompt(cli, prompt, sizeof(prompt));
		/* What stopped the command before is not meant for this line. */
		cli_interrupted = 0;
		line = readline(prompt);
		if (!line) {
			fputc('\n', cli->out);
			break;
		}
		if (line[strspn(line, " \t")]) {
			remember(line, history);
			cli_run_line(cli, line, NULL);
			notice_death(cli);
		}
		free(line);
	}
	if (history[0])
		history_truncate_file(history, HISTORY_LINES);
	return CLI_DONE;
}

int cli_shell(struct cli *cli)
{
	int status;

	cli->shell = true;
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		status = dialogue(cli);
	else
		status = cli_run_file(cli, stdin, "stdin", false);
	cli_target_close(cli);
	return status;
}

int cli_use(struct cli *cli, const char *vm, const char *image)
{
	struct spt_source *source;
	char *kept = NULL;
	int rc = 0;

	cli->opt.vm = vm;
	cli->opt.image = image;
	if (vm || image)
		rc = cli_source(cli, &source);
	if (rc)
		return rc;
	if (vm || image) {
		kept = strdup(image ? image : vm);
		if (!kept)
			return cli_fail(cli, ENOMEM, "out of memory");
	}
	free(cli->used);
	cli->used = kept;
	cli->session->image = cli->opt.image = image ? kept : NULL;
	cli->session->vm = cli->opt.vm = image ? NULL : kept;
	return 0;
}

static int use_run(struct cli *cli, const struct cli_call *call)
{
	/* --image on this line has been applied already; an argument is the same as --vm. */
	if (call->argc)
		return cli_use(cli, call->argv[0], NULL);
	if (!cli->opt.vm && !cli->opt.image)
		return cli_fail(cli, EINVAL, "use: name a VM, or a file with --image");
	return cli_use(cli, cli->opt.vm, cli->opt.image);
}

const struct cli_command cli_cmd_use = {
	.name = "use",
	.args = "[ID]",
	.help = "look at this VM, or with --image at this file, from now on",
	.example = "use 1234-12",
	.max_args = 1,
	.flags = CLI_SHELL_ONLY,
	.complete = CLI_COMPLETE_VM,
	.run = use_run,
};

static int quit_run(struct cli *cli, const struct cli_call *call)
{
	cli->quit = true;
	return 0;
}

const struct cli_command cli_cmd_quit = {
	.name = "quit",
	.help = "leave the shell (also 'exit', Ctrl-D)",
	.example = "quit",
	.flags = CLI_SHELL_ONLY,
	.run = quit_run,
};
