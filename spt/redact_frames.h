/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Other addresses for host memory: each piece of it that an image speaks of is moved to a
 * place of its own, so that pages stay neighbours, huge pages aligned and equal addresses equal,
 * while nothing is learned of where they were.
 */
#ifndef SPT_REDACT_FRAMES_H
#define SPT_REDACT_FRAMES_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of host memory that belong together. */
struct spt_frames_piece {
	uint64_t from, len;
	uint64_t align; /* what its place modulo this is must stay: size of its largest page */
	uint64_t order; /* which piece was named first */
	uint64_t to;
};

struct spt_frames {
	struct spt_frames_piece *piece;
	size_t count, room;
	uint64_t named; /* pieces so far, merged ones included */
};

/* @frames is all 0 at first. Name @len bytes at @from; 0 or -ENOMEM. */
int spt_frames_add(struct spt_frames *frames, uint64_t from, uint64_t len, uint64_t align);

/*
 * All are named: give each its place, the same in a 2M page and none that another had, if there
 * is room. -ERANGE: they need more than @bits address bits (0: any number); -ENOMEM.
 */
int spt_frames_settle(struct spt_frames *frames, unsigned int bits);

/* Where the byte at @address is now; itself if it was not named. */
uint64_t spt_frames_moved(const struct spt_frames *frames, uint64_t address);

void spt_frames_deinit(struct spt_frames *frames);

#endif
