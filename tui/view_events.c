// SPDX-License-Identifier: GPL-2.0
/*
 * Events: of an image those that it was saved with, of a VM those that happen while the view
 * is shown. They are recorded only then: tracing costs the host something.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "spt/events.h"
#include "tui/list.h"

#define KEPT	8192 /* the last ones; older ones are only counted */
#define LOOK_MS 200

struct line {
	struct spt_event event;
	char text[160];
};

struct events {
	struct tui_list list;
	struct line *line; /* a ring of KEPT */
	uint64_t count;	   /* all that came; the ring has the last of them */
	int *shown;	   /* those that the filter leaves, as numbers from the oldest kept one */
	bool follow, begun;
	struct spt_recorder *recorder;
	uint64_t lost;	       /* of all recordings, as 'count' */
	uint64_t lost_earlier; /* of those that have ended */
	uint64_t reads;	       /* of the image that they are of */
	uint64_t first_ns;
	struct spt_error error;
	const struct spt_model *model; /* while events come */
};

static uint64_t kept(const struct events *v)
{
	return v->count < KEPT ? v->count : KEPT;
}

/* Number @i from the oldest that is kept. */
static struct line *line_at(const struct events *v, uint64_t i)
{
	return &v->line[(v->count - kept(v) + i) % KEPT];
}

static int take(void *arg, const struct spt_event *event)
{
	struct events *v = arg;
	char text[SPT_EVENT_TEXT], code[96] = "";
	struct line *l = &v->line[v->count++ % KEPT];

	if (v->count == 1)
		v->first_ns = event->time_ns;
	l->event = *event;
	spt_event_text(v->model, event, text);
	spt_event_instruction(event, code, sizeof(code));
	if (spt_event_no_instruction(event))
		snprintf(code, sizeof(code), "(%s)", spt_event_no_instruction(event));
	snprintf(l->text, sizeof(l->text), "%.100s%s%.50s", text, code[0] ? "  " : "", code);
	return 0;
}

static bool make_room(struct events *v)
{
	if (!v->line)
		v->line = calloc(KEPT, sizeof(*v->line));
	if (!v->shown)
		v->shown = calloc(KEPT, sizeof(*v->shown));
	return v->line && v->shown;
}

static void count_lost(struct events *v)
{
	v->lost = v->lost_earlier + spt_trace_lost(spt_recorder_trace(v->recorder));
}

static void stop(struct events *v)
{
	if (!v->recorder)
		return;
	v->model = spt_recorder_model(v->recorder);
	spt_recorder_stop(v->recorder, take, v, NULL);
	count_lost(v);
	v->lost_earlier = v->lost;
	spt_recorder_close(v->recorder);
	v->recorder = NULL;
}

static void record(struct tui *t, struct events *v)
{
	const struct spt_events_ask ask = { 0 };

	if (!v->recorder && !v->error.code &&
	    spt_recorder_start(t->subject.name, &ask, &v->recorder, &v->error))
		return;
	if (!v->recorder)
		return;
	v->model = spt_recorder_model(v->recorder);
	if (spt_recorder_read(v->recorder, 0, take, v, &v->error))
		stop(v);
	else
		count_lost(v);
}

static void read_image(struct tui *t, struct events *v)
{
	struct spt_trace trace;

	if (v->begun && v->reads == t->subject.reads)
		return;
	v->begun = true;
	v->reads = t->subject.reads;
	v->model = tui_model(t);
	v->count = 0;
	if (spt_events_each(&v->model->image, take, v, &v->error))
		return;
	if (spt_events_trace(&v->model->image, &trace))
		v->lost = spt_trace_lost(&trace);
}

static void describe(const struct events *v, const struct line *l, char *text, size_t size)
{
	static const char *const spaces[] = { "GPA", "GVA", "HVA", "L2 " };
	const struct spt_event *e = &l->event;
	char where[32] = "", vcpu[8] = "-";
	const char *kind = spt_event_kind_name(e->kind);
	uint64_t us = e->time_ns > v->first_ns ? (e->time_ns - v->first_ns) / 1000 : 0;

	if (e->known & SPT_EVENT_HAS_ADDRESS)
		snprintf(where, sizeof(where), "%s 0x%" PRIx64, spaces[e->space % 4],
			 (uint64_t)e->address);
	if (e->known & SPT_EVENT_HAS_VCPU)
		snprintf(vcpu, sizeof(vcpu), "%d", e->vcpu);
	snprintf(text, size, "%5" PRIu64 ".%06" PRIu64 " %4s %-10s %-18s %s", us / 1000000,
		 us % 1000000, vcpu, kind ? kind : "?", where, l->text);
}

