/* SPDX-License-Identifier: GPL-2.0 */
/* A number of independent jobs on several threads. */
#ifndef SPT_WORKERS_H
#define SPT_WORKERS_H

#include <stdint.h>

struct spt_workers {
	unsigned int threads; /* 0: one for each CPU that this process may run on */
	/* Job @nr, of 0 .. @jobs - 1; @thread tells the threads apart. Not 0: none is begun any
	 * more. */
	int (*job)(void *arg, uint64_t nr, unsigned int thread);
	void *arg;
};

#define SPT_WORKERS_MAX 16

/* How many threads that means. */
unsigned int spt_workers_threads(const struct spt_workers *w);

/*
 * Run the jobs first .. end - 1, the lowest first, and wait for them; the calling
 * thread works, too. Returns 0 or the first value that was not 0.
 */
int spt_workers_run(const struct spt_workers *w, uint64_t first, uint64_t end);

#endif
