/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KVM's tracepoints: one row a kind of event says where each member of struct
 * spt_event comes from, by the field names of the kernel's own format files.
 */
#ifndef SPT_TRACE_POINTS_H
#define SPT_TRACE_POINTS_H

#include "spt/events.h"
#include "spt/trace_calls.h"

#define SPT_POINT_FIELDS 8

/* How a field's number becomes a member. */
enum spt_point_use {
	SPT_USE_NOTHING,
	SPT_USE_VCPU,
	SPT_USE_ADDRESS,
	SPT_USE_GFN,
	SPT_USE_END, /* address behind the last one */
	SPT_USE_ERROR,
	SPT_USE_RIP,
	SPT_USE_OLD,
	SPT_USE_NEW,
	SPT_USE_LEVEL,
	SPT_USE_AS,
	SPT_USE_RESULT,
	SPT_USE_WRITE, /* kvm_mmio: its type; 2 is a write */
};

struct spt_point {
	const char *system, *name;
	const char *help;
	struct {
		const char *name;
		enum spt_point_use use;
	} field[SPT_POINT_FIELDS];
	const char *exits; /* of exits: the field with the reason; those of faults are wanted */
};

extern const struct spt_point spt_points[SPT_EVENT_KINDS_COUNT];

/* The same on this kernel. */
struct spt_point_here {
	struct tep_event *event; /* NULL: this kernel has no such tracepoint */
	struct tep_format_field *field[SPT_POINT_FIELDS]; /* NULL: nor such a field */
};

struct spt_points_here {
	const struct spt_trace_calls *calls;
	struct tep_handle *tep;
	struct spt_point_here point[SPT_EVENT_KINDS_COUNT];
};

/* Parse the formats below @dir (the instance's). What is absent is NULL. 0 or -ENOMEM. */
int spt_points_init(struct spt_points_here *here, const struct spt_trace_calls *calls,
		    const char *dir, struct spt_error *err);
void spt_points_deinit(struct spt_points_here *here);

/* Whether the exit was made by a fault that KVM then resolves, and says so in a FAULT. */
bool spt_point_is_fault(const struct spt_head *head, const struct spt_event *exit);

/*
 * The kernel's filter for a kind: "" takes every event. @start and @len as in struct
 * spt_events_ask; SPTEs of pages that begin below @start are let through.
 */
#define SPT_POINT_FILTER 192
void spt_point_filter(const struct spt_points_here *here, unsigned int kind,
		      const struct spt_head *head, const struct spt_events_ask *ask,
		      char filter[SPT_POINT_FILTER]);

/* Decode one raw event of @size bytes; false: it is none of ours. */
bool spt_point_decode(const struct spt_points_here *here, void *raw, unsigned int size,
		      struct spt_event *event);

#endif
