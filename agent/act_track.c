// SPDX-License-Identifier: GPL-2.0
/*
 * track: every write of the guest to some pages is seen, by KVM's own write
 * tracking: it maps them read-only and emulates who writes. Until it is undone,
 * with a count of the writes, or as long as somebody listens, with each write.
 *
 * Two things must not happen on a page that is tracked. An instruction writes there
 * that KVM cannot emulate: it stops the guest. And the processor writes there itself,
 * to the guest's page tables, or what an interrupt pushes on a stack: KVM emulates
 * the instruction at RIP, which has not faulted; later kernels stop the guest. So
 * tracking ends by itself then, and until it has the vCPU tries again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kthread.h>
#include <linux/kvm_host.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "guest_code.h"
#include "memslots.h"
#include "pferr.h"
#include "small.h"
#include "vcpu.h"

/* A write that the processor made to a page table of the guest */
#define SPT_PFERR_TABLE_WRITE	(SPT_PFERR_GUEST_PAGE | SPT_PFERR_WRITE)

/* enum kvm_page_track_mode of the kernels that have it */
#define SPT_PAGE_TRACK_WRITE	0

/* More pages than this are not tracked by one action. */
#define SPT_TRACK_PAGES_MAX	65536

struct spt_track {
	struct spt_watch watch;
	struct irq_work nudge;		/* has end_work begin */
	struct work_struct end_work;	/* ends what had better not be tracked */
	struct work_struct enable;	/* where mm is the VMM's */
	int enable_error;
	const struct spt_acted *acted;	/* whose reference the control file has, or the record */
	struct spt_action *act;		/* who listens, or NULL */
	const void *counts;		/* gfn_write_track of the slot */
	u64 gfn;
	u64 npages;
	u64 added;			/* pages from gfn on that are tracked */
	u64 wanted;			/* writes, 0: all */
	u16 as_id;
	bool was_huge;
	bool lost;			/* the slot went, and its counts */
	const char *unfit;		/* why it had better not be: end_work is queued */
	bool deaf;			/* that is because probes come no more */
	bool over;			/* what was added is removed */
	atomic64_t writes;
};

struct spt_track_own {
	struct spt_entries before;
	struct spt_entries after;
	struct spt_track track;		/* if somebody listens */
};

/* Which of the two interfaces this kernel has: by gfn since 96316a06700f. */
static bool spt_track_by_gfn(void)
{
	return spt_can(SPT_S_WRITE_TRACK_ADD_GFN) && spt_can(SPT_S_WRITE_TRACK_REMOVE_GFN) &&
	       spt_can(SPT_S_PAGE_TRACK_REGISTER) && spt_can(SPT_S_PAGE_TRACK_UNREGISTER);
}

static int spt_track_check(struct spt_action *act)
{
	int error;

	error = spt_small_needs(act);
	if (!error && !spt_can(SPT_S_MMU_TRACK_WRITE))
		error = spt_action_needs(act, SPT_S_PAGE_TRACK_WRITE);
	if (!error && !spt_track_by_gfn()) {
		error = spt_action_needs(act, SPT_S_SLOT_PAGE_TRACK_ADD);
		if (!error)
			error = spt_action_needs(act, SPT_S_SLOT_PAGE_TRACK_REMOVE);
	}
	if (!error)
		error = spt_target_range(act);
	if (!error && (spt_vm_mirrored(act->kvm) || spt_vm_protected(act->kvm)))
		error = spt_refuse_action(act, SPT_WHY_PRIVATE,
					  "KVM would have to emulate who writes there, and the guest's code is private");
	if (!error && spt_vm_encrypted(act->kvm))
		error = spt_refuse_action(act, SPT_WHY_PRIVATE,
					  "KVM would have to emulate who writes there, and the guest's code is encrypted (SEV)");
	if (!error && act->target.npages > SPT_TRACK_PAGES_MAX)
		error = spt_refuse_action(act, SPT_WHY_LIMIT, "at most %u pages at once",
					  SPT_TRACK_PAGES_MAX);
	return error;
}

/* The slot's array of counters; NULL: it has none yet. */
static const void *spt_track_counts(const void *slot)
{
	return spt_load_pointer(slot, SPT_F_SLOT_WRITE_TRACK);
}

