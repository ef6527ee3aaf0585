// SPDX-License-Identifier: GPL-2.0
/* The live view's events, of a recorder that the test is: what is counted when it begins again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "spt/events.h"
#include "tui/screen.h"

static struct spt_trace trace;
static struct spt_model model;
/* What the linker puts in the place of the recorder's. */
typeof(spt_recorder_start) __wrap_spt_recorder_start;
typeof(spt_recorder_read) __wrap_spt_recorder_read;
typeof(spt_recorder_stop) __wrap_spt_recorder_stop;
typeof(spt_recorder_trace) __wrap_spt_recorder_trace;
typeof(spt_recorder_model) __wrap_spt_recorder_model;
typeof(spt_recorder_close) __wrap_spt_recorder_close;

static uint64_t losses; /* of each recording, when it ends */

int __wrap_spt_recorder_start(const char *id, const struct spt_events_ask *ask,
			      struct spt_recorder **ret, struct spt_error *err)
{
	memset(&trace, 0, sizeof(trace));
	*ret = (struct spt_recorder *)&trace;
	return 0;
}

int __wrap_spt_recorder_read(struct spt_recorder *rec, int wait_ms, spt_event_fn *fn, void *arg,
			     struct spt_error *err)
{
	static const struct spt_event event = { .kind = SPT_EVENT_FAULT };

	return fn(arg, &event);
}

int __wrap_spt_recorder_stop(struct spt_recorder *rec, spt_event_fn *fn, void *arg,
			     struct spt_error *err)
{
	trace.overrun = losses;
	return 0;
}

const struct spt_trace *__wrap_spt_recorder_trace(const struct spt_recorder *rec)
{
	return &trace;
}

const struct spt_model *__wrap_spt_recorder_model(const struct spt_recorder *rec)
{
	return &model;
}

void __wrap_spt_recorder_close(struct spt_recorder *rec)
{
}

/* The line of numbers above the events, as it is drawn now. */
static const char *heading(struct tui *t, void *state)
{
	static const struct tui_area area = { 0, 4 };
	static char text[81];

	tui_canvas_clear(&t->canvas);
	tui_view_events.draw(t, state, &area);
	for (int i = 0; i < 80; i++)
		text[i] = (char)t->canvas.cell[i].ch;
	return text;
}

static void lost_ones_stay_counted(void **state)
{
	_Alignas(max_align_t) static char view[4096];
	struct tui t = { .subject = { .live = true } };

	spt_model_init(&model);
	assert_true(tui_view_events.state_size <= sizeof(view));
	assert_int_equal(tui_canvas_resize(&t.canvas, 6, 80), 0);
	assert_non_null(strstr(heading(&t, view), "1 events, 0 lost, recording"));
	losses = 5;
	tui_view_events.leave(view);
	assert_non_null(strstr(heading(&t, view), "2 events, 5 lost, recording"));
	losses = 2;
	t.frozen = true;
	assert_non_null(strstr(heading(&t, view), "2 events, 7 lost "));
	t.frozen = false;
	assert_non_null(strstr(heading(&t, view), "3 events, 7 lost, recording"));
	tui_view_events.close(view);
	tui_canvas_deinit(&t.canvas);
	spt_model_deinit(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost_ones_stay_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
