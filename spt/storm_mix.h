/* SPDX-License-Identifier: GPL-2.0 */
/* What a storm does next: chosen by the seed and the action's number alone. */
#ifndef SPT_STORM_MIX_H
#define SPT_STORM_MIX_H

#include "memslot/memslot.h"
#include "spt/storm.h"

/* A piece of guest-physical memory that a slot backs. */
struct spt_storm_piece {
	uint64_t gpa, pages; /* 4K each */
};

/* Where a storm may strike. */
struct spt_storm_field {
	struct spt_storm_piece *pieces;
	size_t nr_pieces;
	uint64_t pages; /* of all */
};

/* Pieces of the slots of address space 0 in the request's range. -ENOENT: there is none. */
int spt_storm_field_init(struct spt_storm_field *field, const struct spt_memslots *slots,
			 const struct spt_storm_request *request, struct spt_error *err);
void spt_storm_field_deinit(struct spt_storm_field *field);

/*
 * Action number @nr. What an undo is of is the caller's to say: *pick is a number at
 * random for that.
 */
enum spt_storm_action spt_storm_choose(const struct spt_storm_request *storm,
				       const struct spt_storm_field *field, uint64_t nr,
				       struct spt_action_request *ret, uint64_t *pick);

#endif
