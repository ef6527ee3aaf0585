/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Measuring one thing against another within one run: the two alternate, so
 * that a slow phase of the machine hits both, and the medians are compared.
 */
#ifndef SPT_BENCH_RATIO_H
#define SPT_BENCH_RATIO_H

#include <stdint.h>

struct bench_side {
	const char *name;
	/* Does the work once; returns 0, or -errno, which ends the bench. */
	int (*run)(void *ctx);
	void *ctx;
	uint64_t median_ns; /* out */
};

/* One line on stderr, then exit status 2. */
__attribute__((noreturn, format(printf, 1, 2))) void bench_fail(const char *fmt, ...);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t bench_now(void);

/*
 * Runs a and b in turn, 'rounds' times after one round that is not counted.
 * Returns 0 with both medians set, or the first error.
 */
int bench_alternate(struct bench_side *a, struct bench_side *b, unsigned int rounds);

/* Prints one figure as a JSON object on a line of its own: name, value, and both medians. */
void bench_print(const char *figure, double value, const struct bench_side *ours,
		 const struct bench_side *reference);

#endif
