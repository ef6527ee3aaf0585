/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading an image: every record is checked before anything believes it.
 *
 * An image stays where it is (mapped file, received buffer); records are handed
 * out as pointers into it. Nothing is copied but the head, the masks and the end.
 */
#ifndef SPT_IMAGE_READ_H
#define SPT_IMAGE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/spt_image.h"
#include "decoders/error.h"
#include "spt/checksum.h"
#include "spt/progress.h"

/* Read what is intact of a damaged image instead of refusing it. */
#define SPT_IMAGE_SALVAGE (1U << 0)
/* Leave the checksum alone: for an image that the agent handed over this moment. */
#define SPT_IMAGE_TRUST (1U << 1)

/* Bytes that salvage skips: from a record that makes no sense to the next that does. */
struct spt_gap {
	size_t from, to;
};
#define SPT_IMAGE_GAPS 8

#define SPT_IMAGE_TYPES 32 /* of records that come more than once */

struct spt_image {
	const void *base; /* borrowed; 8-byte aligned */
	size_t len;	  /* bytes of whole records that may be used */
	const char *name; /* for errors: file or VM; borrowed */
	bool complete;	  /* END is there and every check passed */
	bool torn;	  /* the image itself says that things moved while it was made */
	bool ended;	  /* there is an end record */
	uint32_t notes;	  /* bit k: a note of kind k (enum spt_note_kind) */
	unsigned int nr_gaps;
	uint32_t count[SPT_IMAGE_TYPES];    /* records by type, but for END */
	uint64_t records, entries;	    /* found: all records; entries of SPT_REC_TABLE */
	struct spt_head head;		    /* members beyond the record's length are 0 */
	struct spt_masks masks;		    /* known 0: the image has none */
	struct spt_end end;		    /* all 0: the image has none (salvaged) */
	struct spt_gap gap[SPT_IMAGE_GAPS]; /* ascending; nr_gaps of them */
	char missing[160];		    /* salvage: what is missing or wrong, "" nothing */
};

/*
 * Check the @len bytes at @base, which must stay as long as @img is used. @name
 * names the image in errors. Returns 0, or -EINVAL (not an image, damaged: with
 * the byte offset), -EPROTO (another ABI).
 */
int spt_image_open(struct spt_image *img, const void *base, size_t len, const char *name,
		   unsigned int flags, struct spt_error *err);

/* The same of an image whose reading may take long; also -EINTR, when @progress (or NULL) ends it.
 */
int spt_image_open_slow(struct spt_image *img, const void *base, size_t len, const char *name,
			unsigned int flags, const struct spt_progress *progress,
			struct spt_error *err);

/* The record after @rec, or the first for NULL; NULL after the last. */
static inline const struct spt_rec *spt_image_next(const struct spt_image *img,
						   const struct spt_rec *rec)
{
	size_t off = rec ? (size_t)((const char *)rec - (const char *)img->base) + rec->len : 0;

	for (unsigned int i = 0; i < img->nr_gaps; i++)
		if (img->gap[i].from == off)
			off = img->gap[i].to;
	return off < img->len ? (const struct spt_rec *)((const char *)img->base + off) : NULL;
}

#define spt_image_for_each(img, rec)                                                               \
	for (rec = spt_image_next(img, NULL); rec; rec = spt_image_next(img, rec))

#endif
