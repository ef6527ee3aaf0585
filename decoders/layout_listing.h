/* SPDX-License-Identifier: GPL-2.0 */
/* A struct's members in order of declaration, anonymous structs and unions opened. */
#ifndef SPT_LAYOUT_LISTING_H
#define SPT_LAYOUT_LISTING_H

#include "decoders/layout.h"

struct spt_listed {
	const char *name;    /* NULL: an anonymous struct or union; its members follow, deeper */
	char type[96];	     /* as C spells it */
	unsigned int depth;  /* of anonymous structs and unions around it */
	uint64_t bit_offset; /* from the start of the struct */
	uint64_t bits;
	bool bit_field;
};

struct spt_listing {
	struct spt_typegraph *graph; /* where the type was found, borrowed */
	bool is_union;
	uint64_t size; /* bytes */
	struct spt_listed *member;
	size_t count;
};

/*
 * List struct or union @type ("kvm_mmu_page"), as the first of @layout's graphs
 * has it: the modules' before the kernel's. -ENOENT when none has it. Free with
 * spt_listing_deinit().
 */
int spt_listing_of(const struct spt_layout *layout, const char *type, struct spt_listing *ret,
		   struct spt_error *e);
void spt_listing_deinit(struct spt_listing *listing);

#endif
