/* SPDX-License-Identifier: GPL-2.0 */
/* Output of a command into another program: '| grep 2M' of a line, or the pager. */
#ifndef SPT_CLI_PIPE_H
#define SPT_CLI_PIPE_H

#include "cli/cli.h"

struct cli_pipe {
	FILE *program; /* NULL: none */
	FILE *out;     /* what cli->out was before */
	bool tty;
};

/*
 * Let cli->out go into @program, a command line of /bin/sh. @terminal: what it writes is
 * for people, as with a pager. Returns 0 or -errno with cli->error filled.
 */
int cli_pipe_begin(struct cli *cli, const char *program, bool terminal, struct cli_pipe *ret);

/*
 * Wait for it and put cli->out back. -EPIPE is no error: the program may have seen enough.
 * Returns 0, or -ENOENT with cli->error filled when there is no such program.
 */
int cli_pipe_end(struct cli *cli, struct cli_pipe *pipe);

/* The pager of this session, NULL: none, or output goes to no terminal. */
const char *cli_pager(const struct cli *cli);

#endif
