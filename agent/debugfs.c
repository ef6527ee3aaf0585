// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs/spt: a directory that brings its VMs' directories up to date whenever
 * somebody enters or opens it.
 *
 * KVM tells nobody of a new VM, and polling would be wrong most of the time. So
 * the directory has its own permission method: path walks and opens ask it
 * first, without the directory's lock, and what it created is there when the
 * lookup that follows looks.
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/rcupdate.h>

#include "agent.h"

static struct dentry *spt_dir;
static const struct inode_operations *spt_plain_ops;
static atomic_t spt_in_permission = ATOMIC_INIT(0);

/*
 * Asked with the directory's lock held only for a write to the directory, and
 * by debugfs itself when the update creates something: both must not update.
 */
#ifdef SPT_HAVE_MNT_IDMAP
static int spt_dir_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
#else
static int spt_dir_permission(struct user_namespace *idmap, struct inode *inode, int mask)
#endif
{
	int error;

	atomic_inc(&spt_in_permission);
	error = generic_permission(idmap, inode, mask);
	if (!error && !(mask & MAY_WRITE) && !spt_vm_dirs_updating()) {
		if (mask & MAY_NOT_BLOCK)
			error = -ECHILD;	/* come again, able to sleep */
		else
			error = spt_vm_dirs_update(spt_dir);
	}
	atomic_dec(&spt_in_permission);
	return error;
}

/* A directory of debugfs, apart from the method. */
static const struct inode_operations spt_dir_ops = {
	.lookup = simple_lookup,
	.permission = spt_dir_permission,
};

/* Before anybody can have walked through: the VFS caches that a directory has no method. */
static void spt_dir_hook(void)
{
	struct inode *inode = d_inode(spt_dir);

	spt_plain_ops = inode->i_op;
	spin_lock(&inode->i_lock);
	inode->i_mode = S_IFDIR | 0500;
	inode->i_opflags &= ~IOP_FASTPERM;
	WRITE_ONCE(inode->i_op, &spt_dir_ops);
	spin_unlock(&inode->i_lock);
}

/*
 * Nobody holds this module while he runs the method. Whoever read the pointer to
 * it has, after a grace period of RCU-tasks, counted himself or left; whoever
 * has uncounted himself has left after another one.
 */
static void spt_dir_unhook(void)
{
	struct inode *inode = d_inode(spt_dir);

	WRITE_ONCE(inode->i_op, spt_plain_ops);
	synchronize_rcu_tasks();
	while (atomic_read(&spt_in_permission))
		msleep(20);
	synchronize_rcu_tasks();
}

int spt_debugfs_create(void)
{
	static const struct {
		const char *name;
		umode_t mode;
		const struct file_operations *fops;
	} files[] = {
		{ "status", 0400, &spt_status_fops },
		{ "layout", 0600, &spt_layout_fops },
		{ "masks", 0400, &spt_masks_fops },
		{ "journal", 0400, &spt_journal_fops },
	};
	struct dentry *file;
	unsigned int i;

	spt_dir = debugfs_create_dir("spt", NULL);
	if (IS_ERR(spt_dir))
		return PTR_ERR(spt_dir);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		file = debugfs_create_file(files[i].name, files[i].mode, spt_dir, NULL,
					   files[i].fops);
		if (IS_ERR(file)) {
			debugfs_remove(spt_dir);
			return PTR_ERR(file);
		}
	}
	spt_dir_hook();
	return 0;
}

void spt_debugfs_remove(void)
{
	spt_dir_unhook();
	spt_vm_dirs_remove();
	debugfs_remove(spt_dir);
}
