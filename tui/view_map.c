// SPDX-License-Identifier: GPL-2.0
/* The map: rows of blocks, each of the same power of two of bytes; under it the cursor's walk. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "decoders/number.h"
#include "tui/frame.h"
#include "tui/map_colour.h"
#include "tui/walk_lines.h"

#define LABEL	    16 /* columns: the address of a row */
#define FOOT	    5  /* rows of the walk, and the line above it */
#define LEAST_SHIFT 12
#define MOST_SHIFT  46	 /* 64 T: a row of 64 of them is all that 52 bits have */
#define ENTER_ZOOM  4	 /* Enter zooms by 1 << this */
#define MAKE_MS	    12	 /* of one frame */
#define CHANGED_MS  4000 /* how long a change is shown */

struct map {
	struct map_cells cells;
	uint64_t top; /* address of the first row */
	unsigned int shift;
	unsigned int attribute;
	bool letters, placed;
	unsigned int cols; /* blocks in a row, 1 << this, as last drawn */
	int rows;
};

/* Blocks in a row: the largest power of two that fits. */
static unsigned int row_shift(const struct tui *t)
{
	int room = t->canvas.cols - LABEL;

	return room > 1 ? 31U - (unsigned int)__builtin_clz((unsigned int)room) : 0;
}

static int map_rows(const struct tui_area *area)
{
	/* A legend above, the walk below where there is room for both. */
	int rows = area->rows - 1 - (area->rows > 3 * FOOT ? FOOT : 2);

	return rows > 1 ? rows : 1;
}

static uint64_t row_bytes(const struct map *m)
{
	return 1ULL << (m->shift + m->cols);
}

/* The row that holds @address, as an address. */
static uint64_t row_of(const struct map *m, uint64_t address)
{
	return address & ~(row_bytes(m) - 1);
}

static void scroll_to_cursor(const struct tui *t, struct map *m)
{
	uint64_t row = row_of(m, t->gpa), span = row_bytes(m) * (uint64_t)m->rows;

	m->top = row_of(m, m->top);
	if (row < m->top)
		m->top = row;
	else if (row - m->top >= span)
		m->top = row - span + row_bytes(m);
}

/*
 * The zoom at which all of the guest is seen; of a VM with very many tables a part of it, since
 * what is seen is read.
 */
static void zoom_to_fit(struct tui *t, struct map *m)
{
	uint64_t extent = map_extent(t), tables = tui_table_bytes(t);

	m->shift = LEAST_SHIFT;
	while (m->shift < MOST_SHIFT && row_bytes(m) * (uint64_t)m->rows < extent)
		m->shift++;
	for (; tables > TUI_MOST_TABLES && m->shift > LEAST_SHIFT; tables /= 2)
		m->shift--;
	m->top = 0;
	m->placed = true;
}

static void map_layout(struct tui *t, struct map *m, const struct tui_area *area)
{
	m->cols = row_shift(t);
	m->rows = map_rows(area);
	if (!m->placed && tui_model(t))
		zoom_to_fit(t, m);
	scroll_to_cursor(t, m);
}

static void map_want(struct tui *t, void *state, struct spt_request *req)
{
	struct map *m = state;
	struct tui_area area = tui_view_area(t);
	uint64_t span;

	if (!m->placed && tui_model(t) && t->canvas.rows) {
		m->cols = row_shift(t);
		m->rows = map_rows(&area);
		zoom_to_fit(t, m);
	}
	/* How large the guest is decides what is seen of it. */
	req->parts = SPT_PART_VM | SPT_PART_MEMSLOTS | SPT_PART_ROOTS;
	if (!m->placed)
		return;
	req->parts =
		SPT_PART_VM | SPT_PART_MEMSLOTS | SPT_PART_ATTRS | SPT_PART_ROOTS | SPT_PART_TABLES;
	/* What is seen, and as much on either side. */
	span = row_bytes(m) * (uint64_t)m->rows;
	req->start = m->top > span ? m->top - span : 0;
	req->len = m->top - req->start + 2 * span;
}

static const struct spt_memslot *slot_of(const struct tui *t, uint64_t start, uint64_t len)
{
	const struct spt_memslots *set = &tui_model(t)->memslots;
	const struct spt_memslot *slot = spt_memslot_from(set, 0, start >> SPT_PAGE_SHIFT);

	return slot && slot->slot->base_gfn << SPT_PAGE_SHIFT < start + len ? slot : NULL;
}

