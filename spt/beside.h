/* SPDX-License-Identifier: GPL-2.0 */
/* A file that takes its name when it is complete, and leaves nothing when it never is. */
#ifndef SPT_BESIDE_H
#define SPT_BESIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "decoders/error.h"

struct spt_beside {
	int fd;		    /* -1: not open, or committed */
	const char *target; /* borrowed */
	char path[4096];    /* its name until then; "" none: gone with the process */
};

/* Open a new file in the folder of @target. */
int spt_beside_open(struct spt_beside *b, const char *target, struct spt_error *err);

/* Append @len bytes. */
int spt_beside_write(const struct spt_beside *b, const void *bytes, size_t len,
		     struct spt_error *err);

/* Sync it and let it replace @target. */
int spt_beside_commit(struct spt_beside *b, struct spt_error *err);

/* Remove it unless it was committed; for __attribute__((cleanup)). */
void spt_beside_drop(struct spt_beside *b);

#endif
