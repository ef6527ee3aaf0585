/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct kvm_mmu_page, as it is found and as the image shows it.
 */
#ifndef SPT_AGENT_PAGE_H
#define SPT_AGENT_PAGE_H

#include <linux/mm.h>

#include "layout.h"

/* A shadow page: where it is, what its kvm_mmu_page held when it was copied, its table. */
struct spt_sp {
	const void *sp;
	const u64 *spt;
	u64 gfn;
	u32 role;
	u8 level;
	bool direct;
	u64 copy[SPT_SP_MAX / sizeof(u64) + 1];	/* numbers are loaded as whole words */
};

/*
 * Copies the kvm_mmu_page @sp and says whether its level is one. The memory must
 * be kept by RCU or mmu_lock. -EFAULT: not readable, -EBADMSG: no kvm_mmu_page.
 */
int spt_sp_copy(const void *sp, struct spt_sp *to);
/*
 * The same for a page that no entry named but a list of KVM's: its table must be
 * one by its address. Whether it points back, spt_sp_backlinked() says.
 */
int spt_sp_find(const void *sp, struct spt_sp *to);

/* The page as the image has it. */
void spt_sp_describe(const struct spt_sp *sp, struct spt_page *page);

static inline bool spt_spte_present(u64 spte)
{
	return spte & BIT_ULL(11);	/* SPTE_MMU_PRESENT_MASK */
}

static inline bool spt_spte_leaf(u64 spte, u8 level)
{
	return level == 1 || (level <= 3 && (spte & BIT_ULL(7)));
}

/* Frames that one entry of a table at @level translates, as a shift. */
static inline unsigned int spt_level_shift(u8 level)
{
	return 9 * (level - 1);
}

/* The kvm_mmu_page of the table at @hpa, NULL when no page says so. */
static inline const void *spt_sp_of(u64 hpa)
{
	if (!pfn_valid(hpa >> PAGE_SHIFT))
		return NULL;
	return (const void *)page_private(pfn_to_page(hpa >> PAGE_SHIFT));
}

/* Does the page that holds the table point back to it? It does, in a sound tree. */
static inline bool spt_sp_backlinked(const struct spt_sp *sp)
{
	return page_private(virt_to_page(sp->spt)) == (unsigned long)sp->sp;
}

/* The physical address of what a pointer of KVM names; SPT_NO_HPA when it is no such pointer. */
static inline u64 spt_hpa(const void *address)
{
	return spt_in_direct_map(address, 1) ? __pa(address) : SPT_NO_HPA;
}

#endif
