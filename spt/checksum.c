// SPDX-License-Identifier: GPL-2.0
#include "agent/spt_image.h"
#include "spt/checksum.h"
#include "spt/cpus.h"

#define PIECE_WORDS  (512U << 10) /* 4 MiB */
#define WORTH_THREAD (8 * PIECE_WORDS)

/*
 * Eight words at a time: from index i on their sum is (2i + 1) * (w0 + ... + w7) +
 * 2 * (1 * w1 + ... + 7 * w7), and the second bracket is the sum of the partial
 * sums of the first from its end. Two multiplications a cache line, no table.
 */
static uint64_t sum_from(const uint64_t *w, size_t first, size_t words)
{
	size_t i = first, end = first + words;
	uint64_t sum = 0;

	for (; i + 8 <= end; i += 8, w += 8) {
		uint64_t total = w[7], weighted = total;

		weighted += total += w[6];
		weighted += total += w[5];
		weighted += total += w[4];
		weighted += total += w[3];
		weighted += total += w[2];
		weighted += total += w[1];
		total += w[0];
		sum += (2 * i + 1) * total + 2 * weighted;
	}
	for (; i < end; i++)
		sum += spt_checksum_word(i, *w++);
	return sum;
}

uint64_t spt_image_checksum(const void *base, size_t words)
{
	return sum_from(base, 0, words);
}

static void *sum_pieces(void *arg)
{
	struct spt_checksum *s = arg;
	uint64_t sum = 0;

	for (;;) {
		size_t first = __atomic_fetch_add(&s->next, PIECE_WORDS, __ATOMIC_RELAXED);

		if (first >= s->words)
			break;
		sum += sum_from(s->base + first, first,
				s->words - first < PIECE_WORDS ? s->words - first : PIECE_WORDS);
	}
	__atomic_fetch_add(&s->sum, sum, __ATOMIC_RELAXED);
	return NULL;
}

void spt_checksum_begin(struct spt_checksum *s, const void *base, size_t words)
{
	unsigned int want = spt_cpus();

	s->base = base;
	s->words = words;
	s->next = 0;
	s->sum = 0;
	s->threads = 0;
	if (want > SPT_CHECKSUM_THREADS)
		want = SPT_CHECKSUM_THREADS;
	while (words >= WORTH_THREAD && s->threads + 1 < want &&
	       !pthread_create(&s->thread[s->threads], NULL, sum_pieces, s))
		s->threads++;
}

uint64_t spt_checksum_end(struct spt_checksum *s)
{
	sum_pieces(s);
	while (s->threads)
		pthread_join(s->thread[--s->threads], NULL);
	return s->sum;
}

void spt_checksum_cancel(struct spt_checksum *s)
{
	__atomic_store_n(&s->next, s->words, __ATOMIC_RELAXED);
	spt_checksum_end(s);
}
