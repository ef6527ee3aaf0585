/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The EPT pointer, SDM Vol. 3C 25.6.11: which table the hardware walks, and how.
 */
#ifndef SPT_EPT_EPTP_H
#define SPT_EPT_EPTP_H

#include "decoders/bits.h"

struct spt_eptp {
	__u64 root;	      /* HPA of the top table */
	int levels;	      /* 4 or 5; another number: the CPU refuses it */
	unsigned int memtype; /* of the tables: 6 WB or 0 UC */
	bool accessed_dirty;  /* A and D bits are kept */
	bool supervisor_shadow_stack;
	__u64 reserved;	     /* reserved bits that are set */
	const char *invalid; /* why VM entry would fail, or NULL */
};

/* maxphyaddr 0: no address bit counts as reserved. */
struct spt_eptp spt_eptp_decode(__u64 eptp, unsigned int maxphyaddr);

/* What KVM's construct_eptp() makes of a root: write-back, 4 or 5 levels. */
__u64 spt_eptp_compose(__u64 root_hpa, int levels, bool accessed_dirty);

/* Bit layout, every bit in one row; rows[SPT_BITS_MAX]; returns their number. */
size_t spt_eptp_rows(unsigned int maxphyaddr, struct spt_bit *rows);

#endif
