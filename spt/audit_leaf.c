// SPDX-License-Identifier: GPL-2.0
/* One leaf, wherever it stands, against its slot, the slot's counts and the guest's tables. */
#include "decoders/spte.h"
#include "spt/audit_address.h"
#include "spt/verdict.h"

#define READONLY_SLOT (1U << 1) /* KVM_MEM_READONLY */

/* A leaf while its rules are gone through. */
struct leaf {
	const struct audit_place *p;
	uint64_t gfn, pages;
	const struct spt_memslot *slot;
	const struct audit_slot *facts;
	bool writable, mmu_writable;
};

static void check_aligned(struct audit *a, struct audit_part *part, const struct leaf *l)
{
	const struct spt_format *f = a->f;
	uint64_t low = l->p->spte & f->addr & ~f->leaf_addr[l->p->level];

	part->checked[SPT_AUDIT_HUGE_ALIGNED]++;
	if (low)
		audit_say(
			audit_found(a, part, SPT_AUDIT_HUGE_ALIGNED, l->p),
			audit_text("a multiple of 0x%llx", (unsigned long long)l->pages << 12).text,
			audit_text("0x%llx", (unsigned long long)(l->p->spte & f->addr)).text,
			"a page of 0x%llx bytes begins at 0x%llx",
			(unsigned long long)l->pages << 12,
			(unsigned long long)(l->p->spte & f->addr));
}

static bool check_huge_slot(struct audit *a, struct audit_part *part, const struct leaf *l)
{
	const struct spt_slot *slot = l->slot->slot;

	part->checked[SPT_AUDIT_HUGE_SLOT]++;
	if (!spt_slot_cuts(slot, l->gfn, l->p->level))
		return true;
	audit_say(audit_found(a, part, SPT_AUDIT_HUGE_SLOT, l->p),
		  audit_text("gfns 0x%llx-0x%llx", (unsigned long long)slot->base_gfn,
			     (unsigned long long)(slot->base_gfn + slot->npages - 1))
			  .text,
		  audit_text("gfns 0x%llx-0x%llx", (unsigned long long)l->gfn,
			     (unsigned long long)(l->gfn + l->pages - 1))
			  .text,
		  "a leaf of 0x%llx pages reaches past the end of slot %d",
		  (unsigned long long)l->pages, slot->id);
	return false;
}

static bool check_huge_hva(struct audit *a, struct audit_part *part, const struct leaf *l)
{
	const struct spt_slot *slot = l->slot->slot;

	if (slot->flags & SPT_SLOT_GMEM_ONLY)
		return true;
	part->checked[SPT_AUDIT_HUGE_HVA]++;
	if (!spt_slot_misaligned(slot, l->p->level))
		return true;
	audit_say(audit_found(a, part, SPT_AUDIT_HUGE_HVA, l->p), "congruent",
		  audit_text("gfn 0x%llx, HVA 0x%llx", (unsigned long long)slot->base_gfn,
			     (unsigned long long)slot->hva)
			  .text,
		  "slot %d is not aligned for pages of level %d, and this is one", slot->id,
		  l->p->level);
	return false;
}

/*
 * Write tracking forbids huge pages from then on, but only write-protects those that
 * are there; memory attributes zap them.
 */
static void check_disallowed(struct audit *a, struct audit_part *part, const struct leaf *l)
{
	uint64_t count = 0;

	if (!audit_wants(a, SPT_AUDIT_HUGE_DISALLOWED) || !audit_covers(a, l->gfn))
		return;
	part->checked[SPT_AUDIT_HUGE_DISALLOWED]++;
	spt_memslot_run(&a->m->memslots, l->slot, spt_lpage_kind(l->p->level), l->gfn, &count);
	if (!count || !(count & SPT_LPAGE_MIXED_FLAG || l->writable || l->mmu_writable))
		return;
	audit_say(audit_found(a, part, SPT_AUDIT_HUGE_DISALLOWED, l->p), "disallow_lpage 0",
		  audit_text("disallow_lpage 0x%llx", (unsigned long long)count).text,
		  "a page of level %d where disallow_lpage is 0x%llx", l->p->level,
		  (unsigned long long)count);
}

