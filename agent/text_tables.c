// SPDX-License-Identifier: GPL-2.0
/*
 * Tables as text: 'roots' and 'tables', one line a table, and 'ranges', one line
 * for a run of leaves that go on where the one before ended.
 */
#include "text.h"

struct spt_counts {
	unsigned int present;
	unsigned int leaves;
	unsigned int other;	/* neither present nor empty: MMIO, frozen, ... */
};

static struct spt_counts spt_count(const struct spt_found_table *table)
{
	struct spt_counts counts = { };
	unsigned int i;
	u64 spte;

	for (i = 0; i < SPT_TABLE_ENTRIES; i++) {
		if (!(table->chunks & BIT_ULL(i / SPT_CHUNK_ENTRIES)) ||
		    spt_read(&spte, &table->sp->spt[i], sizeof(spte)))
			continue;
		if (!spt_spte_present(spte)) {
			counts.other += spte != spt_layout.empty_spte;
			continue;
		}
		counts.present++;
		counts.leaves += spt_spte_leaf(spte, table->sp->level);
	}
	return counts;
}

static int spt_tables_table(struct spt_reader *reader, struct spt_found_table *table)
{
	struct spt_counts counts;
	struct spt_page page;
	int error;

	table->chunks = spt_table_chunks(table->sp->spt, table->allowed, spt_layout.empty_spte);
	counts = spt_count(table);
	spt_sp_describe(table->sp, &page);
	error = spt_text_page(reader, table->root_sp ? "tdp" : "shadow", &page);
	if (error)
		return error;
	return spt_print(reader, " present=%u leaves=%u other=%u\n", counts.present,
			 counts.leaves, counts.other);
}

static int spt_tables_record(struct spt_reader *reader, const struct spt_rec *rec)
{
	const struct spt_raw_table *raw = (const struct spt_raw_table *)rec;
	static const char *const names[] = {
		[SPT_RAW_PAE_ROOT] = "pae_root",
		[SPT_RAW_PML4_ROOT] = "pml4_root",
		[SPT_RAW_PML5_ROOT] = "pml5_root",
	};

	if (rec->type != SPT_REC_RAW_TABLE)
		return spt_text_common(reader, rec);
	return spt_print(reader, "%s hpa=0x%016llx vcpu=%u\n", names[raw->kind],
			 raw->hpa, raw->vcpu);
}

const struct spt_sink spt_text_tables_sink = {
	.record = spt_tables_record,
	.table = spt_tables_table,
	.batch = SZ_32K,
};

/* Roots of the shadow MMU are pages of its list with a root's references. */
static int spt_roots_table(struct spt_reader *reader, struct spt_found_table *table)
{
	struct spt_page page;
	int error;

	spt_sp_describe(table->sp, &page);
	if (!page.root_count)
		return 0;
	error = spt_text_page(reader, "root", &page);
	return error ? error : spt_print(reader, "\n");
}

static int spt_roots_record(struct spt_reader *reader, const struct spt_rec *rec)
{
	if (rec->type == SPT_REC_RAW_TABLE)
		return spt_tables_record(reader, rec);
	return spt_text_sink.record(reader, rec);
}

const struct spt_sink spt_text_roots_sink = {
	.record = spt_roots_record,
	.table = spt_roots_table,
	.batch = SZ_32K,
};

/* Prints the run that is being collected, if there is one. */
static int spt_run_flush(struct spt_reader *reader)
{
	struct spt_leaf_run *run = &reader->run;
	int error;

	if (!run->npages)
		return 0;
	error = spt_print(reader, "root=%#llx gpa=0x%016llx size=%#llx hpa=0x%016llx ",
			  run->root, run->gfn << PAGE_SHIFT, run->npages << PAGE_SHIFT, run->hpa);
	if (!error)
		error = spt_print(reader, "level=%u attributes=%#llx\n", run->level,
				  run->attributes);
	if (!error)
		run->npages = 0;
	return error;
}

/* What tells two leaves apart besides where they lead; A and D change all the time. */
static u64 spt_leaf_attributes(u64 spte)
{
	u64 accessed = 0;
	u64 dirty = 0;

	spt_mask_value(SPT_MASK_ACCESSED, &accessed);
	spt_mask_value(SPT_MASK_DIRTY, &dirty);
	return spte & ~spt_layout.addr_mask & ~accessed & ~dirty;
}

static bool spt_run_continues(const struct spt_leaf_run *run, const struct spt_leaf_run *next)
{
	if (!run->npages || run->root != next->root || run->level != next->level)
		return false;
	if (run->attributes != next->attributes)
		return false;
	return run->gfn + run->npages == next->gfn &&
	       run->hpa + (run->npages << PAGE_SHIFT) == next->hpa;
}

static int spt_run_add(struct spt_reader *reader, const struct spt_leaf_run *next)
{
	int error;

	if (spt_run_continues(&reader->run, next)) {
		reader->run.npages += next->npages;
		return 0;
	}
	error = spt_run_flush(reader);
	if (!error)
		reader->run = *next;
	return error;
}

/* The gfn that entry @i translates; a page that is not direct has it beside the entry. */
static bool spt_leaf_gfn(const struct spt_found_table *table, unsigned int i, u64 *gfn)
{
	u64 word;

	*gfn = table->base + ((u64)i << spt_level_shift(table->sp->level));
	if (table->sp->direct)
		return true;
	if (!table->translations || spt_read(&word, &table->translations[i], sizeof(word)))
		return false;
	*gfn = word >> 12;
	return true;
}

static int spt_ranges_table(struct spt_reader *reader, struct spt_found_table *table)
{
	const struct spt_sp *sp = table->sp;
	struct spt_leaf_run leaf = {
		.root = table->root_sp,
		.npages = 1ULL << spt_level_shift(sp->level),
		.level = sp->level,
	};
	unsigned int i;
	u64 spte;
	int error;

	table->chunks = spt_table_chunks(sp->spt, table->allowed, spt_layout.empty_spte);
	for (i = 0; i < SPT_TABLE_ENTRIES; i++) {
		if (!(table->chunks & BIT_ULL(i / SPT_CHUNK_ENTRIES)) ||
		    spt_read(&spte, &sp->spt[i], sizeof(spte)) || !spt_spte_present(spte) ||
		    !spt_spte_leaf(spte, sp->level) || !spt_leaf_gfn(table, i, &leaf.gfn))
			continue;
		leaf.hpa = spte & spt_layout.addr_mask & ~((leaf.npages << PAGE_SHIFT) - 1);
		leaf.attributes = spt_leaf_attributes(spte);
		error = spt_run_add(reader, &leaf);
		if (error)
			return error;
	}
	return 0;
}

const struct spt_sink spt_text_ranges_sink = {
	.record = spt_text_common,
	.table = spt_ranges_table,
	.tables_end = spt_run_flush,
	.batch = SZ_128K,	/* a table may be 512 runs */
};
