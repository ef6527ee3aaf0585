// SPDX-License-Identifier: GPL-2.0
/* The audit: rules that are broken, and where. It is run when asked for: it reads all tables. */
#include <errno.h>
#include <inttypes.h>

#include "decoders/number.h"
#include "spt/audit.h"
#include "tui/list.h"

#define FOOT 5

struct audit {
	struct tui_list list;
	struct spt_audit audit;
	struct spt_error error;
	bool done;
	bool whole; /* the result is of the whole VM */
	bool kept;  /* and an earlier one: what was asked for would be of a part */
	uint64_t start,
		len; /* not whole: of what range; len 0: all, without parts that rules need */
	int rc;
};

static int interrupted(void *arg, uint64_t done, uint64_t total)
{
	return tui_term_waiting();
}

/* Whether the model that is shown has no more than a part of its VM; which one, into @a. */
static bool find_part(const struct tui *t, struct audit *a)
{
	bool range = tui_subject_range(&t->subject, &a->start, &a->len);

	return range || tui_subject_unread(&t->subject, spt_audit_parts(0));
}

static void run(struct tui *t, struct audit *a)
{
	bool as_read = !t->subject.live || t->subject.gone || t->frozen;
	bool part = as_read && find_part(t, a);
	struct spt_audit_request request = { .progress = interrupted };
	struct spt_source *source;
	struct spt_model model;

	a->done = true;
	a->kept = part && a->whole && !a->rc;
	if (a->kept)
		return;
	a->whole = !part;
	spt_audit_free(&a->audit);
	if (as_read) {
		a->rc = spt_audit_model(&a->audit, tui_model(t), &request, &a->error);
	} else {
		a->rc = spt_source_open_vm(t->subject.name, &source, &a->error);
		if (a->rc)
			return;
		spt_model_init(&model);
		spt_source_set_progress(source, interrupted, NULL);
		a->rc = spt_audit_source(&a->audit, source, &model, &request, 0, &a->error);
		spt_model_deinit(&model);
		spt_source_close(source);
	}
	tui_list_set(&a->list, a->rc ? 0 : (int)a->audit.nr_findings);
}

static void audit_want(struct tui *t, void *state, struct spt_request *req)
{
	req->parts = SPT_PART_VM | SPT_PART_MEMSLOTS | SPT_PART_ROOTS | SPT_PART_TABLES;
	if (!t->subject.live)
		return;
	/* Its own reading is the one that counts. */
	req->start = t->gpa & ~(spt_level_size(1) - 1);
	req->len = spt_level_size(1);
}

static void put_result(struct tui *t, const struct audit *a, int row)
{
	unsigned int judged = 0, na = 0;
	uint64_t checked = 0;

	if (a->rc == -EINTR) {
		tui_put(&t->canvas, row, 0, TUI_KEY, "stopped by a key; Ctrl-R begins again");
		return;
	}
	if (a->rc) {
		tui_put(&t->canvas, row, 0, TUI_BAD, "%s", a->error.text);
		return;
	}
	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++) {
		na += a->audit.result[i].na != NULL;
		judged += !a->audit.result[i].na;
		checked += a->audit.result[i].checked;
	}
	tui_put(&t->canvas, row, 0,
		a->audit.violations ? TUI_BAD
		: a->whole	    ? TUI_GOOD
				    : TUI_KEY,
		"%" PRIu64 " violation%s, %" PRIu64 " hint%s, %" PRIu64
		" in flux; %u rules, %" PRIu64 " checks, %u rules %s",
		a->audit.violations, a->audit.violations == 1 ? "" : "s", a->audit.hints,
		a->audit.hints == 1 ? "" : "s", a->audit.in_flux, judged, checked, na,
		a->whole ? "do not apply" : "not judged");
}

/* What the result is not of, in a line of its own. */
static bool has_note(const struct audit *a)
{
	return !a->rc && (a->kept || !a->whole);
}

