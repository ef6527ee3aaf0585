// SPDX-License-Identifier: GPL-2.0
#include "tests/screen/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A cell's characters; a wide one's second half has none. */
static void put_cell(FILE *out, const VTermScreenCell *cell)
{
	for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell->chars[i]; i++) {
		uint32_t c = cell->chars[i];

		if (c == (uint32_t)-1)
			return;
		if (c < 0x80)
			fputc((int)c, out);
		else if (c < 0x800)
			fprintf(out, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
		else if (c < 0x10000)
			fprintf(out, "%c%c%c", 0xe0 | c >> 12, 0x80 | (c >> 6 & 0x3f),
				0x80 | (c & 0x3f));
		else
			fprintf(out, "%c%c%c%c", 0xf0 | c >> 18, 0x80 | (c >> 12 & 0x3f),
				0x80 | (c >> 6 & 0x3f), 0x80 | (c & 0x3f));
	}
	if (!cell->chars[0])
		fputc(' ', out);
}

static bool cell_at(const struct terminal *t, int row, int column, VTermScreenCell *ret)
{
	VTermPos pos = { .row = row, .col = column };

	return vterm_screen_get_cell(t->screen, pos, ret);
}

static void put_rows(const struct terminal *t, FILE *out)
{
	for (int row = 0; row < t->rows; row++) {
		int used = 0;
		VTermScreenCell cell;

		for (int column = 0; column < t->columns; column++)
			if (cell_at(t, row, column, &cell) && cell.chars[0] && cell.chars[0] != ' ')
				used = column + 1;
		for (int column = 0; column < used; column++)
			if (cell_at(t, row, column, &cell))
				put_cell(out, &cell);
		fputc('\n', out);
	}
}

static void name_colour(char *text, size_t size, const char *which, const VTermColor *colour,
			bool usual)
{
	size_t at = strlen(text);

	if (usual)
		return;
	if (VTERM_COLOR_IS_INDEXED(colour))
		snprintf(text + at, size - at, " %s %d", which, colour->indexed.idx);
	else
		snprintf(text + at, size - at, " %s #%02x%02x%02x", which, colour->rgb.red,
			 colour->rgb.green, colour->rgb.blue);
}

/* How a cell is painted, in words; "" as usual. */
static void name_paint(const VTermScreenCell *cell, char *text, size_t size)
{
	const struct {
		bool set;
		const char *name;
	} marks[] = {
		{ cell->attrs.bold, " bold" },	     { cell->attrs.underline, " underline" },
		{ cell->attrs.italic, " italic" },   { cell->attrs.blink, " blink" },
		{ cell->attrs.reverse, " reverse" }, { cell->attrs.strike, " strike" },
	};

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (marks[i].set)
			strncat(text, marks[i].name, size - strlen(text) - 1);
	name_colour(text, size, "fg", &cell->fg, VTERM_COLOR_IS_DEFAULT_FG(&cell->fg));
	name_colour(text, size, "bg", &cell->bg, VTERM_COLOR_IS_DEFAULT_BG(&cell->bg));
}

static void put_paint(const struct terminal *t, FILE *out)
{
	for (int row = 0; row < t->rows; row++) {
		char before[128] = "", paint[128];
		int from = 0;

		for (int column = 0; column <= t->columns; column++) {
			VTermScreenCell cell;

			paint[0] = '\0';
			if (column < t->columns && cell_at(t, row, column, &cell))
				name_paint(&cell, paint, sizeof(paint));
			if (!strcmp(paint, before))
				continue;
			if (before[0])
				fprintf(out, "%d:%d-%d%s\n", row + 1, from + 1, column, before);
			from = column;
			memcpy(before, paint, sizeof(before));
		}
	}
	if (t->cursor_shown)
		fprintf(out, "cursor %d:%d\n", t->cursor.row + 1, t->cursor.col + 1);
	else
		fprintf(out, "cursor hidden\n");
}

char *picture_of(const struct terminal *t, bool painted)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		perror("open_memstream");
		exit(2);
	}
	put_rows(t, out);
	if (painted)
		put_paint(t, out);
	fclose(out);
	return text;
}
