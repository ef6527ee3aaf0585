/* SPDX-License-Identifier: GPL-2.0 */
/* Lines of text that can be longer than the screen: help, a command's answer, a walk. */
#ifndef SPT_TUI_TEXT_H
#define SPT_TUI_TEXT_H

#include <stddef.h>

#include "tui/canvas.h"
#include "tui/keys.h"

/* A line as it is shown: a long one is several. */
struct tui_line {
	const char *text;
	int len;    /* bytes */
	int indent; /* blanks before it */
};

struct tui_text {
	char *bytes; /* NULL: none */
	size_t len;
	struct tui_line *line;
	int lines, room;
	int cols; /* that they were made for */
	int top;  /* first line shown */
};

/* Take @bytes (malloc()ed, @len of them; owned from here on), shown @cols wide. 0, -ENOMEM. */
int tui_text_set(struct tui_text *t, char *bytes, size_t len, int cols);
void tui_text_free(struct tui_text *t);

/* Draw what fits, under a line with @title when that is not NULL. */
void tui_text_draw(struct tui_text *t, struct tui_canvas *c, int row, int rows, const char *title);

/* Scroll; false: not a key for that. */
bool tui_text_key(struct tui_text *t, enum tui_command command, int key, int rows);

#endif
