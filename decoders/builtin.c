// SPDX-License-Identifier: GPL-2.0
/*
 * Sources: kvm_mmu_reset_all_pte_masks() and kvm_mmu_set_ept_masks() in
 * arch/x86/kvm/mmu/spte.c of each kernel, on a CPU that needs no L1TF
 * protection, with EPT A/D bits and execute-only entries.
 */
#include "decoders/builtin.h"

#include <string.h>

#include "decoders/bits.h"
#include "decoders/role.h"

#define KNOWN_ALL (SPT_BIT(SPT_MASK_COUNT) - 1)
/* Variables that one layout's kernels have and the other's have not. */
#define KNOWN_ACCESS3                                                                              \
	(KNOWN_ALL & ~(SPT_BIT(SPT_MASK_XS) | SPT_BIT(SPT_MASK_XU) | SPT_BIT(SPT_MASK_AD_ENABLED)))
#define KNOWN_ACCESS4 (KNOWN_ALL & ~(SPT_BIT(SPT_MASK_X) | SPT_BIT(SPT_MASK_MEMTYPE)))

#define SVE SPT_BIT(63)

/* The same in every EPT format. */
#define EPT_COMMON                                                                                 \
	[SPT_MASK_ACCESSED] = SPT_BIT(8), [SPT_MASK_DIRTY] = SPT_BIT(9),                           \
	[SPT_MASK_MMIO_VALUE] = 6, [SPT_MASK_MMIO_CACHING] = 1, [SPT_MASK_TDP_ENABLED] = 1,        \
	[SPT_MASK_TDP_MMU_ENABLED] = 1, [SPT_MASK_NX_HUGE_PAGES] = 1,                              \
	[SPT_MASK_MAX_HUGE_LEVEL] = 3, [SPT_MASK_RSVD_LOWER_GFN] = SPT_BITS(45, 12)

static const struct spt_masks ept_6_1 = {
	.rec = { SPT_REC_MASKS, sizeof(struct spt_masks) },
	.known = KNOWN_ACCESS3,
	.value = {
		EPT_COMMON,
		[SPT_MASK_HOST_WRITABLE] = SPT_BIT(57), [SPT_MASK_MMU_WRITABLE] = SPT_BIT(58),
		[SPT_MASK_X] = SPT_BIT(2), [SPT_MASK_USER] = SPT_BIT(0),
		[SPT_MASK_MMIO_MASK] = 7, [SPT_MASK_MEMTYPE] = SPT_BITS(6, 3),
		[SPT_MASK_ACC_TRACK] = 7,
	},
};

static const struct spt_masks ept_6_12 = {
	.rec = { SPT_REC_MASKS, sizeof(struct spt_masks) },
	.known = KNOWN_ACCESS3,
	.value = {
		EPT_COMMON,
		[SPT_MASK_HOST_WRITABLE] = SPT_BIT(57), [SPT_MASK_MMU_WRITABLE] = SPT_BIT(58),
		[SPT_MASK_X] = SPT_BIT(2), [SPT_MASK_USER] = SPT_BIT(0),
		[SPT_MASK_PRESENT] = SVE, [SPT_MASK_MMIO_MASK] = SVE | 7,
		[SPT_MASK_MEMTYPE] = SPT_BITS(6, 3), [SPT_MASK_ACC_TRACK] = 7,
	},
};

static const struct spt_masks ept_7_3 = {
	.rec = { SPT_REC_MASKS, sizeof(struct spt_masks) },
	.known = KNOWN_ACCESS4,
	.value = {
		EPT_COMMON,
		[SPT_MASK_HOST_WRITABLE] = SPT_BIT(53), [SPT_MASK_MMU_WRITABLE] = SPT_BIT(55),
		[SPT_MASK_XS] = SPT_BIT(2), [SPT_MASK_XU] = SPT_BIT(10),
		[SPT_MASK_PRESENT] = SVE, [SPT_MASK_MMIO_MASK] = SVE | 7,
		[SPT_MASK_ACC_TRACK] = 7 | SPT_BIT(10), [SPT_MASK_AD_ENABLED] = 1,
	},
};

/* NPT and shadow tables: the x86 format, the same on all kernels. */
#define PT_VALUES                                                                                  \
	[SPT_MASK_HOST_WRITABLE] = SPT_BIT(9), [SPT_MASK_MMU_WRITABLE] = SPT_BIT(10),              \
	[SPT_MASK_NX] = SPT_BIT(63), [SPT_MASK_USER] = SPT_BIT(2),                                 \
	[SPT_MASK_ACCESSED] = SPT_BIT(5), [SPT_MASK_DIRTY] = SPT_BIT(6),                           \
	[SPT_MASK_PRESENT] = SPT_BIT(0), [SPT_MASK_MMIO_VALUE] = SPT_BIT(51) | SPT_BIT(0),         \
	[SPT_MASK_MMIO_MASK] = SPT_BIT(51) | SPT_BIT(0),                                           \
	[SPT_MASK_MMIO_ACCESS] = SPT_BIT(1) | SPT_BIT(2), [SPT_MASK_MMIO_CACHING] = 1,             \
	[SPT_MASK_AD_ENABLED] = 1, [SPT_MASK_RSVD_LOWER_GFN] = SPT_BITS(47, 12)

