// SPDX-License-Identifier: GPL-2.0
/*
 * trap: the page-level watchpoint. The page's entry is taken away, or its
 * permission to write, and a probe in KVM's fault handler sees who comes first;
 * KVM then maps it as it always does. Once the vCPU has gone on, the entry is
 * taken away again, until as many accesses were seen as were asked for.
 *
 *	armed	the entry is missing (or read-only, for writes): the next access
 *		that faults is a hit
 *	waiting	KVM resolves the fault; armed again when the vCPU was seen
 *		elsewhere, or one access would be seen again and again
 *
 * Between a hit and the next arming accesses pass unseen. What was fetched from
 * the VMM's own mapping, by emulation or by a device is never seen. Mapped 4K as
 * long as it lasts, or everything within 2M would count.
 *
 * Without the TDP MMU a fault maps its neighbours, too: after the fault of another
 * page the armed entry is looked at by the vCPU that faulted, on its way back to the
 * guest, and taken away once more if need be. Another vCPU may be quicker.
 */
#include <linux/kvm_host.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/task_work.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "entries.h"
#include "guest_code.h"
#include "memslots.h"
#include "pferr.h"
#include "small.h"
#include "vcpu.h"

/* vCPUs whose accesses are kept between two looks. */
#define SPT_TRAP_HITS		16
/* How long a vCPU may take to go on after its fault, before the trap is armed anyway. */
#define SPT_TRAP_UNMOVED_MS	100
/* How often an armed entry is looked at: KVM may map it unasked, next to another page's fault. */
#define SPT_TRAP_LOOK_MS	10
/* How long a vCPU's thread may take to come by, before its work is taken back. */
#define SPT_TRAP_COME_MS	250

struct spt_trap_hit {
	const void *vcpu;
	struct spt_guest_at at;
	u64 gpa;
	u64 gva;
	u64 error;
	u64 root_hpa;
	u32 vcpu_id;
	u32 access;
	bool gva_known;
	u8 insn_len;
	u8 insn[SPT_INSN_MAX];
};

struct spt_trap {
	struct spt_action *act;
	struct spt_watch watch;
	struct spt_small small;
	struct delayed_work work;
	struct irq_work nudge;		/* has the work begin, as soon as a probe wants it */
	bool neighbours;		/* KVM maps what is beside a page that faults */
	atomic_t looking;		/* 1: look_work is queued in looker */
	struct task_struct *looker;
	struct callback_head look_work;
	struct spt_entries looked;	/* look_work's alone */
	bool by_write;			/* the entry is made read-only */
	bool ended;
	spinlock_t lock;		/* of all below */
	bool armed;
	bool waiting;
	bool moved;			/* who is waited for was seen elsewhere */
	bool unmoved;			/* armed though not: the next fault is the same access */
	const void *vcpu;		/* who is waited for, and where it was */
	u64 rip;
	unsigned long since;		/* jiffies */
	unsigned int hits;
	struct spt_trap_hit hit[SPT_TRAP_HITS];
	/* the worker's alone */
	struct spt_trap_hit taken[SPT_TRAP_HITS];
	struct spt_entries before;
	struct spt_entries after;
	u32 seen;
};

static u32 spt_trap_access(u64 error)
{
	if (error & SPT_PFERR_FETCH)
		return SPT_PERM_X;
	return error & SPT_PFERR_WRITE ? SPT_PERM_W : SPT_PERM_R;
}

static bool spt_trap_wanted(const struct spt_trap *trap, u32 access)
{
	const struct spt_action_args *args = &trap->act->args;

	return !(args->given & SPT_KEY_BIT(ACCESS)) || args->access == access;
}

/*
 * What faulted, if it is the page's. A nested guest's addresses are its own
 * hypervisor's; with shadow paging they are linear, and the guest's tables say
 * what they mean.
 */
static bool spt_trap_meant(struct spt_trap *trap, const struct spt_fault *fault,
			   struct spt_trap_hit *hit)
{
	const struct spt_field *direct = &spt_layout.field[SPT_F_ROLE_DIRECT];
	const void *mmu = spt_load_pointer(fault->vcpu, SPT_F_VCPU_MMU);
	u64 role;

