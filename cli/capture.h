/* SPDX-License-Identifier: GPL-2.0 */
/* Running a command for what it prints. */
#ifndef SPT_CLI_CAPTURE_H
#define SPT_CLI_CAPTURE_H

#include <stddef.h>

#include "cli/cli.h"

/* Where what a captured command has to warn of goes. */
enum cli_capture_warnings {
	CLI_WARNINGS_STDERR, /* where those of the others go */
	CLI_WARNINGS_WITHIN, /* among what it prints */
	CLI_WARNINGS_DROPPED /* nowhere: a JSON document has them itself */
};

/*
 * Run argv[0] with its answer into *@output (NUL-terminated, to be freed, @size bytes), as if it
 * went to no terminal. Returns enum cli_status, or -1 without an output when there is no memory.
 */
int cli_capture(struct cli *cli, int argc, const char **argv, enum cli_capture_warnings warnings,
		char **output, size_t *size);

#endif
