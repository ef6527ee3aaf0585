/* SPDX-License-Identifier: GPL-2.0 */
/* Running a command for what it prints. */
#ifndef SPT_CLI_CAPTURE_H
#define SPT_CLI_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"

/*
 * Run argv[0] with its answer into *@output (NUL-terminated, to be freed, @size bytes), as if it
 * went to no terminal. @warnings: into it, too, not to stderr. Returns enum cli_status, or -1
 * without an output when there is no memory.
 */
int cli_capture(struct cli *cli, int argc, const char **argv, bool warnings, char **output,
		size_t *size);

#endif
