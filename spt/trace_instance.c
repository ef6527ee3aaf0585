// SPDX-License-Identifier: GPL-2.0
#include "spt/trace_instance.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "spt-"
/* Part of a buffer that is full before a waiting reader is woken. */
#define WAKE_PERCENT "10"

static int fail(const struct spt_trace_instance *t, const char *file, int code,
		struct spt_error *err)
{
	return spt_fail(err, code, "tracefs %s/%s: %s", t->dir ? t->dir : t->name, file,
			strerror(code));
}

int spt_trace_write(struct spt_trace_instance *t, const char *file, const char *text,
		    struct spt_error *err)
{
	errno = 0;
	if (t->calls->tracefs_instance_file_write(t->instance, file, text) < 0)
		return fail(t, file, errno ? errno : EIO, err);
	return 0;
}

/* Of the PIDs in the names of the instances that are there: those that run no more. */
static void remove_left_over(const struct spt_trace_calls *calls)
{
	char **names = calls->tracefs_instances(NULL);

	for (char **name = names; name && *name; name++) {
		struct tracefs_instance *left;
		char *end;
		long pid;

		if (strncmp(*name, PREFIX, strlen(PREFIX)))
			continue;
		pid = strtol(*name + strlen(PREFIX), &end, 10);
		if (*end || pid <= 0 || !kill(pid, 0) || errno != ESRCH)
			continue;
		left = calls->tracefs_instance_create(*name);
		if (!left)
			continue;
		calls->tracefs_instance_destroy(left);
		calls->tracefs_instance_free(left);
	}
	calls->tracefs_list_free(names);
}

static int open_pipes(struct spt_trace_instance *t, struct spt_error *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	char path[512];
	int any = 0;

	t->pipe = malloc(cpus * sizeof(*t->pipe));
	if (!t->pipe)
		return fail(t, "per_cpu", ENOMEM, err);
	t->cpus = cpus;
	for (unsigned int cpu = 0; cpu < t->cpus; cpu++) {
		snprintf(path, sizeof(path), "%s/per_cpu/cpu%u/trace_pipe_raw", t->dir, cpu);
		t->pipe[cpu] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		any |= t->pipe[cpu] >= 0;
	}
	return any ? 0 : fail(t, "per_cpu/cpu0/trace_pipe_raw", errno, err);
}

int spt_trace_instance_open(struct spt_trace_instance *t, const struct spt_trace_calls *calls,
			    uint32_t buffer_kib, struct spt_error *err)
{
	char size[16];
	int ret;

	*t = (struct spt_trace_instance){ .calls = calls };
	snprintf(t->name, sizeof(t->name), PREFIX "%d", getpid());
	if (geteuid())
		return spt_fail(err, EACCES, "tracing needs root");
	if (!calls->tracefs_tracing_dir())
		return spt_fail(err, ENODEV,
				"tracefs is not to be had: mount -t tracefs tracefs "
				"/sys/kernel/tracing (a locked-down kernel refuses it)");
	remove_left_over(calls);
	t->instance = calls->tracefs_instance_create(t->name);
	if (!t->instance)
		return spt_fail(err, errno ? errno : EIO, "cannot make the trace instance %s: %s",
				t->name, strerror(errno ? errno : EIO));
	t->dir = calls->tracefs_instance_get_dir(t->instance);
	if (!t->dir)
		return fail(t, "", ENOMEM, err);
	snprintf(size, sizeof(size), "%" PRIu32, buffer_kib);
	ret = spt_trace_write(t, "tracing_on", "0", err);
	if (!ret)
		ret = spt_trace_write(t, "trace_clock", "mono", err);
	if (!ret)
		ret = spt_trace_write(t, "buffer_size_kb", size, err);
	if (!ret)
		ret = open_pipes(t, err);
	/* Kernels before 5.0 wake at once. */
	if (!ret)
		spt_trace_write(t, "buffer_percent", WAKE_PERCENT, NULL);
	return ret;
}

int spt_trace_threads(struct spt_trace_instance *t, const pid_t *tids, size_t count,
		      struct spt_error *err)
{
	char *text = malloc(count * 12 + 1), *to = text;
	int ret;

	if (!text)
		return fail(t, "set_event_pid", ENOMEM, err);
	*to = '\0';
	for (size_t i = 0; i < count; i++)
		to += sprintf(to, "%d ", tids[i]);
	ret = spt_trace_write(t, "options/event-fork", "1", err);
	if (!ret)
		ret = spt_trace_write(t, "set_event_pid", text, err);
	free(text);
	return ret;
}

void spt_trace_wait(const struct spt_trace_instance *t, int ms)
{
	struct pollfd *fds = calloc(t->cpus, sizeof(*fds));

	if (!fds)
		return;
	for (unsigned int cpu = 0; cpu < t->cpus; cpu++)
		fds[cpu] = (struct pollfd){ .fd = t->pipe[cpu], .events = POLLIN };
	poll(fds, t->cpus, ms);
	free(fds);
}

ssize_t spt_trace_read(const struct spt_trace_instance *t, unsigned int cpu, void *page,
		       size_t size)
{
	ssize_t n;

	if (t->pipe[cpu] < 0)
		return 0;
	do {
		n = read(t->pipe[cpu], page, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 && errno == EAGAIN ? 0 : n;
}

/* kernel/trace/trace.c: tracing_stats_read() */
static void add_stats(const char *text, struct spt_trace_counts *ret)
{
	const struct {
		const char *name;
		uint64_t *to;
	} rows[] = {
		{ "entries: ", &ret->waiting },	      { "overrun: ", &ret->overrun },
		{ "commit overrun: ", &ret->commit }, { "dropped events: ", &ret->dropped },
		{ "read events: ", &ret->read },
	};

	while (*text) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (!strncmp(text, rows[i].name, strlen(rows[i].name)))
				*rows[i].to += strtoull(text + strlen(rows[i].name), NULL, 10);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

int spt_trace_counts(const struct spt_trace_instance *t, struct spt_trace_counts *ret,
		     struct spt_error *err)
{
	*ret = (struct spt_trace_counts){ 0 };
	for (unsigned int cpu = 0; cpu < t->cpus; cpu++) {
		char file[64], *text;

		if (t->pipe[cpu] < 0)
			continue;
		snprintf(file, sizeof(file), "per_cpu/cpu%u/stats", cpu);
		text = t->calls->tracefs_instance_file_read(t->instance, file, NULL);
		if (!text)
			return fail(t, file, errno ? errno : EIO, err);
		add_stats(text, ret);
		free(text);
	}
	return 0;
}

void spt_trace_instance_close(struct spt_trace_instance *t)
{
	for (unsigned int cpu = 0; cpu < t->cpus; cpu++)
		if (t->pipe[cpu] >= 0)
			close(t->pipe[cpu]);
	free(t->pipe);
	if (t->instance) {
		t->calls->tracefs_instance_file_write(t->instance, "tracing_on", "0");
		t->calls->tracefs_instance_destroy(t->instance);
		t->calls->tracefs_instance_free(t->instance);
	}
	*t = (struct spt_trace_instance){ 0 };
}
