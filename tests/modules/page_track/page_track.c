// SPDX-License-Identifier: GPL-2.0
/*
 * page_track: write-tracks pages of the newest VM, as a device model in the kernel
 * (GVT-g) does, so that the tests can see what KVM makes of it.
 *
 *   insmod page_track.ko vm_list=0xADDRESS    the address from /proc/kallsyms
 *   .../page_track/parameters/track           write a gfn: it is tracked
 *   .../page_track/parameters/untrack         write a gfn: it is not any more
 *
 * KVM lets only the VMM's own process begin, so that must be who writes. What is
 * tracked still when the module goes is untracked; the VM lives until then.
 */
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <asm/kvm_page_track.h>

#define TRACK_MAX	16

static unsigned long track_vms;
module_param_named(vm_list, track_vms, ulong, 0400);
MODULE_PARM_DESC(vm_list, "address of KVM's vm_list");

static DEFINE_MUTEX(track_mutex);
static struct kvm_page_track_notifier_node track_node;
static struct kvm *track_kvm;	/* that the node is registered with; referenced */
static gfn_t track_gfn[TRACK_MAX];
static unsigned int track_count;

/* The interface of this kernel (Kbuild looks): by gfn alone, or with a slot and the lock. */
#ifdef TRACK_BY_GFN
static int track_register(struct kvm *kvm)
{
	/* KVM looks through the memslots there and leaves it to others to hold them (PROVE_RCU). */
	int idx = srcu_read_lock(&kvm->srcu);
	int error = kvm_page_track_register_notifier(kvm, &track_node);

	srcu_read_unlock(&kvm->srcu, idx);
	return error;
}

static int track_add(struct kvm *kvm, gfn_t gfn)
{
	return kvm_write_track_add_gfn(kvm, gfn);
}

static int track_remove(struct kvm *kvm, gfn_t gfn)
{
	return kvm_write_track_remove_gfn(kvm, gfn);
}
#else
static int track_register(struct kvm *kvm)
{
	kvm_page_track_register_notifier(kvm, &track_node);
	return 0;
}

static int track_change(struct kvm *kvm, gfn_t gfn, bool on)
{
	struct kvm_memory_slot *slot;
	int idx = srcu_read_lock(&kvm->srcu);

	slot = gfn_to_memslot(kvm, gfn);
	if (slot) {
		write_lock(&kvm->mmu_lock);
		if (on)
			kvm_slot_page_track_add_page(kvm, slot, gfn, KVM_PAGE_TRACK_WRITE);
		else
			kvm_slot_page_track_remove_page(kvm, slot, gfn, KVM_PAGE_TRACK_WRITE);
		write_unlock(&kvm->mmu_lock);
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return slot ? 0 : -EINVAL;
}

static int track_add(struct kvm *kvm, gfn_t gfn)
{
	return track_change(kvm, gfn, true);
}

static int track_remove(struct kvm *kvm, gfn_t gfn)
{
	return track_change(kvm, gfn, false);
}
#endif

/* The newest VM becomes the one whose pages are tracked. */
static int track_begin(void)
{
	struct list_head *list = (struct list_head *)track_vms;
	struct kvm *kvm;
	int error;

	if (track_kvm)
		return 0;
	if (list_empty(list))
		return -ENOENT;
	kvm = list_first_entry(list, struct kvm, vm_list);
	if (!kvm_get_kvm_safe(kvm))
		return -ENOENT;
	error = track_register(kvm);
	if (error)
		kvm_put_kvm(kvm);
	else
		track_kvm = kvm;
	return error;
}

static int track_set(const char *value, const struct kernel_param *param)
{
	unsigned long gfn;
	int error = kstrtoul(value, 0, &gfn);

	if (error)
		return error;
	mutex_lock(&track_mutex);
	error = track_count < TRACK_MAX ? track_begin() : -ENOSPC;
	if (!error)
		error = track_add(track_kvm, gfn);
	if (!error)
		track_gfn[track_count++] = gfn;
	mutex_unlock(&track_mutex);
	return error;
}

static int track_unset(const char *value, const struct kernel_param *param)
{
	unsigned long gfn;
	unsigned int i;
	int error = kstrtoul(value, 0, &gfn);

	if (error)
		return error;
	mutex_lock(&track_mutex);
	error = -ENOENT;
	for (i = 0; i < track_count && error == -ENOENT; i++) {
		if (track_gfn[i] != gfn)
			continue;
		error = track_remove(track_kvm, gfn);
		track_gfn[i] = track_gfn[--track_count];
	}
	mutex_unlock(&track_mutex);
	return error;
}

static const struct kernel_param_ops track_ops = { .set = track_set };
static const struct kernel_param_ops untrack_ops = { .set = track_unset };

module_param_cb(track, &track_ops, NULL, 0200);
MODULE_PARM_DESC(track, "a gfn that is write-tracked from now on");
module_param_cb(untrack, &untrack_ops, NULL, 0200);
MODULE_PARM_DESC(untrack, "a gfn that is not write-tracked any more");

static int __init track_init(void)
{
	return track_vms ? 0 : -EINVAL;
}

static void __exit track_exit(void)
{
	if (!track_kvm)
		return;
	while (track_count)
		track_remove(track_kvm, track_gfn[--track_count]);
	kvm_page_track_unregister_notifier(track_kvm, &track_node);
	kvm_put_kvm(track_kvm);
}

module_init(track_init);
module_exit(track_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Write-tracks guest pages for the tests");
