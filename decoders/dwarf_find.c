// SPDX-License-Identifier: GPL-2.0
/*
 * Types by name. Debug information of a kernel is hundreds of megabytes in
 * thousands of compilation units; a DIE that bears a name holds the name's
 * offset in .debug_str (or the name itself), so a look at the raw bytes of a unit
 * says whether it is worth parsing, and most are not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/dwarf_graph.h"

/* Places of one name in .debug_str: its own, and ends of longer names. */
#define PATTERNS_MAX 64

/* 4-byte words that a unit contains if it may define the query's type. */
struct patterns {
	unsigned int count;
	uint32_t word[PATTERNS_MAX];
	bool any; /* every unit may: names are reached in another way */
	bool done;
};

/* Set of words, by a hash: a false hit costs a closer look. */
#define FILTER_BITS (1U << 16)

struct filter {
	uint64_t word[FILTER_BITS / 64];
};

static unsigned int filter_index(uint32_t word)
{
	return (word * 2654435761U) >> 16; /* Knuth's multiplicative hash */
}

static void filter_add(struct filter *f, uint32_t word)
{
	f->word[filter_index(word) / 64] |= 1ULL << filter_index(word) % 64;
}

static bool filter_has(const struct filter *f, uint32_t word)
{
	return f->word[filter_index(word) / 64] >> filter_index(word) % 64 & 1;
}

static void make_patterns(struct dwarf_graph *g, const char *name, struct patterns *p)
{
	const struct spt_elf_bytes *str = &g->section[DWARF_STR];
	size_t len = strlen(name) + 1;
	const uint8_t *at = str->bytes;
	size_t left = str->size;

	/* Names by index (DW_FORM_strx) leave no offset in the unit. */
	p->any = g->section[DWARF_STR_OFFSETS].size || len < sizeof(uint32_t);
	/*
	 * A name no longer than an offset (8 bytes in 64-bit DWARF) may stand in the
	 * unit itself, as all do without a table.
	 */
	if (!p->any && (len <= sizeof(uint64_t) || !str->size))
		memcpy(&p->word[p->count++], name, sizeof(uint32_t));
	while (!p->any && left && (at = memmem(at, left, name, len))) {
		if (p->count == PATTERNS_MAX) {
			p->any = true;
			break;
		}
		p->word[p->count++] = (uint32_t)(at - str->bytes);
		at++;
		left = str->size - (size_t)(at - str->bytes);
	}
}

/* Which of the open queries the unit's bytes may answer. */
static bool may_define(const uint8_t *unit, size_t size, const struct filter *filter,
		       const struct patterns *pattern, size_t n)
{
	for (size_t q = 0; q < n; q++)
		if (!pattern[q].done && pattern[q].any)
			return true;
	for (size_t i = 0; i + sizeof(uint32_t) <= size; i++) {
		uint32_t word;

		memcpy(&word, unit + i, sizeof(word));
		if (!filter_has(filter, word))
			continue;
		for (size_t q = 0; q < n; q++)
			for (unsigned int w = 0; !pattern[q].done && w < pattern[q].count; w++)
				if (pattern[q].word[w] == word)
					return true;
	}
	return false;
}

/* 'typedef struct { ... } name': the struct is found by the typedef's name. */
static int typedef_target(struct dwarf_graph *g, Dwarf_Die die, Dwarf_Off *ret, struct spt_error *e)
{
	dwarf_auto_die target = NULL;
	const char *name;
	Dwarf_Half tag;
	int err = dwarf_die_reference(g, die, DW_AT_type, ret, e);

	if (err <= 0)
		return err;
	err = dwarf_die_at(g, *ret, &target, e);
	if (!err)
		err = dwarf_die_tag(g, target, &tag, e);
	if (!err)
		err = dwarf_die_name(g, target, &name, e);
	if (err)
		return err;
	return (tag == DW_TAG_structure_type || tag == DW_TAG_union_type) && !name;
}

