// SPDX-License-Identifier: GPL-2.0
/*
 * Merging leaves. Within one table neighbours differ in their raw entry alone, so
 * that one masked compare decides; only at a table's edge, at a slot's end and at
 * special entries is the whole rule asked.
 */
#include <errno.h>
#include <string.h>

#include "spt/entry.h"
#include "spt/ranges.h"
#include "spt/ranges_rule.h"
#include "spt/vector.h"

const char *const spt_split_names[SPT_SPLIT_COUNT] = {
#define S(id, name) #name,
	SPT_SPLITS(S)
#undef S
};

int spt_split_parse(const char *text, unsigned int *ret, struct spt_error *err)
{
	*ret = 0;
	while (*text) {
		size_t len = strcspn(text, ",");
		int i;

		for (i = 0; i < SPT_SPLIT_COUNT; i++)
			if (strlen(spt_split_names[i]) == len &&
			    !memcmp(spt_split_names[i], text, len))
				break;
		if (i == SPT_SPLIT_COUNT)
			return spt_fail(
				err, EINVAL,
				"--split-by: no '%.*s'; there are level, perm, hpa, slot, type, nx, dirty, node",
				(int)(len < 32 ? len : 32), text);
		*ret |= 1U << i;
		text += len + (text[len] == ',');
	}
	if (!*ret)
		return spt_fail(err, EINVAL, "--split-by: empty list");
	return 0;
}

void spt_ranges_begin(struct spt_ranges *r, const struct spt_model *m,
		      const struct spt_root_ref *root, uint64_t start, uint64_t len,
		      unsigned int splits)
{
	const struct spt_format *f = &m->format;

	memset(r, 0, sizeof(*r));
	spt_tree_begin(&r->tree, m, root, start, len, SPT_TREE_LEAVES);
	r->splits = splits ? splits : SPT_SPLIT_DEFAULT;
	r->perm_mask = f->read | f->write | f->exec | f->user_exec;
	r->dirty_mask = f->dirty;
	r->accessed_mask = f->accessed;
	r->compare = SPT_SPTE_MMU_PRESENT;
	if (r->splits & SPT_SPLIT_PERM)
		r->compare |= r->perm_mask;
	if (r->splits & SPT_SPLIT_DIRTY)
		r->compare |= r->dirty_mask;
}

static const struct spt_memslot *gfn_slot(struct spt_ranges *r, unsigned int as_id, uint64_t gfn)
{
	const struct spt_memslot *last = r->slot;

	if (!last || last->slot->as_id != as_id || gfn - last->slot->base_gfn >= last->slot->npages)
		r->slot = spt_memslot_find(&r->tree.model->memslots, as_id, gfn);
	return r->slot;
}

/* The slot that backs an entry's first page; shadow paging: that of the guest frame. */
const struct spt_memslot *spt_range_slot(struct spt_ranges *r, const struct spt_entry *e)
{
	uint64_t gpa = e->gpa;
	unsigned int access;

	if (!spt_root_maps_gpa(e->root) &&
	    (e->type != SPT_SPTE_LEAF || !spt_node_translation(e->node, e->index, &gpa, &access)))
		return NULL;

	return gfn_slot(r, e->root->as_id, gpa >> SPT_PAGE_SHIFT);
}

/* The slot of @gpa; *@end becomes lower where the entries from @first on leave it. */
static const struct spt_memslot *slot_until(struct spt_ranges *r, const struct spt_sweep_table *t,
					    uint64_t gpa, unsigned int first, unsigned int *end)
{
	uint64_t gfn = gpa >> SPT_PAGE_SHIFT, stop = ~0ULL, pages;
	const struct spt_memslot *slot = gfn_slot(r, t->root->as_id, gfn), *next;
	unsigned int shift = spt_level_shift(t->node->level) - SPT_PAGE_SHIFT;

	if (slot) {
		stop = slot->slot->base_gfn + slot->slot->npages;
	} else {
		next = spt_memslot_from(&r->tree.model->memslots, t->root->as_id, gfn);
		if (next)
			stop = next->slot->base_gfn;
	}
	pages = stop - gfn;
	if (pages <= (uint64_t)(*end - first - 1) << shift)
		*end = first + ((pages + (1ULL << shift) - 1) >> shift);
	return slot;
}

const struct spt_memslot *spt_range_slot_until(struct spt_ranges *r,
					       const struct spt_sweep_table *t, unsigned int first,
					       unsigned int *end)
{
	return slot_until(r, t, spt_root_address(t->root, spt_sweep_address(t, first)), first, end);
}

