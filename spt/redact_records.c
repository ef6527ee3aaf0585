// SPDX-License-Identifier: GPL-2.0
#include "spt/redact_records.h"

#include <string.h>

#include "decoders/role.h"
#include "decoders/spte.h"

#define PAGE_ADDR 0x000ffffffffff000ULL

/* Entries of the host's page tables, as in host.c. */
#define PTE_PRESENT  (1ULL << 0)
#define PTE_PSE	     (1ULL << 7)
#define PTE_PROTNONE (1ULL << 8)
#define SWP_OFFSET   0x07fffffffffffe00ULL /* bits 9 to 58, inverted */

static uint64_t page(struct spt_redact_pass *pass, uint64_t hpa)
{
	return spt_redact_address(pass, hpa, SPT_REDACT_PAGE, SPT_REDACT_PAGE);
}

/* The address bits @mask of @entry, which map @size bytes; the others stay. */
static uint64_t entry_bits(struct spt_redact_pass *pass, uint64_t entry, uint64_t mask,
			   uint64_t size)
{
	return (entry & ~mask) | (spt_redact_address(pass, entry & mask, size, size) & mask);
}

/* An entry of KVM's, of a table of @level. */
static uint64_t spte(struct spt_redact_pass *pass, uint64_t entry, int level)
{
	const struct spt_format *f = &pass->format;

	switch (spt_spte_type(f, entry, level)) {
	case SPT_SPTE_LEAF:
		return entry_bits(pass, entry, f->leaf_addr[level], spt_spte_span(level));
	case SPT_SPTE_TABLE:
		return entry_bits(pass, entry, f->addr, SPT_REDACT_PAGE);
	case SPT_SPTE_NONPRESENT:
		/* Empty, or what is left of one that was not. */
		if (entry != f->empty)
			return entry_bits(pass, entry, f->addr, SPT_REDACT_PAGE);
		return entry;
	default:
		return entry;
	}
}

/* An entry of a table without a kvm_mmu_page: the hardware's bits alone. */
static uint64_t raw_entry(struct spt_redact_pass *pass, uint64_t entry, int level)
{
	bool leaf = level == 1 || (level <= 3 && entry & SPT_SPTE_PAGE_SIZE);

	if (!(entry & PAGE_ADDR))
		return entry;
	if (leaf)
		return entry_bits(pass, entry, pass->format.leaf_addr[level], spt_spte_span(level));
	return entry_bits(pass, entry, pass->format.addr, SPT_REDACT_PAGE);
}

static int level_of(const struct spt_redact_pass *pass, uint32_t role)
{
	int level = (int)spt_role_get(pass->head->role, role, SPT_ROLE_LEVEL);

	return level < 1 ? 1 : level > SPT_MAX_LEVEL ? SPT_MAX_LEVEL : level;
}

static void mmu_page(struct spt_redact_pass *pass, struct spt_page *p)
{
	p->sp = spt_redact_kernel(pass, p->sp);
	p->hpa = page(pass, p->hpa);
	p->external = page(pass, p->external);
	if (p->flags & SPT_PAGE_TDP_MMU) {
		/* An entry's place: the table that it is of is named by itself, too. */
		p->parent = page(pass, p->parent & ~(SPT_REDACT_PAGE - 1)) |
			    (p->parent & (SPT_REDACT_PAGE - 1));
	} else if (p->parent) {
		/* A kernel address; with bit 0 it is one of a list, which nobody follows. */
		p->parent = spt_redact_kernel(pass, p->parent & ~7ULL) | 1;
		pass->lost.parents++;
	}
}

static bool redact_head(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	struct spt_head *head = (struct spt_head *)rec;

	memset(head->comm, 0, sizeof(head->comm));
	memcpy(head->comm, "vmm", 4);
	return true;
}

static bool redact_nothing(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	return true;
}

static void values(struct spt_redact_pass *pass, struct spt_rec *rec, const int *nrs, size_t n)
{
	struct spt_values *v = (struct spt_values *)rec;
	size_t count = (rec->len - sizeof(*v)) / sizeof(uint64_t);

	for (size_t i = 0; i < n; i++) {
		int nr = nrs[i];

		/* HW_ROOT has flags in its low bits and may have the C-bit; NO_HPA is all ones. */
		if ((size_t)nr < count && v->known[nr / 64] >> (nr % 64) & 1 &&
		    v->value[nr] != SPT_NO_HPA)
			v->value[nr] =
				entry_bits(pass, v->value[nr], PAGE_ADDR & ~pass->format.me_mask,
					   SPT_REDACT_PAGE);
	}
}