/* Take @die as the answer to query @q if it is a complete type. 1 taken, 0 not, or -errno. */
static int take(struct dwarf_graph *g, Dwarf_Die die, Dwarf_Half tag, struct spt_type_query *q,
		struct spt_error *e)
{
	Dwarf_Error error = NULL;
	Dwarf_Off offset;
	int found = 1;

	if (dwarf_die_has(die, DW_AT_declaration))
		return 0;
	if (tag == DW_TAG_typedef)
		found = typedef_target(g, die, &offset, e);
	else if (dwarf_dieoffset(die, &offset, &error) != DW_DLV_OK)
		return dwarf_fail(g, error, e);
	if (found > 0 && q->hits < SPT_QUERY_HITS)
		q->hit[q->hits++] = offset;
	return found;
}

static int scan_die(struct dwarf_graph *g, Dwarf_Die die, struct spt_type_query *query,
		    struct patterns *pattern, size_t n, struct spt_error *e)
{
	const char *name;
	Dwarf_Half tag;
	int err = dwarf_die_tag(g, die, &tag, e);

	if (err)
		return err;
	if (tag != DW_TAG_structure_type && tag != DW_TAG_union_type && tag != DW_TAG_class_type &&
	    tag != DW_TAG_typedef)
		return 0;
	err = dwarf_die_name(g, die, &name, e);
	if (err || !name)
		return err;
	for (size_t q = 0; q < n; q++) {
		if (pattern[q].done || strcmp(query[q].name, name))
			continue;
		err = take(g, die, tag, &query[q], e);
		if (err < 0)
			return err;
		pattern[q].done = err;
	}
	return 0;
}

/* Look at the types at the top of the unit whose own DIE is at @offset. */
static int scan_unit(struct dwarf_graph *g, Dwarf_Off offset, struct spt_type_query *query,
		     struct patterns *pattern, size_t n, struct spt_error *e)
{
	dwarf_auto_die unit = NULL;
	dwarf_auto_die die = NULL;
	int more = dwarf_die_at(g, offset, &unit, e);

	if (more)
		return more;
	for (more = dwarf_first_child(g, unit, &die, e); more > 0;
	     more = dwarf_next_sibling(g, &die, e)) {
		int err = scan_die(g, die, query, pattern, n, e);

		if (err)
			return err;
	}
	return more;
}

static void make_filter(const struct patterns *pattern, size_t n, struct filter *ret, size_t *open)
{
	memset(ret, 0, sizeof(*ret));
	*open = 0;
	for (size_t q = 0; q < n; q++) {
		if (pattern[q].done)
			continue;
		++*open;
		for (unsigned int w = 0; w < pattern[q].count; w++)
			filter_add(ret, pattern[q].word[w]);
	}
}

static int find_all(struct dwarf_graph *g, struct spt_type_query *query, struct patterns *pattern,
		    size_t n, struct spt_error *e)
{
	const struct spt_elf_bytes *info = &g->section[DWARF_INFO];
	struct filter filter;
	size_t open, at = 0;

	for (size_t q = 0; q < n; q++) {
		make_patterns(g, query[q].name, &pattern[q]);
		pattern[q].done = !pattern[q].any && !pattern[q].count;
	}
	make_filter(pattern, n, &filter, &open);
	while (open && at < info->size) {
		struct dwarf_unit unit;
		int err = dwarf_unit_at(g, at, &unit, e);

		if (err)
			return err;
		if (unit.die && may_define(info->bytes + at, unit.end - at, &filter, pattern, n)) {
			err = scan_unit(g, unit.die, query, pattern, n, e);
			if (err)
				return err;
			make_filter(pattern, n, &filter, &open);
		}
		at = unit.end;
	}
	return 0;
}

int dwarf_graph_find(struct spt_typegraph *graph, struct spt_type_query *query, size_t n,
		     struct spt_error *e)
{
	struct patterns *pattern = calloc(n, sizeof(*pattern));
	int err;

	if (!pattern)
		return spt_fail(e, ENOMEM, "%s: out of memory", graph->path);
	err = find_all((struct dwarf_graph *)graph, query, pattern, n, e);
	free(pattern);
	return err;
}