	if ((fault->error & SPT_PFERR_RSVD) || !mmu ||
	    mmu == spt_at(fault->vcpu, SPT_F_VCPU_GUEST_MMU) ||
	    spt_load(mmu, SPT_F_MMU_ROOT_ROLE, &role))
		return false;
	spt_load(mmu, SPT_F_MMU_ROOT_HPA, &hit->root_hpa);
	if ((role >> direct->shift) & direct->mask) {
		hit->gpa = fault->address & ~(trap->act->target.shared_bits << PAGE_SHIFT);
		if (hit->gpa >> PAGE_SHIFT != trap->act->target.gfn)
			return false;
		if (!spt_guest_at(fault->vcpu, &hit->at))
			return false;
	} else {
		if (!spt_guest_at(fault->vcpu, &hit->at) ||
		    spt_guest_translate(fault->vcpu, &hit->at, fault->address, &hit->gpa) ||
		    hit->gpa >> PAGE_SHIFT != trap->act->target.gfn)
			return false;
		hit->gva = fault->address;
		hit->gva_known = true;
	}
	return true;
}

static void spt_trap_describe(const struct spt_fault *fault, struct spt_trap_hit *hit)
{
	u64 id = 0;

	spt_load(fault->vcpu, SPT_F_VCPU_ID, &id);
	hit->vcpu = fault->vcpu;
	hit->vcpu_id = id;
	hit->error = fault->error;
	hit->access = spt_trap_access(fault->error);
	/* A fetch is at RIP, unless it is of the guest's tables on the way there. */
	if (hit->access == SPT_PERM_X && !(fault->error & SPT_PFERR_GUEST_PAGE) && hit->at.bits) {
		hit->gva = (hit->at.linear & PAGE_MASK) | (hit->gpa & ~PAGE_MASK);
		hit->gva_known = true;
	}
	if (!hit->gva_known && spt_layout.mmu == SPT_MMU_EPT)
		hit->gva_known = spt_vmcs_faulted_at(&hit->gva);
	hit->insn_len = spt_guest_code(fault->vcpu, &hit->at, hit->insn);
}

/* The same access again, because KVM had to try again. The lock is held. */
static bool spt_trap_again(struct spt_trap *trap, const struct spt_trap_hit *hit)
{
	unsigned int i;

	if ((trap->waiting || trap->unmoved) && trap->vcpu == hit->vcpu &&
	    trap->rip == hit->at.rip)
		return true;
	for (i = 0; i < trap->hits; i++)
		if (trap->hit[i].vcpu == hit->vcpu && trap->hit[i].at.rip == hit->at.rip)
			return true;
	return false;
}

static void spt_trap_look_work(struct callback_head *head);

/* In the vCPU's thread, before KVM looks at the fault of another page. */
static void spt_trap_neighbour(struct spt_trap *trap)
{
	if (!trap->neighbours || !READ_ONCE(trap->armed) || atomic_xchg(&trap->looking, 1))
		return;
	trap->looker = current;
	init_task_work(&trap->look_work, spt_trap_look_work);
	if (task_work_add(current, &trap->look_work, TWA_RESUME))
		atomic_set(&trap->looking, 0);
}

/* In the vCPU's thread, before KVM looks at the fault. */
static void spt_trap_faulted(struct spt_watch *watch, struct spt_fault *fault)
{
	struct spt_trap *trap = container_of(watch, struct spt_trap, watch);
	struct spt_trap_hit hit = { };
	unsigned long flags;

	if (!READ_ONCE(trap->armed) && !READ_ONCE(trap->waiting))
		return;
	if (!spt_trap_meant(trap, fault, &hit)) {
		spt_trap_neighbour(trap);
		return;
	}
	spt_trap_describe(fault, &hit);
	spt_probe_lock(&trap->lock, &flags);
	if (trap->armed || trap->waiting) {
		if (!spt_trap_again(trap, &hit) && spt_trap_wanted(trap, hit.access) &&
		    trap->hits < SPT_TRAP_HITS)
			trap->hit[trap->hits++] = hit;
		if (!trap->waiting) {
			trap->waiting = true;
			trap->vcpu = hit.vcpu;
			trap->rip = hit.at.rip;
			trap->since = jiffies;
			/* A read maps it, and lets writes pass: as soon as possible again. */
			trap->moved = trap->by_write && hit.access != SPT_PERM_W;
		}
		trap->unmoved = false;
		trap->armed = false;
	}
	spin_unlock_irqrestore(&trap->lock, flags);
	irq_work_queue(&trap->nudge);
}

