/* SPDX-License-Identifier: GPL-2.0 */
/* The state of one run of spt that commands share. */
#ifndef SPT_CLI_CLI_H
#define SPT_CLI_CLI_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"
#include "decoders/error.h"

#define CLI_MAX_HELD 8 /* options that `set` may hold, see cli/held.h */

/* Exit status, the same for a one-shot command, a script and the shell. */
enum cli_status { CLI_DONE = 0, CLI_NO = 1, CLI_ERROR = 2 };

/* Global options; a command's line in the shell may override them for itself. */
struct cli_globals {
	const char *vm;	       /* -V, NULL: the only one */
	const char *image;     /* -i, NULL: live */
	const char *columns;   /* -o, NULL: the default ones */
	const char *debug_dir; /* --debug-dir, NULL: /sys/kernel/debug/spt */
	bool json;
	bool raw;
	bool no_headings;
	bool unsafe;
	bool salvage; /* read what can be read of a damaged image */
};

struct cli {
	struct cli_globals opt;
	/* What 'use' and 'set' change: the next line's opt. NULL: no command runs. */
	struct cli_globals *session;
	char *held[CLI_MAX_HELD];    /* by cli/held.h */
	struct spt_error error;	     /* of the command that returned -errno */
	FILE *out;		     /* where answers go */
	FILE *err;		     /* where warnings and errors go, NULL: stderr */
	bool shell;		     /* several commands: keep things open between them */
	bool tty;		     /* out is a terminal */
	bool quit;		     /* the shell is to end */
	bool warned;		     /* that commands may act from now on */
	bool paging;		     /* long output goes to a pager, see cli/pipe.h */
	bool piped;		     /* out is another program */
	const char *where;	     /* FILE:LINE of the command that runs, NULL: no script's */
	char *used;		     /* what 'use' chose; opt.vm or opt.image may point to it */
	struct cli_stream *json_out; /* JSON being written, see cli/json.h */
	struct cli_target *target;   /* the open VM or image, see cli/target.h */
};

/* Set by Ctrl-C: long commands look at it, stop and return -EINTR. */
extern volatile sig_atomic_t cli_interrupted;

/* Not 0: a second Ctrl-C that nobody reacted to does not end the program, as it else does. */
extern volatile sig_atomic_t cli_outlives_interrupts;

/* Describe a failure in cli->error and return -@code. */
#define cli_fail(cli, code, ...) spt_fail(&(cli)->error, (code), __VA_ARGS__)

/* Print to stderr, or where cli->err says, one line, with the program's name before it. */
void cli_warn(struct cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), nonnull(2)));

#endif
