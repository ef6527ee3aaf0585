// SPDX-License-Identifier: GPL-2.0
#include "tui/term.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

#include "tui/crash.h"

#define ESCAPE_MS 25 /* that a key's sequence may take to arrive: enough for 2400 baud */

/* What is on the screen. */
static struct tui_canvas shown;
static SCREEN *screen;
static attr_t style_attr[TUI_STYLE_COUNT];
static short style_pair[TUI_STYLE_COUNT];
static int mouse_row, mouse_col;
/* Signals are let through only while a key is waited for: none comes between a look and a wait. */
static sigset_t unblocked;

static const struct {
	short c256, c8;
	char mono;
} styles[TUI_STYLE_COUNT] = {
#define S(id, c256, c8, mono) { c256, c8, mono },
	TUI_STYLES(S)
#undef S
};

static const struct {
	int curses, key;
} keys[] = {
	{ KEY_UP, TUI_KEY_UP },		{ KEY_DOWN, TUI_KEY_DOWN },
	{ KEY_LEFT, TUI_KEY_LEFT },	{ KEY_RIGHT, TUI_KEY_RIGHT },
	{ KEY_HOME, TUI_KEY_HOME },	{ KEY_END, TUI_KEY_END },
	{ KEY_PPAGE, TUI_KEY_PAGE_UP }, { KEY_NPAGE, TUI_KEY_PAGE_DOWN },
	{ KEY_ENTER, TUI_KEY_ENTER },	{ KEY_BACKSPACE, TUI_KEY_BACKSPACE },
	{ KEY_BTAB, TUI_KEY_BACK_TAB }, { KEY_RESIZE, TUI_KEY_RESIZE },
};

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, &unblocked);
}

/* A serial console as a rule does not know its size: 80 x 24 then. */
void tui_term_size(int *rows, int *cols)
{
	struct winsize size = { 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*rows = size.ws_row ? size.ws_row : LINES;
	*cols = size.ws_col ? size.ws_col : COLS;
}

static void set_styles(bool mono)
{
	for (short i = 0; i < TUI_STYLE_COUNT; i++) {
		short color = COLORS >= 256 ? styles[i].c256 : styles[i].c8;

		style_attr[i] = A_NORMAL;
		style_pair[i] = 0;
		if (mono) {
			style_attr[i] = styles[i].mono == 'b'	? A_BOLD
					: styles[i].mono == 'u' ? A_UNDERLINE
					: styles[i].mono == 'd' ? A_DIM
								: A_NORMAL;
		} else if (color >= 0) {
			init_pair((short)(i + 1), color, -1);
			style_pair[i] = (short)(i + 1);
		}
	}
}

/* What puts the terminal back, as endwin() would write it. */
static char leave[256];
static size_t leave_len;

static int take_leave(int c)
{
	if (leave_len < sizeof(leave))
		leave[leave_len++] = (char)c;
	return c;
}

static void prepare_crash(const struct termios *before, bool mouse)
{
	const char *const ends[] = { exit_attribute_mode, keypad_local, cursor_normal,
				     exit_ca_mode };

	leave_len = 0;
	if (mouse)
		for (const char *c = "\033[?1006;1000l"; *c; c++)
			take_leave(*c);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i])
			tputs(ends[i], 1, take_leave);
	tui_crash_prepare(before, leave, leave_len);
}

int tui_term_open(struct tui_canvas *canvas, struct spt_error *err)
{
	const char *no_color = getenv("NO_COLOR"), *name = getenv("TERM");
	struct sigaction interrupt;
	struct termios before;
	int rows, cols, status;
	bool able;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return spt_fail(
			err, ENOTTY,
			"tui: needs a terminal; without one use the commands, see 'spt help'");
	setlocale(LC_ALL, "");
	if (setupterm(NULL, STDOUT_FILENO, &status) == ERR)
		return spt_fail(err, EINVAL, "tui: TERM '%s' is unknown here: set one that is",
				name ? name : "");
	able = cursor_address != NULL;
	del_curterm(cur_term);
	if (!able)
		return spt_fail(err, EINVAL,
				"tui: a terminal '%s' cannot place its cursor: set another TERM",
				name ? name : "");
	/* initscr() would end the program; it also takes signals that are not its own. */
	sigaction(SIGINT, NULL, &interrupt);
	tcgetattr(STDIN_FILENO, &before);
	screen = newterm(NULL, stdout, stdin);
	sigaction(SIGINT, &interrupt, NULL);
	if (!screen)
		return spt_fail(err, EINVAL, "tui: the terminal '%s' cannot be used", name);
	block_signals();
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	intrflush(stdscr, FALSE);
	set_escdelay(ESCAPE_MS);
	canvas->ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	canvas->mono = !has_colors() || (no_color && *no_color) || start_color() == ERR;
	if (!canvas->mono)
		use_default_colors();
	set_styles(canvas->mono);
	mouseinterval(0);
	prepare_crash(&before,
		      mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL) != 0);
	tui_term_size(&rows, &cols);
	shown.ascii = false;
	return tui_canvas_resize(canvas, rows, cols) ? spt_fail(err, ENOMEM, "tui: out of memory")
						     : 0;
}

