// SPDX-License-Identifier: GPL-2.0
#include "tui/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void tui_text_free(struct tui_text *t)
{
	free(t->bytes);
	free(t->line);
	memset(t, 0, sizeof(*t));
}

static int add_line(struct tui_text *t, const char *text, int len, int indent)
{
	if (t->lines == t->room) {
		int room = t->room ? 2 * t->room : 64;
		struct tui_line *more = realloc(t->line, (size_t)room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		t->line = more;
		t->room = room;
	}
	t->line[t->lines++] = (struct tui_line){ text, len, indent };
	return 0;
}

/* How many of the @len bytes fit into @cols columns, if possible up to a blank. */
static int fitting(const char *text, int len, int cols)
{
	int bytes = 0, used = 0, blank = 0;

	while (bytes < len && used < cols) {
		if (text[bytes] == ' ')
			blank = bytes;
		for (bytes++; bytes < len && (text[bytes] & 0xc0) == 0x80;)
			bytes++;
		used++;
	}
	return bytes == len ? len : blank ? blank : bytes;
}

/* One line of the text as as many as it takes; the further ones begin under its first word. */
static int wrap_line(struct tui_text *t, const char *text, int len)
{
	int indent = (int)strspn(text, " "), first = 1;

	if (indent > len || indent > t->cols / 2)
		indent = 0;
	text += indent;
	len -= indent;
	do {
		int take = fitting(text, len, t->cols - indent);

		if (add_line(t, text, take, indent))
			return -ENOMEM;
		text += take;
		len -= take;
		while (len && *text == ' ')
			text++, len--;
		indent += first && indent + 2 < t->cols / 2 ? 2 : 0;
		first = 0;
	} while (len);
	return 0;
}

static int wrap(struct tui_text *t, int cols)
{
	const char *p = t->bytes, *end = t->bytes + t->len;

	t->lines = 0;
	t->cols = cols > 8 ? cols : 8;
	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));

		if (wrap_line(t, p, (int)((stop ? stop : end) - p)))
			return -ENOMEM;
		p = stop ? stop + 1 : end;
	}
	return 0;
}

int tui_text_set(struct tui_text *t, char *bytes, size_t len, int cols)
{
	int top = t->top;

	tui_text_free(t);
	t->bytes = bytes;
	t->len = len;
	if (wrap(t, cols)) {
		tui_text_free(t);
		return -ENOMEM;
	}
	/* The same text anew stays where it was. */
	t->top = top < t->lines ? top : 0;
	return 0;
}

void tui_text_draw(struct tui_text *t, struct tui_canvas *c, int row, int rows, const char *title)
{
	if (t->bytes && t->cols != c->cols && wrap(t, c->cols))
		return;
	if (title) {
		tui_fill(c, row, 0, c->cols, TUI_DIM, 0x2500);
		tui_put(c, row, 2, TUI_TITLE, " %s ", title);
		row++;
		rows--;
	}
	for (int i = 0; i < rows; i++) {
		const struct tui_line *l = &t->line[t->top + i];

		tui_fill(c, row + i, 0, c->cols, TUI_PLAIN, ' ');
		if (t->top + i < t->lines)
			tui_put(c, row + i, l->indent, TUI_PLAIN, "%.*s", l->len, l->text);
	}
	if (t->lines > rows)
		tui_put(c, row - (title != NULL), c->cols - 18, TUI_DIM, " %d-%d of %d ",
			t->top + 1, t->top + rows < t->lines ? t->top + rows : t->lines, t->lines);
}

bool tui_text_key(struct tui_text *t, enum tui_command command, int key, int rows)
{
	int last = t->lines > rows ? t->lines - rows : 0, page = rows > 1 ? rows - 1 : 1;

	if (command == TUI_CMD_UP || key == TUI_KEY_WHEEL_UP)
		t->top--;
	else if (command == TUI_CMD_DOWN || key == TUI_KEY_WHEEL_DOWN)
		t->top++;
	else if (command == TUI_CMD_PAGE_UP)
		t->top -= page;
	else if (command == TUI_CMD_PAGE_DOWN)
		t->top += page;
	else if (command == TUI_CMD_HOME)
		t->top = 0;
	else if (command == TUI_CMD_END)
		t->top = last;
	else
		return false;
	t->top = t->top < 0 ? 0 : t->top > last ? last : t->top;
	return true;
}
