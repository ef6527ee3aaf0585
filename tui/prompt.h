/* SPDX-License-Identifier: GPL-2.0 */
/* One line of input in the last line of the screen. */
#ifndef SPT_TUI_PROMPT_H
#define SPT_TUI_PROMPT_H

#include <stddef.h>

#include "tui/canvas.h"

#define TUI_PROMPT_TEXT 256

struct tui;

struct tui_prompt {
	const char *title; /* NULL: there is none */
	char text[TUI_PROMPT_TEXT];
	size_t len;
	/* Called with the text when it is entered; it may open another prompt. */
	void (*done)(struct tui *t, const char *text);
	bool yes_no; /* a single key is the answer: done() gets "y" or is not called */
};

void tui_prompt_open(struct tui *t, const char *title, const char *text,
		     void (*done)(struct tui *t, const char *text));
void tui_prompt_ask(struct tui *t, const char *title,
		    void (*done)(struct tui *t, const char *text));

/* Draw it; returns the column of the cursor. */
int tui_prompt_draw(const struct tui_prompt *p, struct tui_canvas *c, int row);
void tui_prompt_key(struct tui *t, int key);

#endif
