/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one SPTE means to KVM, and what of it the hardware sees.
 *
 * KVM's view and the hardware's differ: present for KVM is bit 11 alone, present
 * for the hardware are its own bits, and an empty entry need not be 0.
 */
#ifndef SPT_DECODERS_SPTE_H
#define SPT_DECODERS_SPTE_H

#include "decoders/bits.h"
#include "decoders/format.h"

#define SPT_SPTE_MMU_PRESENT SPT_BIT(11) /* SPTE_MMU_PRESENT_MASK */
#define SPT_SPTE_PAGE_SIZE   SPT_BIT(7)	 /* PT_PAGE_SIZE_MASK: leaf above level 1 */

enum spt_spte_type {
	SPT_SPTE_NONPRESENT,
	SPT_SPTE_TABLE,
	SPT_SPTE_LEAF,
	SPT_SPTE_MMIO,
	SPT_SPTE_FROZEN,
	SPT_SPTE_TYPES,
};

/* In what kind of table the entry stands. */
enum spt_spte_kind {
	SPT_SPTE_WALKED,   /* of a kvm_mmu_page that the hardware walks */
	SPT_SPTE_MIRROR,   /* role.is_mirror: KVM's copy, the hardware walks another table */
	SPT_SPTE_RAW,	   /* no kvm_mmu_page (pml4_root, external table): hardware bits only */
	SPT_SPTE_PAE_ROOT, /* pae_root: a PDPTE, without permissions of its own */
};

enum spt_perm {
	SPT_PERM_READ = 1 << 0,
	SPT_PERM_WRITE = 1 << 1,
	SPT_PERM_EXEC = 1 << 2, /* with user_exec in the format: of supervisor code */
	SPT_PERM_USER_EXEC = 1 << 3,
};

/* SPTE_TDP_AD_*: who keeps the accessed and dirty state. */
enum spt_ad_type {
	SPT_AD_ENABLED = 0,	/* the hardware's A and D bits */
	SPT_AD_DISABLED = 1,	/* none: KVM traps accesses and writes */
	SPT_AD_WRPROT_ONLY = 2, /* A bits, but writes are trapped (L2 under PML) */
};

enum spt_known { SPT_NO = 0, SPT_YES = 1, SPT_NA = -1 };

/* Names for JSON and tables, and what they say. Appended, never renamed. */
#define SPT_SPTE_FLAGS(F)                                                                          \
	F(ACCESSED, "accessed", "accessed since the bit was last cleared")                         \
	F(DIRTY, "dirty", "written since the bit was last cleared")                                \
	F(HOST_WRITABLE, "host-writable", "the host lets the guest write the page")                \
	F(MMU_WRITABLE, "mmu-writable", "KVM may set W without taking mmu_lock")                   \
	F(USER, "user", "U bit: user-mode accesses are allowed")                                   \
	F(NX, "nx", "NX bit: no instruction fetch")                                                \
	F(HUGE, "huge", "maps a page larger than 4K")                                              \
	F(ACC_TRACK, "acc-track", "permissions removed to see the next access")                    \
	F(AD_DISABLED, "ad-disabled", "no hardware A/D bits for this entry")                       \
	F(WRPROT_AD, "wrprot-ad", "dirty tracking by write protection only")                       \
	F(SVE, "sve", "suppress #VE: a violation exits to KVM")                                    \
	F(ENCRYPTED, "c-bit", "encrypted memory")                                                  \
	F(IPAT, "ipat", "the guest's PAT is ignored")                                              \
	F(UC, "uc", "memory type UC")                                                              \
	F(WC, "wc", "memory type WC")                                                              \
	F(WT, "wt", "memory type WT")                                                              \
	F(WP, "wp", "memory type WP")                                                              \
	F(PWT, "pwt", "PWT bit")                                                                   \
	F(PCD, "pcd", "PCD bit")                                                                   \
	F(MIRROR, "mirror", "KVM's copy of an external entry, not walked")                         \
	F(HW_NONPRESENT, "hw-nonpresent", "present for KVM, not for the hardware")                 \
	F(HW_PRESENT, "hw-present", "not present for KVM, but for the hardware")                   \
	F(LEFTOVER, "leftover", "not present, and not the value of an empty entry")                \
	F(RESERVED, "reserved", "a bit is set that the hardware reserves")

enum spt_spte_flag_nr {
#define F(id, name, text) SPT_SPTE_FLAG_NR_##id,
	SPT_SPTE_FLAGS(F)
#undef F
		SPT_SPTE_FLAG_COUNT,
};

enum spt_spte_flag {
#define F(id, name, text) SPT_SPTE_FLAG_##id = 1 << SPT_SPTE_FLAG_NR_##id,
	SPT_SPTE_FLAGS(F)
#undef F
};

