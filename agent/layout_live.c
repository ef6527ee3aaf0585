// SPDX-License-Identifier: GPL-2.0
/*
 * The layout tried on live objects: would they make sense if it were right?
 * All of it reads only, through accessors that cannot fault, before anything
 * of KVM is called or locked at an address that the layout gave.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/srcu.h>

#include "layout.h"
#include "page.h"
#include "vm.h"

/* Pages of a list that are tried, vCPUs of a VM likewise. */
#define SPT_TRY_PAGES	64
#define SPT_TRY_VCPUS	64
#define SPT_VCPUS_MAX	4096

static int spt_check_vendor(const struct module *vendor, struct spt_refusal *why)
{
	const char *expected = spt_layout.vendor == SPT_VENDOR_SVM ? "kvm_amd" : "kvm_intel";

	if (strcmp(vendor->name, expected))
		return spt_refuse(why, -ESTALE, "KVM runs with %s, the layout is for %s",
				  vendor->name, expected);
	return 0;
}

static int spt_check_flag(enum spt_symbol_id id, struct spt_refusal *why)
{
	u64 value;
	int error = spt_load_symbol(id, 1, &value);

	if (error == -ENOENT)
		return 0;
	if (error || value > 1)
		return spt_refuse(why, -EBADMSG, "%s is no bool: %#llx",
				  spt_symbol_names[id].name, value);
	return 0;
}

static int spt_check_masks(struct spt_refusal *why)
{
	static const enum spt_symbol_id flags[] = {
		SPT_S_MMIO_CACHING, SPT_S_TDP_ENABLED, SPT_S_AD_ENABLED, SPT_S_TDP_MMU_ENABLED,
		SPT_S_ENABLE_EPT_AD_BITS,
	};
	u64 host;
	u64 mmu;
	unsigned int i;
	int error;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		error = spt_check_flag(flags[i], why);
		if (error)
			return error;
	}
	if (spt_load_symbol(SPT_S_HOST_WRITABLE_MASK, 8, &host) ||
	    spt_load_symbol(SPT_S_MMU_WRITABLE_MASK, 8, &mmu) ||
	    hweight64(host) != 1 || hweight64(mmu) != 1 || host == mmu)
		return spt_refuse(why, -EBADMSG, "host and MMU writable masks: %#llx %#llx",
				  host, mmu);
	return 0;
}

static int spt_check_vmcs(struct spt_refusal *why)
{
	const void __percpu *current_vmcs;
	unsigned int cpu;
	void *vmcs;

	if (!spt_layout.symbol[SPT_S_CURRENT_VMCS])
		return 0;
	current_vmcs = (const void __percpu *)(unsigned long)
		       spt_layout.symbol[SPT_S_CURRENT_VMCS];
	for_each_online_cpu(cpu)
		if (spt_read(&vmcs, per_cpu_ptr(current_vmcs, cpu), sizeof(vmcs)) ||
		    (vmcs && !spt_in_direct_map(vmcs, PAGE_SIZE)))
			return spt_refuse(why, -EBADMSG, "current_vmcs of CPU %u is no VMCS", cpu);
	return 0;
}

static int spt_check_mm(const struct spt_vm_id *id, struct spt_refusal *why)
{
	const struct mm_struct *mm = id->mm;
	atomic_t count;
	pgd_t *pgd;

	if (spt_read(&count, &mm->mm_count, sizeof(count)) || atomic_read(&count) <= 0 ||
	    spt_read(&pgd, &mm->pgd, sizeof(pgd)) || !spt_in_direct_map(pgd, PAGE_SIZE))
		return spt_refuse(why, -EBADMSG, "mm of VM %s is no mm", id->name);
	return 0;
}

static int spt_check_srcu(const struct spt_vm_id *id, struct spt_refusal *why)
{
	const struct srcu_struct *srcu = spt_at(id->kvm, SPT_F_KVM_SRCU);
	struct srcu_struct *back;
	struct srcu_data __percpu *sda;

	if (spt_read(&sda, &srcu->sda, sizeof(sda)) ||
	    spt_read(&back, &per_cpu_ptr(sda, 0)->ssp, sizeof(back)) || back != srcu)
		return spt_refuse(why, -EBADMSG, "srcu of VM %s is no srcu_struct", id->name);
	return 0;
}

