// SPDX-License-Identifier: GPL-2.0
/* Following one address through the tables: down from a root, or up from a translation. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "spt/entry.h"
#include "spt/external.h"
#include "spt/verdict.h"
#include "spt/walk.h"

void spt_walk_root(const struct spt_model *m, const struct spt_root_ref *root, uint64_t addr,
		   struct spt_walk_path *ret)
{
	uint64_t own = root->node ? (1ULL << spt_root_bits(root)) - 1 : 0;
	const struct spt_node *node = root->node;
	uint64_t at, base;

	ret->root = root;
	ret->address = addr;
	ret->nr_levels = 0;
	ret->hpa = SPT_NO_HPA;
	ret->page_size = 0;
	if (!node)
		return;
	/* A virtual address is cut to what the tables translate, a physical one must fit. */
	if (root->kind != SPT_ROOT_SHADOW && addr & ~own)
		return;
	at = (addr & own) | root->gpa_bits;
	base = spt_root_base(root);
	if (at < base || (at - base) >> spt_level_shift(root->level) >= SPT_TABLE_ENTRIES)
		return;
	while (node && ret->nr_levels < SPT_MAX_WALK) {
		struct spt_entry *e = &ret->level[ret->nr_levels++];
		unsigned int shift = spt_level_shift(node->level);
		unsigned int index = (at - base) >> shift & (SPT_TABLE_ENTRIES - 1);

		base += (uint64_t)index << shift;
		spt_entry_fill(m, root, node, index, base, spt_node_entry(node, index), e);
		if (e->type == SPT_SPTE_LEAF) {
			ret->page_size = e->size;
			ret->hpa = e->hpa + (at & (e->size - 1));
		}
		node = e->child;
	}
}

const char *spt_walk_why_empty(const struct spt_walk_path *path)
{
	return path->root && path->root->node ? "its tables do not reach that far"
					      : "its table is not in the image";
}

static bool already_there(const struct spt_walk *walk, const struct spt_node *node,
			  unsigned int index)
{
	for (unsigned int i = 0; i < walk->nr_paths; i++) {
		const struct spt_walk_path *p = &walk->path[i];
		const struct spt_entry *last = p->nr_levels ? &p->level[p->nr_levels - 1] : NULL;

		if (last && last->node == node && last->index == index)
			return true;
	}
	return false;
}

static struct spt_walk_path *new_path(struct spt_walk *walk)
{
	if (walk->nr_paths < SPT_WALK_PATHS)
		return &walk->path[walk->nr_paths++];
	walk->more_paths++;
	return NULL;
}

/* A way up from a leaf: tables and indices, the leaf's first. */
struct ascent {
	const struct spt_node *node[SPT_MAX_WALK];
	unsigned int index[SPT_MAX_WALK];
	unsigned int n;
	unsigned int steps; /* taken in all; see MOST_STEPS */
};

/* A guest's tables may lead to one page in millions of ways (each table 512 times in the next). */
#define MOST_STEPS 4096

static const struct spt_root_ref *root_of(const struct spt_model *m, const struct spt_node *node)
{
	for (uint32_t i = 0; i < m->nr_roots; i++)
		if (m->roots[i].node == node)
			return &m->roots[i];
	return NULL;
}

/* Turn an ascent that ended at @root (NULL: at nothing) into a path. */
static void add_path(const struct spt_model *m, const struct ascent *up,
		     const struct spt_root_ref *root, uint64_t gpa, struct spt_walk *walk)
{
	struct spt_root_ref none = { .kind = SPT_ROOT_NESTED };
	struct spt_walk_path *path = new_path(walk);
	uint64_t address = 0;

	if (!path)
		return;
	path->root = root;
	path->nr_levels = 0;
	for (unsigned int i = up->n; i-- > 0;) {
		struct spt_entry *e = &path->level[path->nr_levels++];

		address += (uint64_t)up->index[i] << spt_level_shift(up->node[i]->level);
		spt_entry_fill(m, root ? root : &none, up->node[i], up->index[i], address,
			       spt_node_entry(up->node[i], up->index[i]), e);
		e->root = root;
	}

	const struct spt_entry *leaf = &path->level[path->nr_levels - 1];

	path->hpa = SPT_NO_HPA;
	path->page_size = 0;
	if (leaf->type == SPT_SPTE_LEAF) {
		path->page_size = leaf->size;
		path->hpa = leaf->hpa + (gpa & (leaf->size - 1));
	}
	path->address = leaf->gpa + (gpa & (leaf->size - 1));
}

/* Find every table entry above the last one of @up; ends at roots and at orphans. */
static void ascend(const struct spt_model *m, struct ascent *up, uint64_t gpa,
		   struct spt_walk *walk)
{
	const struct spt_node *child = up->node[up->n - 1];
	const struct spt_root_ref *root = root_of(m, child);
	bool parents = false;

