// SPDX-License-Identifier: GPL-2.0
#include "decoders/gpte.h"

#include <stdio.h>

#define CR0_WP	 SPT_BIT(16)
#define CR0_PG	 SPT_BIT(31)
#define CR4_PSE	 SPT_BIT(4)
#define CR4_PAE	 SPT_BIT(5)
#define CR4_LA57 SPT_BIT(12)
#define EFER_LMA SPT_BIT(10)
#define EFER_NXE SPT_BIT(11)

#define PRESENT	      SPT_BIT(0)
#define WRITE	      SPT_BIT(1)
#define USER	      SPT_BIT(2)
#define ACCESSED      SPT_BIT(5)
#define DIRTY	      SPT_BIT(6)
#define PAGE_SIZE_BIT SPT_BIT(7)
#define GLOBAL	      SPT_BIT(8)
#define NX	      SPT_BIT(63)

#define EPT_READ	 SPT_BIT(0)
#define EPT_WRITE	 SPT_BIT(1)
#define EPT_EXEC	 SPT_BIT(2)
#define EPT_ACCESSED	 SPT_BIT(8)
#define EPT_DIRTY	 SPT_BIT(9)
#define EPT_MEMTYPE	 SPT_BITS(6, 3) /* and IPAT, of a table */
#define EPT_LEAF_MEMTYPE SPT_BITS(5, 3)

/* PSE-36: bits 39-32 of a 4M page's address stand in bits 20-13 of its entry. */
#define PSE36	    SPT_BITS(20, 13)
#define PSE36_SHIFT 19

void spt_guest_mmu_init(struct spt_guest_mmu *mmu, __u64 cr0, __u64 cr4, __u64 efer,
			unsigned int maxphyaddr)
{
	*mmu = (struct spt_guest_mmu){
		.pse = cr4 & CR4_PSE,
		.nxe = efer & EFER_NXE,
		.gbpages = true,
		.wp = cr0 & CR0_WP,
		.maxphyaddr = maxphyaddr && maxphyaddr < 52 ? (__u8)maxphyaddr : 52,
	};
	if (!(cr0 & CR0_PG))
		mmu->paging = SPT_GUEST_NO_PAGING;
	else if (efer & EFER_LMA)
		mmu->paging = cr4 & CR4_LA57 ? SPT_GUEST_5LEVEL : SPT_GUEST_4LEVEL;
	else
		mmu->paging = cr4 & CR4_PAE ? SPT_GUEST_PAE : SPT_GUEST_32BIT;
}

void spt_guest_mmu_nested(struct spt_guest_mmu *mmu, bool ept, int levels, bool nxe,
			  unsigned int maxphyaddr)
{
	static const enum spt_guest_paging by_levels[] = {
		[2] = SPT_GUEST_32BIT,
		[3] = SPT_GUEST_PAE,
		[4] = SPT_GUEST_4LEVEL,
		[5] = SPT_GUEST_5LEVEL,
	};

	*mmu = (struct spt_guest_mmu){
		.pse = true,
		.nxe = nxe,
		.gbpages = true,
		.wp = true,
		.ept = ept,
		.maxphyaddr = maxphyaddr && maxphyaddr < 52 ? (__u8)maxphyaddr : 52,
	};
	if (levels >= (ept ? 4 : 2) && levels <= 5)
		mmu->paging = by_levels[levels];
}

const char *spt_guest_paging_name(enum spt_guest_paging paging)
{
	static const char *const names[] = {
		[SPT_GUEST_NO_PAGING] = "none", [SPT_GUEST_32BIT] = "32-bit",
		[SPT_GUEST_PAE] = "PAE",	[SPT_GUEST_4LEVEL] = "4-level",
		[SPT_GUEST_5LEVEL] = "5-level",
	};

	return (unsigned int)paging < sizeof(names) / sizeof(names[0]) ? names[paging] : "?";
}

int spt_guest_levels(const struct spt_guest_mmu *mmu)
{
	static const signed char levels[] = { 0, 2, 3, 4, 5 };

	return levels[mmu->paging];
}

unsigned int spt_guest_entry_size(const struct spt_guest_mmu *mmu)
{
	return mmu->paging == SPT_GUEST_32BIT ? 4 : 8;
}

