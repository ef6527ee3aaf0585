/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A graph of C types, whatever it was read from (BTF, DWARF): find a struct by
 * name, look at a type, list a struct's members. Implementations translate one
 * node at a time and follow nothing; what follows edges (qualifiers, typedefs,
 * array sizes) exists once, here.
 *
 * Strings and types belong to the graph and live as long as it does. A graph is
 * used by one thread at a time.
 */
#ifndef SPT_LAYOUT_TYPES_H
#define SPT_LAYOUT_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "decoders/error.h"

/* A type within its graph; void is a type of its own, so every value may be valid. */
typedef uint64_t spt_type_id;

enum spt_type_kind {
	SPT_TYPE_VOID,
	SPT_TYPE_INT,
	SPT_TYPE_FLOAT,
	SPT_TYPE_ENUM,
	SPT_TYPE_POINTER,
	SPT_TYPE_ARRAY,
	SPT_TYPE_STRUCT,
	SPT_TYPE_UNION,
	SPT_TYPE_FUNCTION,
	SPT_TYPE_TYPEDEF,
	SPT_TYPE_QUALIFIER,   /* const, volatile, restrict, tags: means what target means */
	SPT_TYPE_DECLARATION, /* a struct, union or enum whose members are elsewhere */
};

struct spt_type {
	enum spt_type_kind kind;
	const char *name;   /* NULL: anonymous */
	uint64_t size;	    /* bytes; 0 where the node does not say: see spt_type_size() */
	uint64_t count;	    /* elements of an array, 0 flexible */
	spt_type_id target; /* element, pointee, or what a typedef or qualifier names */
};

/* Members of one struct, those of the anonymous ones in it included; C code has hundreds. */
#define SPT_MEMBERS_MAX 100000

struct spt_member {
	const char *name; /* NULL: anonymous, its members are the struct's own */
	spt_type_id type;
	uint64_t bit_offset; /* from the start of the struct */
	uint32_t bit_size;   /* of a bit field, 0: not one */
};

#define SPT_QUERY_HITS 16

/* In: a name; out: the complete structs and unions that bear it. */
struct spt_type_query {
	const char *name;
	unsigned int hits;
	spt_type_id hit[SPT_QUERY_HITS];
};

struct spt_typegraph;

struct spt_typegraph_ops {
	/*
	 * Answer all queries in one pass, appending hits. BTF gives every hit,
	 * DWARF the first complete one.
	 */
	int (*find)(struct spt_typegraph *graph, struct spt_type_query *query, size_t n,
		    struct spt_error *e);
	int (*get)(struct spt_typegraph *graph, spt_type_id id, struct spt_type *ret,
		   struct spt_error *e);
	/* *ret is one malloc()ed array of *n members in declaration order. */
	int (*members)(struct spt_typegraph *graph, spt_type_id id, struct spt_member **ret,
		       size_t *n, struct spt_error *e);
	void (*destroy)(struct spt_typegraph *graph);
};

/* What every implementation embeds as its first member. */
struct spt_typegraph {
	const struct spt_typegraph_ops *ops;
	char *path; /* file it was read from, for messages; freed by spt_typegraph_destroy() */
};

void spt_typegraph_destroy(struct spt_typegraph *graph);

/* All return 0, or -EINVAL (and more) with @e naming the file when the graph is damaged. */
int spt_types_find(struct spt_typegraph *graph, struct spt_type_query *query, size_t n,
		   struct spt_error *e);
/* The type behind typedefs and qualifiers; *id is updated to it. */
int spt_type_strip(struct spt_typegraph *graph, spt_type_id *id, struct spt_type *ret,
		   struct spt_error *e);
/* Size in bytes, arrays and typedefs followed. */
int spt_type_size(struct spt_typegraph *graph, spt_type_id id, uint64_t *ret, struct spt_error *e);
int spt_type_members(struct spt_typegraph *graph, spt_type_id id, struct spt_member **ret,
		     size_t *n, struct spt_error *e);
/* C spelling of the type ('struct kvm *', 'u64[512]') into @buf; a damaged type is '?'. */
void spt_type_spell(struct spt_typegraph *graph, spt_type_id id, char *buf, size_t len);

#endif