static u16 spt_track_count(const void *slot, u64 gfn)
{
	const u16 *counts = spt_track_counts(slot);
	u64 base = gfn;
	u16 count = 0;

	spt_load(slot, SPT_F_SLOT_BASE_GFN, &base);
	if (counts)
		spt_read(&count, &counts[gfn - base], sizeof(count));
	return count;
}

static void spt_track_slot_freed(struct spt_watch *watch, const void *slot)
{
	struct spt_track *track = container_of(watch, struct spt_track, watch);

	if (spt_track_counts(slot) == track->counts)
		WRITE_ONCE(track->lost, true);
}

static void spt_track_written(struct spt_watch *watch, const struct spt_written *write)
{
	struct spt_track *track = container_of(watch, struct spt_track, watch);
	struct spt_guest_at at;
	u8 insn[SPT_INSN_MAX];
	char code[48] = "";
	unsigned int len;
	u64 value = 0;
	u64 id = 0;
	s64 seq;

	if ((write->gpa >> PAGE_SHIFT) - track->gfn >= track->npages)
		return;
	seq = atomic64_inc_return(&track->writes);
	if (!track->act || (track->wanted && seq > track->wanted))
		return;
	if (!spt_guest_at(write->vcpu, &at))
		return;
	len = spt_guest_code(write->vcpu, &at, insn);
	if (len)
		scnprintf(code, sizeof(code), " insn=%*phN bits=%u", len, insn, at.bits);
	if (write->bytes > 0)
		spt_read(&value, write->value, min_t(size_t, write->bytes, sizeof(value)));
	spt_load(write->vcpu, SPT_F_VCPU_ID, &id);
	spt_say_hit(track->act,
		    "seq=%lld vcpu=%llu rip=%#018llx gpa=%#018llx access=w%s value=%#llx",
		    seq, id, at.rip, write->gpa, code, value);
	track->act->effects = 1;
	if (seq == track->wanted)
		spt_action_enough(track->act);
}

/* The page that faulted; the address is a GVA where the guest's own tables are shadowed. */
static bool spt_track_gfn(const struct spt_fault *fault, u64 *gfn)
{
	const struct spt_field *direct = &spt_layout.field[SPT_F_ROLE_DIRECT];
	const void *mmu = spt_load_pointer(fault->vcpu, SPT_F_VCPU_MMU);
	u64 gpa = fault->address;
	struct spt_guest_at at;
	u64 role;

	if (!mmu || mmu == spt_at(fault->vcpu, SPT_F_VCPU_GUEST_MMU) ||
	    spt_load(mmu, SPT_F_MMU_ROOT_ROLE, &role))
		return false;
	if (!((role >> direct->shift) & direct->mask) &&
	    (!spt_guest_at(fault->vcpu, &at) ||
	     spt_guest_translate(fault->vcpu, &at, fault->address, &gpa)))
		return false;
	*gfn = gpa >> PAGE_SHIFT;
	return true;
}

/* The page is tracked now, by us and perhaps by others. kvm->srcu is held. */
static bool spt_track_counts_for(const struct spt_track *track, u64 gfn)
{
	const void *slot;

	if (READ_ONCE(track->over) || gfn - track->gfn >= track->npages)
		return false;
	slot = spt_slot_of(track->watch.kvm, track->as_id, gfn);
	return slot && spt_track_count(slot, gfn);
}

/* Why KVM cannot emulate the write; NULL: it can. */
static const char *spt_track_unfit(const struct spt_fault *fault)
{
	u8 insn[SPT_INSN_MAX];
	struct spt_guest_at at;
	unsigned int len;

	if ((fault->error & SPT_PFERR_TABLE_WRITE) == SPT_PFERR_TABLE_WRITE ||
	    spt_vcpu_delivers(fault->vcpu))
		return "the processor writes there itself, to page tables or an interrupt's frame";
	if (!spt_guest_at(fault->vcpu, &at))
		return "the instruction that writes there is not known";
	len = spt_guest_code(fault->vcpu, &at, insn);
	if (!spt_guest_store_known(insn, len, at.bits, at.cet))
		return "KVM may not be able to emulate an instruction that writes there";
	return NULL;
}