__u64 spt_guest_top_table(const struct spt_guest_mmu *mmu, __u64 cr3)
{
	switch (mmu->paging) {
	case SPT_GUEST_32BIT:
		return cr3 & SPT_BITS(31, 12);
	case SPT_GUEST_PAE:
		return cr3 & SPT_BITS(31, 5); /* four PDPTEs, 32 bytes */
	case SPT_GUEST_4LEVEL:
	case SPT_GUEST_5LEVEL:
		return cr3 & SPT_BITS(51, 12);
	case SPT_GUEST_NO_PAGING:
		break;
	}
	return 0;
}

static unsigned int level_shift(const struct spt_guest_mmu *mmu, int level)
{
	return 12 + (mmu->paging == SPT_GUEST_32BIT ? 10 : 9) * (unsigned int)(level - 1);
}

unsigned int spt_guest_index(const struct spt_guest_mmu *mmu, __u64 gva, int level)
{
	unsigned int entries = 512;

	if (mmu->paging == SPT_GUEST_32BIT)
		entries = 1024;
	else if (mmu->paging == SPT_GUEST_PAE && level == 3)
		entries = 4;
	return (unsigned int)(gva >> level_shift(mmu, level)) & (entries - 1);
}

__u64 spt_guest_level_size(const struct spt_guest_mmu *mmu, int level)
{
	return 1ULL << level_shift(mmu, level);
}

bool spt_guest_gva_valid(const struct spt_guest_mmu *mmu, __u64 gva)
{
	unsigned int bits;

	switch (mmu->paging) {
	case SPT_GUEST_4LEVEL:
	case SPT_GUEST_5LEVEL:
		bits = level_shift(mmu, spt_guest_levels(mmu) + 1);
		return gva >> (bits - 1) == 0 || gva >> (bits - 1) == ~0ULL >> (bits - 1);
	default:
		return gva <= SPT_BITS(31, 0);
	}
}

static bool is_pdpte(const struct spt_guest_mmu *mmu, int level)
{
	return mmu->paging == SPT_GUEST_PAE && level == 3;
}

/* Whether an entry of that level may map a page by its PS bit. */
static bool has_page_size(const struct spt_guest_mmu *mmu, int level)
{
	switch (mmu->paging) {
	case SPT_GUEST_32BIT:
		return level == 2 && mmu->pse;
	case SPT_GUEST_PAE:
		return level == 2;
	default:
		return level == 2 || (level == 3 && mmu->gbpages);
	}
}

__u64 spt_gpte_address_mask(const struct spt_guest_mmu *mmu, int level, bool leaf)
{
	__u64 page = leaf ? ~(spt_guest_level_size(mmu, level) - 1) : ~0xfffULL;

	if (mmu->paging == SPT_GUEST_32BIT)
		return SPT_BITS(31, 12) & page;
	return SPT_BITS(mmu->maxphyaddr - 1, 12) & page;
}

/* SDM Vol. 3A tables 4-4 to 4-20. PS at level 4 and 5 is reserved for both vendors, G is not. */
__u64 spt_gpte_reserved_mask(const struct spt_guest_mmu *mmu, int level, bool leaf)
{
	__u64 reserved = 0, pat = leaf && level > 1 ? SPT_BIT(12) : 0;

	if (mmu->paging == SPT_GUEST_32BIT) {
		/* With PSE-36 bit 21 alone is left over in a 4M page. */
		return leaf && level == 2 ? SPT_BIT(21) : 0;
	}
	if (mmu->maxphyaddr < 52)
		reserved |= SPT_BITS(51, mmu->maxphyaddr);
	if (mmu->ept) {
		if (leaf)
			return reserved |
			       (SPT_BITS(51, 12) & (spt_guest_level_size(mmu, level) - 1));
		return reserved | EPT_MEMTYPE | (has_page_size(mmu, level) ? 0 : PAGE_SIZE_BIT);
	}
	if (mmu->paging == SPT_GUEST_PAE)
		reserved |= SPT_BITS(62, 52);
	if (!mmu->nxe)
		reserved |= NX;
	if (is_pdpte(mmu, level))
		return reserved | NX | SPT_BITS(8, 5) | SPT_BITS(2, 1);
	if (leaf)
		reserved |= SPT_BITS(51, 12) & (spt_guest_level_size(mmu, level) - 1) & ~pat;
	if (!has_page_size(mmu, level) && level > 1)
		reserved |= PAGE_SIZE_BIT;
	return reserved;
}

