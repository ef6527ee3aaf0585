// SPDX-License-Identifier: GPL-2.0
#include "spt/guest_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A page may be a table of several levels (a guest that maps its tables by one of
 * their own entries): it is given once and followed once a level, so that
 * following ends whatever the tables say. The key is its address in the VM, with
 * the level and whether it is L2's table in the low bits; level 0 is 'given'.
 */
struct spt_guest_set {
	uint64_t *key; /* open addressing; 0: free */
	size_t room, used;
};

#define FIRST_ROOM 1024

void spt_guest_tables_init(struct spt_guest_tables *t, uint64_t max)
{
	*t = (struct spt_guest_tables){ .max = max };
}

void spt_guest_tables_deinit(struct spt_guest_tables *t)
{
	if (t->set)
		free(t->set->key);
	free(t->set);
	t->set = NULL;
}

/* Address, level, whose table it is, and a bit that tells a key from a free place. */
static uint64_t make_key(uint64_t gpa, int level, bool nested)
{
	return gpa | (uint64_t)nested << 4 | (uint64_t)level << 1 | 1;
}

static size_t place_of(const struct spt_guest_set *set, uint64_t key)
{
	size_t at = (key * 0x9e3779b97f4a7c15ULL >> 20) & (set->room - 1);

	while (set->key[at] && set->key[at] != key)
		at = (at + 1) & (set->room - 1);
	return at;
}

static int grow(struct spt_guest_set *set)
{
	struct spt_guest_set more = { .room = set->room ? set->room * 2 : FIRST_ROOM };

	more.key = calloc(more.room, sizeof(*more.key));
	if (!more.key)
		return -ENOMEM;
	for (size_t i = 0; i < set->room; i++)
		if (set->key[i])
			more.key[place_of(&more, set->key[i])] = set->key[i];
	more.used = set->used;
	free(set->key);
	*set = more;
	return 0;
}

/* 1: added, 0: was there, -ENOMEM. */
static int add(struct spt_guest_tables *t, uint64_t key)
{
	struct spt_guest_set *set = t->set;
	size_t at;

	if (!set)
		set = t->set = calloc(1, sizeof(*set));
	if (!set || (set->used * 2 >= set->room && grow(set)))
		return -ENOMEM;
	at = place_of(set, key);
	if (set->key[at])
		return 0;
	set->key[at] = key;
	set->used++;
	return 1;
}

/* What one call of each() hands down. */
struct pass {
	struct spt_guest_tables *tables;
	struct spt_guest_memory *memory;
	const struct spt_model *model;
	const struct spt_guest_mmu *mmu;	/* of the tables that are followed */
	const struct spt_nested_tables *nested; /* what their addresses go through */
	unsigned int as_id;
	spt_guest_table_fn *fn;
	void *arg;
};

/* First entry and number of entries that a table at @gpa has in its page. */
static void entries_of(const struct spt_guest_mmu *mmu, uint64_t gpa, int level,
		       unsigned int *first, unsigned int *count)
{
	unsigned int size = spt_guest_entry_size(mmu);

	*first = 0;
	*count = 4096 / size;
	if (mmu->paging == SPT_GUEST_PAE && level == 3) {
		*first = (gpa & 4095) / size; /* CR3 is 32-byte aligned there */
		*count = 4;
	}
}

static uint64_t entry_at(const struct spt_guest_mmu *mmu, const uint64_t *page, unsigned int i)
{
	uint32_t narrow;

	if (spt_guest_entry_size(mmu) == sizeof(uint64_t))
		return page[i];
	memcpy(&narrow, (const char *)page + i * sizeof(narrow), sizeof(narrow));
	return narrow;
}

static int visit(const struct pass *p, uint64_t gpa, int level);

