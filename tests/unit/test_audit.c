// SPDX-License-Identifier: GPL-2.0
/*
 * The audit as a whole: silent where all is well, what it says of an image that moved or lacks
 * parts, and what can be asked of it. Its rules one by one: test_audit_tables.c,
 * test_audit_leaves.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "audit_breaks.h"

static const char *const shadow_formats[] = { "shadow-6.1", "shadow-6.12", "shadow-7.3" };

static void nothing_is_wrong_with_a_sound_vm(void **state)
{
	for (size_t i = 0; i < COUNT(tdp_formats); i++) {
		struct tdp_vm t = tdp_vm_new(tdp_formats[i]);
		struct spt_audit audit;

		tdp_vm_load(&t);
		audit = audit_all(&t.vm.model);
		expect_only(tdp_formats[i], &audit, NULL);
		assert_int_equal(audit.result[SPT_AUDIT_LEAF_HOST].checked, 16);
		assert_int_equal(audit.result[SPT_AUDIT_LEAF_SLOT].checked, 16);
		assert_int_equal(audit.result[SPT_AUDIT_CHILD_GFN].checked, 9);
		assert_int_equal(audit.result[SPT_AUDIT_W_DIRTY_LOG].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_HUGE_DISALLOWED].checked, 3);
		assert_int_equal(audit.result[SPT_AUDIT_MMIO_GENERATION].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_MMIO_IN_SLOT].checked, 1);
		assert_int_equal(audit.result[SPT_AUDIT_COUNT_PAGES].checked, 3);
		assert_int_equal(audit.hints, 0);
		spt_audit_free(&audit);
		vm_free(&t.vm);
	}
}

static void nothing_is_wrong_with_a_sound_shadow_vm(void **state)
{
	for (size_t i = 0; i < COUNT(shadow_formats); i++) {
		struct shadow_vm s = shadow_vm_new(shadow_formats[i]);
		struct spt_audit audit;

		shadow_vm_load(&s);
		audit = audit_all(&s.vm.model);
		expect_only(shadow_formats[i], &audit, NULL);
		assert_int_equal(audit.result[SPT_AUDIT_RMAP_LEAF].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_RMAP_ENTRY].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_SHADOW_ACCESS].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_GUEST_PTE].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_SHADOW_TRACKED].checked, 3);
		assert_int_equal(audit.result[SPT_AUDIT_UNSYNC_WRITABLE].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_LEAF_HOST].checked, 2);
		spt_audit_free(&audit);
		vm_free(&s.vm);
	}
}

/* A mirror root for private frames beside the shared one, which has a bit in its addresses. */
static void private_memory_has_its_own_root(void **state)
{
	for (int wrong = 0; wrong < 2; wrong++) {
		struct vm vm = vm_new("npt-7.3");
		unsigned int mirror = mkimage_mirror_root(vm.mk, 4);
		const uint64_t bit = 1ULL << 39;
		struct spt_audit audit;

		set_vm_values(vm.mk, 2, 0, 0, 0, 6);
		mkimage_vm(vm.mk, SPT_VM_HAS_PRIVATE_MEM, 1);
		mkimage_vm(vm.mk, SPT_VM_GFN_DIRECT_BITS, bit >> 12);
		mkimage_slot(vm.mk, 0, 0, 0, 4 * MK_MB, LOW_HVA)->gmem_file = 7;
		mkimage_run(vm.mk, SPT_RUN_ATTRS, 0, 1 + wrong, 8);
		mkimage_map(vm.mk, mirror, 0, 1, mkimage_leaf(vm.mk, 0x200000, 1, "rwx"));
		mkimage_map(vm.mk, vm.root, bit + 0x1000, 1,
			    mkimage_leaf(vm.mk, 0x300000, 1, "rwx"));
		for (unsigned int i = 0; i < 8; i++)
			mkimage_page(vm.mk, i)->gfn &= ~(bit >> 12);
		mkimage_seat(vm.mk);
		mkimage_vm_end(vm.mk);
		vm_load(&vm);
		audit = audit_all(&vm.model);
		expect_only("mirror", &audit, wrong ? "attrs-root" : NULL);
		assert_int_equal(audit.result[SPT_AUDIT_ATTRS_ROOT].checked, 2);
		spt_audit_free(&audit);
		vm_free(&vm);
	}
}

