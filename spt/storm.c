// SPDX-License-Identifier: GPL-2.0
#include "spt/storm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spt/model.h"
#include "spt/storm_mix.h"

/* A storm under way. */
struct run {
	struct spt_storm *storm;
	struct spt_control *control;
	struct spt_source *source;
	struct spt_model model;
	struct spt_storm_field field;
	uint64_t open[SPT_STORM_OPEN_MAX]; /* undo records of ours, oldest first */
	unsigned int nr_open;
	struct spt_error *err;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static bool is_to_stop(const struct spt_storm *s)
{
	return s->request.stop && s->request.stop(s->request.arg);
}

/* Until @due, or until a signal asks to stop. */
static void wait_until(const struct spt_storm *s, uint64_t due)
{
	struct timespec until = { due / 1000000000, due % 1000000000 };

	while (!is_to_stop(s) &&
	       clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static void count(struct spt_storm_tally *t, const struct spt_answer *answer, uint64_t spent_ns)
{
	uint64_t nr;

	t->results[answer->result]++;
	t->reasons[answer->reason]++;
	t->total_ns += spent_ns;
	if (spent_ns > t->most_ns)
		t->most_ns = spent_ns;
	if (answer->result != SPT_RESULT_DONE)
		return;
	/* The first ones all, later ones in place of earlier ones. */
	nr = t->nr_times++;
	if (nr >= SPT_STORM_TIMES)
		nr = (nr * 0x9e3779b97f4a7c15ULL >> 32) % SPT_STORM_TIMES;
	t->times_us[nr] = spent_ns / 1000 < UINT32_MAX ? (uint32_t)(spent_ns / 1000) : UINT32_MAX;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

uint32_t spt_storm_median(struct spt_storm_tally *tally)
{
	size_t n = tally->nr_times < SPT_STORM_TIMES ? tally->nr_times : SPT_STORM_TIMES;

	if (!n)
		return 0;
	qsort(tally->times_us, n, sizeof(*tally->times_us), by_number);
	return tally->times_us[n / 2];
}

/* Ask and wait for the answer; a signal that is not meant to stop the storm is no end. */
static int ask(struct run *r, const struct spt_action_request *request, struct spt_answer *answer)
{
	int rc;

	do {
		rc = spt_control_run(r->control, request, NULL, answer, r->err);
		if (rc)
			spt_answer_deinit(answer);
	} while (rc == -EINTR && !is_to_stop(r->storm));
	return rc;
}

static void forget_open(struct run *r, unsigned int at)
{
	memmove(&r->open[at], &r->open[at + 1], (r->nr_open - at - 1) * sizeof(r->open[0]));
	r->nr_open--;
}

/* Take back record @at of ours. */
static int take_back(struct run *r, unsigned int at)
{
	struct spt_action_request request = { .action = SPT_ACT_UNDO,
					      .keys = SPT_KEY_BIT(ID),
					      .id = r->open[at] };
	struct spt_answer answer = { 0 };
	int rc;

	do {
		rc = spt_control_run(r->control, &request, NULL, &answer, r->err);
		/* Even when the storm is to stop. */
	} while (rc == -EINTR);
	forget_open(r, at);
	if (!rc && answer.result == SPT_RESULT_DONE)
		r->storm->undone++;
	else
		r->storm->undo_failed++;
	spt_answer_deinit(&answer);
	return rc;
}

static int remember_open(struct run *r, const struct spt_answer *answer)
{
	const struct spt_act_line *undo = spt_answer_find(answer, SPT_ACT_LAST, SPT_LINE_UNDO);
	int rc = 0;

	if (!undo)
		return 0;
	if (r->nr_open == SPT_STORM_OPEN_MAX)
		rc = take_back(r, 0);
	r->open[r->nr_open++] = undo->number;
	return rc;
}

static int audit(struct run *r)
{
	struct spt_storm *s = r->storm;
	struct spt_audit_request request = { .start = s->request.start, .len = s->request.len };
	uint64_t begin = now_ns();
	int rc;

	if (s->have_audit)
		spt_audit_free(&s->audit);
	rc = spt_audit_source(&s->audit, r->source, &r->model, &request, 0, r->err);
	s->have_audit = true;
	s->audits++;
	s->reads_ns += now_ns() - begin;
	return rc;
}

static int act(struct run *r, uint64_t nr)
{
	struct spt_storm *s = r->storm;
	struct spt_action_request request;
	struct spt_answer answer = { 0 };
	uint64_t pick, begin;
	enum spt_storm_action which = spt_storm_choose(&s->request, &r->field, nr, &request, &pick);
	unsigned int at = 0;
	int rc;

	if (which == SPT_STORM_UNDO) {
		if (!r->nr_open)
			return 0;
		at = pick % r->nr_open;
		request.id = r->open[at];
	}
	if (s->request.told)
		s->request.told(s->request.arg, nr, &request);
	if (s->request.dry_run)
		return 0;
	begin = now_ns();
	rc = ask(r, &request, &answer);
	if (rc)
		return rc;
	count(&s->tally[which], &answer, now_ns() - begin);
	if (which == SPT_STORM_UNDO)
		forget_open(r, at);
	else
		rc = remember_open(r, &answer);
	if (answer.reason == SPT_WHY_GONE)
		s->end = SPT_STORM_GONE;
	spt_answer_deinit(&answer);
	return rc;
}

/* One action, and an audit where one is due. What ends the storm is in storm->end. */
static int step(struct run *r)
{
	struct spt_storm *s = r->storm;
	int rc = act(r, s->actions);

	if (rc || s->end == SPT_STORM_GONE)
		return rc;
	s->actions++;
	if (s->request.count && s->actions == s->request.count)
		s->end = SPT_STORM_BY_COUNT;
	if (s->request.dry_run || !s->request.audit_every || s->actions % s->request.audit_every)
		return 0;
	rc = audit(r);
	if (!rc && s->audit.violations)
		s->end = SPT_STORM_VIOLATION;
	return rc;
}

static int strike(struct run *r)
{
	struct spt_storm *s = r->storm;
	uint64_t begin = now_ns(), due = begin;
	uint64_t until = begin + s->request.seconds * 1000000000ULL;
	uint64_t gap = 1000000000ULL / s->request.rate;
	int rc = 0;

	while (!rc && s->end == SPT_STORM_ERROR) {
		if (is_to_stop(s))
			s->end = SPT_STORM_STOPPED;
		else if (now_ns() >= until)
			s->end = SPT_STORM_BY_TIME;
		else
			rc = step(r);
		/* A rate that cannot be kept is not made up for. */
		due = due + gap > now_ns() ? due + gap : now_ns();
		if (s->end == SPT_STORM_ERROR && !rc && !s->request.dry_run)
			wait_until(s, due);
	}
	if (rc == -EINTR && is_to_stop(s)) {
		s->end = SPT_STORM_STOPPED;
		rc = 0;
	}
	/* Its directory in debugfs went with it. */
	if (rc == -ENOENT) {
		s->end = SPT_STORM_GONE;
		rc = 0;
	}
	s->elapsed_ns = now_ns() - begin;
	return rc;
}

/* Whatever happened: nothing of ours stays, and the tables are looked at once more. */
static int settle(struct run *r)
{
	struct spt_storm *s = r->storm;
	bool violation = s->end == SPT_STORM_VIOLATION;
	struct spt_error first = { 0 };
	int rc = 0, one;

	/* One that cannot be taken back leaves the others to be. */
	while (r->nr_open && s->end != SPT_STORM_GONE) {
		one = take_back(r, r->nr_open - 1);
		if (one && !rc) {
			rc = one;
			if (r->err)
				first = *r->err;
		}
	}
	if (rc && r->err)
		*r->err = first;
	if (rc || s->request.dry_run || violation || s->end == SPT_STORM_GONE ||
	    s->end == SPT_STORM_ERROR)
		return rc;
	rc = audit(r);
	if (!rc && s->audit.violations)
		s->end = SPT_STORM_VIOLATION;
	return rc;
}

static int open_vm(struct run *r, const char *vm)
{
	struct spt_request parts = { .parts = SPT_PART_VM | SPT_PART_MEMSLOTS };
	int rc = spt_control_open(vm, &r->control, r->err);

	if (!rc)
		rc = spt_source_open_vm(vm, &r->source, r->err);
	if (!rc)
		rc = spt_model_read(&r->model, r->source, &parts, 0, r->err);
	if (!rc)
		rc = spt_storm_field_init(&r->field, &r->model.memslots, &r->storm->request,
					  r->err);
	return rc;
}

int spt_storm_run(struct spt_storm *storm, const char *vm, struct spt_error *err)
{
	struct spt_storm_request request = storm->request;
	struct run r = { .storm = storm, .err = err };
	struct spt_error first = { 0 };
	int rc, undo_rc;

	memset(storm, 0, sizeof(*storm));
	storm->request = request;
	storm->end = SPT_STORM_ERROR;
	spt_model_init(&r.model);
	rc = open_vm(&r, vm);
	if (!rc) {
		rc = strike(&r);
		if (rc && err)
			first = *err;
		undo_rc = settle(&r);
		if (rc && err)
			*err = first;
		if (!rc)
			rc = undo_rc;
	}
	if (rc)
		storm->end = SPT_STORM_ERROR;
	spt_storm_field_deinit(&r.field);
	spt_model_deinit(&r.model);
	spt_source_close(r.source);
	spt_control_close(r.control);
	return rc;
}

void spt_storm_deinit(struct spt_storm *storm)
{
	if (storm->have_audit)
		spt_audit_free(&storm->audit);
	storm->have_audit = false;
}
