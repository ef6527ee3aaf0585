// SPDX-License-Identifier: GPL-2.0
/*
 * play ROWSxCOLS PROGRAM ARGS...: runs a program on such a terminal, and on stdin a script:
 *
 *	key TEXT	send it (\e \n \t \\ \xHH), then wait for a frame and for its end
 *	send TEXT	the same without waiting
 *	until TEXT	wait until a row shows it; 'gone TEXT': until none does
 *	resize RxC	change the terminal's size
 *	shot NAME	print the screen; 'colours NAME': the colour of each cell
 *	signal N	send a signal to the program
 *	end STATUS	wait for its end, which must be with this status
 *
 * Exit status 1 when what is waited for does not come within 60 seconds.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/tui/terminal.h"

#define PATIENCE_S 60

static int fail(const struct terminal *t, const char *what, const char *text)
{
	printf("not ok: %s %s; the screen:\n", what, text);
	terminal_print(t, stdout);
	kill(t->pid, SIGKILL);
	return 1;
}

static size_t unescape(const char *text, char *bytes)
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text != '\\') {
			bytes[n++] = *text;
			continue;
		}
		text++;
		if (*text == 'x')
			bytes[n++] = (char)strtoul((char[]){ text[1], text[2], 0 }, NULL, 16),
			text += 2;
		else
			bytes[n++] = *text == 'e'   ? '\033'
				     : *text == 'n' ? '\n'
				     : *text == 'r' ? '\r'
				     : *text == 't' ? '\t'
						    : *text;
	}
	return n;
}

static bool wait_for(struct terminal *t, const char *text, bool shown)
{
	time_t end = time(NULL) + PATIENCE_S;

	while (!t->ended && time(NULL) < end) {
		terminal_settle(t);
		if (terminal_shows(t, text) == shown)
			return true;
		terminal_read(t, 200);
	}
	return false;
}

/* A frame: something is written, then nothing more. */
static bool wait_frame(struct terminal *t, uint64_t before)
{
	time_t end = time(NULL) + PATIENCE_S;

	while (t->bytes == before && !t->ended && time(NULL) < end)
		terminal_read(t, 1000);
	terminal_settle(t);
	return t->bytes != before;
}

/* One line of the script; other than 0: it failed. */
static int step(struct terminal *t, char *line)
{
	char *text = line + strcspn(line, " "), bytes[512];
	uint64_t before = t->bytes;
	int rows, cols;

	line[strcspn(line, "\n")] = '\0';
	if (*text == ' ')
		*text++ = '\0';
	if (!strcmp(line, "key") || !strcmp(line, "send")) {
		terminal_send(t, bytes, unescape(text, bytes));
		return line[0] == 'k' && !wait_frame(t, before) ? fail(t, "nothing after", text)
								: 0;
	}
	if (!strcmp(line, "until"))
		return wait_for(t, text, true) ? 0 : fail(t, "never shown:", text);
	if (!strcmp(line, "gone"))
		return wait_for(t, text, false) ? 0 : fail(t, "always shown:", text);
	if (!strcmp(line, "resize") && sscanf(text, "%dx%d", &rows, &cols) == 2) {
		terminal_resize(t, rows, cols);
		return wait_frame(t, before) ? 0 : fail(t, "nothing after", "resize");
	}
	if (!strcmp(line, "shot") || !strcmp(line, "colours")) {
		printf("=== %s\n", text);
		(line[0] == 's' ? terminal_print : terminal_print_colours)(t, stdout);
		return 0;
	}
	if (!strcmp(line, "signal"))
		return kill(t->pid, atoi(text));
	return fail(t, "no such step:", line);
}

int main(int argc, char **argv)
{
	struct terminal t;
	char line[512];
	int rows, cols;

	if (argc < 3 || sscanf(argv[1], "%dx%d", &rows, &cols) != 2) {
		fprintf(stderr, "usage: play ROWSxCOLS PROGRAM ARGS... <SCRIPT\n");
		return 2;
	}
	terminal_start(&t, rows, cols, argv + 2);
	while (fgets(line, sizeof(line), stdin)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (!strncmp(line, "end ", 4)) {
			int status = terminal_end(&t);

			if (status == atoi(line + 4))
				return 0;
			printf("not ok: ended with status %d, not %s", status, line + 4);
			return 1;
		}
		if (step(&t, line))
			return 1;
	}
	return fail(&t, "no 'end'", "");
}
