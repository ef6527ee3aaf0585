// SPDX-License-Identifier: GPL-2.0
/* Headers of the compilation units in .debug_info (DWARF 5, 7.5.1). */
#include <errno.h>
#include <string.h>

#include "decoders/dwarf_graph.h"

/* Longer than any header, shorter than any unit. */
#define UNIT_MIN 24
/* What a 32-bit length says when a 64-bit one follows. */
#define LENGTH_64 0xffffffff

static bool read_unit(const struct spt_elf_bytes *info, size_t at, struct dwarf_unit *ret)
{
	const uint8_t *p = info->bytes + at;
	size_t left = info->size - at, offset_size = 4, head = 4;
	uint64_t length = 0;
	uint16_t version;

	if (left < UNIT_MIN)
		return false;
	memcpy(&length, p, 4);
	if (length == LENGTH_64) {
		memcpy(&length, p + 4, 8);
		offset_size = 8;
		head = 12;
	}
	if (length < 12 || length > left - head)
		return false;
	memcpy(&version, p + head, sizeof(version));
	ret->end = at + head + length;
	/* Version, DWARF 5's unit type, size of addresses, offset of the abbreviations. */
	ret->die = at + head + 2 + (version >= 5) + 1 + offset_size;
	if (version >= 5 && p[head + 2] != DW_UT_compile && p[head + 2] != DW_UT_partial)
		ret->die = 0;
	ret->abbrev = 0;
	memcpy(&ret->abbrev, p + head + 2 + (version >= 5 ? 2 : 0), offset_size);
	return true;
}

int dwarf_unit_at(struct dwarf_graph *g, size_t at, struct dwarf_unit *ret, struct spt_error *e)
{
	if (read_unit(&g->section[DWARF_INFO], at, ret))
		return 0;
	return spt_fail(e, EINVAL, "%s: damaged DWARF: a unit at 0x%zx is cut off", g->graph.path,
			at);
}