/* Whether all of the leaf's frames have the attributes of the first. */
static bool attrs_uniform(const struct audit *a, const struct leaf *l, uint64_t *differs)
{
	const struct spt_model *m = a->m;
	uint64_t first, last = l->gfn + l->pages - 1;

	spt_model_attrs(m, l->gfn, &first);
	for (uint32_t i = 0; i < m->nr_attrs; i++) {
		for (uint32_t r = 0; r < m->attrs[i]->count; r++) {
			const struct spt_run *run = &m->attrs[i]->run[r];
			uint64_t end = run->gfn + run->npages - 1;

			if (run->gfn > last || end < l->gfn || !run->npages)
				continue;
			*differs = run->value != first	 ? (run->gfn > l->gfn ? run->gfn : l->gfn)
				   : end < last && first ? end + 1
							 : run->gfn;
			if (run->value != first)
				return false;
			/* What follows this run has other attributes unless the next run has them.
			 */
			if (end < last && first) {
				uint64_t next;

				spt_model_attrs(m, end + 1, &next);
				if (next != first)
					return false;
			}
		}
	}
	return true;
}

static bool check_attrs(struct audit *a, struct audit_part *part, const struct leaf *l)
{
	uint64_t differs = 0;

	if (!audit_wants(a, SPT_AUDIT_HUGE_ATTRS) || a->m->image.head.req_len)
		return true; /* an image of a range has the attributes of the range */
	part->checked[SPT_AUDIT_HUGE_ATTRS]++;
	if (attrs_uniform(a, l, &differs))
		return true;
	audit_say(audit_found(a, part, SPT_AUDIT_HUGE_ATTRS, l->p), "equal attributes",
		  audit_text("gfn 0x%llx differs", (unsigned long long)differs).text,
		  "memory attributes differ within a page of level %d, at gfn 0x%llx", l->p->level,
		  (unsigned long long)differs);
	return false;
}

static void check_attrs_root(struct audit *a, struct audit_part *part, const struct leaf *l)
{
	bool mirror = l->p->node->mirror;
	uint64_t attrs;

	if (!audit_wants(a, SPT_AUDIT_ATTRS_ROOT) || !audit_covers(a, l->gfn))
		return;
	part->checked[SPT_AUDIT_ATTRS_ROOT]++;
	spt_model_attrs(a->m, l->gfn, &attrs);
	if (!(attrs & SPT_ATTR_PRIVATE) == !mirror)
		return;
	audit_say(audit_found(a, part, SPT_AUDIT_ATTRS_ROOT, l->p),
		  attrs & SPT_ATTR_PRIVATE ? "the mirror root" : "the shared root",
		  mirror ? "the mirror root" : "the shared root",
		  "gfn 0x%llx is %s, but the %s root maps it", (unsigned long long)l->gfn,
		  attrs & SPT_ATTR_PRIVATE ? "private" : "shared", mirror ? "mirror" : "shared");
}

static void check_huge(struct audit *a, struct audit_part *part, const struct leaf *l)
{
	if (check_huge_slot(a, part, l) && check_huge_hva(a, part, l) && check_attrs(a, part, l))
		check_disallowed(a, part, l);
}

static void check_writable(struct audit *a, struct audit_part *part, const struct leaf *l)
{
	struct audit_span span = { .part = part,
				   .place = l->p,
				   .node = l->p->node,
				   .slot = l->slot,
				   .gfn = l->gfn,
				   .pages = l->pages };

	part->checked[SPT_AUDIT_W_READONLY_SLOT]++;
	if (l->slot->slot->flags & READONLY_SLOT)
		audit_say_readonly(a, &span);
	audit_span_tracked(a, &span, l->gfn, l->pages);
	audit_span_synced(a, &span, l->gfn, l->pages);
	if (l->facts->dirty_bits ||
	    (l->facts->dirty_log &&
	     (l->p->level > 1 || spt_bits_extract(a->f->ad_type, l->p->spte) != SPT_AD_ENABLED)))
		audit_span_dirty(a, &span, l->gfn, l->pages);
}

