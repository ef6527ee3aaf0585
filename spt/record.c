// SPDX-License-Identifier: GPL-2.0
/* What makes a record sound: one line in the table for its length, one check for its members. */
#include <stddef.h>

#include "decoders/format.h"
#include "spt/record.h"

/* No x86 CPU has physical addresses of more than 52 bits (SDM Vol. 3A 4.1.4, APM Vol. 2 5.1). */
#define SPT_MAX_GFN (1ULL << (52 - 12))

static const char *check_gfns(uint64_t gfn, uint64_t npages)
{
	return gfn > SPT_MAX_GFN || npages > SPT_MAX_GFN - gfn ? "frames beyond the address space"
							       : NULL;
}

static const char *check_page(const struct spt_page *page)
{
	if (page->hpa & 4095)
		return "table at an address that is no page's";
	return check_gfns(page->gfn, 0);
}

/* Masks and role bits are the format's to judge, once for many images of a VM. */
static const char *check_head(const struct spt_rec *rec)
{
	const struct spt_head *head = (const void *)rec;

	if (head->vendor < SPT_VENDOR_SVM || head->vendor > SPT_VENDOR_VMX)
		return "unknown vendor";
	if (head->mmu < SPT_MMU_NPT || head->mmu > SPT_MMU_SHADOW)
		return "unknown MMU kind";
	if (head->req_len && head->req_len - 1 > ~0ULL - head->req_start)
		return "requested range that wraps around";
	if (head->maxphyaddr > 52)
		return "maxphyaddr beyond 52";
	if (head->root_level > SPT_MAX_LEVEL)
		return "root level beyond 5";
	return NULL;
}

static const char *check_slot(const struct spt_rec *rec)
{
	const struct spt_slot *slot = (const void *)rec;

	if (slot->as_id > 1)
		return "memslot of an unknown address space";
	return check_gfns(slot->base_gfn, slot->npages);
}

static const char *check_runs(const struct spt_rec *rec)
{
	const struct spt_runs *runs = (const void *)rec;
	uint64_t next = 0;

	if (runs->count > (rec->len - sizeof(*runs)) / sizeof(runs->run[0]))
		return "more runs than the record holds";
	for (uint32_t i = 0; i < runs->count; i++) {
		const struct spt_run *run = &runs->run[i];

		if (run->gfn < next || check_gfns(run->gfn, run->npages))
			return "runs out of order";
		next = run->gfn + run->npages;
	}
	return NULL;
}

static const char *check_root(const struct spt_rec *rec)
{
	return check_page(&((const struct spt_root *)rec)->page);
}

static const char *check_chunks(const struct spt_rec *rec, size_t fixed, uint64_t chunks)
{
	return spt_chunks_bytes(chunks) > rec->len - fixed ? "fewer entries than the bitmap says"
							   : NULL;
}

static const char *check_table(const struct spt_rec *rec)
{
	const struct spt_table *table = (const void *)rec;
	const char *wrong = check_page(&table->page);

	return wrong ? wrong : check_chunks(rec, sizeof(*table), table->chunks);
}

static const char *check_raw_table(const struct spt_rec *rec)
{
	const struct spt_raw_table *table = (const void *)rec;

	if (table->kind < SPT_RAW_PAE_ROOT || table->kind > SPT_RAW_PML5_ROOT)
		return "unknown kind of root table";
	return check_chunks(rec, sizeof(*table), table->chunks);
}

static const char *check_array(const struct spt_rec *rec)
{
	const struct spt_array *array = (const void *)rec;

	return check_chunks(rec, sizeof(*array), array->chunks);
}

static const char *check_external(const struct spt_rec *rec)
{
	const struct spt_external *table = (const void *)rec;

	if (table->hpa & 4095 || table->mirror & 4095)
		return "external table at an address that is no page's";
	if (table->level < 1 || table->level > SPT_MAX_LEVEL)
		return "external table of an impossible level";
	if (check_gfns(table->gfn, 0))
		return "frames beyond the address space";
	return check_chunks(rec, sizeof(*table), table->chunks);
}

static const char *check_tdx_pages(const struct spt_rec *rec)
{
	const struct spt_tdx_pages *pages = (const void *)rec;

	return pages->count > (rec->len - sizeof(*pages)) / sizeof(pages->hpa[0])
		       ? "fewer pages than it says"
		       : NULL;
}

