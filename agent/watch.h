/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens inside KVM while an action waits for it: probes that are there
 * only as long as somebody watches, and call who watches that VM.
 */
#ifndef SPT_AGENT_WATCH_H
#define SPT_AGENT_WATCH_H

#include <linux/rculist.h>
#include <linux/tracepoint-defs.h>
#include <linux/types.h>

struct kvm;
struct kvm_vcpu;

/* kvm_mmu_page_fault(): @address is a GPA, or a GVA where KVM shadows the guest's tables. */
struct spt_fault {
	struct kvm_vcpu *vcpu;
	u64 address;
	u64 error;		/* PFERR_* */
	bool again;		/* for a watcher to set: the vCPU is to try the write again */
};

/* A write that KVM emulated, done already. @value is of kernel memory. */
struct spt_written {
	struct kvm_vcpu *vcpu;
	u64 gpa;
	const void *value;
	int bytes;
};

/*
 * One watcher of one VM; NULL for what it does not care about. All are called in
 * the vCPU's thread, on its CPU, with its state loaded and preemption disabled,
 * perhaps as in an NMI: see spt_probe_lock();
 * 'exited' may find interrupts disabled, too. slot_freed: KVM frees what hangs on
 * a slot's arch member; in any thread, perhaps under locks.
 */
struct spt_watch {
	struct hlist_node link;
	const struct kvm *kvm;
	void (*faulted)(struct spt_watch *watch, struct spt_fault *fault);
	void (*exited)(struct spt_watch *watch, struct kvm_vcpu *vcpu);
	void (*written)(struct spt_watch *watch, const struct spt_written *write);
	void (*slot_freed)(struct spt_watch *watch, const void *slot);
	/*
	 * The probes are there and come no more: somebody has turned them off. In a worker, again
	 * and again as long as it is so; spt_watch_add() and spt_watch_remove() must not be called.
	 */
	void (*deaf)(struct spt_watch *watch);
};

/* What who waited for them is told. */
#define SPT_WATCH_DEAF	"the kernel's probes were turned off"

/* KVM exports it, its trace header does not leave arch/x86/kvm. */
extern struct tracepoint __tracepoint_kvm_exit;

/* Puts the probes in if nobody watched yet. May sleep. -EOPNOTSUPP: the kernel allows none. */
int spt_watch_add(struct spt_watch *watch);
/* Nobody calls it any more when this returns. May sleep. Nothing if it was never added. */
void spt_watch_remove(struct spt_watch *watch);

/* Nobody watches any more: before the agent and its workqueue go. */
void spt_watch_end(void);

/* Times that the kernel could not call a probe, since the agent was loaded. */
unsigned long spt_watch_missed(void);

#endif
