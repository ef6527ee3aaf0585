// SPDX-License-Identifier: GPL-2.0
/* Why a page that is mapped cannot be written or executed. */
#include <inttypes.h>

#include "spt/why_parts.h"

static unsigned int acc_exec(const struct spt_model *m)
{
	return m->format.layout == SPT_LAYOUT_ACCESS4 ? 8U : 1U;
}

static void fact_writable_bits(struct spt_why_ask *ask)
{
	uint64_t spte = ask->last->spte;
	const struct spt_format *f = &ask->model->format;

	spt_why_fact_spte(ask);
	spt_why_fact(ask, "host-writable", "%d", !!(spte & f->host_writable));
	spt_why_fact(ask, "mmu-writable", "%d", !!(spte & f->mmu_writable));
}

static void slot_readonly(struct spt_why_ask *ask)
{
	if (!ask->slot || !(ask->slot->flags & SPT_SLOT_READONLY))
		return;
	spt_why_add(ask, SPT_CAUSE_SLOT_READONLY);
	spt_why_fact_slot_flags(ask);
	spt_why_fact_spte(ask);
}

/* A frame of which each write is trapped: tracked, or a page table of the guest. */
static void tracked(struct spt_why_ask *ask)
{
	struct spt_why_shadowed shadowed;
	uint64_t count = 0;

	if (ask->memslot)
		spt_memslot_run(&ask->model->memslots, ask->memslot, SPT_RUN_WRITE_TRACK, ask->gfn,
				&count);
	spt_why_find_shadowed(ask->model, ask->gfn, ask->gfn + 1, &shadowed);
	if (count > shadowed.high) {
		spt_why_add(ask, SPT_CAUSE_WRITE_TRACKED);
		spt_why_fact_number(ask, "gfn_write_track", count);
		fact_writable_bits(ask);
	}
	if (!shadowed.one)
		return;
	spt_why_add(ask, SPT_CAUSE_SHADOWED);
	spt_why_fact(ask, "sp.gfn", "0x%" PRIx64 ", level %d, table 0x%" PRIx64,
		     (uint64_t)shadowed.one->page->gfn, shadowed.one->level, shadowed.one->hpa);
	if (count)
		spt_why_fact_number(ask, "gfn_write_track", count);
	fact_writable_bits(ask);
}

static void guest_readonly(struct spt_why_ask *ask)
{
	unsigned int access;

	if (!spt_entry_guest_access(ask->model, ask->last, &access) || access & SPT_ACC_WRITE)
		return;
	spt_why_add(ask, SPT_CAUSE_GUEST_READONLY);
	spt_why_fact_hex(ask, "guest access", access);
	spt_why_fact_spte(ask);
}

/* The bit is set when the host let KVM have the page for writing. */
static void host_readonly(struct spt_why_ask *ask)
{
	const struct spt_format *f = &ask->model->format;
	const struct spt_why_host *h = &ask->host;

	if (!f->host_writable || ask->last->spte & f->host_writable)
		return;
	if (h->known && h->special)
		spt_why_add(ask, SPT_CAUSE_HOST_ZERO_PAGE);
	else if (h->known && h->hpa != SPT_NO_HPA && !h->writable)
		spt_why_add(ask, SPT_CAUSE_HOST_READONLY);
	else if (spt_why_has(ask, SPT_CAUSE_SLOT_READONLY))
		return; /* of such a slot KVM asks for no more than reading */
	else if (h->known && h->hpa != SPT_NO_HPA)
		spt_why_add(ask, SPT_CAUSE_HOST_WAS_READONLY);
	else
		spt_why_add(ask, SPT_CAUSE_HOST_READONLY);
	fact_writable_bits(ask);
	spt_why_fact_host(ask);
}

static void fact_dirty_bit(struct spt_why_ask *ask)
{
	bool known,
		dirty = spt_memslot_dirty(&ask->model->memslots, ask->memslot, ask->gfn, &known);

	/* The agent leaves out what is all clear. */
	if (known || ask->model->image.head.req_parts & SPT_PART_DIRTY)
		spt_why_fact(ask, "dirty_bitmap", "%d", dirty);
	else
		spt_why_fact(ask, "dirty_bitmap", "n/a");
}

/* KVM took W, and its own bit says that it may come back without further ado. */
static void taken(struct spt_why_ask *ask)
{
	const struct spt_format *f = &ask->model->format;

	if (!(ask->last->spte & f->mmu_writable))
		return;
	if (ask->slot && ask->slot->flags & SPT_SLOT_LOG_DIRTY) {
		spt_why_add(ask, SPT_CAUSE_DIRTY_PROTECTED);
		spt_why_fact_slot_flags(ask);
		fact_writable_bits(ask);
		fact_dirty_bit(ask);
		return;
	}
	spt_why_add(ask, SPT_CAUSE_MMU_WRITABLE);
	fact_writable_bits(ask);
}

/* MMU-writable implies host-writable: where it does not, neither says why W is clear. */
static bool contradicts(const struct spt_why_ask *ask)
{
	const struct spt_format *f = &ask->model->format;

	return f->host_writable && ask->last->spte & f->mmu_writable &&
	       !(ask->last->spte & f->host_writable);
}

void spt_why_not_writable(struct spt_why_ask *ask)
{
	const struct spt_format *f = &ask->model->format;
	unsigned int before = ask->answer->nr_causes;

	if (ask->spte.perm & SPT_PERM_WRITE || ask->last->node->mirror)
		return;
	slot_readonly(ask);
	tracked(ask);
	guest_readonly(ask);
	if (!contradicts(ask)) {
		host_readonly(ask);
		taken(ask);
	}
	if (ask->answer->nr_causes != before || ask->spte.access_tracked)
		return;
	spt_why_add(ask, ask->last->spte & f->host_writable ? SPT_CAUSE_WAS_PROTECTED
							    : SPT_CAUSE_NOT_WRITABLE);
	fact_writable_bits(ask);
}

void spt_why_not_executable(struct spt_why_ask *ask)
{
	const struct spt_masks *masks = &ask->model->image.masks;
	unsigned int before = ask->answer->nr_causes, access;

	if (ask->spte.perm & SPT_PERM_EXEC || ask->spte.access_tracked || ask->last->node->mirror)
		return;
	if (ask->last->level > 1 && masks->known >> SPT_MASK_NX_HUGE_PAGES & 1 &&
	    masks->value[SPT_MASK_NX_HUGE_PAGES]) {
		spt_why_add(ask, SPT_CAUSE_NX_HUGE);
		spt_why_fact_number(ask, "nx_huge_pages", masks->value[SPT_MASK_NX_HUGE_PAGES]);
		spt_why_fact_spte(ask);
	}
	if (spt_entry_guest_access(ask->model, ask->last, &access) &&
	    !(access & acc_exec(ask->model))) {
		spt_why_add(ask, SPT_CAUSE_GUEST_NX);
		spt_why_fact_hex(ask, "guest access", access);
		spt_why_fact_spte(ask);
	}
	if (ask->answer->nr_causes != before)
		return;
	spt_why_add(ask, SPT_CAUSE_NOT_EXEC);
	spt_why_fact_spte(ask);
}
