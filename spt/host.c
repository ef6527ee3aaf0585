// SPDX-License-Identifier: GPL-2.0
/*
 * The VMM's own page tables: x86 entries as Linux uses them
 * (arch/x86/include/asm/pgtable_types.h, pgtable_64.h, pgtable-invert.h).
 */
#include "spt/walk.h"

#define PTE_PRESENT  (1ULL << 0)
#define PTE_WRITE    (1ULL << 1)
#define PTE_USER     (1ULL << 2)
#define PTE_ACCESSED (1ULL << 5)
#define PTE_DIRTY    (1ULL << 6)
#define PTE_PSE	     (1ULL << 7)
#define PTE_PROTNONE (1ULL << 8) /* _PAGE_PROTNONE, without PRESENT only */
#define PTE_NX	     (1ULL << 63)

/*
 * Types of swap entries (include/linux/swap.h): real swap files from 0 up, then
 * poison, migration (3), device memory, markers. How many there are of each is
 * configuration, which an image has in its head. Without it: below 22 it is a swap
 * file in any, 31 is a marker in any.
 */
#define SWP_TYPE_SHIFT	    59
#define SWP_FIRST_SPECIAL   22
#define SWP_FIRST_MIGRATION 24
#define SWP_MIGRATIONS	    3
#define SWP_MARKER	    31

const char *spt_host_type_name(enum spt_host_type type)
{
	static const char *const names[] = {
		[SPT_HOST_NONE] = "none",	[SPT_HOST_TABLE] = "table",
		[SPT_HOST_PAGE] = "page",	[SPT_HOST_PROTNONE] = "protnone",
		[SPT_HOST_SWAP] = "swapped",	[SPT_HOST_MIGRATION] = "migration",
		[SPT_HOST_SPECIAL] = "special", [SPT_HOST_ERROR] = "error",
	};

	return names[type];
}

static enum spt_host_type classify_swap(const struct spt_head *head, unsigned int type)
{
	if (head->swp_first_special) {
		if (type < head->swp_first_special)
			return SPT_HOST_SWAP;
		return type - head->swp_first_migration < SWP_MIGRATIONS ? SPT_HOST_MIGRATION
									 : SPT_HOST_SPECIAL;
	}
	if (type < SWP_FIRST_SPECIAL)
		return SPT_HOST_SWAP;
	return type < SWP_FIRST_MIGRATION || type == SWP_MARKER ? SPT_HOST_SPECIAL
								: SPT_HOST_MIGRATION;
}

static enum spt_host_type classify(const struct spt_head *head, uint64_t entry, int level)
{
	if (entry & PTE_PRESENT)
		return level == 1 || (entry & PTE_PSE && level <= 3) ? SPT_HOST_PAGE
								     : SPT_HOST_TABLE;
	if (!entry)
		return SPT_HOST_NONE;
	if (entry & PTE_PROTNONE)
		return SPT_HOST_PROTNONE;
	if (level > 1 && entry & PTE_PSE) /* pmd_mkinvalid(): a huge page is being split */
		return SPT_HOST_MIGRATION;
	return classify_swap(head, entry >> SWP_TYPE_SHIFT);
}

/* The host's entries have the C-bit where KVM's have it, and addresses of as many bits. */
static uint64_t page_address(const struct spt_format *f, uint64_t entry, int level)
{
	/* Against L1TF the frame of a non-present entry is stored inverted. */
	uint64_t address = (entry & PTE_PRESENT ? entry : ~entry) & f->addr;

	return address & ~(spt_level_size(level) - 1);
}

