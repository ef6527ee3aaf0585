/* SPDX-License-Identifier: GPL-2.0 */
/* Running commands: one from the program's arguments, a line of them, a file of lines. */
#ifndef SPT_CLI_RUN_H
#define SPT_CLI_RUN_H

#include <stdio.h>

#include "cli/cli.h"

#define CLI_MAX_WORDS 64 /* of one command */

/*
 * Run a command with its arguments and options, of which global ones may stand before
 * its name; print its answer or its error. @where stands before an error's text
 * ("FILE:LINE"), NULL: nothing does. argv is permuted. Returns enum cli_status.
 */
int cli_run(struct cli *cli, int argc, const char **argv, const char *where);

/*
 * Run the commands of one line, separated by ';'. Quotes and backslashes work as
 * in a shell, '#' starts a comment; what stands behind '|' is a line of /bin/sh that
 * gets the command's output. The line is written to. An error stops the line.
 * Returns the worst status.
 */
int cli_run_line(struct cli *cli, char *line, const char *where);

/*
 * Run each line of @in, called @name in errors. @stop: an error ends it. Returns
 * the worst status.
 */
int cli_run_file(struct cli *cli, FILE *in, const char *name, bool stop);

/* Whether the words of a line that could not be parsed ask for JSON. */
bool cli_wants_json(int argc, const char *const *argv);

/* Print the error of a line that could not be run; under --json its object, too. */
void cli_report(struct cli *cli, const char *where);

#endif
