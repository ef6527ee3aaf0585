/* SPDX-License-Identifier: GPL-2.0 */
/* A screen as it is to be: cells of one character and one style. No terminal is needed for it. */
#ifndef SPT_TUI_CANVAS_H
#define SPT_TUI_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "tui/style.h"

struct tui_cell {
	uint32_t ch;	/* Unicode, one column wide */
	uint16_t style; /* enum tui_style, TUI_REVERSE and TUI_BOLD or-ed */
};

struct tui_canvas {
	struct tui_cell *cell; /* row by row */
	int rows, cols;
	bool ascii; /* the terminal has no more: characters are replaced by their likes */
	bool mono;  /* and no colours: what a colour says is to be said by a letter */
};

/* Another size; all blank. 0 or -ENOMEM, then nothing changed. */
int tui_canvas_resize(struct tui_canvas *c, int rows, int cols);
void tui_canvas_deinit(struct tui_canvas *c);
void tui_canvas_clear(struct tui_canvas *c);

/* One character; outside of the canvas: nothing. */
void tui_put_char(struct tui_canvas *c, int row, int col, unsigned int style, uint32_t ch);

/*
 * UTF-8 text, cut at the right edge, with an ellipsis there; returns the column behind it.
 * Control characters: '?'.
 */
int tui_put(struct tui_canvas *c, int row, int col, unsigned int style, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* The same character @n times; returns the column behind them. */
int tui_fill(struct tui_canvas *c, int row, int col, int n, unsigned int style, uint32_t ch);

/* Add @style's flags to the cells of a whole row from @col on. */
void tui_mark(struct tui_canvas *c, int row, int col, int n, unsigned int flags);

#endif
