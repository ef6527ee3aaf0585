// SPDX-License-Identifier: GPL-2.0
/*
 * What maps one gfn. The TDP MMU's tables are walked under RCU from each valid
 * root; of shadow pages the slot's reverse maps tell, while mmu_lock is held for
 * read.
 */
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/srcu.h>

#include "action.h"
#include "entries.h"

/* Roots in tdp_mmu_roots, SPTEs of one reverse map, that are looked at. */
#define SPT_ROOT_LIST_MAX	1024
#define SPT_RMAP_DESCS_MAX	4096
/* KVM_RMAP_MANY, and beside it KVM_RMAP_LOCKED where heads have a lock. */
#define SPT_RMAP_MANY		BIT_ULL(0)
#define SPT_RMAP_FLAGS		GENMASK_ULL(1, 0)

u32 spt_role_of(const void *sp)
{
	u64 role;

	spt_load(sp, SPT_F_SP_ROLE, &role);
	return role;
}

u32 spt_role_field(u32 role, enum spt_field_id id)
{
	const struct spt_field *field = &spt_layout.field[id];

	return field->present ? (role >> field->shift) & field->mask : 0;
}

/* The root after @root in the list, the first one after NULL; NULL: there are no more. */
static const void *spt_root_after(const struct kvm *kvm, const void *root)
{
	const struct list_head *head = spt_at(kvm, SPT_F_KVM_TDP_MMU_ROOTS);
	const struct list_head *at = root ? spt_at(root, SPT_F_SP_LINK) : head;
	const struct list_head *next;

	if (spt_read(&next, &at->next, sizeof(next)) || next == head ||
	    !spt_in_direct_map(next, sizeof(void *)))
		return NULL;
	return (const void *)next - spt_layout.field[SPT_F_SP_LINK].offset;
}

int spt_visit_roots(const struct kvm *kvm, int (*visit)(const void *root, void *arg), void *arg)
{
	const void *root = NULL;
	unsigned int n;
	int ret = 0;

	if (!spt_vm_tdp_mmu(kvm))
		return 0;
	for (n = 0; !ret && n < SPT_ROOT_LIST_MAX; n++) {
		root = spt_root_after(kvm, root);
		if (!root)
			break;
		if (!spt_role_field(spt_role_of(root), SPT_F_ROLE_INVALID))
			ret = visit(root, arg);
	}
	return ret;
}

bool spt_root_meant(const struct spt_action *act, const void *root)
{
	return (act->row && act->row->flags & SPT_ACTION_SPACES) ||
	       spt_role_field(spt_role_of(root), SPT_F_ROLE_SMM) == act->target.as_id;
}

bool spt_root_walk(const void *root, u64 gfn, u64 shared_bits, struct spt_entry *entry)
{
	u64 *table = spt_load_pointer(root, SPT_F_SP_SPT);
	unsigned int shift;

	memset(entry, 0, sizeof(*entry));
	entry->role = spt_role_of(root);
	entry->mirror = spt_role_field(entry->role, SPT_F_ROLE_IS_MIRROR);
	entry->level = spt_role_field(entry->role, SPT_F_ROLE_LEVEL);
	if (!entry->mirror)
		gfn |= shared_bits;
	if (entry->level < 1 || entry->level > SPT_WALK_LEVELS ||
	    !spt_in_direct_map(table, PAGE_SIZE) || gfn >> spt_level_shift(entry->level + 1))
		return false;
	entry->root_hpa = __pa(table);
	for (;; entry->level--) {
		shift = spt_level_shift(entry->level);
		entry->index = (gfn >> shift) & (SPT_TABLE_ENTRIES - 1);
		entry->table_hpa = __pa(table);
		entry->sptep = &table[entry->index];
		if (!spt_get_word(entry->sptep, &entry->spte))
			return false;
		entry->present = spt_spte_present(entry->spte);
		entry->leaf = entry->present && spt_spte_leaf(entry->spte, entry->level);
		if (!entry->present || entry->leaf || entry->level == 1 ||
		    !pfn_valid((entry->spte & spt_layout.addr_mask) >> PAGE_SHIFT))
			break;
		table = __va(entry->spte & spt_layout.addr_mask);
	}
	entry->gfn = (gfn & ~shared_bits) >> shift << shift;
	return true;
}

static int spt_mirror_leaf_of(const void *root, void *arg)
{
	const u64 *gfn = arg;
	struct spt_entry entry;

	return spt_root_walk(root, *gfn, 0, &entry) && entry.mirror && entry.leaf;
}

bool spt_mirror_maps(const struct kvm *kvm, u64 gfn)
{
	bool maps;

	if (!spt_vm_mirrored(kvm))
		return false;
	rcu_read_lock();
	maps = spt_visit_roots(kvm, spt_mirror_leaf_of, &gfn);
	rcu_read_unlock();
	return maps;
}

/* One gfn, in all places. */
struct spt_entries_find {
	const struct spt_action *act;
	struct spt_entries *entries;
	u64 gfn;
};

static void spt_entries_add(struct spt_entries *entries, const struct spt_entry *entry)
{
	if (entries->count < SPT_ENTRIES_MAX)
		entries->at[entries->count++] = *entry;
	else
		entries->more = true;
}

