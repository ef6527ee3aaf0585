/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libarchive, loaded when it is needed: it brings fifteen libraries with it, and every command
 * would start four times as long.
 */
#ifndef SPT_BUNDLE_LIBRARY_H
#define SPT_BUNDLE_LIBRARY_H

#include <archive.h>
#include <archive_entry.h>

#include "decoders/error.h"

/* Its functions that are used. */
#define SPT_BUNDLE_CALLS(C)                                                                        \
	C(archive_errno)                                                                           \
	C(archive_error_string)                                                                    \
	C(archive_write_new)                                                                       \
	C(archive_write_add_filter_zstd)                                                           \
	C(archive_write_set_format_pax_restricted)                                                 \
	C(archive_write_open_fd)                                                                   \
	C(archive_write_header)                                                                    \
	C(archive_write_data)                                                                      \
	C(archive_write_fail)                                                                      \
	C(archive_write_close)                                                                     \
	C(archive_write_free)                                                                      \
	C(archive_entry_new)                                                                       \
	C(archive_entry_free)                                                                      \
	C(archive_entry_set_pathname)                                                              \
	C(archive_entry_set_filetype)                                                              \
	C(archive_entry_set_perm)                                                                  \
	C(archive_entry_set_size)                                                                  \
	C(archive_entry_set_mtime)

struct spt_bundle_library {
#define C(name) __typeof__(name) *name;
	SPT_BUNDLE_CALLS(C)
#undef C
};

/* Loaded once, never unloaded; -ENOENT where it is not installed. */
int spt_bundle_library(const struct spt_bundle_library **ret, struct spt_error *err);

#endif