#define PT_MASKS(known_words, tdp)                                                                 \
	{                                                                                          \
		.rec = { SPT_REC_MASKS, sizeof(struct spt_masks) }, .known = (known_words),        \
		.value = {                                                                         \
			PT_VALUES,                                                                 \
			[SPT_MASK_TDP_ENABLED] = (tdp),                                            \
			[SPT_MASK_MAX_HUGE_LEVEL] = 3,                                             \
			[SPT_MASK_TDP_MMU_ENABLED] = (tdp),                                        \
		},                                                                                 \
	}

static const struct spt_masks npt_access3 = PT_MASKS(KNOWN_ACCESS3, 1);
static const struct spt_masks npt_access4 = PT_MASKS(KNOWN_ACCESS4, 1);
static const struct spt_masks shadow_access3 = PT_MASKS(KNOWN_ACCESS3, 0);
static const struct spt_masks shadow_access4 = PT_MASKS(KNOWN_ACCESS4, 0);

enum kernel { KERNEL_6_1, KERNEL_6_12, KERNEL_7_3, KERNELS };

static const struct {
	enum spt_spte_layout layout;
	__u64 empty;  /* SHADOW_NONPRESENT_VALUE */
	__u64 frozen; /* REMOVED_SPTE, FROZEN_SPTE */
} kernels[KERNELS] = {
	[KERNEL_6_1] = { SPT_LAYOUT_ACCESS3, 0, 0x5a0 },
	[KERNEL_6_12] = { SPT_LAYOUT_ACCESS3, SVE, SVE | 0x5a0 },
	[KERNEL_7_3] = { SPT_LAYOUT_ACCESS4, SVE, SVE | 0x1a0 },
};

static const struct spt_masks *const masks_of[][KERNELS] = {
	[SPT_MMU_EPT] = { &ept_6_1, &ept_6_12, &ept_7_3 },
	[SPT_MMU_NPT] = { &npt_access3, &npt_access3, &npt_access4 },
	[SPT_MMU_SHADOW] = { &shadow_access3, &shadow_access3, &shadow_access4 },
};

static const struct {
	const char *name;
	enum spt_mmu mmu;
	enum kernel kernel;
} names[] = {
#define F(name, mmu, kernel) { name, SPT_MMU_##mmu, KERNEL_##kernel },
	SPT_BUILTIN_FORMATS(F)
#undef F
};

#define NAMES (sizeof(names) / sizeof(names[0]))

const char *spt_format_name(size_t index)
{
	return index < NAMES ? names[index].name : NULL;
}

bool spt_builtin(const char *name, struct spt_head *head, const struct spt_masks **masks)
{
	for (size_t i = 0; i < NAMES; i++) {
		enum kernel kernel = names[i].kernel;
		bool access4 = kernels[kernel].layout == SPT_LAYOUT_ACCESS4;

		if (strcmp(name, names[i].name) != 0)
			continue;
		memset(head, 0, sizeof(*head));
		head->vendor = names[i].mmu == SPT_MMU_EPT ? SPT_VENDOR_VMX : SPT_VENDOR_SVM;
		head->mmu = names[i].mmu;
		head->maxphyaddr = names[i].mmu == SPT_MMU_EPT ? 46 : 48;
		head->empty_spte = kernels[kernel].empty;
		head->frozen_spte = kernels[kernel].frozen;
		memcpy(head->role, access4 ? spt_role_access4 : spt_role_access3,
		       sizeof(head->role));
		*masks = masks_of[names[i].mmu][kernel];
		return true;
	}
	return false;
}

static enum kernel kernel_like(enum spt_spte_layout layout, __u64 empty)
{
	if (layout == SPT_LAYOUT_ACCESS4)
		return KERNEL_7_3;
	return empty ? KERNEL_6_12 : KERNEL_6_1;
}

const struct spt_masks *spt_builtin_masks(enum spt_mmu mmu, enum spt_spte_layout layout,
					  __u64 empty)
{
	return masks_of[mmu][kernel_like(layout, empty)];
}

__u64 spt_builtin_frozen(enum spt_spte_layout layout, __u64 empty)
{
	return kernels[kernel_like(layout, empty)].frozen;
}
