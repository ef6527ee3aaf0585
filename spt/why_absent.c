// SPDX-License-Identifier: GPL-2.0
/* Why no page is mapped at an address, and why accesses to it are emulated. */
#include <inttypes.h>

#include "spt/verdict.h"
#include "spt/why_parts.h"

/* Whether an MMIO entry is of the generation that the slots have now; *@known: both are known. */
static bool mmio_is_current(const struct spt_why_ask *ask, uint64_t *now, bool *known)
{
	unsigned int bits = __builtin_popcountll(ask->model->format.mmio_gen);
	uint64_t generation;

	*known = bits &&
		 spt_value(&ask->model->vm, ask->as_id ? SPT_VM_GENERATION_1 : SPT_VM_GENERATION_0,
			   &generation);
	*now = *known ? generation & ((1ULL << bits) - 1) : 0;
	return *known && *now == ask->spte.mmio_gen;
}

static void fact_generation(struct spt_why_ask *ask)
{
	uint64_t now;
	bool known;

	mmio_is_current(ask, &now, &known);
	spt_why_fact_spte(ask);
	spt_why_fact_hex(ask, "spte.generation", ask->spte.mmio_gen);
	if (known)
		spt_why_fact_hex(ask, "memslots.generation", now);
	else
		spt_why_fact(ask, "memslots.generation", "n/a");
}

static bool is_mmio(const struct spt_why_ask *ask)
{
	return ask->last && ask->last->type == SPT_SPTE_MMIO;
}

static void cached_mmio(struct spt_why_ask *ask)
{
	uint64_t now;
	bool known, current;

	if (!is_mmio(ask))
		return;
	current = mmio_is_current(ask, &now, &known);
	spt_why_add(ask, current || !known ? SPT_CAUSE_MMIO_CACHED : SPT_CAUSE_MMIO_STALE);
	fact_generation(ask);
}

/* Memory around the address: the slots next to it. */
static void fact_neighbours(struct spt_why_ask *ask)
{
	const struct spt_memslots *set = &ask->model->memslots;
	const struct spt_memslot *above = spt_memslot_from(set, ask->as_id, ask->gfn);
	const struct spt_memslot *end = set->slots + set->first[ask->as_id + 1];
	const struct spt_memslot *first = set->slots + set->first[ask->as_id];
	const struct spt_memslot *behind = above ? above : end; /* the one below it is before it */

	spt_why_fact_hex(ask, "gfn", ask->gfn);
	if (behind != first)
		spt_why_fact(ask, "slot below", "%d: ends before gfn 0x%" PRIx64,
			     behind[-1].slot->id,
			     (uint64_t)(behind[-1].slot->base_gfn + behind[-1].slot->npages));
	if (above)
		spt_why_fact(ask, "slot above", "%d: begins at gfn 0x%" PRIx64, above->slot->id,
			     (uint64_t)above->slot->base_gfn);
}

void spt_why_mmio(struct spt_why_ask *ask)
{
	if (!ask->slot) {
		spt_why_add(ask, SPT_CAUSE_NO_SLOT);
		fact_neighbours(ask);
	} else if (ask->slot->id >= SPT_FIRST_INTERNAL_SLOT) {
		spt_why_add(ask, SPT_CAUSE_INTERNAL_SLOT);
		spt_why_fact_number(ask, "slot.id", ask->slot->id);
	}
	cached_mmio(ask);
}

static void slot_changing(struct spt_why_ask *ask)
{
	if (!(ask->slot->flags & SPT_SLOT_INVALID))
		return;
	spt_why_add(ask, SPT_CAUSE_SLOT_INVALID);
	spt_why_fact_slot_flags(ask);
	spt_why_fact_hex(ask, "memslots.generation", ask->slot->generation);
}

static void invalidation(struct spt_why_ask *ask)
{
	static const struct {
		enum spt_vm_value nr;
		const char *name;
	} values[] = {
		{ SPT_VM_MMU_INVALIDATE_IN_PROGRESS, "mmu_invalidate_in_progress" },
		{ SPT_VM_MMU_INVALIDATE_RANGE_START, "mmu_invalidate_range_start" },
		{ SPT_VM_MMU_INVALIDATE_RANGE_END, "mmu_invalidate_range_end" },
	};

	if (!spt_walk_invalidating(ask->model, ask->walk))
		return;
	spt_why_add(ask, SPT_CAUSE_INVALIDATING);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint64_t value;

		if (spt_value(&ask->model->vm, values[i].nr, &value))
			spt_why_fact_hex(ask, values[i].name, value);
	}
}

