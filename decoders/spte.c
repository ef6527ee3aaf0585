// SPDX-License-Identifier: GPL-2.0
#include "decoders/spte.h"

/* x86 page-table bits that KVM leaves to the hardware's meaning. */
#define PT_PWT SPT_BIT(3)
#define PT_PCD SPT_BIT(4)

/* Memory types that are told apart as flags; WB is the rule and is not. */
static const __u32 memtype_flags[8] = {
	[0] = SPT_SPTE_FLAG_UC,
	[1] = SPT_SPTE_FLAG_WC,
	[4] = SPT_SPTE_FLAG_WT,
	[5] = SPT_SPTE_FLAG_WP,
};

static bool hw_present(const struct spt_format *f, __u64 spte)
{
	/* EPT: any permission; x86: the P bit, which is what 'read' is there. */
	if (f->style == SPT_STYLE_PT)
		return spte & f->read;
	return spte & (f->read | f->write | f->exec | f->user_exec);
}

/* Bits that must be 0 in a present entry, if the hardware is not to fault on it. */
static __u64 reserved_bits(const struct spt_format *f, enum spt_spte_type type, int level)
{
	__u64 reserved = f->reserved;

	if (type == SPT_SPTE_LEAF) {
		/* The PAT bit of a large x86 page is its lowest address bit. */
		__u64 pat = f->style == SPT_STYLE_PT && level > 1 ? SPT_BIT(12) : 0;

		reserved |= f->addr & ~f->leaf_addr[level] & ~pat;
		if (level > 3)
			reserved |= SPT_SPTE_PAGE_SIZE;
	} else if (f->style == SPT_STYLE_EPT) {
		reserved |= f->memtype | f->ipat;
	}
	return reserved;
}

static bool access_tracked(const struct spt_format *f, __u64 spte)
{
	return f->acc_track && spt_bits_extract(f->ad_type, spte) == SPT_AD_DISABLED &&
	       !(spte & f->acc_track);
}

static enum spt_known bit_known(__u64 mask, __u64 spte)
{
	if (!mask)
		return SPT_NA;
	return spte & mask ? SPT_YES : SPT_NO;
}

static void decode_accessed_dirty(const struct spt_format *f, struct spt_spte *s)
{
	bool recorded = s->kind != SPT_SPTE_MIRROR;

	if (f->ad_type) {
		s->ad_type = (enum spt_ad_type)spt_bits_extract(f->ad_type, s->raw);
		/*
		 * Without the hardware's bits, KVM keeps the accessed bit itself
		 * where it has put it into the mask for good; else nothing does.
		 */
		if (s->ad_type == SPT_AD_DISABLED && f->layout == SPT_LAYOUT_ACCESS3)
			recorded = false;
	}
	if (s->kind == SPT_SPTE_RAW || s->kind == SPT_SPTE_PAE_ROOT)
		s->ad_type = SPT_AD_ENABLED;
	s->accessed = recorded ? bit_known(f->accessed, s->raw) : SPT_NA;
	s->dirty = recorded && s->type == SPT_SPTE_LEAF ? bit_known(f->dirty, s->raw) : SPT_NA;
}

static void decode_present(const struct spt_format *f, struct spt_spte *s)
{
	bool leaf = s->type == SPT_SPTE_LEAF;

	s->perm = (__u8)spt_spte_perm(f, s->raw);
	if (s->kind == SPT_SPTE_PAE_ROOT)
		s->perm = SPT_PERM_READ | SPT_PERM_WRITE | SPT_PERM_EXEC;
	s->restored_perm = s->perm;
	s->hpa = leaf ? spt_spte_leaf_hpa(f, s->raw, s->level) : spt_spte_table_hpa(f, s->raw);
	decode_accessed_dirty(f, s);
	if (leaf && f->style == SPT_STYLE_EPT)
		s->memtype = (int)spt_bits_extract(f->memtype, s->raw);
	if (leaf && s->present_kvm && access_tracked(f, s->raw)) {
		s->access_tracked = true;
		s->restored_perm =
			(__u8)((s->raw & f->saved_read ? SPT_PERM_READ : 0) |
			       (s->raw & f->saved_exec ? SPT_PERM_EXEC : 0) |
			       (f->user_exec && s->raw & f->saved_user_exec ? SPT_PERM_USER_EXEC
									    : 0) |
			       (s->raw & f->mmu_writable ? SPT_PERM_WRITE : 0));
	}
}

/* The flag, if the condition holds. */
static __u32 when(bool condition, enum spt_spte_flag flag)
{
	return condition ? (__u32)flag : 0;
}

