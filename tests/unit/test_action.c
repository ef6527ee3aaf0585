// SPDX-License-Identifier: GPL-2.0
/* Lines that ask for actions, and answers: what is understood, and all that is not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "spt/action.h"
#include "spt/journal.h"

static void lines_of_requests(void **state)
{
	static const struct {
		struct spt_action_request request;
		const char *line; /* NULL: refused */
	} cases[] = {
		{ { .action = SPT_ACT_FAULT, .keys = SPT_KEY_BIT(GPA), .gpa = 0x1234 },
		  "fault gpa=0x1234\n" },
		{ { .action = SPT_ACT_FAULT,
		    .keys = SPT_KEY_BIT(GPA) | SPT_KEY_BIT(ACCESS) | SPT_KEY_BIT(VCPU) |
			    SPT_KEY_BIT(COUNT),
		    .gpa = 0x1000,
		    .access = 'w',
		    .vcpu = 3,
		    .count = 12 },
		  "fault gpa=0x1000 access=w vcpu=3 count=12\n" },
		{ { .action = SPT_ACT_ZAP,
		    .keys = SPT_KEY_BIT(GPA) | SPT_KEY_BIT(ROOT) | SPT_KEY_BIT(DRY_RUN),
		    .gpa = 0x200000,
		    .len = 0x10000,
		    .root = 0x6123000,
		    .dry_run = true },
		  "zap gpa=0x200000+0x10000 root=0x6123000 dry-run=1\n" },
		{ { .action = SPT_ACT_ZAP, .keys = SPT_KEY_BIT(GPA), .all = true },
		  "zap gpa=all\n" },
		{ { .action = SPT_ACT_UNDO, .keys = SPT_KEY_BIT(ID), .id = 7 }, "undo id=7\n" },
		{ { .action = SPT_ACT_UNDO, .keys = SPT_KEY_BIT(ID), .all = true },
		  "undo id=all\n" },
		{ { .action = SPT_ACT_STOP }, "stop\n" },
		/* No address; a key that it does not take; a range, 'all' where one address is. */
		{ { .action = SPT_ACT_FAULT }, NULL },
		{ { .action = SPT_ACT_SPLIT,
		    .keys = SPT_KEY_BIT(GPA) | SPT_KEY_BIT(COUNT),
		    .count = 1 },
		  NULL },
		{ { .action = SPT_ACT_FAULT, .keys = SPT_KEY_BIT(GPA), .len = 0x1000 }, NULL },
		{ { .action = SPT_ACT_AGE, .keys = SPT_KEY_BIT(GPA), .all = true }, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[SPT_ACTION_LINE_MAX + 1];
		struct spt_error err;
		int len = spt_action_line(&cases[i].request, line, &err);

		if (cases[i].line) {
			assert_int_equal(len, strlen(cases[i].line));
			assert_string_equal(line, cases[i].line);
		} else {
			assert_int_equal(len, -EINVAL);
		}
	}
}

static void the_longest_line_fits(void **state)
{
	for (unsigned int i = 0; i < SPT_ACT_COUNT; i++) {
		struct spt_action_request request = {
			.action = i,
			.keys = spt_actions[i].must | spt_actions[i].may | SPT_KEY_BIT(DRY_RUN),
			.gpa = ~0ULL,
			.len = spt_actions[i].flags & SPT_ACTION_RANGE ? ~0ULL : 0,
			.root = ~0ULL,
			.access = 'w',
			.perm = "rx",
			.vcpu = ~0U,
			.count = ~0U,
			.timeout = ~0U,
			.id = ~0ULL,
		};
		char line[SPT_ACTION_LINE_MAX + 1];
		int len = spt_action_line(&request, line, NULL);

		assert_in_range(len, 1, SPT_ACTION_LINE_MAX);
		assert_int_equal(line[len - 1], '\n');
	}
}

/* Takes a whole text; returns what the last line gave, hits counted. */
static int take_text(struct spt_answer *answer, const char *text, unsigned int *hits,
		     struct spt_error *err)
{
	char line[1024];

	*hits = 0;
	while (*text) {
		size_t len = strcspn(text, "\n");
		int rc;

		memcpy(line, text, len);
		line[len] = '\0';
		rc = spt_answer_take(answer, line, err);
		if (rc < 0)
			return rc;
		*hits += rc;
		text += len + (text[len] == '\n');
	}
	return 0;
}

#define FIRST "action: fault\ngpa: 0x1000\nslot: 0:1 base=0x0 size=0x800000 hva=0x7f00 flags=-\n"
#define STEP1                                                                                      \
	"\nstep: 1\ncontext: run\nret: fixed\nretries: 1\nns: 12345\nwait-ns: 99\n"                \
	"entry: root=0x6000 kind=direct gpa=0x1000 level-before=1 before=0x8000000000000000 "      \
	"level-after=1 after=0x60000012345e67\n"

