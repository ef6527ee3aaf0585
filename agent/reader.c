// SPDX-License-Identifier: GPL-2.0
/*
 * An open file of a VM: its life, its position, and the order of the stages.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "agent.h"
#include "memslots.h"

#define SPT_REQUEST_MAX		256
/* Times in a row that a table may fault. */
#define SPT_FAULT_TRIES		16

struct spt_stage {
	u32 parts;	/* any of these wanted; 0: always */
	int (*step)(struct spt_reader *reader);
};

static const struct spt_stage spt_stages[] = {
	{ 0, spt_head_step },
	{ 0, spt_masks_step },
	{ SPT_PART_VM, spt_vm_step },
	{ SPT_PART_VM, spt_tdx_pages_step },
	{ SPT_PART_VCPUS, spt_vcpus_step },
	{ SPT_PART_REGS | SPT_PART_FRESH, spt_regs_step },
	{ SPT_PART_MEMSLOTS | SPT_SLOT_PARTS, spt_slots_step },
	{ SPT_PART_ATTRS, spt_attrs_step },
	{ SPT_PART_ROOTS, spt_roots_step },
	{ SPT_PART_TABLES, spt_tdp_step },
	{ SPT_PART_TABLES | SPT_WANT_SHADOW_ROOTS, spt_shadow_step },
	{ SPT_PART_TABLES | SPT_WANT_SHADOW_ROOTS, spt_raw_roots_step },
	{ SPT_PART_TABLES, spt_tables_end_step },
	{ SPT_PART_HOST, spt_host_step },
	{ SPT_PART_VM, spt_vm_end_step },
	{ 0, spt_end_step },
};

/* A stage begins. No cursor is longer but the TDP walk's, whose arrays are counted. */
static void spt_reader_reset_cursor(struct spt_reader *reader)
{
	BUILD_BUG_ON(sizeof(struct spt_shadow_cursor) > sizeof(struct spt_slot_cursor) ||
		     sizeof(struct spt_index_cursor) > sizeof(struct spt_slot_cursor) ||
		     offsetof(struct spt_tdp_cursor, frame) > sizeof(struct spt_slot_cursor));
	memset(&reader->cursor, 0, sizeof(struct spt_slot_cursor));
}

/* Starts a new image at offset 0. */
static void spt_reader_restart(struct spt_reader *reader)
{
	spt_reader_reset_cursor(reader);
	reader->run.npages = 0;
	reader->out.filled = 0;
	reader->out.drained = 0;
	reader->out.word = 0;
	reader->out.sum = 0;
	reader->out.records = 0;
	reader->out.tables = 0;
	reader->out.entries = 0;
	reader->at = 0;
	reader->stage = 0;
	reader->finished = false;
	reader->torn = false;
}

void *spt_record(struct spt_reader *reader, enum spt_rec_type type, size_t bytes)
{
	struct spt_rec *rec = (struct spt_rec *)reader->scratch;

	memset(rec, 0, bytes);
	rec->type = type;
	rec->len = bytes;
	return rec;
}

int spt_note(struct spt_reader *reader, enum spt_note_kind kind, u64 a, u64 b)
{
	struct spt_note note = {
		.rec = { SPT_REC_NOTE, sizeof(note) },
		.kind = kind,
		.a = a,
		.b = b,
	};

	reader->torn = true;
	return spt_put(reader, &note);
}

u64 spt_request_first(const struct spt_reader *reader)
{
	return reader->request.start >> PAGE_SHIFT;
}

u64 spt_request_end(const struct spt_reader *reader)
{
	if (!reader->request.len)
		return ~0ULL >> PAGE_SHIFT;
	return ((reader->request.start + reader->request.len - 1) >> PAGE_SHIFT) + 1;
}

int spt_tables_end_step(struct spt_reader *reader)
{
	return reader->sink->tables_end ? reader->sink->tables_end(reader) : 0;
}

/* The next step of the first stage that is wanted and not done. */
static int spt_reader_step(struct spt_reader *reader)
{
	const struct spt_stage *stage = &spt_stages[reader->stage];
	int ret = 0;

	if (!stage->parts || (stage->parts & reader->request.parts))
		ret = stage->step(reader);
	if (ret)
		return ret;
	spt_reader_reset_cursor(reader);
	if (++reader->stage == ARRAY_SIZE(spt_stages))
		reader->finished = true;
	return 0;
}

/*
 * Steps until a table may want the batch empty, or it has something to give. A signal ends
 * it: a step may be waiting for a lock.
 */
static int spt_reader_steps(struct spt_reader *reader)
{
	int error;

	do {
		error = spt_reader_step(reader);
	} while (error >= 0 && !reader->finished && !spt_out_pending(reader) &&
		 reader->out.filled && !need_resched() && !signal_pending(current));
	return error;
}

/* Gives the user what the batch holds, as far as there is room. */
static int spt_drain(struct spt_out *out)
{
	size_t size = min(out->filled - out->drained, out->room);
	size_t left;

	if (size) {
		left = copy_to_user(out->to, out->batch + out->drained, size);
		size -= left;
		out->to += size;
		out->room -= size;
		out->drained += size;
		if (left)
			return -EFAULT;
	}
	if (out->drained == out->filled) {
		out->drained = 0;
		out->filled = 0;
	}
	return 0;
}

/*
 * A table could not be stored directly: brings in the pages it needs. A user
 * who takes them away again and again gets -EFAULT.
 */
static int spt_fault_in(struct spt_out *out, unsigned int *tries)
{
	size_t size = min_t(size_t, out->room, 2 * SPT_TABLE_MAX);

	if (++*tries > SPT_FAULT_TRIES || fault_in_writeable(out->to, size))
		return -EFAULT;
	return 0;
}

