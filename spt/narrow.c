// SPDX-License-Identifier: GPL-2.0
/*
 * Narrowing a saved image:
 *
 * 1. Of the runs, those that the request's parts select; of their records those
 *    that speak of its range.
 * 2. From the TDP MMU's roots, and from every table that a run has, down to the
 *    tables whose place overlaps the range.
 * 3. In the order of the image, with head and end as the agent would have made
 *    them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/role.h"
#include "decoders/spte.h"
#include "spt/image.h"
#include "spt/model.h"
#include "spt/narrow.h"
#include "spt/record.h"

/* A record of the answer. */
struct chosen {
	uint64_t off;
	const struct spt_rec *rec;
};

struct narrowing {
	struct spt_pieces *pieces;
	uint32_t parts;
	bool ranged;
	uint64_t first, last; /* gfns asked for */
	const struct spt_head *head;
	const struct spt_end *end;
	uint64_t gpa_bits;
	struct chosen *chosen;
	size_t count, room, bytes;
};

/* Which parts select a type; types that are not here always are. */
static const uint32_t parts_of[SPT_IMAGE_TYPES] = {
	[SPT_REC_VM] = SPT_PART_VM,
	[SPT_REC_VCPU] = SPT_PART_VCPUS,
	[SPT_REC_TDX_PAGES] = SPT_PART_VM,
	[SPT_REC_REGS] = SPT_PART_REGS | SPT_PART_FRESH,
	[SPT_REC_SLOT] = SPT_PART_MEMSLOTS | SPT_PART_LPAGE | SPT_PART_DIRTY | SPT_PART_RMAPS |
			 SPT_PART_HOST_RUNS | SPT_PART_GMEM,
	[SPT_REC_SLOT_RUNS] = SPT_PART_LPAGE,
	[SPT_REC_ATTRS] = SPT_PART_ATTRS,
	[SPT_REC_ROOT] = SPT_PART_ROOTS,
	/* Those of runs: the roots of the shadow MMU are among its tables. */
	[SPT_REC_TABLE] = SPT_PART_TABLES | SPT_PART_ROOTS,
	[SPT_REC_RAW_TABLE] = SPT_PART_TABLES | SPT_PART_ROOTS,
	[SPT_REC_TRANSLATIONS] = SPT_PART_TABLES,
	[SPT_REC_DIRTY] = SPT_PART_DIRTY,
	/* The host's mapping of a page is a run's, where there is no walk of it. */
	[SPT_REC_HOST_RUNS] = SPT_PART_HOST_RUNS | SPT_PART_HOST,
	[SPT_REC_GMEM_RUNS] = SPT_PART_GMEM,
	[SPT_REC_RMAPS] = SPT_PART_RMAPS,
	/* The topmost of them stand for a root. */
	[SPT_REC_EXTERNAL] = SPT_PART_TABLES | SPT_PART_ROOTS,
	[SPT_REC_GUEST_TABLE] = SPT_PART_VCPUS | SPT_PART_REGS, /* what their CR3 leads to */
};

bool spt_narrow_pays(const struct spt_request *req)
{
	return req && (req->len || (req->parts && !(req->parts & SPT_PART_TABLES)));
}

