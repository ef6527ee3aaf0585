// SPDX-License-Identifier: GPL-2.0
/*
 * Abbreviations without DW_AT_sibling (DWARF 5, 7.5.3). It is a hint to skip a
 * DIE's children, and libdwarf follows it wherever it leads, backwards and in
 * circles too. Without it libdwarf goes on from DIE to DIE, which ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/dwarf_graph.h"

/* Of DWARF 1, and nobody's since. */
#define UNUSED_ATTRIBUTE 0x05
#define LEB_MORE	 0x80

struct cursor {
	uint8_t *at;
	const uint8_t *end;
};

/* A number, and past it; false: the section ends in it. */
static bool take_leb(struct cursor *c, uint64_t *ret)
{
	unsigned int shift = 0;

	*ret = 0;
	while (c->at < c->end) {
		uint8_t byte = *c->at++;

		if (shift < 64)
			*ret |= (uint64_t)(byte & ~LEB_MORE) << shift;
		shift += 7;
		if (!(byte & LEB_MORE))
			return true;
	}
	return false;
}

/* The attributes of one abbreviation. */
static bool take_attributes(struct cursor *c)
{
	uint64_t attribute, form, constant;

	do {
		uint8_t *at = c->at;

		if (!take_leb(c, &attribute) || !take_leb(c, &form))
			return false;
		if (form == DW_FORM_implicit_const && !take_leb(c, &constant))
			return false;
		if (attribute == DW_AT_sibling)
			*at = (*at & LEB_MORE) | UNUSED_ATTRIBUTE;
	} while (attribute || form);
	return true;
}

int dwarf_abbrev_load(struct dwarf_graph *g, struct spt_error *e)
{
	struct spt_elf_bytes *section = &g->section[DWARF_ABBREV];
	struct cursor c;

	g->abbrev = malloc(section->size);
	if (!g->abbrev)
		return spt_fail(e, ENOMEM, "%s: out of memory", g->graph.path);
	memcpy(g->abbrev, section->bytes, section->size);
	section->bytes = g->abbrev;
	for (c = (struct cursor){ g->abbrev, g->abbrev + section->size }; c.at < c.end;) {
		uint64_t code, tag;

		if (!take_leb(&c, &code))
			break;
		if (!code)
			continue; /* a unit's last one */
		/* What is cut off is for libdwarf to refuse, if a unit uses it. */
		if (!take_leb(&c, &tag) || c.at == c.end)
			break;
		c.at++; /* has children */
		if (!take_attributes(&c))
			break;
	}
	return 0;
}
