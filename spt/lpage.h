/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KVM's lpage_info: one count for each block of 2M or 1G that a slot touches, how
 * many reasons there are not to map it by one page. kvm_alloc_memslot_metadata()
 * begins it with 1 at the edges of a slot, or everywhere where gfn and HVA are not
 * congruent; each write-tracked page and each shadowed page table of level 1 adds
 * one; bit 31 says that memory attributes differ within the block.
 */
#ifndef SPT_LPAGE_H
#define SPT_LPAGE_H

#include "spt/model.h"

#define SPT_LPAGE_MIXED_FLAG (1ULL << 31) /* KVM_LPAGE_MIXED_FLAG */

/* 4K pages of a block of @level. */
static inline uint64_t spt_level_pages(int level)
{
	return 1ULL << SPT_LEVEL_BITS * (level - 1);
}

/* First frame of the block of @level that holds @gfn. */
static inline uint64_t spt_block_first(uint64_t gfn, int level)
{
	return gfn & ~(spt_level_pages(level) - 1);
}

/* Whether gfn and HVA of the slot differ below the page size of @level. */
static inline bool spt_slot_misaligned(const struct spt_slot *slot, int level)
{
	return (slot->base_gfn ^ slot->hva >> SPT_PAGE_SHIFT) & (spt_level_pages(level) - 1);
}

/* Whether the block that begins at frame @first reaches past an end of the slot. */
static inline bool spt_slot_cuts(const struct spt_slot *slot, uint64_t first, int level)
{
	return first < slot->base_gfn ||
	       first + spt_level_pages(level) > slot->base_gfn + slot->npages;
}

static inline enum spt_run_kind spt_lpage_kind(int level)
{
	return level == 2 ? SPT_RUN_LPAGE_2M : SPT_RUN_LPAGE_1G;
}

/* Whether the image was asked for these runs: then what they leave out is 0. */
static inline bool spt_model_has_lpage(const struct spt_model *model)
{
	return model->image.head.req_parts & SPT_PART_LPAGE;
}

/* Whether KVM shadows page tables of the guest (shadow paging, nested guests). */
static inline bool spt_model_has_indirect(const struct spt_model *model)
{
	uint64_t pages;

	if (spt_value(&model->vm, SPT_VM_INDIRECT_SHADOW_PAGES, &pages))
		return pages;
	return model->image.head.mmu == SPT_MMU_SHADOW;
}

#endif