static int choose(struct narrowing *n, uint64_t off, const struct spt_rec *rec)
{
	if (n->count == n->room) {
		size_t room = n->room * 2 + 256;
		struct chosen *more = realloc(n->chosen, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		n->chosen = more;
		n->room = room;
	}
	n->bytes += rec->len;
	if (n->bytes > SPT_NARROW_MAX)
		return -E2BIG;
	n->chosen[n->count++] = (struct chosen){ off, rec };
	return 0;
}

static bool overlaps(const struct narrowing *n, uint64_t first, uint64_t last)
{
	return !n->ranged || (first <= n->last && last >= n->first);
}

static bool wanted(const struct narrowing *n, uint32_t type)
{
	uint32_t parts = type < SPT_IMAGE_TYPES ? parts_of[type] : 0;

	return !parts || parts & n->parts;
}

/* What a record that belongs to a slot goes with. */
static bool of_slot(uint32_t type)
{
	return type == SPT_REC_SLOT_RUNS || type == SPT_REC_DIRTY || type == SPT_REC_HOST_RUNS ||
	       type == SPT_REC_GMEM_RUNS || type == SPT_REC_RMAPS;
}

static bool fits_run(const struct spt_rec *rec, uint32_t type)
{
	return rec->type == type || (type == SPT_REC_TABLE && rec->type == SPT_REC_TRANSLATIONS);
}

static int choose_run(struct narrowing *n, const struct spt_index_run *run)
{
	uint64_t end = run->off + run->len;

	for (uint64_t off = run->off; off < end;) {
		const struct spt_rec *rec = spt_pieces_record(n->pieces, off);
		struct spt_gfns gfns;
		int ret;

		if (!rec || !fits_run(rec, run->type) || rec->len > end - off)
			return -EINVAL;
		gfns = spt_record_gfns(rec);
		if (overlaps(n, gfns.first, gfns.last)) {
			ret = choose(n, off, rec);
			if (ret)
				return ret;
		}
		off += rec->len;
	}
	return 0;
}

static int choose_runs(struct narrowing *n)
{
	struct spt_index *idx = n->pieces->index;
	bool in_slot = false;

	for (uint64_t i = 0; i < idx->nr_runs; i++) {
		const struct spt_index_run *run = spt_index_run(idx, i);
		bool take;
		int ret;

		if (!run)
			return -EINVAL;
		take = wanted(n, run->type) && overlaps(n, run->first_gfn, run->last_gfn);
		if (run->type == SPT_REC_SLOT)
			in_slot = take;
		if (!take || run->type == SPT_REC_END || (of_slot(run->type) && !in_slot))
			continue;
		ret = choose_run(n, run);
		if (ret)
			return ret;
	}
	return 0;
}

/* One table that is being looked at for the tables below it. */
struct parent {
	const uint64_t *entry;
	uint64_t chunks;
	int level;
	bool raw, placed; /* placed: entry i translates base + i */
	uint64_t base;
};

static bool is_table_entry(const struct parent *p, uint64_t spte)
{
	if (p->raw)
		return spte & 1;
	return spte & SPT_SPTE_MMU_PRESENT && p->level > 1 && !(spte & SPT_SPTE_PAGE_SIZE);
}

static struct parent parent_of(const struct narrowing *n, const struct spt_rec *rec)
{
	const struct spt_raw_table *raw = (const void *)rec;
	const struct spt_table *table = (const void *)rec;

	if (rec->type == SPT_REC_RAW_TABLE)
		return (struct parent){
			.entry = (const uint64_t *)raw->entry,
			.chunks = raw->chunks,
			.level = raw->kind - SPT_RAW_PAE_ROOT + 3,
			.raw = true,
		};
	return (struct parent){
		.entry = (const uint64_t *)table->entry,
		.chunks = table->chunks,
		.level = spt_role_get(n->head->role, table->page.role, SPT_ROLE_LEVEL),
		.placed = spt_role_get(n->head->role, table->page.role, SPT_ROLE_DIRECT),
		.base = table->page.gfn,
	};
}

static unsigned int level_gfn_shift(int level)
{
	return SPT_LEVEL_BITS * (level - 1);
}

static int descend(struct narrowing *n, const struct spt_rec *rec);

/* Every table at @hpa that may be the child of a table at @level, and what is below it. */
static int choose_tables(struct narrowing *n, uint64_t hpa, int level, bool placed)
{
	struct spt_index *idx = n->pieces->index;
	uint64_t nr = spt_index_find(idx, hpa);

	if (nr == UINT64_MAX)
		return -EINVAL;
	for (; nr < idx->nr_tables; nr++) {
		const struct spt_index_table *at = spt_index_table(idx, nr);
		const struct spt_table *table;
		uint64_t first, last;
		int child, ret;

		if (!at)
			return -EINVAL;
		if (at->hpa != hpa)
			break;
		table = (const void *)spt_pieces_record(n->pieces, at->off);
		if (!table || table->rec.type != SPT_REC_TABLE || table->page.hpa != hpa)
			return -EINVAL;
		child = spt_role_get(n->head->role, table->page.role, SPT_ROLE_LEVEL);
		if (child < 1 || child > SPT_MAX_LEVEL || (level && child != level - 1))
			continue;
		first = table->page.gfn;
		last = first + (1ULL << level_gfn_shift(child + 1)) - 1;
		if (!placed && !overlaps(n, first, last))
			continue;
		ret = choose(n, at->off, &table->rec);
		if (!ret)
			ret = descend(n, &table->rec);
		if (ret)
			return ret;
	}
	return 0;
}

static int descend(struct narrowing *n, const struct spt_rec *rec)
{
	struct parent p = parent_of(n, rec);
	unsigned int shift = level_gfn_shift(p.level);
	const uint64_t *row = p.entry;

	if (p.level < 2 || p.level > SPT_MAX_LEVEL)
		return 0;
	for (uint64_t left = p.chunks; left; left &= left - 1, row += SPT_CHUNK_ENTRIES) {
		unsigned int index = __builtin_ctzll(left) * SPT_CHUNK_ENTRIES;

		for (unsigned int i = 0; i < SPT_CHUNK_ENTRIES; i++) {
			uint64_t first = p.base + ((uint64_t)(index + i) << shift);
			int ret;

			first &= ~(n->gpa_bits >> SPT_PAGE_SHIFT);
			if (!is_table_entry(&p, row[i]))
				continue;
			if (p.placed && !overlaps(n, first, first + (1ULL << shift) - 1))
				continue;
			ret = choose_tables(n, row[i] & n->head->spte_addr_mask, p.level, p.placed);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Step 2, from what step 1 has chosen. */
static int choose_paths(struct narrowing *n)
{
	size_t count = n->count;

	for (size_t i = 0; i < count; i++) {
		const struct spt_rec *rec = n->chosen[i].rec;
		int ret = 0;

		if (rec->type == SPT_REC_ROOT)
			ret = choose_tables(n, ((const struct spt_root *)rec)->page.hpa, 0, true);
		else if (rec->type == SPT_REC_TABLE || rec->type == SPT_REC_RAW_TABLE)
			ret = descend(n, rec);
		if (ret)
			return ret;
	}
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct chosen *x = a, *y = b;

	return (x->off > y->off) - (x->off < y->off);
}

/* Counts as a reader does. */
static void count_record(struct spt_end *end, const struct spt_rec *rec)
{
	end->records++;
	end->tables += rec->type == SPT_REC_TABLE;
	end->entries += spt_record_entries(rec);
}

static char *put_record(char *to, const struct spt_rec *rec, struct spt_end *end)
{
	memcpy(to, rec, rec->len);
	count_record(end, rec);
	return to + rec->len;
}

/* Step 3. */
static int put_image(struct narrowing *n, const struct spt_request *req, void **ret, size_t *len)
{
	struct spt_end end = *n->end;
	char *base, *to;
	struct spt_head *head;

	qsort(n->chosen, n->count, sizeof(*n->chosen), by_offset);
	base = to = malloc(n->bytes + sizeof(end));
	if (!base)
		return -ENOMEM;
	end.records = end.tables = end.entries = 0;
	for (size_t i = 0; i < n->count; i++)
		if (!i || n->chosen[i].off != n->chosen[i - 1].off)
			to = put_record(to, n->chosen[i].rec, &end);
	head = (void *)base;
	head->req_start = n->ranged ? req->start : 0;
	head->req_len = n->ranged ? req->len : 0;
	head->req_parts &= n->parts;
	end.rec.len = sizeof(end);
	count_record(&end, &end.rec);
	memcpy(to, &end, sizeof(end));
	to += offsetof(struct spt_end, checksum);
	((struct spt_end *)(to - offsetof(struct spt_end, checksum)))->checksum =
		spt_image_checksum(base, (to - base) / sizeof(uint64_t));
	*ret = base;
	*len = to - base + sizeof(end.checksum);
	return 0;
}

/* Head and end say how to read the rest. */
static int find_ends(struct narrowing *n)
{
	struct spt_index *idx = n->pieces->index;
	const struct spt_rec *head = spt_pieces_record(n->pieces, 0), *end = n->pieces->end;

	for (uint64_t i = idx->nr_runs; i-- > 0 && !end;) {
		const struct spt_index_run *run = spt_index_run(idx, i);

		if (!run)
			return -EINVAL;
		if (run->type == SPT_REC_END)
			end = spt_pieces_record(n->pieces, run->off);
	}
	n->head = (const void *)head;
	n->end = (const void *)end;
	if (!head || head->type != SPT_REC_HEAD || n->head->magic != SPT_IMAGE_MAGIC ||
	    n->head->abi != SPT_IMAGE_ABI || !end || end->type != SPT_REC_END)
		return -EINVAL;
	for (int i = 0; i < SPT_ROLE_MAX; i++)
		if (n->head->role[i].shift > 31 || n->head->role[i].width > 31)
			return -EINVAL;
	return n->head->req_len ? -ENOTSUP : 0;
}

static void find_gpa_bits(struct narrowing *n)
{
	for (size_t i = 0; i < n->count; i++) {
		const struct spt_values *vm = (const void *)n->chosen[i].rec;
		size_t count = (vm->rec.len - sizeof(*vm)) / sizeof(vm->value[0]);

		if (vm->rec.type == SPT_REC_VM && count > SPT_VM_GFN_DIRECT_BITS &&
		    vm->known[SPT_VM_GFN_DIRECT_BITS / 64] >> SPT_VM_GFN_DIRECT_BITS % 64 & 1)
			n->gpa_bits = vm->value[SPT_VM_GFN_DIRECT_BITS] << SPT_PAGE_SHIFT;
	}
}

int spt_narrow(struct spt_pieces *pieces, const struct spt_request *req, void **ret, size_t *len)
{
	struct narrowing n = {
		.pieces = pieces,
		.parts = req->parts ? req->parts : SPT_PARTS_DEFAULT,
		.ranged = req->len,
		.first = req->start >> SPT_PAGE_SHIFT,
		.last = (req->start + req->len - 1) >> SPT_PAGE_SHIFT,
	};
	int code;

	if (n.ranged && req->len - 1 > ~0ULL - req->start)
		n.last = ~0ULL >> SPT_PAGE_SHIFT;
	if (n.parts & SPT_PART_HOST)
		n.parts |= SPT_PART_HOST_RUNS;
	spt_pieces_trim(pieces);
	code = find_ends(&n);
	if (!code)
		code = choose_runs(&n);
	if (!code) {
		find_gpa_bits(&n);
		if (n.parts & SPT_PART_TABLES)
			code = choose_paths(&n);
	}
	if (!code)
		code = put_image(&n, req, ret, len);
	free(n.chosen);
	return code;
}