struct spt_spte {
	__u64 raw;
	int level; /* of the table that holds the entry, 1 to 5 */
	enum spt_spte_type type;
	enum spt_spte_kind kind;
	bool present_kvm;   /* bit 11 */
	bool present_hw;    /* the hardware would use it, or fault on it as malformed */
	bool empty;	    /* non-present with the value of one that never mapped anything */
	__u8 perm;	    /* enum spt_perm, or-ed: what the hardware allows now */
	__u8 restored_perm; /* what KVM gives back at the next access; as perm if not tracked */
	__u64 hpa;	    /* leaf: first byte of the page; table: of the next table */
	__u64 size;	    /* bytes that the entry maps or would map */
	enum spt_known accessed; /* SPT_NA: nobody records it */
	enum spt_known dirty;
	enum spt_ad_type ad_type;
	int memtype; /* EPT leaf: 0 UC, 1 WC, 4 WT, 5 WP, 6 WB; -1 n/a */
	bool access_tracked;
	__u64 mmio_gfn;		  /* MMIO only, like the next two */
	unsigned int mmio_access; /* KVM's ACC_* bits of it, those that the format keeps */
	__u32 mmio_gen;
	__u32 flags; /* enum spt_spte_flag, or-ed */
};

/*
 * The type of an entry of a kvm_mmu_page (SPT_SPTE_WALKED, SPT_SPTE_MIRROR), at
 * the price of a few comparisons.
 */
static inline enum spt_spte_type spt_spte_type(const struct spt_format *f, __u64 spte, int level)
{
	if (spte & SPT_SPTE_MMU_PRESENT)
		return level == 1 || (spte & SPT_SPTE_PAGE_SIZE) ? SPT_SPTE_LEAF : SPT_SPTE_TABLE;
	if (spte == f->empty)
		return SPT_SPTE_NONPRESENT;
	if (spte == f->frozen)
		return SPT_SPTE_FROZEN;
	if ((spte & f->mmio_mask) == f->mmio_value)
		return SPT_SPTE_MMIO;
	return SPT_SPTE_NONPRESENT;
}

/* Bytes that one entry of a level maps: 4096, 2097152, 1073741824 ... */
static inline __u64 spt_spte_span(int level)
{
	return 1ULL << (12 + 9 * (level - 1));
}

/* Address of the page that a leaf at that level maps. */
static inline __u64 spt_spte_leaf_hpa(const struct spt_format *f, __u64 spte, int level)
{
	return spte & f->leaf_addr[level];
}

/* Address of the table that a non-leaf entry leads to. */
static inline __u64 spt_spte_table_hpa(const struct spt_format *f, __u64 spte)
{
	return spte & f->addr;
}

/* Either, by the entry's type; 0 for one that is not present for KVM. */
static inline __u64 spt_spte_hpa(const struct spt_format *f, __u64 spte, int level)
{
	if (!(spte & SPT_SPTE_MMU_PRESENT))
		return 0;
	if (level == 1 || (spte & SPT_SPTE_PAGE_SIZE))
		return spt_spte_leaf_hpa(f, spte, level);
	return spt_spte_table_hpa(f, spte);
}

/* Permissions (enum spt_perm) of an entry that is present for KVM. */
static inline unsigned int spt_spte_perm(const struct spt_format *f, __u64 spte)
{
	__u64 bits = spte ^ f->nx;

	return (bits & f->read ? SPT_PERM_READ : 0) | (bits & f->write ? SPT_PERM_WRITE : 0) |
	       (bits & f->exec ? SPT_PERM_EXEC : 0) |
	       (bits & f->user_exec ? SPT_PERM_USER_EXEC : 0);
}

/* Everything about an entry. 'level' out of range is taken as the nearest one. */
struct spt_spte spt_spte_decode(const struct spt_format *format, __u64 spte, int level,
				enum spt_spte_kind kind);

/* 'table', 'leaf', 'mmio', 'frozen', 'nonpresent'. */
const char *spt_spte_type_name(enum spt_spte_type type);

/* Stable name and meaning of flag number nr (0 to SPT_SPTE_FLAG_COUNT - 1). */
const char *spt_spte_flag_name(unsigned int nr);
const char *spt_spte_flag_text(unsigned int nr);

/* Names of the flags, separated by 'sep'; returns the length like snprintf(). */
int spt_spte_flags_text(__u32 flags, const char *sep, char *buf, size_t size);

#define SPT_PERM_TEXT 5 /* bytes that a buffer for spt_perm_text() has */

/* 'rwx' with '-' for what is missing; a format with user_exec: 'rwxX'. Returns buf. */
const char *spt_perm_text(const struct spt_format *format, unsigned int perm, char *buf);

/*
 * The bit layout of an entry, for --explain: one row for each field, and one of
 * kind SPT_BIT_IGNORED for what is left. Every bit is in exactly one row.
 * Returns the number of rows written to rows[SPT_BITS_MAX].
 */
size_t spt_spte_rows(const struct spt_format *format, const struct spt_spte *spte,
		     struct spt_bit *rows);

/* The bits of a format that spt_format.meaning is made of. */
__u64 spt_spte_meaning(const struct spt_format *format);

/* What the entry as a whole means, in one sentence; length like snprintf(). */
int spt_spte_sentence(const struct spt_format *format, const struct spt_spte *spte, char *buf,
		      size_t size);

#endif