static void put_note(struct tui *t, const struct audit *a, int row)
{
	if (a->kept)
		tui_put(&t->canvas, row, 0, TUI_KEY,
			"the earlier result: since then only a part of the VM was read");
	else if (a->len)
		tui_put(&t->canvas, row, 0, TUI_KEY,
			"only 0x%" PRIx64 "+%s was read: of the rest this says nothing", a->start,
			spt_size(a->len).text);
	else
		tui_put(&t->canvas, row, 0, TUI_KEY, "not all that the rules need was read");
}

static void put_finding(struct tui *t, const struct spt_audit_finding *f, int row)
{
	int col = tui_put(&t->canvas, row, 0, f->hint ? TUI_KEY : TUI_BAD, "%-18s ",
			  spt_audit_rules[f->rule].name);

	if (f->gpa != ~0ULL)
		col = tui_put(&t->canvas, row, col, TUI_PLAIN, "0x%013" PRIx64 " ", f->gpa);
	tui_put(&t->canvas, row, col, TUI_PLAIN, "%s", f->text);
}

static void put_chosen(struct tui *t, const struct spt_audit_finding *f, int row)
{
	const struct spt_audit_rule *rule = &spt_audit_rules[f->rule];

	tui_fill(&t->canvas, row, 0, t->canvas.cols, TUI_DIM, 0x2500);
	tui_put(&t->canvas, row, 2, TUI_TITLE, " %s: %s ", rule->name, rule->says);
	tui_put(&t->canvas, row + 1, 0, TUI_PLAIN, "expected %s, found %s", f->expected, f->found);
	tui_put(&t->canvas, row + 2, 0, TUI_DIM, "otherwise: %s", rule->reason);
	tui_put(&t->canvas, row + 3, 0, TUI_DIM, "in KVM: %s", rule->source);
	if (f->have_spte)
		tui_put(&t->canvas, row + 4, 0, TUI_PLAIN,
			"SPTE 0x%016" PRIx64 ", level %d, entry %u of table 0x%" PRIx64, f->spte,
			f->level, f->index, f->table);
}

static struct tui_area list_area(const struct audit *a, const struct tui_area *area)
{
	int head = has_note(a) ? 2 : 1, rows = area->rows - FOOT - head;

	return (struct tui_area){ area->row + head, rows > 1 ? rows : 1 };
}

static bool audit_draw(struct tui *t, void *state, const struct tui_area *area)
{
	struct audit *a = state;
	struct tui_area list;

	if (!a->done)
		run(t, a);
	list = list_area(a, area);
	put_result(t, a, area->row);
	if (has_note(a))
		put_note(t, a, area->row + 1);
	tui_list_fit(&a->list, list.rows);
	for (int i = 0; i < list.rows && a->list.top + i < a->list.count; i++)
		put_finding(t, &a->audit.findings[a->list.top + i], list.row + i);
	if (a->list.count)
		put_chosen(t, &a->audit.findings[a->list.at], list.row + list.rows);
	tui_list_mark(t, &a->list, list.row, list.rows);
	return false;
}

static bool audit_key(struct tui *t, void *state, enum tui_command command, int key,
		      const struct tui_area *area)
{
	struct audit *a = state;
	struct tui_area list = list_area(a, area);

	if (command == TUI_CMD_REREAD) {
		a->done = false;
		return true;
	}
	if (tui_list_key(&a->list, command, key, list.row, list.rows))
		return true;
	if ((command != TUI_CMD_ENTER && key != TUI_KEY_DOUBLE) || !a->list.count)
		return false;
	if (a->audit.findings[a->list.at].gpa != ~0ULL)
		tui_go_gpa(t, a->audit.findings[a->list.at].gpa);
	tui_show(t, TUI_VIEW_MAP);
	return true;
}

static void audit_close(void *state)
{
	spt_audit_free(&((struct audit *)state)->audit);
}

const struct tui_view tui_view_audit = {
	.state_size = sizeof(struct audit),
	.want = audit_want,
	.draw = audit_draw,
	.key = audit_key,
	.close = audit_close,
};
