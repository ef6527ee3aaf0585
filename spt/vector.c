// SPDX-License-Identifier: GPL-2.0
#include "spt/vector.h"

/* Built at -O3, see meson.build. A sanitizer's runtime is not there yet when a version is chosen.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define SPT_VECTOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SPT_VECTOR
#endif

SPT_VECTOR
bool spt_any_equal(const uint64_t *entry, size_t count, uint64_t mask, uint64_t want)
{
	uint64_t equal = 0;

	for (size_t i = 0; i < count; i++)
		equal |= !((entry[i] ^ want) & mask);
	return equal;
}

SPT_VECTOR
struct spt_reduced spt_reduce(const uint64_t *entry, size_t count, uint64_t accessed,
			      uint64_t dirty)
{
	uint64_t any = 0, all = ~0ULL, with_accessed = 0, with_dirty = 0;

	for (size_t i = 0; i < count; i++) {
		any |= entry[i];
		all &= entry[i];
		with_accessed += (entry[i] & accessed) != 0;
		with_dirty += (entry[i] & dirty) != 0;
	}
	return (struct spt_reduced){ any, all, with_accessed, with_dirty };
}
