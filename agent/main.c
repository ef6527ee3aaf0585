// SPDX-License-Identifier: GPL-2.0
/*
 * spt_agent: shows KVM's second-stage page tables through debugfs, and changes
 * them when it was loaded with armed=1.
 */
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/security.h>

#include "agent.h"
#include "layout.h"

bool spt_armed;
module_param_named(armed, spt_armed, bool, 0400);
MODULE_PARM_DESC(armed, "allow actions");

/* What the files show is kernel memory: the rules of /proc/kcore apply. */
int spt_may_open(void)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return security_locked_down(LOCKDOWN_KCORE);
}

/* Addresses in the vendor module are void once it is gone. */
static int spt_module_event(struct notifier_block *block, unsigned long event, void *module)
{
	const char *name = ((struct module *)module)->name;

	if (event == MODULE_STATE_GOING && (!strcmp(name, "kvm_amd") || !strcmp(name, "kvm_intel")))
		spt_layout_drop("the vendor module was unloaded");
	return NOTIFY_DONE;
}

static struct notifier_block spt_module_block = {
	.notifier_call = spt_module_event,
};

static int __init spt_init(void)
{
	int error;

	error = spt_actions_create();
	if (error)
		return error;
	error = register_module_notifier(&spt_module_block);
	if (error)
		goto actions;
	error = spt_debugfs_create();
	if (!error)
		return 0;
	unregister_module_notifier(&spt_module_block);
actions:
	spt_actions_remove();
	return error;
}

static void __exit spt_exit(void)
{
	/* No file is open any more, and none will be. */
	spt_debugfs_remove();
	spt_actions_remove();
	unregister_module_notifier(&spt_module_block);
}

module_init(spt_init);
module_exit(spt_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Exports KVM's second-stage page tables, and acts on them when armed");
MODULE_VERSION(SPT_AGENT_VERSION);
