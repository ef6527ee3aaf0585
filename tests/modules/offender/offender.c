// SPDX-License-Identifier: GPL-2.0
/*
 * offender: makes the mistakes that the debug kernel exists to find, so that the tests can see each
 * of its checks trip. A kernel without those checks may not survive it.
 *
 *   insmod offender.ko lab=1
 *   echo NAME > .../offender/parameters/commit
 */
#include <linux/completion.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

static bool offend_lab;
module_param_named(lab, offend_lab, bool, 0400);
MODULE_PARM_DESC(lab, "1: this is a lab; nothing here is worth keeping");

struct offend_object {
	struct rcu_head rcu;
	struct work_struct work;
	u64 words[4];
};

static DEFINE_MUTEX(offend_first);
static DEFINE_MUTEX(offend_second);
static DEFINE_SPINLOCK(offend_spin);
static struct offend_object __rcu *offend_published;
static unsigned int offend_index = 4;	/* what the compiler must not know */
static u64 offend_sink;

static void offend_use_after_free(void)
{
	struct offend_object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (!object)
		return;
	kfree(object);
	WRITE_ONCE(offend_sink, READ_ONCE(object->words[1]));
}

static void offend_out_of_bounds(void)
{
	struct offend_object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (!object)
		return;
	WRITE_ONCE(offend_sink, object->words[READ_ONCE(offend_index)]);
	kfree(object);
}

static void offend_shift(void)
{
	WRITE_ONCE(offend_sink, 1 << (READ_ONCE(offend_index) + 28));
}

static void offend_rcu(void)
{
	WRITE_ONCE(offend_sink, !!rcu_dereference(offend_published));
}

static void offend_sleep(void)
{
	spin_lock(&offend_spin);
	mutex_lock(&offend_first);
	mutex_unlock(&offend_first);
	spin_unlock(&offend_spin);
}

static DECLARE_COMPLETION(offend_done);

static void offend_wait(struct work_struct *work)
{
	wait_for_completion(&offend_done);
}

static DECLARE_WORK(offend_before, offend_wait);

static void offend_nothing(struct work_struct *work)
{
}

/* Memory with a work is freed that still waits for its turn; kfree() looks for such. */
static void offend_work(void)
{
	struct workqueue_struct *queue = alloc_ordered_workqueue("offender", 0);
	struct offend_object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (queue && object) {
		queue_work(queue, &offend_before);
		INIT_WORK(&object->work, offend_nothing);
		queue_work(queue, &object->work);
	}
	kfree(object);
	complete(&offend_done);
	if (queue)
		destroy_workqueue(queue);
}

static void offend_rcu_done(struct rcu_head *head)
{
}

static struct offend_object offend_twice;

static void offend_rcu_head(void)
{
	call_rcu(&offend_twice.rcu, offend_rcu_done);
	call_rcu(&offend_twice.rcu, offend_rcu_done);
}

/* Found by the scans at the end of the run. */
static void offend_leak(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		WRITE_ONCE(offend_sink, !!kzalloc(sizeof(struct offend_object), GFP_KERNEL));
}

/* Never at the same time, but in both orders. */
static void offend_order(void)
{
	mutex_lock(&offend_first);
	mutex_lock(&offend_second);
	mutex_unlock(&offend_second);
	mutex_unlock(&offend_first);
	mutex_lock(&offend_second);
	mutex_lock(&offend_first);
	mutex_unlock(&offend_first);
	mutex_unlock(&offend_second);
}

static const struct {
	const char *name;
	void (*commit)(void);
} offences[] = {
	{ "use-after-free", offend_use_after_free },
	{ "out-of-bounds", offend_out_of_bounds },
	{ "shift", offend_shift },
	{ "rcu", offend_rcu },
	{ "sleep", offend_sleep },
	{ "work", offend_work },
	{ "rcu-head", offend_rcu_head },
	{ "leak", offend_leak },
	{ "order", offend_order },
};

static int offend_set(const char *text, const struct kernel_param *param)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offences); i++)
		if (sysfs_streq(text, offences[i].name)) {
			offences[i].commit();
			return 0;
		}
	return -EINVAL;
}

static const struct kernel_param_ops offend_ops = {
	.set = offend_set,
};

module_param_cb(commit, &offend_ops, NULL, 0200);
MODULE_PARM_DESC(commit, "which mistake to make");

static int __init offend_init(void)
{
	return offend_lab && boot_cpu_has(X86_FEATURE_HYPERVISOR) ? 0 : -EPERM;
}

static void __exit offend_exit(void)
{
	rcu_barrier();
}

module_init(offend_init);
module_exit(offend_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Makes the mistakes that a debug kernel finds, for the tests");
