// SPDX-License-Identifier: GPL-2.0
/*
 * The external tables, in the pages that KVM allocates for them and never looks at
 * (kvm_mmu_page.external_spt). KVM's callbacks come with mmu_lock held, for reading
 * too: nothing here sleeps, and other entries may change at the same time.
 */
#include <linux/llist.h>
#include <linux/mm.h>
#include "softtdx.h"

static unsigned int index_of(u64 gfn, int level)
{
	return gfn >> (9 * (level - 1)) & 511;
}

/* The entry of @level for @gfn; NULL: the tables above do not reach it. */
static u64 *find_entry(struct softtdx_vm *vm, u64 gfn, int level)
{
	u64 *table = vm->root;
	int at;

	for (at = vm->levels; at > level; at--) {
		u64 entry = READ_ONCE(table[index_of(gfn, at)]);

		if (!entry)
			return NULL;
		table = __va(entry & SOFTTDX_ADDRESS);
	}
	return &table[index_of(gfn, level)];
}

static void store(struct softtdx_vm *vm, u64 *entry, u64 gfn, int level, u64 value)
{
	WRITE_ONCE(*entry, value);
	softtdx_note(vm, gfn & ~((1ULL << (9 * (level - 1))) - 1), level, value);
	if (level == vm->levels)
		softtdx_splice(vm, index_of(gfn, level));
}

/* The table that KVM allocated for the child of a mirror entry; KVM clears it not. */
static u64 child_of(u64 spte)
{
	struct page *page = pfn_to_page((spte & SOFTTDX_ADDRESS) >> PAGE_SHIFT);
	void *sp = (void *)page_private(page);
	void *table = *(void **)(sp + softtdx_types.sp_external_spt);

	clear_page(table);
	atomic64_inc(&softtdx_pages);
	return __pa(table) | SOFTTDX_TABLE;
}

/* Whether mmu_lock is held for reading, when a failure is allowed. */
static bool shared_mode(struct kvm *kvm)
{
	return !READ_ONCE(kvm->mmu_lock.raw_lock.wlocked);
}

static int set_entry(struct softtdx_vm *vm, gfn_t gfn, u64 new_spte, int level)
{
	bool present = new_spte & SOFTTDX_PRESENT;
	bool leaf = level == PG_LEVEL_4K || new_spte & SOFTTDX_LARGE;
	u64 *entry = find_entry(vm, gfn, level);
	u64 before;

	if (!entry) {
		softtdx_count(vm, SOFTTDX_COUNT_LOST);
		return 0;
	}
	before = READ_ONCE(*entry);
	if (!present) {
		store(vm, entry, gfn, level, 0);
		if (before)
			softtdx_count(vm, SOFTTDX_COUNT_CLEARED);
	} else if (!leaf) {
		store(vm, entry, gfn, level, child_of(new_spte));
		softtdx_count(vm, SOFTTDX_COUNT_LINKED);
	} else {
		store(vm, entry, gfn, level, new_spte & ~SOFTTDX_SOFTWARE);
		softtdx_count(vm, before ? SOFTTDX_COUNT_CHANGED : SOFTTDX_COUNT_SET);
	}
	return 0;
}

int softtdx_set_external_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte, int level)
{
	struct softtdx_vm *vm;
	int error = 0;

	rcu_read_lock();
	vm = softtdx_find(kvm);
	if (vm && new_spte & SOFTTDX_PRESENT && shared_mode(kvm))
		error = softtdx_inject(vm);
	if (vm && !error)
		error = set_entry(vm, gfn, new_spte, level);
	rcu_read_unlock();
	return error;
}

static LLIST_HEAD(kept);	/* tables that were to be freed, see inject.c */

static void free_table(struct rcu_head *head)
{
	struct page *page = container_of(head, struct page, rcu_head);

	__free_page(page);
	atomic64_dec(&softtdx_pages);
}

void softtdx_free_kept(void)
{
	struct llist_node *at = llist_del_all(&kept);

	while (at) {
		unsigned long page = (unsigned long)at;

		at = at->next;
		free_page(page);
	}
}

/* KVM took a table out of the mirror, and all that was below it before. */
void softtdx_free_external_spt(struct kvm *kvm, void *sp)
{
	void **external = sp + softtdx_types.sp_external_spt;
	u32 role = *(u32 *)(sp + softtdx_types.sp_role);
	int above = (role >> softtdx_types.role_level & 15) + 1;
	u64 gfn = *(u64 *)(sp + softtdx_types.sp_gfn);
	struct softtdx_vm *vm;
	u64 *entry;

	if (!*external)
		return;
	rcu_read_lock();
	vm = softtdx_find(kvm);
	if (vm && !softtdx_inject_forget(vm)) {
		entry = find_entry(vm, gfn, above);
		if (entry)
			store(vm, entry, gfn, above, 0);
		softtdx_count(vm, entry ? SOFTTDX_COUNT_FREED : SOFTTDX_COUNT_LOST);
		/* Who reads the tables under RCU may be in it still. */
		if (softtdx_inject_keep(vm))
			llist_add(*external, &kept);
		else
			call_rcu(&virt_to_page(*external)->rcu_head, free_table);
		*external = NULL;
	}
	rcu_read_unlock();
}
