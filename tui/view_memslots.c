// SPDX-License-Identifier: GPL-2.0
/* Memory slots: one line each, the chosen one in full below. */
#include <inttypes.h>
#include <stdlib.h>

#include "decoders/number.h"
#include "tui/list.h"

#define FOOT 4

struct memslots {
	struct tui_list list;
	const struct spt_memslot **slot; /* those that the filter leaves */
};

static void describe(const struct spt_slot *s, char *text, size_t size)
{
	size_t at = (size_t)snprintf(text, size, "%5d %2u 0x%013" PRIx64 " %9s 0x%013" PRIx64,
				     s->id, s->as_id, (uint64_t)s->base_gfn << SPT_PAGE_SHIFT,
				     spt_size(s->npages << SPT_PAGE_SHIFT).text, (uint64_t)s->hva);

	for (int i = 0; spt_slot_flags[i].bit && at < size; i++)
		if (s->flags & spt_slot_flags[i].bit)
			at += (size_t)snprintf(text + at, size - at, " %s", spt_slot_flags[i].name);
}

static void memslots_want(struct tui *t, void *state, struct spt_request *req)
{
	req->parts = SPT_PART_VM | SPT_PART_MEMSLOTS;
}

static void find(struct tui *t, struct memslots *v)
{
	const struct spt_memslots *set = &tui_model(t)->memslots;
	const struct spt_memslot **slot = realloc(v->slot, (set->count + 1) * sizeof(*slot));
	int count = 0;
	char text[512];

	if (slot)
		v->slot = slot;
	for (uint32_t i = 0; slot && i < set->count; i++) {
		describe(set->slots[i].slot, text, sizeof(text));
		if (tui_matches(t, text))
			v->slot[count++] = &set->slots[i];
	}
	tui_list_set(&v->list, count);
}

static void put_foot(struct tui *t, const struct spt_slot *s, int row)
{
	uint64_t apart = (s->base_gfn << SPT_PAGE_SHIFT) ^ s->hva;
	int level = apart & (spt_level_size(2) - 1) ? 1 : apart & (spt_level_size(3) - 1) ? 2 : 3;

	tui_fill(&t->canvas, row, 0, t->canvas.cols, TUI_DIM, 0x2500);
	tui_put(&t->canvas, row, 2, TUI_TITLE, " slot %d of address space %u ", s->id, s->as_id);
	tui_put(&t->canvas, row + 1, 0, TUI_PLAIN,
		"GPA 0x%" PRIx64 " - 0x%" PRIx64 ", by its alignment %s pages at most",
		(uint64_t)s->base_gfn << SPT_PAGE_SHIFT,
		((uint64_t)(s->base_gfn + s->npages) << SPT_PAGE_SHIFT) - 1,
		spt_size(spt_level_size(level)).text);
	tui_put(&t->canvas, row + 2, 0, TUI_PLAIN, "generation %" PRIu64 "%s, dirty %s, %s",
		(uint64_t)(s->generation & ~SPT_SLOT_GEN_UPDATING),
		s->generation & SPT_SLOT_GEN_UPDATING ? " (being updated)" : "",
		!(s->flags & SPT_SLOT_LOG_DIRTY) ? "not logged"
		: s->dirty_bitmap		 ? "logged in a bitmap"
						 : "logged in the ring",
		s->has_rmap ? "with reverse maps" : "no reverse maps");
	if (s->gmem_file)
		tui_put(&t->canvas, row + 3, 0, TUI_PLAIN,
			"guest_memfd inode %" PRIu64 " from 0x%" PRIx64, (uint64_t)s->gmem_file,
			(uint64_t)s->gmem_pgoff << SPT_PAGE_SHIFT);
}

static bool memslots_draw(struct tui *t, void *state, const struct tui_area *area)
{
	struct memslots *v = state;
	int rows = area->rows - 1 - FOOT;
	char text[512];

	find(t, v);
	rows = rows > 1 ? rows : 1;
	tui_list_fit(&v->list, rows);
	tui_put(&t->canvas, area->row, 0, TUI_HEADING, "%5s %2s %-15s %9s %-15s flags", "slot",
		"as", "GPA", "size", "HVA");
	for (int i = 0; i < rows && v->list.top + i < v->list.count; i++) {
		describe(v->slot[v->list.top + i]->slot, text, sizeof(text));
		tui_put(&t->canvas, area->row + 1 + i, 0, TUI_PLAIN, "%s", text);
	}
	if (v->list.count)
		put_foot(t, v->slot[v->list.at]->slot, area->row + 1 + rows);
	tui_list_mark(t, &v->list, area->row + 1, rows);
	return false;
}

static bool memslots_key(struct tui *t, void *state, enum tui_command command, int key,
			 const struct tui_area *area)
{
	struct memslots *v = state;

	if (tui_list_key(&v->list, command, key, area->row + 1, area->rows - 1 - FOOT))
		return true;
	if ((command != TUI_CMD_ENTER && key != TUI_KEY_DOUBLE) || !v->list.count)
		return false;
	tui_go_gpa(t, v->slot[v->list.at]->slot->base_gfn << SPT_PAGE_SHIFT);
	tui_show(t, TUI_VIEW_MAP);
	return true;
}

static void memslots_close(void *state)
{
	free(((struct memslots *)state)->slot);
}

const struct tui_view tui_view_memslots = {
	.state_size = sizeof(struct memslots),
	.want = memslots_want,
	.draw = memslots_draw,
	.key = memslots_key,
	.close = memslots_close,
};