/* In the vCPU's thread, before KVM looks at the fault. */
static void spt_track_faulted(struct spt_watch *watch, struct spt_fault *fault)
{
	struct spt_track *track = container_of(watch, struct spt_track, watch);
	const char *why;
	u64 gfn;

	if (!(fault->error & SPT_PFERR_WRITE) || !spt_track_gfn(fault, &gfn) ||
	    !spt_track_counts_for(track, gfn))
		return;
	why = spt_track_unfit(fault);
	if (!why)
		return;
	fault->again = true;
	if (!cmpxchg(&track->unfit, NULL, why))
		irq_work_queue(&track->nudge);
}

/* What KVM cannot emulate would not be seen any more, and the guest stop. */
static void spt_track_deaf(struct spt_watch *watch)
{
	struct spt_track *track = container_of(watch, struct spt_track, watch);

	if (cmpxchg(&track->unfit, NULL, SPT_WATCH_DEAF))
		return;
	track->deaf = true;
	irq_work_queue(&track->nudge);
}

static void spt_track_nudge(struct irq_work *work)
{
	struct spt_track *track = container_of(work, struct spt_track, nudge);

	queue_work(spt_action_wq, &track->end_work);
}

/* KVM allows tracking to who has the VMM's mm; a kernel thread may borrow it. */
static void spt_track_enable(struct work_struct *work)
{
	struct spt_track *track = container_of(work, struct spt_track, enable);
	struct kvm *kvm = (struct kvm *)track->watch.kvm;
	struct mm_struct *mm = spt_load_pointer(kvm, SPT_F_KVM_MM);
	struct srcu_struct *srcu = spt_kvm_srcu(kvm);
	/* A struct kvm_page_track_notifier_node without functions: KVM has to make its counters. */
	u64 node[8] = { };
	int idx;

	kthread_use_mm(mm);
	/* It goes through all slots, under a lock that does not keep them. */
	idx = srcu_read_lock(srcu);
	track->enable_error = spt_call(page_track_register)(kvm, node);
	srcu_read_unlock(srcu, idx);
	if (!track->enable_error)
		spt_call(page_track_unregister)(kvm, node);
	kthread_unuse_mm(mm);
}

/* slots_lock is held. */
static int spt_track_add(struct kvm *kvm, const void *slot, u64 gfn)
{
	if (spt_track_by_gfn())
		return spt_call(write_track_add_gfn)(kvm, gfn);
	write_lock(spt_kvm_mmu_lock(kvm));
	spt_call(slot_page_track_add)(kvm, slot, gfn, SPT_PAGE_TRACK_WRITE);
	write_unlock(spt_kvm_mmu_lock(kvm));
	return 0;
}

static void spt_track_remove(struct kvm *kvm, const void *slot, u64 gfn)
{
	if (spt_track_by_gfn()) {
		spt_call(write_track_remove_gfn)(kvm, gfn);
		return;
	}
	write_lock(spt_kvm_mmu_lock(kvm));
	spt_call(slot_page_track_remove)(kvm, slot, gfn, SPT_PAGE_TRACK_WRITE);
	write_unlock(spt_kvm_mmu_lock(kvm));
}

/* What was huge may be so again. slots_lock is held. */
static void spt_track_unmap(struct kvm *kvm, const void *slot, u64 first, u64 end)
{
	u64 base = 0;
	u64 npages = 0;

	spt_load(slot, SPT_F_SLOT_BASE_GFN, &base);
	spt_load(slot, SPT_F_SLOT_NPAGES, &npages);
	first = max(SPT_2M_GFN(first), base);
	end = min(SPT_2M_GFN(end - 1) + SPT_2M_PAGES, base + npages);
	for (; first < end; first = SPT_2M_GFN(first) + SPT_2M_PAGES) {
		write_lock(spt_kvm_mmu_lock(kvm));
		spt_unmap_gfns(kvm, slot, first, min(SPT_2M_GFN(first) + SPT_2M_PAGES, end));
		write_unlock(spt_kvm_mmu_lock(kvm));
		cond_resched();
	}
}

