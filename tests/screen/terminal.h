/* SPDX-License-Identifier: GPL-2.0 */
/* A program on a terminal of its own, and what that terminal shows. */
#ifndef SPT_TESTS_SCREEN_TERMINAL_H
#define SPT_TESTS_SCREEN_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <vterm.h>

struct terminal {
	VTerm *vt;
	VTermScreen *screen;
	int rows, columns;
	int fd;	      /* our side of the program's terminal; -1: none runs */
	pid_t pid;    /* of the program */
	size_t bytes; /* it wrote since the last key or resize */
	VTermPos cursor;
	bool cursor_shown;
};

/*
 * Start @command, a simple command of /bin/sh, on a terminal of @rows and @columns with the
 * environment @env and nothing else. The program is killed when we end.
 */
void terminal_start(struct terminal *t, const char *command, char *const *env, int rows,
		    int columns);

/* Let the program know another size. */
void terminal_resize(struct terminal *t, int rows, int columns);

/*
 * Wait for output for up to @milliseconds and show it. 1: there was some; 0: none;
 * -1: the program has closed its terminal, and none will come.
 */
int terminal_read(struct terminal *t, int milliseconds);

/* Wait until it ends; its exit status, 128 + signal where one ended it. */
int terminal_wait(struct terminal *t);

/*
 * Type one word of a script: a text in quotes ("walk\t"), or the name of a key: Enter, Up,
 * F1, C-c, M-x. False: there is no such key.
 */
bool terminal_type(struct terminal *t, const char *word);

/* Write these bytes to it as they are. */
void terminal_send(struct terminal *t, const char *bytes, size_t len);

/* Press and release mouse button @button (4, 5: the wheel) at this cell, counted from 1. */
void terminal_click(struct terminal *t, int button, int row, int column);

#endif
