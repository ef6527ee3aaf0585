/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A storm: random actions on a guest at a given rate, the same for the same seed, with
 * audits in between. It ends at its time, at the first violation or when it is told,
 * and takes back what it left open.
 */
#ifndef SPT_STORM_H
#define SPT_STORM_H

#include <stdbool.h>
#include <stdint.h>

#include "spt/audit.h"
#include "spt/control.h"
#include "spt/source.h"

/* S(id, name, action, weight in the default mix): what a storm may do. */
#define SPT_STORM_ACTIONS(S)                                                                       \
	S(FAULT, "fault", FAULT, 4)                                                                \
	S(ZAP, "zap", ZAP, 4)                                                                      \
	S(REMAP, "remap", REMAP, 2)                                                                \
	S(SPLIT, "split", SPLIT, 1)                                                                \
	S(COLLAPSE, "collapse", COLLAPSE, 1)                                                       \
	S(PROTECT, "protect", PROTECT, 2)                                                          \
	S(TRACK, "write-track", TRACK, 1)                                                          \
	S(AGE, "age", AGE, 1)                                                                      \
	S(DIRTY, "dirty", DIRTY, 1)                                                                \
	S(UNDO, "undo", UNDO, 0) /* of something that the storm did */

enum spt_storm_action {
#define S(id, name, action, weight) SPT_STORM_##id,
	SPT_STORM_ACTIONS(S)
#undef S
		SPT_STORM_ACTION_COUNT,
};

/* Their names, NULL-terminated, for parsers and completion. */
extern const char *const spt_storm_names[SPT_STORM_ACTION_COUNT + 1];

#define SPT_STORM_RATE	      50 /* actions a second */
#define SPT_STORM_SECONDS     10
#define SPT_STORM_AUDIT_EVERY 250
#define SPT_STORM_OPEN_MAX    64 /* more undo records are taken back at once, oldest first */
#define SPT_STORM_TIMES	      4096

struct spt_storm_request {
	uint64_t seed;
	uint64_t start, len; /* bytes of guest-physical memory; len 0: all slots */
	unsigned int rate;   /* actions a second, at most */
	unsigned int seconds;
	uint64_t count;		  /* ends after so many actions; 0: by time alone */
	unsigned int audit_every; /* actions; 0: at the end alone */
	unsigned int weight[SPT_STORM_ACTION_COUNT];
	uint32_t vcpu; /* of faults, if have_vcpu */
	bool have_vcpu;
	bool dry_run; /* tell what it would do (see 'told'), do nothing */
	/* Asked between two actions: true ends the storm. */
	bool (*stop)(void *arg);
	/* Told of each action before it is done; NULL: nobody is. */
	void (*told)(void *arg, uint64_t nr, const struct spt_action_request *request);
	void *arg;
};

/* What became of the actions of one kind. */
struct spt_storm_tally {
	uint64_t results[SPT_RESULT_COUNT];
	uint64_t reasons[SPT_WHY_COUNT];
	uint64_t total_ns, most_ns; /* of all, as the tool sees it */
	uint64_t nr_times;
	uint32_t times_us[SPT_STORM_TIMES]; /* of those done, a sample */
};

enum spt_storm_end {
	SPT_STORM_BY_TIME,
	SPT_STORM_BY_COUNT,
	SPT_STORM_STOPPED,
	SPT_STORM_VIOLATION,
	SPT_STORM_GONE,	 /* the VM is */
	SPT_STORM_ERROR, /* see the error */
};

struct spt_storm {
	struct spt_storm_request request;
	struct spt_storm_tally tally[SPT_STORM_ACTION_COUNT];
	uint64_t actions, audits, reads_ns;
	uint64_t elapsed_ns;
	uint64_t undone, undo_failed; /* at the end, and when there were too many */
	enum spt_storm_end end;
	struct spt_audit audit; /* the last one; its findings if the end is a violation */
	bool have_audit;
};

/* "zap,remap:3,split" into weights (1 where none is given). 0 or -EINVAL naming the word. */
int spt_storm_parse(const char *text, unsigned int weight[SPT_STORM_ACTION_COUNT],
		    struct spt_error *err);

/* The weights without a mix. */
void spt_storm_default_mix(unsigned int weight[SPT_STORM_ACTION_COUNT]);

/*
 * Run it on the VM @vm. @storm->request is filled, the rest is overwritten and freed
 * with spt_storm_deinit() in any case. 0: it ended as storm->end says. -ENOENT: no
 * slot in the range; errors of opening the VM; -EBADMSG and others of an action that
 * had no answer, after what could be taken back was.
 */
int spt_storm_run(struct spt_storm *storm, const char *vm, struct spt_error *err);
void spt_storm_deinit(struct spt_storm *storm);

/* Median, microseconds, of the actions of a kind that were done. Sorts the sample. */
uint32_t spt_storm_median(struct spt_storm_tally *tally);

#endif
