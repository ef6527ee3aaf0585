// SPDX-License-Identifier: GPL-2.0
/* DIEs as nodes of the type graph. */
#include <errno.h>
#include <stdlib.h>

#include "decoders/dwarf_graph.h"

/*
 * A type's id is its DIE's offset in .debug_info. An array of several
 * dimensions is one DIE: which dimension is meant is in the top bits.
 */
#define DIMENSION_SHIFT 56

/* Subranges of an array; C code has up to four. */
#define DIMENSIONS_MAX 16

static spt_type_id dimension_of(Dwarf_Off offset, unsigned int dimension)
{
	return offset | (uint64_t)dimension << DIMENSION_SHIFT;
}

/* Elements of one dimension: DW_AT_count or DW_AT_upper_bound, none for a flexible array. */
static int subrange_count(struct dwarf_graph *g, Dwarf_Die die, uint64_t *ret, struct spt_error *e)
{
	int found = dwarf_die_number(g, die, DW_AT_count, ret, e);

	if (found)
		return found < 0 ? found : 0;
	*ret = 0;
	/* 'no bound' is written as nothing, as an exprloc, or as -1 (a GNU extension). */
	found = dwarf_die_number(g, die, DW_AT_upper_bound, ret, NULL);
	*ret = found > 0 ? *ret + 1 : 0;
	return 0;
}

static int get_array(struct dwarf_graph *g, Dwarf_Die die, Dwarf_Off offset, unsigned int dimension,
		     struct spt_type *ret, struct spt_error *e)
{
	uint64_t count[DIMENSIONS_MAX];
	unsigned int dimensions = 0;
	dwarf_auto_die child = NULL;
	int more = dwarf_first_child(g, die, &child, e);

	while (more > 0) {
		Dwarf_Half tag;
		int err = dwarf_die_tag(g, child, &tag, e);

		if (!err && tag == DW_TAG_subrange_type && dimensions < DIMENSIONS_MAX)
			err = subrange_count(g, child, &count[dimensions++], e);
		if (err)
			return err;
		more = dwarf_next_sibling(g, &child, e);
	}
	if (more < 0)
		return more;
	if (dimension >= dimensions)
		return dwarf_fail(g, NULL, e);
	ret->kind = SPT_TYPE_ARRAY;
	ret->count = count[dimension];
	if (dimension + 1 < dimensions)
		ret->target = dimension_of(offset, dimension + 1);
	return 0;
}

struct tag_kind {
	Dwarf_Half tag;
	enum spt_type_kind kind;
};

static const struct tag_kind tag_kinds[] = {
	{ DW_TAG_base_type, SPT_TYPE_INT },	      { DW_TAG_enumeration_type, SPT_TYPE_ENUM },
	{ DW_TAG_pointer_type, SPT_TYPE_POINTER },    { DW_TAG_array_type, SPT_TYPE_ARRAY },
	{ DW_TAG_structure_type, SPT_TYPE_STRUCT },   { DW_TAG_class_type, SPT_TYPE_STRUCT },
	{ DW_TAG_union_type, SPT_TYPE_UNION },	      { DW_TAG_subroutine_type, SPT_TYPE_FUNCTION },
	{ DW_TAG_typedef, SPT_TYPE_TYPEDEF },	      { DW_TAG_const_type, SPT_TYPE_QUALIFIER },
	{ DW_TAG_volatile_type, SPT_TYPE_QUALIFIER }, { DW_TAG_restrict_type, SPT_TYPE_QUALIFIER },
	{ DW_TAG_atomic_type, SPT_TYPE_QUALIFIER },   { DW_TAG_unspecified_type, SPT_TYPE_VOID },
};

static int kind_of(Dwarf_Half tag, enum spt_type_kind *ret)
{
	for (size_t i = 0; i < sizeof(tag_kinds) / sizeof(tag_kinds[0]); i++) {
		if (tag_kinds[i].tag == tag) {
			*ret = tag_kinds[i].kind;
			return 0;
		}
	}
	return -EINVAL;
}

int dwarf_graph_get(struct spt_typegraph *graph, spt_type_id id, struct spt_type *ret,
		    struct spt_error *e)
{
	struct dwarf_graph *g = (struct dwarf_graph *)graph;
	Dwarf_Off offset = id & ~(~0ULL << DIMENSION_SHIFT), target = 0;
	dwarf_auto_die die = NULL;
	Dwarf_Half tag;
	int err;