/* ACC_* bits of a role's access field or a translation, by the layout that has them. */
static unsigned int leaf_access(const struct audit *a, uint64_t spte, const struct spt_node *node)
{
	const struct spt_format *f = a->f;
	bool wide = f->layout == SPT_LAYOUT_ACCESS4;
	unsigned int need = 0;

	(void)node;
	if (spte & f->write)
		need |= 2;
	if (f->style == SPT_STYLE_PT && spte & f->user)
		need |= 4;
	if ((spte ^ f->nx) & f->exec)
		need |= wide ? 8 : 1;
	return need;
}

static void check_access(struct audit *a, struct audit_part *part, const struct audit_place *p)
{
	unsigned int width = a->f->role[SPT_ROLE_ACCESS].width, have = 0, need;
	uint64_t gpa;

	if (!audit_wants(a, SPT_AUDIT_SHADOW_ACCESS) || !audit_is_shadow(p->node))
		return;
	if (p->node->direct)
		have = audit_role(a, p->node, SPT_ROLE_ACCESS);
	else if (!spt_node_translation(p->node, p->index, &gpa, &have))
		return;
	have &= (1U << width) - 1;
	need = leaf_access(a, p->spte, p->node);
	part->checked[SPT_AUDIT_SHADOW_ACCESS]++;
	if (need & ~have)
		audit_say(audit_found(a, part, SPT_AUDIT_SHADOW_ACCESS, p),
			  audit_text("at most access 0x%x", have).text,
			  audit_text("access 0x%x", need).text,
			  "SPTE 0x%llx allows access 0x%x, the guest's tables 0x%x",
			  (unsigned long long)p->spte, need, have);
}

static void check_slot(struct audit *a, struct audit_part *part, const struct leaf *l)
{
	part->checked[SPT_AUDIT_LEAF_SLOT]++;
	if (!l->slot)
		audit_say(audit_found(a, part, SPT_AUDIT_LEAF_SLOT, l->p), "a memory slot", "none",
			  "gfn 0x%llx is mapped to 0x%llx, and no slot has it",
			  (unsigned long long)l->gfn,
			  (unsigned long long)spt_spte_leaf_hpa(a->f, l->p->spte, l->p->level));
}

void audit_leaf(struct audit *a, struct audit_part *part, const struct audit_place *p)
{
	struct leaf l = { .p = p, .pages = spt_level_pages(p->level) };

	check_access(a, part, p);
	if (p->level > 1 && audit_wants(a, SPT_AUDIT_HUGE_ALIGNED)) {
		l.gfn = p->gpa >> SPT_PAGE_SHIFT;
		check_aligned(a, part, &l);
	}
	if (p->gpa == ~0ULL || audit_dead(a, p->node) ||
	    !(a->m->image.head.req_parts & SPT_PART_MEMSLOTS))
		return;
	l.gfn = spt_block_first(p->gpa >> SPT_PAGE_SHIFT, p->level);
	if (!p->node->direct && !audit_in_range(a, l.gfn, l.pages))
		return;
	l.slot = audit_slot_of(a, part, audit_as_id(a, p->node), p->gpa >> SPT_PAGE_SHIFT);
	check_slot(a, part, &l);
	if (!l.slot)
		return;
	l.facts = audit_slot_facts(a, l.slot);
	l.writable = p->spte & a->f->write;
	l.mmu_writable = p->spte & a->f->mmu_writable;
	if (p->level > 1)
		check_huge(a, part, &l);
	check_attrs_root(a, part, &l);
	audit_private_leaf(a, part, p, l.slot);
	if (l.writable)
		check_writable(a, part, &l);
	audit_host_leaf(a, part, p, l.slot);
}
