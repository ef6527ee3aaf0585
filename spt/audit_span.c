// SPDX-License-Identifier: GPL-2.0
/* Writable leaves against what a slot knows of its frames, and tables of leaves as a whole. */
#include "spt/audit_address.h"

#define READONLY_SLOT (1U << 1) /* KVM_MEM_READONLY */

struct audit_place audit_leaf_place(const struct audit *a, const struct audit_leaves *l,
				    unsigned int index)
{
	return (struct audit_place){
		.node = l->node,
		.index = index,
		.level = 1,
		.spte = spt_node_entry(l->node, index),
		.gpa = ((l->gfn + index) << SPT_PAGE_SHIFT) & ~a->m->gpa_bits,
	};
}

/* The writable leaf at @gfn, if there is one. */
static bool writable_at(const struct audit *a, const struct audit_span *s, uint64_t gfn,
			struct audit_place *p)
{
	unsigned int index;

	if (s->place) {
		*p = *s->place;
		return true;
	}
	index = gfn - s->leaves->gfn;
	if (!(s->leaves->writable[index / 64] >> (index % 64) & 1))
		return false;
	*p = audit_leaf_place(a, s->leaves, index);
	return true;
}

static uint64_t count_writable(const struct audit_span *s)
{
	return s->place ? 1 : s->leaves->writables;
}

void audit_say_readonly(struct audit *a, const struct audit_span *s)
{
	audit_say(audit_found(a, s->part, SPT_AUDIT_W_READONLY_SLOT, s->place), "no W", "W",
		  "slot %d is read-only, SPTE 0x%llx allows writes", s->slot->slot->id,
		  (unsigned long long)s->place->spte);
}

static void say_tracked(struct audit *a, const struct audit_span *s, const struct audit_place *p,
			uint64_t gfn, uint64_t count)
{
	audit_say(audit_found(a, s->part, SPT_AUDIT_W_TRACKED, p), "no W",
		  audit_text("W, tracked %llu times", (unsigned long long)count).text,
		  "gfn 0x%llx is write-tracked, SPTE 0x%llx allows writes", (unsigned long long)gfn,
		  (unsigned long long)p->spte);
}

/* Frames of one run; a leaf of many frames is one breach. True: enough was said. */
static bool run_tracked(struct audit *a, const struct audit_span *s, const struct spt_run *run,
			uint64_t gfn, uint64_t pages)
{
	uint64_t from = run->gfn > gfn ? run->gfn : gfn;
	uint64_t end = run->gfn + run->npages < gfn + pages ? run->gfn + run->npages : gfn + pages;
	struct audit_place p;

	for (uint64_t g = from; run->value && g < end; g++) {
		if (!writable_at(a, s, g, &p))
			continue;
		say_tracked(a, s, &p, g, run->value);
		if (s->place)
			return true;
	}
	return false;
}

void audit_span_tracked(struct audit *a, const struct audit_span *s, uint64_t gfn, uint64_t pages)
{
	const struct spt_memslots *set = &a->m->memslots;

	s->part->checked[SPT_AUDIT_W_TRACKED] += count_writable(s);
	if (!audit_wants(a, SPT_AUDIT_W_TRACKED) || !audit_slot_facts(a, s->slot)->tracked)
		return;
	for (uint32_t i = 0; i < s->slot->nr_runs; i++) {
		const struct spt_runs *runs = set->runs[s->slot->first_runs + i];

		if (runs->kind != SPT_RUN_WRITE_TRACK || !runs->count ||
		    runs->run[0].gfn >= gfn + pages)
			continue;
		for (uint32_t r = 0; r < runs->count && runs->run[r].gfn < gfn + pages; r++)
			if (runs->run[r].gfn + runs->run[r].npages > gfn &&
			    run_tracked(a, s, &runs->run[r], gfn, pages))
				return;
	}
}

