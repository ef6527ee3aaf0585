/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finding VMs and keeping them: the vendor module first, then kvm_lock, then
 * the VM; dropped the other way round, the VM with no lock held.
 */
#ifndef SPT_AGENT_VM_H
#define SPT_AGENT_VM_H

#include <linux/types.h>

#include "layout.h"

struct kvm;
struct mm_struct;
struct module;

/* More VMs than this are not looked at; a bound for a walk of a broken list. */
#define SPT_VMS_MAX	16384

struct spt_vm_id {
	struct kvm *kvm;
	struct mm_struct *mm;
	s32 pid;		/* of the thread that created it */
	s32 fd;
	char name[32];		/* PID-FD, as KVM's debugfs names it */
};

struct spt_vms {
	unsigned int count;
	unsigned int room;
	struct spt_vm_id *vm;
};

/*
 * The vendor module that KVM runs with, referenced, or NULL. KVM still names one that was
 * unloaded, and that memory is gone: only while spt_layout_drop() cannot pass, between
 * spt_layout_enter() and spt_layout_leave(), or in spt_layout_hold_vendor().
 */
struct module *spt_vendor_get(void);
void spt_vendor_put(struct module *vendor);

/*
 * Every VM, referenced; the caller holds the vendor module and ends with
 * spt_vms_put(), no lock held. With @why, the first object that does not look
 * like a VM refuses the whole list; without, such an object is left out.
 */
int spt_vms_get(struct spt_vms *vms, struct spt_refusal *why);
void spt_vms_put(struct spt_vms *vms);

/* Is the VM @id still the one in vm_list? Takes a reference; -ENXIO: it is gone. */
int spt_vm_get(const struct spt_vm_id *id);
void spt_vm_put(struct kvm *kvm);

/* Are the VM's direct tables the TDP MMU's? If not, its tdp_mmu_roots may never be set up. */
bool spt_vm_tdp_mmu(const struct kvm *kvm);

/* Is the guest's memory encrypted (SEV)? What the VMM has mapped is ciphertext then. */
bool spt_vm_encrypted(const struct kvm *kvm);

/* Thread group and name of the VMM; @pid stays and @comm is empty when it is gone. */
void spt_vm_owner(const struct spt_vm_id *id, s32 *pid, char comm[16]);

#endif
