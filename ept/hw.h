/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second-stage entry as the hardware reads it, whatever KVM means by it:
 * EPT (SDM Vol. 3C 29.3) and NPT (APM Vol. 2 15.25, the long-mode formats).
 */
#ifndef SPT_EPT_HW_H
#define SPT_EPT_HW_H

#include "decoders/bits.h"

enum spt_hw_format { SPT_HW_EPT, SPT_HW_NPT };

/* What the meaning of an entry depends on besides itself. */
struct spt_hw {
	enum spt_hw_format format;
	__u8 maxphyaddr; /* address bits from here up are reserved; 0: none is */
	bool exec_only;	 /* EPT: X without R is allowed */
	bool mbec;	 /* EPT: bit 10 is user-execute */
	bool ve;	 /* EPT: violations can become #VE */
	__u64 c_bit;	 /* NPT: the bit that says 'encrypted', 0 none */
};

enum spt_hw_state {
	SPT_HW_NONPRESENT, /* a violation */
	SPT_HW_TABLE,
	SPT_HW_LEAF,
	SPT_HW_MALFORMED, /* EPT misconfiguration; NPT: fault with the RSVD bit */
};

struct spt_hw_entry {
	enum spt_hw_state state;
	bool read, write, exec, user_exec; /* exec: of supervisor code under MBEC */
	__u64 hpa;			   /* page or next table */
	__u64 size;			   /* bytes that the entry maps */
	int memtype;			   /* EPT leaf: as spt_memtype_name(); else -1 */
	__u64 reserved;			   /* reserved bits that are set */
	const char *malformed;		   /* why, or NULL */
};

struct spt_hw_entry spt_hw_decode(const struct spt_hw *hw, __u64 entry, int level);

/* 'nonpresent', 'table', 'leaf', 'malformed'. */
const char *spt_hw_state_name(enum spt_hw_state state);

/* Bit layout of that entry, every bit in one row; rows[SPT_BITS_MAX]; returns their number. */
size_t spt_hw_rows(const struct spt_hw *hw, __u64 entry, int level, struct spt_bit *rows);

/* Memory type by its x86 encoding: 'UC', 'WC', 'WT', 'WP', 'WB', or NULL: reserved. */
const char *spt_memtype_name(unsigned int memtype);

#endif