/* Exactly what was added is removed, once, and only where it still counts. */
static void spt_track_release(struct spt_track *track)
{
	struct kvm *kvm = (struct kvm *)track->watch.kvm;
	struct mutex *slots_lock = spt_kvm_slots_lock(kvm);
	const void *slot;
	bool there;
	u64 n;

	/* Who gave up waiting for the lock does not wait for it here. */
	if (!READ_ONCE(track->added))
		return;
	mutex_lock(slots_lock);
	slot = spt_slot_of(kvm, track->as_id, track->gfn);
	there = slot && !READ_ONCE(track->lost) && spt_track_counts(slot) == track->counts;
	for (n = 0; there && n < track->added; n++) {
		if (spt_track_count(slot, track->gfn + n))
			spt_track_remove(kvm, slot, track->gfn + n);
		cond_resched();
	}
	if (there && track->was_huge && track->added)
		spt_track_unmap(kvm, slot, track->gfn, track->gfn + track->added);
	if (track->added)
		WRITE_ONCE(track->over, true);
	track->added = 0;
	mutex_unlock(slots_lock);
}

static void spt_track_stop(struct spt_track *track)
{
	spt_track_release(track);	/* while the watch tells if the slot goes */
	spt_watch_remove(&track->watch);
	irq_work_sync(&track->nudge);
	cancel_work_sync(&track->end_work);
}

/* The VM is held. */
static void spt_track_let_go(struct spt_track *track)
{
	const char *why = READ_ONCE(track->unfit);

	spt_track_release(track);
	if (!READ_ONCE(track->over)) {
		/* It has yet to begin: KVM itself tracks the page. */
		WRITE_ONCE(track->unfit, NULL);
		return;
	}
	pr_notice("gpa %#llx: writes are tracked no more: %s\n", track->gfn << PAGE_SHIFT, why);
	if (track->act)
		spt_action_give_up(track->act, track->deaf ? SPT_WHY_UNSUPPORTED : SPT_WHY_KEPT,
				   why);
}

/* The guest would stand still. A record to take it back stays, and has nothing to do then. */
static void spt_track_end_unfit(struct work_struct *work)
{
	struct spt_track *track = container_of(work, struct spt_track, end_work);
	struct module *vendor;
	bool gone;

	/*
	 * A record holds neither the VM, which may have died since this was queued, nor the
	 * module whose code runs when the VM's last reference goes.
	 */
	gone = spt_layout_hold_vendor(&vendor);
	if (!gone) {
		gone = spt_acted_get_vm(track->acted);
		if (!gone) {
			spt_track_let_go(track);
			spt_vm_put((struct kvm *)track->watch.kvm);
		}
		spt_layout_release();
		spt_vendor_put(vendor);
	}
	/* Another VM may have its address before the record goes: none of its pages are meant. */
	if (gone)
		WRITE_ONCE(track->over, true);
}

static int spt_track_huge(const struct spt_entry *leaf, void *arg)
{
	return leaf->level > SPT_LEVEL_4K;
}

static int spt_track_no_counts(struct spt_action *act)
{
	return spt_refuse_action(act, SPT_WHY_KVM, "KVM keeps no counters for this slot");
}

/* slots_lock is held. */
static int spt_track_pages(struct spt_action *act, struct spt_track *track)
{
	const void *slot = spt_action_slot(act);
	int error = 0;

	if (!slot)
		return spt_refuse_action(act, SPT_WHY_CHANGED, "the memslot is another one now");
	track->counts = spt_track_counts(slot);
	if (!track->counts)
		return spt_track_no_counts(act);
	track->was_huge = spt_scan_leaves(act, track->gfn, track->gfn + track->npages,
					  spt_track_huge, NULL) > 0;
	while (track->added < track->npages && !error) {
		error = spt_track_add(act->kvm, slot, track->gfn + track->added);
		if (!error)
			track->added++;
		cond_resched();
		if (spt_action_stop(act))
			return -ECANCELED;
	}
	if (error)
		return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_KVM,
				       "kvm_write_track_add_gfn says error %d", -error);
	return 0;
}

