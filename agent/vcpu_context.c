// SPDX-License-Identifier: GPL-2.0
/*
 * Where KVM wants a loaded vCPU.
 *
 * A vCPU whose mutex is free is in nobody's KVM_RUN: a thread of ours takes the
 * VM's memory and the mutex and loads it, as a vCPU's ioctl does. Else its own
 * thread is asked, by task_work: one in the guest leaves it and comes by at once,
 * one that halts must be woken (KVM_REQ_UNBLOCK makes it look and block again, the
 * guest and the VMM notice nothing). What did not come by is taken back, and both
 * ways are tried again until time is up.
 *
 * A piece of work is waited for or taken back, always: its memory is freed here.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/kvm_host.h>
#include <linux/ktime.h>
#include <linux/mmu_context.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/workqueue.h>

#include "action.h"

/* How long a running vCPU is waited for before it is woken as if it halted. */
#define SPT_RUNNING_MS		5
/* How long its thread is waited for before it is seen whether the mutex is free by now. */
#define SPT_THREAD_MS		250

struct spt_vcpu_work {
	struct callback_head in_task;
	struct work_struct in_thread;
	struct completion done;
	struct kvm_vcpu *vcpu;
	struct mm_struct *mm;
	spt_vcpu_fn fn;
	void *arg;
	ktime_t since;
	struct spt_vcpu_ran *ran;
	bool came;		/* fn was called */
	int ret;
};

static struct mutex *spt_vcpu_mutex(struct kvm_vcpu *vcpu)
{
	return (struct mutex *)spt_at(vcpu, SPT_F_VCPU_MUTEX);
}

static void spt_vcpu_here(struct spt_vcpu_work *work, enum spt_vcpu_where where)
{
	work->ran->where = where;
	work->ran->wait_ns = ktime_to_ns(ktime_sub(ktime_get(), work->since));
	work->came = true;
	work->ret = work->fn(work->vcpu, work->arg);
}

/* Loads the vCPU unless somebody runs it. current->mm is the VM's. */
static void spt_vcpu_borrow(struct spt_vcpu_work *work, enum spt_vcpu_where where)
{
	if (!mutex_trylock(spt_vcpu_mutex(work->vcpu)))
		return;
	spt_call(vcpu_load)(work->vcpu);
	spt_vcpu_here(work, where);
	spt_call(vcpu_put)(work->vcpu);
	mutex_unlock(spt_vcpu_mutex(work->vcpu));
}

/* In the vCPU's thread: in KVM_RUN, with the vCPU loaded; on its way out; or at its end. */
static void spt_vcpu_in_task(struct callback_head *head)
{
	struct spt_vcpu_work *work = container_of(head, struct spt_vcpu_work, in_task);

	if (!(current->flags & PF_EXITING) && current->mm == work->mm) {
		if (spt_call(get_running_vcpu)() == work->vcpu)
			spt_vcpu_here(work, SPT_VCPU_RUN);
		else
			spt_vcpu_borrow(work, SPT_VCPU_USER);
	}
	complete(&work->done);
}

static void spt_vcpu_in_thread(struct work_struct *head)
{
	struct spt_vcpu_work *work = container_of(head, struct spt_vcpu_work, in_thread);

	/* The caller holds the mm. */
	kthread_use_mm(work->mm);
	spt_vcpu_borrow(work, SPT_VCPU_THREAD);
	kthread_unuse_mm(work->mm);
	complete(&work->done);
}

/* The thread that ran it last, referenced; NULL: none yet, or it has exited. */
static struct task_struct *spt_vcpu_task(struct kvm_vcpu *vcpu)
{
	rwlock_t *lock = (rwlock_t *)spt_at(vcpu, SPT_F_VCPU_PID_LOCK);
	struct task_struct *task;

	if (spt_has(SPT_F_VCPU_PID_LOCK)) {
		read_lock(lock);
		task = get_pid_task(spt_load_pointer(vcpu, SPT_F_VCPU_PID), PIDTYPE_PID);
		read_unlock(lock);
	} else {
		rcu_read_lock();
		task = get_pid_task(spt_load_pointer(vcpu, SPT_F_VCPU_PID), PIDTYPE_PID);
		rcu_read_unlock();
	}
	return task;
}

/* Out of its halt, to look around. */
static void spt_vcpu_unblock(struct kvm_vcpu *vcpu)
{
	unsigned long *requests = (unsigned long *)spt_at(vcpu, SPT_F_VCPU_REQUESTS);

	/* As kvm_make_request() does: what was written before is seen by who sees the bit. */
	smp_wmb();
	set_bit(KVM_REQ_UNBLOCK & KVM_REQUEST_MASK, requests);
	spt_call(vcpu_wake_up)(vcpu);
}

static bool spt_vcpu_is_work(struct callback_head *head, void *arg)
{
	return head == arg;
}

static bool spt_vcpu_wait(struct spt_vcpu_work *work, unsigned int ms)
{
	return wait_for_completion_killable_timeout(&work->done, msecs_to_jiffies(ms) + 1) > 0;
}

