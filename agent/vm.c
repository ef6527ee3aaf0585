// SPDX-License-Identifier: GPL-2.0
/*
 * Finding VMs and keeping them.
 */
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "vm.h"

#define SPT_USERS_MAX	0xffffff
/* VMs that may be created while memory for their list is had, without another try. */
#define SPT_VMS_SPARE	8

struct module *spt_vendor_get(void)
{
	const struct file_operations *ops;
	struct module *owner;

	ops = (void *)(unsigned long)spt_layout.symbol[SPT_S_KVM_CHARDEV_OPS];
	if (spt_read(&owner, &ops->owner, sizeof(owner)) || !owner)
		return NULL;
	return try_module_get(owner) ? owner : NULL;
}

void spt_vendor_put(struct module *vendor)
{
	module_put(vendor);
}

static struct mutex *spt_kvm_lock(void)
{
	return (void *)(unsigned long)spt_layout.symbol[SPT_S_KVM_LOCK];
}

static int spt_vm_name(const struct kvm *kvm, struct spt_vm_id *id, struct spt_refusal *why)
{
	const struct dentry *dentry = spt_load_pointer(kvm, SPT_F_KVM_DEBUGFS_DENTRY);
	struct qstr name;
	char end;

	if (IS_ERR_OR_NULL(dentry))
		return -ENOENT;		/* KVM could not make one: a VM without a name */
	if (!spt_in_direct_map(dentry, sizeof(void *)) ||
	    spt_read(&name, &dentry->d_name, sizeof(name)) || name.len >= sizeof(id->name) ||
	    spt_read(id->name, name.name, name.len))
		return spt_refuse(why, -EBADMSG, "a VM's debugfs_dentry is no dentry");
	id->name[name.len] = '\0';
	if (sscanf(id->name, "%d-%d%c", &id->pid, &id->fd, &end) != 2)
		return spt_refuse(why, -EBADMSG, "a VM's debugfs name is no PID-FD");
	return 0;
}

/*
 * Does the object that vm_list links look like a VM? Reads only. -ENOENT: a VM
 * that is going away or has no name; another error: no VM at all.
 */
static int spt_vm_identify(struct kvm *kvm, struct spt_vm_id *id, struct spt_refusal *why)
{
	u64 users;
	u64 pid;
	int error;

	memset(id, 0, sizeof(*id));
	id->kvm = kvm;
	if (spt_load(kvm, SPT_F_KVM_USERS_COUNT, &users) || users > SPT_USERS_MAX)
		return spt_refuse(why, -EBADMSG, "a VM's users_count is %#llx", users);
	if (!users)
		return -ENOENT;
	id->mm = spt_load_pointer(kvm, SPT_F_KVM_MM);
	if (!spt_in_direct_map(id->mm, sizeof(void *)))
		return spt_refuse(why, -EBADMSG, "a VM's mm is no mm");
	error = spt_vm_name(kvm, id, why);
	if (error)
		return error;
	/* Set a moment after the VM was listed. */
	if (spt_load(kvm, SPT_F_KVM_USERSPACE_PID, &pid) || (pid && (s32)pid != id->pid))
		return spt_refuse(why, -EBADMSG, "a VM's userspace_pid is %d, its name %s",
				  (s32)pid, id->name);
	return 0;
}

/*
 * Calls @visit for each object of vm_list until it returns non-zero; kvm_lock
 * is held. -EBADMSG: the list is not linked as lists are; -E2BIG: it does not end.
 */
static int spt_visit_vms(int (*visit)(struct kvm *kvm, void *arg), void *arg)
{
	const struct list_head *head = (void *)(unsigned long)spt_layout.symbol[SPT_S_VM_LIST];
	const struct list_head *at = head;
	struct list_head link;
	unsigned int n;
	int error;

	if (spt_read(&link, head, sizeof(link)))
		return -EBADMSG;
	for (n = 0; link.next != head; n++) {
		const struct list_head *previous = at;

		at = link.next;
		if (n == SPT_VMS_MAX)
			return -E2BIG;
		if (spt_read(&link, at, sizeof(link)) || link.prev != previous)
			return -EBADMSG;
		error = visit((void *)at - spt_layout.field[SPT_F_KVM_VM_LIST].offset, arg);
		if (error)
			return error;
	}
	return 0;
}

static int spt_count_vm(struct kvm *kvm, void *arg)
{
	unsigned int *count = arg;

	(*count)++;
	return 0;
}

