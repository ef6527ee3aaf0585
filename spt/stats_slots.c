// SPDX-License-Identifier: GPL-2.0
/* Whose memory is mapped: by slot and by NUMA node, and by which page size. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spt/entry.h"
#include "spt/page_node.h"
#include "spt/stats_part.h"

static uint64_t slot_first(const struct spt_memslot *slot)
{
	return slot->slot->base_gfn << SPT_PAGE_SHIFT;
}

static uint64_t slot_end(const struct spt_memslot *slot)
{
	return (slot->slot->base_gfn + slot->slot->npages) << SPT_PAGE_SHIFT;
}

/* Where the index of a row is, or would be: a guest may have 32k slots, for each of its roots. */
static uint32_t *row_place(struct spt_stats *s, const struct spt_root_ref *root,
			   const struct spt_memslot *slot)
{
	uint64_t key = (uintptr_t)root * 31 + (uintptr_t)slot;
	size_t at = (key * 0x9e3779b97f4a7c15) >> 32;

	for (;; at++) {
		uint32_t *place = &s->slot_hash[at & (s->slot_hash_size - 1)];

		if (!*place ||
		    (s->slot[*place - 1].root == root && s->slot[*place - 1].slot == slot))
			return place;
	}
}

static int grow_hash(struct spt_stats *s)
{
	size_t size = s->slot_hash_size ? 2 * s->slot_hash_size : 64;
	uint32_t *hash = calloc(size, sizeof(*hash));

	if (!hash)
		return -ENOMEM;
	free(s->slot_hash);
	s->slot_hash = hash;
	s->slot_hash_size = size;
	for (size_t i = 0; i < s->nr_slots; i++)
		*row_place(s, s->slot[i].root, s->slot[i].slot) = i + 1;
	return 0;
}

static struct spt_slot_count *find_row(struct spt_stats *s, const struct spt_root_ref *root,
				       const struct spt_memslot *slot)
{
	if (2 * s->nr_slots >= s->slot_hash_size && grow_hash(s))
		return NULL;

	uint32_t *place = row_place(s, root, slot);

	if (*place)
		return &s->slot[*place - 1];

	struct spt_slot_count *more = realloc(s->slot, (s->nr_slots + 1) * sizeof(*more));

	if (!more)
		return NULL;
	s->slot = more;
	memset(&more[s->nr_slots], 0, sizeof(*more));
	more[s->nr_slots].root = root;
	more[s->nr_slots].slot = slot;
	*place = s->nr_slots + 1;
	return &more[s->nr_slots++];
}

static int add_mapped(struct spt_stats_part *p, const struct spt_root_ref *root,
		      const struct spt_memslot *slot, int level, uint64_t bytes, uint64_t causes)
{
	if (level > 3)
		level = 3; /* no CPU has larger pages: damage, counted above */
	if (!p->row || p->row->root != root || p->row->slot != slot)
		p->row = find_row(&p->stats, root, slot);
	if (!p->row)
		return -ENOMEM;
	spt_huge_share_add(&p->row->share, level, bytes, causes);
	return 0;
}

static const struct spt_memslot *find_slot(struct spt_stats_part *p, const struct spt_model *m,
					   unsigned int as_id, uint64_t gpa)
{
	if (!p->slot || p->slot->slot->as_id != as_id || gpa < slot_first(p->slot) ||
	    gpa >= slot_end(p->slot))
		p->slot = spt_memslot_find(&m->memslots, as_id, gpa >> SPT_PAGE_SHIFT);
	return p->slot;
}

static void add_node(struct spt_stats_part *p, int node, uint64_t bytes)
{
	*(node >= 0 && node < SPT_NUMA_NODES ? &p->stats.node_bytes[node]
					     : &p->stats.no_node_bytes) += bytes;
}

static uint64_t count_present(const uint64_t *from, const uint64_t *to)
{
	uint64_t present = 0;

	for (; from < to; from++)
		present += *from >> 11 & 1;
	return present;
}

