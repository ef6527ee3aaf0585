// SPDX-License-Identifier: GPL-2.0
/*
 * breaker: changes one word of a VM's MMU state behind KVM's back, and puts it back,
 * so that the tests can see each rule of the audit fire.
 *
 *   insmod breaker.ko lab=1 vm_list=0xADDRESS    the address from /proc/kallsyms
 *   echo 'PLACE AT OFFSET SIZE OP VALUE' > .../breaker/parameters/poke
 *   echo 1 > .../breaker/parameters/restore      all pokes, the last one first
 *
 * The VM is the newest one. It must be paused while something is broken, and whole
 * again before it runs or ends: unloading puts back what is left. PLACE, and what AT
 * is for it:
 *
 *   memory	physical address; what lies there, a page table for example
 *   page	HPA of a table: its struct kvm_mmu_page
 *   pointed	HPA of a table + N: element N, of SIZE bytes, of the array that the
 *		pointer at OFFSET of its struct kvm_mmu_page leads to
 *   private	HPA of a page: page_private() of it (OFFSET 0)
 *   kvm	0: struct kvm
 *   mmu	number of a vCPU: the struct kvm_mmu that it uses
 *   vcpu	number of a vCPU: struct kvm_vcpu
 *   slot	gfn: the struct kvm_memory_slot that has it
 *   dirty	gfn: the word of its slot's dirty bitmap with its bit (OFFSET 0)
 *   track	gfn: its write-track count (OFFSET 0)
 *   lpage	gfn: kvm_lpage_info of the page of level OFFSET
 *   rmap	gfn: kvm_rmap_head of the page of level OFFSET
 *
 * OP is one of = + - ^ | & and VALUE a number, or with '@' before it the address
 * at which the kernel sees that physical memory.
 */
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>

/* No machine that matters is that small. */
#define BREAK_MEMORY_MAX	(4ULL << 30)
#define BREAK_POKES_MAX		32
#define BREAK_WORDS		6

static bool break_lab;
module_param_named(lab, break_lab, bool, 0400);
MODULE_PARM_DESC(lab, "1: this is a lab; nothing here is worth keeping");

static unsigned long break_vms;
module_param_named(vm_list, break_vms, ulong, 0400);
MODULE_PARM_DESC(vm_list, "address of KVM's vm_list");

struct break_poke {
	void *at;
	u8 size;
	u64 before;
	u64 after;
};

struct break_where {
	u64 at;
	u64 offset;
	u64 size;
};

static DEFINE_MUTEX(break_mutex);
static struct kvm *break_kvm;	/* of the pokes; referenced while there are any */
static struct break_poke break_pokes[BREAK_POKES_MAX];
static unsigned int break_count;

static u64 break_load(const void *at, u8 size)
{
	u64 value = 0;

	memcpy(&value, at, size);
	return value;
}

static void break_store(void *at, u8 size, u64 value)
{
	if (size == sizeof(u64))
		WRITE_ONCE(*(u64 *)at, value);
	else
		memcpy(at, &value, size);
}

static void *break_memory(struct kvm *kvm, const struct break_where *where)
{
	if (!pfn_valid(PHYS_PFN(where->at)))
		return NULL;
	return __va(where->at) + where->offset;
}

static void *break_page(struct kvm *kvm, const struct break_where *where)
{
	void *sp;

	if (!pfn_valid(PHYS_PFN(where->at)))
		return NULL;
	sp = (void *)page_private(pfn_to_page(PHYS_PFN(where->at)));
	return virt_addr_valid(sp) ? sp + where->offset : NULL;
}

static void *break_pointed(struct kvm *kvm, const struct break_where *where)
{
	struct break_where field = { .at = where->at & PAGE_MASK, .offset = where->offset };
	void **pointer = break_page(kvm, &field);

	if (!pointer || !virt_addr_valid(*pointer))
		return NULL;
	return *pointer + (where->at & ~PAGE_MASK) * where->size;
}

static void *break_private(struct kvm *kvm, const struct break_where *where)
{
	if (!pfn_valid(PHYS_PFN(where->at)))
		return NULL;
	return &pfn_to_page(PHYS_PFN(where->at))->private;
}

static void *break_struct_kvm(struct kvm *kvm, const struct break_where *where)
{
	return (void *)kvm + where->offset;
}