static __u64 leaf_address(const struct spt_guest_mmu *mmu, __u64 gpte, int level)
{
	__u64 gpa = gpte & spt_gpte_address_mask(mmu, level, true);

	if (mmu->paging == SPT_GUEST_32BIT && level == 2)
		gpa |= (gpte & PSE36) << PSE36_SHIFT;
	return gpa;
}

/*
 * SDM Vol. 3C 28.3.3.1: to write without to read is a misconfiguration, as reserved bits and
 * memory types are.
 */
static struct spt_gpte decode_ept(const struct spt_guest_mmu *mmu, __u64 epte, int level)
{
	struct spt_gpte g = {
		.raw = epte,
		.level = level,
		.size = spt_guest_level_size(mmu, level),
		.present = epte & (EPT_READ | EPT_WRITE | EPT_EXEC),
	};

	if (!g.present)
		return g;
	g.leaf = level == 1 || (has_page_size(mmu, level) && (epte & PAGE_SIZE_BIT));
	g.write = epte & EPT_WRITE;
	g.nx = !(epte & EPT_EXEC);
	g.accessed = epte & EPT_ACCESSED;
	g.dirty = g.leaf && (epte & EPT_DIRTY);
	g.gpa = epte & spt_gpte_address_mask(mmu, level, g.leaf);
	g.reserved = epte & spt_gpte_reserved_mask(mmu, level, g.leaf);
	if (!(epte & EPT_READ))
		g.reserved |= epte & EPT_WRITE;
	/* Memory types 2, 3 and 7 do not exist. */
	if (g.leaf && 0x8cU >> spt_bits_extract(EPT_LEAF_MEMTYPE, epte) & 1)
		g.reserved |= epte & EPT_LEAF_MEMTYPE;
	return g;
}

struct spt_gpte spt_gpte_decode(const struct spt_guest_mmu *mmu, __u64 gpte, int level)
{
	struct spt_gpte g = { .raw = gpte,
			      .level = level,
			      .size = spt_guest_level_size(mmu, level) };
	bool pdpte = is_pdpte(mmu, level);

	if (mmu->ept)
		return decode_ept(mmu, gpte, level);
	if (mmu->paging == SPT_GUEST_32BIT)
		gpte &= SPT_BITS(31, 0);
	g.present = gpte & PRESENT;
	if (!g.present)
		return g;
	g.leaf = level == 1 || (has_page_size(mmu, level) && (gpte & PAGE_SIZE_BIT));
	g.write = pdpte || (gpte & WRITE);
	g.user = pdpte || (gpte & USER);
	g.nx = mmu->nxe && mmu->paging != SPT_GUEST_32BIT && !pdpte && (gpte & NX);
	g.accessed = !pdpte && (gpte & ACCESSED);
	g.dirty = g.leaf && (gpte & DIRTY);
	g.global = g.leaf && (gpte & GLOBAL);
	g.gpa = g.leaf ? leaf_address(mmu, gpte, level)
		       : gpte & spt_gpte_address_mask(mmu, level, false);
	g.reserved = gpte & spt_gpte_reserved_mask(mmu, level, g.leaf);
	return g;
}

int spt_gpte_flags_text(const struct spt_gpte *g, const char *sep, char *buf, size_t size)
{
	const struct {
		bool set;
		const char *name;
	} flags[] = {
		{ g->present, "present" },	   { g->present && g->write, "write" },
		{ g->present && g->user, "user" }, { g->nx, "nx" },
		{ g->accessed, "accessed" },	   { g->dirty, "dirty" },
		{ g->global, "global" },	   { g->leaf && g->level > 1, "huge" },
		{ g->reserved, "reserved" },
	};
	int len = 0;

	if (size)
		buf[0] = '\0';
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		size_t used = (size_t)len < size ? (size_t)len : size;

		if (flags[i].set)
			len += snprintf(buf ? buf + used : NULL, size - used, "%s%s",
					len ? sep : "", flags[i].name);
	}
	return len;
}
