/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Member paths: 'arch.mmu', 'stat.pages[1]', 'a|b' (alternatives, newest first),
 * '' (the type itself). Members of anonymous structs and unions count as the
 * members of what encloses them. Grammar: agent/spt_layout.h. An array of several
 * dimensions is one flat array in BTF, as pahole writes it, so that no path of
 * ours indexes one.
 */
#ifndef SPT_LAYOUT_PATH_H
#define SPT_LAYOUT_PATH_H

#include "agent/spt_layout.h"
#include "decoders/layout_types.h"

/*
 * Find @path from struct or union @root. Returns 1 with *ret filled in
 * (alternative, offset and size in bits, SPT_FIELD_* flags), 0 when no
 * alternative exists (*ret zeroed), or -errno: -EINVAL for a path that breaks
 * the grammar or a damaged graph, -EOVERFLOW for an offset that does not fit.
 */
int spt_path_find(struct spt_typegraph *graph, spt_type_id root, const char *path,
		  struct spt_layout_field *ret, struct spt_error *e);

#endif
