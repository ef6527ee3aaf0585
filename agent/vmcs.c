// SPDX-License-Identifier: GPL-2.0
/*
 * What the hardware got, on Intel: a VMCS can only be read on the CPU on which
 * it is loaded, so that CPU is asked.
 */
#include <linux/mm.h>
#include <linux/smp.h>
#include <asm/asm.h>

#include "layout.h"
#include "vcpu.h"

/* SDM volume 3, appendix B. */
#define SPT_VMCS_EPT_POINTER	0x201a
#define SPT_VMCS_EXIT_REASON	0x4402
#define SPT_VMCS_IDT_VECTORING	0x4408
#define SPT_VMCS_EXIT_QUALIFICATION	0x6400
#define SPT_VMCS_GUEST_LINEAR	0x640a
#define SPT_VMCS_GUEST_CR3	0x6802

/* Appendix C, and what its exit qualification says of the linear address (27.2.1). */
#define SPT_EXIT_EPT_VIOLATION	48
#define SPT_LINEAR_VALID	BIT_ULL(7)
#define SPT_LINEAR_TRANSLATED	BIT_ULL(8)

/* Of the IDT-vectoring information (25.9.3) */
#define SPT_VECTORING_VALID	BIT_ULL(31)

struct spt_vmread {
	const void *vmcs;	/* read only if this one is current */
	unsigned long field;
	u64 value;
	bool done;
};

/* #UD where VMX is off, flags where there is no current VMCS. */
bool spt_vmread(unsigned long field, u64 *value)
{
	unsigned long result = 0;
	bool ok = false;

	asm volatile("1:	vmread %[field], %[result]\n"
		     "	seta %[ok]\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [result] "+r" (result), [ok] "+qm" (ok)
		     : [field] "r" (field)
		     : "cc");
	*value = result;
	return ok;
}

bool spt_vmcs_is_current(const void *vmcs)
{
	const void __percpu *current_vmcs = (const void __percpu *)(unsigned long)
					    spt_layout.symbol[SPT_S_CURRENT_VMCS];
	void *here;

	return !spt_read(&here, this_cpu_ptr(current_vmcs), sizeof(here)) && here == vmcs;
}

static void spt_vmread_here(void *arg)
{
	struct spt_vmread *read = arg;

	if (spt_vmcs_is_current(read->vmcs))
		read->done = spt_vmread(read->field, &read->value);
}

const void *spt_vmcs_of(const void *vcpu, u64 *cpu)
{
	const void *vmx = vcpu - spt_layout.field[SPT_F_VCPU_VMX_VCPU].offset;
	const void *loaded = spt_load_pointer(vmx, SPT_F_VMX_LOADED_VMCS);
	const void *vmcs = loaded ? spt_load_pointer(loaded, SPT_F_LOADED_VMCS_VMCS) : NULL;

	if (!vmcs || !spt_layout.symbol[SPT_S_CURRENT_VMCS] ||
	    spt_load(loaded, SPT_F_LOADED_VMCS_CPU, cpu) || *cpu >= nr_cpu_ids)
		return NULL;
	return vmcs;
}

int spt_vmcs_root(const void *vcpu, u64 *root)
{
	u64 cpu;
	struct spt_vmread read = {
		.vmcs = spt_vmcs_of(vcpu, &cpu),
		.field = spt_layout.mmu == SPT_MMU_EPT ? SPT_VMCS_EPT_POINTER :
							 SPT_VMCS_GUEST_CR3,
	};

	if (!read.vmcs || smp_call_function_single(cpu, spt_vmread_here, &read, 1) || !read.done)
		return -EAGAIN;
	*root = read.value;
	return 0;
}

bool spt_vmcs_delivers(void)
{
	u64 vectoring;

	return spt_vmread(SPT_VMCS_IDT_VECTORING, &vectoring) && (vectoring & SPT_VECTORING_VALID);
}

bool spt_vmcs_faulted_at(u64 *gva)
{
	const u64 wanted = SPT_LINEAR_VALID | SPT_LINEAR_TRANSLATED;
	u64 qualification;
	u64 reason;

	return spt_vmread(SPT_VMCS_EXIT_REASON, &reason) &&
	       (u16)reason == SPT_EXIT_EPT_VIOLATION &&
	       spt_vmread(SPT_VMCS_EXIT_QUALIFICATION, &qualification) &&
	       (qualification & wanted) == wanted && spt_vmread(SPT_VMCS_GUEST_LINEAR, gva);
}
