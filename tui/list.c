// SPDX-License-Identifier: GPL-2.0
#include "tui/list.h"

#define WHEEL 3

void tui_list_set(struct tui_list *l, int count)
{
	l->count = count;
	if (l->at >= count)
		l->at = count - 1;
	if (l->at < 0)
		l->at = 0;
}

void tui_list_fit(struct tui_list *l, int rows)
{
	if (l->top > l->at)
		l->top = l->at;
	if (l->at >= l->top + rows)
		l->top = l->at - rows + 1;
	if (l->top + rows > l->count)
		l->top = l->count - rows;
	if (l->top < 0)
		l->top = 0;
}

bool tui_list_key(struct tui_list *l, enum tui_command command, int key, int row, int rows)
{
	int page = rows > 1 ? rows - 1 : 1, y, x;

	if (command == TUI_CMD_UP)
		l->at--;
	else if (command == TUI_CMD_DOWN)
		l->at++;
	else if (command == TUI_CMD_PAGE_UP)
		l->at -= page;
	else if (command == TUI_CMD_PAGE_DOWN)
		l->at += page;
	else if (command == TUI_CMD_HOME)
		l->at = 0;
	else if (command == TUI_CMD_END)
		l->at = l->count - 1;
	else if (key == TUI_KEY_WHEEL_UP)
		l->at -= WHEEL;
	else if (key == TUI_KEY_WHEEL_DOWN)
		l->at += WHEEL;
	else if (key == TUI_KEY_CLICK) {
		tui_term_mouse(&y, &x);
		if (y >= row && y < row + rows && l->top + y - row < l->count)
			l->at = l->top + y - row;
	} else {
		return false;
	}
	tui_list_set(l, l->count);
	return true;
}

void tui_list_mark(struct tui *t, const struct tui_list *l, int row, int rows)
{
	int at = l->at - l->top;

	if (!l->count || at < 0 || at >= rows)
		return;
	tui_mark(&t->canvas, row + at, 0, t->canvas.cols, TUI_REVERSE);
	t->cursor_row = row + at;
	t->cursor_col = 0;
}
