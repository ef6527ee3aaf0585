/* SPDX-License-Identifier: GPL-2.0 */
/* Explanations below what they explain: wrapped for people, as arrays of lines in JSON. */
#ifndef SPT_CLI_SHOW_EXPLAIN_H
#define SPT_CLI_SHOW_EXPLAIN_H

#include <stdio.h>

#include <json-c/json.h>

/* How wide a terminal such text is for, 0: as it comes. For all that is printed from now on. */
void cli_explain_width(int columns);

/* Print @text below an entry, wrapped at a readable width. */
void cli_print_words(FILE *out, const char *text);

/* spt_explain_fn: print a line as an item of a list; @out is a FILE. */
void cli_print_item(void *out, const char *line);

/* spt_explain_fn: add a line to @array, a JSON array. */
void cli_add_item(void *array, const char *line);

#endif
