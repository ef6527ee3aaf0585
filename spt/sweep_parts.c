// SPDX-License-Identifier: GPL-2.0
/*
 * Parts of a sweep: the upper tables are walked once, and each eighth of a table of
 * level 2 becomes a grain whose cost is what it holds. Grains are then put together
 * until a part has its share.
 */
#include <errno.h>
#include <stdlib.h>

#include "spt/entry.h"
#include "spt/sweep_parts.h"

#define GRAIN_ENTRIES 64	 /* of a level 2 table: 128 MiB of addresses */
#define GRAIN_LIMIT   (1U << 20) /* tables that hang at many places could make more */

struct grain {
	struct spt_sweep_cut at;
	uint64_t cost;
};

struct plan {
	const struct spt_sweep *sweep;
	const struct spt_root_ref *root;
	uint32_t root_nr;
	uint64_t first, last; /* of the root, wanted */
	struct grain *grain;
	size_t count, room;
	unsigned int tables; /* looked at */
	uint64_t cost;
};

static int add_grain(struct plan *p, uint64_t address, uint64_t cost)
{
	p->cost += cost;
	if (p->count == GRAIN_LIMIT) {
		p->grain[p->count - 1].cost += cost;
		return 0;
	}
	if (p->count == p->room) {
		size_t room = p->room ? p->room * 2 : 256;
		struct grain *more = realloc(p->grain, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->grain = more;
		p->room = room;
	}
	p->grain[p->count++] = (struct grain){ { p->root_nr, address }, cost };
	return 0;
}

/* Entries of level 2 lead to tables about as often as they are stored. */
static int plan_level2(struct plan *p, const struct spt_node *node, uint64_t base,
		       unsigned int first, unsigned int end)
{
	for (unsigned int i = first; i < end; i = (i / GRAIN_ENTRIES + 1) * GRAIN_ENTRIES) {
		unsigned int chunk = i / GRAIN_ENTRIES * (GRAIN_ENTRIES / SPT_CHUNK_ENTRIES);
		uint64_t chunks =
			node->chunks >> chunk & ((1 << GRAIN_ENTRIES / SPT_CHUNK_ENTRIES) - 1);
		int ret;

		if (!chunks)
			continue;
		ret = add_grain(p, base + ((uint64_t)i << spt_level_shift(2)),
				(uint64_t)__builtin_popcountll(chunks) * SPT_CHUNK_ENTRIES);
		if (ret)
			return ret;
	}
	return 0;
}

static int plan_table(struct plan *p, const struct spt_node *node, uint64_t base)
{
	unsigned int first, end;
	int ret;

	spt_sweep_clip(node, base, p->first, p->last, &first, &end);
	if (p->tables++ >= GRAIN_LIMIT)
		return 0;
	if (node->level == 2)
		return plan_level2(p, node, base, first, end);
	ret = add_grain(p, base + ((uint64_t)first << spt_level_shift(node->level)), 1);
	for (unsigned int i = first; node->level > 2 && i < end && !ret; i++) {
		uint64_t address = base + ((uint64_t)i << spt_level_shift(node->level));
		uint64_t spte = spt_node_entry(node, i);
		struct spt_entry e;

		if (spt_entry_type(p->sweep->model, node, spte) != SPT_SPTE_TABLE)
			continue;
		spt_entry_fill(p->sweep->model, p->root, node, i, address, spte, &e);
		if (e.child)
			ret = plan_table(p, e.child, address);
	}
	return ret;
}

static bool swept(const struct spt_sweep *s, uint32_t nr)
{
	const struct spt_root_ref *root = &s->model->roots[nr];

	/* What is behind a mirror is the mirror's again, and no table of KVM's. */
	return root->node && root->kind != SPT_ROOT_EXTERNAL && (!s->root || s->root == root);
}

static bool wanted_range(const struct spt_sweep *s, uint32_t nr, uint64_t *first, uint64_t *last)
{
	uint64_t start = s->len ? s->start : 0;
	uint64_t stop = s->len && s->len - 1 <= ~0ULL - start ? start + s->len - 1 : ~0ULL;

	return swept(s, nr) &&
	       spt_root_range(s->model, &s->model->roots[nr], start, stop, first, last);
}

/* Parts begin where the sum of the grains before has reached their share. */
static int join_grains(const struct plan *p, size_t want, struct spt_sweep_parts *ret)
{
	uint64_t share = p->cost / want + 1, sum = 0;

	ret->cut = malloc((want + 1) * sizeof(*ret->cut));
	if (!ret->cut)
		return -ENOMEM;
	ret->cut[0] = (struct spt_sweep_cut){ 0, 0 };
	ret->count = 1;
	for (size_t i = 0; i < p->count; i++) {
		if (sum >= share * ret->count && ret->count < want)
			ret->cut[ret->count++] = p->grain[i].at;
		sum += p->grain[i].cost;
	}
	ret->cut[ret->count] = (struct spt_sweep_cut){ p->sweep->model->nr_roots, 0 };
	ret->cost = p->cost;
	return 0;
}

int spt_sweep_parts_make(const struct spt_sweep *sweep, size_t want, struct spt_sweep_parts *ret)
{
	const struct spt_model *m = sweep->model;
	struct plan p = { .sweep = sweep };
	int code = 0;

	for (uint32_t i = 0; want > 1 && i < m->nr_roots && !code; i++) {
		p.root = &m->roots[i];
		p.root_nr = i;
		if (wanted_range(sweep, i, &p.first, &p.last))
			code = plan_table(&p, p.root->node, spt_root_base(p.root));
	}
	if (!code)
		code = join_grains(&p, want ? want : 1, ret);
	free(p.grain);
	return code;
}

void spt_sweep_parts_free(struct spt_sweep_parts *parts)
{
	free(parts->cut);
	parts->cut = NULL;
}

bool spt_sweep_span(const struct spt_sweep *sweep, const struct spt_sweep_cut *from,
		    const struct spt_sweep_cut *to, uint32_t nr, struct spt_sweep_span *ret)
{
	if (!wanted_range(sweep, nr, &ret->want_first, &ret->want_last))
		return false;
	ret->first = ret->want_first;
	ret->last = ret->want_last;
	if (nr == from->root && ret->first < from->address)
		ret->first = from->address;
	if (nr == to->root) {
		if (!to->address)
			return false;
		if (ret->last > to->address - 1)
			ret->last = to->address - 1;
	}
	return ret->first <= ret->last;
}
