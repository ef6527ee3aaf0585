// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the frequency of this machine's time-stamp counter in kHz: the two clocks read over a
 * tenth of a second, each pair of reads the closest of several, since others run in between.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define WAIT_NS 100000000
#define TRIES	20

struct moment {
	uint64_t tsc, ns;
};

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct moment look(void)
{
	uint64_t closest = UINT64_MAX;
	struct moment ret = {};

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = __rdtsc(), ns = clock_ns(), after = __rdtsc();

		if (after - before < closest) {
			closest = after - before;
			ret = (struct moment){ before + (after - before) / 2, ns };
		}
	}
	return ret;
}

int main(void)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };
	struct moment begin = look(), end;

	nanosleep(&wait, NULL);
	end = look();
	printf("%.0f\n", (end.tsc - begin.tsc) * 1e6 / (end.ns - begin.ns));
	return 0;
}
