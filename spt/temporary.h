/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that need not stay in memory: a mapped file without a name. */
#ifndef SPT_TEMPORARY_H
#define SPT_TEMPORARY_H

#include <stddef.h>

#include "decoders/error.h"

struct spt_temporary {
	void *at;
	size_t len;
};

/*
 * @len bytes of zeros. Much of it is a file in $TMPDIR or /var/tmp that the
 * kernel may write out; where that is not to be had, plain memory. Returns 0 or -ENOMEM;
 * @name is what it is for.
 */
int spt_temporary_get(struct spt_temporary *t, size_t len, const char *name, struct spt_error *err);

/* Give it back; munmap(at, len) does the same. */
void spt_temporary_put(struct spt_temporary *t);

#endif
