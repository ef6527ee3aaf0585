// SPDX-License-Identifier: GPL-2.0
#include "decoders/layout_path.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Anonymous structs within anonymous structs; C code has two or three. */
#define NESTING_MAX 8

/* Where a path has led so far. */
struct place {
	spt_type_id type;
	uint64_t bit_offset;
	uint32_t bit_size; /* of a bit field, else 0 */
};

static void free_members(struct spt_member **members)
{
	free(*members);
}

static bool is_compound(enum spt_type_kind kind)
{
	return kind == SPT_TYPE_STRUCT || kind == SPT_TYPE_UNION;
}

/* A member that is looked for. */
struct search {
	struct spt_typegraph *graph;
	const char *name;
	size_t len;  /* of the name */
	size_t left; /* members that may still be looked at */
};

/* It in struct @type, or in an anonymous one in it. 1 found, 0 not, or -errno. */
static int find_member(struct search *s, spt_type_id type, int nesting, struct place *ret,
		       struct spt_error *e)
{
	struct spt_member *member __attribute__((cleanup(free_members))) = NULL;
	size_t n;
	int err;

	if (nesting > NESTING_MAX)
		return spt_fail(e, EINVAL, "%s: damaged type information: a struct contains itself",
				s->graph->path);
	err = spt_type_members(s->graph, type, &member, &n, e);
	if (err)
		return err;
	if (n > s->left)
		return spt_fail(e, EINVAL,
				"%s: damaged type information: a struct has too many members",
				s->graph->path);
	s->left -= n;
	for (size_t i = 0; i < n; i++) {
		const struct spt_member *m = &member[i];

		if (m->name) {
			if (strncmp(m->name, s->name, s->len) || m->name[s->len])
				continue;
			*ret = (struct place){ m->type, m->bit_offset, m->bit_size };
			return 1;
		}

		spt_type_id inner = m->type;
		struct spt_type stripped;

		err = spt_type_strip(s->graph, &inner, &stripped, e);
		if (err)
			return err;
		if (!is_compound(stripped.kind))
			continue; /* padding: an unnamed bit field */
		err = find_member(s, inner, nesting + 1, ret, e);
		if (err < 0)
			return err;
		if (err) {
			ret->bit_offset += m->bit_offset;
			return 1;
		}
	}
	return 0;
}

/* One '[n]': 1 when the array has that element, 0 when not, or -errno. */
static int step_index(struct spt_typegraph *graph, uint64_t index, struct place *at,
		      struct spt_error *e)
{
	struct spt_type array;
	uint64_t size;
	int err = spt_type_strip(graph, &at->type, &array, e);

	if (err)
		return err;
	if (array.kind != SPT_TYPE_ARRAY || index >= array.count)
		return 0;
	err = spt_type_size(graph, array.target, &size, e);
	if (err)
		return err;
	if (__builtin_mul_overflow(size, index * 8, &size))
		return spt_fail(e, EOVERFLOW, "%s: an array is too big", graph->path);
	at->type = array.target;
	at->bit_offset += size;
	return 1;
}

/* One name: 1 when there is such a member, 0 when not, or -errno. */
static int step_name(struct spt_typegraph *graph, const char *name, size_t len, struct place *at,
		     struct spt_error *e)
{
	struct search search = { graph, name, len, SPT_MEMBERS_MAX };
	struct place member;
	struct spt_type type;
	int err;

	if (at->bit_size)
		return 0;
	err = spt_type_strip(graph, &at->type, &type, e);
	if (err)
		return err;
	if (!is_compound(type.kind))
		return 0;
	err = find_member(&search, at->type, 0, &member, e);
	if (err <= 0)
		return err;
	member.bit_offset += at->bit_offset;
	*at = member;
	return 1;
}

static size_t name_length(const char *p)
{
	size_t len = 0;

	while (isalnum((unsigned char)p[len]) || p[len] == '_')
		len++;
	return len;
}

/*
 * Follow one alternative, from *path to the next '|' or the end; *path is left
 * there when it led somewhere. 1 found, 0 not, or -errno.
 */
static int follow(struct spt_typegraph *graph, const char **path, struct place *at,
		  struct spt_error *e)
{
	const char *whole = *path, *p = whole;
	bool first = true, bad = false;

	while (*p && *p != '|') {
		int found;

		if (*p == '[') {
			char *end;
			uint64_t index;

			bad = first || !isdigit((unsigned char)p[1]);
			if (bad)
				break;
			index = strtoul(p + 1, &end, 10);
			bad = *end != ']' || index > INT32_MAX;
			if (bad)
				break;
			found = step_index(graph, index, at, e);
			p = end + 1;
		} else {
			size_t len;

			p += !first && *p == '.';
			len = name_length(p);
			bad = !len || (!first && p[-1] != '.');
			if (bad)
				break;
			found = step_name(graph, p, len, at, e);
			p += len;
		}
		first = false;
		if (found <= 0)
			return found;
	}
	if (bad)
		return spt_fail(e, EINVAL, "'%s' is no member path: expected a name at '%s'", whole,
				p);
	*path = p;
	return 1;
}

static int fill(struct spt_typegraph *graph, const struct place *at, unsigned int alternative,
		struct spt_layout_field *ret, struct spt_error *e)
{
	spt_type_id id = at->type;
	struct spt_type type;
	uint64_t bits = at->bit_size;
	int err = spt_type_strip(graph, &id, &type, e);

	if (err)
		return err;
	if (!bits) {
		err = spt_type_size(graph, id, &bits, e);
		if (err)
			return err;
		if (__builtin_mul_overflow(bits, 8, &bits))
			bits = UINT64_MAX;
	}
	if (at->bit_offset > UINT32_MAX || bits > UINT32_MAX)
		return spt_fail(e, EOVERFLOW, "%s: a struct is too big", graph->path);
	*ret = (struct spt_layout_field){
		.bit_offset = (uint32_t)at->bit_offset,
		.bit_size = (uint32_t)bits,
		.flags = SPT_FIELD_PRESENT,
		.alternative = alternative,
	};
	if (at->bit_size)
		ret->flags |= SPT_FIELD_BITS;
	if (type.kind == SPT_TYPE_POINTER)
		ret->flags |= SPT_FIELD_POINTER;
	if (type.kind == SPT_TYPE_ARRAY)
		ret->flags |= SPT_FIELD_ARRAY;
	return 1;
}

int spt_path_find(struct spt_typegraph *graph, spt_type_id root, const char *path,
		  struct spt_layout_field *ret, struct spt_error *e)
{
	*ret = (struct spt_layout_field){ 0 };
	for (unsigned int alternative = 0;; alternative++) {
		struct place at = { .type = root };
		int found = follow(graph, &path, &at, e);

		if (found < 0)
			return found;
		if (found)
			return fill(graph, &at, alternative, ret, e);
		path = strchr(path, '|');
		if (!path)
			return 0;
		path++;
	}
}
