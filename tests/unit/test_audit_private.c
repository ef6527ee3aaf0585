// SPDX-License-Identifier: GPL-2.0
/*
 * The audit of a VM whose memory has two halves: each rule silent where all is well, and
 * the only one to speak where it is broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "audit_vm.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define BIT	 (1ULL << 39) /* of a GPA that is shared */
#define RAM_HVA	 0x7f0000000000ULL
#define GMEM_HPA 0x300000000ULL
#define USER_HPA 0x400000000ULL
#define PAGES	 4 /* private ones from gfn 0 on, and as many shared from 2M on */

struct td_vm {
	struct vm vm;
	unsigned int mirror;	/* root */
	unsigned int leaves;	/* table of the mirror's leaves */
	unsigned int shared;	/* table of the shared root's */
	uint64_t private_pages; /* frames with the attribute */
	uint64_t gmem_hpa;
	uint64_t gmem_pages;
	uint64_t user_hpa;   /* what the host maps for the shared pages */
	uint64_t second_hpa; /* what it maps for the page after the private ones; 0: nothing */
	bool externals;
};

static struct td_vm td_vm_new(void)
{
	struct td_vm t = { .vm = vm_new("npt-7.3") };
	struct mkimage *mk = t.vm.mk;

	mkimage_vm(mk, SPT_VM_VM_TYPE, SPT_VM_TYPE_TDX);
	mkimage_vm(mk, SPT_VM_HAS_PRIVATE_MEM, 1);
	mkimage_vm(mk, SPT_VM_GFN_DIRECT_BITS, BIT >> 12);
	t.mirror = mkimage_mirror_root(mk, 4);
	t.private_pages = t.gmem_pages = PAGES;
	t.gmem_hpa = GMEM_HPA;
	t.user_hpa = USER_HPA;
	for (uint64_t i = 0; i < PAGES; i++) {
		t.leaves = mkimage_map(mk, t.mirror, i << 12, 1,
				       mkimage_leaf(mk, GMEM_HPA + (i << 12), 1, "rwx"));
		t.shared = mkimage_map(mk, t.vm.root, BIT + 0x200000 + (i << 12), 1,
				       mkimage_leaf(mk, USER_HPA + (i << 12), 1, "rwx"));
	}
	set_vm_values(mk, 2 * PAGES, 0, 0, 0, 6);
	mkimage_externals(mk, t.mirror);
	mkimage_seat(mk);
	t.externals = true;
	return t;
}

static void td_vm_load(struct td_vm *t)
{
	struct mkimage *mk = t->vm.mk;
	struct spt_slot *slot = mkimage_slot(mk, 0, 0, 0, 4 * MK_MB, RAM_HVA);

	slot->gmem_file = 7;
	slot->known |= SPT_SLOT_KNOWN_GMEM_PAGES;
	if (t->second_hpa)
		mkimage_host_run(mk, PAGES, 1, t->second_hpa, 1, SPT_HOST_RUN_WRITABLE);
	mkimage_host_run(mk, 0x200, PAGES, t->user_hpa, 1, SPT_HOST_RUN_WRITABLE);
	mkimage_gmem_run(mk, 0, t->gmem_pages, t->gmem_hpa);
	mkimage_run(mk, SPT_RUN_ATTRS, 0, t->private_pages, 8);
	if (!t->externals)
		mkimage_vm(mk, SPT_VM_EXTERNAL_READABLE, 0);
	mkimage_vm_end(mk);
	vm_load(&t->vm);
}

static struct spt_audit audit_all(const struct spt_model *model)
{
	struct spt_audit_request request = { 0 };
	struct spt_error err = { 0 };
	struct spt_audit audit;

	if (spt_audit_model(&audit, model, &request, &err))
		fail_msg("%s", err.text);
	return audit;
}

/* @names, separated by blanks, and no others have violations; "": none has. */
static void expect(const char *what, const struct spt_audit *audit, const char *names)
{
	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++) {
		const struct spt_audit_result *r = &audit->result[i];
		const char *at = strstr(names, spt_audit_names[i]);
		bool want = at && strcspn(at, " ") == strlen(spt_audit_names[i]);

		if (!!r->violations == want && !r->in_flux)
			continue;
		for (size_t f = 0; f < audit->nr_findings; f++)
			print_message("%s: %s\n", spt_audit_names[audit->findings[f].rule],
				      audit->findings[f].text);
		fail_msg("%s: rule %s: %llu violations, %llu in flux, n/a: %s", what,
			 spt_audit_names[i], (unsigned long long)r->violations,
			 (unsigned long long)r->in_flux, r->na ? r->na : "no");
	}
	for (size_t f = 0; f < audit->nr_findings; f++)
		assert_true(audit->findings[f].text[0] && audit->findings[f].found[0] &&
			    audit->findings[f].expected[0]);
}

