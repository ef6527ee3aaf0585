/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An image taken apart for judging: its tables by address. Made from
 * agent/spt_image.h alone, with none of the tool's code.
 */
#ifndef INDEX_H
#define INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/spt_image.h"

struct table {
	const struct spt_page *page; /* NULL: a raw root without kvm_mmu_page */
	const uint64_t *entry;	     /* stored chunks, in order */
	uint64_t chunks, empty;
	uint64_t hpa;
	uint64_t root; /* sp of the TDP root it belongs to, 0: shadow or raw */
	int level;     /* 0: raw, not known */
	bool direct, invalid;
	const struct spt_array *translations;
};

struct index {
	uint8_t *bytes; /* the image; kept from one reading to the next */
	size_t size, room;
	const struct spt_head *head;
	const struct spt_values *vm;
	const struct spt_end *end;
	struct table *table;
	size_t tables, table_room;
	const struct spt_slot **slot;
	size_t slots, slot_room;
	const struct spt_values **vcpu;
	size_t vcpus, vcpu_room;
	size_t notes;
	char error[160];
};

/* Reads a file from its start and takes it apart. 0 or -errno, with index.error. */
int index_read(struct index *x, int fd);
void index_free(struct index *x);

/* Entry i of a table; the table's 'empty' where it is not stored. */
uint64_t table_entry(const struct table *t, unsigned int i);
/* NULL: the image has no table with that address and level. */
const struct table *index_find(const struct index *x, uint64_t hpa, int level);
/* The slot of address space 0 that holds a frame, or NULL. */
const struct spt_slot *index_slot(const struct index *x, uint64_t gfn);
/* Bit of a role as this kernel places it. */
unsigned int index_role(const struct index *x, uint32_t role, enum spt_role_bit bit);
/* Whether the image itself admits that it saw a change half way. */
bool index_torn(const struct index *x);

#endif
