// SPDX-License-Identifier: GPL-2.0
#include "tests/tui/terminal.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Answers of the terminal: ncurses asks nothing, a program that does gets them. */
static void answer(const char *bytes, size_t len, void *arg)
{
	struct terminal *t = arg;

	terminal_send(t, bytes, len);
}

void terminal_start(struct terminal *t, int rows, int cols, char **argv)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	memset(t, 0, sizeof(*t));
	t->rows = rows;
	t->cols = cols;
	t->pid = forkpty(&t->fd, NULL, NULL, &size);
	if (t->pid < 0) {
		perror("forkpty");
		exit(2);
	}
	if (!t->pid) {
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	t->vterm = vterm_new(rows, cols);
	vterm_set_utf8(t->vterm, 1);
	vterm_output_set_callback(t->vterm, answer, t);
	t->screen = vterm_obtain_screen(t->vterm);
	vterm_screen_enable_altscreen(t->screen, 1);
	vterm_screen_reset(t->screen, 1);
}

bool terminal_read(struct terminal *t, int ms)
{
	struct pollfd in = { .fd = t->fd, .events = POLLIN };
	char bytes[65536];
	ssize_t n;

	if (t->ended || poll(&in, 1, ms) <= 0)
		return false;
	n = read(t->fd, bytes, sizeof(bytes));
	if (n <= 0) {
		t->ended = n == 0 || errno != EINTR;
		return false;
	}
	t->bytes += (uint64_t)n;
	vterm_input_write(t->vterm, bytes, (size_t)n);
	return true;
}

void terminal_send(struct terminal *t, const char *bytes, size_t len)
{
	if (write(t->fd, bytes, len) != (ssize_t)len)
		t->ended = true;
}

void terminal_resize(struct terminal *t, int rows, int cols)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	t->rows = rows;
	t->cols = cols;
	vterm_set_size(t->vterm, rows, cols);
	ioctl(t->fd, TIOCSWINSZ, &size);
}

/* Whether it waits for something: then all that it wrote is in the pty. */
static bool sleeps(const struct terminal *t)
{
	char path[64], text[512] = "", *state;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", t->pid);
	f = fopen(path, "re");
	if (!f)
		return true;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	state = strrchr(text, ')');
	return !state || state[2] == 'S' || state[2] == 'Z';
}

void terminal_settle(struct terminal *t)
{
	for (int quiet = 0; quiet < 3 && !t->ended;)
		quiet = !terminal_read(t, 5) && sleeps(t) ? quiet + 1 : 0;
}

static size_t put_utf8(uint32_t ch, char *at)
{
	if (ch < 0x80) {
		at[0] = (char)ch;
		return 1;
	}
	if (ch < 0x800) {
		at[0] = (char)(0xc0 | ch >> 6);
		at[1] = (char)(0x80 | (ch & 0x3f));
		return 2;
	}
	at[0] = (char)(0xe0 | ch >> 12);
	at[1] = (char)(0x80 | (ch >> 6 & 0x3f));
	at[2] = (char)(0x80 | (ch & 0x3f));
	return 3;
}

static VTermScreenCell cell_at(const struct terminal *t, int row, int col)
{
	VTermScreenCell cell = { 0 };

	vterm_screen_get_cell(t->screen, (VTermPos){ row, col }, &cell);
	return cell;
}

void terminal_row(const struct terminal *t, int row, char *text)
{
	size_t len = 0, used = 0;

	for (int col = 0; col < t->cols; col++) {
		uint32_t ch = cell_at(t, row, col).chars[0];

		len += put_utf8(ch ? ch : ' ', text + len);
		if (ch && ch != ' ')
			used = len;
	}
	text[used] = '\0';
}

bool terminal_shows(const struct terminal *t, const char *wanted)
{
	char text[4096];

	for (int row = 0; row < t->rows; row++) {
		terminal_row(t, row, text);
		if (strstr(text, wanted))
			return true;
	}
	return false;
}

void terminal_print(const struct terminal *t, FILE *out)
{
	char text[4096];

	for (int row = 0; row < t->rows; row++) {
		terminal_row(t, row, text);
		fprintf(out, "%s\n", text);
	}
}

static char colour_letter(const VTermScreenCell *cell)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	char letter = ' ';

	if (VTERM_COLOR_IS_INDEXED(&cell->fg) && !VTERM_COLOR_IS_DEFAULT_FG(&cell->fg))
		letter = letters[cell->fg.indexed.idx % 26];
	if (cell->attrs.reverse)
		letter = letter == ' ' ? '@' : (char)(letter - 'a' + 'A');
	return letter;
}

void terminal_print_colours(const struct terminal *t, FILE *out)
{
	for (int row = 0; row < t->rows; row++) {
		char text[4096];
		int used = 0;

		for (int col = 0; col < t->cols; col++) {
			VTermScreenCell cell = cell_at(t, row, col);

			text[col] = colour_letter(&cell);
			if (text[col] != ' ')
				used = col + 1;
		}
		fprintf(out, "%.*s\n", used, text);
	}
}

int terminal_end(struct terminal *t)
{
	int status;

	while (!t->ended)
		terminal_read(t, 1000);
	waitpid(t->pid, &status, 0);
	close(t->fd);
	vterm_free(t->vterm);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
