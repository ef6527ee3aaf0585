// SPDX-License-Identifier: GPL-2.0
/*
 * The one layout in force: who takes it, who holds it, why there is none; and
 * debugfs 'layout'.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "action.h"
#include "agent.h"
#include "layout.h"
#include "vm.h"

/*
 * Write: the layout changes. Read: it is used; an open file of a VM, and what can be
 * taken back, count in spt_holders.
 */
static DECLARE_RWSEM(spt_layout_sem);
static bool spt_layout_valid;
static atomic_t spt_holders = ATOMIC_INIT(0);
static char spt_reason[SPT_REASON_SIZE];

/*
 * Keeps the layout in force until spt_layout_release(). The count, not the
 * semaphore, is what a holder keeps: it may return to user space meanwhile.
 */
int spt_layout_hold(void)
{
	int error = -ENODEV;

	down_read(&spt_layout_sem);
	if (spt_layout_valid) {
		atomic_inc(&spt_holders);
		error = 0;
	}
	up_read(&spt_layout_sem);
	return error;
}

/* The same with a reference of the vendor module, which ends with spt_vendor_put(). */
int spt_layout_hold_vendor(struct module **vendor)
{
	int error = -ENODEV;

	*vendor = NULL;
	down_read(&spt_layout_sem);
	if (spt_layout_valid)
		*vendor = spt_vendor_get();
	if (*vendor) {
		atomic_inc(&spt_holders);
		error = 0;
	}
	up_read(&spt_layout_sem);
	return error;
}

void spt_layout_release(void)
{
	atomic_dec(&spt_holders);
}

int spt_layout_enter(void)
{
	down_read(&spt_layout_sem);
	if (spt_layout_valid)
		return 0;
	up_read(&spt_layout_sem);
	return -ENODEV;
}

void spt_layout_leave(void)
{
	up_read(&spt_layout_sem);
}

/*
 * The vendor module goes: its symbols do too. No file of a VM is open, each
 * would hold that module; a scan that is under way is waited for.
 */
void spt_layout_drop(const char *reason)
{
	down_write(&spt_layout_sem);
	if (spt_layout_valid) {
		spt_layout_valid = false;
		strscpy(spt_reason, reason, sizeof(spt_reason));
	}
	up_write(&spt_layout_sem);
}

/* False when a layout is in force, else why there is none ("" when nobody offered one). */
bool spt_layout_reason(char *reason, size_t size)
{
	bool none;

	down_read(&spt_layout_sem);
	none = !spt_layout_valid;
	strscpy(reason, none ? spt_reason : "", size);
	up_read(&spt_layout_sem);
	return none;
}

static int spt_layout_take(const struct spt_layout_blob *blob, struct spt_refusal *why)
{
	struct spt_layout *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	int error;

	spt_undo_reap();
	if (!fresh)
		return spt_refuse(why, -ENOMEM, "no memory");
	error = spt_layout_check(blob, fresh, why);
	if (error)
		goto free;
	down_write(&spt_layout_sem);
	if (atomic_read(&spt_holders)) {
		error = spt_refuse(why, -EBUSY, "a file of a VM is open, or there is an undo");
	} else {
		spt_layout_valid = false;
		spt_layout = *fresh;
		error = spt_layout_check_live(why);
		/* Actions alone call KVM's functions. */
		if (!error && spt_armed)
			spt_calls_update();
		spt_layout_valid = !error;
	}
	up_write(&spt_layout_sem);
free:
	kfree(fresh);
	return error;
}

static ssize_t spt_layout_write(struct file *file, const char __user *from, size_t size,
				loff_t *at)
{
	struct spt_layout_blob *blob;
	struct spt_refusal why = { };
	int error;

	if (size != sizeof(*blob)) {
		error = spt_refuse(&why, -EINVAL, "a layout has %zu bytes, not %zu", sizeof(*blob),
				   size);
	} else {
		blob = memdup_user(from, size);
		if (IS_ERR(blob))
			return PTR_ERR(blob);
		error = spt_layout_take(blob, &why);
		kfree(blob);
	}
	if (!error)
		return size;
	pr_err("layout refused: %s\n", why.text);
	down_write(&spt_layout_sem);
	if (!spt_layout_valid)
		strscpy(spt_reason, why.text, sizeof(spt_reason));
	up_write(&spt_layout_sem);
	return error;
}

static void spt_layout_show_field(struct seq_file *seq, enum spt_field_id id)
{
	const struct spt_field_name *name = &spt_field_names[id];
	const struct spt_field *field = &spt_layout.field[id];

	seq_printf(seq, "%s %s %s ", name->name, name->type, name->path[0] ? name->path : "-");
	if (!field->present)
		seq_puts(seq, "n/a\n");
	else if (field->shift || (spt_layout.flags[id] & SPT_FIELD_BITS))
		seq_printf(seq, "offset %u bit %u mask %#llx\n", field->offset, field->shift,
			   field->mask);
	else
		seq_printf(seq, "offset %u size %u\n", field->offset, spt_layout.bytes[id]);
}

static int spt_layout_show(struct seq_file *seq, void *unused)
{
	unsigned int i;

	if (spt_layout_enter()) {
		seq_puts(seq, "none\n");
		return 0;
	}
	for (i = 0; i < SPT_F_COUNT; i++)
		spt_layout_show_field(seq, i);
	for (i = 0; i < SPT_S_COUNT; i++) {
		seq_printf(seq, "%s:%s ", spt_symbol_names[i].module, spt_symbol_names[i].name);
		if (spt_layout.symbol[i])
			seq_printf(seq, "%#llx\n", spt_layout.symbol[i]);
		else
			seq_puts(seq, "n/a\n");
	}
	spt_layout_leave();
	return 0;
}

static int spt_layout_open(struct inode *inode, struct file *file)
{
	int error = spt_may_open();

	return error ? error : single_open(file, spt_layout_show, NULL);
}

const struct file_operations spt_layout_fops = {
	.owner = THIS_MODULE,
	.open = spt_layout_open,
	.read = seq_read,
	.write = spt_layout_write,
	.llseek = seq_lseek,
	.release = single_release,
};
