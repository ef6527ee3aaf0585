/* SPDX-License-Identifier: GPL-2.0 */
/* The image that the agent would have made of a narrower request, out of a saved one. */
#ifndef SPT_NARROW_H
#define SPT_NARROW_H

#include "spt/pieces.h"
#include "spt/source.h"

/* Beyond this many bytes the whole image is the better answer. */
#define SPT_NARROW_MAX (32U << 20)

/*
 * Whether @req leaves out enough to be answered by itself: it has a range, or
 * wants no tables.
 */
bool spt_narrow_pays(const struct spt_request *req);

/*
 * A valid image of what @req asks for: the records it selects and the tables on
 * the paths of its range, those of the shadow MMU always. The caller frees *@ret.
 * Returns 0, -ENOMEM, -E2BIG (longer than SPT_NARROW_MAX), -ENOTSUP (the saved
 * image was itself made of a range), -EINVAL (what the index leads to is no such
 * record): the whole image then has the answer.
 */
int spt_narrow(struct spt_pieces *pieces, const struct spt_request *req, void **ret, size_t *len);

#endif