/* Fills the user's buffer. 0, or why it ended before it was full or the file ended. */
static int spt_fill(struct spt_reader *reader)
{
	struct spt_out *out = &reader->out;
	unsigned int tries = 0;
	u64 word = out->word;
	int error;

	for (;;) {
		error = spt_drain(out);
		if (error || !out->room || (reader->finished && !out->filled))
			return error;
		if (out->filled)
			continue;
		if (signal_pending(current))
			return -EINTR;
		error = spt_reader_steps(reader);
		if (out->word != word)
			tries = 0;
		word = out->word;
		if (error == -EFAULT)
			error = spt_fault_in(out, &tries);
		if (error < 0)
			return error;
		cond_resched();
	}
}

static ssize_t spt_reader_read(struct file *file, char __user *to, size_t size, loff_t *at)
{
	struct spt_reader *reader = file->private_data;
	ssize_t given;
	int error;

	if (mutex_lock_interruptible(&reader->lock))
		return -EINTR;
	if (!*at)
		spt_reader_restart(reader);
	if (*at != reader->at) {
		mutex_unlock(&reader->lock);
		return -ESPIPE;
	}
	reader->out.to = to;
	reader->out.room = size;
	error = spt_fill(reader);
	given = size - reader->out.room;
	reader->at += given;
	*at = reader->at;
	mutex_unlock(&reader->lock);
	return given ? given : error;
}

/* A request line; the next read begins a new image. */
static ssize_t spt_reader_write(struct file *file, const char __user *from, size_t size,
				loff_t *at)
{
	struct spt_reader *reader = file->private_data;
	struct spt_request request;
	char line[SPT_REQUEST_MAX];
	int error;

	if (reader->sink != &spt_image_sink || size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, size))
		return -EFAULT;
	line[size] = '\0';
	error = spt_request_parse(line, &request);
	if (error)
		return error;
	mutex_lock(&reader->lock);
	reader->request = request;
	spt_reader_restart(reader);
	*at = 0;
	mutex_unlock(&reader->lock);
	return size;
}

/* Back to the start, or to where it is. */
static loff_t spt_reader_llseek(struct file *file, loff_t offset, int whence)
{
	struct spt_reader *reader = file->private_data;
	loff_t at;

	if (offset || (whence != SEEK_SET && whence != SEEK_CUR))
		return -EINVAL;
	mutex_lock(&reader->lock);
	if (whence == SEEK_SET) {
		spt_reader_restart(reader);
		file->f_pos = 0;
	}
	at = file->f_pos;
	mutex_unlock(&reader->lock);
	return at;
}

static void spt_reader_free(struct spt_reader *reader)
{
	kvfree(reader->out.batch);
	kvfree(reader);
}

/* The VM last, its module after it: the last reference runs the module's code. */
static int spt_reader_release(struct inode *inode, struct file *file)
{
	struct spt_reader *reader = file->private_data;

	spt_vm_put(reader->vm.kvm);
	spt_vendor_put(reader->vendor);
	spt_layout_release();
	spt_reader_free(reader);
	return 0;
}

static int spt_reader_attach(struct spt_reader *reader, const struct spt_vm_id *id)
{
	int error;

	error = spt_layout_hold_vendor(&reader->vendor);
	if (error)
		return error;
	reader->vm = *id;
	error = spt_vm_get(id);
	if (!error) {
		spt_head_prepare(reader);
		return 0;
	}
	spt_vendor_put(reader->vendor);
	spt_layout_release();
	return error;
}

static int spt_reader_open(struct inode *inode, struct file *file)
{
	const struct spt_vm_file_ref *ref = inode->i_private;
	size_t batch = ref->file->sink->batch;
	struct spt_reader *reader = kvzalloc(sizeof(*reader), GFP_KERNEL);
	int error;

	if (!reader)
		return -ENOMEM;
	mutex_init(&reader->lock);
	reader->sink = ref->file->sink;
	reader->request.parts = ref->file->parts;
	reader->out.batch = kvmalloc(batch, GFP_KERNEL);
	reader->out.batch_size = batch;
	error = spt_may_open();
	if (!error)
		error = reader->out.batch ? spt_reader_attach(reader, ref->id) : -ENOMEM;
	if (error) {
		spt_reader_free(reader);
		return error;
	}
	file->private_data = reader;
	return 0;
}

const struct file_operations spt_reader_fops = {
	.owner = THIS_MODULE,
	.open = spt_reader_open,
	.read = spt_reader_read,
	.write = spt_reader_write,
	.llseek = spt_reader_llseek,
	.release = spt_reader_release,
};

const struct spt_vm_file spt_vm_files[SPT_VM_FILES] = {
	{ "vm", 0400, &spt_text_sink, SPT_PART_VM },
	{ "vcpus", 0400, &spt_text_sink, SPT_PART_VCPUS },
	{ "memslots", 0400, &spt_text_sink,
	  SPT_PART_MEMSLOTS | SPT_PART_LPAGE | SPT_PART_ATTRS | SPT_PART_GMEM },
	{ "roots", 0400, &spt_text_roots_sink, SPT_PART_ROOTS | SPT_WANT_SHADOW_ROOTS },
	{ "tables", 0400, &spt_text_tables_sink, SPT_PART_TABLES },
	{ "ranges", 0400, &spt_text_ranges_sink, SPT_PART_TABLES },
	{ "image", 0600, &spt_image_sink, SPT_PARTS_DEFAULT },
};
