/* SPDX-License-Identifier: GPL-2.0 */
/* Text made to fit the width of a terminal. */
#ifndef SPT_CLI_FOLD_H
#define SPT_CLI_FOLD_H

#include <stddef.h>
#include <stdio.h>

#include "cli/cli.h"

/* Columns that the answer has; 0: it is for no terminal, and lines are as long as they are. */
size_t cli_width(const struct cli *cli);

/*
 * Write @text to @out so that no line is longer than @width (0: as it is), if no word is. Long
 * lines without an indent that follow one another are a paragraph and filled anew. Of an indented
 * line the rest goes below what follows its first two blanks in a row, as in a list.
 */
void cli_fold(FILE *out, const char *text, size_t width);

#endif
