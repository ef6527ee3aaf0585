// SPDX-License-Identifier: GPL-2.0
/*
 * HVA to HPA in the VMM's own page tables, entry by entry, as KVM's
 * host_pfn_mapping_level() walks them, with interrupts off. That keeps tables from
 * being freed where RCU frees them; but older kernels, on bare metal, only have the
 * CPUs that run the VMM interrupted before, and this is none of them. So a walk
 * counts only if its tables were still in use behind it.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/srcu.h>
#include <asm/pgtable.h>

#include "action.h"
#include "memslots.h"

/* Times that a walk whose tables go is begun again. */
#define SPT_HOST_TRIES	16
#define SPT_HOST_SHIFT(level)	(PAGE_SHIFT + 9 * ((level) - 1))

static const u64 *spt_host_at(u64 table, u64 hva, u8 level)
{
	return (const u64 *)__va(table) +
	       ((hva >> SPT_HOST_SHIFT(level)) & (SPT_TABLE_ENTRIES - 1));
}

/* The entries above @last name the tables that were followed still. Interrupts are off. */
static bool spt_host_followed(const struct spt_host_walk *walk, u64 hva, u8 last)
{
	u8 level;
	u64 entry;

	for (level = walk->top; level > last; level--)
		if (spt_read(&entry, spt_host_at(walk->level[level - 1].table_hpa, hva, level),
			     sizeof(entry)) ||
		    ((entry ^ walk->level[level - 1].entry) & (PTE_PFN_MASK | _PAGE_PRESENT)))
			return false;
	return true;
}

/* Fills in the levels; returns the level that the walk ended at. Interrupts are off. */
static u8 spt_host_follow(const struct mm_struct *mm, u64 hva, struct spt_host_walk *walk)
{
	u64 table = __pa(mm->pgd);
	unsigned int i;
	u8 level;
	u64 entry;

	walk->error = 0;
	memset(walk->level, 0, sizeof(walk->level));
	for (i = 0; i < SPT_HOST_LEVELS; i++)
		walk->level[i].table_hpa = SPT_NO_HPA;
	for (level = walk->top;; level--) {
		const u64 *at = spt_host_at(table, hva, level);

		if (!pfn_valid(PHYS_PFN(table)) || spt_read(&entry, at, sizeof(entry))) {
			walk->error = EFAULT;
			break;
		}
		walk->level[level - 1].table_hpa = table;
		walk->level[level - 1].entry = entry;
		if (level == 1 || !(entry & _PAGE_PRESENT) || (level <= 3 && (entry & _PAGE_PSE)))
			break;
		table = entry & PTE_PFN_MASK;
	}
	return level;
}

/* The same, again where a table was taken away meanwhile. */
static u8 spt_host_levels(const struct mm_struct *mm, u64 hva, struct spt_host_walk *walk)
{
	unsigned int tries = 0;
	unsigned long flags;
	bool followed;
	u8 level;

	do {
		local_irq_save(flags);
		level = spt_host_follow(mm, hva, walk);
		followed = spt_host_followed(walk, hva, level);
		local_irq_restore(flags);
	} while (!followed && ++tries < SPT_HOST_TRIES);
	if (!followed)
		walk->error = EFAULT;
	return level;
}

u8 spt_host_level(struct mm_struct *mm, u64 hva)
{
	struct spt_host_walk walk = { .top = pgtable_l5_enabled() ? 5 : 4 };
	u8 level;

	if (!mmget_not_zero(mm))
		return 0;
	level = spt_host_levels(mm, hva, &walk);
	mmput_async(mm);
	return !walk.error && (walk.level[level - 1].entry & _PAGE_PRESENT) ? level : 0;
}

/* The same, of one address space's slots. */
static bool spt_host_hva_in(const void *slots, u64 gfn, u64 *hva, u64 *end)
{
	const void *slot = slots ? spt_slot_below(slots, gfn) : NULL;
	u64 npages;
	u64 base;

	if (!slot || spt_load(slot, SPT_F_SLOT_BASE_GFN, &base) ||
	    spt_load(slot, SPT_F_SLOT_NPAGES, &npages) ||
	    spt_load(slot, SPT_F_SLOT_HVA, hva) || gfn - base >= npages)
		return false;
	*hva += (gfn - base) << PAGE_SHIFT;
	*end = base + npages;
	return true;
}

/*
 * The slot's HVA of @gfn and the gfn up to which a record may speak; false: no slot. Where
 * SMM alone has one, of this gfn only: the next may be another slot's.
 */
static bool spt_host_hva(struct spt_reader *reader, u64 gfn, u64 *hva, u64 *end)
{
	struct srcu_struct *srcu = spt_kvm_srcu(reader->vm.kvm);
	bool found = false;
	unsigned int as;
	int idx;

	idx = srcu_read_lock(srcu);
	for (as = 0; as < spt_address_spaces(reader) && !found; as++) {
		found = spt_host_hva_in(spt_slots(reader->vm.kvm, as), gfn, hva, end);
		if (found && as)
			*end = gfn + 1;
	}
	srcu_read_unlock(srcu, idx);
	return found;
}

/* Frames from @hva on that the entry which ended the walk covers. */
static u64 spt_host_covered(const struct spt_host_walk *walk)
{
	u64 pages = 1ULL << (SPT_HOST_SHIFT(walk->leaf) - PAGE_SHIFT);

	return pages - ((walk->hva >> PAGE_SHIFT) & (pages - 1));
}

/* One record; how many frames it speaks for. */
static u64 spt_host_walk_one(struct spt_reader *reader, struct spt_host_walk *walk, u64 gfn)
{
	struct mm_struct *mm = reader->vm.mm;
	unsigned int i;
	u64 end;

	walk->gpa = gfn << PAGE_SHIFT;
	walk->top = pgtable_l5_enabled() ? 5 : 4;
	for (i = 0; i < SPT_HOST_LEVELS; i++)
		walk->level[i].table_hpa = SPT_NO_HPA;
	if (!spt_host_hva(reader, gfn, &walk->hva, &end)) {
		walk->error = ENOENT;
		return 1;
	}
	if (!mmget_not_zero(mm)) {
		walk->error = ESRCH;
		return end - gfn;
	}
	walk->leaf = spt_host_levels(mm, walk->hva, walk);
	mmput_async(mm);
	if (walk->error)
		return 1;
	return min(end - gfn, spt_host_covered(walk));
}

int spt_host_step(struct spt_reader *reader)
{
	struct spt_index_cursor *at = &reader->cursor.index;
	struct spt_host_walk *walk = spt_record(reader, SPT_REC_HOST_WALK, sizeof(*walk));
	u64 gfn = spt_request_first(reader) + at->index;
	int error;

	if (gfn >= spt_request_end(reader))
		return 0;
	at->index += spt_host_walk_one(reader, walk, gfn);
	error = spt_put(reader, walk);
	return error ? error : 1;
}
