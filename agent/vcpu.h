/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SPT_AGENT_VCPU_H
#define SPT_AGENT_VCPU_H

#include <linux/types.h>

/* Bits of regs_avail (enum kvm_reg), the same in all kernels: RIP follows sixteen registers. */
enum { SPT_REG_RSP = 4, SPT_REG_RIP = 16, SPT_REG_PDPTR, SPT_REG_CR0, SPT_REG_CR3 };

/* The struct kvm_mmu that is in use, its own before it first ran. */
const void *spt_vcpu_mmu(const void *vcpu);

/*
 * Reads the hardware's root from the VMCS of @vcpu: the EPTP, or the guest CR3
 * when KVM shadows. -EAGAIN: the VMCS is loaded nowhere. May sleep for an IPI.
 */
int spt_vmcs_root(const void *vcpu, u64 *root);
/*
 * The linear address of the access that ended in the EPT violation at hand, read
 * from the VMCS that is loaded: in the vCPU's thread, preemption off. False: no such
 * exit, or the processor did not say, or it was on its way through the guest's tables.
 */
bool spt_vmcs_faulted_at(u64 *gva);

/*
 * The exit at hand cut the delivery of an event short: what the processor did then was its own
 * doing, not the instruction's at RIP. In the vCPU's thread, preemption off.
 */
bool spt_vcpu_delivers(const void *vcpu);
/* The same of the VMCS that is loaded. */
bool spt_vmcs_delivers(void);

/*
 * The VMCS that @vcpu uses, and the CPU on which it is loaded: there, with preemption
 * off, spt_vmread() reads it while spt_vmcs_is_current(). NULL: it is loaded nowhere.
 */
const void *spt_vmcs_of(const void *vcpu, u64 *cpu);
bool spt_vmcs_is_current(const void *vmcs);
bool spt_vmread(unsigned long field, u64 *value);

#endif
