// SPDX-License-Identifier: GPL-2.0
/* What an audit asks of a table, and the rules that its kvm_mmu_page alone decides. */
#include "spt/audit_engine.h"

const struct spt_root_ref *audit_root(const struct audit *a, const struct spt_node *node)
{
	for (uint32_t i = 0; i < a->m->nr_roots; i++) {
		const struct spt_root_ref *root = &a->m->roots[i];

		if (root->node == node ||
		    (node->root_sp && root->page && root->page->sp == node->root_sp))
			return root;
	}
	return NULL;
}

bool audit_dead(const struct audit *a, const struct spt_node *node)
{
	const struct spt_root_ref *root;

	if (audit_role(a, node, SPT_ROLE_INVALID))
		return true;
	if (audit_is_shadow(node))
		return a->valid_gen != ~0ULL && node->page->mmu_valid_gen != a->valid_gen;
	root = audit_root(a, node);
	return root && !root->valid;
}

unsigned int audit_as_id(const struct audit *a, const struct spt_node *node)
{
	return audit_role(a, node, SPT_ROLE_SMM) ? 1 : 0;
}

bool audit_has_gptes(const struct audit *a, const struct spt_node *node)
{
	return audit_is_shadow(node) && !node->direct && !audit_role(a, node, SPT_ROLE_PASSTHROUGH);
}

static void check_backlink(struct audit *a, struct audit_part *part, const struct audit_place *p)
{
	const struct spt_page *page = p->node->page;

	if (!(page->known & SPT_PAGE_BACKLINK_BAD))
		return;
	part->checked[SPT_AUDIT_BACKLINK]++;
	if (page->flags & SPT_PAGE_BACKLINK_BAD)
		audit_say(audit_found(a, part, SPT_AUDIT_BACKLINK, p),
			  audit_text("0x%llx", (unsigned long long)page->sp).text, "something else",
			  "page_private of the table at 0x%llx does not name its kvm_mmu_page",
			  (unsigned long long)page->hpa);
}

static void check_nx(struct audit *a, struct audit_part *part, const struct audit_place *p)
{
	const struct spt_page *page = p->node->page;
	const uint32_t both = SPT_PAGE_NX_LINKED | SPT_PAGE_NX_DISALLOWED;

	if ((page->known & both) != both)
		return;
	part->checked[SPT_AUDIT_NX_LIST]++;
	if ((page->flags & both) == SPT_PAGE_NX_LINKED)
		audit_say(
			audit_found(a, part, SPT_AUDIT_NX_LIST, p), "nx_huge_page_disallowed",
			"not set",
			"the table at 0x%llx is on the list of possible NX huge pages, but does not forbid one",
			(unsigned long long)page->hpa);
}

static void check_unsync(struct audit *a, struct audit_part *part, const struct audit_place *p)
{
	const struct spt_node *node = p->node;

	if (!audit_is_shadow(node) || !audit_wants(a, SPT_AUDIT_UNSYNC_PAGE))
		return;
	part->checked[SPT_AUDIT_UNSYNC_PAGE]++;
	if (!(node->page->flags & SPT_PAGE_UNSYNC) ||
	    (node->level == 1 && audit_has_gptes(a, node)))
		return;
	audit_say(audit_found(a, part, SPT_AUDIT_UNSYNC_PAGE, p), "in sync", "unsync",
		  node->level == 1
			  ? "the shadow page at 0x%llx is unsync and shadows no guest table"
			  : "the shadow page at 0x%llx is unsync and above level 1",
		  (unsigned long long)node->hpa);
}

static void check_tracked(struct audit *a, struct audit_part *part, const struct audit_place *p)
{
	const struct spt_node *node = p->node;
	const struct spt_memslot *slot;
	uint64_t count = 0;

	if (!audit_wants(a, SPT_AUDIT_SHADOW_TRACKED) || node->level == 1 ||
	    !audit_has_gptes(a, node) || audit_dead(a, node) || !audit_covers(a, node->page->gfn))
		return;
	slot = spt_memslot_find(&a->m->memslots, audit_as_id(a, node), node->page->gfn);
	if (!slot)
		return;
	part->checked[SPT_AUDIT_SHADOW_TRACKED]++;
	spt_memslot_run(&a->m->memslots, slot, SPT_RUN_WRITE_TRACK, node->page->gfn, &count);
	if (count)
		return;
	audit_say(audit_found(a, part, SPT_AUDIT_SHADOW_TRACKED, p), "write-tracked", "not tracked",
		  "gfn 0x%llx holds a guest table of level %d that is shadowed at 0x%llx",
		  (unsigned long long)node->page->gfn, node->level, (unsigned long long)node->hpa);
}

static void count_table(struct audit *a, struct audit_part *part, const struct spt_node *node)
{
	const struct spt_page *page = node->page;

	if (audit_is_shadow(node)) {
		part->tables.shadow++;
		part->tables.indirect +=
			audit_has_gptes(a, node) && !audit_role(a, node, SPT_ROLE_INVALID);
	} else if (node->root_sp != page->sp) {
		part->tables.tdp++;
	}
	part->tables.knows_nx |= !!(page->known & SPT_PAGE_NX_LINKED);
	part->tables.nx += !!(page->flags & SPT_PAGE_NX_LINKED);
	part->tables.aliens |= !!(a->linked[node - a->m->nodes] & AUDIT_ALIEN);
}

void audit_table_facts(struct audit *a, struct audit_part *part, const struct spt_node *node)
{
	struct audit_place p = { .node = node, .gpa = ~0ULL };

	if (!node->page || a->linked[node - a->m->nodes] & AUDIT_AGAIN)
		return;
	count_table(a, part, node);
	if (node->direct)
		p.gpa = audit_base(a, node) << SPT_PAGE_SHIFT;
	if (node->direct &&
	    !audit_in_range(a, audit_base(a, node), spt_level_pages(node->level + 1)))
		return;
	check_backlink(a, part, &p);
	check_nx(a, part, &p);
	check_unsync(a, part, &p);
	check_tracked(a, part, &p);
}
