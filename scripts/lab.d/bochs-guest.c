// SPDX-License-Identifier: GPL-2.0
/*
 * L1's first process under Bochs: runs '/start', keeps /lab/out and /lab/outside like the host's
 * (bochs-link.h), and switches L1 off when /start has ended. It is the first process so that a
 * 'kill -1' among the others does not cut the link.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bochs-link.h"

#define POLL_NS 10000000

static void area_read(const struct link *link, uint64_t offset, void *to, size_t size)
{
	memcpy(to, (const char *)link->private + offset, size);
}

static void area_write(const struct link *link, uint64_t offset, const void *from, size_t size)
{
	memcpy((char *)link->private + offset, from, size);
}

static volatile struct link_area *area_map(void)
{
	static char line[4096];
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	volatile struct link_area *area;
	char *parameter;

	if (fd < 0 || read(fd, line, sizeof(line) - 1) < 0)
		err(2, "/proc/cmdline");
	close(fd);
	parameter = strstr(line, LINK_PARAMETER);
	if (!parameter)
		errx(2, "/proc/cmdline has no " LINK_PARAMETER);
	fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(2, "/dev/mem");
	area = mmap(NULL, LINK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    strtoull(parameter + strlen(LINK_PARAMETER), NULL, 0));
	if (area == MAP_FAILED)
		err(2, "/dev/mem");
	close(fd);
	if (area->magic != LINK_MAGIC)
		errx(2, "no link where the command line says");
	return area;
}

static pid_t start(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	execl("/start", "/start", NULL);
	err(127, "/start");
}

/* Collects whoever ended, orphans too; true while START is not among them. */
static bool runs(pid_t start)
{
	pid_t ended;

	while ((ended = waitpid(-1, NULL, WNOHANG)) > 0)
		if (ended == start)
			return false;
	return ended == 0;
}

int main(void)
{
	const struct timespec interval = { .tv_nsec = POLL_NS };
	struct mirror *mirror;
	pid_t session;

	if (mount("dev", "/dev", "devtmpfs", 0, NULL) || mount("proc", "/proc", "proc", 0, NULL))
		err(2, "mounting /dev and /proc");
	volatile struct link_area *area = area_map();
	const struct link link = {
		.read = area_read,
		.write = area_write,
		.private = (void *)area,
		.send_ring = offsetof(struct link_area, to_host),
		.send_bytes = LINK_RING_SIZE,
		.receive_ring = offsetof(struct link_area, to_l1),
		.receive_bytes = LINK_RING_SIZE * 2,
	};

	mirror = mirror_create(&link, "/lab", NULL);
	session = start();
	while (runs(session))
		if (!mirror_step(mirror))
			nanosleep(&interval, NULL);
	while (mirror_step(mirror) || area->to_host.produced != area->to_host.consumed)
		nanosleep(&interval, NULL);
	area->off = 1;
	for (;;)
		pause();
}
