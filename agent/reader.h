/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One open file of a VM: a sequence of stages, each of which finds facts step by
 * step and hands them, as the records of an image, to the file's sink. The image
 * file's sink stores them, the text files' sinks print them.
 *
 * A step runs with an empty batch, puts no more into it than it holds, and keeps
 * its place in the reader's cursor: nothing is locked between steps.
 */
#ifndef SPT_AGENT_READER_H
#define SPT_AGENT_READER_H

#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include "page.h"
#include "vm.h"

#define SPT_SCRATCH_BYTES	SZ_4K
/* The longest record of a table. */
#define SPT_TABLE_MAX		(sizeof(struct spt_table) + SPT_TABLE_ENTRIES * sizeof(u64))

/* How long RCU or mmu_lock is held at a stretch. */
#define SPT_SLICE_NS		(100 * 1000ULL)
/* The same for kvm->srcu, whose grace periods are what a memslot update waits for. */
#define SPT_SRCU_SLICE_NS	(1000 * 1000ULL)

/* For text 'roots' alone, beside enum spt_part: the shadow MMU's pages, of which some are roots. */
#define SPT_WANT_SHADOW_ROOTS	BIT(31)

struct spt_request {
	u64 start;	/* GPA */
	u64 len;	/* bytes; 0: everything */
	u32 parts;	/* enum spt_part, SPT_WANT_* */
};

/* What leaves through read(). */
struct spt_out {
	char __user *to;	/* of the read() under way */
	size_t room;
	u8 *batch;
	size_t batch_size;
	size_t filled;
	size_t drained;
	u64 word;		/* index of the next word of the image */
	u64 sum;		/* spt_checksum_word() of the words before */
	u64 records;
	u64 tables;
	u64 entries;
};

/* A table to be emitted. RCU or mmu_lock keeps it until the sink returns. */
struct spt_found_table {
	const struct spt_sp *sp;
	u64 root_sp;			/* 0: from the active list */
	u64 base;			/* gfn of entry 0, as the walk counts */
	u64 allowed;			/* chunks that the request wants */
	u64 chunks;			/* of these, those that are not empty: the sink's answer */
	const u64 *translations;	/* shadowed_translation, or NULL */
	const u64 *external;		/* a mirror page's external_spt that may be read, or NULL */
};

struct spt_reader;

struct spt_sink {
	/* -errno, -ENOSPC never: the step's bound holds. The record is the caller's. */
	int (*record)(struct spt_reader *reader, const struct spt_rec *rec);
	/* Page faults are disabled. -EFAULT: the user's buffer must be faulted in first. */
	int (*table)(struct spt_reader *reader, struct spt_found_table *table);
	/* The walk over tables is done. */
	int (*tables_end)(struct spt_reader *reader);
	size_t batch;	/* bytes; a quarter holds what a step puts into it, or a table */
};

#define SPT_WALK_LEVELS		5
#define SPT_ROOTS_MAX		64	/* roots of a VM that are walked */

/* A table on the path from the root; entries below 'next' are done. */
struct spt_frame {
	const void *sp;
	const u64 *spt;
	u64 base;
	u64 chunks;
	u16 next;
	u16 end;
	u8 level;
};

struct spt_tdp_cursor {
	const void *root;		/* NULL: choose the next one */
	u32 role;
	u64 resume;			/* a replaced path goes on at this gfn */
	u8 depth;			/* frames in use */
	unsigned int roots;		/* walked or being walked */
	struct spt_frame frame[SPT_WALK_LEVELS];
	const void *done[SPT_ROOTS_MAX];
};

struct spt_shadow_cursor {
	const void *last;		/* sp emitted last, NULL: none yet */
	const struct list_head *next;	/* what was to come after it */
	u64 gfn;			/* of that page, with its role */
	u32 role;
	u64 count;			/* emitted or passed by */
};

struct spt_slot_cursor {
	u8 as;
	bool started;			/* in this address space */
	u64 generation;
	u64 gfn;			/* base of the slot emitted last */
	u8 runs;			/* 0: next slot; else which runs of it are under way */
	u64 index;			/* in their array */
	u64 chain;			/* SPTEs emitted of the rmap at that index */
	u64 head;			/* its value when that was begun */
	struct spt_host_run open;	/* npages 0: none; may grow yet */
};

/* A place in a list of few things: vCPUs, roots, runs of attributes, pages of a range. */
struct spt_index_cursor {
	u64 index;
	u64 hint;
};

/* The run of leaves that text 'ranges' is collecting. */
struct spt_leaf_run {
	u64 root;
	u64 gfn;
	u64 npages;
	u64 hpa;
	u64 attributes;
	u8 level;
};

struct spt_reader {
	struct mutex lock;		/* one read, write or seek at a time */
	const struct spt_sink *sink;
	struct spt_vm_id vm;
	struct module *vendor;
	struct spt_request request;
	struct spt_out out;
	loff_t at;			/* file position, bytes given so far */
	unsigned int stage;
	bool finished;
	bool torn;
	u64 seq;			/* mmu_invalidate_seq when the image was begun */
	u64 in_progress;
	u64 generation[2];
	u64 direct_bits;		/* gfn_direct_bits of the VM */
	u64 mmio_value;
	bool external_readable;		/* external tables are ordinary memory */
	union {				/* begins as zeroes, arrays at its end excepted */
		struct spt_tdp_cursor tdp;
		struct spt_shadow_cursor shadow;
		struct spt_slot_cursor slot;
		struct spt_index_cursor index;
	} cursor;
	struct spt_leaf_run run;
	struct spt_head head;		/* of every image that is read from here */
	struct spt_masks masks;
	struct spt_sp sp;		/* the page at hand */
	u64 scratch[SPT_SCRATCH_BYTES / sizeof(u64)];	/* the record at hand */
	u64 raw[SPT_TABLE_MAX / sizeof(u64)];		/* a raw table's record */
};

