// SPDX-License-Identifier: GPL-2.0
/*
 * bench-oneshot FIGURE PID COMMAND...: the time of the whole process COMMAND,
 * against the whole process 'cat /proc/PID/status'.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ratio.h"

#define ROUNDS 41

extern char **environ;

static int run_process(void *ctx)
{
	char **argv = ctx;
	posix_spawn_file_actions_t actions;
	int status, err;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	err = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err)
		return -err;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

int main(int argc, char **argv)
{
	char path[64];
	char *cat[] = { "cat", path, NULL };
	struct bench_side a, b;
	int err;

	if (argc < 4)
		bench_fail("usage: bench-oneshot FIGURE PID COMMAND...");
	snprintf(path, sizeof(path), "/proc/%s/status", argv[2]);
	a = (struct bench_side){ argv[3], run_process, argv + 3, 0 };
	b = (struct bench_side){ "cat /proc/PID/status", run_process, cat, 0 };
	err = bench_alternate(&a, &b, ROUNDS);
	if (err)
		bench_fail("%s: %s", argv[3],
			   err == -ECHILD ? "the command failed" : strerror(-err));
	bench_print(argv[1], (double)a.median_ns / b.median_ns, &a, &b);
	return 0;
}
