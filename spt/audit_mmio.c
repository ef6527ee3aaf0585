// SPDX-License-Identifier: GPL-2.0
/*
 * MMIO entries: KVM's note that a gfn has no slot. They are forgotten by counting
 * the slots' generation up, not by removing them, so only those of the current
 * generation mean anything.
 */
#include <errno.h>
#include <stdlib.h>

#include "decoders/spte.h"
#include "spt/audit_engine.h"
#include "spt/tree.h"

#define FIRST_INTERNAL_SLOT 32764 /* KVM_USER_MEM_SLOTS: KVM's own ones are hidden from L2 */

static void check_gfn(struct audit *a, struct audit_part *part, const struct audit_place *p,
		      uint64_t have)
{
	uint64_t want = p->gpa >> SPT_PAGE_SHIFT;

	if (!p->node->direct || p->level > 1)
		return;
	part->checked[SPT_AUDIT_MMIO_GFN]++;
	if (have != want)
		audit_say(audit_found(a, part, SPT_AUDIT_MMIO_GFN, p),
			  audit_text("gfn 0x%llx", (unsigned long long)want).text,
			  audit_text("gfn 0x%llx", (unsigned long long)have).text,
			  "an MMIO entry says gfn 0x%llx at the place of 0x%llx",
			  (unsigned long long)have, (unsigned long long)want);
}

static void remember(struct audit_part *part, const struct audit_mmio *mmio)
{
	if (part->nr_mmio == part->mmio_room) {
		size_t room = part->mmio_room ? part->mmio_room * 2 : 64;
		struct audit_mmio *more = realloc(part->mmio, room * sizeof(*more));

		if (!more) {
			part->error = -ENOMEM;
			return;
		}
		part->mmio = more;
		part->mmio_room = room;
	}
	part->mmio[part->nr_mmio++] = *mmio;
}

void audit_mmio_entry(struct audit *a, struct audit_part *part, const struct audit_place *p)
{
	struct spt_spte s = spt_spte_decode(a->f, p->spte, p->level, spt_node_kind(a->m, p->node));
	unsigned int as_id = audit_as_id(a, p->node);
	uint64_t now = a->generation[as_id];
	struct audit_place at = *p;

	if (audit_dead(a, p->node))
		return;
	check_gfn(a, part, p, s.mmio_gfn);
	if (!p->node->direct)
		at.gpa = s.mmio_gfn << SPT_PAGE_SHIFT;
	if (now == ~0ULL)
		return;
	part->checked[SPT_AUDIT_MMIO_GENERATION]++;
	if (s.mmio_gen > now)
		audit_say(audit_found(a, part, SPT_AUDIT_MMIO_GENERATION, &at),
			  audit_text("at most %llu", (unsigned long long)now).text,
			  audit_text("%u", s.mmio_gen).text,
			  "an MMIO entry of generation %u, the slots are at %llu", s.mmio_gen,
			  (unsigned long long)now);
	if (s.mmio_gen == now && audit_in_range(a, s.mmio_gfn, 1))
		remember(part, &(struct audit_mmio){ .gfn = s.mmio_gfn,
						     .node = p->node,
						     .spte = p->spte,
						     .index = p->index,
						     .as_id = as_id });
}

static int by_gfn(const void *a, const void *b)
{
	const struct audit_mmio *x = a, *y = b;

	if (x->as_id != y->as_id)
		return x->as_id < y->as_id ? -1 : 1;
	return (x->gfn > y->gfn) - (x->gfn < y->gfn);
}

