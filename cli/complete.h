/* SPDX-License-Identifier: GPL-2.0 */
/* Completion of a command line, from the tables that also parse it. */
#ifndef SPT_CLI_COMPLETE_H
#define SPT_CLI_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

struct cli;

/*
 * What the word line[start..end) may become: a NULL-terminated array, to be
 * freed with its strings. NULL: nothing fits, or, with *@file set, a file name.
 * Roots and slots are those of the VM or image that @cli looks at; NULL: none.
 */
char **cli_complete(struct cli *cli, const char *line, size_t start, size_t end, bool *file);

#endif
