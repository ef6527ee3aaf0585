// SPDX-License-Identifier: GPL-2.0
/* The walk of the current address: what `walk --explain` says of it. */
#include <inttypes.h>

#include "tui/walk_lines.h"

struct walk {
	struct tui_text text;
	uint64_t gpa, reads;
	int root;
	bool made;
	int status; /* of the command: 1 only says that nothing is mapped */
};

/* The command that walks the current address; NULL: there is none, it is no GPA and no GVA. */
static const char *walk_command(const struct tui *t)
{
	const struct spt_root_ref *root = tui_chosen_root(t);

	if (!root || spt_root_maps_gpa(root))
		return "walk gpa";
	return root->kind == SPT_ROOT_SHADOW ? "walk gva" : NULL;
}

static void make(struct tui *t, struct walk *w)
{
	char line[64];

	snprintf(line, sizeof(line), "%s 0x%" PRIx64 " --explain", walk_command(t), t->gpa);
	if (!w->made || w->gpa != t->gpa)
		w->text.top = 0;
	w->status = tui_command(t, line, &w->text);
	if (w->status < 0)
		tui_say(t, false, "out of memory");
	w->gpa = t->gpa;
	w->reads = t->subject.reads;
	w->root = t->root;
	w->made = true;
}

/* So that what moved is noticed; the walk itself reads what it needs. */
static void walk_want(struct tui *t, void *state, struct spt_request *req)
{
	req->parts =
		SPT_PART_VM | SPT_PART_MEMSLOTS | SPT_PART_ATTRS | SPT_PART_ROOTS | SPT_PART_TABLES;
	req->start = t->gpa & ~(spt_level_size(1) - 1);
	req->len = spt_level_size(1);
}

static bool walk_draw(struct tui *t, void *state, const struct tui_area *area)
{
	struct walk *w = state;

	/* A VM that has ended, or stands still here, is walked as it was read. */
	if (t->subject.gone || (t->frozen && t->subject.live) || !walk_command(t)) {
		tui_walk_lines(t, area->row, area->rows);
		return false;
	}
	if (!w->made || w->gpa != t->gpa || w->reads != t->subject.reads || w->root != t->root)
		make(t, w);
	if (w->status > 1 && area->rows > 4) {
		/* What the image lacks for the whole walk, and what it has. */
		tui_walk_lines(t, area->row, 3);
		tui_text_draw(&w->text, &t->canvas, area->row + 4, area->rows - 4, NULL);
		return false;
	}
	tui_text_draw(&w->text, &t->canvas, area->row, area->rows, NULL);
	return false;
}

static bool walk_key(struct tui *t, void *state, enum tui_command command, int key,
		     const struct tui_area *area)
{
	if (command == TUI_CMD_ENTER) {
		tui_show(t, TUI_VIEW_MAP);
		return true;
	}
	return tui_text_key(&((struct walk *)state)->text, command, key, area->rows);
}

static void walk_close(void *state)
{
	tui_text_free(&((struct walk *)state)->text);
}

const struct tui_view tui_view_walk = {
	.state_size = sizeof(struct walk),
	.want = walk_want,
	.draw = walk_draw,
	.key = walk_key,
	.close = walk_close,
};
