// SPDX-License-Identifier: GPL-2.0
/*
 * The sink that prints records: 'vm', 'vcpus', 'memslots' and 'roots', one line
 * a thing, values as name=value.
 */
#include <linux/kernel.h>

#include "text.h"

static const struct spt_name spt_vm_names[SPT_VM_COUNT] = {
#define V(id, name) { SPT_VM_##id, #name },
	SPT_VM_VALUES(V)
#undef V
};

static const struct spt_name spt_vcpu_names[SPT_VCPU_COUNT] = {
#define V(id, name) { SPT_VCPU_##id, #name },
	SPT_VCPU_VALUES(V)
#undef V
};

static const char *const spt_run_names[] = {
	[SPT_RUN_LPAGE_2M] = "no-2m",
	[SPT_RUN_LPAGE_1G] = "no-1g",
	[SPT_RUN_WRITE_TRACK] = "write-track",
	[SPT_RUN_ATTRS] = "attributes",
};

static const char *const spt_note_names[] = {
	[SPT_NOTE_ROOT_CHANGED] = "root-changed",
	[SPT_NOTE_PATH_CHANGED] = "path-changed",
	[SPT_NOTE_LIST_CHANGED] = "list-changed",
	[SPT_NOTE_SLOTS_CHANGED] = "slots-changed",
	[SPT_NOTE_BAD_TABLE] = "bad-table",
	[SPT_NOTE_UNREADABLE] = "unreadable",
	[SPT_NOTE_LIMIT] = "limit",
};

static const char *const spt_mmu_names[] = {
	[SPT_MMU_NPT] = "npt",
	[SPT_MMU_EPT] = "ept",
	[SPT_MMU_SHADOW] = "shadow",
};

int spt_print(struct spt_reader *reader, const char *fmt, ...)
{
	struct spt_out *out = &reader->out;
	size_t room = out->batch_size - out->filled;
	va_list args;
	size_t size;

	va_start(args, fmt);
	size = vsnprintf(out->batch + out->filled, room, fmt, args);
	va_end(args);
	if (WARN_ON_ONCE(size >= room))
		return -ENOSPC;
	out->filled += size;
	return 0;
}

int spt_text_common(struct spt_reader *reader, const struct spt_rec *rec)
{
	const struct spt_note *note = (const struct spt_note *)rec;
	const struct spt_end *end = (const struct spt_end *)rec;

	switch (rec->type) {
	case SPT_REC_NOTE:
		return spt_print(reader, "# %s %#llx %#llx\n", spt_note_names[note->kind], note->a,
				 note->b);
	case SPT_REC_END:
		return end->flags & SPT_END_TORN ? spt_print(reader, "# torn\n") : 0;
	default:
		return 0;
	}
}

static int spt_text_head(struct spt_reader *reader, const struct spt_head *head)
{
	if (!(reader->request.parts & SPT_PART_VM))
		return 0;
	return spt_print(reader,
			 "id=%s\npid=%d\nfd=%d\ncomm=%s\nvendor=%s\nmmu=%s\ntdp_mmu=%u\n"
			 "root_level=%u\nmaxphyaddr=%u\n", head->id, head->pid, head->fd,
			 head->comm, head->vendor == SPT_VENDOR_SVM ? "svm" : "vmx",
			 spt_mmu_names[head->mmu], head->tdp_mmu, head->root_level,
			 head->maxphyaddr);
}

/* What one counts is printed in decimal, all else as addresses and bits are. */
static const u8 spt_vm_counts[] = {
	SPT_VM_USERS_COUNT, SPT_VM_VM_TYPE, SPT_VM_CREATED_VCPUS, SPT_VM_ONLINE_VCPUS,
	SPT_VM_MMU_VALID_GEN, SPT_VM_N_USED_MMU_PAGES, SPT_VM_N_REQUESTED_MMU_PAGES,
	SPT_VM_N_MAX_MMU_PAGES, SPT_VM_INDIRECT_SHADOW_PAGES, SPT_VM_TDP_MMU_PAGES,
	SPT_VM_MMU_INVALIDATE_SEQ, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, SPT_VM_PAGES_4K,
	SPT_VM_PAGES_2M, SPT_VM_PAGES_1G, SPT_VM_NX_LPAGE_SPLITS, SPT_VM_DIRTY_RING_SIZE,
	SPT_VM_CPU_DIRTY_LOG_SIZE, SPT_VM_POSSIBLE_NX_PAGES, SPT_VM_EXTERNAL_READABLE,
	SPT_VM_TDX_STATE, SPT_VM_TDX_HKID, SPT_VM_TDX_TDCS_PAGES,
};

static const u8 spt_vcpu_counts[] = {
	SPT_VCPU_ID, SPT_VCPU_IDX, SPT_VCPU_PID, SPT_VCPU_CPU, SPT_VCPU_MODE,
};

/* The values of one kind of record: how they are called and which are counts. */
struct spt_text_kind {
	const struct spt_name *names;
	unsigned int count;
	const u8 *counts;
	unsigned int counts_nr;
	char separator;
};

static const struct spt_text_kind spt_text_vm = {
	spt_vm_names, SPT_VM_COUNT, spt_vm_counts, ARRAY_SIZE(spt_vm_counts), '\n',
};

static const struct spt_text_kind spt_text_vcpu = {
	spt_vcpu_names, SPT_VCPU_COUNT, spt_vcpu_counts, ARRAY_SIZE(spt_vcpu_counts), ' ',
};

