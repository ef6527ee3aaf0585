/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page-fault error code as KVM keeps it (PFERR_*, arch/x86/include/asm/
 * kvm_host.h): the hardware's #PF and #NPF bits, and those that KVM adds.
 */
#ifndef SPT_DECODERS_PFERR_H
#define SPT_DECODERS_PFERR_H

#include "decoders/bits.h"

enum spt_pferr {
	SPT_PFERR_PRESENT = 0, /* bit numbers */
	SPT_PFERR_WRITE = 1,
	SPT_PFERR_USER = 2,
	SPT_PFERR_RSVD = 3,
	SPT_PFERR_FETCH = 4,
	SPT_PFERR_PK = 5,
	SPT_PFERR_SS = 6,
	SPT_PFERR_SGX = 15,
	SPT_PFERR_RMP = 31,
	SPT_PFERR_GUEST_FINAL = 32,
	SPT_PFERR_GUEST_PAGE = 33,
	SPT_PFERR_GUEST_ENC = 34,
	SPT_PFERR_GUEST_SIZEM = 35,
	SPT_PFERR_GUEST_VMPL = 36,
	SPT_PFERR_IMPLICIT = 48,
	SPT_PFERR_PRIVATE = 49,
};

/* The layout as rows; every bit is in one. */
const struct spt_bit *spt_pferr_rows(size_t *n);

/* 'write to a page that is not present, by the guest's final access': length like snprintf(). */
int spt_pferr_sentence(__u64 error_code, char *buf, size_t size);

#endif
