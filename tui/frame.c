// SPDX-License-Identifier: GPL-2.0
/* The whole screen: the title, the view, what is above it, the last line. */
#include "tui/frame.h"

#include <string.h>

#include "decoders/number.h"

#define LEAST_NAME 6 /* columns that the end of what is looked at must have */

const struct tui_view *const tui_views[] = {
#define V(id, name, help) &tui_view_##name,
	TUI_VIEWS(V)
#undef V
};

struct spt_request tui_wanted(struct tui *t)
{
	struct spt_request req = { 0 };

	if (tui_views[t->view]->want)
		tui_views[t->view]->want(t, t->state[t->view], &req);
	return req;
}

struct tui_area tui_view_area(const struct tui *t)
{
	return (struct tui_area){ 1, t->canvas.rows > 3 ? t->canvas.rows - 2 : 1 };
}

/* A popup covers the lower half, or as much as it has lines. */
struct tui_area tui_popup_area(const struct tui *t)
{
	struct tui_area whole = tui_view_area(t);
	int rows = t->popup.lines + 1, most = t->help ? whole.rows : whole.rows * 2 / 3;

	rows = rows < most ? rows : most;
	return (struct tui_area){ whole.row + whole.rows - rows, rows };
}

static int names_width(void)
{
	int width = 0;

	for (int i = 0; i < TUI_VIEW_COUNT; i++)
		width += (int)strlen(tui_view_names[i]) + 2;
	return width;
}

/* The views; where not all names have room, that of the one that is shown. The column behind them.
 */
static int put_names(struct tui *t)
{
	struct tui_canvas *c = &t->canvas;
	const bool all = names_width() <= c->cols;
	int col = 0;

	for (int i = 0; i < TUI_VIEW_COUNT; i++) {
		bool shown = i == (int)t->view;

		col = tui_put(c, 0, col, TUI_KEY, "%d", i + 1);
		if (all || shown)
			col = tui_put(c, 0, col, shown ? TUI_TITLE | TUI_REVERSE : TUI_DIM, "%s",
				      tui_view_names[i]);
		col++;
	}
	return col;
}

static void put_title(struct tui *t)
{
	struct tui_canvas *c = &t->canvas;
	const char *state = t->subject.gone   ? "ended"
			    : t->frozen	      ? "frozen"
			    : t->subject.live ? "live"
					      : "image";
	int col = put_names(t), end;
	const char *name = t->subject.name;

	/* What is looked at, at the right edge; of a long path its end. */
	end = c->cols - (int)strlen(state) - 1;
	if (strrchr(name, '/') && (int)strlen(name) > end - col - 2)
		name = strrchr(name, '/') + 1;
	if (end - (int)strlen(name) - 1 > col)
		tui_put(c, 0, end - (int)strlen(name) - 1, TUI_PLAIN, "%s", name);
	else if (end - col > LEAST_NAME)
		tui_put(c, 0, col + 1, TUI_PLAIN, "\342\200\246%s",
			name + strlen(name) - (size_t)(end - col - 3));
	if (end > col)
		tui_put(c, 0, end, t->subject.gone ? TUI_BAD : TUI_GOOD, "%s", state);
}

static void put_last_line(struct tui *t)
{
	int row = t->canvas.rows - 1;
	struct spt_request req;

	if (t->prompt.title) {
		t->cursor_row = row;
		t->cursor_col = tui_prompt_draw(&t->prompt, &t->canvas, row);
	} else if (t->message[0]) {
		tui_put(&t->canvas, row, 0, t->bad ? TUI_BAD : TUI_GOOD, "%s", t->message);
	} else {
		int col = tui_put(&t->canvas, row, 0, TUI_KEY, "?");

		col = tui_put(&t->canvas, row, col, TUI_DIM, " help ");
		col = tui_put(&t->canvas, row, col, TUI_KEY, " /");
		col = tui_put(&t->canvas, row, col, TUI_DIM, " go to ");
		col = tui_put(&t->canvas, row, col, TUI_KEY, " q");
		col = tui_put(&t->canvas, row, col, TUI_DIM, " quit ");
		col = tui_put(&t->canvas, row, col, TUI_PLAIN, " 0x%016llx%s%s",
			      (unsigned long long)t->gpa, t->filter[0] ? "  only: " : "",
			      t->filter);
		req = tui_wanted(t);
		if (req.len && (t->view == TUI_VIEW_TREE || t->view == TUI_VIEW_RANGES))
			tui_put(&t->canvas, row, col, TUI_KEY, "  of 0x%llx+%s alone",
				(unsigned long long)req.start, spt_size(req.len).text);
	}
}

bool tui_frame_draw(struct tui *t)
{
	struct tui_area area = tui_view_area(t);
	bool more = false;

	tui_canvas_clear(&t->canvas);
	t->cursor_row = t->canvas.rows - 1;
	t->cursor_col = 0;
	put_title(t);
	if (tui_model(t) && tui_subject_unread(&t->subject, tui_wanted(t).parts))
		tui_put(&t->canvas, 2, 0, TUI_DIM, "%s",
			t->subject.gone ? "this was not read while the VM was there"
			: t->frozen	? "frozen before this was read: Space goes on"
					: "it could not be read");
	else if (tui_model(t) || t->view == TUI_VIEW_VMS)
		more = tui_views[t->view]->draw(t, t->state[t->view], &area);
	else
		tui_put(&t->canvas, 2, 0, TUI_DIM, "nothing was read yet");
	if (t->popup.bytes) {
		struct tui_area over = tui_popup_area(t);

		tui_text_draw(&t->popup, &t->canvas, over.row, over.rows,
			      t->help ? "help, Esc closes it" : "answer, Esc closes it");
	}
	put_last_line(t);
	return more;
}