/* An entry of one of the image's lists: what it is called. */
struct spt_name {
	unsigned int id;
	const char *name;
};

/* The files of a VM's directory. */
#define SPT_VM_FILES	7

struct spt_vm_file {
	const char *name;
	umode_t mode;
	const struct spt_sink *sink;
	u32 parts;
};

/* What debugfs hands to the open of one of them. */
struct spt_vm_file_ref {
	const struct spt_vm_id *id;
	const struct spt_vm_file *file;
};

extern const struct spt_vm_file spt_vm_files[SPT_VM_FILES];
extern const struct file_operations spt_reader_fops;

/* request.c: parses 'gpa=START+LEN parts=a,b'; the line is cut up. -EINVAL, -E2BIG. */
int spt_request_parse(char *line, struct spt_request *request);

/* image.c and text.c */
extern const struct spt_sink spt_image_sink;
extern const struct spt_sink spt_text_sink;
extern const struct spt_sink spt_text_roots_sink;
extern const struct spt_sink spt_text_tables_sink;
extern const struct spt_sink spt_text_ranges_sink;

/* True when a step should end so that the batch is given to the user. */
bool spt_out_pending(const struct spt_reader *reader);

/* head.c: fills in what the first records always say; the VM is attached. */
void spt_head_prepare(struct spt_reader *reader);

/* Hands the record in @reader->scratch or elsewhere to the sink. */
static inline int spt_put(struct spt_reader *reader, const void *rec)
{
	return reader->sink->record(reader, rec);
}

/* A note makes the image torn. May be called under RCU and mmu_lock. */
int spt_note(struct spt_reader *reader, enum spt_note_kind kind, u64 a, u64 b);

/* Zeroed scratch with the header of a record of @bytes. */
void *spt_record(struct spt_reader *reader, enum spt_rec_type type, size_t bytes);

/* The VM's vCPU @i, kept by the VM's reference; NULL: there are no more. */
const void *spt_vcpu(const struct spt_reader *reader, u64 i);

/* How many address spaces the VM has: 2 where SMM has its own. */
unsigned int spt_address_spaces(const struct spt_reader *reader);

/*
 * tdx.c: what TDX host support keeps of a TD and of a vCPU of it, into the records of
 * both; nothing for any other VM.
 */
void spt_tdx_vm_values(const struct kvm *kvm, struct spt_values *values);
void spt_tdx_vcpu_values(const struct spt_reader *reader, const void *vcpu,
			 struct spt_values *values);
/* False: this kernel has no external tables. */
bool spt_tdx_external(bool *readable);

static inline void spt_values_set(struct spt_values *values, unsigned int i, u64 value)
{
	values->value[i] = value;
	values->known[i / 64] |= BIT_ULL(i % 64);
}

/* False: this kernel has no such mask. */
bool spt_mask_value(enum spt_mask mask, u64 *value);

/* The generations of the slot sets; 0 where there is no such address space. */
void spt_slots_generations(const struct spt_reader *reader, u64 generation[2]);

/* Frames that the request wants: first and one past the last. */
u64 spt_request_first(const struct spt_reader *reader);
u64 spt_request_end(const struct spt_reader *reader);

/*
 * mmu_lock is taken for read, in short holds, and with read_trylock(): who waits
 * for a lock that is held for long must be killable. To be tried again after
 * spt_mmu_wait(), which sleeps.
 */
rwlock_t *spt_mmu_lock(const struct spt_reader *reader);
void spt_mmu_wait(void);

/*
 * Chunks of a table at @level, whose entry 0 translates gfn @base, that meet
 * the gfns [@first, @end); 0: none. Sets the entries of the range.
 */
u64 spt_table_range(u64 base, u8 level, u64 first, u64 end, u16 *from, u16 *to);

/*
 * Of the @allowed chunks of the table those that hold a word other than @empty,
 * or one that cannot be read.
 */
u64 spt_table_chunks(const u64 *spt, u64 allowed, u64 empty);

/*
 * The stages. A step returns 1: call me again, 0: this stage is done, -EFAULT:
 * the user's buffer must be faulted in, or another -errno.
 */
int spt_head_step(struct spt_reader *reader);
int spt_masks_step(struct spt_reader *reader);
int spt_vm_step(struct spt_reader *reader);
int spt_vm_end_step(struct spt_reader *reader);
int spt_tdx_pages_step(struct spt_reader *reader);
int spt_vcpus_step(struct spt_reader *reader);
int spt_regs_step(struct spt_reader *reader);
int spt_slots_step(struct spt_reader *reader);
int spt_attrs_step(struct spt_reader *reader);
int spt_roots_step(struct spt_reader *reader);
int spt_tdp_step(struct spt_reader *reader);
int spt_shadow_step(struct spt_reader *reader);
int spt_raw_roots_step(struct spt_reader *reader);
int spt_tables_end_step(struct spt_reader *reader);
int spt_host_step(struct spt_reader *reader);
int spt_end_step(struct spt_reader *reader);

#endif