/* What an image says of itself: things moved while it was made. */
static void moved_seq(struct tdp_vm *t)
{
	mkimage_end(t->vm.mk)->seq_end = 6;
}

static void moved_in_progress(struct tdp_vm *t)
{
	mkimage_end(t->vm.mk)->in_progress_end = 1;
}

static void moved_generation(struct tdp_vm *t)
{
	mkimage_end(t->vm.mk)->generation_end[0] = GEN + 2;
}

static void moved_note(struct tdp_vm *t)
{
	mkimage_note(t->vm.mk, SPT_NOTE_PATH_CHANGED, 0, 1);
}

static void what_moves_is_in_flux(void **state)
{
	void (*const moves[])(struct tdp_vm * t) = { moved_seq, moved_in_progress, moved_generation,
						     moved_note };

	for (size_t i = 0; i < COUNT(moves); i++) {
		struct tdp_vm t = tdp_vm_new("npt-6.12");
		struct spt_audit audit;

		leaf_host(&t);
		w_mmu_writable(&t);
		moves[i](&t);
		tdp_vm_load(&t);
		audit = audit_all(&t.vm.model);
		assert_int_equal(audit.result[SPT_AUDIT_LEAF_HOST].violations, 0);
		assert_true(audit.result[SPT_AUDIT_LEAF_HOST].in_flux > 0);
		/* What one entry says by itself needs nothing to stand still. */
		assert_int_equal(audit.result[SPT_AUDIT_W_MMU_WRITABLE].violations, 1);
		spt_audit_free(&audit);
		vm_free(&t.vm);
	}
}

