/* SPDX-License-Identifier: GPL-2.0 */
/* Compressed images: a zstd frame (or several) around the image's bytes. */
#ifndef SPT_COMPRESSED_H
#define SPT_COMPRESSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/error.h"
#include "spt/progress.h"

/* Whether these bytes begin a zstd frame. */
bool spt_zstd_recognise(const void *bytes, size_t len);

/* Bytes that a file of @len may become: more is no image. */
uint64_t spt_zstd_limit(size_t len);

/*
 * Decompress into memory that the caller frees. What is allocated grows with
 * what really comes out and is bounded by a multiple of @len. Returns 0,
 * -EINVAL (damaged, or grows beyond all reason), -ENOMEM, -EINTR (@progress, which
 * may be NULL, ended it). With @partial a damaged end is not an error: *@ret_len
 * says how far it went.
 */
int spt_zstd_expand(const void *bytes, size_t len, const char *name, bool partial,
		    const struct spt_progress *progress, void **ret, size_t *ret_len,
		    struct spt_error *err);

#endif
