// SPDX-License-Identifier: GPL-2.0
#include "decoders/layout_types.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The most typedefs and qualifiers in a row, and array dimensions: far more
 * than C has, and the end of a damaged graph that bites its own tail.
 */
#define CHAIN_MAX 64

void spt_typegraph_destroy(struct spt_typegraph *graph)
{
	if (!graph)
		return;
	free(graph->path);
	graph->ops->destroy(graph);
}

int spt_types_find(struct spt_typegraph *graph, struct spt_type_query *query, size_t n,
		   struct spt_error *e)
{
	return graph->ops->find(graph, query, n, e);
}

int spt_type_members(struct spt_typegraph *graph, spt_type_id id, struct spt_member **ret,
		     size_t *n, struct spt_error *e)
{
	return graph->ops->members(graph, id, ret, n, e);
}

int spt_type_strip(struct spt_typegraph *graph, spt_type_id *id, struct spt_type *ret,
		   struct spt_error *e)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		int err = graph->ops->get(graph, *id, ret, e);

		if (err)
			return err;
		if (ret->kind != SPT_TYPE_TYPEDEF && ret->kind != SPT_TYPE_QUALIFIER)
			return 0;
		*id = ret->target;
	}
	return spt_fail(e, EINVAL, "%s: damaged type information: typedefs go in a circle",
			graph->path);
}

int spt_type_size(struct spt_typegraph *graph, spt_type_id id, uint64_t *ret, struct spt_error *e)
{
	uint64_t count = 1;

	for (int i = 0; i < CHAIN_MAX; i++) {
		struct spt_type type;
		int err = spt_type_strip(graph, &id, &type, e);

		if (err)
			return err;
		if (type.kind != SPT_TYPE_ARRAY) {
			if (__builtin_mul_overflow(count, type.size, ret))
				break;
			return 0;
		}
		if (__builtin_mul_overflow(count, type.count, &count))
			break;
		id = type.target;
	}
	return spt_fail(e, EINVAL, "%s: damaged type information: an array without an end",
			graph->path);
}

/* Keyword before a tag's name; NULL for types that are called by their name alone. */
static const char *keyword(enum spt_type_kind kind)
{
	switch (kind) {
	case SPT_TYPE_STRUCT:
	case SPT_TYPE_DECLARATION:
		return "struct";
	case SPT_TYPE_UNION:
		return "union";
	case SPT_TYPE_ENUM:
		return "enum";
	default:
		return NULL;
	}
}

void spt_type_spell(struct spt_typegraph *graph, spt_type_id id, char *buf, size_t len)
{
	char stars[8] = "", dims[64] = "";
	size_t nstars = 0, ndims = 0;

	for (int i = 0; i < CHAIN_MAX; i++) {
		struct spt_type type;

		if (graph->ops->get(graph, id, &type, NULL))
			break;
		switch (type.kind) {
		case SPT_TYPE_POINTER:
			if (nstars < sizeof(stars) - 1)
				stars[nstars++] = '*';
			id = type.target;
			continue;
		case SPT_TYPE_ARRAY:
			if (ndims < sizeof(dims) - 24)
				ndims += (size_t)sprintf(dims + ndims, "[%llu]",
							 (unsigned long long)type.count);
			id = type.target;
			continue;
		case SPT_TYPE_QUALIFIER:
			id = type.target;
			continue;
		case SPT_TYPE_FUNCTION:
			snprintf(buf, len, "function %s%s", stars, dims);
			return;
		default:
			break;
		}

		const char *key = keyword(type.kind);
		const char *name = type.name			? type.name
				   : type.kind == SPT_TYPE_VOID ? "void"
								: "{...}";

		snprintf(buf, len, "%s%s%s%s%s%s", key ? key : "", key ? " " : "", name,
			 nstars ? " " : "", stars, dims);
		return;
	}
	snprintf(buf, len, "?");
}