static int spt_track_start(struct spt_action *act, struct spt_track *track)
{
	struct mutex *slots_lock = spt_kvm_slots_lock(act->kvm);
	int error;

	init_irq_work(&track->nudge, spt_track_nudge);
	INIT_WORK(&track->end_work, spt_track_end_unfit);
	INIT_WORK(&track->enable, spt_track_enable);
	if (spt_track_by_gfn()) {
		queue_work(spt_action_wq, &track->enable);
		flush_work(&track->enable);
		if (track->enable_error)
			return spt_refuse_action(act, SPT_WHY_KVM,
						 "KVM tracks no writes of this VM: error %d",
						 -track->enable_error);
	}
	error = spt_action_watch(act, &track->watch);
	if (error)
		return error;
	if (mutex_lock_killable(slots_lock))
		return spt_refuse_action(act, SPT_WHY_INTERRUPTED, "waiting for slots_lock");
	error = spt_track_pages(act, track);
	mutex_unlock(slots_lock);
	return error;
}

static int spt_track_foresee(struct spt_action *act)
{
	struct srcu_struct *srcu = spt_kvm_srcu(act->kvm);
	bool counted = true;
	const void *slot;
	int idx;

	/* Elsewhere they are made when somebody wants them. */
	if (!spt_track_by_gfn()) {
		idx = srcu_read_lock(srcu);
		slot = spt_action_slot(act);
		counted = !slot || spt_track_counts(slot);
		srcu_read_unlock(srcu, idx);
	}
	return counted ? spt_small_foresee(act) : spt_track_no_counts(act);
}

static void spt_track_init(struct spt_action *act, struct spt_track *track)
{
	track->acted = act->acted;
	track->watch.kvm = act->kvm;
	track->watch.deaf = spt_track_deaf;
	track->watch.written = spt_track_written;
	track->watch.faulted = spt_track_faulted;
	track->watch.slot_freed = spt_track_slot_freed;
	track->gfn = act->target.gfn;
	track->npages = act->target.npages;
	track->as_id = act->target.as_id;
	if (act->args.listen) {
		track->act = act;
		if (act->args.given & SPT_KEY_BIT(COUNT))
			track->wanted = act->args.count;
	}
}

static int spt_track_act(struct spt_action *act)
{
	struct spt_track_own *own = act->own;
	struct spt_track *track = &own->track;
	int error;

	if (!act->args.listen)
		track = kzalloc(sizeof(*track), GFP_KERNEL);
	if (!track)
		return spt_refuse_action(act, SPT_WHY_MEMORY, "no memory");
	spt_track_init(act, track);
	spt_entries_read(act, act->target.gfn, &own->before);
	error = spt_track_start(act, track);
	if (error) {
		spt_track_stop(track);
		if (!act->args.listen)
			kfree(track);
		return error;
	}
	spt_entries_read(act, act->target.gfn, &own->after);
	spt_say_entries(act, &own->before, &own->after);
	if (act->args.listen)
		return 0;
	act->effects++;
	act->undo->own = track;
	act->keep_undo = true;
	return 0;
}

static void spt_track_end(struct spt_action *act)
{
	struct spt_track_own *own = act->own;

	spt_track_stop(&own->track);
	spt_say(act, SPT_LINE_COUNT, "%lld", atomic64_read(&own->track.writes));
}

/* Where the slot has gone there is nothing left to take back. */
static int spt_track_undo(struct spt_undo *undo, struct spt_action *act)
{
	struct spt_track *track = undo->own;

	spt_track_stop(track);
	spt_say(act, SPT_LINE_COUNT, "%lld", atomic64_read(&track->writes));
	return 0;
}

static void spt_track_lost(struct spt_undo *undo)
{
	struct spt_track *track = undo->own;

	spt_watch_remove(&track->watch);
	irq_work_sync(&track->nudge);
	cancel_work_sync(&track->end_work);
}

const struct spt_action_ops spt_track_ops = {
	.room = sizeof(struct spt_track_own),
	.check = spt_track_check,
	.foresee = spt_track_foresee,
	.act = spt_track_act,
	.end = spt_track_end,
	.undo = spt_track_undo,
	.lost = spt_track_lost,
};
