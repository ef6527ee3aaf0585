/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The error code of a page fault as KVM's fault path has it: PFERR_* of
 * asm/kvm_host.h, the same in all kernels.
 */
#ifndef SPT_AGENT_PFERR_H
#define SPT_AGENT_PFERR_H

#include <linux/bits.h>

#define SPT_PFERR_WRITE		BIT_ULL(1)
#define SPT_PFERR_USER		BIT_ULL(2)
#define SPT_PFERR_RSVD		BIT_ULL(3)
#define SPT_PFERR_FETCH		BIT_ULL(4)
/* Of the address itself, or of the guest's page tables on the way to it. */
#define SPT_PFERR_GUEST_FINAL	BIT_ULL(32)
#define SPT_PFERR_GUEST_PAGE	BIT_ULL(33)

#endif
