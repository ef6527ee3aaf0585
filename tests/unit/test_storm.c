// SPDX-License-Identifier: GPL-2.0
/* A storm: what it does follows from its seed; what it leaves open it takes back; what ends it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "audit_vm.h"
#include "fake_agent.h"
#include "fake_control.h"
#include "spt/storm.h"
#include "spt/storm_mix.h"

static void mixes(void **state)
{
	unsigned int weight[SPT_STORM_ACTION_COUNT];
	static const char *const bad[] = {
		"",	  "zap,",     "zap,,remap", "zap:", "zap:0",
		"zap:-1", "zap:1001", "zap:1x",	    "trap", "zap remap"
	};

	assert_int_equal(spt_storm_parse("zap,remap:3,write-track", weight, NULL), 0);
	for (int i = 0; i < SPT_STORM_ACTION_COUNT; i++)
		assert_int_equal(weight[i], i == SPT_STORM_ZAP	   ? 1
					    : i == SPT_STORM_REMAP ? 3
					    : i == SPT_STORM_TRACK ? 1
								   : 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(spt_storm_parse(bad[i], weight, NULL), -EINVAL);
}

/* Every choice lies in a slot, every kind comes, and the same number gives the same. */
static void choices(void **state)
{
	struct spt_storm_piece pieces[] = { { 0x1000, 1 }, { 0x100000, 16 }, { 0x40000000, 1024 } };
	struct spt_storm_field field = { pieces, 3, 1 + 16 + 1024 };
	struct spt_storm_request storm = { .seed = 42 };
	unsigned int seen[SPT_STORM_ACTION_COUNT] = { 0 }, in[3] = { 0 }, other = 0;

	spt_storm_default_mix(storm.weight);
	storm.weight[SPT_STORM_UNDO] = 1;
	for (uint64_t nr = 0; nr < 5000; nr++) {
		struct spt_action_request a, b, c;
		char line[SPT_ACTION_LINE_MAX + 1], again[SPT_ACTION_LINE_MAX + 1];
		uint64_t pick, same_pick, end;
		enum spt_storm_action which = spt_storm_choose(&storm, &field, nr, &a, &pick);

		seen[which]++;
		assert_int_equal(spt_storm_choose(&storm, &field, nr, &b, &same_pick), which);
		assert_true(spt_action_line(&a, line, NULL) > 0);
		assert_true(spt_action_line(&b, again, NULL) > 0);
		assert_string_equal(line, again);
		assert_int_equal(pick, same_pick);
		storm.seed++;
		spt_storm_choose(&storm, &field, nr, &c, &same_pick);
		storm.seed--;
		other += c.action != a.action || c.gpa != a.gpa;
		if (which == SPT_STORM_UNDO)
			continue;
		end = a.gpa + (a.len ? a.len : 0x1000);
		for (int i = 0; i < 3; i++)
			in[i] += a.gpa >= pieces[i].gpa &&
				 end <= pieces[i].gpa + pieces[i].pages * 0x1000;
	}
	for (int i = 0; i < SPT_STORM_ACTION_COUNT; i++)
		assert_true(seen[i] > 100);
	assert_int_equal(in[0] + in[1] + in[2] + seen[SPT_STORM_UNDO], 5000);
	assert_true(in[0] && in[1] && in[2] > 4000);
	assert_true(other > 4900);
}

struct host {
	struct fake_agent agent;
	struct fake_control control;
	struct fake_answer image;
	struct spt_storm *storm;
};

static bool stop_at_once(void *arg)
{
	return true;
}

/* One kind of action, the answers in turn, no audit but the last; returns spt_storm_run()'s. */
static int run(struct host *h, const char *const *answers, unsigned int nr, bool (*stop)(void *arg),
	       void (*make)(struct tdp_vm *t))
{
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	uint8_t *image;
	char dir[100];
	int rc;

	if (make)
		make(&t);
	tdp_vm_load(&t);
	h->image.len = t.vm.model.image.len;
	image = malloc(h->image.len);
	memcpy(image, t.vm.model.image.base, h->image.len);
	h->image.bytes = image;
	vm_free(&t.vm);
	fake_agent_start(&h->agent, &h->image, 1);
	snprintf(dir, sizeof(dir), "%s/1234-11", h->agent.dir);
	fake_control_start(&h->control, dir, answers, nr);
	h->storm = calloc(1, sizeof(*h->storm));
	h->storm->request = (struct spt_storm_request){
		.seed = 7, .rate = 1000, .seconds = 60, .count = 3, .stop = stop
	};
	h->storm->request.weight[SPT_STORM_SPLIT] = 1;
	rc = spt_storm_run(h->storm, "1234-11", NULL);
	fake_control_stop(&h->control);
	fake_agent_stop(&h->agent);
	free(image);
	return rc;
}