static bool redact_vm(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	static const int addresses[] = { SPT_VM_TDX_TDR };

	values(pass, rec, addresses, sizeof(addresses) / sizeof(addresses[0]));
	return true;
}

static bool redact_vcpu(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	static const int addresses[] = {
		SPT_VCPU_ROOT_HPA,	  SPT_VCPU_PREV_ROOT_HPA_0, SPT_VCPU_PREV_ROOT_HPA_1,
		SPT_VCPU_PREV_ROOT_HPA_2, SPT_VCPU_MIRROR_ROOT_HPA, SPT_VCPU_PAE_ROOT,
		SPT_VCPU_PML4_ROOT,	  SPT_VCPU_PML5_ROOT,	    SPT_VCPU_HW_ROOT,
		SPT_VCPU_TDX_TDVPR,
	};

	values(pass, rec, addresses, sizeof(addresses) / sizeof(addresses[0]));
	return true;
}

static bool redact_root(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	mmu_page(pass, &((struct spt_root *)rec)->page);
	return true;
}

static size_t stored(uint64_t chunks)
{
	return spt_chunks_bytes(chunks) / sizeof(uint64_t);
}

static bool redact_table(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	struct spt_table *t = (struct spt_table *)rec;
	int level = level_of(pass, t->page.role);

	mmu_page(pass, &t->page);
	t->root = spt_redact_kernel(pass, t->root);
	t->empty = spte(pass, t->empty, level);
	for (size_t i = 0; i < stored(t->chunks); i++)
		t->entry[i] = spte(pass, t->entry[i], level);
	return true;
}

static bool redact_raw_table(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	struct spt_raw_table *t = (struct spt_raw_table *)rec;

	t->hpa = page(pass, t->hpa);
	/* All of these lead to tables. */
	t->empty = raw_entry(pass, t->empty, SPT_MAX_LEVEL);
	for (size_t i = 0; i < stored(t->chunks); i++)
		t->entry[i] = raw_entry(pass, t->entry[i], SPT_MAX_LEVEL);
	return true;
}

static bool redact_external(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	struct spt_external *t = (struct spt_external *)rec;
	int level = t->level < 1 ? 1 : t->level > SPT_MAX_LEVEL ? SPT_MAX_LEVEL : t->level;

	t->hpa = page(pass, t->hpa);
	t->mirror = page(pass, t->mirror);
	t->sp = spt_redact_kernel(pass, t->sp);
	t->root = spt_redact_kernel(pass, t->root);
	for (size_t i = 0; i < stored(t->chunks); i++)
		t->entry[i] = raw_entry(pass, t->entry[i], level);
	return true;
}

static bool redact_translations(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	struct spt_array *a = (struct spt_array *)rec;

	a->sp = spt_redact_kernel(pass, a->sp);
	return true;
}

/* An entry of the VMM's page tables. */
static uint64_t host_entry(struct spt_redact_pass *pass, uint64_t entry, int level)
{
	bool leaf = level == 1 || (level <= 3 && entry & PTE_PSE);
	uint64_t size = leaf ? spt_spte_span(level) : SPT_REDACT_PAGE;
	uint64_t mask = PAGE_ADDR & ~(size - 1) & ~pass->format.me_mask;

	if (entry & PTE_PRESENT)
		return entry_bits(pass, entry, mask, size);
	if (!entry)
		return 0;
	/* The frame is stored inverted. */
	if (entry & PTE_PROTNONE || (level > 1 && entry & PTE_PSE))
		return ~entry_bits(pass, ~entry, mask, size);
	if (pass->head->swp_first_special && entry >> 59 < pass->head->swp_first_special)
		return entry; /* a place on a swap device */
	pass->lost.transits++;
	return entry | SWP_OFFSET;
}

static bool redact_host_walk(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	struct spt_host_walk *w = (struct spt_host_walk *)rec;

	for (int level = w->top; level >= 1 && level >= w->leaf; level--) {
		if (level > SPT_HOST_LEVELS || w->level[level - 1].table_hpa == SPT_NO_HPA)
			continue;
		w->level[level - 1].table_hpa = page(pass, w->level[level - 1].table_hpa);
		w->level[level - 1].entry = host_entry(pass, w->level[level - 1].entry, level);
	}
	return true;
}

static bool redact_note(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	struct spt_note *n = (struct spt_note *)rec;

	switch (n->kind) {
	case SPT_NOTE_ROOT_CHANGED:
		n->a = spt_redact_kernel(pass, n->a);
		break;
	case SPT_NOTE_BAD_TABLE:
		n->a = page(pass, n->a & PAGE_ADDR);
		n->b = entry_bits(pass, n->b, pass->format.addr, SPT_REDACT_PAGE);
		break;
	case SPT_NOTE_UNREADABLE:
		n->a = 0;
		pass->lost.notes++;
		break;
	default: /* guest frames, levels and counts */
		break;
	}
	return true;
}

