// SPDX-License-Identifier: GPL-2.0
/*
 * Reverse maps: for each guest frame of a slot the SPTEs of the shadow MMU that
 * map it, in slot->arch.rmap, one array of struct kvm_rmap_head a page size.
 *
 * A head is 0, an SPTE's address, or with bit 0 the address of a chain of struct
 * pte_list_desc. Only who holds mmu_lock for write changes what a head leads to,
 * so it is held for read while heads are followed, and not while the arrays are
 * searched for heads that are not 0: most of an array is.
 */
#include <linux/ktime.h>

#include "memslots.h"

#define SPT_RMAPS_MAX		((SPT_SCRATCH_BYTES - sizeof(struct spt_rmaps)) / \
				 sizeof(struct spt_rmap))

/* Heads that are read at once: a cache line. */
#define SPT_HEADS		8

/* KVM_RMAP_MANY, and beside it KVM_RMAP_LOCKED where heads have a lock. */
#define SPT_RMAP_MANY		BIT_ULL(0)
#define SPT_RMAP_FLAGS		GENMASK_ULL(1, 0)

/* Descriptors of one chain that are followed. */
#define SPT_DESCS_MAX		4096

struct spt_rmap_scan {
	struct spt_reader *reader;
	struct spt_rmaps *rec;
	const u64 *heads;
	u64 first;		/* gfn of heads[0]'s page */
	unsigned int shift;	/* pages of its size, as a shift */
};

/* Appends an SPTE of @gfn; false: the record is full. */
static bool spt_rmap_add(struct spt_rmap_scan *scan, u64 gfn, u64 sptep)
{
	if (scan->rec->count == SPT_RMAPS_MAX)
		return false;
	scan->rec->rmap[scan->rec->count++] = (struct spt_rmap){
		.gfn = gfn,
		.sptep_hpa = spt_in_direct_map((void *)sptep, sizeof(u64)) ?
			     __pa(sptep) : SPT_NO_HPA,
	};
	return true;
}

/*
 * Emits the SPTEs of one descriptor, those that were emitted before left out.
 * @skip counts them down. False: the record is full.
 */
static bool spt_rmap_desc(struct spt_rmap_scan *scan, const void *desc, u64 gfn, u64 *skip)
{
	const u64 *sptes = spt_at(desc, SPT_F_PTE_LIST_SPTES);
	u64 room = spt_layout.bytes[SPT_F_PTE_LIST_SPTES] / sizeof(u64);
	u64 count;
	u64 sptep;
	u64 i;

	if (spt_load(desc, SPT_F_PTE_LIST_COUNT, &count))
		count = 0;
	count = min(count, room);
	i = min(*skip, count);
	*skip -= i;
	for (; i < count; i++) {
		if (spt_read(&sptep, &sptes[i], sizeof(sptep)))
			sptep = 0;
		if (!spt_rmap_add(scan, gfn, sptep))
			return false;
		scan->reader->cursor.slot.chain++;
	}
	return true;
}

/*
 * Emits what @head leads to, from the cursor's place in it on. 1: all of it, 0: the
 * record is full, or -errno.
 */
static int spt_rmap_head(struct spt_rmap_scan *scan, u64 gfn, u64 head)
{
	struct spt_slot_cursor *at = &scan->reader->cursor.slot;
	u64 skip = at->chain;
	const void *desc;
	unsigned int n;
	int error;

	/* Not the chain that was begun: what was said of it may be wrong. */
	if (skip && at->head != head) {
		error = spt_note(scan->reader, SPT_NOTE_LIST_CHANGED, gfn, 0);
		if (error)
			return error;
	}
	at->head = head;
	if (!(head & SPT_RMAP_MANY))
		return skip || spt_rmap_add(scan, gfn, head & ~SPT_RMAP_FLAGS);
	desc = (void *)(unsigned long)(head & ~SPT_RMAP_FLAGS);
	for (n = 0; desc && n < SPT_DESCS_MAX; n++) {
		if (!spt_rmap_desc(scan, desc, gfn, &skip))
			return 0;
		desc = spt_load_pointer(desc, SPT_F_PTE_LIST_MORE);
	}
	if (desc) {
		error = spt_note(scan->reader, SPT_NOTE_LIMIT, SPT_DESCS_MAX, 0);
		if (error)
			return error;
	}
	return 1;
}

