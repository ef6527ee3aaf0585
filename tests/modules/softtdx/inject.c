// SPDX-License-Identifier: GPL-2.0
/*
 * Failures of the callbacks, as the real TDX module has them. To the VM's 'inject' is
 * written: 'busy N' or 'error N', the next N installations fail; 'delay N MS', they take
 * that long, while KVM keeps the mirror's entry frozen. Two controls show that the tests
 * would see it: 'keep N', the next N tables that KVM gives back are not freed before the
 * module goes; 'forget N', the module leaves them to KVM, which warns and loses them.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/uaccess.h>
#include "softtdx.h"

#define DELAY_MAX_MS	1000
#define LINE_MAX_BYTES	64

static const struct {
	const char *name;
	size_t left;	/* offset of how many are to come */
} kinds[] = {
	{ "busy", offsetof(struct softtdx_vm, busy) },
	{ "error", offsetof(struct softtdx_vm, errors) },
	{ "delay", offsetof(struct softtdx_vm, delays) },
	{ "keep", offsetof(struct softtdx_vm, keep) },
	{ "forget", offsetof(struct softtdx_vm, forget) },
};

static bool take(atomic_t *left)
{
	return atomic_read(left) > 0 && atomic_dec_return(left) >= 0;
}

int softtdx_inject(struct softtdx_vm *vm)
{
	if (take(&vm->delays)) {
		softtdx_count(vm, SOFTTDX_COUNT_DELAYS);
		mdelay(READ_ONCE(vm->delay_ms));
	}
	if (take(&vm->busy)) {
		softtdx_count(vm, SOFTTDX_COUNT_BUSY);
		return -EBUSY;
	}
	if (take(&vm->errors)) {
		softtdx_count(vm, SOFTTDX_COUNT_ERRORS);
		return -EIO;
	}
	return 0;
}

bool softtdx_inject_keep(struct softtdx_vm *vm)
{
	return take(&vm->keep);
}

bool softtdx_inject_forget(struct softtdx_vm *vm)
{
	return take(&vm->forget);
}

static int inject_line(struct softtdx_vm *vm, const char *line)
{
	unsigned int count, ms, i;
	char what[8];
	int words = sscanf(line, "%7s %u %u", what, &count, &ms);

	if (words < 2 || count > INT_MAX)
		return -EINVAL;
	if (!strcmp(what, "delay")) {
		if (words != 3 || ms > DELAY_MAX_MS)
			return -EINVAL;
		WRITE_ONCE(vm->delay_ms, ms);
	} else if (words != 2) {
		return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(what, kinds[i].name)) {
			atomic_set((atomic_t *)((void *)vm + kinds[i].left), count);
			return 0;
		}
	return -EINVAL;
}

static ssize_t inject_write(struct file *file, const char __user *from, size_t bytes,
			    loff_t *offset)
{
	char line[LINE_MAX_BYTES];
	int error;

	if (bytes >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, bytes))
		return -EFAULT;
	line[bytes] = 0;
	error = inject_line(file->private_data, line);
	return error ? error : bytes;
}

const struct file_operations softtdx_inject_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = inject_write,
};
