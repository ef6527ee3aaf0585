/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loops over the stored entries of a table that the compiler turns into vector
 * instructions, in versions for what the CPU has.
 */
#ifndef SPT_VECTOR_H
#define SPT_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether an entry equals @want in the bits of @mask. */
bool spt_any_equal(const uint64_t *entry, size_t count, uint64_t mask, uint64_t want);

/*
 * How many entries from the first on equal @want, @want + @step, @want + 2 * @step ... in
 * the bits of @compare. What of all bits differed in those is or-ed into *@differ.
 */
size_t spt_follow(const uint64_t *entry, size_t count, uint64_t want, uint64_t step,
		  uint64_t compare, uint64_t *differ);

/*
 * How many entries, but for the first, are present for KVM and not the one before plus
 * @step in the bits of @compare, which has the present bit.
 */
uint64_t spt_count_breaks(const uint64_t *entry, size_t count, uint64_t step, uint64_t compare);

/* Bits that are not the same in all entries. */
uint64_t spt_differ(const uint64_t *entry, size_t count);

/* What the entries of an array that are present for KVM (bit 11) say together. */
struct spt_reduced {
	uint64_t any;		  /* bits that are set in at least one */
	uint64_t all;		  /* bits that are set in each */
	uint64_t present;	  /* how many they are */
	uint64_t accessed, dirty; /* of them, those that have a bit of these masks */
	bool other;		  /* there is an entry that is neither present nor empty */
};

/* @empty: what an empty entry is beside 0. The masks have one bit at most. */
struct spt_reduced spt_reduce(const uint64_t *entry, size_t count, const uint64_t empty[2],
			      uint64_t accessed, uint64_t dirty);

#endif
