// SPDX-License-Identifier: GPL-2.0
#include "tui/prompt.h"

#include <stdio.h>
#include <string.h>

#include "tui/screen.h"

void tui_prompt_open(struct tui *t, const char *title, const char *text,
		     void (*done)(struct tui *t, const char *text))
{
	struct tui_prompt *p = &t->prompt;

	memset(p, 0, sizeof(*p));
	p->title = title;
	p->done = done;
	snprintf(p->text, sizeof(p->text), "%s", text);
	p->len = strlen(p->text);
}

void tui_prompt_ask(struct tui *t, const char *title, void (*done)(struct tui *t, const char *text))
{
	tui_prompt_open(t, title, "", done);
	t->prompt.yes_no = true;
}

#define CUT "\342\200\246" /* an ellipsis: one column */

/* The end of what is typed is always there, of the title as much as leaves it half the row. */
int tui_prompt_draw(const struct tui_prompt *p, struct tui_canvas *c, int row)
{
	int title = (int)strlen(p->title) + 1, room = c->cols - 1 - title, len = (int)p->len, col;

	tui_fill(c, row, 0, c->cols, TUI_PLAIN, ' ');
	if (room < len && room < c->cols / 2)
		room = len < c->cols / 2 ? len : c->cols / 2;
	if (c->cols - 1 - room >= title)
		col = tui_put(c, row, 0, TUI_KEY, "%s ", p->title);
	else
		col = tui_put(c, row, 0, TUI_KEY, "%.*s" CUT " ",
			      c->cols > room + 3 ? c->cols - room - 3 : 0, p->title);
	if (len > room && room > 1)
		return tui_put(c, row, col, TUI_PLAIN, CUT "%s", p->text + len - room + 1);
	return tui_put(c, row, col, TUI_PLAIN, "%s", p->text);
}

static void take_char(struct tui_prompt *p, int key)
{
	if (p->len + 1 >= sizeof(p->text) || key < ' ' || key > '~')
		return;
	p->text[p->len++] = (char)key;
	p->text[p->len] = '\0';
}

void tui_prompt_key(struct tui *t, int key)
{
	struct tui_prompt p = t->prompt;

	if (key == TUI_KEY_ESCAPE || key == TUI_CTRL('c') || (p.yes_no && key != 'y')) {
		t->prompt.title = NULL;
		return;
	}
	if (p.yes_no || key == TUI_KEY_ENTER) {
		t->prompt.title = NULL;
		p.done(t, p.yes_no ? "y" : p.text);
		return;
	}
	if (key == TUI_KEY_BACKSPACE && p.len)
		t->prompt.text[--t->prompt.len] = '\0';
	else if (key == TUI_CTRL('u'))
		t->prompt.text[t->prompt.len = 0] = '\0';
	else
		take_char(&t->prompt, key);
}
