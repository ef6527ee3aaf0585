/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens to a VM's page tables, as it happens: KVM's tracepoints through a trace
 * instance of our own, each event joined with what the agent knows of the VM (slot,
 * root, vCPU, the instruction at RIP). What was recorded is kept as records of an
 * image, and read from one by the same functions.
 */
#ifndef SPT_EVENTS_H
#define SPT_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spt/model.h"
#include "spt/source.h"

/* Kinds of events that are recorded when nothing else is asked for. */
#define SPT_EVENTS_DEFAULT                                                                         \
	((1U << SPT_EVENT_KINDS_COUNT) - 1 - (1U << SPT_EVENT_AGE) - (1U << SPT_EVENT_EXIT) -      \
	 (1U << SPT_EVENT_NESTED))

struct spt_events_ask {
	uint32_t kinds;	     /* bit i: enum spt_event_kind i; 0: SPT_EVENTS_DEFAULT */
	uint64_t start, len; /* GPAs of faults and SPTEs; len 0: all */
	bool vmm_only;	     /* threads of the VMM only, also where no other VM is */
	bool no_code;	     /* do not read the guest's code at RIP */
	uint32_t buffer_kib; /* of each CPU; 0: 8 MiB */
};

/* Given every event in the order of time; valid during the call. Not 0: stop, return it. */
typedef int spt_event_fn(void *arg, const struct spt_event *event);

/* A recording under way. */
struct spt_recorder;

/*
 * Begin to record events of the VM @id. On a host with one VM all threads' are taken:
 * what khugepaged does is this VM's, too. Else those of the VMM's threads, filtered in
 * the kernel, since KVM's tracepoints do not say which VM they speak of.
 * Returns 0 or -errno: -ENOSYS without libtracefs, -EACCES, -ENODEV without tracefs.
 */
int spt_recorder_start(const char *id, const struct spt_events_ask *ask, struct spt_recorder **ret,
		       struct spt_error *err);

/*
 * Hand over what has happened since the last call, at most up to a millisecond ago.
 * Waits up to @wait_ms for the first event; a signal ends the wait early.
 */
int spt_recorder_read(struct spt_recorder *rec, int wait_ms, spt_event_fn *fn, void *arg,
		      struct spt_error *err);

/* End the recording and hand over the rest. The totals are exact afterwards. */
int spt_recorder_stop(struct spt_recorder *rec, spt_event_fn *fn, void *arg, struct spt_error *err);

/* Totals; what was lost is as of the last call of the two above. */
const struct spt_trace *spt_recorder_trace(const struct spt_recorder *rec);

/* The VM as the joins see it; the recorder's, changes with every read. */
const struct spt_model *spt_recorder_model(const struct spt_recorder *rec);

/* The VM, held open by the recording: it can be read also when its VMM is gone. */
struct spt_source *spt_recorder_source(const struct spt_recorder *rec);

/* The VMM has ended: nothing will happen any more. */
bool spt_recorder_gone(const struct spt_recorder *rec);

/* Removes the trace instance, also of a recording that was not stopped. NULL is allowed. */
void spt_recorder_close(struct spt_recorder *rec);

/* 0: an image has what was recorded; -ENODATA: no events, or not the totals of its events. */
int spt_events_check(const struct spt_image *img, struct spt_error *err);

/* Events that an image has, also without totals. Then what @fn returned, or the check's result. */
int spt_events_each(const struct spt_image *img, spt_event_fn *fn, void *arg,
		    struct spt_error *err);

/* Its totals, members that an older spt did not write 0; false: it has none. */
bool spt_events_trace(const struct spt_image *img, struct spt_trace *ret);

/*
 * Write @path: the VM's image without its tables, and the events. An image like any
 * other, which has what the joins were made from.
 */
int spt_events_save(struct spt_source *src, const char *path, const struct spt_event *events,
		    size_t count, const struct spt_trace *trace, struct spt_error *err);

/* Events that were lost; they happened, and are in no event. */
static inline uint64_t spt_trace_lost(const struct spt_trace *trace)
{
	return trace->overrun + trace->dropped + trace->commit;
}

/* "fault", "spte", ...; NULL: a newer spt's. */
const char *spt_event_kind_name(unsigned int kind);
/* What it is, for help; and the tracepoint, "kvm:kvm_page_fault". */
const char *spt_event_kind_help(unsigned int kind);
const char *spt_event_tracepoint(unsigned int kind);

/* What an event is about: NULL, or one of the words in the order of 'events --summary'. */
const char *spt_event_cause(const struct spt_model *model, const struct spt_event *event);

/*
 * The event in words, without the address: "write, not present", "none -> rwx 4K
 * 0x12345000". @model says how entries are to be read.
 */
#define SPT_EVENT_TEXT 256
void spt_event_text(const struct spt_model *model, const struct spt_event *event,
		    char text[SPT_EVENT_TEXT]);

/* The instruction at its RIP, "" when that is not known. */
void spt_event_instruction(const struct spt_event *event, char *text, size_t size);
/* Why it is not, where that is to be told: half a sentence; else NULL. */
const char *spt_event_no_instruction(const struct spt_event *event);

/*
 * The summary: counts by kind, page, instruction and cause, and pages with so many
 * faults that something goes round in circles.
 */
struct spt_events_page {
	uint64_t address;
	uint8_t space; /* enum spt_event_space */
	int16_t slot;
	uint64_t faults, mapped, zapped; /* mapped: present SPTE written; zapped: taken away */
	uint64_t emulated;		 /* MMIO accesses that KVM or the VMM carried out */
	uint64_t reflected;		 /* faults of L2 that the guest's hypervisor was given */
	uint64_t first_ns, last_ns;
	uint64_t in_vain, in_vain_now; /* most faults in a row that changed no SPTE */
};

struct spt_events_place {
	uint64_t rip;
	bool l2; /* of the guest's own guest */
	uint64_t faults;
	struct spt_event event; /* the last of them, of those with code if any has */
};

struct spt_events_cause {
	const char *name;
	bool l2;
	uint64_t count;
};

/* Faults on a page that make it a storm, or cycles of mapping and zapping. */
#define SPT_STORM_FAULTS 64
#define SPT_STORM_CYCLES 32

enum spt_storm_kind {
	SPT_NO_STORM,
	SPT_STORM_SPINNING, /* faults that change no entry */
	SPT_STORM_CIRCLE,   /* mapped and taken away, again and again */
	SPT_STORM_MMIO,	    /* emulated accesses: a device, not an error */
};

struct spt_events_summary {
	uint64_t kinds[SPT_EVENT_KINDS_COUNT];
	uint64_t events, first_ns, last_ns;
	uint64_t peak; /* most faults in one second */
	struct spt_events_page *pages;
	struct spt_events_place *places;
	size_t nr_pages, nr_places;
	struct spt_events_cause causes[24];
	size_t nr_causes;
	uint64_t uncounted;	       /* events beyond the pages and places that are kept */
	struct spt_summary_room *room; /* private */
};

int spt_summary_init(struct spt_events_summary *summary);
void spt_summary_deinit(struct spt_events_summary *summary);
int spt_summary_add(struct spt_events_summary *summary, const struct spt_model *model,
		    const struct spt_event *event);
/* Sorts pages, places and causes by what counts most. Nothing is added afterwards. */
void spt_summary_finish(struct spt_events_summary *summary);

enum spt_storm_kind spt_events_storm(const struct spt_events_page *page);
const char *spt_storm_name(enum spt_storm_kind kind); /* "spinning" */

#endif