static struct map_block block_of(const struct tui *t, const struct map *m, size_t i)
{
	uint64_t len = 1ULL << m->shift, start = m->cells.start + i * len;
	bool gpa = t->root < 0 || spt_root_maps_gpa(&tui_model(t)->roots[t->root]);

	return (struct map_block){ t,
				   tui_model(t),
				   start,
				   len,
				   &m->cells.cell[i].cover,
				   gpa ? slot_of(t, start, len) : NULL };
}

static bool with_letters(const struct tui *t, const struct map *m)
{
	return m->letters || t->canvas.mono || t->canvas.ascii;
}

/* Shades by how much of the block is mapped. */
static uint32_t shade(uint64_t mapped, uint64_t len)
{
	static const uint32_t shades[] = { 0x2591, 0x2592, 0x2593, 0x2588 };
	uint64_t quarter = len / 4;

	return mapped >= len ? shades[3] : shades[quarter ? mapped / quarter % 4 : 0];
}

/* One block: class, then its letter or shade. */
static void put_block(struct tui *t, const struct map *m, size_t i, int row, int col, int64_t now)
{
	const struct map_attribute *a = &map_attributes[m->attribute];
	const struct map_cell *cell = &m->cells.cell[i];
	struct map_block b = block_of(t, m, i);
	uint64_t mapped = spt_cover_mapped(b.cover);
	unsigned int style = TUI_PLAIN;
	uint32_t ch;
	int class;

	if (!cell->known && !cell->cover.all) {
		tui_put_char(&t->canvas, row, col, TUI_DIM, 0x2026);
		return;
	}
	class = mapped || a->unmapped ? a->classify(&b) : -1;
	if (class >= 0) {
		style = a->classes[class].style;
		ch = with_letters(t, m) ? (uint32_t)a->classes[class].letter
		     : mapped		? shade(mapped, b.len)
					: 0x2591;
	} else if (b.cover->has & SPT_COVER_MMIO) {
		ch = 'm';
		style = TUI_GREY;
	} else if (b.cover->has & SPT_COVER_FROZEN) {
		ch = 'f';
		style = TUI_VERMILION;
	} else {
		ch = b.slot ? 0x00b7 : ' ';
		style = b.slot ? TUI_GREY : TUI_PLAIN;
	}
	if (cell->changed_ms && now - cell->changed_ms < CHANGED_MS)
		style |= TUI_REVERSE;
	tui_put_char(&t->canvas, row, col, style, ch);
}

static void put_legend(struct tui *t, const struct map *m, int row)
{
	const struct map_attribute *a = &map_attributes[m->attribute];
	int col = tui_put(&t->canvas, row, 0, TUI_HEADING, "%s:", a->name);

	for (const struct map_class *c = a->classes; c->name; c++) {
		tui_put_char(&t->canvas, row, col + 1, c->style,
			     with_letters(t, m) ? (uint32_t)c->letter : 0x2588);
		col = tui_put(&t->canvas, row, col + 3, TUI_PLAIN, "%s", c->name);
	}
	col = tui_put(&t->canvas, row, col + 1, TUI_GREY, "m MMIO");
	tui_put_char(&t->canvas, row, col + 1, TUI_GREY, 0x00b7);
	tui_put(&t->canvas, row, col + 3, TUI_GREY, "slot");
}

/* What the block under the cursor holds. */
static void put_cursor_line(struct tui *t, const struct map *m, int row)
{
	uint64_t len = 1ULL << m->shift, start = t->gpa & ~(len - 1);
	size_t i = (size_t)((start - m->cells.start) >> m->shift);
	const struct spt_cover *c;
	char title[64];
	int col;

	tui_root_title(t, title, sizeof(title));
	col = tui_fill(&t->canvas, row, 0, 2, TUI_DIM, 0x2500);
	col = tui_put(&t->canvas, row, col, TUI_KEY, " 0x%013" PRIx64 "+%s ", start,
		      spt_size(len).text);
	if (start >= m->cells.start && i < m->cells.count && m->cells.cell[i].known) {
		c = &m->cells.cell[i].cover;
		for (int level = 0; level < SPT_COVER_LEVELS; level++)
			if (c->bytes[level])
				col = tui_put(&t->canvas, row, col, TUI_PLAIN, "%s in %s pages, ",
					      spt_size(c->bytes[level]).text,
					      spt_size(spt_level_size(level + 1)).text);
		if (!spt_cover_mapped(c))
			col = tui_put(&t->canvas, row, col, TUI_DIM, "nothing mapped, ");
	}
	col = tui_put(&t->canvas, row, col, TUI_DIM, "%s ", title);
	tui_fill(&t->canvas, row, col, t->canvas.cols - col, TUI_DIM, 0x2500);
}