static void take_level(const struct spt_head *head, struct spt_host_path *ret,
		       const struct spt_host_walk *walk, uint64_t hva, int level)
{
	uint64_t entry = walk->level[level - 1].entry;

	ret->level[ret->nr_levels++] = (struct spt_host_level){
		.table_hpa = walk->level[level - 1].table_hpa,
		.entry = entry,
		.level = level,
		.index = hva >> spt_level_shift(level) & (SPT_TABLE_ENTRIES - 1),
		.type = classify(head, entry, level),
		.writable = entry & PTE_PRESENT && entry & PTE_WRITE,
		.user = entry & PTE_USER,
		.accessed = entry & PTE_ACCESSED,
		.dirty = entry & PTE_DIRTY,
		.nx = entry & PTE_NX,
	};
}

static enum spt_host_type run_type(const struct spt_host_run *run)
{
	if (!run)
		return SPT_HOST_NONE;
	if (run->flags & SPT_HOST_RUN_MIGRATION)
		return SPT_HOST_MIGRATION;
	if (run->flags & SPT_HOST_RUN_SPECIAL)
		return SPT_HOST_SPECIAL;
	if (run->flags & SPT_HOST_RUN_SWAP || run->hpa == SPT_NO_HPA)
		return SPT_HOST_SWAP;
	return run->flags & SPT_HOST_RUN_PROTNONE ? SPT_HOST_PROTNONE : SPT_HOST_PAGE;
}

/* Without a walk of its own a page is of a run of the slot; what led there was not kept. */
static bool path_of_run(const struct spt_model *model, uint64_t gpa, struct spt_host_path *ret)
{
	const struct spt_memslot *slot =
		spt_memslot_find(&model->memslots, 0, gpa >> SPT_PAGE_SHIFT);
	const struct spt_host_run *run;

	if (!(model->image.head.req_parts & SPT_PART_HOST_RUNS))
		return false;
	if (!slot)
		slot = spt_memslot_find(&model->memslots, 1, gpa >> SPT_PAGE_SHIFT);
	if (!slot)
		return false;
	run = spt_memslot_host_run(&model->memslots, slot, gpa >> SPT_PAGE_SHIFT);
	*ret = (struct spt_host_path){ .type = run_type(run), .hpa = SPT_NO_HPA };
	if (ret->type == SPT_HOST_PAGE || ret->type == SPT_HOST_PROTNONE) {
		ret->page_size =
			spt_level_size(run->level >= 1 && run->level <= 3 ? run->level : 1);
		ret->hpa = run->hpa + (gpa - (run->gfn << SPT_PAGE_SHIFT));
		ret->writable = run->flags & SPT_HOST_RUN_WRITABLE;
	}
	return true;
}

bool spt_host_path(const struct spt_model *model, uint64_t gpa, struct spt_host_path *ret)
{
	const struct spt_host_walk *walk = spt_model_host_walk(model, gpa);
	const struct spt_host_level *last;
	uint64_t hva;

	if (!walk)
		return path_of_run(model, gpa, ret);
	hva = walk->hva + (gpa - walk->gpa);
	ret->nr_levels = 0;
	ret->page_size = 0;
	ret->hpa = SPT_NO_HPA;
	ret->error = walk->error;
	ret->writable = true;
	for (int level = walk->top; level >= 1 && level >= walk->leaf; level--) {
		if (walk->level[level - 1].table_hpa == SPT_NO_HPA)
			break;
		take_level(&model->image.head, ret, walk, hva, level);
		ret->writable &= ret->level[ret->nr_levels - 1].writable;
		if (ret->level[ret->nr_levels - 1].type != SPT_HOST_TABLE)
			break;
	}
	last = ret->nr_levels ? &ret->level[ret->nr_levels - 1] : NULL;
	if (walk->error || !last || last->type == SPT_HOST_TABLE) {
		ret->type = SPT_HOST_ERROR;
		ret->writable = false;
		return true;
	}
	ret->type = last->type;
	if (last->type == SPT_HOST_PAGE || last->type == SPT_HOST_PROTNONE) {
		ret->page_size = spt_level_size(last->level);
		ret->hpa = page_address(&model->format, last->entry, last->level) +
			   (hva & (ret->page_size - 1));
	} else {
		ret->writable = false;
	}
	return true;
}
