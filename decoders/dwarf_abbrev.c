// SPDX-License-Identifier: GPL-2.0
/*
 * Abbreviations without DW_AT_sibling (DWARF 5, 7.5.3). It is a hint to skip a
 * DIE's children, and libdwarf follows it wherever it leads, backwards and in
 * circles too. Without it libdwarf goes on from DIE to DIE, which ends. Tables are
 * read one after the other; a unit that wants one to begin elsewhere is refused,
 * for from there the attribute may still be seen.
 */
#include <errno.h>
#include <inttypes.h>
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

/* One abbreviation; *last: it is the zero that ends a table. */
static bool take_abbreviation(struct cursor *c, bool *last)
{
	uint64_t code, tag;

	if (!take_leb(c, &code))
		return false;
	*last = !code;
	if (*last)
		return true;
	if (!take_leb(c, &tag) || c->at == c->end)
		return false;
	c->at++; /* has children */
	return take_attributes(c);
}

/* Where tables begin, a bit for each byte of the section. */
static void mark(uint8_t *starts, size_t at)
{
	starts[at / 8] |= 1U << at % 8;
}

static bool marked(const uint8_t *starts, size_t at)
{
	return starts[at / 8] >> at % 8 & 1;
}

/* Take the attribute out of all tables, and mark where they begin. */
static void clean(uint8_t *section, size_t size, uint8_t *starts)
{
	struct cursor c = { section, section + size };
	bool last = true;

	do {
		if (last)
			mark(starts, (size_t)(c.at - section));
	} while (c.at < c.end && take_abbreviation(&c, &last));
	/* What is cut off is for libdwarf to refuse, if a unit uses it. */
}

/* libdwarf goes to a table by its unit's word; only a table that was cleaned will do. */
static int check_units(struct dwarf_graph *g, const uint8_t *starts, struct spt_error *e)
{
	size_t at = 0, size = g->section[DWARF_ABBREV].size;
	struct dwarf_unit unit;

	for (; at < g->section[DWARF_INFO].size; at = unit.end) {
		int err = dwarf_unit_at(g, at, &unit, e);

		if (err)
			return err;
		if (unit.abbrev >= size || !marked(starts, unit.abbrev))
			return spt_fail(e, EINVAL,
					"%s: damaged DWARF: no abbreviations at 0x%" PRIx64
					" for the unit at 0x%zx",
					g->graph.path, unit.abbrev, at);
	}
	return 0;
}

int dwarf_abbrev_load(struct dwarf_graph *g, struct spt_error *e)
{
	struct spt_elf_bytes *section = &g->section[DWARF_ABBREV];
	uint8_t *starts = calloc(section->size / 8 + 1, 1);
	int err;

	g->abbrev = malloc(section->size);
	if (g->abbrev && starts) {
		memcpy(g->abbrev, section->bytes, section->size);
		section->bytes = g->abbrev;
		clean(g->abbrev, section->size, starts);
		err = check_units(g, starts, e);
	} else {
		err = spt_fail(e, ENOMEM, "%s: out of memory", g->graph.path);
	}
	free(starts);
	return err;
}
