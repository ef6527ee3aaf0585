// SPDX-License-Identifier: GPL-2.0
/*
 * hold_lock: holds locks of the newest VM, for the tests.
 *
 *   insmod hold_lock.ko vm_list=0xADDRESS    the address from /proc/kallsyms
 *   echo 1 > .../hold_lock/parameters/held   take mmu_lock for write (the writer returns when it is
 *					      taken)
 *   echo 0 > .../hold_lock/parameters/held   give it back, as unloading does
 *
 * and likewise, each held by a thread of its own: 'vcpu', the mutex of the first vCPU; 'slots',
 * slots_lock; 'memory', the mmap_lock of the VMM's memory, for write.
 *
 * Of mmu_lock the raw lock is taken, not the rwlock: that would forbid to schedule, and an
 * L1 with one CPU could run nobody beside the holder. The guest must be idle.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/kvm_host.h>
#include <linux/mmap_lock.h>
#include <linux/module.h>
#include <linux/mutex.h>

static unsigned long hold_vms;
module_param_named(vm_list, hold_vms, ulong, 0400);
MODULE_PARM_DESC(vm_list, "address of KVM's vm_list");

static DEFINE_MUTEX(hold_mutex);
static struct kvm *hold_kvm;	/* whose lock is held; referenced */

/* A lock that sleeps, and who holds it: it is its taker's to give back. */
struct hold {
	void (*take)(struct kvm *kvm);
	void (*give)(struct kvm *kvm);
	struct task_struct *thread;	/* NULL: it is not held */
	struct kvm *kvm;		/* the thread's, referenced */
};

static DECLARE_COMPLETION(hold_taken);

/* The newest VM, referenced; NULL: there is none. */
static struct kvm *hold_newest(void)
{
	struct list_head *list = (struct list_head *)hold_vms;
	struct kvm *kvm;

	if (!list || list_empty(list))
		return NULL;
	kvm = list_first_entry(list, struct kvm, vm_list);
	return kvm_get_kvm_safe(kvm) ? kvm : NULL;
}

static int hold_take(void)
{
	struct kvm *kvm;

	if (hold_kvm)
		return -EBUSY;
	kvm = hold_newest();
	if (!kvm)
		return -ENOENT;
	if (!arch_write_trylock(&kvm->mmu_lock.raw_lock)) {
		kvm_put_kvm(kvm);
		return -EAGAIN;
	}
	hold_kvm = kvm;
	return 0;
}

static void hold_release(void)
{
	if (!hold_kvm)
		return;
	arch_write_unlock(&hold_kvm->mmu_lock.raw_lock);
	kvm_put_kvm(hold_kvm);
	hold_kvm = NULL;
}

static int hold_set(const char *value, const struct kernel_param *param)
{
	bool wanted;
	int error = kstrtobool(value, &wanted);

	if (error)
		return error;
	mutex_lock(&hold_mutex);
	if (wanted)
		error = hold_take();
	else
		hold_release();
	mutex_unlock(&hold_mutex);
	return error;
}

static int hold_get(char *to, const struct kernel_param *param)
{
	return sysfs_emit(to, "%d\n", !!hold_kvm);
}

static void hold_vcpu_take(struct kvm *kvm)
{
	mutex_lock(&kvm_get_vcpu(kvm, 0)->mutex);
}

static void hold_vcpu_give(struct kvm *kvm)
{
	mutex_unlock(&kvm_get_vcpu(kvm, 0)->mutex);
}

static void hold_slots_take(struct kvm *kvm)
{
	mutex_lock(&kvm->slots_lock);
}

static void hold_slots_give(struct kvm *kvm)
{
	mutex_unlock(&kvm->slots_lock);
}

static void hold_memory_take(struct kvm *kvm)
{
	mmap_write_lock(kvm->mm);
}

static void hold_memory_give(struct kvm *kvm)
{
	mmap_write_unlock(kvm->mm);
}

static struct hold hold_of_vcpu = { hold_vcpu_take, hold_vcpu_give };
static struct hold hold_of_slots = { hold_slots_take, hold_slots_give };
static struct hold hold_of_memory = { hold_memory_take, hold_memory_give };

static int hold_thread(void *arg)
{
	struct hold *hold = arg;

	hold->take(hold->kvm);
	complete(&hold_taken);
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	hold->give(hold->kvm);
	kvm_put_kvm(hold->kvm);
	return 0;
}

static int hold_begin(struct hold *hold)
{
	if (hold->thread)
		return -EBUSY;
	hold->kvm = hold_newest();
	if (!hold->kvm)
		return -ENOENT;
	if (!atomic_read(&hold->kvm->online_vcpus)) {
		kvm_put_kvm(hold->kvm);
		return -ENOENT;
	}
	reinit_completion(&hold_taken);
	hold->thread = kthread_run(hold_thread, hold, "hold_lock");
	if (IS_ERR(hold->thread)) {
		hold->thread = NULL;
		kvm_put_kvm(hold->kvm);
		return -ENOMEM;
	}
	wait_for_completion(&hold_taken);
	return 0;
}

static void hold_end(struct hold *hold)
{
	if (hold->thread)
		kthread_stop(hold->thread);
	hold->thread = NULL;
}

static int hold_thread_set(const char *value, const struct kernel_param *param)
{
	bool wanted;
	int error = kstrtobool(value, &wanted);

	if (error)
		return error;
	mutex_lock(&hold_mutex);
	if (wanted)
		error = hold_begin(param->arg);
	else
		hold_end(param->arg);
	mutex_unlock(&hold_mutex);
	return error;
}

static int hold_thread_get(char *to, const struct kernel_param *param)
{
	const struct hold *hold = param->arg;

	return sysfs_emit(to, "%d\n", !!hold->thread);
}

static const struct kernel_param_ops hold_thread_ops = {
	.set = hold_thread_set,
	.get = hold_thread_get,
};

module_param_cb(vcpu, &hold_thread_ops, &hold_of_vcpu, 0600);
MODULE_PARM_DESC(vcpu, "1: the mutex of the newest VM's first vCPU is held");
module_param_cb(slots, &hold_thread_ops, &hold_of_slots, 0600);
MODULE_PARM_DESC(slots, "1: slots_lock of the newest VM is held");
module_param_cb(memory, &hold_thread_ops, &hold_of_memory, 0600);
MODULE_PARM_DESC(memory, "1: mmap_lock of the newest VM's memory is held for write");

static const struct kernel_param_ops hold_ops = {
	.set = hold_set,
	.get = hold_get,
};

module_param_cb(held, &hold_ops, NULL, 0600);
MODULE_PARM_DESC(held, "1: mmu_lock of the newest VM is held for write");

static int __init hold_init(void)
{
	return hold_vms ? 0 : -EINVAL;
}

static void __exit hold_exit(void)
{
	hold_release();
	hold_end(&hold_of_vcpu);
	hold_end(&hold_of_slots);
	hold_end(&hold_of_memory);
}

module_init(hold_init);
module_exit(hold_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Holds locks of a VM for the tests");
