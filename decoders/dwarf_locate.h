/* SPDX-License-Identifier: GPL-2.0 */
/* Where the debug information of a kernel or module lies: many places, one build id. */
#ifndef SPT_DWARF_LOCATE_H
#define SPT_DWARF_LOCATE_H

#include "decoders/elf_file.h"

struct spt_debug_search {
	const char *const *dirs; /* looked in first, NULL-terminated; NULL: none */
	const char *release;	 /* uname -r */
	const char *root;	 /* before the system's own places; NULL or "": this host's */
};

/*
 * Find the file with the DWARF of @module ("kvm", or "vmlinux") whose build id is
 * @id (len 0: unknown, any will do): in each directory and then in
 * /usr/lib/debug by build id, as debug packages lay it out, and by the file's
 * own .gnu_debuglink; last the file itself. *ret is malloc()ed. -ENOENT with the
 * package to install, or what was wrong with the file that was there.
 */
int spt_debug_locate(const struct spt_debug_search *search, const char *module,
		     const struct spt_build_id *id, char **ret, struct spt_error *e);

#endif