/* The first guest table in sync at or above the frame. */
static size_t first_synced(const struct audit *a, unsigned int as_id, uint64_t gfn)
{
	size_t low = 0, high = a->nr_synced;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct audit_synced *t = &a->synced[mid];

		if (t->as_id < as_id || (t->as_id == as_id && t->gfn < gfn))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void audit_span_synced(struct audit *a, const struct audit_span *s, uint64_t gfn, uint64_t pages)
{
	unsigned int as_id = audit_as_id(a, s->node);

	if (!audit_wants(a, SPT_AUDIT_UNSYNC_WRITABLE))
		return;
	s->part->checked[SPT_AUDIT_UNSYNC_WRITABLE] += count_writable(s);
	for (size_t i = first_synced(a, as_id, gfn); i < a->nr_synced; i++) {
		const struct audit_synced *t = &a->synced[i];
		struct audit_place p;

		if (t->as_id != as_id || t->gfn >= gfn + pages)
			return;
		if (!writable_at(a, s, t->gfn, &p))
			continue;
		audit_say(
			audit_found(a, s->part, SPT_AUDIT_UNSYNC_WRITABLE, &p), "no W", "W",
			"gfn 0x%llx is a guest table whose shadow page at 0x%llx is in sync, SPTE 0x%llx allows writes",
			(unsigned long long)t->gfn, (unsigned long long)a->m->nodes[t->node].hpa,
			(unsigned long long)p.spte);
		if (s->place)
			return;
	}
}

static void say_clean(struct audit *a, const struct audit_span *s, const struct audit_place *p,
		      uint64_t gfn)
{
	audit_say(audit_found(a, s->part, SPT_AUDIT_W_DIRTY_LOG, p), "dirty, or no W", "W, clean",
		  "slot %d logs writes, gfn 0x%llx is clean, SPTE 0x%llx allows writes",
		  s->slot->slot->id, (unsigned long long)gfn, (unsigned long long)p->spte);
}

/* Writable leaves of 64 frames of a table. */
static uint64_t writable_word(const struct audit_span *s, uint64_t gfn)
{
	return s->place ? ~0ULL : s->leaves->writable[(gfn - s->leaves->gfn) / 64];
}

void audit_span_dirty(struct audit *a, const struct audit_span *s, uint64_t gfn, uint64_t pages)
{
	struct audit_place p;

	if (!audit_wants(a, SPT_AUDIT_W_DIRTY_LOG))
		return;
	s->part->checked[SPT_AUDIT_W_DIRTY_LOG] += count_writable(s);
	for (uint64_t g = gfn; g < gfn + pages; g += 64) {
		uint64_t left = gfn + pages - g;
		uint64_t want = writable_word(s, g) & (left < 64 ? (1ULL << left) - 1 : ~0ULL);

		if (!want)
			continue;
		want &= ~spt_memslot_dirty_word(&a->m->memslots, s->slot, g);
		for (; want; want &= want - 1) {
			uint64_t clean = g + __builtin_ctzll(want);

			if (!writable_at(a, s, clean, &p))
				continue;
			say_clean(a, s, &p, clean);
			if (s->place)
				return;
		}
	}
}

/* Leaf by leaf: at a slot's edge, and where the kind of VM asks for more. */
static void each_leaf(struct audit *a, struct audit_part *part, const struct audit_leaves *l)
{
	for (unsigned int i = 0; i < SPT_TABLE_ENTRIES; i++) {
		struct audit_place p;

		if (!(l->leaf[i / 64] >> (i % 64) & 1))
			continue;
		p = audit_leaf_place(a, l, i);
		audit_leaf(a, part, &p);
	}
}

static void table_readonly(struct audit *a, struct audit_span *s)
{
	for (unsigned int i = 0; i < SPT_TABLE_ENTRIES; i++) {
		struct audit_place p;
		struct audit_span one = *s;

		if (!(s->leaves->writable[i / 64] >> (i % 64) & 1))
			continue;
		p = audit_leaf_place(a, s->leaves, i);
		one.place = &p;
		audit_say_readonly(a, &one);
	}
}

void audit_leaves(struct audit *a, struct audit_part *part, const struct audit_leaves *l)
{
	struct audit_span s = { .part = part, .node = l->node, .leaves = l, .gfn = l->gfn };
	uint64_t writable = l->writables;

	if (audit_dead(a, l->node) || !(a->m->image.head.req_parts & SPT_PART_MEMSLOTS))
		return;
	s.pages = SPT_TABLE_ENTRIES;
	s.slot = audit_slot_of(a, part, audit_as_id(a, l->node), l->gfn);
	if (!s.slot || l->gfn + s.pages > s.slot->slot->base_gfn + s.slot->slot->npages ||
	    audit_slot_facts(a, s.slot)->private_pages || audit_is_shadow(l->node) ||
	    a->m->gpa_bits) {
		each_leaf(a, part, l);
		return;
	}
	part->checked[SPT_AUDIT_LEAF_SLOT] += l->leaves;
	part->checked[SPT_AUDIT_W_READONLY_SLOT] += writable;
	if (writable) {
		if (s.slot->slot->flags & READONLY_SLOT)
			table_readonly(a, &s);
		audit_span_tracked(a, &s, l->gfn, s.pages);
		audit_span_synced(a, &s, l->gfn, s.pages);
		if (audit_slot_facts(a, s.slot)->dirty_bits)
			audit_span_dirty(a, &s, l->gfn, s.pages);
	}
	audit_host_table(a, part, l, s.slot);
}
