// SPDX-License-Identifier: GPL-2.0
#include "tests/screen/terminal.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void terminal_send(struct terminal *t, const char *bytes, size_t len)
{
	while (len && t->fd >= 0) {
		ssize_t n = write(t->fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return; /* it has ended: whoever waits for it will say so */
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
}

/* Keys, and the terminal's answers to what the program asks it. */
static void to_program(const char *bytes, size_t len, void *user)
{
	terminal_send(user, bytes, len);
}

static int cursor_moved(VTermPos pos, VTermPos old, int visible, void *user)
{
	struct terminal *t = user;

	t->cursor = pos;
	return 1;
}

static int property_set(VTermProp prop, VTermValue *value, void *user)
{
	struct terminal *t = user;

	if (prop == VTERM_PROP_CURSORVISIBLE)
		t->cursor_shown = value->boolean;
	return 1;
}

static const VTermScreenCallbacks callbacks = {
	.movecursor = cursor_moved,
	.settermprop = property_set,
};

static void make_screen(struct terminal *t)
{
	if (t->vt)
		vterm_free(t->vt);
	t->vt = vterm_new(t->rows, t->columns);
	vterm_set_utf8(t->vt, 1);
	vterm_output_set_callback(t->vt, to_program, t);
	t->screen = vterm_obtain_screen(t->vt);
	vterm_screen_set_callbacks(t->screen, &callbacks, t);
	vterm_screen_enable_altscreen(t->screen, 1);
	vterm_screen_reset(t->screen, 1);
	t->cursor_shown = true;
}

void terminal_start(struct terminal *t, const char *command, char *const *env, int rows,
		    int columns)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };
	char line[4096];

	t->rows = rows;
	t->columns = columns;
	t->bytes = 0;
	make_screen(t);
	t->pid = forkpty(&t->fd, NULL, NULL, &size);
	if (t->pid < 0) {
		perror("forkpty");
		exit(2);
	}
	if (t->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The shell gets out of the way: what signals and exit status do is the program's. */
	snprintf(line, sizeof(line), "exec %s", command);
	execle("/bin/sh", "sh", "-c", line, NULL, env);
	_exit(127);
}

void terminal_resize(struct terminal *t, int rows, int columns)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	t->rows = rows;
	t->columns = columns;
	t->bytes = 0;
	vterm_set_size(t->vt, rows, columns);
	ioctl(t->fd, TIOCSWINSZ, &size);
}

int terminal_read(struct terminal *t, int milliseconds)
{
	struct pollfd wait = { .fd = t->fd, .events = POLLIN };
	char bytes[65536];
	ssize_t n;

	if (t->fd < 0)
		return -1;
	if (poll(&wait, 1, milliseconds) <= 0)
		return 0;
	n = read(t->fd, bytes, sizeof(bytes));
	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0) {
		close(t->fd);
		t->fd = -1;
		return -1;
	}
	t->bytes += (size_t)n;
	vterm_input_write(t->vt, bytes, (size_t)n);
	vterm_screen_flush_damage(t->screen);
	return 1;
}

int terminal_wait(struct terminal *t)
{
	int status;

	while (waitpid(t->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	t->pid = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void terminal_click(struct terminal *t, int button, int row, int column)
{
	t->bytes = 0;
	vterm_mouse_move(t->vt, row - 1, column - 1, VTERM_MOD_NONE);
	vterm_mouse_button(t->vt, button, true, VTERM_MOD_NONE);
	/* A wheel has no way up. */
	if (button < 4)
		vterm_mouse_button(t->vt, button, false, VTERM_MOD_NONE);
}