static void spt_vcpu_ask_thread(struct spt_vcpu_work *work)
{
	reinit_completion(&work->done);
	queue_work(spt_action_wq, &work->in_thread);
	wait_for_completion(&work->done);
	/* The worker may still be on its way out of the function. */
	flush_work(&work->in_thread);
}

static void spt_vcpu_ask_task(struct spt_vcpu_work *work, struct task_struct *task)
{
	reinit_completion(&work->done);
	init_task_work(&work->in_task, spt_vcpu_in_task);
	if (task_work_add(task, &work->in_task, TWA_RESUME)) {
		usleep_range(500, 1000);	/* it exits */
		return;
	}
	if (spt_vcpu_wait(work, SPT_RUNNING_MS))
		return;
	spt_vcpu_unblock(work->vcpu);
	if (spt_vcpu_wait(work, SPT_THREAD_MS))
		return;
	/* Gone from its list: it runs or has run, and then it says so soon. */
	if (!spt_call(task_work_cancel_match)(task, spt_vcpu_is_work, &work->in_task))
		wait_for_completion(&work->done);
}

static void spt_vcpu_ask(struct spt_vcpu_work *work)
{
	struct task_struct *task;

	if (!mutex_is_locked(spt_vcpu_mutex(work->vcpu))) {
		spt_vcpu_ask_thread(work);
		return;
	}
	task = spt_vcpu_task(work->vcpu);
	if (!task) {
		usleep_range(500, 1000);
		return;
	}
	spt_vcpu_ask_task(work, task);
	put_task_struct(task);
}

static int spt_vcpu_can(struct spt_action *act)
{
	static const enum spt_symbol_id needed[] = {
		SPT_S_TASK_WORK_CANCEL_MATCH, SPT_S_GET_RUNNING_VCPU, SPT_S_VCPU_LOAD,
		SPT_S_VCPU_PUT, SPT_S_VCPU_WAKE_UP,
	};
	unsigned int i;
	int error;

	if (!spt_has(SPT_F_VCPU_MUTEX))
		return spt_refuse_action(act, SPT_WHY_UNSUPPORTED, "vcpu->mutex is not known");
	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		error = spt_action_needs(act, needed[i]);
		if (error)
			return error;
	}
	return 0;
}

int spt_vcpu_run(struct spt_action *act, struct kvm_vcpu *vcpu, spt_vcpu_fn fn, void *arg,
		 struct spt_vcpu_ran *ran)
{
	ktime_t deadline = ktime_add_ms(ktime_get(), SPT_ACTION_VCPU_WAIT_MS);
	struct spt_vcpu_work *work = kzalloc(sizeof(*work), GFP_KERNEL);
	int ret;

	if (!work)
		return -ENOMEM;
	init_completion(&work->done);
	INIT_WORK(&work->in_thread, spt_vcpu_in_thread);
	work->vcpu = vcpu;
	work->mm = act->acted->id.mm;
	work->fn = fn;
	work->arg = arg;
	work->ran = ran;
	work->since = ktime_get();
	ret = -EBUSY;
	do {
		spt_vcpu_ask(work);
		if (work->came)
			ret = work->ret;
		else if (spt_action_stop(act))
			ret = -ECANCELED;
	} while (ret == -EBUSY && !work->came && ktime_before(ktime_get(), deadline));
	if (ret == -EBUSY && !work->came)
		spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_BUSY,
				"the vCPU did not come by within %u ms",
				SPT_ACTION_VCPU_WAIT_MS);
	kfree(work);
	return ret;
}

struct kvm_vcpu *spt_action_vcpu(struct spt_action *act)
{
	bool any = !(act->args.given & SPT_KEY_BIT(VCPU));
	struct kvm_vcpu *vcpu;
	u64 online;
	u64 id;
	u64 i;

	if (spt_vcpu_can(act))
		return NULL;
	if (spt_load(act->kvm, SPT_F_KVM_ONLINE_VCPUS, &online))
		online = 0;
	for (i = 0; i < online; i++) {
		vcpu = spt_xa_load(spt_at(act->kvm, SPT_F_KVM_VCPU_ARRAY), i);
		if (vcpu && !spt_load(vcpu, SPT_F_VCPU_ID, &id) && (any || id == act->args.vcpu)) {
			spt_say(act, SPT_LINE_VCPU, "%llu", id);
			return vcpu;
		}
	}
	if (any)
		spt_refuse_action(act, SPT_WHY_NO_VCPU, "the VM has no vCPU");
	else
		spt_refuse_action(act, SPT_WHY_NO_VCPU, "the VM has no vCPU %u", act->args.vcpu);
	return NULL;
}

void spt_say_ran(struct spt_action *act, const struct spt_vcpu_ran *ran)
{
	static const char *const names[] = {
		[SPT_VCPU_RUN] = "run",
		[SPT_VCPU_USER] = "user",
		[SPT_VCPU_THREAD] = "thread",
	};

	spt_say(act, SPT_LINE_CONTEXT, "%s", names[ran->where]);
	spt_say(act, SPT_LINE_WAIT_NS, "%llu", ran->wait_ns);
}