	if (root)
		add_path(m, up, root, gpa, walk);
	for (uint32_t i = 0; i < m->nr_nodes && up->n < SPT_MAX_WALK; i++) {
		struct spt_tree_frame f = { .node = &m->nodes[i], .end = SPT_TABLE_ENTRIES };
		uint64_t spte;

		if (f.node->level != child->level + 1)
			continue;
		while (spt_tree_step(&f, m->format.empty, &spte)) {
			if (spt_entry_type(m, f.node, spte) != SPT_SPTE_TABLE ||
			    spt_spte_table_hpa(&m->format, spte) != child->hpa)
				continue;
			parents = true;
			if (up->steps++ >= MOST_STEPS)
				return;
			up->node[up->n] = f.node;
			up->index[up->n++] = f.index - 1;
			ascend(m, up, gpa, walk);
			up->n--;
		}
	}
	if (!root && !parents && !child->raw_kind)
		add_path(m, up, NULL, gpa, walk);
}

/* First GPA that entry @index of a shadow table was made for; false: for none. */
static bool made_for(const struct spt_model *m, const struct spt_node *node, unsigned int index,
		     uint64_t spte, uint64_t *from)
{
	unsigned int access;

	switch (spt_entry_type(m, node, spte)) {
	case SPT_SPTE_LEAF:
		if (!spt_node_translation(node, index, from, &access))
			return false;
		*from &= ~(spt_level_size(node->level) - 1);
		return true;
	case SPT_SPTE_MMIO:
		/* KVM keeps no translation of what has no page: the entry itself says it. */
		*from = spt_spte_decode(&m->format, spte, node->level, spt_node_kind(m, node))
				.mmio_gfn
			<< SPT_PAGE_SHIFT;
		return true;
	default:
		return false;
	}
}

/*
 * Shadow tables translate virtual or L2 addresses, so that a GPA is found by what
 * their entries were made from: in every active table, whatever its roots.
 */
static void find_translations(const struct spt_model *m, uint64_t gpa, struct spt_walk *walk)
{
	for (uint32_t i = 0; i < m->nr_nodes; i++) {
		struct spt_tree_frame f = { .node = &m->nodes[i], .end = SPT_TABLE_ENTRIES };
		uint64_t spte, from;

		if (f.node->root_sp || f.node->raw_kind)
			continue; /* of the TDP MMU, or no leaves */
		while (spt_tree_step(&f, m->format.empty, &spte)) {
			struct ascent up = { .node = { f.node }, .index = { f.index - 1 }, .n = 1 };

			if (!made_for(m, f.node, f.index - 1, spte, &from))
				continue;
			if (gpa - from < spt_level_size(f.node->level) &&
			    !already_there(walk, f.node, f.index - 1))
				ascend(m, &up, gpa, walk);
		}
	}
}

static bool has_shadow_tables(const struct spt_model *m)
{
	for (uint32_t i = 0; i < m->nr_roots; i++)
		if (!spt_root_maps_gpa(&m->roots[i]))
			return true;
	return m->image.head.mmu == SPT_MMU_SHADOW;
}

/* An external table of an address space that is not this one's is not on the way. */
static bool leads_to(const struct spt_root_ref *root, uint64_t gpa)
{
	uint64_t base = spt_root_base(root);

	return root->kind != SPT_ROOT_EXTERNAL ||
	       (gpa >= base && (gpa - base) >> spt_level_shift(root->level) < SPT_TABLE_ENTRIES);
}

/* Each external entry of the way against the mirror's of its level. */
static void compare_external(const struct spt_model *m, struct spt_walk *w,
			     const struct spt_walk_path *mirror,
			     const struct spt_walk_path *external)
{
	for (unsigned int i = 0; i < external->nr_levels; i++) {
		const struct spt_entry *e = &external->level[i];

		for (unsigned int k = 0; k < mirror->nr_levels; k++) {
			const struct spt_entry *own = &mirror->level[k];
			enum spt_known agrees;
			uint64_t expected;

			if (own->level != e->level || e->node->external->mirror != own->node->hpa)
				continue;
			agrees = spt_external_agrees(m, own->node, own->spte, e->spte, &expected);
			if (agrees == SPT_NA || w->external == SPT_NO)
				continue;
			w->external = agrees;
			w->external_level = e->level;
		}
	}
}

static void find_external(const struct spt_model *m, struct spt_walk *w)
{
	for (unsigned int i = 0; i < w->nr_paths; i++)
		for (unsigned int k = 0; k < w->nr_paths; k++) {
			const struct spt_walk_path *mirror = &w->path[i], *external = &w->path[k];

			if (mirror->root && mirror->root->kind == SPT_ROOT_MIRROR &&
			    external->root && external->root->kind == SPT_ROOT_EXTERNAL)
				compare_external(m, w, mirror, external);
		}
}

