// SPDX-License-Identifier: GPL-2.0
/* What a loaded model says about its VM, beside the tables. */
#include <errno.h>
#include <stdio.h>

#include "decoders/role.h"
#include "spt/model.h"
#include "spt/vector.h"

static bool note_tears(const struct spt_note *note)
{
	return note->kind == SPT_NOTE_ROOT_CHANGED || note->kind == SPT_NOTE_PATH_CHANGED ||
	       note->kind == SPT_NOTE_LIST_CHANGED || note->kind == SPT_NOTE_SLOTS_CHANGED ||
	       note->kind == SPT_NOTE_BAD_TABLE;
}

static const char *note_text(const struct spt_note *note)
{
	switch (note->kind) {
	case SPT_NOTE_ROOT_CHANGED:
		return "a root went away";
	case SPT_NOTE_PATH_CHANGED:
		return "a table was replaced";
	case SPT_NOTE_LIST_CHANGED:
		return "the list of shadow pages changed";
	case SPT_NOTE_SLOTS_CHANGED:
		return "the memslots changed";
	case SPT_NOTE_BAD_TABLE:
		return "an entry named a page that is no table";
	case SPT_NOTE_UNREADABLE:
		return "memory could not be read";
	case SPT_NOTE_LIMIT:
		return "a list was longer than the agent follows";
	}
	return "something changed";
}

bool spt_model_torn(const struct spt_model *m, char *text, size_t size)
{
	static const enum spt_vm_value generation[] = { SPT_VM_GENERATION_0, SPT_VM_GENERATION_1 };
	const char *why = NULL;
	uint64_t start;

	for (uint32_t i = 0; i < m->nr_notes && !why; i++)
		if (note_tears(m->notes[i]))
			why = note_text(m->notes[i]);
	for (int as = 0; as < SPT_ADDRESS_SPACES && !why && m->image.end.rec.len; as++)
		if (spt_value(&m->vm, generation[as], &start) &&
		    start != m->image.end.generation_end[as])
			why = "the memslots changed";
	if (!why && m->image.torn)
		why = "the agent says so";
	if (text && size)
		snprintf(text, size, "%s%s", why ? "the VM changed while it was read: " : "",
			 why ? why : "");
	return why;
}

bool spt_model_seq(const struct spt_model *m, uint64_t *start, uint64_t *end)
{
	if (!spt_value(&m->vm, SPT_VM_MMU_INVALIDATE_SEQ, start) || !m->image.end.rec.len)
		return false;
	*end = m->image.end.seq_end;
	return true;
}

enum spt_spte_kind spt_node_kind(const struct spt_model *m, const struct spt_node *node)
{
	if (node->is_external)
		return SPT_SPTE_RAW;
	if (node->raw_kind)
		return node->raw_kind == SPT_RAW_PAE_ROOT ? SPT_SPTE_PAE_ROOT : SPT_SPTE_RAW;
	return node->mirror ? SPT_SPTE_MIRROR : SPT_SPTE_WALKED;
}

bool spt_node_translation(const struct spt_node *node, unsigned int index, uint64_t *gpa,
			  unsigned int *access)
{
	const struct spt_array *array = node->translations;
	unsigned int chunk = index / SPT_CHUNK_ENTRIES;

	if (node->is_external) {
		*gpa = (node->external->gfn << SPT_PAGE_SHIFT) +
		       index * spt_level_size(node->level);
		*access = ~0U;
		return true;
	}
	if (!array) {
		if (!node->page || !node->direct)
			return false;
		*gpa = (node->page->gfn << SPT_PAGE_SHIFT) + index * spt_level_size(node->level);
		*access = ~0U;
		return true;
	}
	if (!(array->chunks >> chunk & 1))
		return false;

	uint64_t before = array->chunks & ((1ULL << chunk) - 1);
	uint64_t value = array->entry[__builtin_popcountll(before) * SPT_CHUNK_ENTRIES +
				      index % SPT_CHUNK_ENTRIES];

	/* shadowed_translation: gfn << PAGE_SHIFT | access */
	*gpa = value & ~(spt_level_size(1) - 1);
	*access = value & (spt_level_size(1) - 1);
	if (node->page && node->page->flags & SPT_PAGE_NO_ACCESS)
		*access = ~0U;
	return value;
}

unsigned int spt_node_frames_from(const struct spt_node *node, unsigned int index,
				  unsigned int count)
{
	const struct spt_array *array = node->translations;
	uint64_t page = spt_level_size(1) - 1, differ = 0, gpa;
	struct spt_node stored;
	unsigned int access, room;

	if (!spt_node_translation(node, index, &gpa, &access))
		return 0;
	if (!array || node->is_external) /* direct */
		return count;
	/* Stored as a table is. */
	stored = (struct spt_node){ .entry = (const uint64_t *)array->entry,
				    .chunks = array->chunks };
	room = spt_node_stored_from(&stored, index);
	return spt_follow(spt_node_position(&stored, index), room < count ? room : count, gpa,
			  spt_level_size(node->level), ~page, &differ);
}

bool spt_model_attrs(const struct spt_model *m, uint64_t gfn, uint64_t *attrs)
{
	*attrs = 0;
	for (uint32_t i = 0; i < m->nr_attrs; i++) {
		const struct spt_run *run = spt_runs_find(m->attrs[i], gfn);

		if (run) {
			*attrs = run->value;
			break;
		}
	}
	return m->nr_attrs || m->image.head.req_parts & SPT_PART_ATTRS;
}