/* Those that the filter leaves. */
static void filter(struct tui *t, struct events *v)
{
	char text[512];
	int n = 0;

	for (uint64_t i = 0; i < kept(v); i++) {
		if (t->filter[0]) {
			describe(v, line_at(v, i), text, sizeof(text));
			if (!tui_matches(t, text))
				continue;
		}
		v->shown[n++] = (int)i;
	}
	v->list.count = n;
	if (v->follow)
		v->list.at = n - 1;
	tui_list_set(&v->list, n);
}

static void events_want(struct tui *t, void *state, struct spt_request *req)
{
	/* The recorder has a model of its own. */
	req->parts = SPT_PART_VM;
}

static bool events_draw(struct tui *t, void *state, const struct tui_area *area)
{
	struct events *v = state;
	int rows = area->rows - 1, col;
	char text[512];

	if (!make_room(v)) {
		tui_say(t, false, "out of memory");
		return false;
	}
	if (!v->begun)
		v->follow = true;
	if (!t->subject.live) {
		read_image(t, v);
	} else if (t->frozen || t->subject.gone) {
		stop(v);
	} else {
		v->begun = true;
		record(t, v);
	}
	filter(t, v);
	tui_list_fit(&v->list, rows);
	col = tui_put(&t->canvas, area->row, 0, TUI_HEADING, "%12s %4s %-10s", "s", "vCPU", "kind");
	col = tui_put(&t->canvas, area->row, col + 1, v->lost ? TUI_BAD : TUI_DIM,
		      "%" PRIu64 " events, %" PRIu64 " lost%s", v->count, v->lost,
		      v->recorder ? ", recording" : "");
	if (v->error.code)
		tui_put(&t->canvas, area->row + 1, 0, TUI_BAD, "%s", v->error.text);
	for (int i = 0; i < rows && v->list.top + i < v->list.count; i++) {
		describe(v, line_at(v, (uint64_t)v->shown[v->list.top + i]), text, sizeof(text));
		tui_put(&t->canvas, area->row + 1 + i, 0, TUI_PLAIN, "%s", text);
	}
	tui_list_mark(t, &v->list, area->row + 1, rows);
	return false;
}

static bool events_key(struct tui *t, void *state, enum tui_command command, int key,
		       const struct tui_area *area)
{
	struct events *v = state;
	const struct spt_event *e;

	if (command == TUI_CMD_REREAD) {
		v->error.code = 0;
		return true;
	}
	if (tui_list_key(&v->list, command, key, area->row + 1, area->rows - 1)) {
		/* At the last one: stay with those that come. */
		v->follow = v->list.at == v->list.count - 1;
		return true;
	}
	if ((command != TUI_CMD_ENTER && key != TUI_KEY_DOUBLE) || !v->list.count)
		return false;
	e = &line_at(v, (uint64_t)v->shown[v->list.at])->event;
	if (e->known & SPT_EVENT_HAS_ADDRESS && e->space == SPT_EVENT_GPA) {
		tui_go_gpa(t, e->address);
		tui_show(t, TUI_VIEW_MAP);
	}
	return true;
}

static int events_wait(struct tui *t, void *state)
{
	return ((struct events *)state)->recorder ? LOOK_MS : -1;
}

static void events_leave(void *state)
{
	stop(state);
}

static void events_close(void *state)
{
	struct events *v = state;

	stop(v);
	free(v->line);
	free(v->shown);
}

const struct tui_view tui_view_events = {
	.state_size = sizeof(struct events),
	.want = events_want,
	.draw = events_draw,
	.key = events_key,
	.wait = events_wait,
	.leave = events_leave,
	.close = events_close,
};
