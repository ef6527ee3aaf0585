/* SPDX-License-Identifier: GPL-2.0 */
/*
 * agent/tdx.c in a program: what it reads of a TD whose structures are in the program's memory,
 * for there is no machine with TDX to be had.
 */
#ifndef TESTS_AGENT_TDX_H
#define TESTS_AGENT_TDX_H

#include <linux/types.h>

#include "agent/spt_image.h"

/* Pages that there are; the n-th has HPA n * 4096. */
#define AGENT_TDX_PAGES 64

/* Where a field is, in bytes, with SPT_FIELD_* of the layout. */
void agent_tdx_field(unsigned int field, __u32 offset, __u32 bytes, __u32 flags);
/* No field is known, and the vendor is @vendor. */
void agent_tdx_reset(__u32 vendor);

/* What stands for the n-th page in a member that points to a struct page. */
void *agent_tdx_page(unsigned int n);

/* What is said of the VM and of a vCPU of it; freed by the caller. */
struct spt_values *agent_tdx_vm(const void *kvm);
struct spt_values *agent_tdx_vcpu(const void *kvm, const void *vcpu);

/* The next record of pages of the TD and its vCPUs after *@at, 0 at first; NULL: no more. */
const struct spt_tdx_pages *agent_tdx_pages(const void *kvm, const void *const *vcpus,
					    unsigned int count, __u64 *at);

#endif