static bool redact_host_runs(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	struct spt_host_runs *runs = (struct spt_host_runs *)rec;

	for (uint32_t i = 0; i < runs->count; i++) {
		struct spt_host_run *run = &runs->run[i];
		int level = run->level >= 1 && run->level <= 3 ? (int)run->level : 1;

		run->hpa = spt_redact_address(pass, run->hpa, run->npages << SPT_PAGE_SHIFT,
					      spt_spte_span(level));
	}
	return true;
}

static bool redact_rmaps(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	struct spt_rmaps *rmaps = (struct spt_rmaps *)rec;

	for (uint32_t i = 0; i < rmaps->count; i++) {
		uint64_t at = rmaps->rmap[i].sptep_hpa;

		if (at != SPT_NO_HPA)
			rmaps->rmap[i].sptep_hpa = page(pass, at & ~(SPT_REDACT_PAGE - 1)) |
						   (at & (SPT_REDACT_PAGE - 1));
	}
	return true;
}

static bool redact_tdx_pages(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	struct spt_tdx_pages *pages = (struct spt_tdx_pages *)rec;

	for (uint32_t i = 0; i < pages->count; i++)
		pages->hpa[i] = page(pass, pages->hpa[i]);
	return true;
}

static void redact_event(struct spt_redact_pass *pass, struct spt_event *e)
{
	bool leveled = e->known & SPT_EVENT_HAS_LEVEL && e->level >= 1 && e->level <= SPT_MAX_LEVEL;
	int level = leveled ? e->level : 1;

	e->old_spte = e->known & SPT_EVENT_HAS_OLD ? spte(pass, e->old_spte, level) : 0;
	e->new_spte = e->known & SPT_EVENT_HAS_NEW ? spte(pass, e->new_spte, level) : 0;
	e->root_hpa = e->known & SPT_EVENT_HAS_ROOT ? page(pass, e->root_hpa) : 0;
	memset(e->comm, 0, sizeof(e->comm));
	memcpy(e->comm, e->flags & SPT_EVENT_FOREIGN ? "other" : "vmm",
	       e->flags & SPT_EVENT_FOREIGN ? 5 : 3);
}

/* Those of a later spt say more than is known here. */
static bool redact_events(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	struct spt_events *events = (struct spt_events *)rec;

	if (events->size != sizeof(events->event[0])) {
		pass->lost.unknown++;
		return false;
	}
	for (uint32_t i = 0; i < events->count; i++)
		redact_event(pass, &events->event[i]);
	return true;
}

/* By enum spt_rec_type; what is not here may say anything, and is left out. */
static bool (*const kinds[])(struct spt_redact_pass *pass, struct spt_rec *rec) = {
	[SPT_REC_HEAD] = redact_head,
	[SPT_REC_MASKS] = redact_nothing,
	[SPT_REC_VM] = redact_vm,
	[SPT_REC_VCPU] = redact_vcpu,
	[SPT_REC_SLOT] = redact_nothing,
	[SPT_REC_SLOT_RUNS] = redact_nothing,
	[SPT_REC_ATTRS] = redact_nothing,
	[SPT_REC_ROOT] = redact_root,
	[SPT_REC_TABLE] = redact_table,
	[SPT_REC_RAW_TABLE] = redact_raw_table,
	[SPT_REC_TRANSLATIONS] = redact_translations,
	[SPT_REC_HOST_WALK] = redact_host_walk,
	[SPT_REC_NOTE] = redact_note,
	[SPT_REC_DIRTY] = redact_nothing,
	[SPT_REC_HOST_RUNS] = redact_host_runs,
	[SPT_REC_RMAPS] = redact_rmaps,
	[SPT_REC_GUEST_TABLE] = redact_nothing,
	[SPT_REC_GMEM_RUNS] = redact_host_runs,
	[SPT_REC_EXTERNAL] = redact_external,
	[SPT_REC_TDX_PAGES] = redact_tdx_pages,
	[SPT_REC_REGS] = redact_nothing, /* the guest's */
	[SPT_REC_EVENTS] = redact_events,
	[SPT_REC_TRACE] = redact_nothing,
};

bool spt_redact_record(struct spt_redact_pass *pass, struct spt_rec *rec)
{
	if (rec->type < sizeof(kinds) / sizeof(kinds[0]) && kinds[rec->type])
		return kinds[rec->type](pass, rec);
	if (rec->type != SPT_REC_INDEX && rec->type != SPT_REC_END)
		pass->lost.unknown++;
	return false;
}