/* Flags of an entry that maps something, whoever wrote it. */
static __u32 hardware_flags(const struct spt_format *f, const struct spt_spte *s)
{
	__u64 raw = s->raw, user = s->kind == SPT_SPTE_PAE_ROOT ? 0 : f->user;
	__u64 pwt = f->style == SPT_STYLE_PT ? PT_PWT : 0, pcd = pwt ? PT_PCD : 0;
	bool leaf = s->type == SPT_SPTE_LEAF;

	return when(s->accessed == SPT_YES, SPT_SPTE_FLAG_ACCESSED) |
	       when(s->dirty == SPT_YES, SPT_SPTE_FLAG_DIRTY) |
	       when(raw & user, SPT_SPTE_FLAG_USER) | when(raw & f->nx, SPT_SPTE_FLAG_NX) |
	       when(leaf && s->level > 1, SPT_SPTE_FLAG_HUGE) |
	       when(raw & f->suppress_ve, SPT_SPTE_FLAG_SVE) |
	       when(raw & f->me_mask, SPT_SPTE_FLAG_ENCRYPTED) |
	       when(leaf && (raw & f->ipat), SPT_SPTE_FLAG_IPAT) |
	       when(raw & pwt, SPT_SPTE_FLAG_PWT) | when(raw & pcd, SPT_SPTE_FLAG_PCD) |
	       when(s->kind == SPT_SPTE_WALKED && !s->present_hw, SPT_SPTE_FLAG_HW_NONPRESENT) |
	       when(raw & reserved_bits(f, s->type, s->level), SPT_SPTE_FLAG_RESERVED) |
	       (s->memtype >= 0 ? memtype_flags[s->memtype & 7] : 0);
}

/* Flags that only an entry of a kvm_mmu_page has. */
static __u32 kvm_flags(const struct spt_format *f, const struct spt_spte *s)
{
	bool leaf = s->type == SPT_SPTE_LEAF;

	return when(leaf && (s->raw & f->host_writable), SPT_SPTE_FLAG_HOST_WRITABLE) |
	       when(leaf && (s->raw & f->mmu_writable), SPT_SPTE_FLAG_MMU_WRITABLE) |
	       when(s->access_tracked, SPT_SPTE_FLAG_ACC_TRACK) |
	       when(s->ad_type == SPT_AD_DISABLED, SPT_SPTE_FLAG_AD_DISABLED) |
	       when(s->ad_type == SPT_AD_WRPROT_ONLY, SPT_SPTE_FLAG_WRPROT_AD);
}

static void decode_mmio(const struct spt_format *f, struct spt_spte *s)
{
	__u64 gfn = spt_bits_extract(f->mmio_gfn_low | f->mmio_gfn_high, s->raw);

	s->mmio_gfn = gfn;
	s->mmio_access = (unsigned int)(s->raw & f->mmio_access);
	s->mmio_gen = (__u32)spt_bits_extract(f->mmio_gen, s->raw);
}

static enum spt_spte_type type_of(const struct spt_format *f, const struct spt_spte *s)
{
	switch (s->kind) {
	case SPT_SPTE_WALKED:
	case SPT_SPTE_MIRROR:
		return spt_spte_type(f, s->raw, s->level);
	case SPT_SPTE_RAW:
		if (!s->present_hw)
			return SPT_SPTE_NONPRESENT;
		return s->level == 1 || (s->raw & SPT_SPTE_PAGE_SIZE) ? SPT_SPTE_LEAF
								      : SPT_SPTE_TABLE;
	case SPT_SPTE_PAE_ROOT:
		break;
	}
	return s->present_hw ? SPT_SPTE_TABLE : SPT_SPTE_NONPRESENT;
}

struct spt_spte spt_spte_decode(const struct spt_format *f, __u64 spte, int level,
				enum spt_spte_kind kind)
{
	struct spt_spte s = { .raw = spte, .kind = kind, .memtype = -1 };
	bool own = kind == SPT_SPTE_WALKED || kind == SPT_SPTE_MIRROR;

	s.level = level < 1 ? 1 : level > SPT_MAX_LEVEL ? SPT_MAX_LEVEL : level;
	s.size = spt_spte_span(s.level);
	s.present_kvm = own && (spte & SPT_SPTE_MMU_PRESENT);
	s.present_hw = kind != SPT_SPTE_MIRROR && hw_present(f, spte);
	s.accessed = SPT_NA;
	s.dirty = SPT_NA;
	s.type = type_of(f, &s);
	switch (s.type) {
	case SPT_SPTE_TABLE:
	case SPT_SPTE_LEAF:
		decode_present(f, &s);
		s.flags = hardware_flags(f, &s) | (s.present_kvm ? kvm_flags(f, &s) : 0);
		break;
	case SPT_SPTE_MMIO:
		decode_mmio(f, &s);
		break;
	case SPT_SPTE_NONPRESENT:
		s.empty = spte == (own ? f->empty : 0);
		if (!s.empty)
			s.flags |= SPT_SPTE_FLAG_LEFTOVER;
		if (own && s.present_hw)
			s.flags |= SPT_SPTE_FLAG_HW_PRESENT;
		break;
	case SPT_SPTE_FROZEN:
	case SPT_SPTE_TYPES:
		break;
	}
	if (kind == SPT_SPTE_MIRROR)
		s.flags |= SPT_SPTE_FLAG_MIRROR;
	return s;
}
