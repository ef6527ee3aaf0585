// SPDX-License-Identifier: GPL-2.0
/*
 * The shadow MMU's reverse maps: what each of them names, against the leaves; then
 * the leaves that none named.
 */
#include <errno.h>
#include <stdlib.h>

#include "decoders/spte.h"
#include "spt/audit_engine.h"
#include "spt/tree.h"

/* A bit an entry: a reverse map names it. By table of the image. */
struct named {
	uint64_t bit[SPT_TABLE_ENTRIES / 64];
};

struct rmaps {
	struct audit *a;
	struct audit_part *part;
	struct named *named;
	int level;
	unsigned int as_id;
};

static const struct spt_node *shadow_page(const struct audit *a, uint64_t hpa)
{
	const struct spt_node *n = spt_node_find(a->m, hpa);

	while (n && !audit_is_shadow(n))
		n = n->next_same_hpa ? &a->m->nodes[n->next_same_hpa - 1] : NULL;
	return n;
}

static void say(struct rmaps *r, const struct audit_place *p, const struct spt_rmap *rmap,
		const char *found)
{
	struct spt_audit_finding *f = audit_found(r->a, r->part, SPT_AUDIT_RMAP_ENTRY, p);

	audit_say(f, "a leaf of its gfn and level", found,
		  "the reverse map of gfn 0x%llx (level %d) names the entry at 0x%llx: %s",
		  (unsigned long long)rmap->gfn, r->level, (unsigned long long)rmap->sptep_hpa,
		  found);
	if (f)
		f->gpa = rmap->gfn << SPT_PAGE_SHIFT;
}

static void check_rmap(struct rmaps *r, const struct spt_rmap *rmap)
{
	const struct audit *a = r->a;
	const struct spt_node *node = shadow_page(a, rmap->sptep_hpa & ~4095ULL);
	struct audit_place p = { .node = node, .gpa = rmap->gfn << SPT_PAGE_SHIFT };
	unsigned int access;
	uint64_t gpa;

	if (!audit_in_range(a, rmap->gfn, spt_level_pages(r->level)))
		return;
	r->part->checked[SPT_AUDIT_RMAP_ENTRY]++;
	if (!node || rmap->sptep_hpa == SPT_NO_HPA) {
		/* An image of a range leaves shadow pages out. */
		if (!a->m->image.head.req_len)
			say(r, &p, rmap, "no shadow page");
		return;
	}
	p.index = rmap->sptep_hpa % 4096 / sizeof(uint64_t);
	p.level = node->level;
	p.spte = spt_node_entry(node, p.index);
	if (node->level != r->level)
		say(r, &p, rmap, "a table of another level");
	else if (spt_spte_type(a->f, p.spte, node->level) != SPT_SPTE_LEAF)
		say(r, &p, rmap, "no leaf");
	else if (!spt_node_translation(node, p.index, &gpa, &access) ||
		 spt_block_first(gpa >> SPT_PAGE_SHIFT, r->level) !=
			 spt_block_first(rmap->gfn, r->level))
		say(r, &p, rmap, "a leaf of another gfn");
	else if (audit_as_id(a, node) != r->as_id)
		say(r, &p, rmap, "a leaf of another address space");
	/* A leaf that the wrong map names is not without one. */
	if (node->level == r->level)
		r->named[node - a->m->nodes].bit[p.index / 64] |= 1ULL << p.index % 64;
}

static void check_leaves(struct rmaps *r, const struct spt_node *node)
{
	struct spt_tree_frame at = { .node = node, .end = SPT_TABLE_ENTRIES };
	const struct audit *a = r->a;
	uint64_t spte, gpa;
	unsigned int access;

	while (spt_tree_step(&at, a->f->empty, &spte)) {
		unsigned int index = at.index - 1;
		struct audit_place p = {
			.node = node, .index = index, .level = node->level, .spte = spte
		};

		if (spt_spte_type(a->f, spte, node->level) != SPT_SPTE_LEAF ||
		    !spt_node_translation(node, index, &gpa, &access) ||
		    !audit_in_range(a, gpa >> SPT_PAGE_SHIFT, spt_level_pages(node->level)))
			continue;
		r->part->checked[SPT_AUDIT_RMAP_LEAF]++;
		if (r->named[node - a->m->nodes].bit[index / 64] >> (index % 64) & 1)
			continue;
		p.gpa = gpa;
		audit_say(audit_found(a, r->part, SPT_AUDIT_RMAP_LEAF, &p), "a reverse map", "none",
			  "no reverse map of gfn 0x%llx names the leaf at 0x%llx",
			  (unsigned long long)gpa >> SPT_PAGE_SHIFT,
			  (unsigned long long)(node->hpa + index * sizeof(uint64_t)));
	}
}

int audit_rmaps(struct audit *a, struct audit_part *all)
{
	const struct spt_memslots *set = &a->m->memslots;
	struct rmaps r = { .a = a, .part = all };

	if (!(a->rules & (AUDIT_BIT(RMAP_LEAF) | AUDIT_BIT(RMAP_ENTRY))) ||
	    (!set->nr_rmaps && !audit_wants(a, SPT_AUDIT_RMAP_LEAF)))
		return 0;
	r.named = calloc(a->m->nr_nodes + 1, sizeof(*r.named));
	if (!r.named)
		return -ENOMEM;
	for (uint32_t s = 0; s < set->count; s++) {
		r.as_id = set->slots[s].slot->as_id;
		for (uint32_t i = 0; i < set->slots[s].nr_rmaps; i++) {
			const struct spt_rmaps *rmaps = set->rmaps[set->slots[s].first_rmaps + i];

			r.level = rmaps->level;
			for (uint32_t n = 0; n < rmaps->count; n++)
				check_rmap(&r, &rmaps->rmap[n]);
		}
	}
	for (uint32_t i = 0; audit_wants(a, SPT_AUDIT_RMAP_LEAF) && i < a->m->nr_nodes; i++)
		if (audit_looks_at(a, &a->m->nodes[i]) && audit_is_shadow(&a->m->nodes[i]) &&
		    !audit_dead(a, &a->m->nodes[i]))
			check_leaves(&r, &a->m->nodes[i]);
	free(r.named);
	return 0;
}
