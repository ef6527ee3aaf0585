// SPDX-License-Identifier: GPL-2.0
/*
 * One directory for each VM, named as KVM's debugfs names it. A directory holds
 * no reference to its VM; opening a file in it takes one.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "action.h"
#include "agent.h"
#include "reader.h"
#include "vm.h"

struct spt_vm_dir {
	struct list_head link;
	struct spt_vm_id id;
	struct spt_vm_file_ref ref[SPT_VM_FILES];
	struct dentry *dentry;
	bool seen;		/* in the update that is under way */
};

static LIST_HEAD(spt_vm_dirs);
static DEFINE_MUTEX(spt_vm_dirs_lock);
static struct task_struct *spt_vm_dirs_updater;

bool spt_vm_dirs_updating(void)
{
	return READ_ONCE(spt_vm_dirs_updater) == current;
}

static bool spt_same_vm(const struct spt_vm_id *a, const struct spt_vm_id *b)
{
	return a->kvm == b->kvm && a->mm == b->mm && !strcmp(a->name, b->name);
}

static struct spt_vm_dir *spt_vm_dir_find(const struct spt_vm_id *id)
{
	struct spt_vm_dir *dir;

	list_for_each_entry(dir, &spt_vm_dirs, link)
		if (spt_same_vm(&dir->id, id))
			return dir;
	return NULL;
}

/* All of a directory or nothing of it. */
static int spt_vm_dir_create(const struct spt_vm_id *id, struct dentry *parent)
{
	struct spt_vm_dir *dir = kzalloc(sizeof(*dir), GFP_KERNEL);
	struct dentry *made;
	unsigned int i;

	if (!dir)
		return -ENOMEM;
	dir->id = *id;
	dir->seen = true;
	made = debugfs_create_dir(id->name, parent);
	if (IS_ERR(made)) {
		kfree(dir);
		return PTR_ERR(made);
	}
	dir->dentry = made;
	for (i = 0; i < SPT_VM_FILES && !IS_ERR(made); i++) {
		dir->ref[i].id = &dir->id;
		dir->ref[i].file = &spt_vm_files[i];
		made = debugfs_create_file(spt_vm_files[i].name, spt_vm_files[i].mode,
					   dir->dentry, &dir->ref[i], &spt_reader_fops);
	}
	if (!IS_ERR(made))
		made = debugfs_create_file("control", 0600, dir->dentry, &dir->ref[0],
					   &spt_control_fops);
	if (IS_ERR(made)) {
		debugfs_remove(dir->dentry);
		kfree(dir);
		return PTR_ERR(made);
	}
	d_inode(dir->dentry)->i_mode = S_IFDIR | 0500;
	list_add(&dir->link, &spt_vm_dirs);
	return 0;
}

/* Waits for operations on its files that are under way; its open files live on. */
static void spt_vm_dir_destroy(struct spt_vm_dir *dir)
{
	list_del(&dir->link);
	debugfs_remove(dir->dentry);
	kfree(dir);
}

static int spt_vm_dirs_sync(const struct spt_vms *vms, struct dentry *parent)
{
	struct spt_vm_dir *dir;
	struct spt_vm_dir *next;
	unsigned int known = 0;
	unsigned int i;
	int error = 0;

	list_for_each_entry(dir, &spt_vm_dirs, link)
		dir->seen = false;
	for (i = 0; i < vms->count; i++) {
		dir = spt_vm_dir_find(&vms->vm[i]);
		if (!dir)
			continue;
		dir->seen = true;
		known++;
		/* In KVM's order: the next time each is the first that is looked at. */
		list_move_tail(&dir->link, &spt_vm_dirs);
	}
	/* The dead first: a new VM may have inherited a name. */
	list_for_each_entry_safe(dir, next, &spt_vm_dirs, link)
		if (!dir->seen)
			spt_vm_dir_destroy(dir);
	for (i = 0; known < vms->count && i < vms->count && !error; i++) {
		if (!spt_vm_dir_find(&vms->vm[i]))
			error = spt_vm_dir_create(&vms->vm[i], parent);
		cond_resched();
	}
	return error;
}

/* A list that could not be had leaves the directories as they are. */
static int spt_vm_dirs_scan(struct dentry *parent)
{
	struct module *vendor = spt_vendor_get();
	struct spt_vms vms = { };
	int error;

	if (!vendor)
		return spt_vm_dirs_sync(&vms, parent);
	error = spt_vms_get(&vms, NULL);
	if (!error) {
		error = spt_vm_dirs_sync(&vms, parent);
		spt_vms_put(&vms);
	}
	spt_vendor_put(vendor);
	return error;
}

/* Who looks for a VM that there was no memory or no room for is told so, not that there is none. */
int spt_vm_dirs_update(struct dentry *parent)
{
	struct spt_vms none = { };
	int error;

	spt_undo_reap();
	mutex_lock(&spt_vm_dirs_lock);
	WRITE_ONCE(spt_vm_dirs_updater, current);
	if (!spt_layout_enter()) {
		error = spt_vm_dirs_scan(parent);
		spt_layout_leave();
	} else {
		error = spt_vm_dirs_sync(&none, parent);
	}
	WRITE_ONCE(spt_vm_dirs_updater, NULL);
	mutex_unlock(&spt_vm_dirs_lock);
	return error == -ENOMEM || error == -E2BIG ? error : 0;
}

unsigned int spt_vm_dirs_count(void)
{
	struct spt_vm_dir *dir;
	unsigned int count = 0;

	mutex_lock(&spt_vm_dirs_lock);
	list_for_each_entry(dir, &spt_vm_dirs, link)
		count++;
	mutex_unlock(&spt_vm_dirs_lock);
	return count;
}

/* At the end: nobody updates any more. */
void spt_vm_dirs_remove(void)
{
	struct spt_vms none = { };

	spt_vm_dirs_sync(&none, NULL);
}
