// SPDX-License-Identifier: GPL-2.0
/* What keys are called in a script. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/screen/terminal.h"

static const struct {
	const char *name;
	VTermKey key;
} keys[] = {
	{ "Enter", VTERM_KEY_ENTER },
	{ "Tab", VTERM_KEY_TAB },
	{ "Backspace", VTERM_KEY_BACKSPACE },
	{ "Escape", VTERM_KEY_ESCAPE },
	{ "Up", VTERM_KEY_UP },
	{ "Down", VTERM_KEY_DOWN },
	{ "Left", VTERM_KEY_LEFT },
	{ "Right", VTERM_KEY_RIGHT },
	{ "Insert", VTERM_KEY_INS },
	{ "Delete", VTERM_KEY_DEL },
	{ "Home", VTERM_KEY_HOME },
	{ "End", VTERM_KEY_END },
	{ "PageUp", VTERM_KEY_PAGEUP },
	{ "PageDown", VTERM_KEY_PAGEDOWN },
};

static bool type_key(struct terminal *t, const char *name, VTermModifier mod)
{
	int number;
	char end;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].name, name))
			continue;
		vterm_keyboard_key(t->vt, keys[i].key, mod);
		return true;
	}
	if (sscanf(name, "F%d%c", &number, &end) == 1 && number > 0 && number <= 12) {
		vterm_keyboard_key(t->vt, (VTermKey)VTERM_KEY_FUNCTION(number), mod);
		return true;
	}
	return false;
}

bool terminal_type(struct terminal *t, const char *word)
{
	VTermModifier mod = VTERM_MOD_NONE;
	size_t len = strlen(word);

	t->bytes = 0;
	if (len > 1 && word[0] == '"' && word[len - 1] == '"') {
		terminal_send(t, word + 1, len - 2);
		return true;
	}
	while (word[0] && word[1] == '-' && word[2]) {
		if (word[0] == 'C')
			mod |= VTERM_MOD_CTRL;
		else if (word[0] == 'M')
			mod |= VTERM_MOD_ALT;
		else if (word[0] == 'S')
			mod |= VTERM_MOD_SHIFT;
		else
			return false;
		word += 2;
	}
	if (type_key(t, word, mod))
		return true;
	if (word[1] || !word[0])
		return false;
	vterm_keyboard_unichar(t->vt, (unsigned char)word[0], mod);
	return true;
}