/* Leaves of a table in one slot, by the host's mapping of their frames. */
static void nodes_by_runs(struct spt_stats_part *p, const struct spt_stats_pass *pass,
			  const struct spt_sweep_table *t, const struct spt_memslot *slot,
			  uint64_t gpa, unsigned int first, unsigned int end)
{
	uint64_t size = spt_level_size(t->node->level);

	while (first < end) {
		const struct spt_host_run *run =
			spt_memslot_host_run(&pass->model->memslots, slot, gpa >> SPT_PAGE_SHIFT);
		unsigned int next = end;

		if (!run)
			next = first + 1;
		else if (((run->gfn + run->npages) << SPT_PAGE_SHIFT) - gpa <=
			 (end - first - 1) * size)
			next = first +
			       ((((run->gfn + run->npages) << SPT_PAGE_SHIFT) - gpa + size - 1) /
				size);
		add_node(p, run ? spt_host_run_node(run) : SPT_NO_NODE,
			 size * count_present(spt_node_position(t->node, first),
					      spt_node_position(t->node, next)));
		gpa += (next - first) * size;
		first = next;
	}
}

/* The same by the frames themselves: as a rule all of a table are of one node. */
static void nodes_by_hpa(struct spt_stats_part *p, const struct spt_stats_pass *pass,
			 const struct spt_node *node, const uint64_t *entry, size_t count,
			 uint64_t leaves)
{
	uint64_t addr = pass->model->format.leaf_addr[node->level];
	uint64_t size = spt_level_size(node->level);
	int all = spt_numa_node(pass->numa, p->bits.all & addr, (p->bits.any & addr) + size - 1);

	if (all >= 0) {
		add_node(p, all, leaves * size);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t hpa = entry[i] & addr;

		if (spt_entry_type(pass->model, node, entry[i]) == SPT_SPTE_LEAF &&
		    entry[i] != node->empty)
			add_node(p, spt_numa_node(pass->numa, hpa, hpa + size - 1), size);
	}
}

/* Why what the table maps at @gpa is not one larger page; asked once for neighbours. */
static uint64_t huge_causes(struct spt_stats_part *p, const struct spt_model *m,
			    const struct spt_sweep_table *t, const struct spt_memslot *slot,
			    uint64_t gpa)
{
	struct spt_huge *huge = &p->huge[t->root->as_id % SPT_ADDRESS_SPACES];
	int larger = t->node->level + 1;

	if (!slot || larger > 3)
		return 0;
	if (p->asked.node == t->node && p->asked.slot == slot &&
	    !((p->asked.gpa ^ gpa) >> spt_level_shift(larger)))
		return p->asked.causes;
	if (!huge->model)
		spt_huge_begin(huge, m, t->root->as_id);
	p->asked.node = t->node;
	p->asked.slot = slot;
	p->asked.gpa = gpa;
	p->asked.causes = spt_huge_causes(huge, gpa, larger, t->node);
	return p->asked.causes;
}

/* Entries of a table whose addresses are GPAs, slot by slot. */
static int see_direct(struct spt_stats_pass *pass, struct spt_stats_part *p,
		      const struct spt_sweep_table *t, unsigned int first, unsigned int end)
{
	const struct spt_model *m = pass->model;
	uint64_t gpa = spt_root_address(t->root, spt_sweep_address(t, first));
	uint64_t size = spt_level_size(t->node->level), leaves;
	int ret = 0;

	while (first < end && !ret) {
		const struct spt_memslot *slot = find_slot(p, m, t->root->as_id, gpa);
		const struct spt_memslot *from =
			slot ? slot
			     : spt_memslot_from(&m->memslots, t->root->as_id,
						gpa >> SPT_PAGE_SHIFT);
		uint64_t stop = slot ? slot_end(slot) : from ? slot_first(from) : ~0ULL;
		unsigned int next = end;
		const uint64_t *entry = spt_node_position(t->node, first);
		size_t count;

		if (stop - gpa <= (end - first - 1) * size)
			next = first + (stop - gpa + size - 1) / size;
		count = spt_node_position(t->node, next) - entry;
		leaves = spt_stats_entries(p, pass, t->node, entry, count);
		if (leaves && pass->numa)
			nodes_by_hpa(p, pass, t->node, entry, count, leaves);
		else if (leaves && pass->host_runs && slot)
			nodes_by_runs(p, pass, t, slot, gpa, first, next);
		else if (leaves && pass->host_runs)
			add_node(p, -1, leaves * size);
		if (leaves)
			ret = add_mapped(p, t->root, slot, t->node->level, leaves * size,
					 huge_causes(p, m, t, slot, gpa));
		gpa += (next - first) * size;
		first = next;
	}
	return ret;
}

