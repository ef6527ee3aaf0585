// SPDX-License-Identifier: GPL-2.0
/* A VM's control file: asking, listening, stopping, and answers that break off. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_agent.h"
#include "fake_control.h"
#include "spt/control.h"

#define DONE "action: zap\ngpa: 0x1000+0x1000\n\nid: 1\nresult: done\n"

static const struct fake_answer no_image = { (const uint8_t *)"", 0 };

struct host {
	struct fake_agent agent;
	struct fake_control fake;
	struct spt_control *control;
};

static void start(struct host *h, const char *const *answers, unsigned int nr)
{
	char dir[100];

	fake_agent_start(&h->agent, &no_image, 1);
	snprintf(dir, sizeof(dir), "%s/1234-11", h->agent.dir);
	fake_control_start(&h->fake, dir, answers, nr);
	assert_int_equal(spt_control_open("1234-11", &h->control, NULL), 0);
}

static void stop(struct host *h)
{
	spt_control_close(h->control);
	fake_control_stop(&h->fake);
	fake_agent_stop(&h->agent);
}

static const struct spt_action_request zap = {
	.action = SPT_ACT_ZAP, .keys = SPT_KEY_BIT(GPA), .gpa = 0x1000, .len = 0x1000
};
static const struct spt_action_request trap = { .action = SPT_ACT_TRAP,
						.keys = SPT_KEY_BIT(GPA),
						.gpa = 0x1000 };

static void one_after_the_other(void **state)
{
	static const char *const answers[] = {
		DONE,
		"action: zap\n\nreason: unmapped: nothing is mapped there\nresult: no-effect\n"
	};
	struct spt_answer answer = { 0 };
	struct host h;

	start(&h, answers, 2);
	assert_int_equal(spt_control_run(h.control, &zap, NULL, &answer, NULL), 0);
	assert_string_equal(h.fake.last_request, "zap gpa=0x1000+0x1000\n");
	assert_int_equal(answer.result, SPT_RESULT_DONE);
	spt_answer_deinit(&answer);
	assert_int_equal(spt_control_run(h.control, &zap, NULL, &answer, NULL), 0);
	assert_int_equal(answer.result, SPT_RESULT_NO_EFFECT);
	assert_int_equal(answer.reason, SPT_WHY_UNMAPPED);
	spt_answer_deinit(&answer);
	stop(&h);
}

static void answers_that_break_off(void **state)
{
	static const char *const answers[] = { "", "action: zap\n", "action: zap\n\nresult: do",
					       "action: zap\n\nwhat: now\n" };
	struct host h;

	for (unsigned int i = 0; i < 4; i++) {
		struct spt_error err = { 0 };
		struct spt_answer answer = { 0 };

		start(&h, answers + i, 1);
		assert_int_equal(spt_control_run(h.control, &zap, NULL, &answer, &err), -EBADMSG);
		assert_int_equal(err.code, EBADMSG);
		spt_answer_deinit(&answer);
		stop(&h);
	}
}

struct seen {
	unsigned int hits, most;
	bool armed, stop;
};

static int on_hit(void *arg, const struct spt_act_hit *hit)
{
	struct seen *seen = arg;

	assert_int_equal(hit->seq, ++seen->hits);
	return seen->hits == seen->most;
}

static void on_armed(void *arg, const struct spt_answer *answer)
{
	struct seen *seen = arg;

	assert_int_equal(spt_answer_find(answer, 0, SPT_LINE_GPA)->number, 0x1000);
	seen->armed = true;
}

static bool is_to_stop(void *arg)
{
	return ((struct seen *)arg)->stop;
}

#define ARMED "action: trap\ngpa: 0x1000\n\narmed: 1\n"
#define HITS                                                                                       \
	"hit: seq=1 vcpu=0 gpa=0x1000 access=r\n"                                                  \
	"hit: seq=2 vcpu=0 gpa=0x1000 access=w\n"

static void listening_ends_by_itself(void **state)
{
	static const char *const answers[] = { ARMED HITS "\ncount: 2\nresult: done\n" };
	struct seen seen = { 0 };
	struct spt_control_watch watch = { on_hit, on_armed, is_to_stop, &seen };
	struct spt_answer answer = { 0 };
	struct host h;

	start(&h, answers, 1);
	assert_int_equal(spt_control_run(h.control, &trap, &watch, &answer, NULL), 0);
	assert_true(seen.armed);
	assert_int_equal(seen.hits, 2);
	assert_string_equal(h.fake.last_request, "trap gpa=0x1000\n");
	spt_answer_deinit(&answer);
	stop(&h);
}

/* Whoever listens says stop; or what he asks says that he is to. */
static void listening_is_stopped(void **state)
{
	static const char *const answers[] = { ARMED HITS FAKE_LISTENS,
					       "\nlost: 0\nresult: done\n" };

	for (int by_hit = 0; by_hit < 2; by_hit++) {
		struct seen seen = { .most = by_hit ? 2 : 0, .stop = !by_hit };
		struct spt_control_watch watch = { on_hit, on_armed, is_to_stop, &seen };
		struct spt_answer answer = { 0 };
		struct host h;

		start(&h, answers, 2);
		assert_int_equal(spt_control_run(h.control, &trap, &watch, &answer, NULL), 0);
		assert_string_equal(h.fake.last_request, "stop\n");
		assert_int_equal(answer.result, SPT_RESULT_DONE);
		assert_int_equal(seen.hits, 2);
		spt_answer_deinit(&answer);
		stop(&h);
	}
}

static void a_vm_without_control(void **state)
{
	struct spt_control *control;
	struct fake_agent agent;
	struct spt_error err;

	fake_agent_start(&agent, &no_image, 1);
	assert_int_equal(spt_control_open("1234-11", &control, &err), -ENOENT);
	assert_non_null(strstr(err.text, "is gone"));
	fake_agent_stop(&agent);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(answers_that_break_off),
		cmocka_unit_test(listening_ends_by_itself),
		cmocka_unit_test(listening_is_stopped),
		cmocka_unit_test(a_vm_without_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