/* Goes on to the next head that is not 0; false: there was none until time was up, or @end. */
static bool spt_rmaps_search(struct spt_rmap_scan *scan, u64 end, u64 deadline)
{
	struct spt_slot_cursor *at = &scan->reader->cursor.slot;
	unsigned int n;
	u64 head;

	for (n = 1; at->index < end; n++) {
		const u64 *from = &scan->heads[at->index];
		u64 passed = 1;

		if (IS_ALIGNED((unsigned long)from, SPT_HEADS * sizeof(u64)) &&
		    at->index + SPT_HEADS <= end && spt_empty_chunks(from, 1, 0))
			passed = SPT_HEADS;
		else if (!spt_read(&head, from, sizeof(head)) && head & ~SPT_RMAP_FLAGS)
			return true;
		at->index += passed;
		if (!(n % 64) && ktime_get_mono_fast_ns() > deadline)
			return false;
	}
	return false;
}

/*
 * Heads from the cursor on, until one is 0 that begins a cache line, the record is
 * full or time is up. mmu_lock is held. 1: go on, or -errno.
 */
static int spt_rmaps_hold(struct spt_rmap_scan *scan, u64 end, u64 deadline)
{
	struct spt_slot_cursor *at = &scan->reader->cursor.slot;
	u64 head;
	int ret;

	while (at->index < end && !rwlock_is_contended(spt_mmu_lock(scan->reader)) &&
	       ktime_get_mono_fast_ns() <= deadline) {
		const u64 *from = &scan->heads[at->index];

		if (spt_read(&head, from, sizeof(head)))
			head = 0;
		if (!(head & ~SPT_RMAP_FLAGS) &&
		    IS_ALIGNED((unsigned long)from, SPT_HEADS * sizeof(u64)))
			break;
		if (head & ~SPT_RMAP_FLAGS) {
			ret = spt_rmap_head(scan, scan->first + (at->index << scan->shift), head);
			if (ret <= 0)
				return ret ? ret : 1;
		}
		at->index++;
		at->chain = 0;
	}
	return 1;
}

static int spt_rmaps_locked(struct spt_rmap_scan *scan, u64 end, u64 deadline)
{
	rwlock_t *lock = spt_mmu_lock(scan->reader);
	int ret;

	if (!read_trylock(lock)) {
		spt_mmu_wait();
		return 1;
	}
	pagefault_disable();
	ret = spt_rmaps_hold(scan, end, deadline);
	pagefault_enable();
	read_unlock(lock);
	return ret;
}

/* The gfns of the slot's array at this level that the request wants, as indexes. */
static u64 spt_rmaps_range(const struct spt_rmap_scan *scan, const struct spt_slot_pages *slot,
			   u64 *index)
{
	u64 last = (slot->base + slot->npages - 1) >> scan->shift;
	u64 base = slot->base >> scan->shift;
	u64 first = spt_request_first(scan->reader) >> scan->shift;
	u64 wanted = (spt_request_end(scan->reader) - 1) >> scan->shift;

	if (first > base)
		*index = max(*index, first - base);
	last = min(last, wanted);
	return last >= base ? last - base + 1 : 0;
}

int spt_rmaps(struct spt_reader *reader, const void *slot, const struct spt_slot_pages *pages,
	      u8 level)
{
	u64 deadline = ktime_get_mono_fast_ns() + SPT_SLICE_NS;
	const u64 *const *arrays = spt_at(slot, SPT_F_SLOT_RMAP);
	struct spt_slot_cursor *at = &reader->cursor.slot;
	struct spt_rmap_scan scan = {
		.reader = reader,
		.shift = spt_level_shift(level),
	};
	int ret = 0;
	u64 end;

	if (level > spt_layout.bytes[SPT_F_SLOT_RMAP] / sizeof(void *) ||
	    spt_read(&scan.heads, &arrays[level - 1], sizeof(scan.heads)) ||
	    (long)scan.heads >= 0)	/* there is none, or no address of the kernel's */
		return 0;
	scan.first = pages->base >> scan.shift << scan.shift;
	scan.rec = spt_record(reader, SPT_REC_RMAPS, sizeof(*scan.rec));
	scan.rec->level = level;
	end = spt_rmaps_range(&scan, pages, &at->index);
	if (spt_rmaps_search(&scan, end, deadline))
		ret = spt_rmaps_locked(&scan, end, deadline);
	if (ret < 0)
		return ret;
	if (scan.rec->count) {
		scan.rec->rec.len = struct_size(scan.rec, rmap, scan.rec->count);
		ret = spt_put(reader, scan.rec);
		if (ret)
			return ret;
	}
	return at->index < end;
}