/* One leaf of a shadow table. */
static int see_shadow_leaf(struct spt_stats_pass *pass, struct spt_stats_part *p,
			   const struct spt_sweep_table *t, unsigned int index)
{
	const struct spt_model *m = pass->model;
	const struct spt_memslot *slot = NULL;
	const struct spt_host_run *run = NULL;
	uint64_t size = spt_level_size(t->node->level), gpa = 0;
	unsigned int access;

	if (spt_node_translation(t->node, index, &gpa, &access))
		slot = find_slot(p, m, t->root->as_id, gpa);
	if (pass->host_runs && slot)
		run = spt_memslot_host_run(&m->memslots, slot, gpa >> SPT_PAGE_SHIFT);
	if (pass->host_runs)
		add_node(p, run ? spt_host_run_node(run) : SPT_NO_NODE, size);
	return add_mapped(p, NULL, slot, t->node->level, size, huge_causes(p, m, t, slot, gpa));
}

/*
 * Leaves and nothing else, whose guest frames follow one another within one slot and one
 * larger page: the kernel's mapping of all memory, and what else is contiguous.
 */
static bool see_shadow_frames(struct spt_stats_pass *pass, struct spt_stats_part *p,
			      const struct spt_sweep_table *t, unsigned int first, unsigned int end,
			      uint64_t leaves, int *ret)
{
	uint64_t size = spt_level_size(t->node->level), bytes = leaves * size, gpa;
	const struct spt_memslot *slot;
	unsigned int access;

	if (leaves != end - first || pass->host_runs ||
	    spt_node_frames_from(t->node, first, end - first) != end - first ||
	    !spt_node_translation(t->node, first, &gpa, &access))
		return false;
	slot = find_slot(p, pass->model, t->root->as_id, gpa);
	if (!slot || gpa + bytes > slot_end(slot) ||
	    (gpa ^ (gpa + bytes - 1)) >> spt_level_shift(t->node->level + 1))
		return false;
	*ret = add_mapped(p, NULL, slot, t->node->level, bytes,
			  huge_causes(p, pass->model, t, slot, gpa));
	return true;
}

/* Entries of a shadow table: each may be of another slot. */
static int see_shadow(struct spt_stats_pass *pass, struct spt_stats_part *p,
		      const struct spt_sweep_table *t, unsigned int first, unsigned int end)
{
	struct spt_tree_frame at = { .node = t->node, .index = first, .end = end };
	const uint64_t *entry = spt_node_position(t->node, first);
	size_t count = spt_node_position(t->node, end) - entry;
	uint64_t leaves = spt_stats_entries(p, pass, t->node, entry, count), spte;
	int ret = 0;

	if (leaves && pass->numa)
		nodes_by_hpa(p, pass, t->node, entry, count, leaves);
	if (!leaves || see_shadow_frames(pass, p, t, first, end, leaves, &ret))
		return ret;
	while (!ret && spt_tree_step(&at, pass->model->format.empty, &spte))
		if (spt_entry_type(pass->model, t->node, spte) == SPT_SPTE_LEAF)
			ret = see_shadow_leaf(pass, p, t, at.index - 1);
	return ret;
}

