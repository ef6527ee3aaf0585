/* SPDX-License-Identifier: GPL-2.0 */
/* Lines that somebody writes into a pseudo-terminal, read at its other end. */
#ifndef SPT_TESTS_FAKE_LINES_H
#define SPT_TESTS_FAKE_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct fake_lines {
	int master;
	char bytes[600]; /* read, and not yet taken */
	size_t have;
};

/* The next line with its newline, cut to @size; waits. False: "quit", or a line without end. */
bool fake_lines_next(struct fake_lines *lines, char *line, size_t size);

#endif
