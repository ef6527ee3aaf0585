// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "fake_control.h"
#include "fake_lines.h"

#define END_OF_FILE "\004" /* at the beginning of a line, of a terminal that edits lines */

static void send_text(int fd, const char *text, size_t len)
{
	while (len) {
		/* What a terminal takes at once is not much. */
		size_t line = strcspn(text, "\n") + 1;
		ssize_t n = write(fd, text, line < len ? line : len);

		if (n < 0 && errno == EAGAIN) {
			usleep(200);
			continue;
		}
		assert(n > 0);
		text += n;
		len -= n;
	}
}

static void answer(struct fake_control *c)
{
	unsigned int nr = c->requests < c->nr_answers ? c->requests : c->nr_answers - 1;
	const char *text = c->answers[nr];
	size_t len = strcspn(text, FAKE_LISTENS);

	c->requests++;
	send_text(c->master, text, len);
	if (text[len])
		return;
	/* Once to have the unfinished line read, if there is one. */
	if (len && text[len - 1] != '\n')
		send_text(c->master, END_OF_FILE, 1);
	send_text(c->master, END_OF_FILE, 1);
}

static void *serve(void *arg)
{
	struct fake_control *c = arg;
	struct fake_lines lines = { .master = c->master };
	char line[sizeof(c->last_request)];

	while (fake_lines_next(&lines, line, sizeof(line))) {
		strcpy(c->last_request, line);
		answer(c);
	}
	return NULL;
}

void fake_control_start(struct fake_control *control, const char *vm_dir,
			const char *const *answers, unsigned int nr_answers)
{
	struct termios mode;
	int slave;

	memset(control, 0, sizeof(*control));
	control->answers = answers;
	control->nr_answers = nr_answers;
	control->master = posix_openpt(O_RDWR | O_NOCTTY);
	assert(control->master >= 0 && !grantpt(control->master) && !unlockpt(control->master));
	slave = open(ptsname(control->master), O_RDWR | O_NOCTTY);
	assert(slave >= 0 && !tcgetattr(slave, &mode));
	/* Nothing but its end of file is special. */
	cfmakeraw(&mode);
	mode.c_lflag |= ICANON;
	for (int i = 0; i < NCCS; i++)
		mode.c_cc[i] = i == VEOF ? END_OF_FILE[0] : _POSIX_VDISABLE;
	assert(!tcsetattr(slave, TCSANOW, &mode));
	close(slave);
	snprintf(control->path, sizeof(control->path), "%s/control", vm_dir);
	assert(!symlink(ptsname(control->master), control->path));
	assert(!pthread_create(&control->thread, NULL, serve, control));
}

void fake_control_stop(struct fake_control *control)
{
	int slave = open(control->path, O_RDWR | O_NOCTTY);

	assert(slave >= 0 && write(slave, "quit\n", 5) == 5);
	pthread_join(control->thread, NULL);
	close(slave);
	close(control->master);
	unlink(control->path);
}
