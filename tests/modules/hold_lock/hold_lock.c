// SPDX-License-Identifier: GPL-2.0
/*
 * hold_lock: holds the mmu_lock of the newest VM for write, or the mutex of its first vCPU, for
 * the tests.
 *
 *   insmod hold_lock.ko vm_list=0xADDRESS    the address from /proc/kallsyms
 *   echo 1 > .../hold_lock/parameters/held   take it (the writer returns when it is taken)
 *   echo 0 > .../hold_lock/parameters/held   give it back, as unloading does
 *   echo 1 > .../hold_lock/parameters/vcpu   the same for the vCPU's mutex, which a thread holds
 *
 * The raw lock is taken, not the rwlock: that would forbid to schedule, and an
 * L1 with one CPU could run nobody beside the holder. The guest must be idle.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/mutex.h>

static unsigned long hold_vms;
module_param_named(vm_list, hold_vms, ulong, 0400);
MODULE_PARM_DESC(vm_list, "address of KVM's vm_list");

static DEFINE_MUTEX(hold_mutex);
static struct kvm *hold_kvm;	/* whose lock is held; referenced */

/* Who holds a vCPU's mutex: it is its taker's to give back. */
static struct task_struct *hold_thread;
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

/* Has the VM's reference. */
static int hold_vcpu(void *arg)
{
	struct kvm *kvm = arg;
	struct kvm_vcpu *vcpu = kvm_get_vcpu(kvm, 0);

	mutex_lock(&vcpu->mutex);
	complete(&hold_taken);
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	mutex_unlock(&vcpu->mutex);
	kvm_put_kvm(kvm);
	return 0;
}

static int hold_vcpu_take(void)
{
	struct kvm *kvm;

	if (hold_thread)
		return -EBUSY;
	kvm = hold_newest();
	if (!kvm)
		return -ENOENT;
	if (!atomic_read(&kvm->online_vcpus)) {
		kvm_put_kvm(kvm);
		return -ENOENT;
	}
	reinit_completion(&hold_taken);
	hold_thread = kthread_run(hold_vcpu, kvm, "hold_vcpu");
	if (IS_ERR(hold_thread)) {
		hold_thread = NULL;
		kvm_put_kvm(kvm);
		return -ENOMEM;
	}
	wait_for_completion(&hold_taken);
	return 0;
}

static void hold_vcpu_release(void)
{
	if (hold_thread)
		kthread_stop(hold_thread);
	hold_thread = NULL;
}

static int hold_vcpu_set(const char *value, const struct kernel_param *param)
{
	bool wanted;
	int error = kstrtobool(value, &wanted);

	if (error)
		return error;
	mutex_lock(&hold_mutex);
	if (wanted)
		error = hold_vcpu_take();
	else
		hold_vcpu_release();
	mutex_unlock(&hold_mutex);
	return error;
}

static int hold_vcpu_get(char *to, const struct kernel_param *param)
{
	return sysfs_emit(to, "%d\n", !!hold_thread);
}

static const struct kernel_param_ops hold_vcpu_ops = {
	.set = hold_vcpu_set,
	.get = hold_vcpu_get,
};

module_param_cb(vcpu, &hold_vcpu_ops, NULL, 0600);
MODULE_PARM_DESC(vcpu, "1: the mutex of the newest VM's first vCPU is held");

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
	hold_vcpu_release();
}

module_init(hold_init);
module_exit(hold_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Holds locks of a VM for the tests");
