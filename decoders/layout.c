// SPDX-License-Identifier: GPL-2.0
#include "decoders/layout.h"

#include <errno.h>
#include <string.h>

#include "decoders/layout_path.h"

/* More than the distinct types that SPT_FIELDS names. */
#define TYPES_MAX 48

/* The distinct types of SPT_FIELDS, and which of them each field has. */
struct wanted {
	const char *name[TYPES_MAX];
	unsigned int count;
	unsigned int of_field[SPT_F_COUNT];
};

static void collect_types(struct wanted *w)
{
	for (unsigned int f = 0; f < SPT_F_COUNT; f++) {
		unsigned int t = 0;

		while (t < w->count && strcmp(w->name[t], spt_field_names[f].type))
			t++;
		if (t == w->count && w->count < TYPES_MAX)
			w->name[w->count++] = spt_field_names[f].type;
		w->of_field[f] = t;
	}
}

/* Modules first, then the kernel: a module knows its own types best. */
static const enum spt_module search_order[] = {
	SPT_MODULE_KVM,
	SPT_MODULE_AMD,
	SPT_MODULE_INTEL,
	SPT_MODULE_VMLINUX,
};

#define SEARCHED (sizeof(search_order) / sizeof(search_order[0]))

static bool same_place(const struct spt_layout_field *a, const struct spt_layout_field *b)
{
	return a->flags == b->flags && a->bit_offset == b->bit_offset &&
	       a->bit_size == b->bit_size && a->alternative == b->alternative;
}

/* What one candidate type says about field @f, merged into what others said. */
static int add_candidate(struct spt_layout *l, unsigned int f, struct spt_typegraph *graph,
			 spt_type_id type, bool first)
{
	const struct spt_field_name *name = &spt_field_names[f];
	struct spt_field_found *found = &l->field[f];
	struct spt_layout_field field;
	struct spt_error e = { 0 };
	int present = spt_path_find(graph, type, name->path, &field, &e);

	if (present < 0) {
		found->state = SPT_FIELD_DAMAGED;
		return spt_fail(&l->doubt, e.code, "%s.%s: %s", name->type, name->path, e.text);
	}
	if (first) {
		found->state = present ? SPT_FIELD_FOUND : SPT_FIELD_NO_MEMBER;
		found->field = field;
		found->graph = graph;
		return 0;
	}
	if (same_place(&field, &found->field))
		return 0;
	found->state = SPT_FIELD_DISAGREE;
	return spt_fail(&l->doubt, EUCLEAN,
			"struct %s member '%s': %s says bit %u (%u bits), %s bit %u (%u bits)",
			name->type, name->path, found->graph->path, found->field.bit_offset,
			found->field.bit_size, graph->path, field.bit_offset, field.bit_size);
}

static int resolve_field(struct spt_layout *l, unsigned int f,
			 const struct spt_type_query (*query)[TYPES_MAX], unsigned int type)
{
	struct spt_field_found *found = &l->field[f];
	const struct spt_field_name *name = &spt_field_names[f];
	bool first = true;

	found->state = SPT_FIELD_NO_TYPE;
	if (spt_need_other(name->need, l->vendor)) {
		found->state = SPT_FIELD_OTHER_VENDOR;
		return 0;
	}
	for (size_t s = 0; s < SEARCHED; s++) {
		enum spt_module module = search_order[s];
		const struct spt_type_query *q = &query[module][type];

		for (unsigned int h = 0; l->graph[module] && h < q->hits; h++) {
			int err = add_candidate(l, f, l->graph[module], q->hit[h], first);

			if (err)
				return err;
			first = false;
		}
	}
	if (found->state == SPT_FIELD_FOUND || !spt_need_required(name->need, l->vendor))
		return 0;
	return spt_fail(&l->doubt, ENOKEY,
			"struct %s%s%s%s is not in the kernel's %s; this "
			"kernel's KVM is not supported yet",
			name->type, *name->path ? "." : "", name->path,
			found->state == SPT_FIELD_NO_TYPE ? " (no such type)" : "",
			l->source == SPT_LAYOUT_BTF ? "BTF" : "DWARF");
}

static bool found_all(const struct spt_layout *l, char need)
{
	for (unsigned int f = 0; f < SPT_F_COUNT; f++)
		if (spt_field_names[f].need == need && l->field[f].state != SPT_FIELD_FOUND)
			return false;
	return true;
}

static int find_slots_form(struct spt_layout *l)
{
	/* The newer form first: a kernel may keep names of the older one for something else. */
	if (found_all(l, 'T'))
		l->slots_form = SPT_SLOTS_TREE;
	else if (found_all(l, 'L'))
		l->slots_form = SPT_SLOTS_ARRAY;
	else
		return spt_fail(
			&l->doubt, ENOKEY,
			"the memslots (struct kvm_memslots) are neither in a tree by gfn nor "
			"in a sorted array; this kernel's KVM is not supported yet");
	return 0;
}

int spt_layout_resolve(struct spt_layout *l)
{
	struct spt_type_query query[SPT_MODULE_COUNT][TYPES_MAX] = { 0 };
	struct wanted wanted = { 0 };
	struct spt_error first = { 0 };

	l->doubt = first;
	memset(l->field, 0, sizeof(l->field));
	l->slots_form = SPT_SLOTS_UNKNOWN;
	collect_types(&wanted);
	for (unsigned int m = 0; m < SPT_MODULE_COUNT; m++) {
		for (unsigned int t = 0; t < wanted.count; t++)
			query[m][t].name = wanted.name[t];
		if (!l->graph[m])
			continue;
		if (spt_types_find(l->graph[m], query[m], wanted.count, &l->doubt))
			return -l->doubt.code;
	}
	/* Go on after a doubt, for a diagnosis of all fields; the first one counts. */
	for (unsigned int f = 0; f < SPT_F_COUNT; f++) {
		int err = resolve_field(l, f, (const struct spt_type_query(*)[TYPES_MAX])query,
					wanted.of_field[f]);

		if (err && !first.code)
			first = l->doubt;
	}
	if (find_slots_form(l) && !first.code)
		first = l->doubt;
	l->doubt = first;
	return -first.code;
}

void spt_layout_deinit(struct spt_layout *l)
{
	/* Modules first: their graphs stand on the kernel's. */
	for (size_t s = 0; s < SEARCHED; s++) {
		spt_typegraph_destroy(l->graph[search_order[s]]);
		l->graph[search_order[s]] = NULL;
	}
}

unsigned int spt_layout_compare(const struct spt_layout *a, const struct spt_layout *b,
				bool differs[SPT_F_COUNT])
{
	unsigned int count = 0;

	for (unsigned int f = 0; f < SPT_F_COUNT; f++) {
		const struct spt_field_found *x = &a->field[f], *y = &b->field[f];

		differs[f] = x->state != y->state || !same_place(&x->field, &y->field);
		count += differs[f];
	}
	return count;
}