static size_t first_from(const struct audit_part *all, unsigned int as_id, uint64_t gfn)
{
	size_t low = 0, high = all->nr_mmio;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct audit_mmio *m = &all->mmio[mid];

		if (m->as_id < as_id || (m->as_id == as_id && m->gfn < gfn))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* A leaf of @pages frames from @gfn on maps what these entries call MMIO. */
static void mark(struct audit_part *all, unsigned int as_id, uint64_t gfn, uint64_t pages)
{
	for (size_t i = first_from(all, as_id, gfn); i < all->nr_mmio; i++) {
		struct audit_mmio *m = &all->mmio[i];

		if (m->as_id != as_id || m->gfn - gfn >= pages)
			return;
		m->mapped = true;
	}
}

/* Tables that map frames in order and have none of these are passed over. */
static void mark_table(const struct audit *a, struct audit_part *all, const struct spt_node *node)
{
	struct spt_tree_frame at = { .node = node, .end = SPT_TABLE_ENTRIES };
	uint64_t pages = spt_level_pages(node->level), gpa, spte;
	unsigned int as_id = audit_as_id(a, node), access;

	if (node->direct) {
		size_t i = first_from(all, as_id, audit_base(a, node));

		if (i == all->nr_mmio || all->mmio[i].as_id != as_id ||
		    all->mmio[i].gfn - audit_base(a, node) >= pages * SPT_TABLE_ENTRIES)
			return;
	}
	while (spt_tree_step(&at, a->f->empty, &spte)) {
		if (spt_spte_type(a->f, spte, node->level) != SPT_SPTE_LEAF)
			continue;
		if (node->direct)
			gpa = (audit_base(a, node) + (at.index - 1) * pages) << SPT_PAGE_SHIFT;
		else if (!spt_node_translation(node, at.index - 1, &gpa, &access))
			continue;
		mark(all, as_id,
		     spt_block_first((gpa & ~a->m->gpa_bits) >> SPT_PAGE_SHIFT, node->level),
		     pages);
	}
}

static void judge(struct audit *a, struct audit_part *all, const struct audit_mmio *m)
{
	const struct spt_memslot *slot = spt_memslot_find(&a->m->memslots, m->as_id, m->gfn);
	struct audit_place p = { .node = m->node,
				 .index = m->index,
				 .level = m->node->level,
				 .spte = m->spte,
				 .gpa = m->gfn << SPT_PAGE_SHIFT };

	if (slot && (slot->slot->id >= FIRST_INTERNAL_SLOT || slot->slot->flags & SPT_SLOT_INVALID))
		return;
	all->checked[SPT_AUDIT_MMIO_PRESENT]++;
	all->checked[SPT_AUDIT_MMIO_IN_SLOT]++;
	if (m->mapped)
		audit_say(audit_found(a, all, SPT_AUDIT_MMIO_PRESENT, &p), "no leaf", "a leaf",
			  "gfn 0x%llx has a valid MMIO entry and is mapped as well",
			  (unsigned long long)m->gfn);
	if (slot && !(m->mapped && audit_wants(a, SPT_AUDIT_MMIO_PRESENT)))
		audit_say(audit_found(a, all, SPT_AUDIT_MMIO_IN_SLOT, &p), "no slot",
			  audit_text("slot %d", slot->slot->id).text,
			  "a valid MMIO entry for gfn 0x%llx, which slot %d has",
			  (unsigned long long)m->gfn, slot->slot->id);
}

int audit_mmio(struct audit *a, struct audit_part *all)
{
	if (!all->nr_mmio || !(a->rules & (AUDIT_BIT(MMIO_PRESENT) | AUDIT_BIT(MMIO_IN_SLOT))))
		return 0;
	qsort(all->mmio, all->nr_mmio, sizeof(*all->mmio), by_gfn);
	for (uint32_t i = 0; audit_wants(a, SPT_AUDIT_MMIO_PRESENT) && i < a->m->nr_nodes; i++)
		if (audit_looks_at(a, &a->m->nodes[i]) && !audit_dead(a, &a->m->nodes[i]))
			mark_table(a, all, &a->m->nodes[i]);
	for (size_t i = 0; i < all->nr_mmio; i++)
		judge(a, all, &all->mmio[i]);
	return all->error;
}
