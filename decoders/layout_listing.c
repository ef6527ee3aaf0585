// SPDX-License-Identifier: GPL-2.0
#include "decoders/layout_listing.h"

#include <errno.h>
#include <stdlib.h>

/* Anonymous structs within anonymous structs. */
#define DEPTH_MAX 8

static int append(struct spt_listing *l, const struct spt_listed *member, struct spt_error *e)
{
	/* Room doubles at every power of two. */
	if (!(l->count & (l->count - 1))) {
		size_t room = l->count ? l->count * 2 : 1;
		struct spt_listed *grown = realloc(l->member, room * sizeof(*grown));

		if (!grown)
			return spt_fail(e, ENOMEM, "out of memory");
		l->member = grown;
	}
	l->member[l->count++] = *member;
	return 0;
}

static int list_members(struct spt_listing *l, spt_type_id type, uint64_t bit_offset,
			unsigned int depth, struct spt_error *e);

static int list_member(struct spt_listing *l, const struct spt_member *m, uint64_t bit_offset,
		       unsigned int depth, struct spt_error *e)
{
	spt_type_id id = m->type;
	struct spt_type type;
	struct spt_listed row = {
		.name = m->name,
		.depth = depth,
		.bit_offset = bit_offset + m->bit_offset,
		.bits = m->bit_size,
		.bit_field = m->bit_size != 0,
	};
	int err = spt_type_strip(l->graph, &id, &type, e);

	if (!err && !row.bit_field) {
		err = spt_type_size(l->graph, m->type, &row.bits, e);
		row.bits *= 8;
	}
	if (err)
		return err;
	spt_type_spell(l->graph, m->type, row.type, sizeof(row.type));
	err = append(l, &row, e);
	if (err || m->name || (type.kind != SPT_TYPE_STRUCT && type.kind != SPT_TYPE_UNION))
		return err;
	return list_members(l, id, row.bit_offset, depth + 1, e);
}

static int list_members(struct spt_listing *l, spt_type_id type, uint64_t bit_offset,
			unsigned int depth, struct spt_error *e)
{
	struct spt_member *member;
	size_t n;
	int err;

	if (depth > DEPTH_MAX)
		return spt_fail(e, EINVAL, "%s: damaged type information: a struct contains itself",
				l->graph->path);
	err = spt_type_members(l->graph, type, &member, &n, e);
	if (err)
		return err;
	if (l->count + n > SPT_MEMBERS_MAX)
		err = spt_fail(e, EINVAL,
			       "%s: damaged type information: a struct has too many members",
			       l->graph->path);
	for (size_t i = 0; !err && i < n; i++)
		err = list_member(l, &member[i], bit_offset, depth, e);
	free(member);
	return err;
}

static int find_type(const struct spt_layout *layout, const char *name,
		     struct spt_typegraph **graph, spt_type_id *ret, struct spt_error *e)
{
	/* The kernel's graph is number 0 and comes last. */
	for (unsigned int i = 1; i <= SPT_MODULE_COUNT; i++) {
		struct spt_type_query query = { .name = name };
		int err;

		*graph = layout->graph[i % SPT_MODULE_COUNT];
		if (!*graph)
			continue;
		err = spt_types_find(*graph, &query, 1, e);
		if (err)
			return err;
		if (query.hits) {
			*ret = query.hit[0];
			return 0;
		}
	}
	return spt_fail(e, ENOENT,
			"no struct or union %s in the %s of the kernel and KVM's modules", name,
			layout->source == SPT_LAYOUT_BTF ? "BTF" : "DWARF");
}

int spt_listing_of(const struct spt_layout *layout, const char *name, struct spt_listing *ret,
		   struct spt_error *e)
{
	struct spt_type type;
	spt_type_id id;
	int err;

	*ret = (struct spt_listing){ 0 };
	err = find_type(layout, name, &ret->graph, &id, e);
	if (!err)
		err = spt_type_strip(ret->graph, &id, &type, e);
	if (err)
		return err;
	ret->is_union = type.kind == SPT_TYPE_UNION;
	ret->size = type.size;
	err = list_members(ret, id, 0, 0, e);
	if (err)
		spt_listing_deinit(ret);
	return err;
}

void spt_listing_deinit(struct spt_listing *listing)
{
	free(listing->member);
	*listing = (struct spt_listing){ 0 };
}