static void nothing_is_wrong_with_a_sound_vm(void **state)
{
	struct td_vm t = td_vm_new();
	struct spt_audit audit;

	td_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect("sound", &audit, "");
	assert_int_equal(audit.result[SPT_AUDIT_ATTRS_ROOT].checked, 2 * PAGES);
	assert_int_equal(audit.result[SPT_AUDIT_MIRROR_GMEM].checked, PAGES);
	/* Eight entries of each of three tables, which is what is stored. */
	assert_int_equal(audit.result[SPT_AUDIT_MIRROR_EXTERNAL].checked, 3 * 8);
	assert_int_equal(audit.result[SPT_AUDIT_ONE_HALF].checked, PAGES);
	assert_int_equal(audit.result[SPT_AUDIT_MIRROR_USER].checked, PAGES);
	assert_int_equal(audit.result[SPT_AUDIT_SHARED_BIT].checked, 2 * PAGES);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

static void set_leaf(struct td_vm *t, unsigned int index, uint64_t hpa)
{
	mkimage_set(t->vm.mk, t->leaves, index, mkimage_leaf(t->vm.mk, hpa, 1, "rwx"));
	mkimage_external_set(t->vm.mk, t->leaves, index, hpa | 7);
}

static void attribute_shared(struct td_vm *t)
{
	t->private_pages--;
}

static void other_gmem_page(struct td_vm *t)
{
	set_leaf(t, 2, 0x500000000ULL);
}

static void no_gmem_page(struct td_vm *t)
{
	t->gmem_pages--;
}

static void external_elsewhere(struct td_vm *t)
{
	mkimage_external_set(t->vm.mk, t->leaves, 1, 0x500000000ULL | 7);
}

static void external_left(struct td_vm *t)
{
	mkimage_external_set(t->vm.mk, t->leaves, 6, 0x500000000ULL | 7);
}

static void external_missing(struct td_vm *t)
{
	mkimage_external_set(t->vm.mk, t->leaves, 1, 0);
}

static void external_readonly(struct td_vm *t)
{
	mkimage_external_set(t->vm.mk, t->leaves, 1, (GMEM_HPA + 0x1000) | 5);
}

static void external_other_table(struct td_vm *t)
{
	/* The table of level 2 leads to its neighbour's. */
	mkimage_external_set(t->vm.mk, t->leaves - 1, 0,
			     mkimage_page(t->vm.mk, t->leaves - 2)->external | 7);
}

/* One page for a private frame and a shared one: the shared root and the VMM have it both. */
static void in_both_halves(struct td_vm *t)
{
	mkimage_set(t->vm.mk, t->shared, 0, mkimage_leaf(t->vm.mk, GMEM_HPA, 1, "rwx"));
}

static void of_the_vmm(struct td_vm *t)
{
	t->second_hpa = GMEM_HPA + 0x3000;
}

static const struct {
	const char *rules, *what;
	void (*make)(struct td_vm *t);
} breaks[] = {
	{ "attrs-root", "an attribute says shared", attribute_shared },
	{ "mirror-gmem", "another page", other_gmem_page },
	{ "mirror-gmem", "no page", no_gmem_page },
	{ "mirror-external", "another page", external_elsewhere },
	{ "mirror-external", "an entry that was left behind", external_left },
	{ "mirror-external", "an entry that is missing", external_missing },
	{ "mirror-external", "less permission", external_readonly },
	{ "mirror-external", "another table", external_other_table },
	{ "one-half leaf-host", "one page in both halves", in_both_halves },
	{ "mirror-user", "a page that the VMM maps, too", of_the_vmm },
};

static void each_rule_alone_speaks_when_it_is_broken(void **state)
{
	for (size_t i = 0; i < COUNT(breaks); i++) {
		struct td_vm t = td_vm_new();
		struct spt_audit audit;

		breaks[i].make(&t);
		td_vm_load(&t);
		audit = audit_all(&t.vm.model);
		expect(breaks[i].what, &audit, breaks[i].rules);
		spt_audit_free(&audit);
		vm_free(&t.vm);
	}
}

/* Below the bit the shared root has nothing that KVM takes for present. */
static void shared_leaves_lie_above_the_bit(void **state)
{
	struct td_vm t = td_vm_new();
	struct mkimage *mk = t.vm.mk;
	struct spt_audit audit;

	/* The shared tables of 2M to 4M, hung where the private half is. */
	mkimage_set(mk, t.vm.root, 0, mkimage_nonleaf(mk, mkimage_table_hpa(mk, t.vm.root + 5)));
	mkimage_set(mk, t.vm.root, 1, mkimage_head(mk)->empty_spte);
	mkimage_seat(mk);
	td_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect("below the bit", &audit, "shared-bit");
	assert_int_equal(audit.result[SPT_AUDIT_SHARED_BIT].violations, PAGES);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

/* While KVM changes the mirror's entry the external one may be either. */
static void a_frozen_entry_is_not_compared(void **state)
{
	struct td_vm t = td_vm_new();
	struct mkimage *mk = t.vm.mk;
	struct spt_audit audit;

	mkimage_set(mk, t.leaves, 1, mkimage_head(mk)->frozen_spte);
	set_vm_values(mk, 2 * PAGES - 1, 0, 0, 0, 6);
	td_vm_load(&t);
	audit = audit_all(&t.vm.model);
	assert_int_equal(audit.violations, 0);
	assert_int_equal(audit.result[SPT_AUDIT_MIRROR_EXTERNAL].violations, 0);
	assert_int_equal(audit.result[SPT_AUDIT_MIRROR_EXTERNAL].in_flux, 0);
	/* Transient or stuck: an image alone cannot tell. */
	assert_int_equal(audit.result[SPT_AUDIT_FROZEN].in_flux, 1);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

/* The hardware sets accessed and dirty bits in the external entry, and in no mirror's. */
static void hardware_bits_are_not_compared(void **state)
{
	struct td_vm t = td_vm_new();
	struct spt_audit audit;

	mkimage_external_set(t.vm.mk, t.leaves, 1, (GMEM_HPA + 0x1000) | 0x67);
	td_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect("accessed and dirty", &audit, "");
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

/* One root to walk both halves from: entries that are empty for KVM lead to external tables. */
static void spliced_entries_lead_to_the_external_tables(void **state)
{
	for (int wrong = 0; wrong < 2; wrong++) {
		struct td_vm t = td_vm_new();
		uint64_t external = mkimage_page(t.vm.mk, t.mirror + 1)->external;
		struct spt_audit audit;

		mkimage_set(t.vm.mk, t.vm.root, 0, (external + wrong * 0x1000) | 7);
		td_vm_load(&t);
		audit = audit_all(&t.vm.model);
		expect("spliced", &audit, wrong ? "hw-present" : "");
		spt_audit_free(&audit);
		vm_free(&t.vm);
	}
}

static const char *na_of(const struct spt_audit *audit, enum spt_audit_rule_nr rule)
{
	return audit->result[rule].na ? audit->result[rule].na : "";
}

static void what_cannot_be_judged_says_why(void **state)
{
	struct td_vm td = td_vm_new();
	struct tdp_vm old = tdp_vm_new("npt-6.12"), plain = tdp_vm_new("npt-7.3");
	struct spt_audit audit;

	td.externals = false;
	td_vm_load(&td);
	audit = audit_all(&td.vm.model);
	assert_non_null(strstr(na_of(&audit, SPT_AUDIT_MIRROR_EXTERNAL), "TDX module"));
	assert_string_equal(na_of(&audit, SPT_AUDIT_MIRROR_GMEM), "");
	spt_audit_free(&audit);

	tdp_vm_load(&old);
	audit = audit_all(&old.vm.model);
	assert_string_equal(na_of(&audit, SPT_AUDIT_SHARED_BIT), "this kernel has no mirror roots");
	assert_string_equal(na_of(&audit, SPT_AUDIT_MIRROR_GMEM),
			    "this kernel has no mirror roots");
	spt_audit_free(&audit);

	mkimage_vm(plain.vm.mk, SPT_VM_GFN_DIRECT_BITS, 0);
	tdp_vm_load(&plain);
	audit = audit_all(&plain.vm.model);
	assert_string_equal(na_of(&audit, SPT_AUDIT_ONE_HALF), "this VM has no mirror root");
	spt_audit_free(&audit);
	vm_free(&td.vm);
	vm_free(&old.vm);
	vm_free(&plain.vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_wrong_with_a_sound_vm),
		cmocka_unit_test(each_rule_alone_speaks_when_it_is_broken),
		cmocka_unit_test(shared_leaves_lie_above_the_bit),
		cmocka_unit_test(a_frozen_entry_is_not_compared),
		cmocka_unit_test(hardware_bits_are_not_compared),
		cmocka_unit_test(spliced_entries_lead_to_the_external_tables),
		cmocka_unit_test(what_cannot_be_judged_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
