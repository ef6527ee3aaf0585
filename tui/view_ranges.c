// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges of one root, those on the screen alone: there may be more of them than fit into
 * memory. They are found forwards from an address; backwards, from ever further before it.
 */
#include <inttypes.h>
#include <string.h>

#include "decoders/number.h"
#include "spt/ranges.h"
#include "tui/list.h"

#define MOST_ROWS  256
#define MOST_LOOKS 200000 /* ranges looked at for one screen, when a filter leaves out most */
#define FIRST_SPAN (2ULL << 20)

struct ranges {
	struct spt_range row[MOST_ROWS];
	int count, at;
	uint64_t top; /* address that the first one has */
	uint64_t gpa; /* that was gone to last */
	bool placed;
	bool more;    /* there are some behind the last one */
	bool gave_up; /* a filter found nothing for long */
};

static const struct spt_root_ref *root_of(const struct tui *t)
{
	const struct spt_model *m = tui_model(t);

	for (uint32_t i = 0; i < m->nr_roots; i++)
		if (tui_root_shown(t, &m->roots[i]))
			return &m->roots[i];
	return m->nr_roots ? &m->roots[0] : NULL;
}

static void describe(const struct tui *t, const struct spt_range *r, char *text, size_t size)
{
	const struct spt_model *m = tui_model(t);
	struct spt_spte s =
		spt_spte_decode(&m->format, r->first_spte, r->level, spt_node_kind(m, r->node));
	char perm[SPT_PERM_TEXT], flags[128], hpa[24] = "-", slot[8] = "-";

	if (r->hpa != SPT_NO_HPA)
		snprintf(hpa, sizeof(hpa), "0x%013" PRIx64, r->hpa);
	if (r->slot)
		snprintf(slot, sizeof(slot), "%d", r->slot->slot->id);
	spt_spte_flags_text(s.flags, " ", flags, sizeof(flags));
	snprintf(text, size, "0x%013" PRIx64 " %8s %-15s %-4s %s %-5s %4s %s", r->gpa,
		 spt_size(r->size).text, hpa, spt_size(r->page_size).text,
		 r->type == SPT_SPTE_LEAF ? spt_perm_text(&m->format, s.perm, perm) : "---",
		 spt_spte_type_name(r->type), slot, flags);
}

static bool wanted(const struct tui *t, const struct spt_range *r)
{
	char text[512];

	if (!t->filter[0])
		return true;
	describe(t, r, text, sizeof(text));
	return tui_matches(t, text);
}

/* From @start to the end of the address space: in two's complement, 0 is all of it. */
static uint64_t rest_behind(uint64_t start)
{
	return 0 - start;
}

/* Those from 'top' on. */
static void fill(const struct tui *t, struct ranges *r, int rows)
{
	const struct spt_root_ref *root = root_of(t);
	struct spt_ranges ranges;
	struct spt_range range;
	int looks = 0;

	r->count = 0;
	r->more = r->gave_up = false;
	if (!root)
		return;
	spt_ranges_begin(&ranges, tui_model(t), root, r->top, rest_behind(r->top), 0);
	while (spt_ranges_next(&ranges, &range)) {
		if (!wanted(t, &range)) {
			r->gave_up = ++looks >= MOST_LOOKS;
			if (r->gave_up)
				break;
			continue;
		}
		if (r->count >= rows) {
			r->more = true;
			break;
		}
		r->row[r->count++] = range;
	}
	if (r->at >= r->count)
		r->at = r->count ? r->count - 1 : 0;
}

/* The address of the range @n before @top; of the first, when there are fewer. */
static uint64_t back(const struct tui *t, uint64_t top, int n)
{
	const struct spt_root_ref *root = root_of(t);
	uint64_t ring[MOST_ROWS], span = FIRST_SPAN;
	struct spt_ranges ranges;
	struct spt_range range;

	for (;;) {
		uint64_t start = top > span ? top - span : 0;
		int count = 0, looks = 0;
		bool first = start > 0;

		spt_ranges_begin(&ranges, tui_model(t), root, start, rest_behind(start), 0);
		while (spt_ranges_next(&ranges, &range) && range.gpa < top) {
			bool cut = first; /* it may have begun before */

			first = false;
			if (cut || ++looks > MOST_LOOKS || !wanted(t, &range))
				continue;
			ring[count++ % MOST_ROWS] = range.gpa;
		}
		if (count >= n)
			return ring[(count - n) % MOST_ROWS];
		if (!start || looks > MOST_LOOKS)
			return count ? ring[count > MOST_ROWS ? count % MOST_ROWS : 0] : top;
		span = span << 3 > span ? span << 3 : ~0ULL;
	}
}

