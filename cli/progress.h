/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How far long work is: one line on stderr, only where that is a terminal and only
 * once the work has lasted long enough to be noticed.
 */
#ifndef SPT_CLI_PROGRESS_H
#define SPT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"

struct cli_progress {
	const char *what;      /* is being done: one word, static */
	uint64_t began, drawn; /* ms of a clock that only goes forward */
	bool tty, shown;
};

struct cli_progress cli_progress_begin(struct cli *cli, const char *what);

/*
 * @done of @total; 0: that is not known, and @done are bytes. Has the type that library
 * functions ask for, with the struct as @arg; returns 1 once Ctrl-C was pressed.
 */
int cli_progress_step(void *arg, uint64_t done, uint64_t total);

/* Take the line away. */
void cli_progress_end(struct cli_progress *progress);

#endif
