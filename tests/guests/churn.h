/* SPDX-License-Identifier: GPL-2.0 */
/* The threads that change a guest all the time; see churn.c. */
#ifndef CHURN_H
#define CHURN_H

#include "pages.h"

#define BURST_PAGES 64 /* at most this many accesses in one vCPU operation */

struct worker {
	const char *name;
	void (*step)(struct worker *w);
	unsigned int pause_us; /* after each step: the vCPUs need the CPU too */
	struct guest *guest;
	int vcpu;	 /* index, for the fault workers; else -1 */
	uint64_t random; /* state of the generator */
	uint64_t steps;
	pthread_t thread;
	bool started;
};

/* Those of a VM with private memory. */
extern struct worker tdx_workers[];
extern const size_t tdx_worker_count;

uint64_t churn_random(struct worker *w);

#endif