enum spt_half spt_root_half(const struct spt_root_ref *root)
{
	if (root->kind == SPT_ROOT_MIRROR || root->kind == SPT_ROOT_EXTERNAL)
		return SPT_HALF_PRIVATE;
	return root->kind == SPT_ROOT_DIRECT && root->gpa_bits ? SPT_HALF_SHARED : SPT_HALF_NONE;
}

const char *spt_half_name(enum spt_half half)
{
	static const char *const names[] = {
		[SPT_HALF_NONE] = NULL,
		[SPT_HALF_SHARED] = "shared",
		[SPT_HALF_PRIVATE] = "private",
	};

	return names[half];
}

enum spt_known spt_model_externals(const struct spt_model *m)
{
	uint64_t readable;

	if (!spt_value(&m->vm, SPT_VM_EXTERNAL_READABLE, &readable))
		return SPT_NA;
	return readable ? SPT_YES : SPT_NO;
}

const struct spt_node *spt_node_external(const struct spt_model *m, const struct spt_node *mirror)
{
	const struct spt_node *n;

	if (!mirror->mirror || !mirror->page || !mirror->page->external)
		return NULL;
	for (n = spt_node_find(m, mirror->page->external); n;
	     n = n->next_same_hpa ? &m->nodes[n->next_same_hpa - 1] : NULL)
		if (n->is_external && n->external->mirror == mirror->hpa &&
		    n->level == mirror->level)
			return n;
	return NULL;
}

bool spt_model_knows_gmem(const struct spt_model *m, const struct spt_memslot *slot)
{
	return m->image.head.req_parts & SPT_PART_GMEM && slot->slot->gmem_file &&
	       slot->slot->known & SPT_SLOT_KNOWN_GMEM_PAGES;
}

uint64_t spt_model_gmem_hpa(const struct spt_model *m, uint64_t gpa)
{
	uint64_t gfn = gpa >> SPT_PAGE_SHIFT;
	const struct spt_memslot *slot = spt_memslot_find(&m->memslots, 0, gfn);
	const struct spt_host_run *run =
		slot ? spt_memslot_gmem_run(&m->memslots, slot, gfn) : NULL;

	if (!run)
		return SPT_NO_HPA;
	return run->hpa + ((gfn - run->gfn) << SPT_PAGE_SHIFT) + (gpa & (spt_level_size(1) - 1));
}

/* Whether a record that begins at or below @gpa speaks for it, too. */
static bool host_walk_covers(const struct spt_host_walk *walk, uint64_t gpa)
{
	unsigned int shift = spt_level_shift(walk->leaf ? walk->leaf : 1);
	uint64_t hva = walk->hva + (gpa - walk->gpa);

	if (walk->error == ESRCH)
		return true; /* no VMM, no pages: up to the next record */
	if (walk->error)
		shift = SPT_PAGE_SHIFT;
	return hva >> shift == walk->hva >> shift;
}

const struct spt_host_walk *spt_model_host_walk(const struct spt_model *m, uint64_t gpa)
{
	const struct spt_host_walk *found = NULL;

	gpa &= ~(spt_level_size(1) - 1);
	for (uint32_t i = 0; i < m->nr_host; i++)
		if (m->host[i]->gpa <= gpa && (!found || m->host[i]->gpa > found->gpa))
			found = m->host[i];
	return found && host_walk_covers(found, gpa) ? found : NULL;
}

bool spt_model_covers(const struct spt_model *m, uint64_t gpa)
{
	const struct spt_head *head = &m->image.head;
	uint64_t page = spt_level_size(1) - 1;

	return !head->req_len || (gpa >= (head->req_start & ~page) &&
				  gpa <= ((head->req_start + head->req_len - 1) | page));
}

const struct spt_guest_table *spt_model_guest_table(const struct spt_model *m, uint64_t gpa)
{
	uint32_t low = 0, high = m->nr_guest_tables;

	gpa &= ~(spt_level_size(1) - 1);
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (m->guest_tables[mid]->gpa < gpa)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == m->nr_guest_tables || m->guest_tables[low]->gpa != gpa)
		return NULL;
	return m->guest_tables[low];
}

const char *spt_model_vm_type(const struct spt_model *m)
{
	/* KVM_X86_*_VM (arch/x86/include/uapi/asm/kvm.h) */
	static const char *const names[] = {
		"normal", "sw-protected", "sev", "sev-es", "snp", "tdx"
	};
	uint64_t type, sev = 0;

	if (!m->vm.rec)
		return "n/a";
	spt_value(&m->vm, SPT_VM_SEV_ACTIVE, &sev);
	if (!spt_value(&m->vm, SPT_VM_VM_TYPE, &type))
		type = 0; /* this kernel knows one type only */
	if (type >= sizeof(names) / sizeof(names[0]))
		return "n/a";
	return !type && sev ? "sev" : names[type];
}

const char *spt_model_mmu(const struct spt_model *m)
{
	switch (m->image.head.mmu) {
	case SPT_MMU_NPT:
		return "npt";
	case SPT_MMU_EPT:
		return "ept";
	case SPT_MMU_SHADOW:
		return "shadow";
	}
	return "n/a";
}