static const char *check_guest_table(const struct spt_rec *rec)
{
	const struct spt_guest_table *table = (const void *)rec;

	if (table->gpa & 4095)
		return "guest table at an address that is no page's";
	return check_chunks(rec, sizeof(*table), table->chunks);
}

static const char *check_host_walk(const struct spt_rec *rec)
{
	const struct spt_host_walk *walk = (const void *)rec;

	if (walk->top > SPT_HOST_LEVELS || walk->leaf > walk->top)
		return "host walk of impossible levels";
	return walk->leaf || walk->error ? NULL : "host walk that ends nowhere";
}

static const char *check_dirty(const struct spt_rec *rec)
{
	const struct spt_dirty *dirty = (const void *)rec;
	uint64_t words = (rec->len - sizeof(*dirty)) / 8;

	if (dirty->npages / 64 + !!(dirty->npages % 64) > words)
		return "dirty bitmap shorter than its pages";
	return check_gfns(dirty->gfn, dirty->npages);
}

static const char *check_host_runs(const struct spt_rec *rec)
{
	const struct spt_host_runs *runs = (const void *)rec;
	uint64_t next = 0;

	if (runs->count > (rec->len - sizeof(*runs)) / sizeof(runs->run[0]))
		return "fewer host runs than it says";
	for (uint32_t i = 0; i < runs->count; i++) {
		const struct spt_host_run *run = &runs->run[i];

		if (run->gfn < next || check_gfns(run->gfn, run->npages))
			return "host runs out of order";
		if (run->level > SPT_HOST_LEVELS)
			return "host run of an impossible level";
		next = run->gfn + run->npages;
	}
	return NULL;
}

static const char *check_rmaps(const struct spt_rec *rec)
{
	const struct spt_rmaps *rmaps = (const void *)rec;

	if (rmaps->count > (rec->len - sizeof(*rmaps)) / sizeof(rmaps->rmap[0]))
		return "fewer reverse maps than it says";
	if (rmaps->level < 1 || rmaps->level > 3)
		return "reverse maps of an impossible level";
	return NULL;
}

/* Events may grow, but not shrink; a kind that is not known here is left out by who reads. */
static const char *check_events(const struct spt_rec *rec)
{
	const struct spt_events *events = (const void *)rec;

	if (events->size < sizeof(struct spt_event) || events->size % 8)
		return "events of an impossible size";
	if (events->count > (rec->len - sizeof(*events)) / events->size)
		return "fewer events than it says";
	return NULL;
}

/* min: bytes that every image of this ABI has; members behind them may be missing. */
static const struct rec_rule {
	uint32_t min;
	const char *(*check)(const struct spt_rec *rec);
} rules[256] = {
	[SPT_REC_HEAD] = { sizeof(struct spt_head), check_head },
	[SPT_REC_MASKS] = { offsetof(struct spt_masks, value), NULL },
	[SPT_REC_VM] = { sizeof(struct spt_values), NULL },
	[SPT_REC_VCPU] = { sizeof(struct spt_values), NULL },
	[SPT_REC_SLOT] = { sizeof(struct spt_slot), check_slot },
	[SPT_REC_SLOT_RUNS] = { sizeof(struct spt_runs), check_runs },
	[SPT_REC_ATTRS] = { sizeof(struct spt_runs), check_runs },
	[SPT_REC_ROOT] = { sizeof(struct spt_root), check_root },
	[SPT_REC_TABLE] = { sizeof(struct spt_table), check_table },
	[SPT_REC_RAW_TABLE] = { sizeof(struct spt_raw_table), check_raw_table },
	[SPT_REC_TRANSLATIONS] = { sizeof(struct spt_array), check_array },
	[SPT_REC_HOST_WALK] = { sizeof(struct spt_host_walk), check_host_walk },
	[SPT_REC_NOTE] = { sizeof(struct spt_note), NULL },
	[SPT_REC_DIRTY] = { sizeof(struct spt_dirty), check_dirty },
	[SPT_REC_GUEST_TABLE] = { sizeof(struct spt_guest_table), check_guest_table },
	[SPT_REC_HOST_RUNS] = { sizeof(struct spt_host_runs), check_host_runs },
	[SPT_REC_GMEM_RUNS] = { sizeof(struct spt_host_runs), check_host_runs },
	[SPT_REC_EXTERNAL] = { sizeof(struct spt_external), check_external },
	[SPT_REC_TDX_PAGES] = { sizeof(struct spt_tdx_pages), check_tdx_pages },
	[SPT_REC_REGS] = { sizeof(struct spt_values), NULL },
	[SPT_REC_EVENTS] = { sizeof(struct spt_events), check_events },
	[SPT_REC_TRACE] = { sizeof(struct spt_rec), NULL },
	[SPT_REC_RMAPS] = { sizeof(struct spt_rmaps), check_rmaps },
	[SPT_REC_INDEX] = { sizeof(struct spt_rec), NULL },
	[SPT_REC_END] = { sizeof(struct spt_end), NULL },
};

