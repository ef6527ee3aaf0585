// SPDX-License-Identifier: GPL-2.0
/*
 * Before an audit looks at a table: which rules this image lets it judge, what in it
 * moved while it was made, and what each slot asks for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spt/audit_engine.h"

#define LOG_DIRTY_PAGES (1U << 0) /* KVM_MEM_LOG_DIRTY_PAGES */

enum audit_calm audit_calm_of(enum spt_audit_rule_nr rule)
{
	static const uint8_t calm[SPT_AUDIT_RULE_COUNT] = {
		[SPT_AUDIT_CHILD_TABLE] = AUDIT_SEQ,
		[SPT_AUDIT_CHILD_LEVEL] = AUDIT_SEQ,
		[SPT_AUDIT_CHILD_GFN] = AUDIT_SEQ,
		[SPT_AUDIT_CHILD_ROLE] = AUDIT_SEQ,
		[SPT_AUDIT_PARENT_POINTER] = AUDIT_SEQ,
		[SPT_AUDIT_LINKED_ONCE] = AUDIT_SEQ,
		[SPT_AUDIT_LEAF_SLOT] = AUDIT_SEQ,
		[SPT_AUDIT_LEAF_HOST] = AUDIT_SEQ,
		[SPT_AUDIT_HOST_WRITABLE] = AUDIT_SEQ,
		[SPT_AUDIT_MMIO_IN_SLOT] = AUDIT_SEQ,
		[SPT_AUDIT_MMIO_GENERATION] = AUDIT_SEQ,
		[SPT_AUDIT_MMIO_PRESENT] = AUDIT_SEQ,
		[SPT_AUDIT_HUGE_SLOT] = AUDIT_SEQ,
		[SPT_AUDIT_HUGE_HVA] = AUDIT_SEQ,
		[SPT_AUDIT_HUGE_DISALLOWED] = AUDIT_COUNTS,
		[SPT_AUDIT_HUGE_ATTRS] = AUDIT_SEQ,
		[SPT_AUDIT_ATTRS_ROOT] = AUDIT_SEQ,
		[SPT_AUDIT_W_READONLY_SLOT] = AUDIT_SEQ,
		[SPT_AUDIT_W_TRACKED] = AUDIT_COUNTS,
		[SPT_AUDIT_W_DIRTY_LOG] = AUDIT_STILL,
		[SPT_AUDIT_RMAP_LEAF] = AUDIT_STILL,
		[SPT_AUDIT_RMAP_ENTRY] = AUDIT_STILL,
		[SPT_AUDIT_GUEST_PTE] = AUDIT_STILL,
		[SPT_AUDIT_SHADOW_TRACKED] = AUDIT_COUNTS,
		[SPT_AUDIT_UNSYNC_PARENT] = AUDIT_STILL,
		[SPT_AUDIT_UNSYNC_WRITABLE] = AUDIT_STILL,
		[SPT_AUDIT_COUNT_PAGES] = AUDIT_COUNTS,
		[SPT_AUDIT_COUNT_SHADOW] = AUDIT_COUNTS,
		[SPT_AUDIT_COUNT_TDP] = AUDIT_COUNTS,
		[SPT_AUDIT_COUNT_INDIRECT] = AUDIT_COUNTS,
		[SPT_AUDIT_COUNT_NX] = AUDIT_COUNTS,
		[SPT_AUDIT_COUNT_ROOTS] = AUDIT_COUNTS,
		[SPT_AUDIT_VCPU_ROOT] = AUDIT_COUNTS,
		[SPT_AUDIT_MIRROR_GMEM] = AUDIT_SEQ,
		[SPT_AUDIT_MIRROR_EXTERNAL] = AUDIT_STILL,
		[SPT_AUDIT_ONE_HALF] = AUDIT_SEQ,
		[SPT_AUDIT_MIRROR_USER] = AUDIT_SEQ,
	};

	return calm[rule];
}

void audit_na(struct audit *a, enum spt_audit_rule_nr rule, const char *why)
{
	if (audit_wants(a, rule))
		a->out->result[rule].na = why;
	a->rules &= ~(1ULL << rule);
}

static const char *missing_part(const struct audit *a, unsigned int parts)
{
	static const char *const text[SPT_PART_COUNT] = {
#define P(id, name) "the image was made without the part '" #name "'",
		SPT_PARTS(P)
#undef P
	};

	parts &= ~a->m->image.head.req_parts;
	return parts ? text[__builtin_ctz(parts)] : NULL;
}

/* Notes but the one that is a finding of its own; see audit_notes(). */
static bool notes_tear(const struct spt_model *m)
{
	for (uint32_t i = 0; i < m->nr_notes; i++)
		if (m->notes[i]->kind != SPT_NOTE_BAD_TABLE)
			return true;
	return false;
}

