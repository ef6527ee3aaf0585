// SPDX-License-Identifier: GPL-2.0
/*
 * hold_lock: holds the mmu_lock of the newest VM for write, for the tests.
 *
 *   insmod hold_lock.ko vm_list=0xADDRESS    the address from /proc/kallsyms
 *   echo 1 > .../hold_lock/parameters/held   take it (the writer returns when it is taken)
 *   echo 0 > .../hold_lock/parameters/held   give it back, as unloading does
 *
 * The raw lock is taken, not the rwlock: that would forbid to schedule, and an
 * L1 with one CPU could run nobody beside the holder. The guest must be idle.
 */
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/mutex.h>

static unsigned long hold_vms;
module_param_named(vm_list, hold_vms, ulong, 0400);
MODULE_PARM_DESC(vm_list, "address of KVM's vm_list");

static DEFINE_MUTEX(hold_mutex);
static struct kvm *hold_kvm;	/* whose lock is held; referenced */

static int hold_take(void)
{
	struct list_head *list = (struct list_head *)hold_vms;
	struct kvm *kvm;

	if (hold_kvm)
		return -EBUSY;
	if (!list || list_empty(list))
		return -ENOENT;
	kvm = list_first_entry(list, struct kvm, vm_list);
	if (!kvm_get_kvm_safe(kvm))
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
}

module_init(hold_init);
module_exit(hold_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Holds a VM's mmu_lock for the tests");