static int spt_entries_of_root(const void *root, void *arg)
{
	struct spt_entries_find *find = arg;
	struct spt_entry entry;

	if (spt_root_meant(find->act, root) &&
	    spt_root_walk(root, find->gfn, find->act->target.shared_bits, &entry))
		spt_entries_add(find->entries, &entry);
	return 0;
}

/* The entry at @sptep, of a shadow page, that maps @gfn at @level. False: none. */
static bool spt_rmap_entry(u64 *sptep, u64 gfn, u8 level, struct spt_entry *entry)
{
	const void *sp;

	if (!spt_in_direct_map(sptep, sizeof(u64)))
		return false;
	sp = spt_sp_of(__pa(sptep));
	memset(entry, 0, sizeof(*entry));
	if (!sp || !spt_get_word(sptep, &entry->spte))
		return false;
	entry->root_hpa = SPT_NO_HPA;
	entry->table_hpa = __pa(sptep) & PAGE_MASK;
	entry->sptep = sptep;
	entry->gfn = gfn >> spt_level_shift(level) << spt_level_shift(level);
	entry->role = spt_role_of(sp);
	entry->index = offset_in_page(sptep) / sizeof(u64);
	entry->level = level;
	entry->present = spt_spte_present(entry->spte);
	entry->leaf = entry->present;
	return true;
}

int spt_visit_rmap(u64 head, u64 gfn, u8 level, spt_leaf_fn visit, void *arg)
{
	u64 room = spt_layout.bytes[SPT_F_PTE_LIST_SPTES] / sizeof(u64);
	struct spt_entry entry;
	const void *desc;
	unsigned int n;
	int ret = 0;
	u64 count;
	u64 sptep;
	u64 i;

	if (!(head & SPT_RMAP_MANY))
		return spt_rmap_entry((u64 *)(head & ~SPT_RMAP_FLAGS), gfn, level, &entry) ?
		       visit(&entry, arg) : 0;
	desc = (void *)(unsigned long)(head & ~SPT_RMAP_FLAGS);
	for (n = 0; desc && !ret && n < SPT_RMAP_DESCS_MAX; n++) {
		if (spt_load(desc, SPT_F_PTE_LIST_COUNT, &count))
			return 0;
		for (i = 0; i < min(count, room) && !ret; i++)
			if (!spt_read(&sptep, (u64 *)spt_at(desc, SPT_F_PTE_LIST_SPTES) + i,
				      sizeof(sptep)) &&
			    spt_rmap_entry((u64 *)sptep, gfn, level, &entry))
				ret = visit(&entry, arg);
		desc = spt_load_pointer(desc, SPT_F_PTE_LIST_MORE);
	}
	return ret;
}

bool spt_rmap_arrays(const void *slot)
{
	const u64 *const *arrays = spt_at(slot, SPT_F_SLOT_RMAP);
	const u64 *heads;

	return !spt_read(&heads, &arrays[0], sizeof(heads)) && (long)heads < 0;
}

u64 spt_rmap_of(const void *slot, u64 gfn, u8 level)
{
	const u64 *const *arrays = spt_at(slot, SPT_F_SLOT_RMAP);
	unsigned int shift = spt_level_shift(level);
	const u64 *heads;
	u64 base;
	u64 head;

	if (spt_load(slot, SPT_F_SLOT_BASE_GFN, &base) ||
	    spt_read(&heads, &arrays[level - 1], sizeof(heads)) || (long)heads >= 0 ||
	    spt_read(&head, &heads[(gfn >> shift) - (base >> shift)], sizeof(head)))
		return 0;
	return head & ~SPT_RMAP_FLAGS ? head : 0;
}

static int spt_entries_visit(const struct spt_entry *entry, void *arg)
{
	spt_entries_add(((struct spt_entries_find *)arg)->entries, entry);
	return 0;
}

/* One try: the lock may be held for long, and who waits must be killable. False: again. */
static bool spt_entries_of_slot(struct spt_action *act, struct spt_entries_find *find)
{
	rwlock_t *lock = spt_kvm_mmu_lock(act->kvm);
	const void *slot = spt_action_slot(act);
	u64 head;
	u8 level;

	if (!slot || !spt_rmap_arrays(slot))
		return true;
	if (!read_trylock(lock))
		return false;
	for (level = SPT_LEVEL_4K; level <= SPT_LEVEL_1G; level++) {
		head = spt_rmap_of(slot, find->gfn, level);
		if (head)
			spt_visit_rmap(head, find->gfn, level, spt_entries_visit, find);
	}
	read_unlock(lock);
	return true;
}

static void spt_entries_of_rmaps(struct spt_action *act, struct spt_entries_find *find)
{
	struct srcu_struct *srcu = spt_kvm_srcu(act->kvm);
	bool done;
	int idx;

	do {
		idx = srcu_read_lock(srcu);
		done = spt_entries_of_slot(act, find);
		srcu_read_unlock(srcu, idx);
		if (!done)
			spt_mmu_wait();
	} while (!done && !fatal_signal_pending(current));
}

void spt_entries_read(struct spt_action *act, u64 gfn, struct spt_entries *entries)
{
	struct spt_entries_find find = { act, entries, gfn };

	entries->count = 0;
	entries->more = false;
	rcu_read_lock();
	spt_visit_roots(act->kvm, spt_entries_of_root, &find);
	rcu_read_unlock();
	spt_entries_of_rmaps(act, &find);
}
