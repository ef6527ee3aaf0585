// SPDX-License-Identifier: GPL-2.0
/*
 * tui SPT IMAGE: how many frames a second the live view's map gives when it scrolls through
 * an image by whole screens, on a terminal of 132 x 43, and how many bytes a frame is.
 * A key is sent when the frame before is there in full, as a terminal has it. Several zooms
 * are tried: the slowest is the figure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/screen/picture.h"
#include "tests/screen/terminal.h"

#define ROWS	  43
#define COLUMNS	  132
#define FRAMES	  100
#define PATIENCE  60000 /* ms */
#define ZOOMS	  4
#define ZOOM_KEYS "+++" /* eight times */

extern char **environ;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/* The last line, which has the cursor's address and comes last. */
static void last_line(const struct terminal *t, char *text)
{
	for (int column = 0; column < COLUMNS; column++) {
		VTermPos pos = { .row = ROWS - 1, .col = column };
		VTermScreenCell cell;

		vterm_screen_get_cell(t->screen, pos, &cell);
		text[column] = cell.chars[0] && cell.chars[0] < 0x7f ? (char)cell.chars[0] : ' ';
	}
	text[COLUMNS] = '\0';
}

static void fail(const struct terminal *t, const char *what)
{
	fprintf(stderr, "tui: %s; the screen:\n%s", what, picture_of(t, false));
	exit(1);
}

/* Until the last line is another one. */
static void wait_frame(struct terminal *t, const char *before)
{
	char text[COLUMNS + 1];

	do {
		if (terminal_read(t, PATIENCE) <= 0)
			fail(t, "no frame came");
		last_line(t, text);
	} while (!strcmp(text, before));
}

/* Until all blocks are known: none is a '…' any more. */
static void wait_all(struct terminal *t)
{
	for (;;) {
		char *text = picture_of(t, false);
		bool all = strstr(text, "page size") && !strstr(text, "\342\200\246");

		free(text);
		if (all)
			return;
		if (terminal_read(t, PATIENCE) <= 0)
			fail(t, "the map is never there");
	}
}

static void key(struct terminal *t, const char *word)
{
	char before[COLUMNS + 1];

	last_line(t, before);
	terminal_type(t, word);
	wait_frame(t, before);
}

/* Frames a second at this zoom; *bytes of each. */
static double scroll(struct terminal *t, double *bytes)
{
	uint64_t begin, sum = 0;

	begin = now_ns();
	for (int i = 0; i < FRAMES; i++) {
		key(t, i < FRAMES / 2 ? "PageDown" : "PageUp");
		wait_all(t);
		sum += t->bytes;
	}
	*bytes = (double)sum / FRAMES;
	return FRAMES * 1e9 / (double)(now_ns() - begin);
}

int main(int argc, char **argv)
{
	struct terminal t = { .fd = -1 };
	char command[8192], zooms[512] = "";
	double worst = 0, worst_bytes = 0;
	uint64_t begin = now_ns(), first;

	if (argc != 3) {
		fprintf(stderr, "usage: tui SPT IMAGE\n");
		return 2;
	}
	setenv("TERM", "xterm-256color", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("NO_COLOR");
	snprintf(command, sizeof(command), "'%s' -i '%s' tui map", argv[1], argv[2]);
	terminal_start(&t, command, environ, ROWS, COLUMNS);
	wait_all(&t);
	first = now_ns() - begin;
	for (int zoom = 0; zoom < ZOOMS; zoom++) {
		double fps, bytes;
		size_t at = strlen(zooms);

		terminal_type(&t, "\"" ZOOM_KEYS "\"");
		key(&t, "Right");
		wait_all(&t);
		fps = scroll(&t, &bytes);
		snprintf(zooms + at, sizeof(zooms) - at, "%s%.1f", zoom ? ", " : "", fps);
		if (!zoom || fps < worst) {
			worst = fps;
			worst_bytes = bytes;
		}
	}
	terminal_type(&t, "q");
	while (terminal_read(&t, PATIENCE) >= 0)
		;
	if (terminal_wait(&t))
		fail(&t, "it did not end well");
	printf("{\"name\": \"tui_fps\", \"value\": %.1f, \"ours_ns\": %.0f, \"reference_ns\": 0, "
	       "\"reference\": \"a pty of %dx%d, by screens\", \"bytes_per_frame\": %.0f, "
	       "\"first_ns\": %llu, \"zooms\": [%s]}\n",
	       worst, 1e9 / worst, COLUMNS, ROWS, worst_bytes, (unsigned long long)first, zooms);
	return 0;
}
