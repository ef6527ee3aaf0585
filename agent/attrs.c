// SPDX-License-Identifier: GPL-2.0
/*
 * The VM's memory attributes (private or shared), from an xarray with one entry
 * a gfn. Writers hold slots_lock, readers RCU.
 */
#include <linux/ktime.h>
#include <linux/xarray.h>

#include "memslots.h"

/* KVM_MEMORY_ATTRIBUTE_PRIVATE */
#define SPT_ATTRIBUTE_PRIVATE	BIT_ULL(3)

#define SPT_RUNS_MAX	((SPT_SCRATCH_BYTES - sizeof(struct spt_runs)) / sizeof(struct spt_run))
/* Entries between two looks at the clock. */
#define SPT_ATTRS_BURST	64

static bool spt_attrs_add(struct spt_runs *runs, u64 gfn, u64 value)
{
	struct spt_run *last = runs->count ? &runs->run[runs->count - 1] : NULL;

	if (last && last->value == value && last->gfn + last->npages == gfn) {
		last->npages++;
		return true;
	}
	if (runs->count == SPT_RUNS_MAX)
		return false;
	runs->run[runs->count++] = (struct spt_run){ gfn, 1, value };
	return true;
}

int spt_attrs_step(struct spt_reader *reader)
{
	struct xarray *array = (struct xarray *)spt_at(reader->vm.kvm, SPT_F_KVM_MEM_ATTR_ARRAY);
	struct spt_index_cursor *at = &reader->cursor.index;
	u64 deadline = ktime_get_mono_fast_ns() + SPT_SLICE_NS;
	u64 last = spt_request_end(reader) - 1;
	XA_STATE(xas, array, 0);
	struct spt_runs *runs;
	unsigned int n = 0;
	bool more = false;
	void *entry;
	int error;

	if (!spt_has(SPT_F_KVM_MEM_ATTR_ARRAY))
		return 0;
	at->index = max(at->index, spt_request_first(reader));
	runs = spt_record(reader, SPT_REC_ATTRS, sizeof(*runs));
	runs->kind = SPT_RUN_ATTRS;
	xas_set(&xas, at->index);
	rcu_read_lock();
	xas_for_each(&xas, entry, last) {
		if (xas_retry(&xas, entry) || !xa_is_value(entry))
			continue;
		at->index = xas.xa_index;
		more = !spt_attrs_add(runs, xas.xa_index, xa_to_value(entry));
		if (more)
			break;
		at->index++;
		more = !(++n % SPT_ATTRS_BURST) && ktime_get_mono_fast_ns() > deadline;
		if (more)
			break;
	}
	rcu_read_unlock();
	if (runs->count) {
		runs->rec.len = struct_size(runs, run, runs->count);
		error = spt_put(reader, runs);
		if (error)
			return error;
	}
	return more;
}

bool spt_attrs_private(const struct kvm *kvm, u64 first, u64 end)
{
	struct xarray *attributes = (struct xarray *)spt_at(kvm, SPT_F_KVM_MEM_ATTR_ARRAY);
	unsigned long index = first;
	u64 has_private;
	bool private = false;
	void *entry;

	if (!spt_has(SPT_F_KVM_MEM_ATTR_ARRAY) ||
	    spt_load(kvm, SPT_F_KVM_HAS_PRIVATE_MEM, &has_private) || !has_private)
		return false;
	rcu_read_lock();
	for (entry = xa_find(attributes, &index, end - 1, XA_PRESENT); entry && !private;
	     entry = xa_find_after(attributes, &index, end - 1, XA_PRESENT))
		private = xa_is_value(entry) && (xa_to_value(entry) & SPT_ATTRIBUTE_PRIVATE);
	rcu_read_unlock();
	return private;
}
