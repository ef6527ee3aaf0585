// SPDX-License-Identifier: GPL-2.0
#include "decoders/btf.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct btf_graph {
	struct spt_typegraph graph;
	struct btf *btf;
	__u32 first, end; /* ids that this file adds to its base */
};

static struct btf_graph *to_btf(struct spt_typegraph *graph)
{
	return (struct btf_graph *)graph;
}

static int damaged(struct spt_typegraph *graph, struct spt_error *e, const char *what,
		   spt_type_id id)
{
	return spt_fail(e, EINVAL, "%s: damaged BTF: %s in type %llu", graph->path, what,
			(unsigned long long)id);
}

/* Type @id, NULL if there is none; void (0) has no record. */
static const struct btf_type *type_at(struct btf_graph *g, spt_type_id id)
{
	return id < g->end ? btf__type_by_id(g->btf, (__u32)id) : NULL;
}

/* A name, NULL for none or one outside the string section. */
static const char *name_at(struct btf_graph *g, __u32 offset)
{
	const char *name = offset ? btf__name_by_offset(g->btf, offset) : NULL;

	return name && *name ? name : NULL;
}

static bool is_anonymous_compound(struct btf_graph *g, __u32 id)
{
	const struct btf_type *t = type_at(g, id);

	return t && btf_is_composite(t) && !name_at(g, t->name_off);
}

/*
 * 'struct kvm' is found by its tag; a typedef's name counts where the struct
 * behind it has none of its own.
 */
static int graph_find(struct spt_typegraph *graph, struct spt_type_query *query, size_t n,
		      struct spt_error *e)
{
	struct btf_graph *g = to_btf(graph);

	for (__u32 id = g->first; id < g->end; id++) {
		const struct btf_type *t = btf__type_by_id(g->btf, id);
		spt_type_id hit = id;
		const char *name;

		if (!t)
			return damaged(graph, e, "no record", id);
		if (btf_is_typedef(t)) {
			if (!is_anonymous_compound(g, t->type))
				continue;
			hit = t->type;
		} else if (!btf_is_composite(t)) {
			continue;
		}
		name = name_at(g, t->name_off);
		if (!name)
			continue;
		for (size_t i = 0; i < n; i++) {
			struct spt_type_query *q = &query[i];

			if (q->name[0] != name[0] || strcmp(q->name, name))
				continue;
			if (q->hits < SPT_QUERY_HITS)
				q->hit[q->hits++] = hit;
		}
	}
	return 0;
}

static int graph_get(struct spt_typegraph *graph, spt_type_id id, struct spt_type *ret,
		     struct spt_error *e)
{
	struct btf_graph *g = to_btf(graph);
	const struct btf_type *t;

	*ret = (struct spt_type){ .kind = SPT_TYPE_VOID };
	if (!id)
		return 0;
	t = type_at(g, id);
	if (!t)
		return damaged(graph, e, "a reference out of range", id);
	ret->name = name_at(g, t->name_off);
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		ret->kind = SPT_TYPE_INT;
		ret->size = t->size;
		return 0;
	case BTF_KIND_FLOAT:
		ret->kind = SPT_TYPE_FLOAT;
		ret->size = t->size;
		return 0;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		ret->kind = SPT_TYPE_ENUM;
		ret->size = t->size;
		return 0;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		ret->kind = btf_is_struct(t) ? SPT_TYPE_STRUCT : SPT_TYPE_UNION;
		ret->size = t->size;
		return 0;
	case BTF_KIND_PTR:
		ret->kind = SPT_TYPE_POINTER;
		ret->size = sizeof(__u64);
		ret->target = t->type;
		return 0;
	case BTF_KIND_ARRAY:
		ret->kind = SPT_TYPE_ARRAY;
		ret->count = btf_array(t)->nelems;
		ret->target = btf_array(t)->type;
		return 0;
	case BTF_KIND_TYPEDEF:
		ret->kind = SPT_TYPE_TYPEDEF;
		ret->target = t->type;
		return 0;
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		ret->kind = SPT_TYPE_QUALIFIER;
		ret->target = t->type;
		return 0;
	case BTF_KIND_FUNC_PROTO:
		ret->kind = SPT_TYPE_FUNCTION;
		return 0;
	case BTF_KIND_FWD:
		ret->kind = SPT_TYPE_DECLARATION;
		return 0;
	}
	return damaged(graph, e, "a reference to what is no type", id);
}

/*
 * Bits of a bit field that older BTF describes by an integer type narrower than
 * its storage, instead of by the member itself.
 */
static void old_bit_field(struct btf_graph *g, struct spt_member *m)
{
	const struct btf_type *t = type_at(g, m->type);

	if (!t || !btf_is_int(t))
		return;
	m->bit_offset += btf_int_offset(t);
	if (btf_int_bits(t) != t->size * 8)
		m->bit_size = btf_int_bits(t);
}

static int graph_members(struct spt_typegraph *graph, spt_type_id id, struct spt_member **ret,
			 size_t *n, struct spt_error *e)
{
	struct btf_graph *g = to_btf(graph);
	const struct btf_type *t = type_at(g, id);
	struct spt_member *members;

	if (!t || !btf_is_composite(t))
		return damaged(graph, e, "no members", id);
	*n = btf_vlen(t);
	members = calloc(*n + 1, sizeof(*members));
	if (!members)
		return spt_fail(e, ENOMEM, "%s: out of memory", graph->path);
	for (__u32 i = 0; i < *n; i++) {
		const struct btf_member *m = &btf_members(t)[i];

		members[i] = (struct spt_member){
			.name = name_at(g, m->name_off),
			.type = m->type,
			.bit_offset = btf_member_bit_offset(t, i),
			.bit_size = btf_member_bitfield_size(t, i),
		};
		if (!btf_kflag(t))
			old_bit_field(g, &members[i]);
	}
	*ret = members;
	return 0;
}

static void graph_destroy(struct spt_typegraph *graph)
{
	btf__free(to_btf(graph)->btf);
	free(graph);
}

static const struct spt_typegraph_ops btf_ops = {
	.find = graph_find,
	.get = graph_get,
	.members = graph_members,
	.destroy = graph_destroy,
};

/* libbpf would print what we say in an error of our own. */
static int be_quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

int spt_btf_open(const char *path, struct spt_typegraph *base, struct spt_typegraph **ret,
		 struct spt_error *e)
{
	struct btf_graph *g;
	int err;

	if (access(path, R_OK))
		return spt_fail(e, errno, "%s: %s", path, strerror(errno));
	g = calloc(1, sizeof(*g));
	if (!g)
		return spt_fail(e, ENOMEM, "%s: out of memory", path);
	g->graph.ops = &btf_ops;
	g->graph.path = strdup(path);

	libbpf_print_fn_t print = libbpf_set_print(be_quiet);

	g->btf = btf__parse_raw_split(path, base ? to_btf(base)->btf : NULL);
	err = libbpf_get_error(g->btf) ? -errno : 0;
	libbpf_set_print(print);
	if (err || !g->graph.path) {
		g->btf = err ? NULL : g->btf;
		spt_typegraph_destroy(&g->graph);
		if (err == -EINVAL || err == -EPROTO)
			return spt_fail(e, EINVAL, "%s: no BTF, or damaged", path);
		return spt_fail(e, err ? -err : ENOMEM, "%s: %s", path,
				strerror(err ? -err : ENOMEM));
	}
	g->first = base ? to_btf(base)->end : 1;
	g->end = btf__type_cnt(g->btf);
	*ret = &g->graph;
	return 0;
}