static bool generations_moved(const struct spt_model *m)
{
	static const enum spt_vm_value value[] = { SPT_VM_GENERATION_0, SPT_VM_GENERATION_1 };
	uint64_t start;

	for (int as = 0; as < SPT_ADDRESS_SPACES; as++)
		if (spt_value(&m->vm, value[as], &start) &&
		    (start != m->image.end.generation_end[as] || start & SPT_SLOT_GEN_UPDATING))
			return true;
	return false;
}

static bool invalidations_moved(const struct spt_model *m)
{
	uint64_t start, end, under_way;

	if (!spt_value(&m->vm, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, &under_way))
		under_way = 0;
	return under_way || m->image.end.in_progress_end ||
	       (spt_model_seq(m, &start, &end) && start != end);
}

/* Whether the VM's counters are the same before and after everything else. */
static bool counters_stood(const struct spt_model *m)
{
	static const enum spt_vm_value counters[] = {
		SPT_VM_MMU_VALID_GEN,	  SPT_VM_N_USED_MMU_PAGES,
		SPT_VM_TDP_MMU_PAGES,	  SPT_VM_INDIRECT_SHADOW_PAGES,
		SPT_VM_PAGES_4K,	  SPT_VM_PAGES_2M,
		SPT_VM_PAGES_1G,	  SPT_VM_NX_LPAGE_SPLITS,
		SPT_VM_POSSIBLE_NX_PAGES, SPT_VM_ONLINE_VCPUS,
	};

	if (!m->vm_end.rec)
		return false;
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		uint64_t start, end;

		if (spt_value(&m->vm, counters[i], &start) &&
		    (!spt_value(&m->vm_end, counters[i], &end) || start != end))
			return false;
	}
	return true;
}

static bool vcpu_runs(const struct spt_model *m)
{
	uint64_t mode;

	for (uint32_t i = 0; i < m->nr_vcpus; i++)
		if (spt_value(&m->vcpus[i].values, SPT_VCPU_MODE, &mode) && mode)
			return true;
	return false;
}

static void find_calm(struct audit *a)
{
	const struct spt_model *m = a->m;
	bool whole = m->image.complete && m->image.ended;

	a->invalidating = invalidations_moved(m);
	a->calm[AUDIT_ANYWAY] = true;
	a->calm[AUDIT_SEQ] = whole && !notes_tear(m) && !generations_moved(m) && !a->invalidating;
	a->calm[AUDIT_COUNTS] = a->calm[AUDIT_SEQ] && counters_stood(m);
	a->calm[AUDIT_STILL] = a->calm[AUDIT_COUNTS] && (a->live || !vcpu_runs(m));
}

/* Whether the CPU may log dirty pages itself (PML): W then says nothing about the bitmap. */
static bool may_log_by_hardware(const struct audit *a)
{
	uint64_t size;

	if (spt_value(&a->m->vm, SPT_VM_CPU_DIRTY_LOG_SIZE, &size))
		return size;
	return a->f->style == SPT_STYLE_EPT && a->f->accessed;
}

static bool has_track_runs(const struct spt_memslots *set, const struct spt_memslot *slot)
{
	for (uint32_t i = 0; i < slot->nr_runs; i++)
		if (set->runs[slot->first_runs + i]->kind == SPT_RUN_WRITE_TRACK)
			return true;
	return false;
}

static void prepare_slots(struct audit *a)
{
	const struct spt_memslots *set = &a->m->memslots;
	bool host = a->m->image.head.req_parts & SPT_PART_HOST_RUNS;
	uint64_t ring = 0;

	spt_value(&a->m->vm, SPT_VM_DIRTY_RING_SIZE, &ring);
	for (uint32_t i = 0; i < set->count; i++) {
		const struct spt_slot *slot = set->slots[i].slot;
		struct audit_slot *s = &a->slots[i];

		s->tracked = has_track_runs(set, &set->slots[i]);
		s->private_pages = slot->gmem_file || slot->flags & SPT_SLOT_GMEM_ONLY;
		s->host = host && !(slot->flags & SPT_SLOT_GMEM_ONLY) && slot->hva != ~0ULL;
		s->dirty_log = slot->flags & LOG_DIRTY_PAGES && slot->dirty_bitmap && !ring &&
			       !(slot->flags & SPT_SLOT_INVALID);
		s->dirty_bits = s->dirty_log && !may_log_by_hardware(a);
	}
}

static bool any_slot(const struct audit *a, bool (*is)(const struct audit_slot *slot))
{
	for (uint32_t i = 0; i < a->m->memslots.count; i++)
		if (is(&a->slots[i]))
			return true;
	return false;
}

static bool logs_dirty(const struct audit_slot *slot)
{
	return slot->dirty_log;
}

static bool knows_host(const struct audit_slot *slot)
{
	return slot->host;
}

