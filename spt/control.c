// SPDX-License-Identifier: GPL-2.0
#include "spt/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spt/source_live.h"

/* What is read at once. */
#define PIECE 4096

/* Between two looks whether to stop. */
#define ASK_MS 500

struct spt_control {
	int fd;
	char id[32];
	char line[8192]; /* of the answer, as far as it has come */
	size_t have;
};

/* Why the agent lets nobody act. */
static int explain_open(const char *id, int code, struct spt_error *err)
{
	char armed[16] = "";

	if (code != EPERM && code != EACCES)
		return spt_live_fail(id, code, err);
	if (geteuid())
		return spt_fail(err, EPERM, "VM %s: acting on a guest needs root (CAP_SYS_ADMIN)",
				id);
	if (spt_live_status("armed", armed, sizeof(armed)) && strcmp(armed, "yes"))
		return spt_fail(
			err, EPERM,
			"the agent only reads: run 'spt agent unload', then 'spt agent load "
			"--armed', to allow actions");
	return spt_fail(
		err, EPERM,
		"VM %s: actions are refused: a locked-down kernel, or CAP_SYS_ADMIN is missing",
		id);
}

static int open_file(struct spt_control *control, struct spt_error *err)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/control", spt_debugfs(), control->id);
	/* Were it a terminal, as in tests, it is not to become ours. */
	control->fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	return control->fd < 0 ? explain_open(control->id, errno, err) : 0;
}

static void close_file(struct spt_control *control)
{
	if (control->fd >= 0)
		close(control->fd);
	control->fd = -1;
}

int spt_control_open(const char *id, struct spt_control **ret, struct spt_error *err)
{
	struct spt_control *control = calloc(1, sizeof(*control));
	int rc;

	if (!control)
		return spt_fail(err, ENOMEM, "out of memory");
	snprintf(control->id, sizeof(control->id), "%s", id);
	rc = open_file(control, err);
	if (rc)
		free(control);
	else
		*ret = control;
	return rc;
}

void spt_control_close(struct spt_control *control)
{
	if (!control)
		return;
	close_file(control);
	free(control);
}

static int write_line(struct spt_control *control, const char *line, size_t len,
		      struct spt_error *err)
{
	ssize_t n = write(control->fd, line, len);

	if (n == (ssize_t)len)
		return 0;
	if (n < 0 && errno == EINTR)
		return spt_fail(err, EINTR, "interrupted");
	if (n < 0 && errno == EBUSY)
		return spt_fail(err, EBUSY, "VM %s: the agent is busy with another action",
				control->id);
	if (n < 0 && errno == EINVAL)
		return spt_fail(err, EINVAL, "VM %s: the agent does not understand '%.*s'",
				control->id, (int)len - 1, line);
	return spt_live_fail(control->id, n < 0 ? errno : EIO, err);
}

/* Everything that is needed while an answer is read. */
struct reading {
	struct spt_control *control;
	const struct spt_control_watch *watch;
	struct spt_answer *answer;
	struct spt_error *err;
	bool stopped;
};

static int take_line(struct reading *r, const char *line)
{
	const struct spt_control_watch *w = r->watch;
	struct spt_act_hit hit;
	int rc = spt_answer_take(r->answer, line, r->err);

	if (rc < 0)
		return rc;
	if (rc && w && w->hit && spt_act_hit(strchr(line, ':') + 2, &hit) && w->hit(w->arg, &hit))
		r->stopped = true;
	if (!rc && w && w->armed && !strcmp(line, "armed: 1"))
		w->armed(w->arg, r->answer);
	return 0;
}

/* The lines that are whole. */
static int take_lines(struct reading *r)
{
	struct spt_control *c = r->control;
	char *end, *line = c->line;
	int rc = 0;

	while (!rc && (end = memchr(line, '\n', c->have - (line - c->line)))) {
		*end = '\0';
		if (strlen(line) != (size_t)(end - line))
			return spt_fail(r->err, EBADMSG, "the agent's answer is no text");
		rc = take_line(r, line);
		line = end + 1;
	}
	c->have -= line - c->line;
	memmove(c->line, line, c->have);
	if (!rc && c->have > sizeof(c->line) - PIECE)
		return spt_fail(r->err, EBADMSG, "the agent's answer has a line without an end");
	return rc;
}

/*
 * Wait for more, and tell an action that listens to end when it is to. A signal may come just
 * before the wait, which then does not end: so it is asked for now and then.
 */
static int wait_more(struct reading *r, bool *told)
{
	const struct spt_control_watch *w = r->watch;
	struct pollfd poll_fd = { .fd = r->control->fd, .events = POLLIN };
	static const char stop[] = "stop\n";
	int n;

	do {
		if (w && w->stop && w->stop(w->arg))
			r->stopped = true;
		if (r->stopped && !*told) {
			*told = true;
			/* It may have ended by itself meanwhile: then there is nothing to stop. */
			if (write(r->control->fd, stop, sizeof(stop) - 1) < 0 && errno != EINVAL &&
			    errno != EBUSY)
				return spt_live_fail(r->control->id, errno, r->err);
		}
		n = poll(&poll_fd, 1, ASK_MS);
	} while (!n || (n < 0 && errno == EINTR));
	return n < 0 ? spt_live_fail(r->control->id, errno, r->err) : 0;
}

static int read_answer(struct reading *r, bool listens)
{
	struct spt_control *c = r->control;
	bool told = false;

	for (;;) {
		ssize_t n;
		int rc;

		if (listens && !r->answer->ended) {
			rc = wait_more(r, &told);
			if (rc)
				return rc;
		}
		n = read(c->fd, c->line + c->have, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && listens)
			continue;
		if (n < 0)
			return spt_live_fail(c->id, errno, r->err);
		if (!n)
			break;
		c->have += n;
		rc = take_lines(r);
		if (rc)
			return rc;
	}
	if (!r->answer->ended || c->have)
		return spt_fail(r->err, EBADMSG, "VM %s: the agent's answer broke off", c->id);
	return 0;
}

int spt_control_run(struct spt_control *control, const struct spt_action_request *request,
		    const struct spt_control_watch *watch, struct spt_answer *answer,
		    struct spt_error *err)
{
	struct reading r = { control, watch, answer, err, false };
	char line[SPT_ACTION_LINE_MAX + 1];
	int len = spt_action_line(request, line, err), rc;

	spt_answer_init(answer, request->action);
	if (len < 0)
		return len;
	rc = control->fd < 0 ? open_file(control, err) : 0;
	if (rc)
		return rc;
	control->have = 0;
	rc = write_line(control, line, len, err);
	if (rc)
		return rc;
	rc = read_answer(&r,
			 spt_actions[request->action].flags & SPT_ACTION_LISTEN || request->listen);
	/* What is left of a bad answer is not to be taken for the next one's. */
	if (rc)
		close_file(control);
	return rc;
}
