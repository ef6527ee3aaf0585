// SPDX-License-Identifier: GPL-2.0
#include "tui/canvas.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELLIPSIS 0x2026

/* What stands for a character where there is ASCII alone. */
static const struct {
	uint32_t ch;
	char ascii;
} likes[] = {
	{ 0x2500, '-' }, { 0x2502, '|' }, { 0x250c, '+' }, { 0x2510, '+' }, { 0x2514, '`' },
	{ 0x2518, '+' }, { 0x251c, '|' }, { 0x2524, '|' }, { 0x2591, '.' }, { 0x2592, ':' },
	{ 0x2593, '%' }, { 0x2588, '#' }, { 0x25b8, '+' }, { 0x25be, '-' }, { 0x2026, '~' },
	{ 0x2192, '>' }, { 0x00b7, '.' }, { 0x2191, '^' }, { 0x2193, 'v' }, { 0x25cf, '*' },
};

static uint32_t as_ascii(uint32_t ch)
{
	if (ch < 0x7f)
		return ch;
	for (size_t i = 0; i < sizeof(likes) / sizeof(likes[0]); i++)
		if (likes[i].ch == ch)
			return (uint32_t)likes[i].ascii;
	return '?';
}

int tui_canvas_resize(struct tui_canvas *c, int rows, int cols)
{
	size_t n = (size_t)(rows > 0 ? rows : 1) * (size_t)(cols > 0 ? cols : 1);
	struct tui_cell *cell = realloc(c->cell, n * sizeof(*cell));

	if (!cell)
		return -ENOMEM;
	c->cell = cell;
	c->rows = rows > 0 ? rows : 1;
	c->cols = cols > 0 ? cols : 1;
	tui_canvas_clear(c);
	return 0;
}

void tui_canvas_deinit(struct tui_canvas *c)
{
	free(c->cell);
	c->cell = NULL;
	c->rows = c->cols = 0;
}

void tui_canvas_clear(struct tui_canvas *c)
{
	for (int i = 0; i < c->rows * c->cols; i++)
		c->cell[i] = (struct tui_cell){ ' ', TUI_PLAIN };
}

void tui_put_char(struct tui_canvas *c, int row, int col, unsigned int style, uint32_t ch)
{
	if (row < 0 || row >= c->rows || col < 0 || col >= c->cols)
		return;
	if (ch < ' ' || (ch >= 0x7f && ch < 0xa0))
		ch = '?';
	c->cell[row * c->cols + col] =
		(struct tui_cell){ c->ascii ? as_ascii(ch) : ch, (uint16_t)style };
}

/* The character at *@p, which is moved behind it; what is no UTF-8 is '?'. */
static uint32_t next_char(const char **p)
{
	const unsigned char *s = (const unsigned char *)*p;
	unsigned int more = *s < 0x80 ? 0 : *s >= 0xf0 ? 3 : *s >= 0xe0 ? 2 : *s >= 0xc0 ? 1 : 4;
	uint32_t ch = *s++;

	if (more == 4) {
		++*p;
		return '?';
	}
	if (more)
		ch &= 0x3fU >> more;
	while (more && (*s & 0xc0) == 0x80) {
		ch = ch << 6 | (*s++ & 0x3f);
		more--;
	}
	*p = (const char *)s;
	return more ? '?' : ch;
}

int tui_put(struct tui_canvas *c, int row, int col, unsigned int style, const char *fmt, ...)
{
	char text[1024];
	const char *p = text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	while (*p && col < c->cols)
		tui_put_char(c, row, col++, style, next_char(&p));
	/* A number whose end is missing looks like another one. */
	if (p[strspn(p, " ")])
		tui_put_char(c, row, c->cols - 1, TUI_DIM, ELLIPSIS);
	return col;
}

int tui_fill(struct tui_canvas *c, int row, int col, int n, unsigned int style, uint32_t ch)
{
	for (; n > 0 && col < c->cols; n--)
		tui_put_char(c, row, col++, style, ch);
	return col;
}

void tui_mark(struct tui_canvas *c, int row, int col, int n, unsigned int flags)
{
	for (; row >= 0 && row < c->rows && col >= 0 && col < c->cols && n > 0; n--, col++)
		c->cell[row * c->cols + col].style |= (uint16_t)flags;
}
