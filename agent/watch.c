// SPDX-License-Identifier: GPL-2.0
/*
 * Probes in KVM and who waits for them. A probe's function walks the list of
 * watchers under RCU; most have one.
 */
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/mutex.h>
#include <linux/ptrace.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "action.h"
#include "pferr.h"
#include "watch.h"

/* How often it is seen whether the probes still come. */
#define SPT_WATCH_CHECK_MS	200

static HLIST_HEAD(spt_watchers);
static DEFINE_MUTEX(spt_watch_lock);	/* of the list's changes, and the probes */
static unsigned int spt_watch_count;
static unsigned long spt_watch_missed_before;
static bool spt_probes_came;		/* when they were tried last */

static bool spt_watches(const struct spt_watch *watch, const void *vcpu)
{
	return watch->kvm == spt_load_pointer(vcpu, SPT_F_VCPU_KVM);
}

/*
 * int kvm_mmu_page_fault(struct kvm_vcpu *, gpa_t, u64 error_code, void *insn, int insn_len)
 *
 * A write that is to come again KVM gets as a read: that is allowed where the page is mapped, and
 * maps it where it is not.
 */
static int spt_probe_fault(struct kprobe *probe, struct pt_regs *regs)
{
	struct spt_fault fault = {
		.vcpu = (struct kvm_vcpu *)regs->di,
		.address = regs->si,
		.error = regs->dx,
	};
	struct spt_watch *watch;

	rcu_read_lock();
	hlist_for_each_entry_rcu(watch, &spt_watchers, link)
		if (watch->faulted && spt_watches(watch, fault.vcpu))
			watch->faulted(watch, &fault);
	rcu_read_unlock();
	if (fault.again)
		regs->dx &= ~SPT_PFERR_WRITE;
	return 0;
}

/* void kvm_mmu_track_write(struct kvm_vcpu *, gpa_t, const u8 *new, int bytes), or the older one */
static int spt_probe_write(struct kprobe *probe, struct pt_regs *regs)
{
	struct spt_written write = {
		.vcpu = (struct kvm_vcpu *)regs->di,
		.gpa = regs->si,
		.value = (void *)regs->dx,
		.bytes = regs->cx,
	};
	struct spt_watch *watch;

	rcu_read_lock();
	hlist_for_each_entry_rcu(watch, &spt_watchers, link)
		if (watch->written && spt_watches(watch, write.vcpu))
			watch->written(watch, &write);
	rcu_read_unlock();
	return 0;
}

/* void kvm_arch_free_memslot(struct kvm *, struct kvm_memory_slot *) */
static int spt_probe_free_slot(struct kprobe *probe, struct pt_regs *regs)
{
	struct spt_watch *watch;

	rcu_read_lock();
	hlist_for_each_entry_rcu(watch, &spt_watchers, link)
		if (watch->slot_freed && watch->kvm == (const struct kvm *)regs->di)
			watch->slot_freed(watch, (const void *)regs->si);
	rcu_read_unlock();
	return 0;
}

/* trace_kvm_exit(struct kvm_vcpu *, u32 isa) */
static void spt_trace_exit(void *ignored, struct kvm_vcpu *vcpu, u32 isa)
{
	struct spt_watch *watch;

	rcu_read_lock();
	hlist_for_each_entry_rcu(watch, &spt_watchers, link)
		if (watch->exited && spt_watches(watch, vcpu))
			watch->exited(watch, vcpu);
	rcu_read_unlock();
}

/*
 * A kprobe may be registered and never be called: debugfs kprobes/enabled, kernel.ftrace_enabled.
 * One on a function of ours, which is as KVM's are, shows whether they work.
 */
static noinline void spt_probed(void)
{
	barrier();
}

/* No bool: checked by UBSAN, gcc 12 reads it as if it were not volatile, and so not at all. */
static int spt_probe_came;

static int spt_probe_comes(struct kprobe *probe, struct pt_regs *regs)
{
	WRITE_ONCE(spt_probe_came, 1);
	return 0;
}

static struct kprobe spt_own_probe = { .pre_handler = spt_probe_comes };
static struct kprobe spt_fault_probe = { .pre_handler = spt_probe_fault };
static struct kprobe spt_write_probe = { .pre_handler = spt_probe_write };
static struct kprobe spt_free_slot_probe = { .pre_handler = spt_probe_free_slot };

static const struct {
	enum spt_symbol_id symbol;
	enum spt_symbol_id older;	/* where there is no such symbol; the same parameters */
	struct kprobe *probe;
	void (*own)(void);		/* where it is none of KVM's */
} spt_probes[] = {
	{ SPT_S_MMU_PAGE_FAULT, SPT_S_MMU_PAGE_FAULT, &spt_fault_probe },
	{ SPT_S_MMU_TRACK_WRITE, SPT_S_PAGE_TRACK_WRITE, &spt_write_probe },
	{ SPT_S_FREE_MEMSLOT, SPT_S_FREE_MEMSLOT, &spt_free_slot_probe },
	{ .probe = &spt_own_probe, .own = spt_probed },
};

