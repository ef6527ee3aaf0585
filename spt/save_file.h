/* SPDX-License-Identifier: GPL-2.0 */
/* The two forms of a saved file, from an image that was checked; used by spt_save() alone. */
#ifndef SPT_SAVE_FILE_H
#define SPT_SAVE_FILE_H

#include "spt/beside.h"
#include "spt/image.h"
#include "spt/save.h"

/* An image in two parts: what the source gave, and what is added to it. */
struct spt_save_parts {
	const char *base;
	size_t len; /* whole records, neither index nor end among them */
	const char *added;
	size_t added_len;
	struct spt_end end; /* for these records: what an image without an index ends with */
};

/*
 * Take apart a checked image: its index, if it has one, is left out, and
 * @added_len bytes of further records come before its end.
 */
void spt_save_parts_of(struct spt_save_parts *parts, const struct spt_image *img, const void *added,
		       size_t added_len);

/* Both write to @to, which is empty or, for raw, may hold the first part already (@spooled). */
int spt_save_raw(const struct spt_beside *to, const struct spt_save_parts *parts, bool spooled,
		 const struct spt_save *how, struct spt_error *err);
int spt_save_compressed(const struct spt_beside *to, const struct spt_save_parts *parts,
			const struct spt_save *how, struct spt_error *err);

/* Tell how far it is; -EINTR with the error filled in to stop. */
int spt_save_report(const struct spt_save *how, const char *path, uint64_t bytes, uint64_t total,
		    struct spt_error *err);

#endif
