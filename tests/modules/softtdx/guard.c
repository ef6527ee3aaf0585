// SPDX-License-Identifier: GPL-2.0
/*
 * A fault below the shared bit is a private one. The processor here does not say so, and
 * KVM would put a page of the VMM's into the mirror, where no one takes it out again when
 * the VMM gives it back. So it is said before KVM looks.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include "softtdx.h"

#define ERROR_RESERVED	BIT_ULL(3)
#define ERROR_PRIVATE	BIT_ULL(49)	/* PFERR_PRIVATE_ACCESS */

/* int kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error, void *insn, int len) */
static int say_private(struct kprobe *probe, struct pt_regs *regs)
{
	struct kvm_vcpu *vcpu = (struct kvm_vcpu *)regs->di;
	struct softtdx_vm *vm;

	rcu_read_lock();
	vm = softtdx_find(vcpu->kvm);
	if (vm && !(regs->si >> vm->shared_bit & 1) && !(regs->dx & ERROR_RESERVED)) {
		regs->dx |= ERROR_PRIVATE;
		softtdx_count(vm, SOFTTDX_COUNT_GUARDED);
	}
	rcu_read_unlock();
	return 0;
}

static struct kprobe guard = {
	.symbol_name = "kvm_mmu_page_fault",
	.pre_handler = say_private,
};

int softtdx_guard_install(void)
{
	int error = register_kprobe(&guard);

	if (error)
		pr_err("no probe of kvm_mmu_page_fault: %d\n", error);
	return error;
}

void softtdx_guard_remove(void)
{
	unregister_kprobe(&guard);
}
