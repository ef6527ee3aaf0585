// SPDX-License-Identifier: GPL-2.0
#include "tui/map_cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spt/entry.h"

#define TABLES_A_LOOK 256 /* between two looks at the clock: about a millisecond */

void map_cells_init(struct map_cells *w)
{
	memset(w, 0, sizeof(*w));
}

static void forget_covers(struct map_cells *w)
{
	if (w->have_covers)
		spt_covers_deinit(&w->covers);
	w->have_covers = false;
}

void map_cells_deinit(struct map_cells *w)
{
	forget_covers(w);
	spt_numa_free(&w->numa);
	free(w->cell);
	map_cells_init(w);
}

static int make_covers(struct map_cells *w, struct tui *t)
{
	int rc;

	if (w->want_nodes && !w->numa_read && t->subject.live) {
		spt_numa_read(NULL, &w->numa);
		w->numa_read = true;
	}
	rc = spt_covers_init(&w->covers, tui_model(t),
			     w->want_nodes && t->subject.live ? &w->numa : NULL, t->subject.live);
	w->have_covers = !rc;
	return rc;
}

static int64_t overlap(uint64_t a, uint64_t b, unsigned int shift)
{
	return (int64_t)(b - a) >> shift;
}

/* The cells that stay, moved to their new places; all others unknown. */
static int move_cells(struct map_cells *w, uint64_t start, unsigned int shift, size_t count)
{
	struct map_cell *cell;
	int64_t by = overlap(w->start, start, shift);

	if (shift == w->shift && start == w->start && count == w->count)
		return 0;
	cell = calloc(count ? count : 1, sizeof(*cell));
	if (!cell)
		return -ENOMEM;
	for (size_t i = 0; i < count && shift == w->shift; i++) {
		int64_t from = (int64_t)i + by;

		if (from >= 0 && (size_t)from < w->count)
			cell[i] = w->cell[from];
	}
	free(w->cell);
	w->cell = cell;
	w->count = count;
	w->start = start;
	w->shift = shift;
	return 0;
}

int map_cells_place(struct map_cells *w, struct tui *t, uint64_t start, unsigned int shift,
		    size_t count)
{
	int rc;

	if (!tui_same_root(&w->root, &t->chosen)) {
		free(w->cell);
		w->cell = NULL;
		w->count = 0;
		w->root = t->chosen;
	}
	if (!w->have_covers || w->reads != t->subject.reads) {
		forget_covers(w);
		rc = make_covers(w, t);
		if (rc)
			return rc;
		w->reads = t->subject.reads;
		for (size_t i = 0; i < w->count; i++)
			w->cell[i].known = false;
	}
	return move_cells(w, start, shift, count);
}

bool map_cells_cover(struct map_cells *w, struct tui *t, uint64_t start, uint64_t len,
		     uint64_t *budget, struct spt_cover *ret)
{
	const struct spt_model *m = tui_model(t);
	bool all = true;

	spt_cover_none(ret);
	for (uint32_t i = 0; i < m->nr_roots; i++) {
		const struct spt_root_ref *root = &m->roots[i];
		uint64_t first, last;
		struct spt_cover one;

		if (!tui_root_shown(t, root) ||
		    !spt_root_range(m, root, start, start + len - 1, &first, &last))
			continue;
		all &= spt_cover(&w->covers, root, first, last - first + 1, budget, &one);
		spt_cover_add(ret, &one);
	}
	return all;
}

static bool covers_differ(const struct spt_cover *a, const struct spt_cover *b)
{
	return memcmp(a, b, sizeof(*a)) != 0;
}

bool map_cells_make(struct map_cells *w, struct tui *t, int ms)
{
	int64_t now = tui_now_ms(), end = now + ms;
	uint64_t len = 1ULL << w->shift, budget = TABLES_A_LOOK;

	for (size_t i = 0; i < w->count; i++) {
		struct map_cell *cell = &w->cell[i];
		struct spt_cover cover;

		while (!cell->known) {
			bool was = cell->cover.all != 0;

			if (!map_cells_cover(w, t, w->start + i * len, len, &budget, &cover)) {
				if (tui_now_ms() >= end)
					return false;
				budget = TABLES_A_LOOK;
				continue;
			}
			if (was && covers_differ(&cover, &cell->cover))
				cell->changed_ms = now;
			cell->cover = cover;
			cell->known = true;
		}
	}
	return true;
}

/* Behind the last address that the tables of @root have an entry for. */
static uint64_t root_end(const struct spt_model *m, const struct spt_root_ref *root)
{
	const struct spt_node *node = root->node;
	uint64_t base = node ? spt_root_base(root) : 0, end = 0;

	while (node) {
		const struct spt_node *next = NULL;
		int index = SPT_TABLE_ENTRIES - 1;

		while (index >= 0 &&
		       spt_entry_type(m, node, spt_node_entry(node, (unsigned int)index)) ==
			       SPT_SPTE_NONPRESENT)
			index--;
		if (index < 0)
			break;
		end = base + ((uint64_t)(index + 1) << spt_level_shift(node->level));
		base = end - spt_level_size(node->level);
		if (spt_entry_type(m, node, spt_node_entry(node, (unsigned int)index)) ==
		    SPT_SPTE_TABLE)
			next = spt_entry_child(m, root, node, base,
					       spt_node_entry(node, (unsigned int)index), NULL);
		node = next;
	}
	return end & ~root->gpa_bits;
}

uint64_t map_extent(const struct tui *t)
{
	const struct spt_model *m = tui_model(t);
	uint64_t end = spt_level_size(2);

	for (uint32_t i = 0; i < m->memslots.count && t->root < 0; i++) {
		const struct spt_slot *slot = m->memslots.slots[i].slot;
		uint64_t slot_end = (slot->base_gfn + slot->npages) << SPT_PAGE_SHIFT;

		if (slot_end > end)
			end = slot_end;
	}
	for (uint32_t i = 0; i < m->nr_roots; i++) {
		if (tui_root_shown(t, &m->roots[i]) && root_end(m, &m->roots[i]) > end)
			end = root_end(m, &m->roots[i]);
	}
	return end;
}
