/* SPDX-License-Identifier: GPL-2.0 */
/* Records of a saved image by their offset: only the pieces that hold them are read. */
#ifndef SPT_PIECES_H
#define SPT_PIECES_H

#include "agent/spt_image.h"
#include "spt/index.h"

struct spt_pieces {
	struct spt_index *index; /* borrowed, like the file's bytes */
	const char *file;
	size_t file_len;
	bool compressed;
	const struct spt_rec
		*end;	    /* raw: the end record, behind what the index speaks of; or NULL */
	void **plain;	    /* compressed: by piece, NULL not read yet */
	uint64_t *checked;  /* raw: bit i: the sum of piece i is right */
	size_t held;	    /* bytes in 'plain' */
	void *decompressor; /* ZSTD_DCtx */
};

/* Returns 0 or -ENOMEM. */
int spt_pieces_init(struct spt_pieces *p, struct spt_index *idx, const void *file, size_t file_len,
		    bool compressed);
void spt_pieces_deinit(struct spt_pieces *p);

/* Let go of what was decompressed if it is much: records handed out before become invalid. */
void spt_pieces_trim(struct spt_pieces *p);

/*
 * The record at @off of the image, checked by itself; valid until trim or deinit.
 * NULL: there is none, or its piece is damaged.
 */
const struct spt_rec *spt_pieces_record(struct spt_pieces *p, uint64_t off);

/*
 * Decompress all pieces to @to, which has room for the image, on several threads.
 * Returns 0, -ENOMEM, -EINVAL (damaged), -EINTR (@progress, which may be NULL, ended it).
 */
int spt_pieces_expand_all(struct spt_pieces *p, void *to, const struct spt_progress *progress);

#endif
