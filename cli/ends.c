// SPDX-License-Identifier: GPL-2.0
#include "cli/ends.h"

#include <signal.h>
#include <stddef.h>

#include "cli/cli.h"

static const int ends[] = { SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

static struct sigaction before[sizeof(ends) / sizeof(ends[0])];
static unsigned int holders;
static volatile sig_atomic_t held;

static void hold(int number)
{
	held = number;
	cli_interrupted = 1;
}

void cli_hold_ends(void)
{
	const struct sigaction holding = { .sa_handler = hold };

	if (holders++)
		return;
	held = 0;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		sigaction(ends[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(ends[i], &holding, NULL);
	}
}

void cli_release_ends(void)
{
	if (--holders)
		return;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaction(ends[i], &before[i], NULL);
}

int cli_held_end(void)
{
	return held;
}

void cli_raise_end(void)
{
	int number = held;

	if (!number || holders)
		return;
	held = 0;
	raise(number);
}
