// SPDX-License-Identifier: GPL-2.0
/*
 * struct kvm_mmu_page, as it is found and as the image shows it.
 */
#include "page.h"

static u32 spt_role_bit(u32 role, enum spt_field_id id)
{
	const struct spt_field *field = &spt_layout.field[id];

	return (role >> field->shift) & field->mask;
}

int spt_sp_copy(const void *sp, struct spt_sp *to)
{
	unsigned int at;
	struct spt_sums sums = { };

	/* Whole chunks: what lies behind the page is copied and ignored. */
	for (at = 0; at < spt_layout.sp_size / sizeof(u64); at += SPT_CHUNK_ENTRIES)
		if (!spt_copy_chunk((const u64 *)sp + at, to->copy + at, &sums))
			return -EFAULT;
	to->sp = sp;
	to->spt = (const u64 *)(unsigned long)spt_number(to->copy, SPT_F_SP_SPT);
	to->role = spt_number(to->copy, SPT_F_SP_ROLE);
	to->gfn = spt_number(to->copy, SPT_F_SP_GFN);
	to->level = spt_role_bit(to->role, SPT_F_ROLE_LEVEL);
	to->direct = spt_role_bit(to->role, SPT_F_ROLE_DIRECT);
	return to->level < 1 || to->level > 5 ? -EBADMSG : 0;
}

int spt_sp_find(const void *sp, struct spt_sp *to)
{
	int error;

	pagefault_disable();
	error = spt_sp_copy(sp, to);
	pagefault_enable();
	if (error)
		return error;
	return spt_in_direct_map(to->spt, PAGE_SIZE) ? 0 : -EBADMSG;
}

static bool spt_linked(const struct spt_sp *sp, enum spt_field_id id)
{
	const struct list_head *live = spt_at(sp->sp, id);
	const struct list_head *copy = spt_at(sp->copy, id);

	/* 6.1 initialises the link only when it is used, and leaves it poisoned. */
	return spt_has(id) && copy->next && copy->next != LIST_POISON1 && copy->next != live;
}

static u32 spt_sp_flags(const struct spt_sp *sp, bool tdp)
{
	u32 flags = 0;

	if (tdp)
		flags |= SPT_PAGE_TDP_MMU;
	if (spt_number(sp->copy, SPT_F_SP_UNSYNC))
		flags |= SPT_PAGE_UNSYNC;
	if (spt_number(sp->copy, SPT_F_SP_NX_DISALLOWED))
		flags |= SPT_PAGE_NX_DISALLOWED;
	if (spt_number(sp->copy, SPT_F_SP_HOST_MMIO))
		flags |= SPT_PAGE_HOST_MMIO;
	/* Shares its byte with mmu_valid_gen. */
	if (tdp && spt_number(sp->copy, SPT_F_SP_ROOT_TO_ZAP))
		flags |= SPT_PAGE_ROOT_TO_ZAP;
	if (spt_linked(sp, SPT_F_SP_NX_LINK))
		flags |= SPT_PAGE_NX_LINKED;
	if (!spt_sp_backlinked(sp))
		flags |= SPT_PAGE_BACKLINK_BAD;
	return flags;
}

void spt_sp_describe(const struct spt_sp *sp, struct spt_page *page)
{
	bool tdp = spt_number(sp->copy, SPT_F_SP_TDP_MMU_PAGE);
	bool mirror = spt_has(SPT_F_ROLE_IS_MIRROR) &&
		      spt_role_bit(sp->role, SPT_F_ROLE_IS_MIRROR);
	u64 parent = spt_number(sp->copy, tdp && spt_has(SPT_F_SP_PTEP) ?
				SPT_F_SP_PTEP : SPT_F_SP_PARENT_PTES);

	page->sp = (unsigned long)sp->sp;
	page->hpa = __pa(sp->spt);
	page->gfn = sp->gfn;
	page->role = sp->role;
	page->flags = spt_sp_flags(sp, tdp);
	page->known = spt_layout.page_known;
	page->root_count = spt_number(sp->copy, tdp && spt_has(SPT_F_SP_TDP_ROOT_COUNT) ?
				      SPT_F_SP_TDP_ROOT_COUNT : SPT_F_SP_ROOT_COUNT);
	/* external_spt shares their bytes. */
	page->unsync_children = mirror ? 0 : spt_number(sp->copy, SPT_F_SP_UNSYNC_CHILDREN);
	page->write_flooding = mirror ? 0 : spt_number(sp->copy, SPT_F_SP_WRITE_FLOODING);
	page->external = 0;
	if (mirror && spt_number(sp->copy, SPT_F_SP_EXTERNAL_SPT))
		page->external = spt_hpa((void *)(unsigned long)
					 spt_number(sp->copy, SPT_F_SP_EXTERNAL_SPT));
	page->parent = parent;
	if (tdp && parent)
		page->parent = spt_hpa((void *)(unsigned long)parent);
	page->mmu_valid_gen = tdp ? 0 : spt_number(sp->copy, SPT_F_SP_MMU_VALID_GEN);
	memset(page->pad, 0, sizeof(page->pad));
}
