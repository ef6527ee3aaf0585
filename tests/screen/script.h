/* SPDX-License-Identifier: GPL-2.0 */
/* A script of keys that runs, see main.c for what it may say. */
#ifndef SPT_TESTS_SCREEN_SCRIPT_H
#define SPT_TESTS_SCREEN_SCRIPT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/screen/terminal.h"

#define PATIENCE_MS 30000 /* for anything that is waited for, unless the script says otherwise */
#define MAX_ENV	    32
#define MAX_HIDDEN  16

struct script {
	const char *name;
	const char *golden; /* directory of the screens */
	int line;
	bool update;
	bool failed;	 /* a screen differs */
	int patience_ms; /* for what is waited for */
	int rows, columns;
	char *env[MAX_ENV + 1];
	regex_t hidden[MAX_HIDDEN];
	int nr_hidden;
	struct terminal terminal;
};

/* One word that a line may begin with, and what is done with the rest of that line. */
struct statement {
	const char *word;
	void (*run)(struct script *s, char *rest);
};

/* Run the one of the table, which ends with an empty entry, that @line begins with. */
void script_run(struct script *s, const struct statement *table, char *line);

/* All that a line may be; and what may follow 'expect'. */
extern const struct statement script_statements[];
extern const struct statement script_expectations[];

/* Say what went wrong at this line, with the screen as it is, and end. */
void script_stop(const struct script *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* The terminal of the program, which must have been started. */
struct terminal *script_terminal(struct script *s);

/* NAME=VALUE for the next program; an older value of the name is replaced. */
void script_set_env(struct script *s, const char *pair);

/* Take '80x24' apart: columns first. */
void script_size(struct script *s, const char *text, int *rows, int *columns);

/* 'wait': until the text matches. */
void script_wait(struct script *s, char *regex);

/* 'hide': in screens that are compared from here on. */
void script_hide(struct script *s, char *regex);

#endif
