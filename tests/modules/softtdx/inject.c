// SPDX-License-Identifier: GPL-2.0
/*
 * Failures of the callbacks, as the real TDX module has them. To the VM's 'inject' is
 * written: 'busy N' or 'error N', the next N installations fail; 'delay N MS', they take
 * that long, while KVM keeps the mirror's entry frozen.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/uaccess.h>
#include "softtdx.h"

#define DELAY_MAX_MS	1000
#define LINE_MAX_BYTES	64

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

static int inject_line(struct softtdx_vm *vm, const char *line)
{
	unsigned int count, ms;
	char what[8];
	int words = sscanf(line, "%7s %u %u", what, &count, &ms);

	if (words < 2 || count > INT_MAX)
		return -EINVAL;
	if (!strcmp(what, "busy") && words == 2) {
		atomic_set(&vm->busy, count);
	} else if (!strcmp(what, "error") && words == 2) {
		atomic_set(&vm->errors, count);
	} else if (!strcmp(what, "delay") && words == 3 && ms <= DELAY_MAX_MS) {
		WRITE_ONCE(vm->delay_ms, ms);
		atomic_set(&vm->delays, count);
	} else {
		return -EINVAL;
	}
	return 0;
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
