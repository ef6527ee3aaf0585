// SPDX-License-Identifier: GPL-2.0
/*
 * L1 under Bochs, from the host: runs the emulator, starts the kernel in it, and keeps directories
 * alike on both sides while L1 runs. When L1 asks the host to run something (lab-outside), L1's
 * physical memory as it is at that moment is written to a file first.
 */
#include <err.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bochs-l1.h"
#include "bochs-link.h"

#define POLL_NS 2000000

static pid_t emulator;
static volatile sig_atomic_t stopped;

static void link_read(const struct link *link, uint64_t offset, void *to, size_t size)
{
	guest_read(*(uint64_t *)link->private + offset, to, size);
}

static void link_write(const struct link *link, uint64_t offset, const void *from, size_t size)
{
	guest_write(*(uint64_t *)link->private + offset, from, size);
}

/* Where the time goes, whatever else the machine does. */
static void cpu_time_print(const char *event)
{
	struct timespec used = {};
	clockid_t clock;

	if (!clock_getcpuclockid(emulator, &clock))
		clock_gettime(clock, &used);
	fprintf(stderr, "bochs-l1: %s after %ld.%02ld s of CPU time\n", event, (long)used.tv_sec,
		used.tv_nsec / 10000000);
}

static void on_signal(int signal)
{
	stopped = signal;
}

/* Starts the emulator on a terminal of its own; its screen goes to a file. */
static int emulator_start(char *const *argv)
{
	const struct winsize size = { .ws_row = 30, .ws_col = 100 };
	int terminal;

	emulator = forkpty(&terminal, NULL, NULL, &size);
	if (emulator < 0)
		err(2, "forkpty");
	if (!emulator) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("TERM", "vt100", 1);
		execvp(argv[0], argv);
		warn("%s", argv[0]);
		_exit(127);
	}
	fcntl(terminal, F_SETFL, O_NONBLOCK);
	fcntl(terminal, F_SETFD, FD_CLOEXEC);
	return terminal;
}

/* The terminal must be read, or the emulator stops; the last of it helps when it fails. */
static void screen_drain(int terminal, int screen)
{
	char text[4096];
	ssize_t size;

	while ((size = read(terminal, text, sizeof(text))) > 0)
		if (write(screen, text, size) != size)
			break;
}

static bool emulator_runs(void)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	int status;

	nanosleep(&pause, NULL);
	return !stopped && waitpid(emulator, &status, WNOHANG) == 0;
}

/* The options, each with an argument and all needed. */
static const struct {
	char letter;
	const char *help;
} option_table[] = {
	{ 'k', "the kernel, an uncompressed vmlinux" },
	{ 'i', "the initramfs" },
	{ 'a', "the kernel's command line" },
	{ 'd', "the directory whose 'out' and 'outside' are kept like L1's in /lab" },
	{ 'r', "where L1's physical memory goes for lab-outside" },
	{ 'l', "the emulator's log, which it is told to write" },
	{ 's', "where the emulator's screen goes" },
};

/* The options' arguments by letter. */
static const char *options[128];

static void options_parse(int argc, char **argv)
{
	bool complete = true;
	int option;

	while ((option = getopt(argc, argv, "k:i:a:d:r:l:s:")) != -1)
		options[option] = optarg;
	for (size_t i = 0; i < sizeof(option_table) / sizeof(*option_table); i++)
		complete = complete && options[(int)option_table[i].letter];
	if (complete && optind < argc)
		return;
	fprintf(stderr, "usage: bochs-l1 OPTION... -- EMULATOR [ARGUMENT...]\n");
	for (size_t i = 0; i < sizeof(option_table) / sizeof(*option_table); i++)
		fprintf(stderr, "  -%c  %s\n", option_table[i].letter, option_table[i].help);
	exit(2);
}

/* A request of lab-outside is complete when its 'ready' comes. */
static void on_arrival(const char *name)
{
	const char *slash = strrchr(name, '/');

	if (!strcmp(name, "out/phase"))
		cpu_time_print("next phase");
	if (!strncmp(name, "outside/", 8) && !strcmp(slash, "/ready"))
		memory_save(options['r']);
}

int main(int argc, char **argv)
{
	uint64_t address;
	const struct link link = {
		.read = link_read,
		.write = link_write,
		.private = &address,
		.send_ring = offsetof(struct link_area, to_l1),
		.send_bytes = LINK_RING_SIZE * 2,
		.receive_ring = offsetof(struct link_area, to_host),
		.receive_bytes = LINK_RING_SIZE,
	};
	struct mirror *mirror;
	int terminal, screen;
	uint32_t off = 0;

	options_parse(argc, argv);
	screen = open(options['s'], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (screen < 0)
		err(2, "%s", options['s']);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGHUP, on_signal);
	terminal = emulator_start(argv + optind);
	do {
		if (!emulator_runs())
			errx(3, "the emulator ended before L1's start: see %s", options['l']);
		screen_drain(terminal, screen);
	} while (!memory_find(emulator, options['l']));
	cpu_time_print("the BIOS is done");
	address = kernel_start(options['k'], options['i'], options['a']);
	mirror = mirror_create(&link, options['d'], on_arrival);
	while (!off && emulator_runs()) {
		screen_drain(terminal, screen);
		link_read(&link, offsetof(struct link_area, off), &off, sizeof(off));
		while (mirror_step(mirror))
			;
	}
	kill(emulator, SIGKILL);
	return off ? 0 : 3;
}
