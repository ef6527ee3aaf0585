// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a script of keys against a program on a terminal, and compares what the terminal shows.
 *
 *   screen [--update] [--size 80x24] GOLDEN-DIR SCRIPT [NAME=VALUE]...
 *
 * The script's statements, one a line; '#' starts a comment:
 *
 *   size 132x43            of the terminals of the next programs, in place of --size
 *   env NAME=VALUE ...     environment of the next programs
 *   run LINE               a line of /bin/sh, without a terminal; it must succeed
 *   start COMMAND          a simple command of /bin/sh on a terminal: the program
 *   keys WORD ...          "a text", or Enter Tab Escape Up F1 C-c M-x q ...
 *   click ROW COLUMN [BUTTON]  counted from 1; buttons 4 and 5 are the wheel
 *   resize 100x30
 *   hide /REGEX/           what no two runs have alike: '~' for it in the screens of 'expect'
 *   patience SECONDS       for what is waited for from here on, in place of 30
 *   wait /REGEX/           until the screen's text has it (extended, ^ and $ at every line)
 *   expect screen NAME     that the screen becomes GOLDEN-DIR/NAME
 *   expect painted NAME    the same with colours, attributes and the cursor
 *   expect no /REGEX/      in the screen as it is
 *   expect bytes N         were written since the last key or resize, at most
 *   expect quiet MS        that nothing is written for so long
 *   expect exit STATUS     that the program ends, with this status
 *
 * Programs have in their environment PATH, HOME (an empty directory, removed in the end, where
 * they start), TERM=xterm-256color, LC_ALL=C.UTF-8, the NAME=VALUEs given here, and nothing else.
 * What is waited for must come in time. --update writes the golden files when the
 * screen has been still for a while: look at them before committing.
 */
#include <ftw.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/screen/picture.h"
#include "tests/screen/script.h"

void script_stop(const struct script *s, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", s->name, s->line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (s->terminal.screen) {
		char *shown = picture_of(&s->terminal, false);

		fprintf(stderr, "; the screen:\n%s", shown);
		free(shown);
	}
	fputc('\n', stderr);
	exit(1);
}

void script_set_env(struct script *s, const char *pair)
{
	size_t name = strcspn(pair, "=") + 1;
	int i = 0;

	while (s->env[i] && strncmp(s->env[i], pair, name) != 0)
		i++;
	if (i == MAX_ENV)
		script_stop(s, "more than %d variables", MAX_ENV);
	free(s->env[i]);
	s->env[i] = strdup(pair);
}

void script_run(struct script *s, const struct statement *table, char *line)
{
	size_t len = strcspn(line, " ");
	char *rest = line + len + (line[len] == ' ');

	line[len] = '\0';
	while (table->word && strcmp(table->word, line) != 0)
		table++;
	if (!table->word)
		script_stop(s, "no such statement: %s", line);
	table->run(s, rest);
}

static void run_lines(struct script *s, FILE *in)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	while ((len = getline(&line, &room, in)) >= 0) {
		s->line++;
		if (len && line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (line[0] && line[0] != '#')
			script_run(s, script_statements, line);
	}
	free(line);
	if (s->terminal.pid)
		script_stop(s, "the program still runs at the end: 'expect exit'");
}

static char work[] = "/tmp/screen.XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void remove_work(void)
{
	nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void set_environment(struct script *s, char **pairs)
{
	char text[4096];

	snprintf(text, sizeof(text), "PATH=%s", getenv("PATH"));
	script_set_env(s, text);
	snprintf(text, sizeof(text), "HOME=%s", work);
	script_set_env(s, text);
	script_set_env(s, "TERM=xterm-256color");
	script_set_env(s, "LC_ALL=C.UTF-8");
	for (; *pairs; pairs++)
		script_set_env(s, *pairs);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "update", no_argument, NULL, 'u' },
		{ "size", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	static struct script s = { .name = "screen",
				   .rows = 24,
				   .columns = 80,
				   .patience_ms = PATIENCE_MS,
				   .terminal = { .fd = -1 } };
	int option;
	FILE *in;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'u')
			s.update = true;
		else if (option == 's')
			script_size(&s, optarg, &s.rows, &s.columns);
		else
			return 2;
	}
	argv += optind;
	if (argc - optind < 2) {
		fprintf(stderr, "usage: screen [--update] [--size 80x24] GOLDEN-DIR SCRIPT "
				"[NAME=VALUE]...\n");
		return 2;
	}
	s.name = argv[1];
	mkdir(argv[0], 0777);
	s.golden = realpath(argv[0], NULL);
	in = fopen(argv[1], "re");
	if (!in || !s.golden || !mkdtemp(work) || chdir(work)) {
		perror(in ? argv[0] : argv[1]);
		return 2;
	}
	atexit(remove_work);
	set_environment(&s, argv + 2);
	run_lines(&s, in);
	fclose(in);
	return s.failed;
}
