/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the DWARF graph share: the open file, DIEs and their attributes. */
#ifndef SPT_DWARF_GRAPH_H
#define SPT_DWARF_GRAPH_H

#include <libdwarf/dwarf.h>
#include <libdwarf/libdwarf.h>
#include <stdbool.h>

#include "decoders/dwarf.h"

/* The sections that types need; libdwarf sees these and no others. */
enum dwarf_section {
	DWARF_NULL, /* section 0 of an ELF file is none */
	DWARF_INFO,
	DWARF_ABBREV,
	DWARF_STR,
	DWARF_LINE_STR,
	DWARF_STR_OFFSETS,
	DWARF_ADDR, /* clang's units name their addresses there, and libdwarf looks them up */
	DWARF_SECTIONS,
};

struct dwarf_graph {
	struct spt_typegraph graph;
	struct spt_elf *elf;
	struct spt_elf_bytes section[DWARF_SECTIONS];
	uint8_t *abbrev; /* our copy of that section */
	struct dwarf_object {
		/* libdwarf takes a first byte of 'E', 'F', 'M' or 'P' for a reader of its own. */
		char reader;
		struct dwarf_graph *owner;
	} object;
	Dwarf_Obj_Access_Interface access;
	Dwarf_Debug dbg;
};

/* A compilation unit, in offsets of .debug_info. */
struct dwarf_unit {
	size_t end;
	size_t die;	 /* its own DIE; 0: a kind of unit that has no C types */
	uint64_t abbrev; /* its table in .debug_abbrev */
};

/* The unit at @at, within the section. -EINVAL: it is cut off. */
int dwarf_unit_at(struct dwarf_graph *g, size_t at, struct dwarf_unit *ret, struct spt_error *e);

/*
 * Replace .debug_abbrev by a copy of ours without DW_AT_sibling. -EINVAL when a
 * unit is cut off or its abbreviations begin inside another table, where the copy
 * would read differently.
 */
int dwarf_abbrev_load(struct dwarf_graph *g, struct spt_error *e);

/* -EINVAL with @e saying what libdwarf found wrong; frees @error. */
int dwarf_fail(struct dwarf_graph *g, Dwarf_Error error, struct spt_error *e);

/* A DIE that is freed at the end of its scope. */
static inline void dwarf_free_die(Dwarf_Die *die)
{
	if (*die)
		dwarf_dealloc_die(*die);
}

#define dwarf_auto_die __attribute__((cleanup(dwarf_free_die))) Dwarf_Die

/* The DIE at @offset of .debug_info. */
int dwarf_die_at(struct dwarf_graph *g, Dwarf_Off offset, Dwarf_Die *ret, struct spt_error *e);
/* First child, and next sibling (which replaces and frees *die): 1, 0 no more, or -errno. */
int dwarf_first_child(struct dwarf_graph *g, Dwarf_Die die, Dwarf_Die *ret, struct spt_error *e);
int dwarf_next_sibling(struct dwarf_graph *g, Dwarf_Die *die, struct spt_error *e);

int dwarf_die_tag(struct dwarf_graph *g, Dwarf_Die die, Dwarf_Half *ret, struct spt_error *e);
/* The name, in the file's memory; NULL for none. */
int dwarf_die_name(struct dwarf_graph *g, Dwarf_Die die, const char **ret, struct spt_error *e);
bool dwarf_die_has(Dwarf_Die die, Dwarf_Half attribute);
/* A constant, a reference into .debug_info: 1, 0 no such attribute, or -errno. */
int dwarf_die_number(struct dwarf_graph *g, Dwarf_Die die, Dwarf_Half attribute, uint64_t *ret,
		     struct spt_error *e);
int dwarf_die_reference(struct dwarf_graph *g, Dwarf_Die die, Dwarf_Half attribute, Dwarf_Off *ret,
			struct spt_error *e);

/* Implementations of struct spt_typegraph_ops. */
int dwarf_graph_find(struct spt_typegraph *graph, struct spt_type_query *query, size_t n,
		     struct spt_error *e);
int dwarf_graph_get(struct spt_typegraph *graph, spt_type_id id, struct spt_type *ret,
		    struct spt_error *e);
int dwarf_graph_members(struct spt_typegraph *graph, spt_type_id id, struct spt_member **ret,
			size_t *n, struct spt_error *e);

#endif
