/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The exit qualification of an EPT violation, SDM Vol. 3C table 28-7, and how
 * KVM turns it into a page-fault error code.
 */
#ifndef SPT_EPT_EXIT_QUAL_H
#define SPT_EPT_EXIT_QUAL_H

#include "decoders/bits.h"

/* The layout as rows; every bit is in one. */
const struct spt_bit *spt_exit_qual_rows(size_t *n);

/* 'write to GPA mapped r-x': length like snprintf(). */
int spt_exit_qual_sentence(__u64 qualification, char *buf, size_t size);

/*
 * The error code that KVM makes of it (__vmx_handle_ept_violation()) for a VM
 * without private memory and without MBEC. Older kernels set U for every read,
 * newer ones (role.access of 4 bits) take it from the linear address.
 */
__u64 spt_exit_qual_pferr(__u64 qualification, bool user_from_gva);

#endif
