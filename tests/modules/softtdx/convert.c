// SPDX-License-Identifier: GPL-2.0
/* A fresh VM of the ordinary kind becomes one with mirrored page tables. */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include "softtdx.h"
#include "softtdx_abi.h"

static u64 maxphyaddr;

static int read_maxphyaddr(void)
{
	unsigned long host = softtdx_symbol("kvm:kvm_host");

	if (!host)
		return -EOPNOTSUPP;
	maxphyaddr = *(u8 *)(host + softtdx_types.host_maxphyaddr);
	return 0;
}

/* As kvm_amd chooses: the host's. */
static int root_levels(void)
{
	return pgtable_l5_enabled() ? 5 : 4;
}

static bool is_fresh(struct kvm *kvm)
{
	unsigned int i;

	if (kvm->created_vcpus || !list_empty(&kvm->arch.tdp_mmu_roots))
		return false;
	for (i = 0; i < ARRAY_SIZE(kvm->memslots); i++)
		if (!kvm_memslots_empty(__kvm_memslots(kvm, i)))
			return false;
	return true;
}

/*
 * The top entries of a root must be of one half each, and all of both halves within what
 * KVM tears down.
 */
static bool is_usable(unsigned int shared_bit)
{
	return shared_bit >= 12 + 9 * (root_levels() - 1) && shared_bit < maxphyaddr;
}

static int convert_vm(struct kvm *kvm, const struct softtdx_convert *convert)
{
	void *arch = &kvm->arch;
	u8 *type = arch + softtdx_types.arch_vm_type;
	struct softtdx_vm *vm;

	if (*type || !is_fresh(kvm))
		return -EBUSY;
	vm = softtdx_vm_new(kvm, convert->vm_fd, convert->shared_bit, root_levels());
	if (!vm)
		return -ENOMEM;
	softtdx_vm_add(vm);
	*(u64 *)(arch + softtdx_types.arch_gfn_direct_bits) =
		BIT_ULL(convert->shared_bit - PAGE_SHIFT);
	*(bool *)(arch + softtdx_types.arch_has_private_mem) = true;
	/* The type is what makes KVM look at the rest. */
	smp_wmb();
	WRITE_ONCE(*type, SOFTTDX_VM_TYPE);
	return 0;
}

/* -EINVAL: no VM, or no such bit; -EBUSY: a VM that is no fresh one. */
int softtdx_convert(const struct softtdx_convert *convert)
{
	struct file *file;
	struct kvm *kvm;
	int error = maxphyaddr ? 0 : read_maxphyaddr();

	if (error)
		return error;
	if (!is_usable(convert->shared_bit))
		return -EINVAL;
	file = fget(convert->vm_fd);
	if (!file)
		return -EBADF;
	if (softtdx_file_is_kvm(file)) {
		kvm = file->private_data;
		mutex_lock(&kvm->lock);
		mutex_lock(&kvm->slots_lock);
		error = convert_vm(kvm, convert);
		mutex_unlock(&kvm->slots_lock);
		mutex_unlock(&kvm->lock);
	} else {
		error = -EINVAL;
	}
	fput(file);
	return error;
}
