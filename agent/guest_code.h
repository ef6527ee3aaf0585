/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a vCPU stands and what it is about to execute, asked by a probe in its
 * own thread: kvm->srcu is held, the vCPU's state is loaded, nothing may sleep.
 */
#ifndef SPT_AGENT_GUEST_CODE_H
#define SPT_AGENT_GUEST_CODE_H

#include <linux/types.h>

struct kvm_vcpu;

/* The longest instruction of x86. */
#define SPT_INSN_MAX	15

struct spt_guest_at {
	u64 rip;
	u64 linear;		/* the same in linear addresses */
	u8 bits;		/* of the code segment: 16, 32, 64; 0: not known */
	u8 as_id;
	bool cet;		/* CR4.CET: shadow stacks or branch tracking may be on */
};

/* False: RIP cannot be had; @at is zero then. */
bool spt_guest_rip(struct kvm_vcpu *vcpu, u64 *rip);
bool spt_guest_at(struct kvm_vcpu *vcpu, struct spt_guest_at *at);

/*
 * Follows the guest's own page tables. -ENOENT: they map nothing there; -EFAULT:
 * one of them is not in memory, or not in a slot.
 */
int spt_guest_translate(struct kvm_vcpu *vcpu, const struct spt_guest_at *at, u64 gva, u64 *gpa);

/* Bytes read from where the vCPU stands, at most SPT_INSN_MAX; 0: not readable now. */
unsigned int spt_guest_code(struct kvm_vcpu *vcpu, const struct spt_guest_at *at, u8 *insn);

/*
 * Whether KVM can emulate what this instruction, of code of @bits, writes; false also where
 * that is not known. @cet: of struct spt_guest_at.
 */
bool spt_guest_store_known(const u8 *insn, unsigned int len, u8 bits, bool cet);

#endif
