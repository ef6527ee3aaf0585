// SPDX-License-Identifier: GPL-2.0
/*
 * Whose nth allocation is failed: fail-nth of threads in /proc.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "injection.h"

#define THREADS_MAX 64
#define NAME_SIZE   64

/* Where each thread says how many allocations are left until one fails. */
static int fail_fds[THREADS_MAX];
static unsigned int fail_count;

static void fail_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && fail_count < THREADS_MAX)
		fail_fds[fail_count++] = fd;
	else if (fd >= 0)
		errx(2, "more than %u threads", THREADS_MAX);
}

void fail_own(void)
{
	fail_open("/proc/thread-self/fail-nth");
	if (!fail_count)
		err(2, "fail-nth: is this the debug kernel?");
}

static bool name_begins(const char *process, const char *with)
{
	char path[PATH_MAX], name[NAME_SIZE] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/comm", process);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, name, sizeof(name) - 1) < 0)
		name[0] = '\0';
	close(fd);
	return !strncmp(name, with, strlen(with));
}

void fail_named(const char *name)
{
	glob_t processes;
	char path[PATH_MAX];

	while (fail_count)
		close(fail_fds[--fail_count]);
	if (glob("/proc/[0-9]*", GLOB_NOSORT, NULL, &processes))
		errx(2, "/proc has no process");
	for (size_t i = 0; i < processes.gl_pathc; i++) {
		if (!name_begins(processes.gl_pathv[i], name))
			continue;
		snprintf(path, sizeof(path), "%s/fail-nth", processes.gl_pathv[i]);
		fail_open(path);
	}
	globfree(&processes);
	if (!fail_count)
		errx(2, "there is no '%s' thread", name);
}

/* A thread may have ended meanwhile. */
void fail_nth(unsigned int n)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%u", n);

	for (unsigned int i = 0; i < fail_count; i++)
		if (pwrite(fail_fds[i], text, size, 0) != size && errno != ESRCH)
			err(2, "fail-nth");
}

unsigned int fail_left(void)
{
	unsigned int least = UINT_MAX;

	for (unsigned int i = 0; i < fail_count; i++) {
		char text[16] = "";
		unsigned int left;

		if (pread(fail_fds[i], text, sizeof(text) - 1, 0) <= 0)
			continue;
		left = strtoul(text, NULL, 10);
		least = left < least ? left : least;
	}
	if (least == UINT_MAX)
		err(2, "fail-nth");
	fail_nth(0);
	return least;
}

bool fail_happened(void)
{
	return !fail_left();
}
