/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The checksum of a big image, computed by other threads while this one reads the
 * records. Words may be added in any order, so the image is taken in pieces.
 */
#ifndef SPT_CHECKSUM_H
#define SPT_CHECKSUM_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define SPT_CHECKSUM_THREADS 8

struct spt_checksum {
	const uint64_t *base;
	size_t words;
	size_t next; /* word that the next piece begins with */
	uint64_t sum;
	unsigned int threads; /* that were started */
	pthread_t thread[SPT_CHECKSUM_THREADS];
};

/* Sum of @words 64-bit words at @base as the END record's checksum counts them. */
uint64_t spt_image_checksum(const void *base, size_t words);

/* Begin with the same; other threads help where there is enough to do for them. */
void spt_checksum_begin(struct spt_checksum *sum, const void *base, size_t words);

/* Do the rest, wait for the others and return the sum. */
uint64_t spt_checksum_end(struct spt_checksum *sum);

/* Instead: leave the rest. */
void spt_checksum_cancel(struct spt_checksum *sum);

#endif
