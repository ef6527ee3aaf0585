// SPDX-License-Identifier: GPL-2.0
/* What a script does; what it expects is in expect.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/screen/script.h"

#define MAX_WORDS 64

struct terminal *script_terminal(struct script *s)
{
	if (!s->terminal.screen)
		script_stop(s, "no program was started");
	return &s->terminal;
}

void script_size(struct script *s, const char *text, int *rows, int *columns)
{
	char end;

	if (sscanf(text, "%dx%d%c", columns, rows, &end) != 2 || *rows < 1 || *columns < 1)
		script_stop(s, "no size: %s", text);
}

/* Split @text at blanks; a text in quotes is one word. */
static int split(struct script *s, char *text, char **words)
{
	int n = 0;

	while (*(text += strspn(text, " "))) {
		char *end = *text == '"' ? strchr(text + 1, '"') : NULL;
		size_t len = end ? (size_t)(end + 1 - text) : strcspn(text, " ");

		if (n == MAX_WORDS)
			script_stop(s, "more than %d words", MAX_WORDS);
		words[n++] = text;
		text += len;
		if (*text)
			*text++ = '\0';
	}
	return n;
}

static void set_size(struct script *s, char *rest)
{
	script_size(s, rest, &s->rows, &s->columns);
}

static void set_env(struct script *s, char *rest)
{
	char *words[MAX_WORDS];
	int n = split(s, rest, words);

	for (int i = 0; i < n; i++)
		script_set_env(s, words[i]);
}

static void run_outside(struct script *s, char *line)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execle("/bin/sh", "sh", "-c", line, NULL, s->env);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		script_stop(s, "it failed");
}

static void start(struct script *s, char *line)
{
	if (s->terminal.pid)
		script_stop(s, "the program before has not ended: 'expect exit'");
	terminal_start(&s->terminal, line, s->env, s->rows, s->columns);
}

static void type_keys(struct script *s, char *rest)
{
	char *words[MAX_WORDS];
	int n = split(s, rest, words);

	for (int i = 0; i < n; i++)
		if (!terminal_type(script_terminal(s), words[i]))
			script_stop(s, "no key is called %s", words[i]);
}

static void click(struct script *s, char *rest)
{
	int row, column, button = 1;

	if (sscanf(rest, "%d %d %d", &row, &column, &button) < 2)
		script_stop(s, "click where: %s", rest);
	terminal_click(script_terminal(s), button, row, column);
}

static void resize(struct script *s, char *rest)
{
	int rows, columns;

	script_size(s, rest, &rows, &columns);
	terminal_resize(script_terminal(s), rows, columns);
}

static void set_patience(struct script *s, char *rest)
{
	s->patience_ms = atoi(rest) * 1000;
	if (s->patience_ms <= 0)
		script_stop(s, "no time: %s", rest);
}

static void expect(struct script *s, char *rest)
{
	script_run(s, script_expectations, rest);
}

const struct statement script_statements[] = {
	{ "size", set_size }, { "env", set_env },      { "run", run_outside },
	{ "start", start },   { "keys", type_keys },   { "click", click },
	{ "resize", resize }, { "wait", script_wait }, { "patience", set_patience },
	{ "expect", expect }, { "hide", script_hide }, { NULL, NULL },
};
