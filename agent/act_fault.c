// SPDX-License-Identifier: GPL-2.0
/*
 * 'fault': KVM resolves an address as if a vCPU had faulted on it.
 *
 * It is KVM's own way, kvm_mmu_do_page_fault(), or where that was inlined
 * kvm_tdp_page_fault() with the struct that it would have made; on the vCPU, with
 * its root loaded. The vCPU's request to drop obsolete roots is served first, as
 * an entry to the guest would: with it pending a fault is retried for ever.
 *
 * Not with shadow paging, where what faults is a guest-virtual address, and not
 * while the vCPU runs a nested guest, whose addresses are others. Nor where a page
 * that becomes writable goes into the vCPU's dirty ring: it is entering the guest
 * that keeps that from running over, and KVM then forgets pages.
 */
#include <linux/kvm_host.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "action.h"
#include "entries.h"
#include "pferr.h"

/* How often KVM may ask for another try; it does while an invalidation is under way. */
#define SPT_FAULT_RETRIES	1000

/* RET_PF_*, as far as their numbers never changed; see spt_ret_name(). */
#define SPT_RET_PF_RETRY	1
#define SPT_RET_PF_EMULATE	2

struct spt_fault_own {
	struct spt_entries before;
	struct spt_entries after;
	u64 fault[SPT_FAULT_BYTES / sizeof(u64)];
};

struct spt_fault {
	struct spt_action *act;
	void *fault;		/* SPT_FAULT_BYTES */
	u64 gpa;
	u64 error_code;
	u64 ns;
	unsigned int retries;
	enum spt_reason reason;
	int ret;		/* RET_PF_*, or -errno */
};

/*
 * 4ececec19a09 put RET_PF_WRITE_PROTECTED before the last three; of the same series
 * is __kvm_mmu_unprotect_gfn_and_retry().
 */
static const char *spt_ret_name(int ret)
{
	static const char *const names[] = {
		"continue", "retry", "emulate", "write-protected", "invalid", "fixed", "spurious",
	};

	if (ret >= 3 && !spt_can(SPT_S_UNPROTECT_GFN_AND_RETRY))
		ret++;
	return ret >= 0 && ret < ARRAY_SIZE(names) ? names[ret] : "unknown";
}

static bool spt_nx_workaround(const struct spt_fault *f)
{
	u64 disabled = 0;
	u64 nx = 0;

	spt_load(f->act->kvm, SPT_F_KVM_DISABLE_NX_HUGE, &disabled);
	spt_load_symbol(SPT_S_NX_HUGE_PAGES, sizeof(u32), &nx);
	return nx && !disabled;
}

/* One fault, where kvm_mmu_do_page_fault() is inlined: what it does. */
static int spt_fault_struct(struct kvm_vcpu *vcpu, const struct spt_fault *f)
{
	memset(f->fault, 0, SPT_FAULT_BYTES);
	spt_store(f->fault, SPT_F_FAULT_ADDR, f->gpa);
	spt_store(f->fault, SPT_F_FAULT_ERROR_CODE, f->error_code);
	spt_store(f->fault, SPT_F_FAULT_EXEC, !!(f->error_code & SPT_PFERR_FETCH));
	spt_store(f->fault, SPT_F_FAULT_WRITE, !!(f->error_code & SPT_PFERR_WRITE));
	spt_store(f->fault, SPT_F_FAULT_USER, 1);
	spt_store(f->fault, SPT_F_FAULT_IS_TDP, 1);
	spt_store(f->fault, SPT_F_FAULT_NX_WORKAROUND, spt_nx_workaround(f));
	spt_store(f->fault, SPT_F_FAULT_MAX_LEVEL, SPT_LEVEL_1G);
	spt_store(f->fault, SPT_F_FAULT_REQ_LEVEL, SPT_LEVEL_4K);
	spt_store(f->fault, SPT_F_FAULT_GOAL_LEVEL, SPT_LEVEL_4K);
	return spt_call(tdp_page_fault)(vcpu, f->fault);
}

static int spt_fault_once(struct kvm_vcpu *vcpu, const struct spt_fault *f)
{
	u8 level;

	if (spt_can(SPT_S_MMU_DO_PAGE_FAULT))
		return spt_call(mmu_do_page_fault)(vcpu, f->gpa, f->error_code, false, NULL,
						   &level);
	return spt_fault_struct(vcpu, f);
}

/* Is the vCPU's MMU one that translates what gpa= means? */
static enum spt_reason spt_fault_wrong_mmu(struct kvm_vcpu *vcpu)
{
	const void *mmu = spt_load_pointer(vcpu, SPT_F_VCPU_MMU);
	u64 role;

