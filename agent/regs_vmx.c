// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU's registers as its VMCS has them (SDM volume 3, appendix B); where that
 * cannot be read, what KVM has asked it for since the last exit.
 */
#include "regs.h"
#include "vcpu.h"

/* Encodings of segment i of the list, all two apart. */
static const u16 spt_vmcs_segment[SPT_SEGMENT_VALUES] = {
	[SPT_SEGMENT_SELECTOR] = 0x0800,
	[SPT_SEGMENT_BASE] = 0x6806,
	[SPT_SEGMENT_LIMIT] = 0x4800,
	[SPT_SEGMENT_ATTRIBUTES] = 0x4814,
};

#define SPT_AR_UNUSABLE		BIT(16)

static const struct {
	u16 field;
	u8 value;	/* enum spt_register */
} spt_vmcs_fields[] = {
	{ 0x4402, SPT_REGISTER_EXIT_REASON },
	{ 0x6400, SPT_REGISTER_EXIT_INFO_1 },	/* exit qualification */
	{ 0x2400, SPT_REGISTER_EXIT_INFO_2 },	/* guest-physical address */
	{ 0x681c, SPT_REGISTER_RSP },
	{ 0x681e, SPT_REGISTER_RIP },
	{ 0x6820, SPT_REGISTER_RFLAGS },
	{ 0x6816, SPT_REGISTER_GDTR_BASE },
	{ 0x4810, SPT_REGISTER_GDTR_LIMIT },
	{ 0x6818, SPT_REGISTER_IDTR_BASE },
	{ 0x4812, SPT_REGISTER_IDTR_LIMIT },
	{ 0x482a, SPT_REGISTER_SYSENTER_CS },
	{ 0x6824, SPT_REGISTER_SYSENTER_ESP },
	{ 0x6826, SPT_REGISTER_SYSENTER_EIP },
	{ 0x2804, SPT_REGISTER_PAT },
};

/*
 * RSP and RIP come from KVM's copy where it has one: it may have moved them since the
 * exit, and writes them back when it enters the guest.
 */
static bool spt_regs_has(const struct spt_regs_read *r, unsigned int i)
{
	return r->values->known[i / 64] & BIT_ULL(i % 64);
}

/* Bits that the guest changes without an exit are the VMCS's. */
static void spt_regs_vmcs_cr(struct spt_regs_read *r, enum spt_register value,
			     enum spt_field_id owned_field, unsigned long field)
{
	u64 owned;
	u64 real;

	if (!spt_regs_has(r, value) || spt_load(r->vcpu, owned_field, &owned) ||
	    !spt_vmread(field, &real))
		return;
	spt_regs_set(r, value, (r->values->value[value] & ~owned) | (real & owned));
}

void spt_regs_vmcs(struct spt_regs_read *r)
{
	unsigned int which;
	unsigned int i;
	u64 value;

	if (!r->vmcs)
		return;
	for (i = 0; i < ARRAY_SIZE(spt_vmcs_fields); i++)
		if (!spt_regs_has(r, spt_vmcs_fields[i].value) &&
		    spt_vmread(spt_vmcs_fields[i].field, &value))
			spt_regs_set(r, spt_vmcs_fields[i].value, value);
	for (i = 0; i < SPT_SEGMENTS; i++)
		for (which = 0; which < SPT_SEGMENT_VALUES; which++)
			if (spt_vmread(spt_vmcs_segment[which] + 2 * i, &value))
				spt_regs_set(r, spt_segment_value(i, which),
					     which == SPT_SEGMENT_ATTRIBUTES ?
					     value & ~(u64)SPT_AR_UNUSABLE : value);
	spt_regs_vmcs_cr(r, SPT_REGISTER_CR0, SPT_F_VCPU_CR0_OWNED, 0x6800);
	spt_regs_vmcs_cr(r, SPT_REGISTER_CR4, SPT_F_VCPU_CR4_OWNED, 0x6804);
	/* With EPT and paging on the guest loads CR3 as it likes. */
	if (spt_layout.mmu == SPT_MMU_EPT && spt_vmread(0x6802, &value))
		spt_regs_set(r, SPT_REGISTER_CR3, value);
}
