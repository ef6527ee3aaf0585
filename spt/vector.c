// SPDX-License-Identifier: GPL-2.0
#include "spt/vector.h"

/*
 * Built at -O3, see meson.build. One version for clang, which has no such attribute, and under
 * sanitizers, whose runtime is not there yet when a version is chosen.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&      \
	!defined(__clang__)
#define SPT_VECTOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SPT_VECTOR
#endif

#define PRESENT_BIT 11 /* SPTE_MMU_PRESENT_MASK */

SPT_VECTOR
bool spt_any_equal(const uint64_t *entry, size_t count, uint64_t mask, uint64_t want)
{
	uint64_t equal = 0;

	for (size_t i = 0; i < count; i++)
		equal |= !((entry[i] ^ want) & mask);
	return equal;
}

SPT_VECTOR
struct spt_reduced spt_reduce(const uint64_t *entry, size_t count, const uint64_t empty[2],
			      uint64_t accessed, uint64_t dirty)
{
	uint64_t any = 0, all = ~0ULL, present = 0, with_accessed = 0, with_dirty = 0, other = 0;
	uint64_t empty0 = empty[0], empty1 = empty[1];

	for (size_t i = 0; i < count; i++) {
		uint64_t e = entry[i], here = e >> PRESENT_BIT & 1, mask = -here;

		any |= e & mask;
		all &= e | ~mask;
		present += here;
		with_accessed += (e & mask & accessed) != 0;
		with_dirty += (e & mask & dirty) != 0;
		other |= ~mask & -(uint64_t)(e != 0) & -(uint64_t)(e != empty0) &
			 -(uint64_t)(e != empty1);
	}
	return (struct spt_reduced){ any, all, present, with_accessed, with_dirty, other & 1 };
}

SPT_VECTOR
uint64_t spt_differ(const uint64_t *entry, size_t count)
{
	uint64_t any = 0, all = ~0ULL;

	for (size_t i = 0; i < count; i++) {
		any |= entry[i];
		all &= entry[i];
	}
	return any ^ all;
}

/* Entries compared before it is looked whether one differed. */
#define FOLLOW_BLOCK 64

SPT_VECTOR
size_t spt_follow(const uint64_t *entry, size_t count, uint64_t want, uint64_t step,
		  uint64_t compare, uint64_t *differ)
{
	size_t at = 0;

	/* The usual end where memory is scattered, before anything is set up. */
	if (!count || (entry[0] ^ want) & compare)
		return 0;
	for (; at + FOLLOW_BLOCK <= count; at += FOLLOW_BLOCK) {
		uint64_t differs = 0;

		for (size_t i = 0; i < FOLLOW_BLOCK; i++)
			differs |= entry[at + i] ^ (want + (at + i) * step);
		if (differs & compare)
			break;
		*differ |= differs;
	}
	for (; at < count; at++) {
		uint64_t differs = entry[at] ^ (want + at * step);

		if (differs & compare)
			break;
		*differ |= differs;
	}
	return at;
}

SPT_VECTOR
uint64_t spt_count_breaks(const uint64_t *entry, size_t count, uint64_t step, uint64_t compare)
{
	uint64_t breaks = 0;

	for (size_t i = 1; i < count; i++)
		breaks += (((entry[i] ^ (entry[i - 1] + step)) & compare) != 0) &
			  (entry[i] >> PRESENT_BIT);
	return breaks;
}
