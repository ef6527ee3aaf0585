// SPDX-License-Identifier: GPL-2.0
/*
 * The life of an action, from its line to its last block.
 */
#include <linux/jiffies.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "action.h"
#include "agent.h"
#include "watch.h"

static unsigned int spt_rate = SPT_ACTION_RATE;
module_param_named(rate, spt_rate, uint, 0400);
MODULE_PARM_DESC(rate, "actions a second that are taken (default 1000)");

struct workqueue_struct *spt_action_wq;

/* Lines in the second that began at spt_rate_since. */
static DEFINE_SPINLOCK(spt_rate_lock);
static unsigned long spt_rate_since;
static unsigned int spt_rate_lines;

static bool spt_rate_exceeded(void)
{
	bool exceeded;

	spin_lock(&spt_rate_lock);
	if (time_after_eq(jiffies, spt_rate_since + HZ)) {
		spt_rate_since = jiffies;
		spt_rate_lines = 0;
	}
	exceeded = spt_rate_lines >= spt_rate;
	if (!exceeded)
		spt_rate_lines++;
	spin_unlock(&spt_rate_lock);
	return exceeded;
}

static void spt_taint_once(void)
{
	static atomic_t done = ATOMIC_INIT(0);

	if (!atomic_xchg(&done, 1))
		add_taint(TAINT_USER, LOCKDEP_STILL_OK);
}

static int spt_action_verdict(struct spt_action *act, enum spt_result result,
			      enum spt_reason reason, const char *fmt, va_list args)
{
	act->result = result;
	act->reason = reason;
	vscnprintf(act->sentence, sizeof(act->sentence), fmt, args);
	return -ECANCELED;
}

int spt_refuse_action(struct spt_action *act, enum spt_reason reason, const char *fmt, ...)
{
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = spt_action_verdict(act, SPT_RESULT_REFUSED, reason, fmt, args);
	va_end(args);
	return ret;
}

int spt_action_over(struct spt_action *act, enum spt_result result, enum spt_reason reason,
		    const char *fmt, ...)
{
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = spt_action_verdict(act, result, reason, fmt, args);
	va_end(args);
	return ret;
}

int spt_action_needs(struct spt_action *act, enum spt_symbol_id id)
{
	if (spt_can(id))
		return 0;
	return spt_refuse_action(act, SPT_WHY_UNSUPPORTED, "this kernel has no %s",
				 spt_symbol_names[id].name);
}

bool spt_action_stop(struct spt_action *act)
{
	if (!act->wait)
		return false;	/* what is taken back is taken back wholly */
	if (signal_pending(current))
		spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_INTERRUPTED, "a signal came");
	else if (atomic_read(&act->acted->id.mm->mm_users) == 1)
		spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_GONE, "the VMM has left");
	else
		return false;
	return true;
}

/* Steps until one says no. 0: all were made. */
static int spt_action_steps(struct spt_action *act)
{
	u32 steps = act->args.listen ? 1 : act->args.count;
	int error = 0;

	for (act->step = 1; !error && act->step <= steps; act->step++) {
		if (act->step > 1 && spt_action_stop(act))
			return -ECANCELED;
		if (!act->args.listen)
			spt_say_step(act);
		error = act->ops->act(act);
		cond_resched();
	}
	return error;
}

static void spt_action_listen(struct spt_action *act)
{
	spt_say(act, SPT_LINE_ARMED, "1");
	act->listening = true;
	queue_delayed_work(spt_action_wq, &act->enough, (unsigned long)act->args.timeout * HZ);
}

/* The target was found to be as it should. */
static void spt_action_act(struct spt_action *act)
{
	spt_taint_once();
	spt_journal_open(act);
	spt_say(act, SPT_LINE_ID, "%llu", act->id);
	if (!spt_action_steps(act)) {
		if (act->args.listen || act->effects)
			spt_action_over(act, SPT_RESULT_DONE, SPT_WHY_NONE, "%s", "");
		else
			spt_action_over(act, SPT_RESULT_NO_EFFECT, SPT_WHY_UNCHANGED,
					"everything is as it was");
		if (act->args.listen) {
			spt_action_listen(act);
			return;
		}
	}
	/* What was done by the steps before stays done. */
	if (act->result == SPT_RESULT_REFUSED && act->effects)
		act->result = SPT_RESULT_FAILED;
	if (act->keep_undo)
		spt_undo_keep(act);
	spt_journal_close(act);
}

static bool spt_action_acts(const struct spt_action *act)
{
	return !(act->row->flags & SPT_ACTION_QUIET);
}

/* What listens ends by itself and leaves no record. */
static bool spt_action_records(const struct spt_action *act)
{
	return (act->row->flags & SPT_ACTION_UNDO) && !act->args.listen;
}

/* Whether it would be done, by all that can be known without doing it. */
static void spt_action_foresee(struct spt_action *act)
{
	spt_say(act, SPT_LINE_DRY_RUN, "1");
	if (spt_action_records(act) && spt_undo_room(act))
		return;
	if (act->ops->foresee && !act->args.show && act->ops->foresee(act))
		return;
	spt_action_over(act, SPT_RESULT_DONE, SPT_WHY_NONE, "%s", "");
}