static void an_answer_is_taken_apart(void **state)
{
	struct spt_answer a;
	struct spt_act_entry entry;
	struct spt_error err;
	unsigned int hits;

	spt_answer_init(&a, SPT_ACT_FAULT);
	assert_int_equal(take_text(&a,
				   FIRST STEP1 "\nstep: 2\nret: spurious\n\nid: 5\nundo: 5\n"
					       "result: done\n",
				   &hits, &err),
			 0);
	assert_true(a.ended);
	assert_int_equal(a.steps, 2);
	assert_int_equal(a.result, SPT_RESULT_DONE);
	assert_int_equal(a.reason, SPT_WHY_NONE);
	assert_int_equal(spt_answer_find(&a, 0, SPT_LINE_GPA)->number, 0x1000);
	assert_int_equal(spt_answer_find(&a, 1, SPT_LINE_NS)->number, 12345);
	assert_string_equal(spt_answer_find(&a, 2, SPT_LINE_RET)->text, "spurious");
	assert_null(spt_answer_find(&a, 2, SPT_LINE_NS));
	assert_int_equal(spt_answer_find(&a, SPT_ACT_LAST, SPT_LINE_UNDO)->number, 5);
	assert_true(spt_answer_entry(&a, &entry));
	assert_int_equal(entry.root, 0x6000);
	assert_string_equal(entry.kind, "direct");
	assert_true(entry.before.known && entry.after.known);
	assert_int_equal(entry.after.raw, 0x60000012345e67);
	spt_answer_deinit(&a);
}

static void a_refusal_has_its_reason(void **state)
{
	struct spt_answer a;
	unsigned int hits;

	spt_answer_init(&a, SPT_ACT_FAULT);
	assert_int_equal(take_text(&a,
				   "action: fault\ngpa: 0x1000\n\n"
				   "reason: no-slot: no memslot holds 0x1000\n"
				   "result: refused\n",
				   &hits, NULL),
			 0);
	assert_int_equal(a.result, SPT_RESULT_REFUSED);
	assert_int_equal(a.reason, SPT_WHY_NO_SLOT);
	assert_string_equal(a.reason_text, "no memslot holds 0x1000");
	spt_answer_deinit(&a);
}

static void what_is_no_answer(void **state)
{
	static const char *const texts[] = {
		"nonsense",
		"gpa:0x1000",
		"gpa: ",
		"gpa: 0x",
		"gpa: 0x1000 ",
		"gpa: 0x10000000000000000",
		"gpa: -1",
		"ns: many",
		"acton: fault",
		"action: zap", /* another one */
		"action: fault\naction: fault",
		"\n\n",
		"action: fault\n\n\n",
		"action: fault\nstep: 1", /* no block of its own */
		"action: fault\n\nstep: 2",
		FIRST STEP1 "\nstep: 1",
		"entry: root=0x1000 kind=direct gpa=0x0 level-before=1",
		"entry: root=0x1000 kind=direct gpa=0x0 level-before=6 before=0x0",
		"entry: root=0x1000 kind=direct gpa=0x0 before=0x0",
		"entry: kind=direct gpa=0x0 level-before=1 before=0x0",
		"entry: root=0x1000 kind=aaaaaaaaaaaaaaaaaaaaaaaa gpa=0x0 level-before=1 before=0x0",
		"entry: root=n/a kind=shadow gpa=0x0 level-before=1 before=-",
		"entry: root=n/a kind=shadow gpa=0x0 level-before=0 before=-",
		"entry: root=n/a kind=shadow gpa=0x0 level-before=0 before=- level-after=0 after=-",
		"mapped: root=0x1000 4k-before=1 2m-before=0",
		"mapped: root=0x1000 4k-before=1 2m-before=0 1g-before=0 4k-after=0",
		"touched: root=0x1000 gpa=0x0 size=0x0",
		"entry: root=none kind=shadow gpa=0x0 level-before=1 before=0x0",
		"hit: seq=1 gpa=0x1000 access=z",
		"hit: seq=1 gpa=0x1000 access=w insn=4",
		"hit: seq=1 gpa=0x1000 access=w insn=xx",
		"hit: seq=1 gpa=0x1000 access=w bits=48",
		"hit: gpa=0x1000 access=w",
		"reason: because: it is so",
		"reason: no-slot: x\nresult: done",
		"result: refused",
		"result: perhaps",
		"action: fault\n\nresult: done\nresult: done",
		"action: fault\n\nresult: done\n\n",
		"action: fault\n\nstep: 1\nresult: done",
		"context: r\033[1mun",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct spt_error err = { 0 };
		struct spt_answer a;
		unsigned int hits;
		int rc;

		spt_answer_init(&a, SPT_ACT_FAULT);
		rc = take_text(&a, texts[i], &hits, &err);
		if (rc != -EBADMSG)
			fail_msg("'%s' was taken: %d", texts[i], rc);
		assert_int_equal(err.code, EBADMSG);
		spt_answer_deinit(&a);
	}
}

