/* SPDX-License-Identifier: GPL-2.0 */
/* One record of an image, judged by itself. */
#ifndef SPT_RECORD_H
#define SPT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/spt_image.h"

/*
 * Whether the members of @rec, whose length is within the image and a multiple
 * of 8, fit in that length and make sense. NULL, or what is wrong with it.
 * Records of unknown type are sound.
 */
const char *spt_record_check(const struct spt_rec *rec);

/* Whether its type is one of this format. */
bool spt_record_known(const struct spt_rec *rec);

/* Entries that it stores as SPT_REC_TABLE; 0 for other types, which END does not count. */
uint64_t spt_record_entries(const struct spt_rec *rec);

/* Guest frames that a record speaks of, both inclusive; 0 and ~0: all, or of none in particular. */
struct spt_gfns {
	uint64_t first, last;
};
struct spt_gfns spt_record_gfns(const struct spt_rec *rec);

/* Bytes of the chunks that a bitmap says are stored. */
static inline uint64_t spt_chunks_bytes(uint64_t chunks)
{
	return (uint64_t)__builtin_popcountll(chunks) * SPT_CHUNK_ENTRIES * sizeof(uint64_t);
}

#endif
