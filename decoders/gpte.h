/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entries of the guest's own page tables (SDM Vol. 3A chapter 4, APM Vol. 2
 * chapter 5), and what CR0, CR3, CR4 and EFER say about walking them. Also of
 * those by which a guest gives memory to a guest of its own: nested paging has
 * the format of long mode (APM Vol. 2 15.25), EPT one of its own (SDM Vol. 3C 28.3.2).
 */
#ifndef SPT_DECODERS_GPTE_H
#define SPT_DECODERS_GPTE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include "decoders/bits.h"

enum spt_guest_paging {
	SPT_GUEST_NO_PAGING, /* CR0.PG = 0: linear address is GPA */
	SPT_GUEST_32BIT,     /* 2 levels, 4-byte entries */
	SPT_GUEST_PAE,	     /* 3 levels, level 3 is four PDPTEs */
	SPT_GUEST_4LEVEL,
	SPT_GUEST_5LEVEL,
};

/* What the meaning of a guest entry depends on. */
struct spt_guest_mmu {
	enum spt_guest_paging paging;
	bool pse;	 /* CR4.PSE: 4M pages in 32-bit paging */
	bool nxe;	 /* EFER.NXE: else bit 63 is reserved */
	bool gbpages;	 /* 1G pages exist */
	bool wp;	 /* CR0.WP */
	bool ept;	 /* entries are EPT's; 4 or 5 levels */
	__u8 maxphyaddr; /* of the guest; address bits from here up are reserved */
};

/* maxphyaddr 0 is taken as 52: no address bit counts as reserved. */
void spt_guest_mmu_init(struct spt_guest_mmu *mmu, __u64 cr0, __u64 cr4, __u64 efer,
			unsigned int maxphyaddr);

/*
 * Tables of that many levels that translate guest-physical addresses. Without
 * effect for other numbers than nested paging and EPT have (2 to 5; EPT 4 and 5):
 * @mmu has no paging then.
 */
void spt_guest_mmu_nested(struct spt_guest_mmu *mmu, bool ept, int levels, bool nxe,
			  unsigned int maxphyaddr);

/* 'none', '32-bit', 'PAE', '4-level', '5-level'. */
const char *spt_guest_paging_name(enum spt_guest_paging paging);

/* Levels of the walk (0 without paging), bytes of an entry, GPA of the top table. */
int spt_guest_levels(const struct spt_guest_mmu *mmu);
unsigned int spt_guest_entry_size(const struct spt_guest_mmu *mmu);
__u64 spt_guest_top_table(const struct spt_guest_mmu *mmu, __u64 cr3);

/* Entry number that gva selects in a table of that level. */
unsigned int spt_guest_index(const struct spt_guest_mmu *mmu, __u64 gva, int level);

/* Bytes that an entry of that level maps. */
__u64 spt_guest_level_size(const struct spt_guest_mmu *mmu, int level);

/* Whether the hardware accepts gva at all: canonical for the number of levels, or 32 bits. */
bool spt_guest_gva_valid(const struct spt_guest_mmu *mmu, __u64 gva);

struct spt_gpte {
	__u64 raw;
	int level;
	bool present;
	bool leaf;	      /* maps a page; else leads to the next table */
	bool write, user, nx; /* of this entry alone; a PDPTE of PAE has none: write, user set;
				 EPT has no user */
	bool accessed, dirty, global;
	__u64 gpa;	/* of the page or of the next table */
	__u64 size;	/* bytes that the entry maps */
	__u64 reserved; /* reserved bits that are set: the walk ends in a fault */
};

/* Undefined without paging; 'level' is 1 to spt_guest_levels(). */
struct spt_gpte spt_gpte_decode(const struct spt_guest_mmu *mmu, __u64 gpte, int level);

/* Address bits of an entry, and the bits that must be 0 in a present one. */
__u64 spt_gpte_address_mask(const struct spt_guest_mmu *mmu, int level, bool leaf);
__u64 spt_gpte_reserved_mask(const struct spt_guest_mmu *mmu, int level, bool leaf);

/* Names of what is set, like 'present write user accessed'; length like snprintf(). */
int spt_gpte_flags_text(const struct spt_gpte *gpte, const char *sep, char *buf, size_t size);

/* Bit layout of that entry, every bit in one row; rows[SPT_BITS_MAX]; returns their number. */
size_t spt_gpte_rows(const struct spt_guest_mmu *mmu, const struct spt_gpte *gpte,
		     struct spt_bit *rows);

#endif
