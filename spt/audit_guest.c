// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow tables against the guest's own, where those were saved with the image: an
 * entry of a page in sync translates as the guest's entry does. Entries of unsync
 * pages may be old until the guest flushes its TLB.
 */
#include "decoders/spte.h"
#include "spt/audit_engine.h"
#include "spt/tree.h"

#define PTE_PRESENT 1ULL
#define PTE_HUGE    (1ULL << 7)
#define EPT_RWX	    7ULL
#define PTE_ADDR    0x000ffffffffff000ULL
#define PTE_ADDR32  0xfffff000ULL

static uint64_t guest_word(const struct spt_guest_table *table, unsigned int index)
{
	unsigned int chunk = index / SPT_CHUNK_ENTRIES;
	uint64_t before = table->chunks & ((1ULL << chunk) - 1);

	if (!(table->chunks >> chunk & 1))
		return 0;
	return table->entry[__builtin_popcountll(before) * SPT_CHUNK_ENTRIES +
			    index % SPT_CHUNK_ENTRIES];
}

/* The guest's entry behind entry @index: two of 4 bytes share a word, see role.quadrant. */
static uint64_t guest_entry(const struct audit *a, const struct spt_node *node,
			    const struct spt_guest_table *table, unsigned int index)
{
	unsigned int quadrant = audit_role(a, node, SPT_ROLE_QUADRANT);

	if (!spt_role_4_byte_gpte(a->f->role, node->page->role))
		return guest_word(table, index);
	index = node->level == 1 ? quadrant * SPT_TABLE_ENTRIES + index
				 : quadrant * (SPT_TABLE_ENTRIES / 2) + index / 2;
	return guest_word(table, index / 2) >> (index % 2 * 32) & 0xffffffff;
}

/* The frame that the shadow entry stands for; false: it does not say. */
static bool shadow_gfn(const struct audit *a, const struct audit_place *p, uint64_t *gfn,
		       bool *huge)
{
	const struct spt_node *child;
	unsigned int access;

	if (spt_spte_type(a->f, p->spte, p->level) == SPT_SPTE_LEAF) {
		*huge = p->level > 1;
		return spt_node_translation(p->node, p->index, gfn, &access) &&
		       (*gfn >>= SPT_PAGE_SHIFT, true);
	}
	if (spt_spte_type(a->f, p->spte, p->level) != SPT_SPTE_TABLE)
		return false;
	child = spt_node_find(a->m, spt_spte_table_hpa(a->f, p->spte));
	if (!child || !child->page)
		return false;
	*huge = child->direct;
	*gfn = child->page->gfn;
	return true;
}

static void check_entry(struct audit *a, struct audit_part *all, const struct audit_place *p,
			const struct spt_guest_table *table)
{
	bool four = spt_role_4_byte_gpte(a->f->role, p->node->page->role), huge, guest_huge;
	bool ept = a->f->style == SPT_STYLE_EPT && audit_role(a, p->node, SPT_ROLE_GUEST_MODE);
	uint64_t gpte = guest_entry(a, p->node, table, p->index), gfn, want;

	if (!shadow_gfn(a, p, &gfn, &huge))
		return;
	guest_huge = p->level > 1 && gpte & PTE_HUGE;
	if (four && guest_huge)
		return; /* PSE-36 */
	all->checked[SPT_AUDIT_GUEST_PTE]++;
	want = (gpte & (four ? PTE_ADDR32 : PTE_ADDR)) >> SPT_PAGE_SHIFT;
	if (guest_huge)
		want = spt_block_first(want, p->level);
	if (gpte & (ept ? EPT_RWX : PTE_PRESENT) && huge == guest_huge && gfn == want)
		return;
	audit_say(audit_found(a, all, SPT_AUDIT_GUEST_PTE, p),
		  audit_text("guest entry 0x%llx", (unsigned long long)gpte).text,
		  audit_text("gfn 0x%llx%s", (unsigned long long)gfn, huge ? ", huge" : "").text,
		  "the shadow entry stands for gfn 0x%llx, the guest's entry is 0x%llx",
		  (unsigned long long)gfn, (unsigned long long)gpte);
}

void audit_guest_ptes(struct audit *a, struct audit_part *all)
{
	for (uint32_t i = 0; audit_wants(a, SPT_AUDIT_GUEST_PTE) && i < a->m->nr_nodes; i++) {
		const struct spt_node *node = &a->m->nodes[i];
		struct spt_tree_frame at = { .node = node, .end = SPT_TABLE_ENTRIES };
		const struct spt_guest_table *table;
		uint64_t spte;

		if (!audit_has_gptes(a, node) || audit_dead(a, node) ||
		    node->page->flags & SPT_PAGE_UNSYNC)
			continue;
		table = spt_model_guest_table(a->m, node->page->gfn << SPT_PAGE_SHIFT);
		while (table && spt_tree_step(&at, a->f->empty, &spte)) {
			struct audit_place p = { .node = node,
						 .index = at.index - 1,
						 .level = node->level,
						 .spte = spte,
						 .gpa = ~0ULL };

			check_entry(a, all, &p, table);
		}
	}
}