static unsigned int spt_as_count(const struct kvm *kvm)
{
	u64 private;

	/* kvm_arch_nr_memslot_as_ids() */
	if (!spt_load(kvm, SPT_F_KVM_HAS_PRIVATE_MEM, &private) && private)
		return 1;
	return spt_layout.bytes[SPT_F_KVM_MEMSLOTS] / sizeof(void *);
}

static int spt_check_slots(const struct spt_vm_id *id, struct spt_refusal *why)
{
	void *const *sets = spt_at(id->kvm, SPT_F_KVM_MEMSLOTS);
	unsigned int count = spt_as_count(id->kvm);
	unsigned int as;

	for (as = 0; as < count; as++) {
		struct rb_root tree;
		u64 generation;
		void *slots;
		u64 node;

		if (spt_read(&slots, &sets[as], sizeof(slots)) ||
		    spt_load(slots, SPT_F_SLOTS_GENERATION, &generation) ||
		    spt_load(slots, SPT_F_SLOTS_NODE_IDX, &node) || node > 1 ||
		    spt_read(&tree, spt_at(slots, SPT_F_SLOTS_GFN_TREE), sizeof(tree)))
			return spt_refuse(why, -EBADMSG, "memslots of VM %s are none", id->name);
		/* Each address space starts at its number and counts in steps of their count. */
		if ((generation & ~BIT_ULL(63)) % count != as || (generation << 1) >> 60)
			return spt_refuse(why, -EBADMSG, "VM %s: memslot generation %#llx",
					  id->name, generation);
	}
	return 0;
}

static int spt_check_vcpu(const struct spt_vm_id *id, const void *vcpu, unsigned int i,
			  struct spt_refusal *why)
{
	const void *mmu;
	u64 idx;

	if (!vcpu || spt_load_pointer(vcpu, SPT_F_VCPU_KVM) != id->kvm ||
	    spt_load(vcpu, SPT_F_VCPU_IDX, &idx) || idx != i)
		return spt_refuse(why, -EBADMSG, "vCPU %u of VM %s is none", i, id->name);
	mmu = spt_load_pointer(vcpu, SPT_F_VCPU_MMU);
	if (mmu != spt_at(vcpu, SPT_F_VCPU_ROOT_MMU) && mmu != spt_at(vcpu, SPT_F_VCPU_GUEST_MMU))
		return spt_refuse(why, -EBADMSG, "vCPU %u of VM %s has a strange mmu", i,
				  id->name);
	return 0;
}

static int spt_check_vcpus(const struct spt_vm_id *id, struct spt_refusal *why)
{
	const void *array = spt_at(id->kvm, SPT_F_KVM_VCPU_ARRAY);
	u64 online;
	unsigned int i;
	int error;

	if (spt_load(id->kvm, SPT_F_KVM_ONLINE_VCPUS, &online) || online > SPT_VCPUS_MAX)
		return spt_refuse(why, -EBADMSG, "VM %s has %llu vCPUs", id->name, online);
	for (i = 0; i < min_t(u64, online, SPT_TRY_VCPUS); i++) {
		error = spt_check_vcpu(id, spt_xa_load(array, i), i, why);
		if (error)
			return error;
	}
	return 0;
}

/* Most of a root is empty: its commonest entry tells what empty means to this kernel. */
static int spt_check_empty(const struct spt_sp *root, struct spt_refusal *why)
{
	unsigned int empty = 0;
	unsigned int i;
	u64 spte;

	for (i = 0; i < SPT_TABLE_ENTRIES; i++)
		if (!spt_read(&spte, &root->spt[i], sizeof(spte)) &&
		    (spte == spt_layout.empty_spte || spt_spte_present(spte)))
			empty++;
	if (empty < SPT_TABLE_ENTRIES / 2)
		return spt_refuse(why, -EBADMSG, "entries of a root are not %#llx when empty",
				  spt_layout.empty_spte);
	return 0;
}

static int spt_check_page(const struct spt_vm_id *id, const void *sp, bool tdp,
			  struct spt_sp *to, struct spt_refusal *why)
{
	int error = spt_sp_find(sp, to);

	if (error || !spt_sp_backlinked(to))
		return spt_refuse(why, -EBADMSG, "a page of VM %s is no kvm_mmu_page (%s)",
				  id->name, tdp ? "tdp_mmu_roots" : "active_mmu_pages");
	if (tdp != !!spt_number(to->copy, SPT_F_SP_TDP_MMU_PAGE))
		return spt_refuse(why, -EBADMSG, "a page of VM %s is in the wrong list", id->name);
	return 0;
}

