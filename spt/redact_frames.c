// SPDX-License-Identifier: GPL-2.0
#include "spt/redact_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Between two pieces, that were none, nothing is a neighbour now. */
#define GUARD 0x1000
/* The first place: below are addresses that people take for others. */
#define FIRST	  (1ULL << 20)
#define HUGE_PAGE (2ULL << 20)

int spt_frames_add(struct spt_frames *frames, uint64_t from, uint64_t len, uint64_t align)
{
	struct spt_frames_piece *last = frames->count ? &frames->piece[frames->count - 1] : NULL;

	frames->named++;
	if (last && last->from + last->len == from && last->align == align) {
		last->len += len;
		return 0;
	}
	if (frames->count == frames->room) {
		size_t room = frames->room * 2 + 1024;
		struct spt_frames_piece *more =
			realloc(frames->piece, room * sizeof(*frames->piece));

		if (!more)
			return -ENOMEM;
		frames->piece = more;
		frames->room = room;
	}
	frames->piece[frames->count++] = (struct spt_frames_piece){
		.from = from,
		.len = len,
		.align = align,
		.order = frames->named,
	};
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct spt_frames_piece *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

static int by_order(const void *a, const void *b)
{
	const struct spt_frames_piece *x = a, *y = b;

	return (x->order > y->order) - (x->order < y->order);
}

/* Pieces that overlap or touch become one. */
static void merge(struct spt_frames *frames)
{
	size_t kept = 0;

	for (size_t i = 1; i < frames->count; i++) {
		struct spt_frames_piece *into = &frames->piece[kept];
		const struct spt_frames_piece *p = &frames->piece[i];
		uint64_t end = p->from + p->len;

		if (p->from > into->from + into->len) {
			frames->piece[++kept] = *p;
			continue;
		}
		if (end > into->from + into->len)
			into->len = end - into->from;
		if (p->align > into->align)
			into->align = p->align;
		if (p->order < into->order)
			into->order = p->order;
	}
	if (frames->count)
		frames->count = kept + 1;
}

/* The first of the places that there were, sorted and apart, which ends behind @at. */
static const struct spt_frames_piece *old_behind(const struct spt_frames_piece *old, size_t count,
						 uint64_t at)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (old[middle].from + old[middle].len > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low < count ? &old[low] : NULL;
}

/*
 * In the order in which they are named: neither the old order nor the old distances stay. Nor
 * is a place one of @nr_old that there were: who looks for an address of the host finds none.
 */
static uint64_t place(struct spt_frames *frames, const struct spt_frames_piece *old, size_t nr_old,
		      uint64_t least)
{
	uint64_t at = FIRST;

	for (size_t i = 0; i < frames->count; i++) {
		struct spt_frames_piece *p = &frames->piece[i];
		uint64_t align = p->align > least ? p->align : least;
		const struct spt_frames_piece *taken;

		for (;;) {
			at += (p->from - at) & (align - 1);
			taken = old_behind(old, nr_old, at);
			if (!taken || taken->from >= at + p->len)
				break;
			at = taken->from + taken->len;
		}
		p->to = at;
		at += p->len + GUARD;
	}
	return at;
}

/*
 * As well as @bits allow; not 0: they do not. Where small pages could have been a huge one, 'why'
 * says so: that stays longer than that no place was another's.
 */
static uint64_t place_within(struct spt_frames *frames, const struct spt_frames_piece *old,
			     unsigned int bits)
{
	const struct {
		size_t nr_old;
		uint64_t least;
	} ways[] = { { frames->count, HUGE_PAGE }, { 0, HUGE_PAGE }, { 0, 0 } };
	uint64_t over = 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) && (!i || over); i++) {
		uint64_t end = place(frames, old, ways[i].nr_old, ways[i].least);

		over = bits && bits < 64 ? end >> bits : 0;
	}
	return over;
}

int spt_frames_settle(struct spt_frames *frames, unsigned int bits)
{
	struct spt_frames_piece *old;
	uint64_t over;

	if (!frames->count)
		return 0;
	qsort(frames->piece, frames->count, sizeof(*frames->piece), by_address);
	merge(frames);
	old = malloc(frames->count * sizeof(*old));
	if (!old)
		return -ENOMEM;
	memcpy(old, frames->piece, frames->count * sizeof(*old));
	qsort(frames->piece, frames->count, sizeof(*frames->piece), by_order);
	over = place_within(frames, old, bits);
	free(old);
	qsort(frames->piece, frames->count, sizeof(*frames->piece), by_address);
	return over ? -ERANGE : 0;
}

uint64_t spt_frames_moved(const struct spt_frames *frames, uint64_t address)
{
	size_t low = 0, high = frames->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct spt_frames_piece *p = &frames->piece[middle];

		if (address < p->from)
			high = middle;
		else if (address - p->from >= p->len)
			low = middle + 1;
		else
			return p->to + (address - p->from);
	}
	return address;
}

void spt_frames_deinit(struct spt_frames *frames)
{
	free(frames->piece);
	*frames = (struct spt_frames){ 0 };
}