static int spt_text_value(struct spt_reader *reader, const struct spt_text_kind *kind,
			  const struct spt_values *values, unsigned int i)
{
	char end = i + 1 == kind->count ? '\n' : kind->separator;

	if (!(values->known[i / 64] & BIT_ULL(i % 64)))
		return spt_print(reader, "%s=n/a%c", kind->names[i].name, end);
	if (memchr(kind->counts, i, kind->counts_nr))
		return spt_print(reader, "%s=%lld%c", kind->names[i].name, values->value[i], end);
	return spt_print(reader, "%s=%#llx%c", kind->names[i].name, values->value[i], end);
}

static int spt_text_values(struct spt_reader *reader, const struct spt_text_kind *kind,
			   const struct spt_values *values)
{
	unsigned int i;
	int error;

	for (i = 0; i < kind->count; i++) {
		error = spt_text_value(reader, kind, values, i);
		if (error)
			return error;
	}
	return 0;
}

static int spt_text_slot(struct spt_reader *reader, const struct spt_slot *slot)
{
	return spt_print(reader,
			 "slot as=%u id=%d gpa=0x%016llx size=%#llx hva=0x%016llx flags=%#x generation=%#llx dirty_log=%llu rmap=%u guest_memfd=%llu pgoff=%#llx\n",
			 slot->as_id, slot->id, slot->base_gfn << PAGE_SHIFT,
			 slot->npages << PAGE_SHIFT, slot->hva, slot->flags, slot->generation,
			 slot->dirty_bitmap, slot->has_rmap, slot->gmem_file, slot->gmem_pgoff);
}

static int spt_text_runs(struct spt_reader *reader, const struct spt_runs *runs)
{
	unsigned int i;
	int error;

	for (i = 0; i < runs->count; i++) {
		error = spt_print(reader, " %s gpa=0x%016llx size=%#llx value=%#llx\n",
				  spt_run_names[runs->kind], runs->run[i].gfn << PAGE_SHIFT,
				  runs->run[i].npages << PAGE_SHIFT, runs->run[i].value);
		if (error)
			return error;
	}
	return 0;
}

static int spt_text_gmem(struct spt_reader *reader, const struct spt_host_runs *runs)
{
	unsigned int i;
	int error;

	for (i = 0; i < runs->count; i++) {
		error = spt_print(reader,
				  " guest_memfd gpa=0x%016llx size=%#llx hpa=0x%016llx\n",
				  runs->run[i].gfn << PAGE_SHIFT,
				  runs->run[i].npages << PAGE_SHIFT, runs->run[i].hpa);
		if (error)
			return error;
	}
	return 0;
}

static int spt_text_tdx_pages(struct spt_reader *reader, const struct spt_tdx_pages *pages)
{
	unsigned int i;
	int error;

	for (i = 0; i < pages->count; i++) {
		if (pages->kind == SPT_TDX_TDCS)
			error = spt_print(reader, "tdcs_page=%#llx\n", pages->hpa[i]);
		else
			error = spt_print(reader, "tdcx_page=%#llx vcpu=%u\n", pages->hpa[i],
					  pages->vcpu);
		if (error)
			return error;
	}
	return 0;
}

int spt_text_page(struct spt_reader *reader, const char *what, const struct spt_page *page)
{
	const struct spt_field *level = &spt_layout.field[SPT_F_ROLE_LEVEL];

	return spt_print(reader,
			 "%s hpa=0x%016llx level=%llu gpa=0x%016llx role=%#x flags=%#x root_count=%u unsync_children=%u write_flooding=%u parent=%#llx external=%#llx gen=%u",
			 what, page->hpa, (page->role >> level->shift) & level->mask,
			 page->gfn << PAGE_SHIFT, page->role, page->flags, page->root_count,
			 page->unsync_children, page->write_flooding, page->parent,
			 page->external, page->mmu_valid_gen);
}

static int spt_text_root(struct spt_reader *reader, const struct spt_root *root)
{
	int error = spt_text_page(reader, "root", &root->page);

	return error ? error : spt_print(reader, "\n");
}

static int spt_text_record(struct spt_reader *reader, const struct spt_rec *rec)
{
	switch (rec->type) {
	case SPT_REC_HEAD:
		return spt_text_head(reader, (const struct spt_head *)rec);
	case SPT_REC_VM:
		return spt_text_values(reader, &spt_text_vm, (const struct spt_values *)rec);
	case SPT_REC_VCPU:
		return spt_text_values(reader, &spt_text_vcpu, (const struct spt_values *)rec);
	case SPT_REC_SLOT:
		return spt_text_slot(reader, (const struct spt_slot *)rec);
	case SPT_REC_GMEM_RUNS:
		return spt_text_gmem(reader, (const struct spt_host_runs *)rec);
	case SPT_REC_TDX_PAGES:
		return spt_text_tdx_pages(reader, (const struct spt_tdx_pages *)rec);
	case SPT_REC_SLOT_RUNS:
	case SPT_REC_ATTRS:
		return spt_text_runs(reader, (const struct spt_runs *)rec);
	case SPT_REC_ROOT:
		return spt_text_root(reader, (const struct spt_root *)rec);
	default:
		return spt_text_common(reader, rec);
	}
}

const struct spt_sink spt_text_sink = {
	.record = spt_text_record,
	.batch = SZ_32K,
};
