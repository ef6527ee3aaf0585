/* SPDX-License-Identifier: GPL-2.0 */
/* Reading a vCPU's registers: what regs.c and the vendors' parts share. */
#ifndef SPT_AGENT_REGS_H
#define SPT_AGENT_REGS_H

#include "reader.h"

struct spt_regs_read {
	const void *vcpu;
	const void *mmu;
	struct spt_values *values;
	const void *vmcs;	/* Intel: current on the CPU that reads; else NULL */
	bool nested;		/* the vCPU runs its own guest */
	/* of a read on the vCPU's CPU */
	const void *want_vmcs;	/* vmcs, if it is current there */
	bool outside;		/* it was not in guest mode */
	bool done;		/* it was that vCPU's CPU */
};

static inline void spt_regs_set(struct spt_regs_read *r, unsigned int i, u64 value)
{
	spt_values_set(r->values, i, value);
}

/* Segments follow one another in the list, four values each. */
#define SPT_SEGMENT_VALUES	4
#define SPT_SEGMENTS		8
enum { SPT_SEGMENT_SELECTOR, SPT_SEGMENT_BASE, SPT_SEGMENT_LIMIT, SPT_SEGMENT_ATTRIBUTES };

static inline unsigned int spt_segment_value(unsigned int segment, unsigned int which)
{
	return SPT_REGISTER_ES_SELECTOR + segment * SPT_SEGMENT_VALUES + which;
}

/* regs_svm.c: what the VMCB has. In any context. */
void spt_regs_vmcb(struct spt_regs_read *r);
/* regs_vmx.c: what the VMCS has, where it can be read, else what KVM has cached. */
void spt_regs_vmcs(struct spt_regs_read *r);

#endif
