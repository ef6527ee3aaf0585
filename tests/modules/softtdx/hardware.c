// SPDX-License-Identifier: GPL-2.0
/*
 * The processor walks one root, KVM's direct one, which is empty below the shared bit. The
 * external root's entries are copied there without KVM's own present bit: the processor
 * follows them, and to KVM they are empty.
 */
#include <linux/mm.h>
#include <linux/rculist.h>
#include "softtdx.h"

/* Entries of a root that translate the private half. */
static unsigned int private_entries(const struct softtdx_vm *vm)
{
	return 1U << (vm->shared_bit - (12 + 9 * (vm->levels - 1)));
}

static void copy_entry(struct softtdx_vm *vm, u64 *root, unsigned int index)
{
	u64 entry = READ_ONCE(vm->root[index]);

	WRITE_ONCE(root[index], entry ? entry : SOFTTDX_EMPTY);
}

/* One top entry changed: in every direct root. mmu_lock is held, or the VM is not in use. */
void softtdx_splice(struct softtdx_vm *vm, unsigned int index)
{
	struct list_head *head = &vm->kvm->arch.tdp_mmu_roots;
	struct list_head *at;

	if (index >= private_entries(vm))
		return;
	spin_lock(&vm->top_lock);
	for (at = rcu_dereference_raw(list_next_rcu(head)); at != head;
	     at = rcu_dereference_raw(list_next_rcu(at))) {
		void *sp = (void *)at - softtdx_types.sp_link;

		if (!(*(u32 *)(sp + softtdx_types.sp_role) & BIT(softtdx_types.role_is_mirror)))
			copy_entry(vm, *(u64 **)(sp + softtdx_types.sp_spt), index);
	}
	spin_unlock(&vm->top_lock);
}

/* A vCPU is about to use a direct root, to which it has a reference. */
void softtdx_splice_root(struct softtdx_vm *vm, hpa_t root_hpa)
{
	u64 *root = __va(root_hpa & SOFTTDX_ADDRESS);
	unsigned int i;

	spin_lock(&vm->top_lock);
	for (i = 0; i < private_entries(vm); i++)
		copy_entry(vm, root, i);
	spin_unlock(&vm->top_lock);
	softtdx_count(vm, SOFTTDX_COUNT_SPLICED);
}
