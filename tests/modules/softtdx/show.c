// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs: 'softtdx/totals', and for each converted VM a directory named as KVM's own,
 *   record	the external root, the shared bit, the counters
 *   entries	'LEVEL GPA ENTRY', what KVM told last
 *   inject	see inject.c
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "softtdx.h"

static struct dentry *top;

static const char *const count_name[] = {
#define C(id, name) #name,
	SOFTTDX_COUNTS(C)
#undef C
};

static int record_show(struct seq_file *to, void *unused)
{
	const struct softtdx_vm *vm = to->private;
	unsigned int i;

	seq_printf(to, "external_root: 0x%llx\n", (u64)__pa(vm->root));
	seq_printf(to, "levels: %d\n", vm->levels);
	seq_printf(to, "shared_bit: %u\n", vm->shared_bit);
	for (i = 0; i < SOFTTDX_COUNT_MAX; i++)
		seq_printf(to, "%s: %lld\n", count_name[i], atomic64_read(&vm->count[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(record);

static int entries_show(struct seq_file *to, void *unused)
{
	struct softtdx_vm *vm = to->private;
	unsigned long key;
	void *entry;

	xa_for_each(&vm->entries, key, entry)
		seq_printf(to, "%lu 0x%llx 0x%016llx\n", key & 7, (u64)(key >> 3) << PAGE_SHIFT,
			   softtdx_noted(entry));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(entries);

static int totals_show(struct seq_file *to, void *unused)
{
	unsigned int i;

	seq_printf(to, "vms_converted: %lld\n", atomic64_read(&softtdx_converted));
	seq_printf(to, "vms_destroyed: %lld\n", atomic64_read(&softtdx_destroyed));
	seq_printf(to, "pages: %lld\n", atomic64_read(&softtdx_pages));
	for (i = 0; i < SOFTTDX_COUNT_MAX; i++)
		seq_printf(to, "%s: %lld\n", count_name[i], atomic64_read(&softtdx_totals[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(totals);

void softtdx_show_vm(struct softtdx_vm *vm)
{
	vm->dir = debugfs_create_dir(vm->name, top);
	debugfs_create_file("record", 0400, vm->dir, vm, &record_fops);
	debugfs_create_file("entries", 0400, vm->dir, vm, &entries_fops);
	debugfs_create_file("inject", 0200, vm->dir, vm, &softtdx_inject_fops);
}

/* Waits for those who read. */
void softtdx_show_remove(struct softtdx_vm *vm)
{
	debugfs_remove(vm->dir);
}

void softtdx_show_init(void)
{
	top = debugfs_create_dir("softtdx", NULL);
	debugfs_create_file("totals", 0400, top, NULL, &totals_fops);
}

void softtdx_show_exit(void)
{
	debugfs_remove(top);
}