static void counters_that_moved_count_nothing(void **state)
{
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	struct spt_audit audit;

	mkimage_vm(t.vm.mk, SPT_VM_PAGES_4K, 99);
	mkimage_vm_end(t.vm.mk);
	mkimage_vm_end_value(t.vm.mk, SPT_VM_PAGES_4K, 98);
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	assert_int_equal(audit.result[SPT_AUDIT_COUNT_PAGES].violations, 0);
	assert_int_equal(audit.result[SPT_AUDIT_COUNT_PAGES].in_flux, 1);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

/* A frozen entry and an invalidation are changes under way: one image cannot tell. */
static void one_image_cannot_tell_what_stays(void **state)
{
	struct tdp_vm t = tdp_vm_new("ept-6.12");
	struct spt_audit audit;

	set_low(&t, 0, mkimage_format(t.vm.mk)->frozen);
	mkimage_vm(t.vm.mk, SPT_VM_PAGES_4K, 12);
	mkimage_vm(t.vm.mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 1);
	mkimage_end(t.vm.mk)->in_progress_end = 1;
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	assert_int_equal(audit.violations, 0);
	assert_int_equal(audit.result[SPT_AUDIT_FROZEN].in_flux, 1);
	assert_int_equal(audit.result[SPT_AUDIT_INVALIDATE_STUCK].in_flux, 1);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

/* Unless it took so long to make that no invalidation could last. */
static void an_image_of_seconds_shows_a_stuck_invalidation(void **state)
{
	struct tdp_vm t = tdp_vm_new("ept-6.12");
	struct spt_audit audit;

	mkimage_vm(t.vm.mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 1);
	mkimage_end(t.vm.mk)->in_progress_end = 1;
	mkimage_head(t.vm.mk)->time_ns = 1000;
	mkimage_end(t.vm.mk)->time_ns = 9000000000ULL;
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect_only("stuck", &audit, "invalidate-stuck");
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

static void a_high_sequence_is_a_hint(void **state)
{
	struct tdp_vm t = tdp_vm_new("ept-6.12");
	struct spt_audit audit;

	mkimage_vm(t.vm.mk, SPT_VM_MMU_INVALIDATE_SEQ, 0x80854227);
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect_only("seq", &audit, NULL);
	assert_int_equal(audit.hints, 1);
	assert_int_equal(audit.nr_findings, 1);
	assert_true(audit.findings[0].hint);
	assert_string_equal(audit.findings[0].found, "0x80854227");
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

static void what_is_missing_is_not_called_sound(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_audit audit;

	mkimage_map(vm.mk, vm.root, 0, 1, mkimage_leaf(vm.mk, 0x1000, 1, "rw"));
	mkimage_seat(vm.mk);
	mkimage_head(vm.mk)->req_parts = SPT_PART_ROOTS | SPT_PART_TABLES;
	vm_load(&vm);
	audit = audit_all(&vm.model);
	assert_int_equal(audit.violations, 0);
	assert_string_equal(audit.result[SPT_AUDIT_LEAF_SLOT].na,
			    "the image was made without the part 'memslots'");
	assert_string_equal(audit.result[SPT_AUDIT_COUNT_PAGES].na,
			    "the image was made without the part 'vm'");
	assert_string_equal(audit.result[SPT_AUDIT_RMAP_LEAF].na,
			    "the image was made without the part 'memslots'");
	assert_null(audit.result[SPT_AUDIT_W_MMU_WRITABLE].na);
	spt_audit_free(&audit);
	vm_free(&vm);
}

/* Nobody can enter through an invalid root: what its tables map may be gone. */
static void an_invalid_root_may_be_old(void **state)
{
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	struct spt_page *root = mkimage_page(t.vm.mk, t.vm.root);
	struct spt_audit audit;

	root->role = mkimage_role(t.vm.mk, root->role, SPT_ROLE_INVALID, 1);
	leaf_host(&t);
	mmio_in_slot(&t);
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect_only("invalid root", &audit, NULL);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

/* Write tracking leaves a huge page that it found, but takes its W. */
static void a_tracked_huge_page_may_stay_read_only(void **state)
{
	struct tdp_vm t = tdp_vm_new("ept-6.12");
	struct spt_audit audit;

	mkimage_set(t.vm.mk, t.huge, 1, mkimage_leaf(t.vm.mk, HUGE_HPA + 2 * MK_MB, 2, "rx"));
	huge_disallowed(&t);
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect_only("read-only huge page", &audit, NULL);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

/* With PML the CPU logs what it writes: W alone says nothing of the bitmap. */
static void the_cpu_may_log_dirty_pages(void **state)
{
	struct tdp_vm t = tdp_vm_new("ept-6.12");
	struct spt_audit audit;

	mkimage_vm(t.vm.mk, SPT_VM_CPU_DIRTY_LOG_SIZE, 512);
	w_dirty_log(&t);
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect_only("pml", &audit, NULL);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

static void a_range_is_looked_at_alone(void **state)
{
	struct spt_audit_request request = { .start = LOW_GPA + 0x2000, .len = 0x1000 };
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	struct spt_error err = { 0 };
	struct spt_audit audit;

	leaf_host(&t);
	tdp_vm_load(&t);
	assert_int_equal(spt_audit_model(&audit, &t.vm.model, &request, &err), 0);
	assert_int_equal(audit.result[SPT_AUDIT_LEAF_HOST].checked, 1);
	assert_int_equal(audit.result[SPT_AUDIT_LEAF_HOST].violations, 1);
	assert_int_equal(audit.findings[0].gpa, LOW_GPA + 0x2000);
	assert_int_equal(audit.findings[0].level, 1);
	assert_int_equal(audit.findings[0].spte, entry_of(&t, 2));
	assert_non_null(audit.result[SPT_AUDIT_COUNT_PAGES].na);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

static void findings_are_bounded_and_the_rest_counted(void **state)
{
	struct spt_audit_request request = { .max = 3 };
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	struct spt_error err = { 0 };
	struct spt_audit audit;

	leaf_host(&t);
	tdp_vm_load(&t);
	assert_int_equal(spt_audit_model(&audit, &t.vm.model, &request, &err), 0);
	assert_int_equal(audit.nr_findings, 3);
	assert_int_equal(audit.violations, 9);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

static void rules_are_chosen_by_name(void **state)
{
	struct spt_audit_request request = { 0 };
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	struct spt_error err = { 0 };
	struct spt_audit audit;

	assert_int_equal(spt_audit_parse("child-gfn,frozen", &request.rules, &err), 0);
	assert_int_equal(request.rules, 1ULL << SPT_AUDIT_CHILD_GFN | 1ULL << SPT_AUDIT_FROZEN);
	leaf_host(&t);
	child_gfn(&t);
	tdp_vm_load(&t);
	assert_int_equal(spt_audit_model(&audit, &t.vm.model, &request, &err), 0);
	assert_int_equal(audit.violations, 1);
	assert_string_equal(audit.findings[0].expected, "gfn 0x0");
	assert_string_equal(audit.findings[0].found, "gfn 0x400");
	spt_audit_free(&audit);
	vm_free(&t.vm);
	assert_int_equal(spt_audit_parse("child-gnf", &request.rules, &err), -EINVAL);
	assert_non_null(strstr(err.text, "child-gnf"));
}

/* One thread or many: the same findings in the same order. */
static void threads_change_nothing(void **state)
{
	struct spt_audit_request request = { .threads = 1 };
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	struct spt_audit one, many;
	struct spt_error err = { 0 };

	leaf_host(&t);
	w_readonly_slot(&t);
	tdp_vm_load(&t);
	assert_int_equal(spt_audit_model(&one, &t.vm.model, &request, &err), 0);
	request.threads = 4;
	assert_int_equal(spt_audit_model(&many, &t.vm.model, &request, &err), 0);
	assert_int_equal(one.nr_findings, many.nr_findings);
	assert_memory_equal(one.findings, many.findings, one.nr_findings * sizeof(*one.findings));
	spt_audit_free(&one);
	spt_audit_free(&many);
	vm_free(&t.vm);
}

/* A table of text without holes: every rule has its words, once. */
static void every_rule_says_what_and_why(void **state)
{
	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++) {
		const struct spt_audit_rule *r = &spt_audit_rules[i];
		uint64_t rules;

		assert_true(r->name && r->says && r->reason && r->source);
		assert_true(strlen(r->says) > 10 && strlen(r->reason) > 10 && r->source[0]);
		assert_int_equal(spt_audit_parse(r->name, &rules, NULL), 0);
		assert_int_equal(rules, 1ULL << i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_wrong_with_a_sound_vm),
		cmocka_unit_test(nothing_is_wrong_with_a_sound_shadow_vm),
		cmocka_unit_test(private_memory_has_its_own_root),
		cmocka_unit_test(what_moves_is_in_flux),
		cmocka_unit_test(counters_that_moved_count_nothing),
		cmocka_unit_test(one_image_cannot_tell_what_stays),
		cmocka_unit_test(an_image_of_seconds_shows_a_stuck_invalidation),
		cmocka_unit_test(a_high_sequence_is_a_hint),
		cmocka_unit_test(what_is_missing_is_not_called_sound),
		cmocka_unit_test(an_invalid_root_may_be_old),
		cmocka_unit_test(a_tracked_huge_page_may_stay_read_only),
		cmocka_unit_test(the_cpu_may_log_dirty_pages),
		cmocka_unit_test(a_range_is_looked_at_alone),
		cmocka_unit_test(findings_are_bounded_and_the_rest_counted),
		cmocka_unit_test(rules_are_chosen_by_name),
		cmocka_unit_test(threads_change_nothing),
		cmocka_unit_test(every_rule_says_what_and_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