static int visit_entries(const struct pass *p, const uint64_t *page, uint64_t gpa, int level)
{
	const struct spt_guest_mmu *mmu = p->mmu;
	unsigned int first, count;

	entries_of(mmu, gpa, level, &first, &count);
	for (unsigned int i = first; i < first + count && !p->tables->limited; i++) {
		struct spt_gpte e = spt_gpte_decode(mmu, entry_at(mmu, page, i), level);
		int ret;

		if (!e.present || e.leaf || e.reserved)
			continue;
		ret = visit(p, e.gpa, level - 1);
		if (ret)
			return ret;
	}
	return 0;
}

/* At most five calls deep. */
static int visit(const struct pass *p, uint64_t gpa, int level)
{
	struct spt_guest_tables *t = p->tables;
	uint64_t page[SPT_TABLE_ENTRIES], at = gpa & ~(spt_level_size(1) - 1);
	int followed, given;

	if (spt_nested_memory_read(p->nested, p->memory, p->model, p->as_id, &at, page,
				   sizeof(page))) {
		t->unread++;
		return 0;
	}
	followed = add(t, make_key(at, level, p->nested->on));
	if (followed <= 0)
		return followed;
	given = add(t, make_key(at, 0, false));
	if (given < 0)
		return given;
	if (given) {
		int ret;

		if (t->given >= t->max) {
			t->limited = true;
			return 0;
		}
		t->given++;
		ret = p->fn(p->arg, at, page);
		if (ret)
			return ret;
	}
	return level > 1 ? visit_entries(p, page, gpa, level) : 0;
}

int spt_guest_tables_each(struct spt_guest_tables *t, struct spt_guest_memory *memory,
			  const struct spt_model *model, const struct spt_guest_regs *regs,
			  spt_guest_table_fn *fn, void *arg, struct spt_error *err)
{
	const struct spt_nested_tables none = { 0 };
	struct pass p = { t, memory, model, &regs->nested.mmu, &none, regs->as_id, fn, arg };
	int ret = 0;

	if (spt_guest_regs_refuse(regs))
		return 0;
	if (regs->nested.on)
		ret = visit(&p, regs->nested.top, spt_guest_levels(p.mmu));
	p.mmu = &regs->mmu;
	p.nested = &regs->nested;
	if (!ret && regs->mmu.paging != SPT_GUEST_NO_PAGING)
		ret = visit(&p, spt_guest_top_table(&regs->mmu, regs->cr3),
			    spt_guest_levels(&regs->mmu));
	return ret == -ENOMEM ? spt_fail(err, ENOMEM, "out of memory for the guest's tables") : ret;
}

int spt_guest_tables_vcpus(struct spt_guest_tables *t, struct spt_guest_memory *memory,
			   const struct spt_model *model, spt_guest_table_fn *fn, void *arg,
			   struct spt_error *err)
{
	for (uint32_t i = 0; i < model->nr_vcpus; i++) {
		struct spt_guest_regs regs;
		int ret;

		spt_guest_regs_of(model, &model->vcpus[i], &regs);
		ret = spt_guest_tables_each(t, memory, model, &regs, fn, arg, err);
		if (ret)
			return ret;
	}
	return 0;
}

size_t spt_guest_table_record(struct spt_guest_table *rec, uint64_t gpa, const uint64_t *page)
{
	const size_t row = SPT_CHUNK_ENTRIES * sizeof(uint64_t);
	char *to = (char *)rec->entry;

	rec->gpa = gpa;
	rec->chunks = 0;
	for (unsigned int chunk = 0; chunk < SPT_TABLE_CHUNKS; chunk++) {
		const uint64_t *from = page + chunk * SPT_CHUNK_ENTRIES;
		uint64_t any = 0;

		for (unsigned int i = 0; i < SPT_CHUNK_ENTRIES; i++)
			any |= from[i];
		if (!any)
			continue;
		memcpy(to, from, row);
		to += row;
		rec->chunks |= 1ULL << chunk;
	}
	rec->rec.type = SPT_REC_GUEST_TABLE;
	rec->rec.len = to - (char *)rec;
	return rec->rec.len;
}
