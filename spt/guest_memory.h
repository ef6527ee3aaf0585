/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest-physical memory, to read the guest's own tables.
 *
 * Of a live VM it is read through the VMM's mapping (memslot, HVA, /proc/PID/mem).
 * Nothing is brought in for it: /proc/PID/pagemap is looked at first, and a page
 * that the VMM does not have at hand is said to be absent or swapped instead of
 * being read. What a read leaves behind is a reference in the host's page ageing,
 * as any access of the VMM's would. A saved image has the pages that were saved
 * with it (SPT_REC_GUEST_TABLE) and no others.
 */
#ifndef SPT_GUEST_MEMORY_H
#define SPT_GUEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spt/model.h"
#include "spt/source.h"

/* How a read ended. */
enum spt_guest_read {
	SPT_GUEST_READ,
	SPT_GUEST_NO_SLOT,    /* no memslot has the address: an access would be MMIO */
	SPT_GUEST_PRIVATE,    /* guest_memfd: the VMM has no address for it */
	SPT_GUEST_ENCRYPTED,  /* SEV: the VMM's mapping shows ciphertext */
	SPT_GUEST_ABSENT,     /* the VMM has no page there now */
	SPT_GUEST_SWAPPED,    /* the host has it on swap, or is moving it */
	SPT_GUEST_NOT_SAVED,  /* the image does not have this page */
	SPT_GUEST_UNREADABLE, /* see spt_guest_memory.error */
	SPT_GUEST_NOT_NESTED, /* of L2: the guest's own nested page tables do not lead to it */
	SPT_GUEST_READS,
};

const char *spt_guest_read_name(enum spt_guest_read result); /* stable, for JSON: "no-slot" */
const char *spt_guest_read_text(enum spt_guest_read result); /* why not, as a half sentence */

struct spt_guest_memory {
	bool live;
	int pid;	  /* VMM whose files are open; 0: not opened yet */
	int mem, pagemap; /* -1: not open */
	int error;	  /* positive errno of the last SPT_GUEST_UNREADABLE */
};

/* The parts of an image that a read needs. */
#define SPT_GUEST_MEMORY_PARTS (SPT_PART_VM | SPT_PART_MEMSLOTS | SPT_PART_ATTRS)

/* Memory of the VM that @src shows. Opens nothing yet; needs root when it does. */
void spt_guest_memory_init(struct spt_guest_memory *memory, const struct spt_source *src);
void spt_guest_memory_deinit(struct spt_guest_memory *memory);

/*
 * Copy @len bytes at @gpa, all in one 4K page, to @buf. @model is the VM's, with
 * the parts above; of a live VM it says where memory is, of a saved one it has
 * it. Slots of address space @as_id (1: SMM). Nothing is written to @buf unless
 * the result is SPT_GUEST_READ. Not atomic beyond 8 aligned bytes.
 */
enum spt_guest_read spt_guest_memory_read(struct spt_guest_memory *memory,
					  const struct spt_model *model, unsigned int as_id,
					  uint64_t gpa, void *buf, size_t len);

#endif
