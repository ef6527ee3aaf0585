// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ratio.h"

#define MAX_ROUNDS 1024

void bench_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "bench: ");
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

uint64_t bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(uint64_t *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

static int timed(struct bench_side *side, uint64_t *ns)
{
	uint64_t start = bench_now();
	int err = side->run(side->ctx);

	*ns = bench_now() - start;
	return err;
}

int bench_alternate(struct bench_side *a, struct bench_side *b, unsigned int rounds)
{
	uint64_t ta[MAX_ROUNDS], tb[MAX_ROUNDS], unused;
	int err;

	if (!rounds || rounds > MAX_ROUNDS)
		return -EINVAL;
	err = timed(a, &unused);
	if (!err)
		err = timed(b, &unused);
	for (unsigned int i = 0; i < rounds && !err; i++) {
		err = timed(a, &ta[i]);
		if (!err)
			err = timed(b, &tb[i]);
	}
	if (err)
		return err;
	a->median_ns = median(ta, rounds);
	b->median_ns = median(tb, rounds);
	return 0;
}

void bench_print(const char *figure, double value, const struct bench_side *ours,
		 const struct bench_side *reference)
{
	printf("{\"name\":\"%s\",\"value\":%.3f,\"ours\":\"%s\",\"ours_ns\":%llu,"
	       "\"reference\":\"%s\",\"reference_ns\":%llu}\n",
	       figure, value, ours->name, (unsigned long long)ours->median_ns, reference->name,
	       (unsigned long long)reference->median_ns);
}
