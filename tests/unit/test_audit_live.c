// SPDX-License-Identifier: GPL-2.0
/* A live VM is looked at again: what stays is a violation, what goes was a change under way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "audit_vm.h"
#include "fake_agent.h"

#define LATE_MS 1200

/* What an agent would answer while the VM is as @make leaves it; free the bytes. */
static struct fake_answer answer(const char *format, void (*make)(struct tdp_vm *t))
{
	struct tdp_vm t = tdp_vm_new(format);
	struct fake_answer a;
	uint8_t *copy;

	if (make)
		make(&t);
	tdp_vm_load(&t);
	a.len = t.vm.model.image.len;
	copy = malloc(a.len);
	memcpy(copy, t.vm.model.image.base, a.len);
	a.bytes = copy;
	vm_free(&t.vm);
	return a;
}

/* @late: number of the answer that takes longer than a frozen entry may last: @count, none does. */
static void audit_answers(const struct fake_answer *answers, unsigned int count, unsigned int late,
			  struct spt_audit *audit, unsigned int *requests)
{
	struct spt_audit_request request = { 0 };
	struct spt_error err = { 0 };
	struct fake_agent agent;
	struct spt_source *src;
	struct spt_model model;
	int ret;

	fake_agent_start(&agent, answers, count);
	agent.late = late;
	agent.late_ms = LATE_MS;
	assert_int_equal(spt_source_open_vm("1234-11", &src, &err), 0);
	spt_model_init(&model);
	ret = spt_audit_source(audit, src, &model, &request, 0, &err);
	if (ret)
		fail_msg("%s", err.text);
	spt_model_deinit(&model);
	spt_source_close(src);
	*requests = agent.requests;
	fake_agent_stop(&agent);
}

static void break_leaf(struct tdp_vm *t)
{
	mkimage_set(t->vm.mk, t->low, 4, mkimage_leaf(t->vm.mk, LOW_HPA + 0x9000, 1, "rwx"));
}

static void break_leaf_and_move(struct tdp_vm *t)
{
	break_leaf(t);
	mkimage_end(t->vm.mk)->seq_end++;
}

static void freeze(struct tdp_vm *t)
{
	mkimage_set(t->vm.mk, t->low, 0, mkimage_format(t->vm.mk)->frozen);
	mkimage_vm(t->vm.mk, SPT_VM_PAGES_4K, 12);
}

static void get_stuck(struct tdp_vm *t)
{
	mkimage_vm(t->vm.mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 1);
	mkimage_end(t->vm.mk)->in_progress_end = 1;
}

static void count_wrong(struct tdp_vm *t)
{
	mkimage_vm(t->vm.mk, SPT_VM_PAGES_4K, 77);
}

static void expect(void (*first)(struct tdp_vm *t), void (*then)(struct tdp_vm *t),
		   enum spt_audit_rule_nr rule, uint64_t violations, uint64_t in_flux)
{
	struct fake_answer answers[] = { answer("npt-6.12", first), answer("npt-6.12", then) };
	struct spt_audit audit;
	unsigned int requests;

	audit_answers(answers, 2, 2, &audit, &requests);
	assert_int_equal(audit.violations, violations);
	assert_int_equal(audit.result[rule].violations, violations);
	assert_int_equal(audit.result[rule].in_flux, in_flux);
	assert_int_equal(audit.in_flux, in_flux);
	assert_int_equal(audit.nr_findings, violations);
	if (violations)
		assert_int_equal(audit.findings[0].rule, rule);
	/* Often enough to be sure, but not for ever. */
	assert_true(requests >= 2);
	assert_int_equal(requests, audit.reads);
	spt_audit_free(&audit);
	free((void *)answers[0].bytes);
	free((void *)answers[1].bytes);
}

static void what_stays_is_a_violation(void **state)
{
	expect(break_leaf, break_leaf, SPT_AUDIT_LEAF_HOST, 1, 0);
	expect(count_wrong, count_wrong, SPT_AUDIT_COUNT_PAGES, 1, 0);
}

static void what_goes_was_a_change_under_way(void **state)
{
	expect(break_leaf, NULL, SPT_AUDIT_LEAF_HOST, 0, 1);
	expect(count_wrong, NULL, SPT_AUDIT_COUNT_PAGES, 0, 1);
	expect(freeze, NULL, SPT_AUDIT_FROZEN, 0, 1);
	expect(get_stuck, NULL, SPT_AUDIT_INVALIDATE_STUCK, 0, 1);
}

/* The sequence of invalidations moves in every image: nobody can tell. */
static void what_never_stands_still_is_no_violation(void **state)
{
	expect(break_leaf_and_move, break_leaf_and_move, SPT_AUDIT_LEAF_HOST, 0, 1);
}

/* Seen first while something moved, and then again and again while nothing did. */
static void what_moved_at_first_may_stay(void **state)
{
	expect(break_leaf_and_move, break_leaf, SPT_AUDIT_LEAF_HOST, 1, 0);
}

static void what_must_end_is_waited_for(void **state)
{
	expect(freeze, freeze, SPT_AUDIT_FROZEN, 1, 0);
	expect(get_stuck, get_stuck, SPT_AUDIT_INVALIDATE_STUCK, 1, 0);
}

/* An image that is late was of a moment before; what held then needs not hold still. */
static void a_late_image_is_no_proof_of_lasting(void **state)
{
	enum { LOOKS = 6 };
	struct fake_answer answers[LOOKS + 2];
	struct spt_audit audit;
	unsigned int requests;

	answers[0] = answer("npt-6.12", freeze);
	for (int i = 1; i <= LOOKS; i++)
		answers[i] = answers[0];
	answers[LOOKS + 1] = answer("npt-6.12", NULL);
	audit_answers(answers, LOOKS + 2, LOOKS, &audit, &requests);
	assert_int_equal(audit.violations, 0);
	assert_int_equal(audit.result[SPT_AUDIT_FROZEN].in_flux, 1);
	assert_int_equal(requests, LOOKS + 2);
	spt_audit_free(&audit);
	free((void *)answers[0].bytes);
	free((void *)answers[LOOKS + 1].bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stays_is_a_violation),
		cmocka_unit_test(what_goes_was_a_change_under_way),
		cmocka_unit_test(what_never_stands_still_is_no_violation),
		cmocka_unit_test(what_moved_at_first_may_stay),
		cmocka_unit_test(what_must_end_is_waited_for),
		cmocka_unit_test(a_late_image_is_no_proof_of_lasting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