static bool map_draw(struct tui *t, void *state, const struct tui_area *area)
{
	struct map *m = state;
	size_t per_row = 1UL << (m->cols = row_shift(t));
	int64_t now = tui_now_ms();
	bool all;

	map_layout(t, m, area);
	per_row = 1UL << m->cols;
	m->cells.want_nodes |= m->attribute == MAP_NUMA;
	if (map_cells_place(&m->cells, t, m->top, m->shift, per_row * (size_t)m->rows)) {
		tui_say(t, false, "out of memory");
		return false;
	}
	all = map_cells_make(&m->cells, t, MAKE_MS);
	put_legend(t, m, area->row);
	for (int r = 0; r < m->rows; r++) {
		tui_put(&t->canvas, area->row + 1 + r, 0, TUI_DIM, "0x%013" PRIx64,
			m->top + (uint64_t)r * row_bytes(m));
		for (size_t c = 0; c < per_row; c++)
			put_block(t, m, (size_t)r * per_row + c, area->row + 1 + r, LABEL + (int)c,
				  now);
	}
	t->cursor_row = area->row + 1 + (int)((row_of(m, t->gpa) - m->top) / row_bytes(m));
	t->cursor_col = LABEL + (int)((t->gpa >> m->shift) & (per_row - 1));
	tui_mark(&t->canvas, t->cursor_row, t->cursor_col, 1, TUI_REVERSE | TUI_BOLD);
	put_cursor_line(t, m, area->row + 1 + m->rows);
	tui_walk_lines(t, area->row + 2 + m->rows, area->rows - 2 - m->rows);
	return !all;
}

static void move(struct tui *t, const struct map *m, int64_t blocks)
{
	const uint64_t last = (1ULL << 52) - 1, most = (uint64_t)1 << 57;
	uint64_t by = (uint64_t)(blocks < 0 ? -blocks : blocks) << m->shift;
	uint64_t end = t->root < 0 ? last : most;
	uint64_t at = t->gpa & ~((1ULL << m->shift) - 1);

	if (blocks < 0)
		t->gpa = at > by ? at - by : 0;
	else
		t->gpa = at + by < end ? at + by : at;
}

static void zoom(struct tui *t, struct map *m, int by)
{
	int shift = (int)m->shift - by;
	uint64_t rows = (row_of(m, t->gpa) - m->top) / row_bytes(m);

	m->shift = shift < LEAST_SHIFT ? LEAST_SHIFT : shift > MOST_SHIFT ? MOST_SHIFT : shift;
	/* The cursor stays in its line. */
	m->top = row_of(m, t->gpa);
	m->top = m->top > rows * row_bytes(m) ? m->top - rows * row_bytes(m) : 0;
}

/* What a block looks like, as one number. */
static int look_of(struct tui *t, struct map *m, uint64_t start, bool *all)
{
	uint64_t len = 1ULL << m->shift, budget = ~0ULL;
	struct spt_cover cover;
	struct map_block b = { t, tui_model(t), start, len, &cover, slot_of(t, start, len) };

	*all = map_cells_cover(&m->cells, t, start, len, &budget, &cover);
	return map_attributes[m->attribute].classify(&b) * 4 + (b.slot != NULL) +
	       2 * ((cover.has & SPT_COVER_MMIO) != 0);
}

/* To the next block, or the one before, that shows something else than the one under the cursor. */
static void seek(struct tui *t, struct map *m, int direction)
{
	uint64_t len = 1ULL << m->shift, at = t->gpa & ~(len - 1), extent = map_extent(t);
	bool all;
	int here = look_of(t, m, at, &all);

	for (;;) {
		if (direction < 0 ? at < len : at + len >= extent) {
			tui_say(t, true, "nothing else %s", direction < 0 ? "before" : "behind");
			return;
		}
		at = direction < 0 ? at - len : at + len;
		if (look_of(t, m, at, &all) == here) {
			if (tui_term_waiting())
				return;
			continue;
		}
		t->gpa = at;
		return;
	}
}

