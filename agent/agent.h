/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the agent share.
 */
#ifndef SPT_AGENT_H
#define SPT_AGENT_H

#include <linux/types.h>

struct dentry;
struct file_operations;
struct seq_file;

#define SPT_AGENT_VERSION	"0.1"

/* Module parameter: actions are allowed. */
extern bool spt_armed;

/* 0, or why the caller may not open a file of the agent: -EPERM. */
int spt_may_open(void);

/* debugfs.c: debugfs/spt and the files in it. */
int spt_debugfs_create(void);
void spt_debugfs_remove(void);

/*
 * vm_dir.c: the directories of the VMs. spt_vm_dirs_update() makes them those of
 * the VMs that exist; it may sleep. spt_vm_dirs_updating(): the caller is in it.
 */
int spt_vm_dirs_update(struct dentry *parent);
bool spt_vm_dirs_updating(void);
void spt_vm_dirs_remove(void);
unsigned int spt_vm_dirs_count(void);

extern const struct file_operations spt_layout_fops;	/* layout_file.c */
extern const struct file_operations spt_status_fops;	/* status.c */
extern const struct file_operations spt_masks_fops;
extern const struct file_operations spt_journal_fops;	/* journal.c */
extern const struct file_operations spt_control_fops;	/* control.c */

/* Actions: their threads, and what is yet to be taken back when the agent goes. */
int spt_actions_create(void);
void spt_actions_remove(void);

#endif