static void spt_trap_nudge(struct irq_work *work)
{
	struct spt_trap *trap = container_of(work, struct spt_trap, nudge);

	mod_delayed_work(spt_action_wq, &trap->work,
			 READ_ONCE(trap->moved) ? 0 : msecs_to_jiffies(SPT_TRAP_UNMOVED_MS));
}

/* In the vCPU's thread, after its next exit from the guest. */
static void spt_trap_exited(struct spt_watch *watch, struct kvm_vcpu *vcpu)
{
	struct spt_trap *trap = container_of(watch, struct spt_trap, watch);
	unsigned long flags;
	bool moved = false;
	u64 rip;

	if (!READ_ONCE(trap->waiting) || READ_ONCE(trap->vcpu) != vcpu ||
	    !spt_guest_rip(vcpu, &rip))
		return;
	spt_probe_lock(&trap->lock, &flags);
	if (trap->waiting && !trap->moved && trap->vcpu == vcpu && trap->rip != rip) {
		trap->moved = true;
		moved = true;
	}
	spin_unlock_irqrestore(&trap->lock, flags);
	if (moved)
		irq_work_queue(&trap->nudge);
}

static void spt_trap_deaf(struct spt_watch *watch)
{
	struct spt_trap *trap = container_of(watch, struct spt_trap, watch);

	spt_action_give_up(trap->act, SPT_WHY_UNSUPPORTED, SPT_WATCH_DEAF);
}

/* The entries as they are, and whether one lets pass what is waited for. */
static bool spt_trap_open(struct spt_trap *trap, struct spt_entries *entries)
{
	unsigned int i;

	spt_entries_read(trap->act, trap->act->target.gfn, entries);
	for (i = 0; i < entries->count; i++)
		if (entries->at[i].present && entries->at[i].leaf && !entries->at[i].mirror &&
		    (!trap->by_write || (spt_entry_perm(entries->at[i].spte) & SPT_PERM_W)))
			return true;
	return false;
}

/*
 * Takes the entry away, or its permission to write, and reads what is left; a process
 * context. False: another slot.
 */
static bool spt_trap_arm(struct spt_trap *trap, struct spt_entries *left)
{
	struct spt_action *act = trap->act;
	struct mutex *slots_lock = spt_kvm_slots_lock(act->kvm);
	u64 gfn = act->target.gfn;
	unsigned long flags;
	const void *slot;

	mutex_lock(slots_lock);
	slot = spt_action_slot(act);
	if (slot) {
		write_lock(spt_kvm_mmu_lock(act->kvm));
		spin_lock_irqsave(&trap->lock, flags);
		trap->unmoved = trap->waiting && !trap->moved;
		trap->waiting = false;
		trap->armed = true;
		spin_unlock_irqrestore(&trap->lock, flags);
		if (!trap->by_write)
			spt_unmap_gfns(act->kvm, slot, gfn, gfn + 1);
		else if (!spt_mirror_maps(act->kvm, gfn) &&
			 spt_call(slot_gfn_write_protect)(act->kvm, slot, gfn, SPT_LEVEL_4K))
			spt_call(flush_remote_tlbs)(act->kvm);
		write_unlock(spt_kvm_mmu_lock(act->kvm));
	}
	mutex_unlock(slots_lock);
	spt_entries_read(act, gfn, left);
	return slot;
}

/* In a vCPU's thread, before it enters the guest, or at its end. */
static void spt_trap_look_work(struct callback_head *head)
{
	struct spt_trap *trap = container_of(head, struct spt_trap, look_work);

	if (!(current->flags & PF_EXITING) && !READ_ONCE(trap->ended) &&
	    READ_ONCE(trap->armed) && spt_trap_open(trap, &trap->looked))
		spt_trap_arm(trap, &trap->looked);
	atomic_set(&trap->looking, 0);
	/* An address is all that is needed of it: it may be gone by now. */
	wake_up_var(&trap->looking);
}