const struct spt_memslot *spt_range_frames_until(struct spt_ranges *r,
						 const struct spt_sweep_table *t,
						 unsigned int first, unsigned int *end)
{
	unsigned int access;
	uint64_t gpa = 0;

	spt_node_translation(t->node, first, &gpa, &access);
	return slot_until(r, t, gpa, first, end);
}

static bool nx_disallowed(const struct spt_node *node)
{
	return node->page && node->page->flags & SPT_PAGE_NX_DISALLOWED;
}

/* Note what differs inside a range where it does not keep neighbours apart. */
static void note_difference(struct spt_ranges *r, uint64_t spte)
{
	uint64_t diff = spte ^ r->open.first_spte;

	r->open.mixed_perm |= (diff & r->perm_mask) != 0;
	r->open.mixed_dirty |= (diff & r->dirty_mask) != 0;
	r->open.mixed_accessed |= (diff & r->accessed_mask) != 0;
}

static uint64_t entry_hpa_end(const struct spt_entry *e)
{
	return e->type == SPT_SPTE_LEAF ? e->hpa + e->size : SPT_NO_HPA;
}

void spt_range_begin(struct spt_ranges *r, const struct spt_entry *e,
		     const struct spt_memslot *slot)
{
	r->open = (struct spt_range){
		.root = e->root,
		.slot = slot,
		.node = e->node,
		.gpa = e->gpa,
		.size = e->size,
		.hpa = e->hpa,
		.hpa_end = entry_hpa_end(e),
		.first_spte = e->spte,
		.last_spte = e->spte,
		.page_size = e->size,
		.pages = 1,
		.level = e->level,
		.type = e->type,
		.hpa_contiguous = e->type == SPT_SPTE_LEAF,
		.nx_disallowed = nx_disallowed(e->node),
	};
	r->have_open = true;
}

bool spt_range_continues(const struct spt_ranges *r, const struct spt_entry *e,
			 const struct spt_memslot *slot)
{
	const struct spt_range *o = &r->open;

	if (e->root != o->root)
		return false;
	if (e->gpa != o->gpa + o->size)
		return false;
	if (r->splits & SPT_SPLIT_TYPE && e->type != o->type)
		return false;
	if (r->splits & SPT_SPLIT_LEVEL && e->level != o->level)
		return false;
	if ((e->spte ^ o->last_spte) & r->compare)
		return false;
	if (r->splits & SPT_SPLIT_HPA && e->type == SPT_SPTE_LEAF && e->hpa != o->hpa_end)
		return false;
	if (r->splits & SPT_SPLIT_SLOT && slot != o->slot)
		return false;
	if (r->splits & SPT_SPLIT_NX && nx_disallowed(e->node) != o->nx_disallowed)
		return false;
	return true;
}

void spt_range_grow(struct spt_ranges *r, const struct spt_entry *e)
{
	struct spt_range *o = &r->open;

	o->hpa_contiguous &= e->type == SPT_SPTE_LEAF && e->hpa == o->hpa_end;
	o->hpa_end = entry_hpa_end(e);
	o->mixed_level |= e->level != o->level;
	note_difference(r, e->spte);
	o->last_spte = e->spte;
	o->size += e->size;
	o->pages++;
}

/* The entry that a frame is at; false at the frame's end and where a chunk is not stored. */
static inline bool peek(struct spt_tree_frame *f, uint64_t *spte)
{
	unsigned int in_row = f->index % SPT_CHUNK_ENTRIES;

	if (f->index >= f->end)
		return false;
	if (!in_row || !f->row) {
		if (!(f->node->chunks >> (f->index / SPT_CHUNK_ENTRIES) & 1))
			return false;
		f->row = spt_node_row(f->node, f->index / SPT_CHUNK_ENTRIES);
	}
	*spte = f->row[in_row];
	return true;
}

static uint64_t slot_end(const struct spt_memslot *slot)
{
	return (slot->slot->base_gfn + slot->slot->npages) << SPT_PAGE_SHIFT;
}

/*
 * Below a root whose addresses are no GPAs each leaf may be of another slot: how many guest
 * frames follow that of the entry before the frame's index, and which address that one is.
 */
static uint64_t frames_ahead(const struct spt_tree_frame *f, uint64_t *gpa, uint64_t room)
{
	unsigned int frames, access;

	frames = spt_node_frames_from(f->node, f->index - 1, room + 1);
	if (frames < 2 || !spt_node_translation(f->node, f->index - 1, gpa, &access))
		return 0;
	return frames - 1;
}