void tui_term_close(void)
{
	tui_crash_forget();
	endwin();
	delscreen(screen);
	tui_canvas_deinit(&shown);
	sigprocmask(SIG_SETMASK, &unblocked, NULL);
}

void tui_term_suspend(void)
{
	def_prog_mode();
	endwin();
	raise(SIGTSTP);
	reset_prog_mode();
}

static void put_cell(int row, int col, const struct tui_cell *cell)
{
	unsigned int style = cell->style & 0xff;
	wchar_t text[2] = { (wchar_t)cell->ch, 0 };
	attr_t attr = style < TUI_STYLE_COUNT ? style_attr[style] : A_NORMAL;
	short pair = style < TUI_STYLE_COUNT ? style_pair[style] : 0;
	cchar_t c;

	if (cell->style & TUI_REVERSE)
		attr |= A_REVERSE;
	if (cell->style & TUI_BOLD)
		attr |= A_BOLD;
	if (cell->style & TUI_UNDERLINE)
		attr |= A_UNDERLINE;
	setcchar(&c, text, attr, pair, NULL);
	mvadd_wch(row, col, &c);
}

void tui_term_show(const struct tui_canvas *canvas, int cursor_row, int cursor_col)
{
	bool same = shown.rows == canvas->rows && shown.cols == canvas->cols;

	if (!same) {
		resizeterm(canvas->rows, canvas->cols);
		erase();
		if (tui_canvas_resize(&shown, canvas->rows, canvas->cols))
			return;
	}
	for (int row = 0; row < canvas->rows; row++) {
		for (int col = 0; col < canvas->cols; col++) {
			int i = row * canvas->cols + col;

			if (same && shown.cell[i].ch == canvas->cell[i].ch &&
			    shown.cell[i].style == canvas->cell[i].style)
				continue;
			shown.cell[i] = canvas->cell[i];
			put_cell(row, col, &canvas->cell[i]);
		}
	}
	wmove(stdscr, cursor_row, cursor_col);
	refresh();
}

void tui_term_redraw(void)
{
	clearok(stdscr, TRUE);
}

bool tui_term_waiting(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&in, 1, 0) > 0;
}

static int mouse_key(void)
{
	static int64_t last_ms;
	struct timespec now;
	MEVENT event;
	int64_t ms;
	bool twice;

	if (getmouse(&event) != OK)
		return TUI_KEY_NONE;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	twice = event.y == mouse_row && event.x == mouse_col && ms - last_ms < 400;
	mouse_row = event.y;
	mouse_col = event.x;
	if (event.bstate & BUTTON4_PRESSED)
		return TUI_KEY_WHEEL_UP;
	if (event.bstate & BUTTON5_PRESSED)
		return TUI_KEY_WHEEL_DOWN;
	if (!(event.bstate & BUTTON1_PRESSED))
		return TUI_KEY_NONE;
	last_ms = twice ? 0 : ms;
	return twice ? TUI_KEY_DOUBLE : TUI_KEY_CLICK;
}

void tui_term_mouse(int *row, int *col)
{
	*row = mouse_row;
	*col = mouse_col;
}

static int translate(wint_t ch, bool function)
{
	if (function && ch == KEY_MOUSE)
		return mouse_key();
	for (size_t i = 0; function && i < sizeof(keys) / sizeof(keys[0]); i++)
		if ((wint_t)keys[i].curses == ch)
			return keys[i].key;
	if (function)
		return TUI_KEY_NONE;
	if (ch == '\r')
		return TUI_KEY_ENTER;
	return ch == 0x7f || ch == '\b' ? TUI_KEY_BACKSPACE : (int)ch;
}

int tui_term_key(int ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	wint_t ch;
	int got = get_wch(&ch);

	if (got == ERR) {
		struct timespec wait = { ms / 1000, ms % 1000 * 1000000L };
		int n = ppoll(&in, 1, ms < 0 ? NULL : &wait, &unblocked);

		if (n > 0 && in.revents & (POLLHUP | POLLERR | POLLNVAL) && !(in.revents & POLLIN))
			return TUI_KEY_ENDED;
		/* A signal ends poll(): a new size, for instance, is then a key. */
		got = get_wch(&ch);
		if (got == ERR && n > 0)
			return tui_term_waiting() ? TUI_KEY_ENDED : TUI_KEY_NONE;
	}
	return got == ERR ? TUI_KEY_NONE : translate(ch, got == KEY_CODE_YES);
}