static void need_parts(struct audit *a)
{
	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++) {
		const char *why = missing_part(a, spt_audit_rules[i].parts);

		if (why)
			audit_na(a, i, why);
	}
}

static void need_format(struct audit *a)
{
	const struct spt_format *f = a->f;

	if (!f->mmu_writable)
		audit_na(a, SPT_AUDIT_W_MMU_WRITABLE, "this format has no MMU-writable bit");
	if (!f->mmu_writable || !f->host_writable)
		audit_na(a, SPT_AUDIT_MMU_HOST_WRITABLE, "this format has no such bits");
	if (f->style != SPT_STYLE_EPT)
		audit_na(a, SPT_AUDIT_MEMORY_TYPE,
			 "x86 page tables have no memory type but the PAT's");
	if (!f->frozen)
		audit_na(a, SPT_AUDIT_FROZEN,
			 "the image does not say what a frozen entry looks like");
	if (!f->mmio_mask) {
		audit_na(a, SPT_AUDIT_MMIO_IN_SLOT, "this KVM caches no MMIO");
		audit_na(a, SPT_AUDIT_MMIO_GENERATION, "this KVM caches no MMIO");
		audit_na(a, SPT_AUDIT_MMIO_GFN, "this KVM caches no MMIO");
		audit_na(a, SPT_AUDIT_MMIO_PRESENT, "this KVM caches no MMIO");
	}
}

static bool has_shadow(const struct spt_model *m)
{
	for (uint32_t i = 0; i < m->nr_nodes; i++)
		if (!m->nodes[i].root_sp && audit_is_shadow(&m->nodes[i]))
			return true;
	return false;
}

static bool has_indirect(const struct audit *a)
{
	for (uint32_t i = 0; i < a->m->nr_nodes; i++)
		if (!a->m->nodes[i].direct && audit_has_gptes(a, &a->m->nodes[i]))
			return true;
	return false;
}

static void need_tables(struct audit *a)
{
	static const enum spt_audit_rule_nr shadow[] = { SPT_AUDIT_RMAP_LEAF,
							 SPT_AUDIT_UNSYNC_PAGE };
	static const enum spt_audit_rule_nr indirect[] = {
		SPT_AUDIT_SHADOW_ACCESS, SPT_AUDIT_GUEST_PTE,	    SPT_AUDIT_SHADOW_TRACKED,
		SPT_AUDIT_UNSYNC_PARENT, SPT_AUDIT_UNSYNC_WRITABLE,
	};
	static const enum spt_audit_rule_nr counts[] = {
		SPT_AUDIT_COUNT_PAGES,	  SPT_AUDIT_COUNT_SHADOW, SPT_AUDIT_COUNT_TDP,
		SPT_AUDIT_COUNT_INDIRECT, SPT_AUDIT_COUNT_NX,
	};

	if (!has_shadow(a->m))
		for (size_t i = 0; i < sizeof(shadow) / sizeof(shadow[0]); i++)
			audit_na(a, shadow[i], "this VM has no shadow pages");
	if (!has_indirect(a))
		for (size_t i = 0; i < sizeof(indirect) / sizeof(indirect[0]); i++)
			audit_na(a, indirect[i], "no table of the guest is shadowed");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (!a->whole)
			audit_na(a, counts[i], "only a part of the tables is looked at");
		else if (!a->m->vm_end.rec)
			audit_na(a, counts[i],
				 "the image lacks the counters as they were at its end");
	}
	if (!a->m->nr_guest_tables)
		audit_na(a, SPT_AUDIT_GUEST_PTE, "the image has no tables of the guest");
}

static bool any_gmem(const struct audit *a)
{
	for (uint32_t i = 0; i < a->m->memslots.count; i++)
		if (spt_model_knows_gmem(a->m, &a->m->memslots.slots[i]))
			return true;
	return false;
}

/* What is asked only where memory has two halves. */
static void need_mirror(struct audit *a)
{
	static const enum spt_audit_rule_nr rules[] = {
		SPT_AUDIT_ATTRS_ROOT, SPT_AUDIT_MIRROR_GMEM, SPT_AUDIT_MIRROR_EXTERNAL,
		SPT_AUDIT_ONE_HALF,   SPT_AUDIT_MIRROR_USER, SPT_AUDIT_SHARED_BIT,
	};
	const struct spt_model *m = a->m;
	uint64_t bits;
	const char *why = spt_value(&m->vm, SPT_VM_GFN_DIRECT_BITS, &bits)
				  ? "this VM has no mirror root"
				  : "this kernel has no mirror roots";

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && !m->gpa_bits; i++)
		audit_na(a, rules[i], why);
	if (!m->gpa_bits)
		return;
	if (!any_gmem(a))
		audit_na(a, SPT_AUDIT_MIRROR_GMEM, "the image does not say what guest_memfd has");
	if (!any_slot(a, knows_host))
		audit_na(a, SPT_AUDIT_MIRROR_USER, "the image does not say what the host maps");
	if (spt_model_externals(m) == SPT_NO)
		audit_na(a, SPT_AUDIT_MIRROR_EXTERNAL,
			 "the external tables are the TDX module's, which alone can read them");
	else if (!m->image.count[SPT_REC_EXTERNAL])
		audit_na(a, SPT_AUDIT_MIRROR_EXTERNAL, "the image has no external tables");
}

