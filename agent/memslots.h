/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memslots as KVM keeps them. Slots and what hangs on them may be looked at
 * only while kvm->srcu is read-locked.
 */
#ifndef SPT_AGENT_MEMSLOTS_H
#define SPT_AGENT_MEMSLOTS_H

#include "reader.h"

struct srcu_struct;

struct srcu_struct *spt_kvm_srcu(const struct kvm *kvm);

/* The active slot set of an address space; NULL: none. */
const void *spt_slots(const struct kvm *kvm, unsigned int as);
/* The slot with the lowest base at or above @gfn, and with the highest at or below it. */
const void *spt_slot_from(const void *slots, u64 gfn);
const void *spt_slot_below(const void *slots, u64 gfn);

/* attrs.c: is one of the gfns private by its attribute? Does not sleep. */
bool spt_attrs_private(const struct kvm *kvm, u64 first, u64 end);

/* What is said of a slot after its record, in this order; 0 stands for the record. */
enum {
	SPT_RUNS_2M = 1,
	SPT_RUNS_1G,
	SPT_RUNS_TRACK,
	SPT_RUNS_DIRTY,
	SPT_RUNS_HOST,
	SPT_RUNS_GMEM,
	SPT_RUNS_RMAP_4K,
	SPT_RUNS_RMAP_2M,
	SPT_RUNS_RMAP_1G,
	SPT_RUNS_END
};

/*
 * slot_runs.c: goes on with the array that cursor.slot.runs names, for at most
 * SPT_SRCU_SLICE_NS. 1: come again, 0: that array is done.
 */
int spt_slot_runs(struct spt_reader *reader, const void *slot);

/* What of SPT_RUNS_* comes after @runs for this request and slot; 0: nothing more. */
u8 spt_slot_runs_next(const struct spt_reader *reader, const void *slot, u8 runs);

/* Parts that are said of a slot, and any of which makes the slots be looked for. */
#define SPT_SLOT_PARTS	(SPT_PART_LPAGE | SPT_PART_DIRTY | SPT_PART_HOST_RUNS | \
			 SPT_PART_GMEM | SPT_PART_RMAPS)

/* Where a slot is, copied from it. */
struct spt_slot_pages {
	u64 base;		/* gfn */
	u64 npages;
	u64 hva;
};

/* Of the slot's pages those that the request wants, from @index to below @end; false: none. */
bool spt_slot_wanted(const struct spt_reader *reader, const struct spt_slot_pages *slot,
		     u64 *index, u64 *end);

/*
 * host_runs.c: goes on with the host's mapping of the slot from the cursor on,
 * as spt_slot_runs() does.
 */
int spt_host_runs(struct spt_reader *reader, const struct spt_slot_pages *pages);

/* Runs that a record in the reader's scratch has room for. */
#define SPT_HOST_RUNS_MAX	((SPT_SCRATCH_BYTES - sizeof(struct spt_host_runs)) / \
				 sizeof(struct spt_host_run))

/*
 * Makes the open run longer by @next, or puts it into the record and opens @next in
 * its place. False: the record is full, and @next was not taken.
 */
bool spt_host_run_add(struct spt_host_runs *rec, struct spt_host_run *open,
		      const struct spt_host_run *next);
/* The open run goes into the record; false: there is no room. */
bool spt_host_run_close(struct spt_host_runs *rec, struct spt_host_run *open);

/* gmem_runs.c: goes on with the pages of the slot's guest_memfd, as spt_slot_runs() does. */
int spt_gmem_runs(struct spt_reader *reader, const void *slot,
		  const struct spt_slot_pages *pages);
/* Whether this kernel's guest_memfd files can be looked into. */
bool spt_gmem_readable(void);

/* rmaps.c: the same with the slot's reverse maps at @level. */
int spt_rmaps(struct spt_reader *reader, const void *slot, const struct spt_slot_pages *pages,
	      u8 level);

#endif
