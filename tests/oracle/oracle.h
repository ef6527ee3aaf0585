/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The oracle: page tables as the hardware reads them, from a copy of physical
 * memory. It knows the processor manuals and nothing of KVM or of this
 * project's decoders: a second opinion is worth something only if it is one.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_ADDRESS (~0ULL)

/* Physical memory of a machine, as a file. */
struct ram {
	const uint8_t *base;
	uint64_t size; /* bytes in the file */
	uint64_t low;  /* bytes at physical address 0; the rest begins at 4 GiB */
};

/* Maps the file; low 0: all of it begins at physical address 0. 0 or -errno. */
int ram_open(struct ram *ram, const char *path, uint64_t low);
/* The page at a 4K-aligned physical address, or NULL where there is no memory. */
const uint64_t *ram_page(const struct ram *ram, uint64_t hpa);

enum entry_type {
	ENTRY_EMPTY,
	ENTRY_TABLE,
	ENTRY_LEAF,
	ENTRY_OTHER, /* not empty, but the processor faults on it */
};

struct entry {
	enum entry_type type;
	uint64_t hpa;	 /* of the page or the table below, NO_ADDRESS: none */
	char perm[4];	 /* rwx */
	const char *why; /* ENTRY_OTHER: not-present, reserved, misconfigured */
};

struct format {
	const char *name;
	const char *help;
	int levels; /* 0: as asked for, 4 or 5 */
	int root_entries;
	/* Says what one entry is; level 1 is the one of 4K pages. */
	struct entry (*decode)(uint64_t value, int level, int maxphyaddr);
};

const struct format *format_find(const char *name);
extern const struct format format_table[];
extern const int format_count;

/* Prints as JSON the VMCBs whose guest executes within rip_first..rip_last. */
void vmcb_print_all(const struct ram *ram, uint64_t rip_first, uint64_t rip_last);

/*
 * Prints as JSON the pages that hold both a RIP in that range and the GDT base,
 * with every value in them that has the form of an EPTP or of a CR3. Pages of
 * another kind (registers that KVM or the VMM keeps) are among them.
 */
void vmcs_print_all(const struct ram *ram, uint64_t rip_first, uint64_t rip_last,
		    uint64_t gdt_base);

#endif