static void *break_mmu(struct kvm *kvm, const struct break_where *where)
{
	struct kvm_vcpu *vcpu = kvm_get_vcpu(kvm, where->at);

	return vcpu ? (void *)vcpu->arch.mmu + where->offset : NULL;
}

static void *break_vcpu(struct kvm *kvm, const struct break_where *where)
{
	void *vcpu = kvm_get_vcpu(kvm, where->at);

	return vcpu ? vcpu + where->offset : NULL;
}

static struct kvm_memory_slot *break_slot_of(struct kvm *kvm, u64 gfn)
{
	return __gfn_to_memslot(__kvm_memslots(kvm, 0), gfn);
}

static void *break_slot(struct kvm *kvm, const struct break_where *where)
{
	void *slot = break_slot_of(kvm, where->at);

	return slot ? slot + where->offset : NULL;
}

static void *break_dirty(struct kvm *kvm, const struct break_where *where)
{
	struct kvm_memory_slot *slot = break_slot_of(kvm, where->at);

	if (!slot || !slot->dirty_bitmap)
		return NULL;
	return &slot->dirty_bitmap[BIT_WORD(where->at - slot->base_gfn)];
}

static void *break_track(struct kvm *kvm, const struct break_where *where)
{
	struct kvm_memory_slot *slot = break_slot_of(kvm, where->at);
	unsigned short *counts;

	if (!slot)
		return NULL;
#ifdef SPT_HAVE_WRITE_TRACK
	counts = slot->arch.gfn_write_track;
#else
	counts = slot->arch.gfn_track[0];
#endif
	return counts ? &counts[where->at - slot->base_gfn] : NULL;
}

/* KVM's gfn_to_index(): of the page in an array of its level. */
static u64 break_index(u64 gfn, const struct kvm_memory_slot *slot, int level)
{
	return (gfn >> KVM_HPAGE_GFN_SHIFT(level)) - (slot->base_gfn >> KVM_HPAGE_GFN_SHIFT(level));
}

static void *break_lpage(struct kvm *kvm, const struct break_where *where)
{
	struct kvm_memory_slot *slot = break_slot_of(kvm, where->at);
	int level = where->offset;

	if (!slot || level < PG_LEVEL_2M || level > KVM_MAX_HUGEPAGE_LEVEL)
		return NULL;
	return &slot->arch.lpage_info[level - 2][break_index(where->at, slot, level)];
}

static void *break_rmap(struct kvm *kvm, const struct break_where *where)
{
	struct kvm_memory_slot *slot = break_slot_of(kvm, where->at);
	int level = where->offset;

	if (!slot || level < PG_LEVEL_4K || level > KVM_MAX_HUGEPAGE_LEVEL ||
	    !slot->arch.rmap[level - 1])
		return NULL;
	return &slot->arch.rmap[level - 1][break_index(where->at, slot, level)];
}

static const struct {
	const char *name;
	void *(*find)(struct kvm *kvm, const struct break_where *where);
} break_places[] = {
	{ "memory", break_memory },
	{ "page", break_page },
	{ "pointed", break_pointed },
	{ "private", break_private },
	{ "kvm", break_struct_kvm },
	{ "mmu", break_mmu },
	{ "vcpu", break_vcpu },
	{ "slot", break_slot },
	{ "dirty", break_dirty },
	{ "track", break_track },
	{ "lpage", break_lpage },
	{ "rmap", break_rmap },
};

/* The address that is meant; the caller holds srcu. NULL: there is none. */
static void *break_find(const char *place, const struct break_where *where)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(break_places); i++)
		if (!strcmp(place, break_places[i].name))
			return break_places[i].find(break_kvm, where);
	return NULL;
}

static int break_compute(const char *op, u64 before, u64 value, u64 *after)
{
	switch (op[0]) {
	case '=':
		*after = value;
		return 0;
	case '+':
		*after = before + value;
		return 0;
	case '-':
		*after = before - value;
		return 0;
	case '^':
		*after = before ^ value;
		return 0;
	case '|':
		*after = before | value;
		return 0;
	case '&':
		*after = before & value;
		return 0;
	}
	return -EINVAL;
}

static int break_value(const char *text, u64 *value)
{
	bool address = text[0] == '@';

	if (kstrtoull(text + address, 0, value))
		return -EINVAL;
	if (address)
		*value = (unsigned long)__va(*value);
	return 0;
}

