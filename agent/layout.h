/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layout in force, and reading KVM's private objects through it.
 *
 * Everything here may be called only while a layout is held: between
 * spt_layout_enter() and spt_layout_leave(), or by an open file of a VM, which
 * holds it for its life.
 */
#ifndef SPT_AGENT_LAYOUT_H
#define SPT_AGENT_LAYOUT_H

#include <linux/types.h>
#include <linux/uaccess.h>

#include "nofault.h"
#include "spt_image.h"
#include "spt_layout.h"

#define SPT_BUILD_ID_SIZE	20

/* KVM_NUM_MMU_PAGES: buckets of a VM's hash of shadow pages. */
#define SPT_HASH_BUCKETS	4096
/* Room for a struct kvm_gfn_range, kvm_page_fault of any kernel: bytes. */
#define SPT_RANGE_BYTES		128
#define SPT_FAULT_BYTES		256
/* No kernel's struct kvm_mmu_page is larger: bytes, a multiple of 8. */
#define SPT_SP_MAX		512

struct module;

struct spt_field {
	u32 offset;		/* bytes from the object to the word that is loaded */
	u8 size;		/* bytes of that word; 0: no number, only an address */
	u8 shift;		/* of the value in the word */
	bool present;
	u64 mask;		/* of the value, after the shift; 0: no number */
};

struct spt_layout {
	struct spt_field field[SPT_F_COUNT];
	u64 symbol[SPT_S_COUNT];
	u32 bytes[SPT_F_COUNT];		/* size of the whole member */
	u32 flags[SPT_F_COUNT];		/* SPT_FIELD_* */
	u64 id;				/* the blob's checksum: names it in 'status' */
	u32 source;			/* enum spt_layout_source */
	u32 vendor;			/* enum spt_vendor */
	u8 kvm_build_id[SPT_BUILD_ID_SIZE];
	u32 mmu;			/* enum spt_mmu */
	bool tdp_mmu;			/* new VMs' direct tables are the TDP MMU's */
	u32 sp_size;			/* bytes of struct kvm_mmu_page */
	u32 page_known;			/* SPT_PAGE_* that this kernel has */
	u64 addr_mask;			/* SPTE_BASE_ADDR_MASK */
	u64 empty_spte;
	u64 frozen_spte;
};

extern struct spt_layout spt_layout;

/* Names for messages and for debugfs 'layout'. */
struct spt_field_name {
	const char *name;
	const char *type;
	const char *path;
	char need;		/* 'R', 'O', 'A', 'I', 'T', 'L' */
};

struct spt_symbol_name {
	enum spt_symbol_id id;
	const char *module;
	const char *name;
	char need;
};

extern const struct spt_field_name spt_field_names[SPT_F_COUNT];
extern const struct spt_symbol_name spt_symbol_names[SPT_S_COUNT];

/* Why the agent believes no layout; a line without newline, at most this long. */
#define SPT_REASON_SIZE		160

struct spt_refusal {
	int error;		/* -errno for the writer */
	char text[SPT_REASON_SIZE];
};

/* Fills in the refusal and returns @error, a negative errno. */
__printf(3, 4)
int spt_refuse(struct spt_refusal *why, int error, const char *fmt, ...);

/* layout_check.c: everything that can be checked without touching KVM's objects. */
int spt_layout_check(const struct spt_layout_blob *blob, struct spt_layout *layout,
		     struct spt_refusal *why);
/* layout_live.c: masks and live VMs as seen through the global spt_layout; vendor module held. */
int spt_layout_check_live(struct spt_refusal *why);
/* build_id.c: the running build id; @module NULL: the kernel's. */
int spt_running_build_id(const char *module, u8 id[SPT_BUILD_ID_SIZE]);

/*
 * layout_file.c: -ENODEV when no layout is in force. Hold and release are for
 * open files, enter and leave for what ends before the caller returns. Who is to
 * act on a VM gets the vendor module with the layout: see spt_vendor_get().
 */
int spt_layout_hold(void);
int spt_layout_hold_vendor(struct module **vendor);
void spt_layout_release(void);
int spt_layout_enter(void);
void spt_layout_leave(void);
void spt_layout_drop(const char *reason);
bool spt_layout_reason(char *reason, size_t size);

static inline bool spt_has(enum spt_field_id id)
{
	return spt_layout.field[id].present;
}

static inline const void *spt_at(const void *object, enum spt_field_id id)
{
	return object + spt_layout.field[id].offset;
}

/*
 * The number @id in @copy, our own copy of an object that goes on for a word
 * behind it. 0 where the kernel has no such field.
 */
static inline u64 spt_number(const void *copy, enum spt_field_id id)
{
	const struct spt_field *field = &spt_layout.field[id];
	u64 word;

	memcpy(&word, copy + field->offset, sizeof(word));
	return (word >> field->shift) & field->mask;
}

/*
 * Reads the number @id of the live @object. -ENOENT: this kernel has no such
 * field; -EFAULT: not readable. @value is 0 then.
 */
int spt_load(const void *object, enum spt_field_id id, u64 *value);
/* The same for a pointer field; NULL when it cannot be read. */
void *spt_load_pointer(const void *object, enum spt_field_id id);
/* A data symbol's value, @size 1, 4 or 8 bytes; -ENOENT where the kernel has no such symbol. */
int spt_load_symbol(enum spt_symbol_id id, size_t size, u64 *value);
/* The entry @index of an xarray whose entries are never removed; NULL: none or not readable. */
void *spt_xa_load(const void *xarray, unsigned long index);
/* @address is memory of the direct map, aligned to @align bytes. */
bool spt_in_direct_map(const void *address, size_t align);

/* Copies from KVM's memory: 0 or an error, whatever @from is. A word is one load. */
static __always_inline int spt_read(void *to, const void *from, size_t size)
{
	u64 word;

	if (!__builtin_constant_p(size) || size != sizeof(word))
		return copy_from_kernel_nofault(to, from, size);
	if ((long)from >= 0 || !spt_get_word(from, &word))	/* the user's half, or a hole */
		return -EFAULT;
	memcpy(to, &word, sizeof(word));
	return 0;
}

#endif
