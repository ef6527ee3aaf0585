// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading, and /dev/softtdx. Lab only: it replaces functions of KVM. It
 * refuses to load where the kernel's command line has no 'spt.lab=1', which the lab gives.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include "softtdx.h"
#include "softtdx_abi.h"

#define LAB_WORD	"spt.lab=1"

static bool softtdx_force;
module_param_named(force, softtdx_force, bool, 0400);
MODULE_PARM_DESC(force, "1: load outside the lab, too; nothing on this machine is worth keeping");

static struct module *vendor;	/* of KVM; referenced while its calls are this module's */

static int convert_ioctl(unsigned long arg)
{
	struct softtdx_convert convert;

	if (copy_from_user(&convert, (void __user *)arg, sizeof(convert)))
		return -EFAULT;
	return softtdx_convert(&convert);
}

static int copy_ioctl(unsigned long arg)
{
	struct softtdx_copy copy;

	if (copy_from_user(&copy, (void __user *)arg, sizeof(copy)))
		return -EFAULT;
	return softtdx_copy(&copy);
}

static long device_ioctl(struct file *file, unsigned int request, unsigned long arg)
{
	switch (request) {
	case SOFTTDX_CONVERT:
		return convert_ioctl(arg);
	case SOFTTDX_COPY:
		return copy_ioctl(arg);
	}
	return -ENOTTY;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "softtdx",
	.fops = &device_fops,
	.mode = 0600,
};

static int check_lab(void)
{
	char **line = (char **)softtdx_symbol("saved_command_line");
	const char *word = line ? strstr(*line, LAB_WORD) : NULL;

	if (softtdx_force)
		return 0;
	if (word && (word == *line || word[-1] == ' ') &&
	    (!word[sizeof(LAB_WORD) - 1] || word[sizeof(LAB_WORD) - 1] == ' '))
		return 0;
	pr_err("this machine is no lab: the kernel's command line has no " LAB_WORD "\n");
	return -EPERM;
}

/* Mirror tables are the TDP MMU's; kvm_amd turns both off together with npt=0. */
static int check_kvm(void)
{
	bool *tdp_mmu = (bool *)softtdx_symbol("kvm:tdp_mmu_enabled");

	if (!tdp_mmu)
		return -EOPNOTSUPP;
	if (*tdp_mmu)
		return 0;
	pr_err("KVM runs without its TDP MMU: load it without npt=0 and tdp_mmu=0\n");
	return -EOPNOTSUPP;
}

static int take_vendor(void)
{
	struct file_operations *fops = (void *)softtdx_symbol("kvm:kvm_chardev_ops");

	if (!fops || !fops->owner || !try_module_get(fops->owner))
		return -ENODEV;
	vendor = fops->owner;
	return 0;
}

static int check_all(void)
{
	int (*const checks[])(void) = {
		softtdx_symbols_init, check_lab, softtdx_types_find, check_kvm, take_vendor,
	};
	unsigned int i;
	int error;

	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		error = checks[i]();
		if (error)
			return error;
	}
	return 0;
}

static int __init softtdx_init(void)
{
	int error = check_all();

	if (error)
		return error;
	error = softtdx_guard_install();
	if (error)
		goto out_vendor;
	error = softtdx_calls_install();
	if (error)
		goto out_guard;
	softtdx_show_init();
	error = misc_register(&device);
	if (!error)
		return 0;
	softtdx_show_exit();
	softtdx_calls_restore();
out_guard:
	softtdx_guard_remove();
out_vendor:
	module_put(vendor);
	return error;
}

/* Every converted VM has a reference to this module: there is none any more. */
static void __exit softtdx_exit(void)
{
	misc_deregister(&device);
	softtdx_calls_restore();
	softtdx_guard_remove();
	rcu_barrier();
	softtdx_free_kept();
	softtdx_show_exit();
	module_put(vendor);
}

module_init(softtdx_init);
module_exit(softtdx_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Plays the TDX module's part for KVM's mirror page tables, in the lab");
