// SPDX-License-Identifier: GPL-2.0
#include "tui/crash.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

#define FATAL (sizeof(fatal) / sizeof(fatal[0]))

static struct sigaction was[FATAL]; /* a sanitizer's, for instance */
static struct termios modes_before;
static char leave_text[256];
static size_t leave_len;

void tui_crash_forget(void)
{
	for (size_t i = 0; i < FATAL; i++)
		sigaction(fatal[i], &was[i], NULL);
}

/* Only what may be called in a signal's handler, wherever that came from. */
static void on_crash(int signal_number, siginfo_t *info, void *context)
{
	ssize_t written = write(STDOUT_FILENO, leave_text, leave_len);

	(void)written; /* what more could be done */
	tcsetattr(STDIN_FILENO, TCSANOW, &modes_before);
	tui_crash_forget();
	/* What faulted faults again, and is reported as if nobody had been here. */
	if (info->si_code <= 0)
		raise(signal_number);
}

void tui_crash_prepare(const struct termios *modes, const char *leave, size_t len)
{
	struct sigaction action = { .sa_sigaction = on_crash, .sa_flags = SA_SIGINFO };

	modes_before = *modes;
	leave_len = len < sizeof(leave_text) ? len : sizeof(leave_text);
	memcpy(leave_text, leave, leave_len);
	for (size_t i = 0; i < FATAL; i++)
		sigaction(fatal[i], &action, &was[i]);
}