static int break_poke_at(const char *place, const struct break_where *where, const char *op,
			 u64 value)
{
	struct break_poke *poke = &break_pokes[break_count];
	int error;
	int idx;

	if (where->size != 1 && where->size != 2 && where->size != 4 && where->size != 8)
		return -EINVAL;
	idx = srcu_read_lock(&break_kvm->srcu);
	poke->at = break_find(place, where);
	srcu_read_unlock(&break_kvm->srcu, idx);
	if (!poke->at)
		return -ENOENT;
	poke->size = where->size;
	write_lock(&break_kvm->mmu_lock);
	poke->before = break_load(poke->at, poke->size);
	error = break_compute(op, poke->before, value, &poke->after);
	if (!error) {
		break_store(poke->at, poke->size, poke->after);
		poke->after = break_load(poke->at, poke->size);
	}
	write_unlock(&break_kvm->mmu_lock);
	break_count += !error;
	return error;
}

static int break_take_vm(void)
{
	struct list_head *list = (struct list_head *)break_vms;
	struct kvm *kvm;

	if (break_kvm)
		return 0;
	if (list_empty(list))
		return -ENOENT;
	kvm = list_first_entry(list, struct kvm, vm_list);
	if (!kvm_get_kvm_safe(kvm))
		return -ENOENT;
	break_kvm = kvm;
	return 0;
}

/* -EUCLEAN: somebody changed meanwhile what was broken; it is put back all the same. */
static int break_restore(void)
{
	int error = 0;

	if (!break_kvm)
		return 0;
	write_lock(&break_kvm->mmu_lock);
	while (break_count) {
		struct break_poke *poke = &break_pokes[--break_count];

		if (break_load(poke->at, poke->size) != poke->after)
			error = -EUCLEAN;
		break_store(poke->at, poke->size, poke->before);
	}
	write_unlock(&break_kvm->mmu_lock);
	kvm_put_kvm(break_kvm);
	break_kvm = NULL;
	return error;
}

static int break_line(char *line)
{
	struct break_where where;
	char *word[BREAK_WORDS];
	unsigned int i;
	u64 value;
	int error;

	for (i = 0; i < BREAK_WORDS; i++) {
		word[i] = strsep(&line, " ");
		if (!word[i] || !*word[i])
			return -EINVAL;
	}
	if (kstrtoull(word[1], 0, &where.at) || kstrtoull(word[2], 0, &where.offset) ||
	    kstrtoull(word[3], 0, &where.size) || break_value(word[5], &value))
		return -EINVAL;
	if (break_count == BREAK_POKES_MAX)
		return -ENOSPC;
	error = break_take_vm();
	if (error)
		return error;
	error = break_poke_at(word[0], &where, word[4], value);
	if (error && !break_count)
		break_restore();
	return error;
}

static int break_poke_set(const char *text, const struct kernel_param *param)
{
	char *line = kstrdup(text, GFP_KERNEL);
	int error;

	if (!line)
		return -ENOMEM;
	mutex_lock(&break_mutex);
	error = break_line(strim(line));
	mutex_unlock(&break_mutex);
	kfree(line);
	return error;
}

static int break_restore_set(const char *text, const struct kernel_param *param)
{
	int error;

	mutex_lock(&break_mutex);
	error = break_restore();
	mutex_unlock(&break_mutex);
	return error;
}

static int break_count_get(char *to, const struct kernel_param *param)
{
	return sysfs_emit(to, "%u\n", break_count);
}

static const struct kernel_param_ops break_poke_ops = {
	.set = break_poke_set,
	.get = break_count_get,
};

static const struct kernel_param_ops break_restore_ops = {
	.set = break_restore_set,
	.get = break_count_get,
};

module_param_cb(poke, &break_poke_ops, NULL, 0600);
MODULE_PARM_DESC(poke, "PLACE AT OFFSET SIZE OP VALUE");
module_param_cb(restore, &break_restore_ops, NULL, 0600);
MODULE_PARM_DESC(restore, "written: everything is as it was");

static int __init break_init(void)
{
	if (!break_lab || !break_vms)
		return -EINVAL;
	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR) &&
	    (u64)totalram_pages() << PAGE_SHIFT > BREAK_MEMORY_MAX) {
		pr_err("this machine is no lab\n");
		return -EPERM;
	}
	return 0;
}

static void __exit break_exit(void)
{
	break_restore();
}

module_init(break_init);
module_exit(break_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Breaks invariants of a VM's page tables for the tests");