static void need_facts(struct audit *a)
{
	const struct spt_model *m = a->m;
	uint64_t value;

	if (!any_slot(a, logs_dirty))
		audit_na(a, SPT_AUDIT_W_DIRTY_LOG, "no slot is logged in a bitmap");
	if (!any_slot(a, knows_host) && !m->nr_host) {
		audit_na(a, SPT_AUDIT_LEAF_HOST, "the image does not say what the host maps");
		audit_na(a, SPT_AUDIT_HOST_WRITABLE, "the image does not say what the host maps");
	}
	if (m->no_attrs) {
		audit_na(a, SPT_AUDIT_HUGE_ATTRS, "this VM cannot have memory attributes");
		audit_na(a, SPT_AUDIT_ATTRS_ROOT, "this VM cannot have memory attributes");
	}
	need_mirror(a);
	if (!spt_value(&m->vm, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, &value))
		audit_na(a, SPT_AUDIT_INVALIDATE_STUCK, "this kernel has no such counter");
	if (!spt_value(&m->vm, SPT_VM_MMU_INVALIDATE_SEQ, &value))
		audit_na(a, SPT_AUDIT_INVALIDATE_SEQ, "this kernel has no such counter");
}

static uint64_t mmio_generation(const struct audit *a, enum spt_vm_value which)
{
	unsigned int bits = __builtin_popcountll(a->f->mmio_gen);
	uint64_t value;

	if (!bits || !spt_value(&a->m->vm, which, &value))
		return ~0ULL;
	return value & ((1ULL << bits) - 1);
}

static int by_gfn(const void *a, const void *b)
{
	const struct audit_synced *x = a, *y = b;

	if (x->as_id != y->as_id)
		return x->as_id < y->as_id ? -1 : 1;
	return (x->gfn > y->gfn) - (x->gfn < y->gfn);
}

static bool in_sync(const struct audit *a, const struct spt_node *node)
{
	return node->level == 1 && !node->direct && audit_has_gptes(a, node) &&
	       !audit_dead(a, node) && !(node->page->flags & SPT_PAGE_UNSYNC);
}

/* The guest's tables that shadow pages of level 1 stand for and that must not change. */
static int find_synced(struct audit *a)
{
	size_t count = 0;

	if (!audit_wants(a, SPT_AUDIT_UNSYNC_WRITABLE))
		return 0;
	for (uint32_t i = 0; i < a->m->nr_nodes; i++)
		count += in_sync(a, &a->m->nodes[i]);
	a->synced = calloc(count + 1, sizeof(*a->synced));
	if (!a->synced)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->m->nr_nodes; i++)
		if (in_sync(a, &a->m->nodes[i]))
			a->synced[a->nr_synced++] = (struct audit_synced){
				.gfn = a->m->nodes[i].page->gfn,
				.as_id = audit_as_id(a, &a->m->nodes[i]),
				.node = i,
			};
	qsort(a->synced, a->nr_synced, sizeof(*a->synced), by_gfn);
	return 0;
}

int audit_prepare(struct audit *a)
{
	const struct spt_audit_request *req = &a->out->request;
	const struct spt_format *f = a->f;

	a->rules = req->rules ? req->rules : (1ULL << SPT_AUDIT_RULE_COUNT) - 1;
	if (a->m->image.head.req_len) {
		uint64_t first = a->m->image.head.req_start >> SPT_PAGE_SHIFT;
		uint64_t last = (a->m->image.head.req_start + a->m->image.head.req_len - 1) >>
				SPT_PAGE_SHIFT;

		a->first = a->first > first ? a->first : first;
		a->last = a->last < last ? a->last : last;
	}
	a->whole = !req->len && !a->m->image.head.req_len && a->m->image.complete;
	a->class_mask =
		~((f->addr & ~(f->mmio_mask | f->reserved | f->l1tf)) | f->accessed | f->dirty);
	if (!spt_value(&a->m->vm, SPT_VM_MMU_VALID_GEN, &a->valid_gen))
		a->valid_gen = ~0ULL;
	a->generation[0] = mmio_generation(a, SPT_VM_GENERATION_0);
	a->generation[1] = mmio_generation(a, SPT_VM_GENERATION_1);
	find_calm(a);
	need_parts(a);
	need_format(a);
	prepare_slots(a);
	need_tables(a);
	need_facts(a);
	return find_synced(a);
}
