// SPDX-License-Identifier: GPL-2.0
/* A file with DWARF: its sections as libdwarf's object, DIEs and attributes. */
#include "decoders/dwarf_graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const section_name[DWARF_SECTIONS] = {
	[DWARF_NULL] = "",
	[DWARF_INFO] = ".debug_info",
	[DWARF_ABBREV] = ".debug_abbrev",
	[DWARF_STR] = ".debug_str",
	[DWARF_LINE_STR] = ".debug_line_str",
	[DWARF_STR_OFFSETS] = ".debug_str_offsets",
	[DWARF_ADDR] = ".debug_addr",
};

/*
 * The object that libdwarf reads. It would read a file itself, but then it
 * copies whole sections, and misses compression and relocations of some files.
 */
static int object_section(void *object, Dwarf_Half index, Dwarf_Obj_Access_Section *ret, int *error)
{
	struct dwarf_graph *g = ((struct dwarf_object *)object)->owner;

	if (index >= DWARF_SECTIONS)
		return DW_DLV_NO_ENTRY;
	*ret = (Dwarf_Obj_Access_Section){
		.name = g->section[index].size ? section_name[index] : "",
		.size = g->section[index].size,
	};
	return DW_DLV_OK;
}

static int object_load(void *object, Dwarf_Half index, Dwarf_Small **ret, int *error)
{
	struct dwarf_graph *g = ((struct dwarf_object *)object)->owner;

	if (index >= DWARF_SECTIONS || !g->section[index].size)
		return DW_DLV_NO_ENTRY;
	*ret = (Dwarf_Small *)(uintptr_t)g->section[index].bytes;
	return DW_DLV_OK;
}

static Dwarf_Endianness object_order(void *object)
{
	return DW_OBJECT_LSB;
}

static Dwarf_Small object_size(void *object)
{
	return 8;
}

static Dwarf_Unsigned object_count(void *object)
{
	return DWARF_SECTIONS;
}

static const Dwarf_Obj_Access_Methods object_methods = {
	.get_section_info = object_section,
	.get_byte_order = object_order,
	.get_length_size = object_size,
	.get_pointer_size = object_size,
	.get_section_count = object_count,
	.load_section = object_load,
};

static void graph_destroy(struct spt_typegraph *graph)
{
	struct dwarf_graph *g = (struct dwarf_graph *)graph;
	Dwarf_Error error = NULL;

	if (g->dbg)
		dwarf_object_finish(g->dbg, &error);
	spt_elf_close(g->elf);
	free(g->abbrev);
	free(g);
}

static const struct spt_typegraph_ops dwarf_ops = {
	.find = dwarf_graph_find,
	.get = dwarf_graph_get,
	.members = dwarf_graph_members,
	.destroy = graph_destroy,
};

static int load(struct dwarf_graph *g, struct spt_error *e)
{
	Dwarf_Error error = NULL;
	int err = spt_elf_open(g->graph.path, &g->elf, e);

	for (int s = DWARF_INFO; err >= 0 && s < DWARF_SECTIONS; s++)
		err = spt_elf_section(g->elf, section_name[s], &g->section[s], e);
	if (err < 0)
		return err;
	if (!g->section[DWARF_INFO].size || !g->section[DWARF_ABBREV].size)
		return spt_fail(e, ENODATA, "%s: no DWARF debug information", g->graph.path);
	err = dwarf_abbrev_load(g, e);
	if (err)
		return err;
	g->object = (struct dwarf_object){ .reader = 'S', .owner = g };
	g->access.object = &g->object;
	g->access.methods = &object_methods;
	if (dwarf_object_init_b(&g->access, NULL, NULL, DW_GROUPNUMBER_ANY, &g->dbg, &error) !=
	    DW_DLV_OK) {
		g->dbg = NULL;
		return dwarf_fail(g, error, e);
	}
	return 0;
}

int spt_dwarf_open(const char *path, struct spt_typegraph **ret, struct spt_error *e)
{
	struct dwarf_graph *g = calloc(1, sizeof(*g));
	int err;

	if (!g)
		return spt_fail(e, ENOMEM, "%s: out of memory", path);
	g->graph.ops = &dwarf_ops;
	g->graph.path = strdup(path);
	err = g->graph.path ? load(g, e) : spt_fail(e, ENOMEM, "%s: out of memory", path);
	if (err) {
		spt_typegraph_destroy(&g->graph);
		return err;
	}
	*ret = &g->graph;
	return 0;
}

int dwarf_fail(struct dwarf_graph *g, Dwarf_Error error, struct spt_error *e)
{
	spt_fail(e, EINVAL, "%s: damaged DWARF: %s", g->graph.path,
		 error ? dwarf_errmsg(error) : "an entry is missing");
	if (error)
		dwarf_dealloc_error(g->dbg, error);
	return -EINVAL;
}

int dwarf_die_at(struct dwarf_graph *g, Dwarf_Off offset, Dwarf_Die *ret, struct spt_error *e)
{
	Dwarf_Error error = NULL;

	*ret = NULL;
	if (offset >= g->section[DWARF_INFO].size ||
	    dwarf_offdie_b(g->dbg, offset, true, ret, &error) != DW_DLV_OK)
		return dwarf_fail(g, error, e);
	return 0;
}

/* libdwarf's three-way answer as 1, 0 or -errno. */
static int answer(struct dwarf_graph *g, int result, Dwarf_Error error, struct spt_error *e)
{
	if (result == DW_DLV_ERROR)
		return dwarf_fail(g, error, e);
	return result == DW_DLV_OK;
}

