/* SPDX-License-Identifier: GPL-2.0 */
/* Writing an image to a file that is either whole or not there. */
#ifndef SPT_SAVE_H
#define SPT_SAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "spt/source.h"

struct spt_save {
	struct spt_request req; /* all 0: everything */
	bool compress;		/* zstd */
	/* Called now and then, may be NULL; nonzero stops with -EINTR. @bytes read so far. */
	int (*progress)(void *arg, uint64_t bytes);
	void *arg;
};

/* What was written. */
struct spt_saved {
	uint64_t bytes;	     /* of the image */
	uint64_t file_bytes; /* of the file: less when compressed */
	uint64_t records, tables;
	bool torn;
};

/*
 * Stream an image from @src to @path: written beside it, checked, synced,
 * renamed. After any error nothing new is left and an older @path is untouched.
 */
int spt_save(struct spt_source *src, const char *path, const struct spt_save *how,
	     struct spt_saved *ret, struct spt_error *err);

#endif