/* The VM's memory is pinned and nobody else acts on the VM. */
static void spt_action_locked(struct spt_action *act)
{
	spt_say(act, SPT_LINE_ACTION, "%s", act->row->name);
	spt_say(act, SPT_LINE_VM, "%s", act->acted->id.name);
	if (act->ops->check && act->ops->check(act))
		return;
	if (act->args.dry_run) {
		spt_action_foresee(act);
		return;
	}
	spt_action_over(act, SPT_RESULT_DONE, SPT_WHY_NONE, "%s", "");
	if (act->args.show) {
		spt_action_steps(act);
	} else if (spt_action_acts(act)) {
		if (spt_action_records(act) && spt_undo_prepare(act))
			return;
		if (act->args.listen && !spt_text_prepare_hits(act)) {
			spt_refuse_action(act, SPT_WHY_MEMORY, "no memory for hits");
			return;
		}
		spt_action_act(act);
	}
}

static void spt_action_last(struct spt_action *act)
{
	spt_say_last(act);
	act->over = true;
}

/* What every action needs. */
static int spt_action_prepare(struct spt_action *act, char *line)
{
	int error = spt_action_parse(act, line);

	if (error)
		return error;
	if (spt_rate_exceeded())
		return spt_refuse_action(act, SPT_WHY_RATE, "more than %u lines a second",
					 spt_rate);
	act->ops = spt_action_ops(act->row->id);
	if (!act->ops)
		return spt_refuse_action(act, SPT_WHY_UNSUPPORTED, "this agent has no %s",
					 act->row->name);
	if (act->ops->room) {
		act->own = kvzalloc(act->ops->room, GFP_KERNEL);
		if (!act->own)
			return spt_refuse_action(act, SPT_WHY_MEMORY, "no memory");
	}
	return 0;
}

int spt_action_run(struct spt_action *act, char *line)
{
	struct mm_struct *mm = act->acted->id.mm;
	bool listening = false;

	if (spt_action_prepare(act, line)) {
		spt_action_last(act);
		return 0;
	}
	if (mutex_lock_killable(&act->acted->lock))
		return -EINTR;
	if (mmget_not_zero(mm)) {
		spt_action_locked(act);
		listening = act->listening;	/* it may end, and say its last, from now on */
		mutex_unlock(&act->acted->lock);
		mmput(mm);
	} else {
		spt_refuse_action(act, SPT_WHY_GONE, "the VMM has left");
		mutex_unlock(&act->acted->lock);
	}
	if (!listening)
		spt_action_last(act);
	return 0;
}

void spt_action_finish(struct spt_action *act, enum spt_result result, enum spt_reason reason,
		       const char *sentence)
{
	mutex_lock(&act->acted->lock);
	if (act->listening) {
		if (act->ops->end)
			act->ops->end(act);
		spt_action_over(act, result, reason, "%s", sentence);
		spt_journal_close(act);
		spt_action_last(act);
		WRITE_ONCE(act->listening, false);
	}
	mutex_unlock(&act->acted->lock);
	wake_up_interruptible(act->wait);
}

void spt_action_enough(struct spt_action *act)
{
	WRITE_ONCE(act->had_enough, true);
	irq_work_queue(&act->nudge);
}

void spt_action_give_up(struct spt_action *act, enum spt_reason reason, const char *sentence)
{
	act->gave_up_why = sentence;
	WRITE_ONCE(act->gave_up, reason);
	irq_work_queue(&act->nudge);
}

static void spt_action_nudge(struct irq_work *work)
{
	struct spt_action *act = container_of(work, struct spt_action, nudge);

	wake_up_interruptible(act->wait);
	if (READ_ONCE(act->had_enough) || READ_ONCE(act->gave_up))
		mod_delayed_work(spt_action_wq, &act->enough, 0);
}

static void spt_action_enough_work(struct work_struct *work)
{
	struct spt_action *act = container_of(to_delayed_work(work), struct spt_action, enough);

	/* Set before this work was queued. What was heard is not all that there was to hear. */
	if (act->gave_up)
		spt_action_finish(act, SPT_RESULT_FAILED, act->gave_up, act->gave_up_why);
	else if (READ_ONCE(act->had_enough))
		spt_action_finish(act, SPT_RESULT_DONE, SPT_WHY_NONE, "");
	else
		spt_action_finish(act, act->effects ? SPT_RESULT_DONE : SPT_RESULT_NO_EFFECT,
				  SPT_WHY_TIMEOUT, "nothing more came in time");
}

struct spt_action *spt_action_create(struct kvm *kvm, struct spt_acted *acted,
				     wait_queue_head_t *wait, gfp_t gfp)
{
	struct spt_action *act = kzalloc(sizeof(*act), gfp);

	if (!act)
		return NULL;
	kref_init(&act->ref);
	act->kvm = kvm;
	act->acted = acted;
	act->wait = wait;
	spin_lock_init(&act->text_lock);
	init_irq_work(&act->nudge, spt_action_nudge);
	INIT_DELAYED_WORK(&act->enough, spt_action_enough_work);
	if (wait && !spt_text_prepare(act)) {
		kfree(act);
		return NULL;
	}
	return act;
}

static void spt_action_release(struct kref *ref)
{
	struct spt_action *act = container_of(ref, struct spt_action, ref);

	kvfree(act->text);
	kfree(act->undo);
	kvfree(act->own);
	kfree(act);
}

void spt_action_put(struct spt_action *act)
{
	kref_put(&act->ref, spt_action_release);
}

int spt_actions_create(void)
{
	if (!spt_armed)
		return 0;
	spt_action_wq = alloc_workqueue("spt_agent", WQ_UNBOUND, 0);
	return spt_action_wq ? 0 : -ENOMEM;
}

/*
 * What runs in a vCPU's thread has said that it is done, but may have yet to return
 * from our code.
 */
void spt_actions_remove(void)
{
	if (!spt_armed)
		return;
	spt_undo_all();
	spt_watch_end();
	destroy_workqueue(spt_action_wq);
	synchronize_rcu_tasks();
}
