/* SPDX-License-Identifier: GPL-2.0 */
/* A program on a terminal that is not there: a pty, and libvterm for what it would show. */
#ifndef SPT_TESTS_TUI_TERMINAL_H
#define SPT_TESTS_TUI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <vterm.h>

struct terminal {
	int fd; /* of the pty's master */
	pid_t pid;
	int rows, cols;
	uint64_t bytes; /* that the program has written */
	VTerm *vterm;
	VTermScreen *screen;
	bool ended; /* the program has closed it */
};

/* Start @argv on @rows x @cols. Ends this program when it cannot. */
void terminal_start(struct terminal *t, int rows, int cols, char **argv);

/* Take what the program writes within @ms; false: nothing came. */
bool terminal_read(struct terminal *t, int ms);

void terminal_send(struct terminal *t, const char *bytes, size_t len);
void terminal_resize(struct terminal *t, int rows, int cols);

/* Read until the program sleeps and nothing more is under way. */
void terminal_settle(struct terminal *t);

/* One row as UTF-8, without the blanks at its end, into @text (4 bytes a column, and one). */
void terminal_row(const struct terminal *t, int row, char *text);

/* Whether the screen shows @text in one of its rows. */
bool terminal_shows(const struct terminal *t, const char *text);

/* All rows; or the foreground colour of each cell as a letter, ' ' the default, upper case
 * reversed. */
void terminal_print(const struct terminal *t, FILE *out);
void terminal_print_colours(const struct terminal *t, FILE *out);

/* Wait for the program's end; its exit status, or 128 + signal. */
int terminal_end(struct terminal *t);

#endif