/* A kprobe remembers where it was; it is made anew for every registration. */
static int spt_probe_enable(unsigned int i)
{
	struct kprobe *probe = spt_probes[i].probe;
	kprobe_pre_handler_t handler = probe->pre_handler;

	memset(probe, 0, sizeof(*probe));
	probe->pre_handler = handler;
	if (spt_probes[i].own)
		probe->addr = (kprobe_opcode_t *)spt_probes[i].own;
	else
		probe->addr = (kprobe_opcode_t *)(spt_layout.symbol[spt_probes[i].symbol] ?:
						  spt_layout.symbol[spt_probes[i].older]);
	return probe->addr ? register_kprobe(probe) : -ENOENT;
}

/* The first @count of them. */
static void spt_probes_remove(unsigned int count)
{
	struct kprobe *probes[ARRAY_SIZE(spt_probes)];
	unsigned int i;

	for (i = 0; i < count; i++)
		probes[i] = spt_probes[i].probe;
	/* All of them, for one wait until nobody is in one any more. */
	unregister_kprobes(probes, count);
	for (i = 0; i < count; i++)
		spt_watch_missed_before += probes[i]->nmissed;
}

static bool spt_probes_work(void)
{
	WRITE_ONCE(spt_probe_came, 0);
	spt_probed();
	return READ_ONCE(spt_probe_came);
}

static int spt_probes_enable(void)
{
	unsigned int count;
	int error = 0;

	for (count = 0; count < ARRAY_SIZE(spt_probes); count++) {
		error = spt_probe_enable(count);
		if (error)
			break;
	}
	spt_probes_came = !error && spt_probes_work();
	if (!error && !spt_probes_came)
		error = -EOPNOTSUPP;
	if (!error)
		error = tracepoint_probe_register(&__tracepoint_kvm_exit, spt_trace_exit, NULL);
	if (error)
		spt_probes_remove(count);
	return error;
}

static void spt_probes_disable(void)
{
	tracepoint_probe_unregister(&__tracepoint_kvm_exit, spt_trace_exit, NULL);
	tracepoint_synchronize_unregister();
	spt_probes_remove(ARRAY_SIZE(spt_probes));
}

/* Nobody is told when probes are turned off. Twice in a row: ours may be being rewritten. */
static void spt_watch_check(struct work_struct *work)
{
	struct spt_watch *watch;
	bool came_before;

	mutex_lock(&spt_watch_lock);
	if (spt_watch_count) {
		came_before = spt_probes_came;
		spt_probes_came = spt_probes_work();
		if (!spt_probes_came && !came_before)
			hlist_for_each_entry(watch, &spt_watchers, link)
				if (watch->deaf)
					watch->deaf(watch);
		queue_delayed_work(spt_action_wq, to_delayed_work(work),
				   msecs_to_jiffies(SPT_WATCH_CHECK_MS));
	}
	mutex_unlock(&spt_watch_lock);
}

static DECLARE_DELAYED_WORK(spt_watch_check_work, spt_watch_check);

void spt_watch_end(void)
{
	cancel_delayed_work_sync(&spt_watch_check_work);
}

int spt_watch_add(struct spt_watch *watch)
{
	int error = 0;

	mutex_lock(&spt_watch_lock);
	if (!spt_watch_count)
		error = spt_probes_enable();
	if (!error) {
		queue_delayed_work(spt_action_wq, &spt_watch_check_work,
				   msecs_to_jiffies(SPT_WATCH_CHECK_MS));
		spt_watch_count++;
		hlist_add_head_rcu(&watch->link, &spt_watchers);
	}
	mutex_unlock(&spt_watch_lock);
	return error;
}

void spt_watch_remove(struct spt_watch *watch)
{
	if (hlist_unhashed(&watch->link))
		return;
	mutex_lock(&spt_watch_lock);
	hlist_del_init_rcu(&watch->link);
	if (!--spt_watch_count)
		spt_probes_disable();
	mutex_unlock(&spt_watch_lock);
	synchronize_rcu();
}

unsigned long spt_watch_missed(void)
{
	unsigned long missed;
	unsigned int i;

	mutex_lock(&spt_watch_lock);
	missed = spt_watch_missed_before;
	for (i = 0; i < ARRAY_SIZE(spt_probes) && spt_watch_count; i++)
		missed += spt_probes[i].probe->nmissed;
	mutex_unlock(&spt_watch_lock);
	return missed;
}