static void entry_itself(struct spt_why_ask *ask)
{
	uint64_t now;
	bool known;

	if (!ask->last)
		return;
	if (ask->last->type == SPT_SPTE_FROZEN) {
		spt_why_add(ask, SPT_CAUSE_FROZEN);
		spt_why_fact_spte(ask);
	}
	if (is_mmio(ask) && !mmio_is_current(ask, &now, &known) && known) {
		spt_why_add(ask, SPT_CAUSE_STALE_MMIO);
		fact_generation(ask);
	}
}

/* Whether the root maps the half of a TD's memory that the page is not in. */
static bool is_other_half(const struct spt_why_ask *ask)
{
	const struct spt_walk_path *path = ask->answer->path;
	enum spt_half half = path && path->root ? spt_root_half(path->root) : SPT_HALF_NONE;

	return ask->walk->knows_attrs && half && (half == SPT_HALF_PRIVATE) != ask->private_gfn;
}

static void private_memory(struct spt_why_ask *ask)
{
	bool gmem = ask->slot->gmem_file;

	if (is_other_half(ask)) {
		spt_why_add(ask, SPT_CAUSE_OTHER_HALF);
		spt_why_fact_hex(ask, "attributes", ask->private_gfn ? SPT_ATTR_PRIVATE : 0);
		spt_why_fact_hex(ask, "gfn_direct_bits", ask->model->gpa_bits >> SPT_PAGE_SHIFT);
		return;
	}
	if (!ask->private_gfn)
		return;
	if (gmem && ask->walk->knows_gmem && ask->walk->gmem_hpa == SPT_NO_HPA) {
		spt_why_add(ask, SPT_CAUSE_PRIVATE_NO_PAGE);
		spt_why_fact_number(ask, "slot.gmem.file", ask->slot->gmem_file);
	}
	spt_why_add(ask, gmem ? SPT_CAUSE_PRIVATE : SPT_CAUSE_PRIVATE_NO_GMEM);
	spt_why_fact_hex(ask, "attributes", SPT_ATTR_PRIVATE);
	spt_why_fact_number(ask, "slot.gmem.file", ask->slot->gmem_file);
}

static void host_state(struct spt_why_ask *ask)
{
	static const enum spt_cause cause[] = {
		[SPT_HOST_NONE] = SPT_CAUSE_HOST_NONE,
		[SPT_HOST_PROTNONE] = SPT_CAUSE_HOST_PROTNONE,
		[SPT_HOST_SWAP] = SPT_CAUSE_HOST_SWAPPED,
		[SPT_HOST_MIGRATION] = SPT_CAUSE_HOST_MIGRATING,
		[SPT_HOST_SPECIAL] = SPT_CAUSE_HOST_POISONED,
		[SPT_HOST_TABLE] = SPT_CAUSE_COUNT,
		[SPT_HOST_PAGE] = SPT_CAUSE_COUNT,
		[SPT_HOST_ERROR] = SPT_CAUSE_COUNT,
	};

	if (!ask->host.known || ask->private_gfn || cause[ask->host.type] == SPT_CAUSE_COUNT)
		return;
	spt_why_add(ask, cause[ask->host.type]);
	spt_why_fact_host(ask);
}

static void no_table(struct spt_why_ask *ask)
{
	const struct spt_model *m = ask->model;
	uint64_t vcpus;

	for (uint32_t i = 0; i < m->nr_roots; i++)
		if (m->roots[i].valid)
			return;
	spt_why_add(ask, SPT_CAUSE_NO_ROOT);
	spt_why_fact_number(ask, "valid roots", 0);
	if (spt_value(&m->vm, SPT_VM_ONLINE_VCPUS, &vcpus))
		spt_why_fact_number(ask, "online_vcpus", vcpus);
}

void spt_why_not_mapped(struct spt_why_ask *ask)
{
	unsigned int before = ask->answer->nr_causes;
	uint64_t seq;

	slot_changing(ask);
	invalidation(ask);
	entry_itself(ask);
	no_table(ask);
	private_memory(ask);
	host_state(ask);
	if (ask->answer->nr_causes != before)
		return;
	spt_why_add(ask, SPT_CAUSE_UNTOUCHED);
	spt_why_fact_spte(ask);
	spt_why_fact_host(ask);
	if (spt_value(&ask->model->vm, SPT_VM_MMU_INVALIDATE_SEQ, &seq))
		spt_why_fact_number(ask, "mmu_invalidate_seq", seq);
}