static bool click(struct tui *t, struct map *m, const struct tui_area *area, bool twice)
{
	int row, col;

	tui_term_mouse(&row, &col);
	row -= area->row + 1;
	col -= LABEL;
	if (row < 0 || row >= m->rows || col < 0 || col >= 1 << m->cols)
		return true;
	t->gpa = m->top + (uint64_t)row * row_bytes(m) + ((uint64_t)col << m->shift);
	if (twice)
		zoom(t, m, ENTER_ZOOM);
	return true;
}

static bool map_mouse(struct tui *t, struct map *m, int key, const struct tui_area *area)
{
	if (key == TUI_KEY_CLICK || key == TUI_KEY_DOUBLE)
		return click(t, m, area, key == TUI_KEY_DOUBLE);
	if (key == TUI_KEY_WHEEL_UP || key == TUI_KEY_WHEEL_DOWN) {
		move(t, m, (key == TUI_KEY_WHEEL_UP ? -1 : 1) * (int64_t)(1ULL << m->cols));
		return true;
	}
	return false;
}

static void next_attribute(struct tui *t, struct map *m, unsigned int by)
{
	m->attribute = (m->attribute + by) % map_nr_attributes;
	if (m->attribute == MAP_NUMA && t->subject.live && !m->cells.want_nodes)
		map_cells_deinit(&m->cells);
}

static bool map_key(struct tui *t, void *state, enum tui_command command, int key,
		    const struct tui_area *area)
{
	struct map *m = state;
	int64_t row = (int64_t)(1ULL << m->cols);

	if (command == TUI_CMD_NONE)
		return map_mouse(t, m, key, area);
	switch (command) {
	case TUI_CMD_UP:
		move(t, m, -row);
		break;
	case TUI_CMD_DOWN:
		move(t, m, row);
		break;
	case TUI_CMD_LEFT:
		move(t, m, -1);
		break;
	case TUI_CMD_RIGHT:
		move(t, m, 1);
		break;
	case TUI_CMD_PAGE_UP:
		move(t, m, -row * m->rows);
		break;
	case TUI_CMD_PAGE_DOWN:
		move(t, m, row * m->rows);
		break;
	case TUI_CMD_HOME:
		t->gpa = 0;
		break;
	case TUI_CMD_END:
		t->gpa = map_extent(t) - 1;
		break;
	case TUI_CMD_ENTER:
		if (m->shift == LEAST_SHIFT)
			tui_show(t, TUI_VIEW_WALK);
		else
			zoom(t, m, ENTER_ZOOM);
		break;
	case TUI_CMD_ZOOM_IN:
		zoom(t, m, 1);
		break;
	case TUI_CMD_ZOOM_OUT:
		zoom(t, m, -1);
		break;
	case TUI_CMD_COLOUR:
		next_attribute(t, m, 1);
		break;
	case TUI_CMD_COLOUR_BACK:
		next_attribute(t, m, map_nr_attributes - 1);
		break;
	case TUI_CMD_LETTERS:
		m->letters = !m->letters;
		break;
	case TUI_CMD_NEXT:
		seek(t, m, 1);
		break;
	case TUI_CMD_PREV:
		seek(t, m, -1);
		break;
	case TUI_CMD_ROOT:
		tui_next_root(t);
		m->placed = false;
		break;
	default:
		return false;
	}
	return true;
}

static void map_close(void *state)
{
	map_cells_deinit(&((struct map *)state)->cells);
}

/* A change fades by itself. */
static int map_wait(struct tui *t, void *state)
{
	const struct map *m = state;
	int64_t now = tui_now_ms();

	for (size_t i = 0; i < m->cells.count; i++)
		if (m->cells.cell[i].changed_ms && now - m->cells.cell[i].changed_ms < CHANGED_MS)
			return CHANGED_MS / 4;
	return -1;
}

const struct tui_view tui_view_map = {
	.state_size = sizeof(struct map),
	.want = map_want,
	.draw = map_draw,
	.key = map_key,
	.close = map_close,
	.wait = map_wait,
};
