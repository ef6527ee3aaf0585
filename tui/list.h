/* SPDX-License-Identifier: GPL-2.0 */
/* A list of lines with one chosen: where it is scrolled to, and the keys that move it. */
#ifndef SPT_TUI_LIST_H
#define SPT_TUI_LIST_H

#include "tui/screen.h"

struct tui_list {
	int count;
	int top, at; /* first line shown, chosen line */
};

/* Of another length: the chosen line stays in it. */
void tui_list_set(struct tui_list *l, int count);

/* Make the chosen line one of @rows shown. */
void tui_list_fit(struct tui_list *l, int rows);

/* Move by a key; @row, @rows: where its lines are drawn. False: not such a key. */
bool tui_list_key(struct tui_list *l, enum tui_command command, int key, int row, int rows);

/* Mark the chosen line, if it is among those shown from @row on. */
void tui_list_mark(struct tui *t, const struct tui_list *l, int row, int rows);

#endif