void spt_walk_gpa(const struct spt_model *m, uint64_t gpa, struct spt_walk *ret)
{
	bool asked_shared = gpa & m->gpa_bits;
	uint64_t gfn;

	gpa &= ~m->gpa_bits; /* a TD's shared address means the same page */
	gfn = gpa >> SPT_PAGE_SHIFT;
	memset(ret, 0, offsetof(struct spt_walk, path));
	ret->nr_paths = ret->more_paths = 0;
	ret->reason[0] = 0;
	ret->tries = 1;
	ret->gpa = gpa;
	ret->slot = spt_memslot_find(&m->memslots, 0, gfn);
	if (!ret->slot)
		ret->slot = spt_memslot_find(&m->memslots, 1, gfn);
	ret->hva = ret->slot ? spt_memslot_hva(ret->slot, gpa) : SPT_NO_HVA;
	ret->knows_attrs = spt_model_attrs(m, gfn, &ret->attrs) && !m->no_attrs;
	ret->private_gpa = ret->attrs & SPT_ATTR_PRIVATE;
	ret->asked_shared = asked_shared;
	ret->knows_gmem = ret->slot && spt_model_knows_gmem(m, ret->slot);
	ret->gmem_hpa = spt_model_gmem_hpa(m, gpa);
	ret->external = SPT_NA;

	for (uint32_t i = 0; i < m->nr_roots; i++) {
		struct spt_walk_path *path;

		if (!spt_root_maps_gpa(&m->roots[i]) || !leads_to(&m->roots[i], gpa))
			continue;
		path = new_path(ret);
		if (path)
			spt_walk_root(m, &m->roots[i], gpa, path);
	}
	if (m->image.count[SPT_REC_EXTERNAL])
		find_external(m, ret);
	if (has_shadow_tables(m))
		find_translations(m, gpa, ret);
	ret->have_host = spt_host_path(m, gpa, &ret->host);
	spt_verdict_find(m, ret);
}

unsigned int spt_walk_hva(const struct spt_model *m, uint64_t hva, uint64_t *gpa, unsigned int max)
{
	const struct spt_memslot *slot;
	unsigned int n = 0;
	uint64_t found;

	for (uint32_t pos = 0; spt_memslot_next_alias(&m->memslots, hva, &pos, &slot, &found);) {
		const struct spt_memslot *first =
			slot->slot->as_id
				? spt_memslot_find(&m->memslots, 0, found >> SPT_PAGE_SHIFT)
				: NULL;

		if (first && spt_memslot_hva(first, found) == hva)
			continue; /* SMM sees the same memory there */
		if (n < max)
			gpa[n] = found;
		n++;
	}
	return n;
}

int spt_walk_gpa_from(struct spt_source *src, struct spt_model *m, uint64_t gpa,
		      unsigned int image_flags, struct spt_walk *ret, struct spt_error *err)
{
	struct spt_request req = {
		.parts = SPT_WALK_PARTS,
		.start = gpa & ~(spt_level_size(1) - 1),
		.len = spt_level_size(1),
	};
	uint64_t first_seq = 0;

	if (gpa >> SPT_GPA_BITS)
		return spt_fail(err, ERANGE,
				"GPA 0x%" PRIx64 " is beyond the %d bits of a physical address",
				gpa, SPT_GPA_BITS);
	for (unsigned int tries = 1;; tries++) {
		uint64_t seq = 0, end;
		int code = spt_source_read(src, &req, image_flags, &m->image, err);

		if (!code)
			code = spt_model_load(m, &m->image, err);
		if (code)
			return code;
		/* The agent counts frames without the shared bit. */
		if (req.start & m->gpa_bits && spt_source_is_live(src)) {
			req.start &= ~m->gpa_bits;
			tries--;
			continue;
		}
		spt_walk_gpa(m, gpa, ret);
		ret->tries = tries;
		if (ret->verdict != SPT_VERDICT_STALE && ret->verdict != SPT_VERDICT_TORN)
			return 0;
		if (!spt_source_is_live(src))
			return 0;
		/* Believed only if nothing at all was invalidated from the first look to the last.
		 */
		spt_model_seq(m, &seq, &end);
		if (tries == 1)
			first_seq = seq;
		else if (seq != first_seq && ret->verdict == SPT_VERDICT_STALE)
			spt_verdict_torn(ret, "the host invalidated mappings between two looks");
		if (tries > SPT_WALK_RETRIES)
			return 0;
	}
}

int spt_walk_gpa_next(struct spt_source *src, struct spt_model *m, uint64_t gpa,
		      unsigned int image_flags, struct spt_walk *ret, struct spt_error *err)
{
	/* Images without guest_memfd's pages are older than that part. */
	const uint32_t need = SPT_WALK_PARTS & ~(uint32_t)(SPT_PART_HOST | SPT_PART_GMEM);
	bool whole = !spt_source_is_live(src) && m->nr_nodes && !m->image.head.req_len &&
		     (m->image.head.req_parts & need) == need;

	if (!whole || gpa >> SPT_GPA_BITS)
		return spt_walk_gpa_from(src, m, gpa, image_flags, ret, err);
	spt_walk_gpa(m, gpa, ret);
	return 0;
}
