/* SPDX-License-Identifier: GPL-2.0 */
/* Types from DWARF (libdwarf): from a kernel's or module's debug file. */
#ifndef SPT_DWARF_H
#define SPT_DWARF_H

#include "decoders/elf_file.h"
#include "decoders/layout_types.h"

/*
 * Open the DWARF in the ELF file @path. -ENOENT when there is no such file,
 * -ENODATA when it has no DWARF, -EINVAL when it is damaged. Memory grows with
 * the compilation units that hold what is looked for, not with the file.
 */
int spt_dwarf_open(const char *path, struct spt_typegraph **ret, struct spt_error *e);

#endif
