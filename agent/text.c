// SPDX-License-Identifier: GPL-2.0
/*
 * The sink that prints records: 'vm', 'vcpus', 'memslots' and 'roots', one line
 * a thing, values as name=value.
 */
#include <linux/kernel.h>

#include "text.h"

#define SPT_LINE	1024	/* no line is longer */

static const char *const spt_vm_names[SPT_VM_COUNT] = {
#define V(id, name) [SPT_VM_##id] = #name,
	SPT_VM_VALUES(V)
#undef V
};

static const char *const spt_vcpu_names[SPT_VCPU_COUNT] = {
#define V(id, name) [SPT_VCPU_##id] = #name,
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
	size_t room = SPT_BATCH_BYTES - out->filled;
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

/* Counters in decimal; what is an address or a set of bits shows that by its size. */
static int spt_text_value(struct spt_reader *reader, const char *name, bool known, u64 value,
			  char end)
{
	if (!known)
		return spt_print(reader, "%s=n/a%c", name, end);
	if ((s64)value == -1 || value > U32_MAX / 2)
		return spt_print(reader, "%s=%#llx%c", name, value, end);
	return spt_print(reader, "%s=%llu%c", name, value, end);
}

static int spt_text_values(struct spt_reader *reader, const struct spt_values *values,
			   const char *const *names, unsigned int count, char separator)
{
	unsigned int i;
	int error;

	for (i = 0; i < count; i++) {
		error = spt_text_value(reader, names[i],
				       values->known[i / 64] & BIT_ULL(i % 64), values->value[i],
				       i + 1 == count ? '\n' : separator);
		if (error)
			return error;
	}
	return 0;
}

static int spt_text_slot(struct spt_reader *reader, const struct spt_slot *slot)
{
	return spt_print(reader,
			 "slot as=%u id=%d gpa=%#llx size=%#llx hva=%#llx flags=%#x generation=%#llx dirty_log=%llu rmap=%u guest_memfd=%llu pgoff=%#llx\n",
			 slot->as_id, slot->id, slot->base_gfn << PAGE_SHIFT,
			 slot->npages << PAGE_SHIFT, slot->hva, slot->flags, slot->generation,
			 slot->dirty_bitmap, slot->has_rmap, slot->gmem_file, slot->gmem_pgoff);
}

static int spt_text_runs(struct spt_reader *reader, const struct spt_runs *runs)
{
	unsigned int i;
	int error;

	for (i = 0; i < runs->count; i++) {
		error = spt_print(reader, " %s gpa=%#llx size=%#llx value=%#llx\n",
				  spt_run_names[runs->kind], runs->run[i].gfn << PAGE_SHIFT,
				  runs->run[i].npages << PAGE_SHIFT, runs->run[i].value);
		if (error)
			return error;
	}
	return 0;
}

int spt_text_page(struct spt_reader *reader, const char *what, const struct spt_page *page)
{
	const struct spt_field *level = &spt_layout.field[SPT_F_ROLE_LEVEL];

	return spt_print(reader,
			 "%s hpa=%#llx level=%llu gpa=%#llx role=%#x flags=%#x root_count=%u unsync_children=%u write_flooding=%u parent=%#llx external=%#llx gen=%u",
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
		return spt_text_values(reader, (const struct spt_values *)rec, spt_vm_names,
				       SPT_VM_COUNT, '\n');
	case SPT_REC_VCPU:
		return spt_text_values(reader, (const struct spt_values *)rec, spt_vcpu_names,
				       SPT_VCPU_COUNT, ' ');
	case SPT_REC_SLOT:
		return spt_text_slot(reader, (const struct spt_slot *)rec);
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
};