/*
 * After leaf @spte at @gpa: take its neighbours in the same table as long as they
 * are leaves of the same meaning and the same slot. Stops before the first that
 * is not; the tree goes on there.
 */
static void grow_in_table(struct spt_ranges *r, int level, uint64_t gpa, uint64_t spte)
{
	struct spt_tree_frame *f = &r->tree.stack[r->tree.depth - 1];
	uint64_t addr = r->tree.model->format.leaf_addr[level];
	struct spt_range *o = &r->open;
	uint64_t compare = spt_range_compare(r, level);
	unsigned int shift = spt_level_shift(level);
	uint64_t room = f->end - f->index, differ = 0, taken;
	uint64_t stored = spt_node_stored_from(f->node, f->index);

	if (r->splits & SPT_SPLIT_SLOT && !spt_root_maps_gpa(o->root))
		room = frames_ahead(f, &gpa, room);
	if (r->splits & SPT_SPLIT_SLOT && room && o->slot &&
	    (slot_end(o->slot) - gpa - 1) >> shift < room)
		room = (slot_end(o->slot) - gpa - 1) >> shift;
	else if (r->splits & SPT_SPLIT_SLOT && !o->slot)
		return;
	if (room > stored)
		room = stored;
	if (!room)
		return;
	/* What differs from the first entry is noted, so that is what they are compared with. */
	taken = spt_follow(spt_node_position(f->node, f->index), room,
			   (spte & addr) + (o->first_spte & ~addr) + (1ULL << shift), 1ULL << shift,
			   compare, &differ);
	if (!taken)
		return;
	f->index += taken;
	f->row = NULL;
	o->size += taken << shift;
	o->pages += taken;
	o->last_spte = spt_node_position(f->node, f->index)[-1];
	o->hpa_end = (o->last_spte & addr) + (1ULL << shift);
	o->hpa_contiguous &= !(differ & addr);
	o->mixed_perm |= (differ & r->perm_mask) != 0;
	o->mixed_dirty |= (differ & r->dirty_mask) != 0;
	o->mixed_accessed |= (differ & r->accessed_mask) != 0;
}

/*
 * The open range ended at a leaf that is its neighbour in the same table and slot,
 * but means something else: the usual end where memory is scattered. Give the
 * range and begin the next one in its place, without asking the tree.
 */
static bool next_in_table(struct spt_ranges *r, struct spt_range *ret)
{
	struct spt_range *o = &r->open;
	uint64_t spte, gpa = o->gpa + o->size;

	if (!r->have_open || !r->tree.depth || o->type != SPT_SPTE_LEAF || o->mixed_level)
		return false;
	if (!o->slot || !spt_root_maps_gpa(o->root))
		return false;

	struct spt_tree_frame *f = &r->tree.stack[r->tree.depth - 1];
	uint64_t bits = spt_leaf_bits(o->level);

	if (f->node != o->node || !peek(f, &spte) || (spte & bits) != bits)
		return false;
	if (gpa >= slot_end(o->slot))
		return false;
	*ret = *o;
	f->index++;
	o->gpa = gpa;
	o->size = o->page_size;
	o->hpa = spt_spte_leaf_hpa(&r->tree.model->format, spte, o->level);
	o->hpa_end = o->hpa + o->page_size;
	o->first_spte = o->last_spte = spte;
	o->pages = 1;
	o->hpa_contiguous = true;
	o->mixed_perm = o->mixed_dirty = o->mixed_accessed = false;
	grow_in_table(r, o->level, gpa, spte);
	return true;
}

bool spt_ranges_next(struct spt_ranges *r, struct spt_range *ret)
{
	const struct spt_entry *e;

	if (next_in_table(r, ret))
		return true;
	while ((e = spt_tree_next(&r->tree))) {
		const struct spt_memslot *slot;
		bool done = false;

		/* A table that is missing is no leaf; the tree gives it for its problem. */
		if (e->type == SPT_SPTE_TABLE)
			continue;
		slot = spt_range_slot(r, e);
		if (r->have_open && spt_range_continues(r, e, slot)) {
			spt_range_grow(r, e);
		} else {
			done = r->have_open;
			if (done)
				*ret = r->open;
			spt_range_begin(r, e, slot);
		}
		if (e->type == SPT_SPTE_LEAF)
			grow_in_table(r, e->level, e->gpa, e->spte);
		if (done)
			return true;
	}
	if (!r->have_open)
		return false;
	*ret = r->open;
	r->have_open = false;
	return true;
}
