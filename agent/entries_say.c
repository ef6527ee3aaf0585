// SPDX-License-Identifier: GPL-2.0
/*
 * Entries before and after, as they are reported, and what they permit.
 */
#include <linux/kvm_host.h>

#include "action.h"
#include "entries.h"

u64 spt_mask(enum spt_symbol_id id)
{
	u64 mask;

	spt_load_symbol(id, sizeof(mask), &mask);
	return mask;
}

u64 spt_executable_mask(void)
{
	/* One mask, or one each for the kernel and the user. */
	return spt_mask(SPT_S_X_MASK) | spt_mask(SPT_S_XS_MASK) | spt_mask(SPT_S_XU_MASK);
}

/* An entry whose accessed bit is no bit of the hardware: SPTE_TDP_AD_DISABLED. */
static bool spt_entry_ad_disabled(u64 spte)
{
	unsigned int shift = spt_layout.field[SPT_F_ROLE_ACCESS].mask == 0xf ? 60 : 52;

	return spt_layout.mmu == SPT_MMU_EPT && ((spte >> shift) & 3) == 1;
}

/* SHADOW_ACC_TRACK_SAVED_BITS_SHIFT */
unsigned int spt_entry_saved_shift(u64 spte)
{
	if (!spt_entry_ad_disabled(spte) || spte & spt_mask(SPT_S_ACC_TRACK_MASK))
		return 0;
	return spt_layout.field[SPT_F_ROLE_ACCESS].mask == 0xf ? 52 : 54;
}

u32 spt_entry_perm(u64 spte)
{
	u32 perm = 0;

	if (!spt_spte_present(spte))
		return 0;
	if (spte & BIT_ULL(0))		/* EPT: read; else: present */
		perm |= SPT_PERM_R;
	if (spte & BIT_ULL(1))
		perm |= SPT_PERM_W;
	if (spt_mask(SPT_S_NX_MASK) ? !(spte & spt_mask(SPT_S_NX_MASK)) :
	    !!(spte & spt_executable_mask()))
		perm |= SPT_PERM_X;
	return perm;
}

bool spt_entry_accessed(u64 spte)
{
	if (spt_entry_ad_disabled(spte))
		return spte & spt_mask(SPT_S_ACC_TRACK_MASK);
	return spte & spt_mask(SPT_S_ACCESSED_MASK);
}

bool spt_entries_mapped(const struct spt_entries *entries)
{
	unsigned int i;

	for (i = 0; i < entries->count; i++)
		if (entries->at[i].leaf)
			return true;
	return false;
}

bool spt_entries_huge(const struct spt_entries *entries)
{
	unsigned int i;

	for (i = 0; i < entries->count; i++)
		if (entries->at[i].leaf && entries->at[i].level > SPT_LEVEL_4K)
			return true;
	return false;
}

const char *spt_entry_kind(const struct spt_entry *entry)
{
	if (entry->mirror)
		return "mirror";
	if (spt_role_field(entry->role, SPT_F_ROLE_GUEST_MODE))
		return "nested";
	return spt_role_field(entry->role, SPT_F_ROLE_DIRECT) ? "direct" : "shadow";
}

/*
 * The role, but for the level, of direct tables that KVM's older MMU keeps: those of one such role
 * have a gfn once, at whatever level. 0: of another table.
 */
static u32 spt_entry_direct_role(const struct spt_entry *entry)
{
	const struct spt_field *level = &spt_layout.field[SPT_F_ROLE_LEVEL];

	if (spt_layout.mmu == SPT_MMU_SHADOW ||
	    !spt_role_field(entry->role, SPT_F_ROLE_DIRECT) ||
	    spt_role_field(entry->role, SPT_F_ROLE_GUEST_MODE))
		return 0;
	return entry->role & ~((u32)level->mask << level->shift);
}

static bool spt_entry_same_place(const struct spt_entry *a, const struct spt_entry *b)
{
	u32 role = spt_entry_direct_role(a);

	if (a->root_hpa != SPT_NO_HPA)
		return a->root_hpa == b->root_hpa;
	return a->sptep == b->sptep || (role && role == spt_entry_direct_role(b));
}

static const struct spt_entry *spt_entry_like(const struct spt_entries *entries,
					      const struct spt_entry *entry)
{
	unsigned int i;

	for (i = 0; i < entries->count; i++)
		if (spt_entry_same_place(&entries->at[i], entry))
			return &entries->at[i];
	return NULL;
}

static void spt_entry_brief(const struct spt_entry *entry, char brief[SPT_BRIEF_MAX])
{
	if (entry)
		snprintf(brief, SPT_BRIEF_MAX, "%u:%#llx", entry->level, entry->spte);
	else
		strscpy(brief, "-", SPT_BRIEF_MAX);
}

/* One line; @before or @after may be NULL. True: they differ. */
static bool spt_say_entry(struct spt_action *act, const struct spt_entry *before,
			  const struct spt_entry *after)
{
	const struct spt_entry *entry = after ? after : before;
	char root[24] = "n/a";
	char was[48] = "level-before=0 before=-";
	char is[48] = "level-after=0 after=-";

	if (entry->root_hpa != SPT_NO_HPA)
		snprintf(root, sizeof(root), "%#llx", entry->root_hpa);
	if (before)
		snprintf(was, sizeof(was), "level-before=%u before=%#llx", before->level,
			 before->spte);
	if (after)
		snprintf(is, sizeof(is), "level-after=%u after=%#llx", after->level, after->spte);
	spt_say(act, SPT_LINE_ENTRY, "root=%s kind=%s table=%#llx gpa=%#llx %s %s", root,
		spt_entry_kind(entry), entry->table_hpa, entry->gfn << PAGE_SHIFT, was, is);
	return !before || !after || before->level != after->level || before->spte != after->spte;
}

unsigned int spt_say_entries(struct spt_action *act, const struct spt_entries *before,
			     const struct spt_entries *after)
{
	unsigned int changed = 0;
	unsigned int i;

	for (i = 0; i < before->count; i++)
		changed += spt_say_entry(act, &before->at[i],
					 spt_entry_like(after, &before->at[i]));
	for (i = 0; i < after->count; i++)
		if (!spt_entry_like(before, &after->at[i]))
			changed += spt_say_entry(act, NULL, &after->at[i]);
	/* The journal's: what was before the first step, what is after the last. */
	if (act->step <= 1)
		spt_entry_brief(before->count ? &before->at[0] : NULL, act->before);
	spt_entry_brief(after->count ? &after->at[0] : NULL, act->after);
	return changed;
}
