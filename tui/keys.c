// SPDX-License-Identifier: GPL-2.0
#include "tui/keys.h"

#include <stdio.h>

#include "tui/tui.h"

const struct tui_binding tui_bindings[] = {
#define C(id, a, b, c, views, help) { TUI_CMD_##id, { a, b, c }, views, help },
	TUI_COMMANDS(C)
#undef C
};
const size_t tui_nr_bindings = sizeof(tui_bindings) / sizeof(tui_bindings[0]);

const char *const tui_view_names[] = {
#define V(id, name, help) #name,
	TUI_VIEWS(V)
#undef V
		NULL,
};

static const struct {
	int key;
	const char *name;
} names[] = {
	{ TUI_KEY_TAB, "Tab" },
	{ TUI_KEY_BACK_TAB, "Shift-Tab" },
	{ TUI_KEY_ENTER, "Enter" },
	{ TUI_KEY_ESCAPE, "Esc" },
	{ TUI_KEY_UP, "Up" },
	{ TUI_KEY_DOWN, "Down" },
	{ TUI_KEY_LEFT, "Left" },
	{ TUI_KEY_RIGHT, "Right" },
	{ TUI_KEY_HOME, "Home" },
	{ TUI_KEY_END, "End" },
	{ TUI_KEY_PAGE_UP, "PgUp" },
	{ TUI_KEY_PAGE_DOWN, "PgDn" },
	{ TUI_KEY_BACKSPACE, "Backspace" },
	{ ' ', "Space" },
};

enum tui_command tui_key_command(int key, enum tui_view_id view)
{
	for (size_t i = 0; key && i < tui_nr_bindings; i++)
		for (int k = 0; k < TUI_BINDING_KEYS; k++)
			if (tui_bindings[i].key[k] == key && tui_bindings[i].views >> view & 1)
				return tui_bindings[i].command;
	return TUI_CMD_NONE;
}

static int put_key(char *text, size_t size, int key)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].key == key)
			return snprintf(text, size, "%s", names[i].name);
	if (key < ' ')
		return snprintf(text, size, "^%c", key + '@');
	return snprintf(text, size, "%c", key);
}

const char *tui_binding_keys(const struct tui_binding *b, char text[TUI_KEYS_TEXT])
{
	int at = 0;

	text[0] = '\0';
	for (int k = 0; k < TUI_BINDING_KEYS && at < TUI_KEYS_TEXT - 2; k++) {
		if (!b->key[k])
			continue;
		if (at)
			at += snprintf(text + at, TUI_KEYS_TEXT - (size_t)at, ", ");
		at += put_key(text + at, TUI_KEYS_TEXT - (size_t)at, b->key[k]);
	}
	return text;
}

void tui_keys_list(void (*fn)(void *arg, const char *keys, const char *views, const char *help),
		   void *arg)
{
	for (size_t i = 0; i < tui_nr_bindings; i++) {
		const struct tui_binding *b = &tui_bindings[i];
		char keys[TUI_KEYS_TEXT], views[128] = "";
		size_t at = 0;

		for (int v = 0; v < TUI_VIEW_COUNT && b->views != TUI_EVERYWHERE; v++)
			if (b->views >> v & 1 && at < sizeof(views))
				at += (size_t)snprintf(views + at, sizeof(views) - at, "%s%s",
						       at ? ", " : "", tui_view_names[v]);
		fn(arg, tui_binding_keys(b, keys), views, b->help);
	}
}