bool spt_record_known(const struct spt_rec *rec)
{
	return rec->type < 256 && rules[rec->type].min;
}

const char *spt_record_check(const struct spt_rec *rec)
{
	if (!spt_record_known(rec))
		return NULL;

	const struct rec_rule *rule = &rules[rec->type];

	if (rec->len < rule->min)
		return "record too short for its type";
	return rule->check ? rule->check(rec) : NULL;
}

uint64_t spt_record_entries(const struct spt_rec *rec)
{
	if (rec->type != SPT_REC_TABLE)
		return 0;
	return spt_chunks_bytes(((const struct spt_table *)rec)->chunks) / sizeof(uint64_t);
}

static const struct spt_gfns all_gfns = { 0, ~0ULL };

static struct spt_gfns gfns_from(uint64_t first, uint64_t count)
{
	return (struct spt_gfns){ first, count ? first + count - 1 : first };
}

/* A table translates one more level than an entry of it. */
static struct spt_gfns external_gfns(const struct spt_external *table)
{
	uint64_t inside = (1ULL << 9 * table->level) - 1;

	return (struct spt_gfns){ table->gfn & ~inside, table->gfn | inside };
}

static struct spt_gfns runs_gfns(const struct spt_runs *runs)
{
	const struct spt_run *end = &runs->run[runs->count];

	return runs->count ? (struct spt_gfns){ runs->run[0].gfn, end[-1].gfn + end[-1].npages - 1 }
			   : all_gfns;
}

static struct spt_gfns host_runs_gfns(const struct spt_host_runs *runs)
{
	const struct spt_host_run *end = &runs->run[runs->count];

	return runs->count ? (struct spt_gfns){ runs->run[0].gfn, end[-1].gfn + end[-1].npages - 1 }
			   : all_gfns;
}

/* A reverse map of a huge page speaks of all its frames. They are in no order that is relied on. */
static struct spt_gfns rmaps_gfns(const struct spt_rmaps *rmaps)
{
	uint64_t inside = (1ULL << 9 * (rmaps->level - 1)) - 1;
	struct spt_gfns gfns = { ~0ULL, 0 };

	for (uint32_t i = 0; i < rmaps->count; i++) {
		uint64_t gfn = rmaps->rmap[i].gfn;

		if ((gfn & ~inside) < gfns.first)
			gfns.first = gfn & ~inside;
		if ((gfn | inside) > gfns.last)
			gfns.last = gfn | inside;
	}
	return rmaps->count ? gfns : all_gfns;
}

struct spt_gfns spt_record_gfns(const struct spt_rec *rec)
{
	switch (rec->type) {
	case SPT_REC_SLOT:
		return gfns_from(((const struct spt_slot *)rec)->base_gfn,
				 ((const struct spt_slot *)rec)->npages);
	case SPT_REC_SLOT_RUNS:
	case SPT_REC_ATTRS:
		return runs_gfns((const void *)rec);
	case SPT_REC_DIRTY:
		return gfns_from(((const struct spt_dirty *)rec)->gfn,
				 ((const struct spt_dirty *)rec)->npages);
	case SPT_REC_EXTERNAL:
		return external_gfns((const void *)rec);
	case SPT_REC_HOST_RUNS:
	case SPT_REC_GMEM_RUNS:
		return host_runs_gfns((const void *)rec);
	case SPT_REC_RMAPS:
		return rmaps_gfns((const void *)rec);
	}
	return all_gfns;
}