/* Tries the first pages of a list; RCU or the list's lock keeps them. */
static int spt_check_pages(const struct spt_vm_id *id, enum spt_field_id list,
			   struct spt_refusal *why)
{
	bool tdp = list == SPT_F_KVM_TDP_MMU_ROOTS;
	const struct list_head *head = spt_at(id->kvm, list);
	const struct list_head *at;
	struct spt_sp *sp = kmalloc(sizeof(*sp), GFP_ATOMIC);
	struct list_head link;
	unsigned int n;
	int error = 0;

	if (!sp)
		return spt_refuse(why, -ENOMEM, "no memory");
	if (spt_read(&link, head, sizeof(link)))
		error = spt_refuse(why, -EBADMSG, "a list of VM %s is unreadable", id->name);
	else if (!link.next && tdp && !spt_vm_tdp_mmu(id->kvm))
		link.next = (struct list_head *)head;	/* as it was allocated: not used */
	else if (!link.next)
		error = spt_refuse(why, -EBADMSG, "a list of VM %s is none", id->name);
	for (n = 0, at = link.next; !error && at != head && n < SPT_TRY_PAGES; n++) {
		error = spt_check_page(id, (void *)at - spt_layout.field[SPT_F_SP_LINK].offset,
				       tdp, sp, why);
		if (!error && tdp)
			error = spt_check_empty(sp, why);
		if (!error && spt_read(&at, &at->next, sizeof(at)))
			error = spt_refuse(why, -EBADMSG, "a list of VM %s is broken", id->name);
	}
	kfree(sp);
	return error;
}

static int spt_check_lists(const struct spt_vm_id *id, struct spt_refusal *why)
{
	rwlock_t *lock = (rwlock_t *)spt_at(id->kvm, SPT_F_KVM_MMU_LOCK);
	int error;

	rcu_read_lock();
	error = spt_check_pages(id, SPT_F_KVM_TDP_MMU_ROOTS, why);
	rcu_read_unlock();
	/* Somebody keeps the lock: the pages are checked again whenever they are read. */
	if (error || !read_trylock(lock))
		return error;
	error = spt_check_pages(id, SPT_F_KVM_ACTIVE_MMU_PAGES, why);
	read_unlock(lock);
	return error;
}

static int spt_check_vm(const struct spt_vm_id *id, struct spt_refusal *why)
{
	static int (*const checks[])(const struct spt_vm_id *id, struct spt_refusal *why) = {
		spt_check_mm, spt_check_srcu, spt_check_slots, spt_check_vcpus, spt_check_lists,
	};
	unsigned int i;
	int error;

	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		error = checks[i](id, why);
		if (error)
			return error;
	}
	return 0;
}

static int spt_check_vms(struct spt_refusal *why)
{
	struct spt_vms vms;
	unsigned int i;
	int error;

	error = spt_vms_get(&vms, why);
	if (error)
		return why->error ? error : spt_refuse(why, error, "no memory");
	for (i = 0; i < vms.count && !error; i++)
		error = spt_check_vm(&vms.vm[i], why);
	spt_vms_put(&vms);
	return error;
}

static void spt_take_mmu(void)
{
	u64 tdp = 0;
	u64 tdp_mmu = 0;

	spt_load_symbol(SPT_S_TDP_ENABLED, 1, &tdp);
	spt_load_symbol(SPT_S_TDP_MMU_ENABLED, 1, &tdp_mmu);
	spt_layout.mmu = !tdp ? SPT_MMU_SHADOW :
			 spt_layout.vendor == SPT_VENDOR_SVM ? SPT_MMU_NPT : SPT_MMU_EPT;
	spt_layout.tdp_mmu = tdp && tdp_mmu;
}

int spt_layout_check_live(struct spt_refusal *why)
{
	struct module *vendor = spt_vendor_get();
	int error;

	if (!vendor)
		return spt_refuse(why, -ENODEV, "KVM has no vendor module");
	error = spt_check_vendor(vendor, why);
	if (!error)
		error = spt_check_masks(why);
	if (!error)
		error = spt_check_vmcs(why);
	if (!error) {
		spt_take_mmu();
		error = spt_check_vms(why);
	}
	spt_vendor_put(vendor);
	return error;
}