int spt_stats_see_entries(void *arg, void *state, const struct spt_sweep_table *t,
			  unsigned int first, unsigned int end)
{
	if (t->again)
		return 0;
	return spt_root_maps_gpa(t->root) ? see_direct(arg, state, t, first, end)
					  : see_shadow(arg, state, t, first, end);
}

int spt_stats_merge_slots(struct spt_stats_pass *pass, const struct spt_stats *from)
{
	for (size_t i = 0; i < from->nr_slots; i++) {
		struct spt_slot_count *row =
			find_row(pass->result, from->slot[i].root, from->slot[i].slot);

		if (!row)
			return -ENOMEM;
		spt_huge_share_merge(&row->share, &from->slot[i].share);
	}
	return 0;
}

/* Bytes of a slot between two addresses, both inclusive. */
static uint64_t slot_bytes(const struct spt_memslot *slot, uint64_t first, uint64_t last)
{
	uint64_t begin = slot_first(slot), end = slot_end(slot) - 1;

	if (begin < first)
		begin = first;
	if (end > last)
		end = last;
	return slot->slot->npages && begin <= end ? end - begin + 1 : 0;
}

static int by_root(const void *a, const void *b)
{
	const struct spt_slot_count *x = a, *y = b;

	/* Roots and slots in the model's order; what has none comes last. */
	if (x->root != y->root)
		return !x->root ? 1 : !y->root || x->root < y->root ? -1 : 1;
	if (x->slot != y->slot)
		return !x->slot ? 1 : !y->slot || x->slot < y->slot ? -1 : 1;
	return 0;
}

/* A slot that a root maps nothing of has a row, too: it is one hole. */
int spt_stats_all_slots(struct spt_stats_pass *pass)
{
	const uint64_t page = spt_level_size(1) - 1;
	const struct spt_sweep *sweep = pass->sweep;
	const struct spt_model *m = pass->model;
	uint64_t start = sweep->len ? sweep->start : 0;
	uint64_t last =
		sweep->len && sweep->len - 1 <= ~0ULL - start ? start + sweep->len - 1 : ~0ULL;
	struct spt_stats *s = pass->result;
	uint64_t first;

	start &= ~page;
	last |= page;
	for (uint32_t r = 0; r < m->nr_roots; r++) {
		const struct spt_root_ref *root = &m->roots[r];

		if (!root->node || !spt_root_maps_gpa(root) || root->kind == SPT_ROOT_EXTERNAL ||
		    (sweep->root && sweep->root != root) ||
		    !spt_root_range(m, root, start, last, &first, &(uint64_t){ 0 }))
			continue;
		for (uint32_t i = 0; i < m->memslots.count; i++) {
			const struct spt_memslot *slot = &m->memslots.slots[i];

			if (slot->slot->as_id == root->as_id && slot_bytes(slot, start, last) &&
			    !find_row(s, root, slot))
				return -ENOMEM;
		}
	}
	for (size_t i = 0; i < s->nr_slots; i++) {
		struct spt_slot_count *row = &s->slot[i];
		uint64_t from = start, to = last;

		if (!row->slot)
			continue;
		if (row->root && spt_root_range(m, row->root, start, last, &from, &to)) {
			from = spt_root_address(row->root, from) & ~page;
			to = spt_root_address(row->root, to) | page;
		}
		row->bytes = slot_bytes(row->slot, from, to);
	}
	/* The order of the rows is another now. */
	free(s->slot_hash);
	s->slot_hash = NULL;
	s->slot_hash_size = 0;
	if (s->nr_slots)
		qsort(s->slot, s->nr_slots, sizeof(*s->slot), by_root);
	return 0;
}

uint64_t spt_slot_count_mapped(const struct spt_slot_count *slot)
{
	return slot->share.bytes[1] + slot->share.bytes[2] + slot->share.bytes[3];
}

uint64_t spt_slot_count_holes(const struct spt_slot_count *slot)
{
	uint64_t mapped = spt_slot_count_mapped(slot);

	return mapped < slot->bytes ? slot->bytes - mapped : 0;
}