static void end(struct host *h)
{
	spt_storm_deinit(h->storm);
	free(h->storm);
}

#define SPLIT(id) "action: split\n\nundo: " id "\nresult: done\n"
#define UNDONE	  "action: undo\n\nresult: done\n"

static void what_it_opened_is_taken_back(void **state)
{
	static const char *const answers[] = {
		SPLIT("5"), "action: split\n\nreason: not-huge: no\nresult: refused\n", SPLIT("6"),
		UNDONE, UNDONE
	};
	struct spt_storm_tally *tally;
	struct host h;

	assert_int_equal(run(&h, answers, 5, NULL, NULL), 0);
	tally = &h.storm->tally[SPT_STORM_SPLIT];
	assert_int_equal(h.storm->end, SPT_STORM_BY_COUNT);
	assert_int_equal(h.storm->actions, 3);
	assert_int_equal(tally->results[SPT_RESULT_DONE], 2);
	assert_int_equal(tally->results[SPT_RESULT_REFUSED], 1);
	assert_int_equal(tally->reasons[SPT_WHY_NOT_HUGE], 1);
	assert_int_equal(h.storm->undone, 2);
	assert_int_equal(h.storm->undo_failed, 0);
	assert_int_equal(h.storm->audits, 1);
	assert_int_equal(h.control.requests, 5);
	assert_string_equal(h.control.last_request, "undo id=5\n");
	end(&h);
}

static void it_is_stopped(void **state)
{
	static const char *const answers[] = { SPLIT("5") };
	struct host h;

	assert_int_equal(run(&h, answers, 1, stop_at_once, NULL), 0);
	assert_int_equal(h.storm->end, SPT_STORM_STOPPED);
	assert_int_equal(h.control.requests, 0);
	end(&h);
}

static void break_leaf(struct tdp_vm *t)
{
	mkimage_set(t->vm.mk, t->low, 4, mkimage_leaf(t->vm.mk, LOW_HPA + 0x9000, 1, "rwx"));
}

static void a_violation_ends_it(void **state)
{
	static const char *const answers[] = { SPLIT("5"), SPLIT("6"), SPLIT("7"), UNDONE };
	struct host h;

	assert_int_equal(run(&h, answers, 4, NULL, break_leaf), 0);
	assert_int_equal(h.storm->end, SPT_STORM_VIOLATION);
	assert_true(h.storm->audit.violations);
	assert_int_equal(h.storm->undone, 3);
	end(&h);
}

static void a_vm_that_goes_ends_it(void **state)
{
	static const char *const answers[] = {
		SPLIT("5"), "action: split\n\nreason: gone: the VMM has left\nresult: refused\n"
	};
	struct host h;

	assert_int_equal(run(&h, answers, 2, NULL, NULL), 0);
	assert_int_equal(h.storm->end, SPT_STORM_GONE);
	assert_int_equal(h.control.requests, 2);
	end(&h);
}

/* No answer is an error; what was open is taken back nevertheless. */
static void an_answer_that_is_none(void **state)
{
	static const char *const answers[] = { SPLIT("5"), "what\n" FAKE_LISTENS, UNDONE };
	struct host h;

	assert_int_equal(run(&h, answers, 3, NULL, NULL), -EBADMSG);
	assert_int_equal(h.storm->end, SPT_STORM_ERROR);
	assert_int_equal(h.storm->undone, 1);
	assert_string_equal(h.control.last_request, "undo id=5\n");
	end(&h);
}

/* Nor does one that cannot be taken back keep the others. */
static void an_undo_that_fails(void **state)
{
	static const char *const answers[] = { SPLIT("5"), SPLIT("6"),
					       SPLIT("7"), "what\n" FAKE_LISTENS,
					       UNDONE,	   UNDONE };
	struct host h;

	assert_int_equal(run(&h, answers, 6, NULL, NULL), -EBADMSG);
	assert_int_equal(h.storm->undone, 2);
	assert_int_equal(h.storm->undo_failed, 1);
	assert_string_equal(h.control.last_request, "undo id=5\n");
	end(&h);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(mixes),
		cmocka_unit_test(choices),
		cmocka_unit_test(what_it_opened_is_taken_back),
		cmocka_unit_test(it_is_stopped),
		cmocka_unit_test(a_violation_ends_it),
		cmocka_unit_test(a_vm_that_goes_ends_it),
		cmocka_unit_test(an_answer_that_is_none),
		cmocka_unit_test(an_undo_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