	if (mmu != spt_at(vcpu, SPT_F_VCPU_ROOT_MMU))
		return SPT_WHY_NESTED;
	if (spt_load(mmu, SPT_F_MMU_ROOT_ROLE, &role) || !spt_role_field(role, SPT_F_ROLE_DIRECT))
		return SPT_WHY_MODE;
	return spt_role_field(role, SPT_F_ROLE_SMM) ? SPT_WHY_BUSY : SPT_WHY_NONE;
}

static enum spt_reason spt_fault_wrong_vcpu(const struct spt_action *act, struct kvm_vcpu *vcpu)
{
	u64 dead = 0;

	spt_load(act->kvm, SPT_F_KVM_VM_DEAD, &dead);
	return dead ? SPT_WHY_GONE : spt_fault_wrong_mmu(vcpu);
}

/* What an entry to the guest does with the root first. */
static int spt_fault_root(struct kvm_vcpu *vcpu)
{
	unsigned long *requests = (unsigned long *)spt_at(vcpu, SPT_F_VCPU_REQUESTS);
	const void *mmu = spt_load_pointer(vcpu, SPT_F_VCPU_MMU);
	u64 root;

	if (test_and_clear_bit(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS & KVM_REQUEST_MASK, requests)) {
		smp_mb__after_atomic();	/* as kvm_check_request(): what was written before it */
		spt_call(free_obsolete_roots)(vcpu);
	}
	if (spt_load(mmu, SPT_F_MMU_ROOT_HPA, &root))
		return -EFAULT;
	return root == SPT_NO_HPA ? spt_call(mmu_load)(vcpu) : 0;
}

/* kvm->srcu is held. */
static void spt_fault_resolve(struct kvm_vcpu *vcpu, struct spt_fault *f)
{
	ktime_t begun = ktime_get();

	do {
		f->ret = spt_fault_root(vcpu);
		if (f->ret)
			break;
		f->ret = spt_fault_once(vcpu, f);
		if (f->ret != SPT_RET_PF_RETRY || fatal_signal_pending(current))
			break;
		cond_resched();
	} while (++f->retries < SPT_FAULT_RETRIES);
	f->ns = ktime_to_ns(ktime_sub(ktime_get(), begun));
}

static int spt_fault_on_vcpu(struct kvm_vcpu *vcpu, void *arg)
{
	struct spt_fault *f = arg;
	struct srcu_struct *srcu = spt_kvm_srcu(f->act->kvm);
	int idx;

	f->reason = spt_fault_wrong_vcpu(f->act, vcpu);
	if (f->reason)
		return 0;
	idx = srcu_read_lock(srcu);
	/* Without a slot KVM would leave an MMIO entry. */
	if (spt_action_slot(f->act))
		spt_fault_resolve(vcpu, f);
	else
		f->reason = SPT_WHY_CHANGED;
	srcu_read_unlock(srcu, idx);
	return 0;
}

static int spt_fault_refused(struct spt_action *act, enum spt_reason reason)
{
	switch (reason) {
	case SPT_WHY_GONE:
		return spt_refuse_action(act, reason, "the VM is dead");
	case SPT_WHY_NESTED:
		return spt_refuse_action(act, reason,
					 "the vCPU runs a nested guest: its faults are of other addresses");
	case SPT_WHY_BUSY:
		return spt_refuse_action(act, reason,
					 "the vCPU is in system management mode: its slots are others");
	case SPT_WHY_CHANGED:
		return spt_refuse_action(act, reason, "the memslot is another one now");
	default:
		return spt_refuse_action(act, reason,
					 "with shadow paging a fault is one of a guest-virtual address");
	}
}

static int spt_fault_said(struct spt_action *act, const struct spt_fault *f)
{
	if (f->ret < 0)
		spt_say(act, SPT_LINE_RET, "%d", f->ret);
	else
		spt_say(act, SPT_LINE_RET, "%s", spt_ret_name(f->ret));
	spt_say(act, SPT_LINE_RETRIES, "%u", f->retries);
	spt_say(act, SPT_LINE_NS, "%llu", f->ns);
	if (f->ret < 0)
		return spt_action_over(act, SPT_RESULT_FAILED,
				       f->ret == -EFAULT ? SPT_WHY_HOST : SPT_WHY_KVM,
				       "KVM could not resolve the fault (%d)", f->ret);
	if (f->ret == SPT_RET_PF_RETRY)
		return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_BUSY,
				       "KVM asked for another try %u times", f->retries);
	if (f->ret == SPT_RET_PF_EMULATE || !strcmp(spt_ret_name(f->ret), "write-protected"))
		return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_KVM,
				       "KVM would emulate the access: the page is write-protected");
	return 0;
}