static const struct spt_entry *spt_trap_entry(const struct spt_entries *entries, u64 root_hpa)
{
	unsigned int i;

	for (i = 0; i < entries->count; i++)
		if (entries->at[i].root_hpa == root_hpa)
			return &entries->at[i];
	return entries->count ? &entries->at[0] : NULL;
}

static void spt_trap_tell(struct spt_trap *trap, const struct spt_trap_hit *hit)
{
	const struct spt_entry *before = spt_trap_entry(&trap->before, hit->root_hpa);
	const struct spt_entry *after = spt_trap_entry(&trap->after, hit->root_hpa);
	char gva[32] = "";
	char insn[48] = "";
	char entry[160] = "";
	size_t len = 0;

	if (hit->gva_known)
		scnprintf(gva, sizeof(gva), " gva=%#018llx", hit->gva);
	if (hit->insn_len)
		scnprintf(insn, sizeof(insn), " insn=%*phN bits=%u", hit->insn_len, hit->insn,
			  hit->at.bits);
	if (after)
		len = scnprintf(entry, sizeof(entry), " root=%#018llx kind=%s", hit->root_hpa,
				after->root_hpa == SPT_NO_HPA ? "shadow" : "direct");
	if (before)
		len += scnprintf(entry + len, sizeof(entry) - len,
				 " level-before=%u before=%#018llx", before->level, before->spte);
	if (after)
		scnprintf(entry + len, sizeof(entry) - len, " level-after=%u after=%#018llx",
			  after->level, after->spte);
	spt_say_hit(trap->act,
		    "seq=%u vcpu=%u rip=%#018llx gpa=%#018llx%s access=%c error=%#llx%s%s",
		    ++trap->seen, hit->vcpu_id, hit->at.rip, hit->gpa, gva,
		    hit->access == SPT_PERM_X ? 'x' : hit->access == SPT_PERM_W ? 'w' : 'r',
		    hit->error, insn, entry);
}

/* Hits whose vCPU has gone on, or has had its time; moves them to 'taken'. */
static bool spt_trap_take(struct spt_trap *trap, unsigned int *hits)
{
	unsigned long flags;
	bool ready;

	spin_lock_irqsave(&trap->lock, flags);
	ready = trap->waiting &&
		(trap->moved ||
		 time_after_eq(jiffies, trap->since + msecs_to_jiffies(SPT_TRAP_UNMOVED_MS)));
	*hits = ready ? trap->hits : 0;
	memcpy(trap->taken, trap->hit, *hits * sizeof(*trap->hit));
	if (ready)
		trap->hits = 0;
	spin_unlock_irqrestore(&trap->lock, flags);
	return ready;
}

/* What the worker does; true: it is to come again. */
static bool spt_trap_look(struct spt_trap *trap)
{
	struct spt_action *act = trap->act;
	unsigned int hits;
	unsigned int i;
	bool ready;

	ready = spt_trap_take(trap, &hits);
	if (hits)
		spt_trap_open(trap, &trap->after);
	for (i = 0; i < hits && trap->seen < act->args.count; i++)
		spt_trap_tell(trap, &trap->taken[i]);
	act->effects = trap->seen;
	if (trap->seen >= act->args.count) {
		spt_action_enough(act);
		return false;
	}
	if (!atomic_read(&act->acted->id.mm->mm_users)) {
		spt_action_give_up(act, SPT_WHY_GONE, "the VMM has left");
		return false;
	}
	if ((ready || (READ_ONCE(trap->armed) && spt_trap_open(trap, &trap->after))) &&
	    !spt_trap_arm(trap, &trap->before)) {
		spt_action_give_up(act, SPT_WHY_CHANGED, "the memslot is another one now");
		return false;
	}
	return true;
}

