/* SPDX-License-Identifier: GPL-2.0 */
/* What the agent knows of what an event speaks of. */
#ifndef SPT_EVENTS_JOIN_H
#define SPT_EVENTS_JOIN_H

#include "spt/events.h"

/* Threads whose names, and whose last fault, are remembered. */
#define SPT_JOIN_THREADS 4096
/* Instructions that are remembered, and read from the guest at most. */
#define SPT_JOIN_CODES 4096

struct spt_events_join {
	struct spt_source *src;	 /* of 'model' alone: a source keeps the image it gave last */
	struct spt_model model;	 /* vm, vcpus, memslots, attrs */
	struct spt_source *side; /* of whatever is read besides */
	uint64_t root_hpa[2];	/* the address space's one valid direct root; SPT_NO_HPA: not one */
	uint64_t nested_hpa[2]; /* the same of the roots for the guest's own guest (L2) */
	uint64_t roots_ns;	/* before they were read */
	bool nested;		/* the guest has given L2 memory by nested page tables */
	bool may_nest;		/* a vCPU's virtualization is on, or it ran L2 */
	uint64_t code_ns;	/* when code was tried again that had not been there */
	struct spt_model code_model;
	struct spt_model code_regs;
	int vmm; /* PID */
	bool no_code;
	uint64_t loaded_ns; /* when the model was read */
	struct spt_join_thread *threads;
	struct spt_join_code *codes;
	unsigned int nr_codes;
};

int spt_join_init(struct spt_events_join *join, const char *id, bool no_code,
		  struct spt_error *err);
void spt_join_deinit(struct spt_events_join *join);

/* Fill in what is not in the tracepoint. Events come in the order of time. */
void spt_join_event(struct spt_events_join *join, struct spt_event *event);

#endif
