// SPDX-License-Identifier: GPL-2.0
/*
 * How the host maps a slot: the VMM's own page tables over the slot's HVAs, as
 * runs of neighbours that are mapped alike.
 *
 * Like the walk of one HVA this is host_pfn_mapping_level()'s way, so that neither
 * mmap_lock is taken nor the VMM made to wait. One table at most is read at a stretch,
 * from a walk of its own; what no table exists for is passed over by the entry that
 * says so. As there, what was read counts only if the table was still in use then.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <asm/pgtable.h>

#include "memslots.h"

/* NUMA nodes meet at borders of such blocks of frames at most. */
#define SPT_NODE_BLOCK_SHIFT	9

struct spt_host_scan {
	const struct spt_slot_pages *slot;
	struct spt_host_runs *rec;
	struct spt_host_run *open;
	u64 pgd;		/* HPA of the VMM's top table */
	u64 node_block;		/* whose node is known */
	u32 node;		/* as in struct spt_host_run */
};

/* Pages that an entry at @level maps, as a shift; the tables are like the guest's. */
static unsigned int spt_host_index(u64 hva, u8 level)
{
	return (hva >> (PAGE_SHIFT + spt_level_shift(level))) & (SPT_TABLE_ENTRIES - 1);
}

static bool spt_host_names_table(u64 entry, u8 level)
{
	return level > 1 && (entry & _PAGE_PRESENT) && !(level <= 3 && (entry & _PAGE_PSE));
}

static u32 spt_host_node(struct spt_host_scan *scan, u64 pfn)
{
	u64 block = pfn >> SPT_NODE_BLOCK_SHIFT;

	if (block != scan->node_block) {
		scan->node_block = block;
		scan->node = 0;
		if (pfn_valid(pfn))
			scan->node = (u32)(page_to_nid(pfn_to_page(pfn)) + 1) <<
				     SPT_HOST_RUN_NODE_SHIFT;
	}
	return scan->node;
}

/* An entry of a page table that names no page: where it went. */
static u32 spt_host_gone(pte_t pte)
{
	unsigned long type = __swp_type(__pte_to_swp_entry(pte));

	if (type >= SWP_MIGRATION_READ && type <= SWP_MIGRATION_WRITE)
		return SPT_HOST_RUN_MIGRATION;
	return type < MAX_SWAPFILES ? SPT_HOST_RUN_SWAP :
				      SPT_HOST_RUN_SWAP | SPT_HOST_RUN_SPECIAL;
}

/* What the leaf or special @entry says of the page @offset pages into what it maps. */
static void spt_host_describe(struct spt_host_scan *scan, u64 entry, u8 level, u64 offset,
			      struct spt_host_run *run)
{
	u64 large = level > 1 ? _PAGE_PSE : 0;	/* while a huge page is split nothing else is set */
	pte_t pte = __pte(entry);
	u64 pfn;

	run->level = level;
	if (!(entry & (_PAGE_PRESENT | _PAGE_PROTNONE | large))) {
		run->hpa = SPT_NO_HPA;
		run->flags = spt_host_gone(pte);
		return;
	}
	/* Of a huge page the lowest frame bit is the PAT's. */
	pfn = (pte_pfn(pte) >> spt_level_shift(level) << spt_level_shift(level)) + offset;
	run->hpa = pfn << PAGE_SHIFT;
	run->flags = spt_host_node(scan, pfn);
	if (!(entry & _PAGE_PRESENT))
		run->flags |= SPT_HOST_RUN_PROTNONE;
	if (pte_write(pte))
		run->flags |= SPT_HOST_RUN_WRITABLE;
	if (pte_dirty(pte))
		run->flags |= SPT_HOST_RUN_DIRTY;
	if (level == 1 && is_zero_pfn(pfn))
		run->flags |= SPT_HOST_RUN_ZERO;
}

static bool spt_host_run_extends(const struct spt_host_run *open, const struct spt_host_run *next)
{
	u64 hpa = open->hpa;

	if (hpa != SPT_NO_HPA)
		hpa += open->npages << PAGE_SHIFT;
	return open->npages && open->gfn + open->npages == next->gfn && hpa == next->hpa &&
	       open->flags == next->flags && open->level == next->level;
}

bool spt_host_run_close(struct spt_host_runs *rec, struct spt_host_run *open)
{
	if (!open->npages)
		return true;
	if (rec->count == SPT_HOST_RUNS_MAX)
		return false;
	rec->run[rec->count++] = *open;
	open->npages = 0;
	return true;
}

bool spt_host_run_add(struct spt_host_runs *rec, struct spt_host_run *open,
		      const struct spt_host_run *next)
{
	if (spt_host_run_extends(open, next)) {
		open->npages += next->npages;
		return true;
	}
	if (!spt_host_run_close(rec, open))
		return false;
	*open = *next;
	return true;
}

