// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU's registers as its VMCB has them: the processor stores them there at every
 * exit, in a format of its own (APM volume 2, appendix B).
 */
#include "regs.h"

#define SPT_VMCB_INTERCEPT_CR	0x000	/* reads of CR0-15, from bit 16 on writes */
#define SPT_VMCB_CR0_WRITE	BIT(16)
#define SPT_VMCB_SAVE		0x400	/* the state save area */
#define SPT_SEGMENT_BYTES	16

/* What VMLOAD and VMSAVE move is the first VMCB's, also while the second one is in use. */
static const struct {
	u16 offset;
	u8 value;	/* enum spt_register */
	u8 size;
	bool first;
} spt_vmcb_fields[] = {
	{ 0x070, SPT_REGISTER_EXIT_REASON, 8, false },
	{ 0x078, SPT_REGISTER_EXIT_INFO_1, 8, false },
	{ 0x080, SPT_REGISTER_EXIT_INFO_2, 8, false },
	{ SPT_VMCB_SAVE + 0x170, SPT_REGISTER_RFLAGS, 8, false },
	{ SPT_VMCB_SAVE + 0x200, SPT_REGISTER_STAR, 8, true },
	{ SPT_VMCB_SAVE + 0x208, SPT_REGISTER_LSTAR, 8, true },
	{ SPT_VMCB_SAVE + 0x210, SPT_REGISTER_CSTAR, 8, true },
	{ SPT_VMCB_SAVE + 0x218, SPT_REGISTER_SFMASK, 8, true },
	{ SPT_VMCB_SAVE + 0x220, SPT_REGISTER_KERNEL_GS_BASE, 8, true },
	{ SPT_VMCB_SAVE + 0x228, SPT_REGISTER_SYSENTER_CS, 8, true },
	{ SPT_VMCB_SAVE + 0x230, SPT_REGISTER_SYSENTER_ESP, 8, true },
	{ SPT_VMCB_SAVE + 0x238, SPT_REGISTER_SYSENTER_EIP, 8, true },
	{ SPT_VMCB_SAVE + 0x268, SPT_REGISTER_PAT, 8, false },
	{ SPT_VMCB_SAVE + 0x064, SPT_REGISTER_GDTR_LIMIT, 4, false },
	{ SPT_VMCB_SAVE + 0x068, SPT_REGISTER_GDTR_BASE, 8, false },
	{ SPT_VMCB_SAVE + 0x084, SPT_REGISTER_IDTR_LIMIT, 4, false },
	{ SPT_VMCB_SAVE + 0x088, SPT_REGISTER_IDTR_BASE, 8, false },
};

/* The same of the segments, in the list's order. */
static const struct {
	u16 offset;
	bool first;
} spt_vmcb_segments[SPT_SEGMENTS] = {
	{ SPT_VMCB_SAVE + 0x00, false },	/* ES */
	{ SPT_VMCB_SAVE + 0x10, false },	/* CS */
	{ SPT_VMCB_SAVE + 0x20, false },	/* SS */
	{ SPT_VMCB_SAVE + 0x30, false },	/* DS */
	{ SPT_VMCB_SAVE + 0x40, true },		/* FS */
	{ SPT_VMCB_SAVE + 0x50, true },		/* GS */
	{ SPT_VMCB_SAVE + 0x70, true },		/* LDTR */
	{ SPT_VMCB_SAVE + 0x90, true },		/* TR */
};

struct spt_vmcb_segment {
	u16 selector;
	u16 attributes;	/* twelve bits: VMX has the upper four of them as bits 12-15 */
	u32 limit;
	u64 base;
};

static void spt_regs_vmcb_segment(struct spt_regs_read *r, unsigned int nr, const void *at)
{
	struct spt_vmcb_segment segment;

	BUILD_BUG_ON(sizeof(segment) != SPT_SEGMENT_BYTES);
	if (spt_read(&segment, at, sizeof(segment)))
		return;
	spt_regs_set(r, spt_segment_value(nr, SPT_SEGMENT_SELECTOR), segment.selector);
	spt_regs_set(r, spt_segment_value(nr, SPT_SEGMENT_BASE), segment.base);
	spt_regs_set(r, spt_segment_value(nr, SPT_SEGMENT_LIMIT), segment.limit);
	spt_regs_set(r, spt_segment_value(nr, SPT_SEGMENT_ATTRIBUTES),
		     (segment.attributes & 0xff) | ((segment.attributes & 0xf00) << 4));
}

/* Of the control registers those that the guest loads without an exit. */
static void spt_regs_vmcb_cr(struct spt_regs_read *r, const void *vmcb)
{
	u32 intercepts;
	u64 value;

	if (!spt_read(&intercepts, vmcb + SPT_VMCB_INTERCEPT_CR, sizeof(intercepts)) &&
	    !(intercepts & SPT_VMCB_CR0_WRITE) &&
	    !spt_read(&value, vmcb + SPT_VMCB_SAVE + 0x158, sizeof(value)))
		spt_regs_set(r, SPT_REGISTER_CR0, value);
	if (spt_layout.mmu == SPT_MMU_NPT &&
	    !spt_read(&value, vmcb + SPT_VMCB_SAVE + 0x150, sizeof(value)))
		spt_regs_set(r, SPT_REGISTER_CR3, value);
}

void spt_regs_vmcb(struct spt_regs_read *r)
{
	const void *svm = r->vcpu - spt_layout.field[SPT_F_VCPU_SVM_VCPU].offset;
	const void *vmcb = spt_load_pointer(svm, SPT_F_SVM_VMCB);
	const void *first = spt_has(SPT_F_SVM_VMCB01) ? spt_load_pointer(svm, SPT_F_SVM_VMCB01) :
							 NULL;
	unsigned int i;

	if (!vmcb)
		return;
	if (!first && !r->nested)
		first = vmcb;
	for (i = 0; i < ARRAY_SIZE(spt_vmcb_fields); i++) {
		const void *from = spt_vmcb_fields[i].first ? first : vmcb;
		u64 value = 0;

		if (from && !copy_from_kernel_nofault(&value, from + spt_vmcb_fields[i].offset,
						      spt_vmcb_fields[i].size))
			spt_regs_set(r, spt_vmcb_fields[i].value, value);
	}
	for (i = 0; i < SPT_SEGMENTS; i++) {
		const void *from = spt_vmcb_segments[i].first ? first : vmcb;

		if (from)
			spt_regs_vmcb_segment(r, i, from + spt_vmcb_segments[i].offset);
	}
	spt_regs_vmcb_cr(r, vmcb);
}