/* The range that holds the current address, or the next one, becomes the first. */
static void go(const struct tui *t, struct ranges *r)
{
	const struct spt_root_ref *root = root_of(t);
	struct spt_ranges ranges;
	struct spt_range range;
	uint64_t before;

	r->gpa = t->gpa;
	r->placed = true;
	r->at = 0;
	r->top = t->gpa;
	if (!root)
		return;
	before = back(t, t->gpa, 1);
	spt_ranges_begin(&ranges, tui_model(t), root, before, rest_behind(before), 0);
	while (spt_ranges_next(&ranges, &range)) {
		if (!wanted(t, &range) || range.gpa + range.size - 1 < t->gpa)
			continue;
		r->top = range.gpa;
		return;
	}
}

static void ranges_want(struct tui *t, void *state, struct spt_request *req)
{
	req->parts = SPT_PART_VM | SPT_PART_MEMSLOTS | SPT_PART_ROOTS | SPT_PART_TABLES;
	tui_limit(t, req);
}

static bool ranges_draw(struct tui *t, void *state, const struct tui_area *area)
{
	struct ranges *r = state;
	int rows = area->rows - 1 < MOST_ROWS ? area->rows - 1 : MOST_ROWS, col;
	char text[512], title[96];

	if (!r->placed || r->gpa != t->gpa)
		go(t, r);
	fill(t, r, rows);
	tui_root_title(t, title, sizeof(title));
	tui_put(&t->canvas, area->row, 0, TUI_HEADING, "%-15s %8s %-15s %-4s %s %-5s %4s flags",
		tui_root_space(root_of(t)), "size", "HPA", "page", "prm", "type", "slot");
	for (int i = 0; i < r->count; i++) {
		describe(t, &r->row[i], text, sizeof(text));
		tui_put(&t->canvas, area->row + 1 + i, 0,
			r->row[i].type == SPT_SPTE_LEAF ? TUI_PLAIN : TUI_ORANGE, "%s", text);
	}
	if (r->count) {
		tui_mark(&t->canvas, area->row + 1 + r->at, 0, t->canvas.cols, TUI_REVERSE);
		t->cursor_row = area->row + 1 + r->at;
		t->cursor_col = 0;
	} else {
		col = tui_put(&t->canvas, area->row + 1, 0, TUI_DIM, "%s",
			      root_of(t) ? "nothing is mapped from here on" : "no root");
		if (r->gave_up)
			tui_put(&t->canvas, area->row + 1, col, TUI_DIM,
				", in the next %d ranges that the filter leaves", MOST_LOOKS);
	}
	return false;
}

static void scroll(struct tui *t, struct ranges *r, int by, int rows)
{
	r->at += by;
	if (r->at < 0) {
		int up = -r->at;

		r->top = back(t, r->top, up < MOST_ROWS ? up : MOST_ROWS - 1);
		r->at = 0;
	} else if (r->at >= r->count && r->more) {
		int down = r->at - r->count + 1;

		if (down >= r->count)
			down = r->count - 1;
		r->top = r->row[down > 0 ? down : 0].gpa;
		fill(t, r, rows);
		r->at = r->count - 1;
	}
	fill(t, r, rows);
	if (r->count)
		t->gpa = r->gpa = r->row[r->at].gpa;
}

static bool ranges_key(struct tui *t, void *state, enum tui_command command, int key,
		       const struct tui_area *area)
{
	struct ranges *r = state;
	int rows = area->rows - 1 < MOST_ROWS ? area->rows - 1 : MOST_ROWS, y, x;

	if (command == TUI_CMD_UP || key == TUI_KEY_WHEEL_UP)
		scroll(t, r, -1, rows);
	else if (command == TUI_CMD_DOWN || key == TUI_KEY_WHEEL_DOWN)
		scroll(t, r, 1, rows);
	else if (command == TUI_CMD_PAGE_UP)
		scroll(t, r, -rows, rows);
	else if (command == TUI_CMD_PAGE_DOWN)
		scroll(t, r, rows, rows);
	else if (command == TUI_CMD_HOME)
		t->gpa = 0;
	else if (command == TUI_CMD_END && root_of(t)) {
		r->top = back(t, ~0ULL, rows);
		r->at = rows - 1;
		scroll(t, r, 0, rows);
	} else if (command == TUI_CMD_ROOT) {
		tui_next_root(t);
		t->gpa = 0;
		r->placed = false;
	} else if (key == TUI_KEY_CLICK) {
		tui_term_mouse(&y, &x);
		if (y > area->row && y <= area->row + r->count) {
			r->at = y - area->row - 1;
			t->gpa = r->gpa = r->row[r->at].gpa;
		}
	} else if (command == TUI_CMD_ENTER || key == TUI_KEY_DOUBLE) {
		tui_show(t, TUI_VIEW_MAP);
	} else {
		return false;
	}
	return true;
}

const struct tui_view tui_view_ranges = {
	.state_size = sizeof(struct ranges),
	.want = ranges_want,
	.draw = ranges_draw,
	.key = ranges_key,
};
