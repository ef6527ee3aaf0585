// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/role.h"
#include "spt/diff_pairs.h"
#include "spt/entry.h"

static bool same_role(const struct spt_model *m, const struct spt_root_ref *a,
		      const struct spt_model *n, const struct spt_root_ref *b)
{
	for (int i = 0; i < SPT_ROLE_COUNT; i++) {
		if (i == SPT_ROLE_INVALID)
			continue;
		/* A bit that only one kernel has says nothing. */
		if (spt_role_has(m->format.role, i) && spt_role_has(n->format.role, i) &&
		    spt_role_get(m->format.role, a->role, i) !=
			    spt_role_get(n->format.role, b->role, i))
			return false;
	}
	return true;
}

/* Whether two roots are for the same. */
static bool same_purpose(const struct spt_model *m, const struct spt_root_ref *a,
			 const struct spt_model *n, const struct spt_root_ref *b)
{
	if (a->kind != b->kind || a->as_id != b->as_id || a->level != b->level ||
	    a->valid != b->valid || !a->page != !b->page)
		return false;
	if (!a->page)
		return a->node && b->node && a->node->raw_kind == b->node->raw_kind &&
		       a->node->raw_vcpu == b->node->raw_vcpu &&
		       spt_root_base(a) == spt_root_base(b);
	/* Below a raw root there may be one for each piece of the address space. */
	return same_role(m, a, n, b) && a->page->gfn == b->page->gfn;
}

static bool counts(const struct spt_diff *diff, const struct spt_root_ref *root)
{
	/* What is behind a mirror changes with it. */
	return (root->valid && root->kind != SPT_ROOT_EXTERNAL) || diff->flags & SPT_DIFF_ALL;
}

/* The root of 'after' that @root is, and that is no other's; the one at its place first. */
static const struct spt_root_ref *partner(const struct spt_diff *diff,
					  const struct spt_root_ref *root, const bool *taken)
{
	const struct spt_model *m = diff->after;
	const struct spt_root_ref *found = NULL;

	for (uint32_t i = 0; i < m->nr_roots; i++) {
		const struct spt_root_ref *other = &m->roots[i];

		if (taken[i] || !counts(diff, other) || !same_purpose(diff->before, root, m, other))
			continue;
		if (other->hpa == root->hpa)
			return other;
		if (!found)
			found = other;
	}
	return found;
}

int spt_diff_pairs_find(struct spt_diff_pairs *pairs, const struct spt_diff *diff)
{
	uint32_t room = diff->before->nr_roots + diff->after->nr_roots;
	bool *taken = calloc(diff->after->nr_roots + 1, sizeof(*taken));

	pairs->count = 0;
	pairs->pair = calloc(room + 1, sizeof(*pairs->pair));
	if (!taken || !pairs->pair) {
		free(taken);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < diff->before->nr_roots; i++) {
		const struct spt_root_ref *root = &diff->before->roots[i], *other;

		if (!counts(diff, root))
			continue;
		other = partner(diff, root, taken);
		if (other)
			taken[other - diff->after->roots] = true;
		pairs->pair[pairs->count++] = (struct spt_diff_pair){ { root, other } };
	}
	for (uint32_t i = 0; i < diff->after->nr_roots; i++)
		if (!taken[i] && counts(diff, &diff->after->roots[i]))
			pairs->pair[pairs->count++] =
				(struct spt_diff_pair){ { NULL, &diff->after->roots[i] } };
	free(taken);
	return 0;
}

void spt_diff_pairs_deinit(struct spt_diff_pairs *pairs)
{
	free(pairs->pair);
	pairs->pair = NULL;
	pairs->count = 0;
}

bool spt_diff_pair_changed(const struct spt_diff_pair *pair)
{
	const struct spt_root_ref *a = pair->root[0], *b = pair->root[1];

	return !a || !b || a->hpa != b->hpa || (a->page && a->page->sp != b->page->sp);
}

