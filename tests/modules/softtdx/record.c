// SPDX-License-Identifier: GPL-2.0
/*
 * What this module knows of each converted VM: what KVM told it, apart from what it made
 * of that in the external tables, so that the one can be held against the other.
 */
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include "softtdx.h"

LIST_HEAD(softtdx_vms);
DEFINE_MUTEX(softtdx_mutex);	/* of changes of the list */
atomic64_t softtdx_totals[SOFTTDX_COUNT_MAX];
atomic64_t softtdx_converted, softtdx_destroyed, softtdx_pages;

struct softtdx_vm *softtdx_find(struct kvm *kvm)
{
	struct softtdx_vm *vm;

	list_for_each_entry_rcu(vm, &softtdx_vms, node)
		if (vm->kvm == kvm)
			return vm;
	return NULL;
}

struct softtdx_vm *softtdx_vm_new(struct kvm *kvm, unsigned int vm_fd, unsigned int shared_bit,
				  int levels)
{
	struct softtdx_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL);

	if (!vm)
		return NULL;
	vm->root = (u64 *)get_zeroed_page(GFP_KERNEL);
	if (!vm->root) {
		kfree(vm);
		return NULL;
	}
	vm->kvm = kvm;
	vm->levels = levels;
	vm->shared_bit = shared_bit;
	spin_lock_init(&vm->top_lock);
	xa_init(&vm->entries);
	snprintf(vm->name, sizeof(vm->name), "%d-%u", kvm->userspace_pid, vm_fd);
	return vm;
}

void softtdx_vm_add(struct softtdx_vm *vm)
{
	__module_get(THIS_MODULE);
	atomic64_inc(&softtdx_pages);
	mutex_lock(&softtdx_mutex);
	list_add_rcu(&vm->node, &softtdx_vms);
	mutex_unlock(&softtdx_mutex);
	atomic64_inc(&softtdx_converted);
	softtdx_show_vm(vm);
}

void softtdx_vm_free(struct softtdx_vm *vm)
{
	xa_destroy(&vm->entries);
	free_page((unsigned long)vm->root);
	kfree(vm);
}

/* The VM's tables are gone. Sleeps. */
void softtdx_vm_drop(struct kvm *kvm)
{
	struct softtdx_vm *vm;
	unsigned int i;

	mutex_lock(&softtdx_mutex);
	list_for_each_entry(vm, &softtdx_vms, node)
		if (vm->kvm == kvm)
			break;
	if (list_entry_is_head(vm, &softtdx_vms, node)) {
		mutex_unlock(&softtdx_mutex);
		return;
	}
	list_del_rcu(&vm->node);
	mutex_unlock(&softtdx_mutex);
	softtdx_show_remove(vm);
	synchronize_rcu();
	for (i = 0; i < SOFTTDX_COUNT_MAX; i++)
		atomic64_add(atomic64_read(&vm->count[i]), &softtdx_totals[i]);
	softtdx_vm_free(vm);
	atomic64_dec(&softtdx_pages);
	atomic64_inc(&softtdx_destroyed);
	module_put(THIS_MODULE);
}

/* An xarray's value has 63 bits; the software bits of an entry are not in use, 62 is one. */
static void *note_of(u64 value)
{
	return xa_mk_value((value & ~BIT_ULL(63)) | (value & BIT_ULL(63)) >> 1);
}

u64 softtdx_noted(void *entry)
{
	u64 value = xa_to_value(entry);

	return (value & ~BIT_ULL(62)) | (value & BIT_ULL(62)) << 1;
}

/* No sleep: mmu_lock is held. */
void softtdx_note(struct softtdx_vm *vm, u64 gfn, int level, u64 value)
{
	unsigned long key = gfn << 3 | level;

	if (!value)
		xa_erase(&vm->entries, key);
	else if (xa_is_err(xa_store(&vm->entries, key, note_of(value), GFP_ATOMIC)))
		softtdx_count(vm, SOFTTDX_COUNT_UNRECORDED);
}