static int spt_fault_run(struct spt_action *act, struct kvm_vcpu *vcpu, u64 gfn, u32 access,
			 void *fault)
{
	struct spt_fault f = {
		.act = act,
		.fault = fault,
		.gpa = (gfn | act->target.shared_bits) << PAGE_SHIFT,
		.error_code = SPT_PFERR_GUEST_FINAL | SPT_PFERR_USER,
	};
	struct spt_vcpu_ran ran;
	int error;

	if (access & SPT_PERM_W)
		f.error_code |= SPT_PFERR_WRITE;
	if (access & SPT_PERM_X)
		f.error_code |= SPT_PFERR_FETCH;
	error = spt_vcpu_run(act, vcpu, spt_fault_on_vcpu, &f, &ran);
	if (error == -ENOMEM)
		return spt_refuse_action(act, SPT_WHY_MEMORY, "no memory");
	if (error)
		return error;
	if (f.reason)
		return spt_fault_refused(act, f.reason);
	spt_say_ran(act, &ran);
	return spt_fault_said(act, &f);
}

int spt_fault_gfn(struct spt_action *act, struct kvm_vcpu *vcpu, u64 gfn, u32 access)
{
	void *fault = kmalloc(SPT_FAULT_BYTES, GFP_KERNEL);
	int error;

	if (!fault)
		return spt_refuse_action(act, SPT_WHY_MEMORY, "no memory");
	error = spt_fault_run(act, vcpu, gfn, access, fault);
	kfree(fault);
	return error;
}

bool spt_fault_again(struct spt_action *act, u64 gfn)
{
	struct kvm_vcpu *vcpu = act->vcpu;

	if (spt_fault_can(act))
		return false;
	if (!vcpu)
		vcpu = spt_action_vcpu(act);
	return vcpu && !spt_fault_gfn(act, vcpu, gfn, SPT_PERM_R);
}

/* The functions of either way, and the MMU of the host. */
int spt_fault_can(struct spt_action *act)
{
	u64 ring = 0;

	if (spt_layout.mmu == SPT_MMU_SHADOW)
		return spt_fault_refused(act, SPT_WHY_MODE);
	spt_load(act->kvm, SPT_F_KVM_DIRTY_RING_SIZE, &ring);
	if (ring && act->target.dirty_log)
		return spt_refuse_action(act, SPT_WHY_KEPT,
					 "the slot is dirty-logged by rings, and a vCPU's may be full");
	if (!spt_can(SPT_S_MMU_LOAD) || !spt_can(SPT_S_FREE_OBSOLETE_ROOTS))
		return spt_action_needs(act, spt_can(SPT_S_MMU_LOAD) ?
					SPT_S_FREE_OBSOLETE_ROOTS : SPT_S_MMU_LOAD);
	if (spt_can(SPT_S_MMU_DO_PAGE_FAULT))
		return 0;
	if (!spt_has(SPT_F_FAULT_ADDR) || !spt_has(SPT_F_FAULT_SIZE))
		return spt_refuse_action(act, SPT_WHY_UNSUPPORTED,
					 "struct kvm_page_fault is not known");
	return spt_action_needs(act, SPT_S_TDP_PAGE_FAULT);
}

static int spt_fault_check(struct spt_action *act)
{
	struct kvm_vcpu *vcpu;
	int error;

	error = spt_target_page(act);
	if (!error)
		error = spt_fault_can(act);
	if (error)
		return error;
	vcpu = spt_action_vcpu(act);
	if (!vcpu)
		return -ECANCELED;
	act->vcpu = vcpu;
	spt_say(act, SPT_LINE_ACCESS, "%s", act->args.access == SPT_PERM_W ? "w" :
		act->args.access == SPT_PERM_X ? "x" : "r");
	if (act->args.access == SPT_PERM_W && (act->target.slot_flags & KVM_MEM_READONLY))
		return spt_refuse_action(act, SPT_WHY_READ_ONLY, "the slot is read-only");
	return 0;
}

/* As in the vCPU's context; a vCPU that runs may be elsewhere then. */
static int spt_fault_foresee(struct spt_action *act)
{
	enum spt_reason reason = spt_fault_wrong_vcpu(act, act->vcpu);

	if (reason)
		return spt_fault_refused(act, reason);
	return spt_target_may_fault_in(act, act->args.access == SPT_PERM_W);
}

static int spt_fault_act(struct spt_action *act)
{
	struct spt_fault_own *own = act->own;
	u64 gfn = act->target.gfn;
	int error;

	/* The host's page may come or change by this, and the entry with it. */
	spt_entries_read(act, gfn, &own->before);
	error = spt_target_fault_in(act, act->args.access == SPT_PERM_W);
	if (error)
		return error;
	error = spt_fault_run(act, act->vcpu, gfn, act->args.access, own->fault);
	spt_entries_read(act, gfn, &own->after);
	if (spt_say_entries(act, &own->before, &own->after))
		act->effects++;
	return error;
}

const struct spt_action_ops spt_fault_ops = {
	.room = sizeof(struct spt_fault_own),
	.check = spt_fault_check,
	.foresee = spt_fault_foresee,
	.act = spt_fault_act,
};
