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

int tui_prompt_draw(const struct tui_prompt *p, struct tui_canvas *c, int row)
{
	int col;

	tui_fill(c, row, 0, c->cols, TUI_PLAIN, ' ');
	col = tui_put(c, row, 0, TUI_KEY, "%s ", p->title);
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
