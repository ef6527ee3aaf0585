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

/*
 * slot_runs.c: goes on with the array that cursor.slot.runs names, for at most
 * SPT_SRCU_SLICE_NS. 1: come again, 0: that array is done.
 */
int spt_slot_runs(struct spt_reader *reader, const void *slot);

/* Arrays of a slot, in this order; 0 stands for none. */
enum { SPT_RUNS_2M = 1, SPT_RUNS_1G, SPT_RUNS_TRACK, SPT_RUNS_DIRTY, SPT_RUNS_END };

#endif