/* Shadow tables have no root of their own. */
static void an_entry_without_a_root(void **state)
{
	struct spt_act_entry entry;
	struct spt_act_mapped mapped;
	struct spt_act_touched touched;

	assert_true(spt_act_entry("root=n/a kind=shadow table=0x5879000 gpa=0x1000 level-before=1 "
				  "before=0x0",
				  &entry));
	assert_int_equal(entry.root, SPT_ACT_NO_ROOT);
	assert_int_equal(entry.table, 0x5879000);
	assert_false(entry.after.known);
	assert_false(entry.after.none);
	/* It was there and is not, or the other way round. */
	assert_true(spt_act_entry("root=n/a kind=shadow table=0x5879000 gpa=0x1000 level-before=1 "
				  "before=0x7 level-after=0 after=-",
				  &entry));
	assert_true(entry.before.known && !entry.after.known && entry.after.none);
	assert_true(spt_act_entry("root=n/a kind=shadow table=0x5879000 gpa=0x1000 level-before=0 "
				  "before=- level-after=1 after=0x7",
				  &entry));
	assert_true(!entry.before.known && entry.before.none && entry.after.known);
	assert_true(spt_act_mapped("root=n/a kind=shadow 4k-before=1 2m-before=2 1g-before=3",
				   &mapped));
	assert_int_equal(mapped.root, SPT_ACT_NO_ROOT);
	assert_int_equal(mapped.before[2], 3);
	assert_true(spt_act_touched("root=n/a gpa=0x1000 size=0x1000", &touched));
	assert_int_equal(touched.root, SPT_ACT_NO_ROOT);
}

static void hits_go_by(void **state)
{
	static const char words[] =
		"seq=2 vcpu=1 rip=0x10009 gpa=0x10000000 gva=0x100010000000 access=w "
		"error=0x100000007 insn=48ff03 bits=64 root=0x6000 kind=direct level-before=1 "
		"before=0x60000012345a65 level-after=1 after=0x60000012345e67 value=0x11";
	struct spt_act_hit hit;
	struct spt_answer a;
	char line[512];
	unsigned int hits;

	spt_answer_init(&a, SPT_ACT_TRAP);
	assert_int_equal(take_text(&a, "action: trap\ngpa: 0x10000000\n\narmed: 1\n", &hits, NULL),
			 0);
	snprintf(line, sizeof(line), "hit: %s\nhit: %s\n\nlost: 0\nresult: done\n", words, words);
	assert_int_equal(take_text(&a, line, &hits, NULL), 0);
	assert_int_equal(hits, 2);
	assert_true(a.ended);
	spt_answer_deinit(&a);

	assert_true(spt_act_hit(words, &hit));
	assert_int_equal(hit.vcpu, 1);
	assert_int_equal(hit.rip, 0x10009);
	assert_int_equal(hit.gva, 0x100010000000);
	assert_int_equal(hit.insn_len, 3);
	assert_memory_equal(hit.insn, "\x48\xff\x03", 3);
	assert_int_equal(hit.bits, 64);
	assert_int_equal(hit.value, 0x11);
	assert_true(hit.before.known && hit.after.known);

	assert_true(spt_act_hit("seq=1 gpa=0x1000 access=r", &hit));
	assert_int_equal(hit.vcpu, -1);
	assert_false(hit.have_rip || hit.have_gva || hit.have_value || hit.before.known);
	assert_int_equal(hit.bits, 0);
}

static void lines_of_the_journal(void **state)
{
	static const char good[] =
		"id=3 time=1700000000.000000042 pid=77 comm=spt vm=1234-11 action=split "
		"target=0x200000 before=2:0xee7 after=1:0xe67 result=done reason=- undo=open";
	static const char *const bad[] = {
		"",
		"id=3",
		"id=3 time=17 pid=77 comm=spt vm=1-2 action=zap target=all before=- after=- "
		"result=done reason=- undo=none",
		"id=3 time=17.0 pid=77 comm=spt vm=1-2 action=zap target=all before=- after=- "
		"result=done reason=- undo=perhaps",
		"id=x time=17.0 pid=77 comm=spt vm=1-2 action=zap target=all before=- after=- "
		"result=done reason=- undo=none",
	};
	struct spt_journal_entry e;

	assert_int_equal(spt_journal_parse(good, &e, NULL), 0);
	assert_int_equal(e.id, 3);
	assert_int_equal(e.time_ns, 1700000000000000042ULL);
	assert_string_equal(e.vm, "1234-11");
	assert_string_equal(e.before, "2:0xee7");
	assert_int_equal(e.undo, SPT_UNDO_OPEN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(spt_journal_parse(bad[i], &e, NULL), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_requests),
		cmocka_unit_test(the_longest_line_fits),
		cmocka_unit_test(an_answer_is_taken_apart),
		cmocka_unit_test(a_refusal_has_its_reason),
		cmocka_unit_test(what_is_no_answer),
		cmocka_unit_test(an_entry_without_a_root),
		cmocka_unit_test(hits_go_by),
		cmocka_unit_test(lines_of_the_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
