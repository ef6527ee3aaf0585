/* SPDX-License-Identifier: GPL-2.0 */
/* A .tar.zst file that is either whole or not there. */
#ifndef SPT_BUNDLE_H
#define SPT_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "spt/beside.h"

struct archive;
struct spt_bundle_library;

struct spt_bundle {
	struct spt_beside file;
	const struct spt_bundle_library *library;
	struct archive *tar; /* NULL: not open, or committed */
	const char *folder;  /* that all members are in; borrowed */
	uint64_t time_ns;    /* of the members */
	uint64_t bytes;	     /* of the members so far */
};

/* Begin @path, whose members are to be in @folder. Both are borrowed. */
int spt_bundle_open(struct spt_bundle *a, const char *path, const char *folder, uint64_t time_ns,
		    struct spt_error *err);

/* Add a member @name of @len bytes; and one that is what file @path is. */
int spt_bundle_add(struct spt_bundle *a, const char *name, const void *bytes, size_t len,
		   struct spt_error *err);
int spt_bundle_add_file(struct spt_bundle *a, const char *name, const char *path,
			struct spt_error *err);

/* Let the complete archive replace what @path is. */
int spt_bundle_commit(struct spt_bundle *a, struct spt_error *err);

/* Leave nothing of it unless it was committed; for __attribute__((cleanup)). */
void spt_bundle_drop(struct spt_bundle *a);

#endif