int dwarf_first_child(struct dwarf_graph *g, Dwarf_Die die, Dwarf_Die *ret, struct spt_error *e)
{
	Dwarf_Error error = NULL;

	*ret = NULL;
	return answer(g, dwarf_child(die, ret, &error), error, e);
}

/* Siblings follow one another in the section; an attribute that leads back would never end. */
static bool follows(Dwarf_Die die, Dwarf_Die next)
{
	Dwarf_Error error = NULL;
	Dwarf_Off from, to;

	return dwarf_dieoffset(die, &from, &error) == DW_DLV_OK &&
	       dwarf_dieoffset(next, &to, &error) == DW_DLV_OK && to > from;
}

int dwarf_next_sibling(struct dwarf_graph *g, Dwarf_Die *die, struct spt_error *e)
{
	Dwarf_Error error = NULL;
	Dwarf_Die next = NULL;
	int result = dwarf_siblingof_b(g->dbg, *die, true, &next, &error);
	bool back = result == DW_DLV_OK && !follows(*die, next);

	dwarf_dealloc_die(*die);
	*die = next;
	if (back)
		return spt_fail(e, EINVAL, "%s: damaged DWARF: a sibling that leads back",
				g->graph.path);
	return answer(g, result, error, e);
}

int dwarf_die_tag(struct dwarf_graph *g, Dwarf_Die die, Dwarf_Half *ret, struct spt_error *e)
{
	Dwarf_Error error = NULL;

	return dwarf_tag(die, ret, &error) == DW_DLV_OK ? 0 : dwarf_fail(g, error, e);
}

int dwarf_die_name(struct dwarf_graph *g, Dwarf_Die die, const char **ret, struct spt_error *e)
{
	Dwarf_Error error = NULL;
	char *name = NULL;
	int found = answer(g, dwarf_diename(die, &name, &error), error, e);

	*ret = found > 0 && *name ? name : NULL;
	return found < 0 ? found : 0;
}

bool dwarf_die_has(Dwarf_Die die, Dwarf_Half attribute)
{
	Dwarf_Error error = NULL;
	Dwarf_Bool has = false;

	return dwarf_hasattr(die, attribute, &has, &error) == DW_DLV_OK && has;
}

/* A number out of any of the forms that compilers choose for one; false: it is none. */
static bool form_number(Dwarf_Attribute attr, uint64_t *ret, Dwarf_Error *error)
{
	Dwarf_Half form;
	Dwarf_Unsigned number, length;
	Dwarf_Signed value;
	Dwarf_Ptr block;

	if (dwarf_whatform(attr, &form, error) != DW_DLV_OK)
		return false;
	switch (form) {
	case DW_FORM_sdata:
	case DW_FORM_implicit_const:
		if (dwarf_formsdata(attr, &value, error) != DW_DLV_OK || value < 0)
			return false;
		*ret = (uint64_t)value;
		return true;
	case DW_FORM_exprloc:
		/* DWARF 2 says where a member is by 'add N': DW_OP_plus_uconst, LEB128. */
		if (dwarf_formexprloc(attr, &length, &block, error) != DW_DLV_OK)
			return false;
		break;
	case DW_FORM_block1: {
		Dwarf_Block *old;

		if (dwarf_formblock(attr, &old, error) != DW_DLV_OK)
			return false;
		length = old->bl_len;
		block = old->bl_data; /* in the section: outlives the descriptor */
		break;
	}
	default:
		if (dwarf_formudata(attr, &number, error) != DW_DLV_OK)
			return false;
		*ret = number;
		return true;
	}

	const uint8_t *op = block;

	if (length < 2 || length > 9 || op[0] != DW_OP_plus_uconst)
		return false;
	*ret = 0;
	for (Dwarf_Unsigned i = 1; i < length; i++)
		*ret |= (uint64_t)(op[i] & 0x7f) << (7 * (i - 1));
	return true;
}

/* The attribute: 1, 0 not there, or -errno. */
static int find_attribute(struct dwarf_graph *g, Dwarf_Die die, Dwarf_Half attribute,
			  Dwarf_Attribute *ret, struct spt_error *e)
{
	Dwarf_Error error = NULL;

	*ret = NULL;
	return answer(g, dwarf_attr(die, attribute, ret, &error), error, e);
}

int dwarf_die_number(struct dwarf_graph *g, Dwarf_Die die, Dwarf_Half attribute, uint64_t *ret,
		     struct spt_error *e)
{
	Dwarf_Error error = NULL;
	Dwarf_Attribute attr;
	int found = find_attribute(g, die, attribute, &attr, e);

	if (found <= 0)
		return found;
	if (!form_number(attr, ret, &error))
		found = dwarf_fail(g, error, e);
	dwarf_dealloc_attribute(attr);
	return found;
}

int dwarf_die_reference(struct dwarf_graph *g, Dwarf_Die die, Dwarf_Half attribute, Dwarf_Off *ret,
			struct spt_error *e)
{
	Dwarf_Error error = NULL;
	Dwarf_Attribute attr;
	int found = find_attribute(g, die, attribute, &attr, e);

	if (found <= 0)
		return found;
	if (dwarf_global_formref(attr, ret, &error) != DW_DLV_OK)
		found = dwarf_fail(g, error, e);
	dwarf_dealloc_attribute(attr);
	return found;
}
