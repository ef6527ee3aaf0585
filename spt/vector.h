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

#endif
