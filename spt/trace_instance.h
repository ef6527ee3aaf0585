/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A trace instance of our own: buffers and events that nobody else's tracing sees. It
 * is a thing of the kernel's and outlives its maker, so what a killed one left behind
 * is removed by the next.
 */
#ifndef SPT_TRACE_INSTANCE_H
#define SPT_TRACE_INSTANCE_H

#include <stdint.h>
#include <sys/types.h>

#include "spt/trace_calls.h"

struct spt_trace_instance {
	const struct spt_trace_calls *calls;
	struct tracefs_instance *instance;
	char *dir; /* the instance's directory in tracefs, libtracefs's */
	char name[32];
	int *pipe; /* trace_pipe_raw of each CPU, -1: none */
	unsigned int cpus;
};

/* What the kernel counts for all CPUs of the instance. */
struct spt_trace_counts {
	uint64_t read, waiting;
	uint64_t overrun, commit, dropped;
};

/* Make one, off, with @buffer_kib for each CPU and CLOCK_MONOTONIC as its clock. */
int spt_trace_instance_open(struct spt_trace_instance *t, const struct spt_trace_calls *calls,
			    uint32_t buffer_kib, struct spt_error *err);

/* Write @text to @file of the instance. 0 or -errno. */
int spt_trace_write(struct spt_trace_instance *t, const char *file, const char *text,
		    struct spt_error *err);

/* Take events of these threads only, and of what they start. */
int spt_trace_threads(struct spt_trace_instance *t, const pid_t *tids, size_t count,
		      struct spt_error *err);

/* Wait until a CPU has something, up to @ms; a signal ends it. */
void spt_trace_wait(const struct spt_trace_instance *t, int ms);

/* One sub-buffer of a CPU, @size bytes; 0: there is no more now. */
ssize_t spt_trace_read(const struct spt_trace_instance *t, unsigned int cpu, void *page,
		       size_t size);

int spt_trace_counts(const struct spt_trace_instance *t, struct spt_trace_counts *ret,
		     struct spt_error *err);

/* Removes it. Nothing happens to one that was never opened, or is all zeroes. */
void spt_trace_instance_close(struct spt_trace_instance *t);

#endif