struct spt_collect {
	struct spt_vms *vms;
	struct spt_refusal *why;	/* NULL: leave out what is no VM */
	bool more;			/* than there was room for */
};

static int spt_collect_vm(struct kvm *kvm, void *arg)
{
	struct spt_collect *collect = arg;
	struct spt_vms *vms = collect->vms;
	struct spt_refusal ignored;
	int error;

	if (vms->count == vms->room) {
		collect->more = true;
		return 0;
	}
	error = spt_vm_identify(kvm, &vms->vm[vms->count],
				collect->why ? collect->why : &ignored);
	if (error == -ENOENT)
		return 0;
	if (error) {
		if (collect->why)
			return error;
		pr_warn_once("left out of the list of VMs: %s\n", ignored.text);
		return 0;
	}
	if (kvm_get_kvm_safe(kvm))
		vms->count++;
	return 0;
}

/* One try. True in @more: VMs were created since they were counted, and others left out. */
static int spt_vms_try(struct spt_vms *vms, struct spt_refusal *why, bool *more)
{
	struct spt_collect collect = { vms, why };
	unsigned int count = 0;
	int error;

	memset(vms, 0, sizeof(*vms));
	mutex_lock(spt_kvm_lock());
	error = spt_visit_vms(spt_count_vm, &count);
	mutex_unlock(spt_kvm_lock());
	if (error || !count)
		return error;
	vms->room = count + SPT_VMS_SPARE;
	vms->vm = kvcalloc(vms->room, sizeof(*vms->vm), GFP_KERNEL);
	if (!vms->vm)
		return -ENOMEM;
	mutex_lock(spt_kvm_lock());
	error = spt_visit_vms(spt_collect_vm, &collect);
	mutex_unlock(spt_kvm_lock());
	*more = collect.more;
	return error;
}

/* KVM lists the newest first: with too little room the others would seem to be gone. */
int spt_vms_get(struct spt_vms *vms, struct spt_refusal *why)
{
	bool more = false;
	int error;

	do {
		if (more)
			spt_vms_put(vms);
		more = false;
		error = spt_vms_try(vms, why, &more);
	} while (!error && more);
	if (error)
		spt_vms_put(vms);
	if (error == -EBADMSG && why && !why->error)
		spt_refuse(why, error, "vm_list is not linked as a list");
	if (error == -E2BIG && why)
		spt_refuse(why, error, "vm_list has more than %u VMs", SPT_VMS_MAX);
	return error;
}

void spt_vms_put(struct spt_vms *vms)
{
	while (vms->count)
		kvm_put_kvm(vms->vm[--vms->count].kvm);
	kvfree(vms->vm);
	vms->vm = NULL;
}

static int spt_match_vm(struct kvm *kvm, void *arg)
{
	const struct spt_vm_id *id = arg;
	struct spt_refusal ignored;
	struct spt_vm_id found;

	if (kvm != id->kvm)
		return 0;
	if (spt_vm_identify(kvm, &found, &ignored) || found.mm != id->mm ||
	    strcmp(found.name, id->name) || !kvm_get_kvm_safe(kvm))
		return -ENXIO;
	return 1;
}

int spt_vm_get(const struct spt_vm_id *id)
{
	int found;

	if (mutex_lock_killable(spt_kvm_lock()))
		return -EINTR;
	found = spt_visit_vms(spt_match_vm, (void *)id);
	mutex_unlock(spt_kvm_lock());
	return found == 1 ? 0 : -ENXIO;
}

void spt_vm_put(struct kvm *kvm)
{
	kvm_put_kvm(kvm);
}

static struct task_struct *spt_vm_leader(const struct spt_vm_id *id)
{
	struct task_struct *task = NULL;

#ifdef CONFIG_MEMCG
	task = rcu_dereference(id->mm->owner);
#endif
	if (!task)
		task = pid_task(find_pid_ns(id->pid, &init_pid_ns), PIDTYPE_PID);
	return task ? task->group_leader : NULL;
}

void spt_vm_owner(const struct spt_vm_id *id, s32 *pid, char comm[16])
{
	struct task_struct *leader;
	char name[TASK_COMM_LEN] = "";

	BUILD_BUG_ON(TASK_COMM_LEN != 16);
	*pid = id->pid;
	rcu_read_lock();
	leader = spt_vm_leader(id);
	if (leader) {
		*pid = leader->pid;
		get_task_comm(name, leader);
	}
	rcu_read_unlock();
	memcpy(comm, name, sizeof(name));
}
