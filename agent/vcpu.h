/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SPT_AGENT_VCPU_H
#define SPT_AGENT_VCPU_H

#include <linux/types.h>

/*
 * Reads the hardware's root from the VMCS of @vcpu: the EPTP, or the guest CR3
 * when KVM shadows. -EAGAIN: the VMCS is loaded nowhere. May sleep for an IPI.
 */
int spt_vmcs_root(const void *vcpu, u64 *root);

#endif