/* KVM's own marks on a slot that is being changed are of the moment. */
#define SLOT_FLAGS 0xffffU

static bool same_slot(const struct spt_slot *a, const struct spt_slot *b)
{
	return a->base_gfn == b->base_gfn && a->npages == b->npages && a->hva == b->hva &&
	       a->gmem_file == b->gmem_file && a->gmem_pgoff == b->gmem_pgoff &&
	       !((a->flags ^ b->flags) & SLOT_FLAGS);
}

/* @at: where it may be; becomes the place behind it. Two moments have most slots in one order. */
static const struct spt_memslot *slot_by_id(const struct spt_model *m, const struct spt_slot *like,
					    uint32_t *at)
{
	const struct spt_memslots *set = &m->memslots;

	for (uint32_t n = 0; n < set->count; n++) {
		uint32_t i = (*at + n) % set->count;

		if (set->slots[i].slot->id != like->id || set->slots[i].slot->as_id != like->as_id)
			continue;
		*at = i + 1;
		return &set->slots[i];
	}
	return NULL;
}

static int give_slot(const struct spt_memslot *before, const struct spt_memslot *after,
		     int (*emit)(void *arg, const struct spt_change *c), void *arg, uint64_t *count)
{
	const struct spt_memslot *place = after ? after : before;
	const struct spt_slot *slot = place ? place->slot : NULL;

	if (!slot)
		return 0;

	struct spt_change c = {
		.kind = SPT_CHANGE_SLOT,
		.gpa = slot->base_gfn << SPT_PAGE_SHIFT,
		.size = slot->npages << SPT_PAGE_SHIFT,
		.slot_before = before,
		.slot_after = after,
	};

	(*count)++;
	return emit(arg, &c);
}

/* Of an image that has only those of a range, a slot beyond it is not gone. */
static bool speaks_of(const struct spt_model *m, const struct spt_slot *slot)
{
	const struct spt_head *head = &m->image.head;
	uint64_t start = slot->base_gfn << SPT_PAGE_SHIFT;
	uint64_t last = start + (slot->npages << SPT_PAGE_SHIFT) - 1;

	if (!m->image.count[SPT_REC_SLOT] && !(head->req_parts & SPT_PART_MEMSLOTS))
		return false;
	return !head->req_len ||
	       (last >= head->req_start && start <= head->req_start + head->req_len - 1);
}

static bool in_range(const struct spt_diff *diff, const struct spt_slot *slot)
{
	uint64_t start = slot->base_gfn << SPT_PAGE_SHIFT;
	uint64_t last = start + (slot->npages << SPT_PAGE_SHIFT) - 1;

	return !diff->len || (last >= diff->start && start <= diff->start + diff->len - 1);
}

int spt_diff_slots(const struct spt_diff *diff, int (*emit)(void *arg, const struct spt_change *c),
		   void *arg, uint64_t *count)
{
	uint32_t at_after = 0, at_before = 0;
	int ret = 0;

	for (uint32_t i = 0; !ret && i < diff->before->memslots.count; i++) {
		const struct spt_memslot *a = &diff->before->memslots.slots[i];
		const struct spt_memslot *b = slot_by_id(diff->after, a->slot, &at_after);

		if (!in_range(diff, a->slot) && !(b && in_range(diff, b->slot)))
			continue;
		if (!b && !speaks_of(diff->after, a->slot))
			continue;
		if (!b || !same_slot(a->slot, b->slot))
			ret = give_slot(a, b, emit, arg, count);
	}
	for (uint32_t i = 0; !ret && i < diff->after->memslots.count; i++) {
		const struct spt_memslot *b = &diff->after->memslots.slots[i];

		if (in_range(diff, b->slot) && !slot_by_id(diff->before, b->slot, &at_before) &&
		    speaks_of(diff->before, b->slot))
			ret = give_slot(NULL, b, emit, arg, count);
	}
	return ret;
}
