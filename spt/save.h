/* SPDX-License-Identifier: GPL-2.0 */
/* Writing an image to a file that is either whole or not there. */
#ifndef SPT_SAVE_H
#define SPT_SAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "spt/source.h"

struct spt_save {
	struct spt_request req; /* all 0: everything */
	bool compress;		/* zstd frames that can be read one by one */
	bool guest_tables;	/* add the guest's page tables that its vCPUs' CR3 reach */
	bool code; /* add the guest's code at its vCPUs' RIPs, and the tables that lead there */
	/*
	 * Called now and then, may be NULL; nonzero stops with -EINTR. Bytes done of
	 * what it is at; @total 0: not known yet.
	 */
	int (*progress)(void *arg, uint64_t bytes, uint64_t total);
	void *arg;
};

/* What was written. */
struct spt_saved {
	uint64_t bytes;	     /* of the image */
	uint64_t file_bytes; /* of the file, index included: less when compressed */
	uint64_t records, tables;
	uint64_t guest_tables; /* pages that were added */
	uint64_t guest_unread; /* and those that could not be read */
	uint64_t code_pages;   /* pages that were added for 'code' */
	bool guest_limited;    /* there were more than are ever saved */
	bool torn;
};

/*
 * Stream an image from @src to @path: written beside it, checked, indexed
 * (spt/index.h), synced, renamed. After any error nothing new is left and an
 * older @path is untouched.
 */
int spt_save(struct spt_source *src, const char *path, const struct spt_save *how,
	     struct spt_saved *ret, struct spt_error *err);

#endif
