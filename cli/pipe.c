// SPDX-License-Identifier: GPL-2.0
#include "cli/pipe.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the shell gives when it finds no such program. */
#define SHELL_NOT_FOUND 127

int cli_pipe_begin(struct cli *cli, const char *program, bool terminal, struct cli_pipe *ret)
{
	*ret = (struct cli_pipe){ .out = cli->out, .tty = cli->tty };
	fflush(cli->out);
	ret->program = popen(program, "we");
	if (!ret->program)
		return cli_fail(cli, errno, "%.200s: %s", program, strerror(errno));
	/* It may end before we have written everything. */
	signal(SIGPIPE, SIG_IGN);
	cli_outlives_interrupts++;
	cli->out = ret->program;
	cli->tty = terminal;
	cli->piped = true;
	return 0;
}

int cli_pipe_end(struct cli *cli, struct cli_pipe *p)
{
	int status;

	if (!p->program)
		return 0;
	cli->out = p->out;
	cli->tty = p->tty;
	cli->piped = false;
	status = pclose(p->program);
	cli_outlives_interrupts--;
	signal(SIGPIPE, SIG_DFL);
	p->program = NULL;
	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == SHELL_NOT_FOUND)
		return cli_fail(cli, ENOENT, "there is no such program to pipe to");
	return 0;
}

static bool installed(const char *program)
{
	const char *path = getenv("PATH");
	char name[4096];

	while (path && *path) {
		size_t len = strcspn(path, ":");

		snprintf(name, sizeof(name), "%.*s/%s", (int)len, path, program);
		if (!access(name, X_OK))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

const char *cli_pager(const struct cli *cli)
{
	const char *pager = getenv("PAGER"), *term = getenv("TERM");

	if (!cli->paging || !cli->tty || cli->piped)
		return NULL;
	if (pager)
		return *pager && strcmp(pager, "cat") != 0 ? pager : NULL;
	/* Quits by itself when everything fits, and leaves the text on the screen. */
	return term && strcmp(term, "dumb") != 0 && installed("less") ? "less -FRX" : NULL;
}