	*ret = (struct spt_type){ .kind = SPT_TYPE_VOID };
	if (!id)
		return 0;
	err = dwarf_die_at(g, offset, &die, e);
	if (!err)
		err = dwarf_die_tag(g, die, &tag, e);
	if (!err && kind_of(tag, &ret->kind))
		err = dwarf_fail(g, NULL, e);
	if (!err)
		err = dwarf_die_name(g, die, &ret->name, e);
	if (err)
		return err;
	/* A missing DW_AT_type is void. */
	err = dwarf_die_reference(g, die, DW_AT_type, &target, e);
	if (err < 0)
		return err;
	ret->target = target;
	if (ret->kind == SPT_TYPE_ARRAY)
		return get_array(g, die, offset, (unsigned int)(id >> DIMENSION_SHIFT), ret, e);
	if (dwarf_die_has(die, DW_AT_declaration))
		ret->kind = SPT_TYPE_DECLARATION;
	err = dwarf_die_number(g, die, DW_AT_byte_size, &ret->size, e);
	if (!err && ret->kind == SPT_TYPE_POINTER)
		ret->size = 8;
	return err < 0 ? err : 0;
}

/*
 * DWARF 2 and 3 count a bit field's DW_AT_bit_offset from the most significant
 * bit of its storage unit.
 */
static int old_bit_offset(struct dwarf_graph *g, Dwarf_Die die, struct spt_member *m,
			  struct spt_error *e)
{
	uint64_t from_top, storage;
	int found = dwarf_die_number(g, die, DW_AT_bit_offset, &from_top, e);

	if (found <= 0)
		return found;
	found = dwarf_die_number(g, die, DW_AT_byte_size, &storage, e);
	if (!found)
		found = spt_type_size(&g->graph, m->type, &storage, e);
	if (found < 0)
		return found;
	m->bit_offset += storage * 8 - from_top - m->bit_size;
	return 0;
}

static int read_member(struct dwarf_graph *g, Dwarf_Die die, struct spt_member *m,
		       struct spt_error *e)
{
	uint64_t bytes = 0, bits = 0;
	Dwarf_Off type = 0;
	int err = dwarf_die_name(g, die, &m->name, e);

	if (err)
		return err;
	if (dwarf_die_reference(g, die, DW_AT_type, &type, e) < 0 ||
	    dwarf_die_number(g, die, DW_AT_data_member_location, &bytes, e) < 0)
		return -EINVAL;
	m->type = type;
	m->bit_offset = bytes * 8;
	err = dwarf_die_number(g, die, DW_AT_bit_size, &bits, e);
	if (err <= 0)
		return err;
	m->bit_size = (uint32_t)bits;
	err = dwarf_die_number(g, die, DW_AT_data_bit_offset, &bits, e);
	if (err > 0)
		m->bit_offset += bits;
	return err ? (err < 0 ? err : 0) : old_bit_offset(g, die, m, e);
}

int dwarf_graph_members(struct spt_typegraph *graph, spt_type_id id, struct spt_member **ret,
			size_t *n, struct spt_error *e)
{
	struct dwarf_graph *g = (struct dwarf_graph *)graph;
	struct spt_member *members = NULL;
	dwarf_auto_die die = NULL;
	dwarf_auto_die child = NULL;
	size_t count = 0, room = 0;
	int more = dwarf_die_at(g, id, &die, e);

	for (more = more ? more : dwarf_first_child(g, die, &child, e); more > 0;
	     more = dwarf_next_sibling(g, &child, e)) {
		Dwarf_Half tag;

		more = dwarf_die_tag(g, child, &tag, e);
		if (more)
			break;
		if (tag != DW_TAG_member)
			continue;
		if (count == room) {
			struct spt_member *grown;

			room = room ? room * 2 : 32;
			grown = realloc(members, room * sizeof(*members));
			if (!grown) {
				more = spt_fail(e, ENOMEM, "%s: out of memory", graph->path);
				break;
			}
			members = grown;
		}
		members[count] = (struct spt_member){ 0 };
		more = read_member(g, child, &members[count++], e);
		if (more)
			break;
	}
	if (more < 0) {
		free(members);
		return more;
	}
	*ret = members;
	*n = count;
	return 0;
}
