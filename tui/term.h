/* SPDX-License-Identifier: GPL-2.0 */
/* The terminal: the only file that knows ncurses puts a canvas on it and takes keys from it. */
#ifndef SPT_TUI_TERM_H
#define SPT_TUI_TERM_H

#include "decoders/error.h"
#include "tui/canvas.h"

/* What is no character. Characters are themselves, control characters included. */
enum tui_key {
	TUI_KEY_NONE = 0,
	TUI_KEY_TAB = 9,
	TUI_KEY_ENTER = 10,
	TUI_KEY_ESCAPE = 27,
	TUI_KEY_UP = 0x110000,
	TUI_KEY_DOWN,
	TUI_KEY_LEFT,
	TUI_KEY_RIGHT,
	TUI_KEY_HOME,
	TUI_KEY_END,
	TUI_KEY_PAGE_UP,
	TUI_KEY_PAGE_DOWN,
	TUI_KEY_BACKSPACE,
	TUI_KEY_BACK_TAB,
	TUI_KEY_RESIZE, /* tui_term_size() has the new one */
	TUI_KEY_CLICK,	/* tui_term_mouse() has where */
	TUI_KEY_DOUBLE,
	TUI_KEY_WHEEL_UP,
	TUI_KEY_WHEEL_DOWN,
	TUI_KEY_ENDED, /* the terminal is gone */
};

#define TUI_CTRL(letter) ((letter)&0x1f)

/*
 * Take the terminal over; sets what @canvas must know of it, and its size. -ENOTTY where
 * there is none, -EINVAL for a TERM that is unknown or cannot place its cursor.
 */
int tui_term_open(struct tui_canvas *canvas, struct spt_error *err);
void tui_term_close(void);   /* as it was before */
void tui_term_suspend(void); /* Ctrl-Z */

/* Put the canvas there: what has changed since the last time is sent. */
void tui_term_show(const struct tui_canvas *canvas, int cursor_row, int cursor_col);
/* The next time all of it. */
void tui_term_redraw(void);

/* The next key; waits at most @ms (-1: for ever), then TUI_KEY_NONE. */
int tui_term_key(int ms);
/* Whether a key waits to be read. */
bool tui_term_waiting(void);

void tui_term_size(int *rows, int *cols);
void tui_term_mouse(int *row, int *col);

#endif