/*
 * The lowest table that there is for @hva, and its level; NULL: it cannot be read.
 * Interrupts are off.
 */
static const u64 *spt_host_table(const struct spt_host_scan *scan, u64 hva, u8 *level)
{
	u64 table = scan->pgd;
	u64 entry;

	for (*level = pgtable_l5_enabled() ? 5 : 4;; (*level)--) {
		const u64 *at = __va(table);

		if (!pfn_valid(PHYS_PFN(table)) ||
		    spt_read(&entry, &at[spt_host_index(hva, *level)], sizeof(entry)))
			return NULL;
		if (!spt_host_names_table(entry, *level))
			return at;
		table = entry & PTE_PFN_MASK;
	}
}

/*
 * Pages from @index of the slot on that the table speaks for; the page behind
 * them, or where the record was full.
 */
static u64 spt_host_entries(struct spt_host_scan *scan, const u64 *table, u8 level, u64 index,
			    u64 end)
{
	u64 hva = scan->slot->hva + (index << PAGE_SHIFT);
	unsigned int i;
	u64 pages;

	pages = 1ULL << spt_level_shift(level);
	for (i = spt_host_index(hva, level); i < SPT_TABLE_ENTRIES && index < end; i++) {
		u64 offset = ((scan->slot->hva >> PAGE_SHIFT) + index) & (pages - 1);
		struct spt_host_run run = {
			.gfn = scan->slot->base + index,
			.npages = min(pages - offset, end - index),
		};
		u64 entry;

		if (spt_read(&entry, &table[i], sizeof(entry)))
			return index + 1;
		if (spt_host_names_table(entry, level))
			break;
		if (entry && level <= 3) {
			spt_host_describe(scan, entry, level, offset, &run);
			if (!spt_host_run_add(scan->rec, scan->open, &run))
				break;
		}
		index += run.npages;
	}
	return index;
}

/*
 * The same of the table that there is. @index itself: it was taken away meanwhile, and nothing
 * that was read of it counts.
 */
static u64 spt_host_stretch(struct spt_host_scan *scan, u64 index, u64 end)
{
	u64 hva = scan->slot->hva + (index << PAGE_SHIFT);
	struct spt_host_run open = *scan->open;
	u32 count = scan->rec->count;
	const u64 *table;
	u8 level;
	u8 now;

	table = spt_host_table(scan, hva, &level);
	if (!table)
		return index + 1;
	end = spt_host_entries(scan, table, level, index, end);
	if (spt_host_table(scan, hva, &now) == table && now == level)
		return end;
	*scan->open = open;
	scan->rec->count = count;
	return index;
}

/* A slot without memory of the VMM's has no such HVAs. */
static bool spt_host_has(const struct spt_slot_pages *slot)
{
	return slot->npages <= TASK_SIZE_MAX >> PAGE_SHIFT &&
	       slot->hva <= TASK_SIZE_MAX - (slot->npages << PAGE_SHIFT);
}

int spt_host_runs(struct spt_reader *reader, const struct spt_slot_pages *slot)
{
	u64 deadline = ktime_get_mono_fast_ns() + SPT_SLICE_NS;
	struct spt_slot_cursor *at = &reader->cursor.slot;
	struct mm_struct *mm = reader->vm.mm;
	struct spt_host_scan scan = {
		.slot = slot,
		.open = &at->open,
		.pgd = __pa(mm->pgd),
		.node_block = ~0ULL,
	};
	unsigned long flags;
	bool more;
	u64 end;
	int error;

	/* The last run of the slot may be still open: the record was full. */
	if (!spt_slot_wanted(reader, slot, &at->index, &end) && !at->open.npages)
		return 0;
	if (!spt_host_has(slot))
		return 0;
	if (!mmget_not_zero(mm))
		return spt_note(reader, SPT_NOTE_UNREADABLE, slot->hva, 0);
	scan.rec = spt_record(reader, SPT_REC_HOST_RUNS, sizeof(*scan.rec));
	while (at->index < end && scan.rec->count < SPT_HOST_RUNS_MAX &&
	       ktime_get_mono_fast_ns() < deadline) {
		local_irq_save(flags);
		at->index = spt_host_stretch(&scan, at->index, end);
		local_irq_restore(flags);
	}
	mmput_async(mm);
	more = at->index < end || !spt_host_run_close(scan.rec, scan.open);
	if (scan.rec->count) {
		scan.rec->rec.len = struct_size(scan.rec, run, scan.rec->count);
		error = spt_put(reader, scan.rec);
		if (error)
			return error;
	}
	return more;
}