static void spt_trap_work(struct work_struct *work)
{
	struct spt_trap *trap = container_of(to_delayed_work(work), struct spt_trap, work);

	if (!READ_ONCE(trap->ended) && spt_trap_look(trap))
		queue_delayed_work(spt_action_wq, &trap->work,
				   msecs_to_jiffies(SPT_TRAP_LOOK_MS));
}

static int spt_trap_check(struct spt_action *act)
{
	int error;

	error = spt_small_needs(act);
	if (!error)
		error = spt_action_needs(act, SPT_S_SLOT_GFN_WRITE_PROTECT);
	if (!error)
		error = spt_action_needs(act, SPT_S_TASK_WORK_CANCEL_MATCH);
	if (!error)
		error = spt_target_page(act);
	if (!error && spt_vm_protected(act->kvm))
		error = spt_refuse_action(act, SPT_WHY_PRIVATE,
					  "the registers of the guest's vCPUs are private to it");
	return error;
}

static bool spt_trap_is_look(struct callback_head *head, void *trap)
{
	return head == &((struct spt_trap *)trap)->look_work;
}

/*
 * A thread that waits for memory, perhaps for as long as a migration lasts, does not come by: its
 * work is taken back. Until that has run the thread has not exited, and RCU keeps it for longer.
 */
static void spt_trap_take_back(struct spt_trap *trap)
{
	rcu_read_lock();
	if (atomic_read(&trap->looking) &&
	    spt_call(task_work_cancel_match)(trap->looker, spt_trap_is_look, trap))
		atomic_set(&trap->looking, 0);
	rcu_read_unlock();
}

/* No probe is in our functions after this, and no work is queued. */
static void spt_trap_unwatch(struct spt_trap *trap)
{
	spt_watch_remove(&trap->watch);
	irq_work_sync(&trap->nudge);
	WRITE_ONCE(trap->ended, true);
	cancel_delayed_work_sync(&trap->work);
	while (!wait_var_event_timeout(&trap->looking, !atomic_read(&trap->looking),
				       msecs_to_jiffies(SPT_TRAP_COME_MS)))
		spt_trap_take_back(trap);
}

static int spt_trap_act(struct spt_action *act)
{
	struct spt_trap *trap = act->own;
	int error;

	trap->act = act;
	trap->neighbours = !spt_vm_tdp_mmu(act->kvm);
	trap->by_write = (act->args.given & SPT_KEY_BIT(ACCESS)) && act->args.access == SPT_PERM_W;
	spin_lock_init(&trap->lock);
	init_irq_work(&trap->nudge, spt_trap_nudge);
	INIT_DELAYED_WORK(&trap->work, spt_trap_work);
	error = spt_small_hold(act, act->target.gfn, &trap->small);
	if (error)
		return error;
	/* What is not mapped cannot be read-only. */
	spt_entries_read(act, act->target.gfn, &trap->after);
	if (trap->by_write && !spt_entries_mapped(&trap->after))
		spt_fault_again(act, act->target.gfn);
	trap->watch.kvm = act->kvm;
	trap->watch.faulted = spt_trap_faulted;
	trap->watch.exited = spt_trap_exited;
	trap->watch.deaf = spt_trap_deaf;
	error = spt_action_watch(act, &trap->watch);
	if (!error && !spt_trap_arm(trap, &trap->before))
		error = spt_refuse_action(act, SPT_WHY_CHANGED, "the memslot is another one now");
	if (error) {
		spt_trap_unwatch(trap);
		spt_small_release(&trap->small, trap->small.was_huge);
		return error;
	}
	queue_delayed_work(spt_action_wq, &trap->work, msecs_to_jiffies(SPT_TRAP_LOOK_MS));
	return 0;
}

/* Disarms. KVM maps the page by itself when it is touched; huge, if it was. */
static void spt_trap_end(struct spt_action *act)
{
	struct spt_trap *trap = act->own;

	spt_trap_unwatch(trap);
	spt_small_release(&trap->small, trap->small.was_huge);
}

const struct spt_action_ops spt_trap_ops = {
	.room = sizeof(struct spt_trap),
	.check = spt_trap_check,
	.foresee = spt_small_foresee,
	.act = spt_trap_act,
	.end = spt_trap_end,
};
