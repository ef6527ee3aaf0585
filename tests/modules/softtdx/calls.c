// SPDX-License-Identifier: GPL-2.0
/* KVM's calls of its vendor's code that this module takes part in. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/static_call.h>
#include "softtdx.h"

DEFINE_STATIC_CALL_NULL(softtdx_vendor_vm_destroy, softtdx_vm_destroy_prototype);
DEFINE_STATIC_CALL_NULL(softtdx_vendor_load_mmu_pgd, softtdx_load_mmu_pgd_prototype);

static void vm_destroy(struct kvm *kvm)
{
	static_call(softtdx_vendor_vm_destroy)(kvm);
	softtdx_vm_drop(kvm);
}

static void load_mmu_pgd(struct kvm_vcpu *vcpu, hpa_t root_hpa, int level)
{
	struct softtdx_vm *vm;

	rcu_read_lock();
	vm = softtdx_find(vcpu->kvm);
	if (vm)
		softtdx_splice_root(vm, root_hpa);
	rcu_read_unlock();
	static_call(softtdx_vendor_load_mmu_pgd)(vcpu, root_hpa, level);
}

struct call {
	const char *key, *tramp;
	const char *before;	/* symbol that it must be, NULL: no function */
	void *ours;
	struct static_call_key *site;
	void *site_tramp;
	void *saved;
};

#define CALL(name, ours, before) \
	{ "kvm:__SCK__kvm_x86_" name, "kvm:__SCT__kvm_x86_" name, before, ours }

static struct call calls[] = {
	CALL("set_external_spte", softtdx_set_external_spte, "__static_call_return0"),
	CALL("free_external_spt", softtdx_free_external_spt, NULL),
	CALL("vm_destroy", vm_destroy, "kvm_amd:svm_vm_destroy"),
	CALL("load_mmu_pgd", load_mmu_pgd, "kvm_amd:svm_load_mmu_pgd"),
};

static int find_call(struct call *call)
{
	unsigned long before = 0;

	call->site = (void *)softtdx_symbol(call->key);
	call->site_tramp = (void *)softtdx_symbol(call->tramp);
	if (!call->site || !call->site_tramp)
		return -EOPNOTSUPP;
	call->saved = READ_ONCE(call->site->func);
	if (call->before)
		before = softtdx_symbol(call->before);
	if ((unsigned long)call->saved != before) {
		pr_err("%s is %pS already\n", call->key, call->saved);
		return -EBUSY;
	}
	return 0;
}

int softtdx_calls_install(void)
{
	unsigned int i;
	int error;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		error = find_call(&calls[i]);
		if (error)
			return error;
	}
	static_call_update(softtdx_vendor_vm_destroy, calls[2].saved);
	static_call_update(softtdx_vendor_load_mmu_pgd, calls[3].saved);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		__static_call_update(calls[i].site, calls[i].site_tramp, calls[i].ours);
	return 0;
}

/* No VM is converted any more. Waits until nobody is in this module's code. */
void softtdx_calls_restore(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		__static_call_update(calls[i].site, calls[i].site_tramp, calls[i].saved);
	synchronize_rcu_tasks();
}
