// SPDX-License-Identifier: GPL-2.0
/* A vCPU that runs a guest of its own (L2): its addresses through two sets of the guest's tables.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "guest.h"
#include "spt/explain.h"
#include "spt/guest_tables.h"

#define TOP	0x10000ULL	      /* of the nested tables; they are at 0x10000 to 0x13fff */
#define L2(gpa) (0x100000ULL + (gpa)) /* where L2's page is in the VM */
#define E_RWX	7ULL

/*
 * L2's tables at its addresses 0x1000 to 0x4fff: 0x5000 is mapped to 0x7000, which
 * is there, 0x6000 to 0x9000, which is not. Its first 8 pages are in the VM at 1M.
 */
static void make_of(struct guest *g, const char *format, bool ept)
{
	const uint64_t table = ept ? E_RWX : G_T, page = ept ? E_RWX : G_P | G_W | G_U;

	guest_long_mode_of(g, format);
	mkimage_head(g->vm.mk)->vendor = ept ? SPT_VENDOR_VMX : SPT_VENDOR_SVM;
	guest_reg(g, SPT_VCPU_IN_GUEST_MMU, 1);
	guest_reg(g, SPT_VCPU_CPU_ROLE, mkimage_role(g->vm.mk, 0, SPT_ROLE_LEVEL, 4));
	guest_reg(g, SPT_VCPU_ROOT_PGD, ept ? TOP | 0x1e : TOP);
	guest_put64(g, TOP, 0, (TOP + 0x1000) | table);
	guest_put64(g, TOP + 0x1000, 0, (TOP + 0x2000) | table);
	guest_put64(g, TOP + 0x2000, 0, (TOP + 0x3000) | table);
	guest_put64(g, TOP + 0x2000, 2, 0x800000 | page | G_PS);
	for (unsigned int i = 0; i < 8; i++)
		guest_put64(g, TOP + 0x3000, i, L2(i * 0x1000) | page);
	guest_put64(g, L2(0x1000), 0, 0x2000 | G_T);
	guest_put64(g, L2(0x2000), 0, 0x3000 | G_T);
	guest_put64(g, L2(0x3000), 0, 0x4000 | G_T);
	guest_put64(g, L2(0x3000), 1, 0x400000 | G_T | G_PS);
	guest_put64(g, L2(0x3000), 2, 0x9000 | G_T);
	guest_put64(g, L2(0x4000), 5, 0x7000 | G_T);
	guest_put64(g, L2(0x4000), 6, 0x9000 | G_T);
}

static void make(struct guest *g, bool ept)
{
	make_of(g, "npt-6.12", ept);
}

static void two_sets_of_tables(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	for (int ept = 0; ept < 2; ept++) {
		make(&g, ept);
		guest_open(&g);
		guest_walk(&g, 0x5123, &w);
		assert_int_equal(w.end, SPT_GUEST_END_MAPPED);
		assert_true(w.regs.flags & SPT_REGS_NESTED);
		assert_int_equal(w.regs.nested.top, TOP);
		assert_int_equal(w.nr_levels, 4);
		assert_int_equal(w.level[1].table_gpa, 0x2000);
		assert_int_equal(w.level[1].vm_gpa, L2(0x2000));
		assert_int_equal(w.nested.from, 0x7123);
		assert_int_equal(w.nested.nr_levels, 4);
		assert_int_equal(w.gpa, L2(0x7123));
		/* Large pages on both sides. */
		guest_walk(&g, 0x234567, &w);
		assert_int_equal(w.nested.from, 0x434567);
		assert_int_equal(w.nested.nr_levels, 3);
		assert_int_equal(w.nested.page_size, 2 * MK_MB);
		assert_int_equal(w.gpa, 0x834567);
		guest_free(&g);
	}
}

static void where_the_hypervisor_has_nothing(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	make(&g, true);
	guest_open(&g);
	/* The page. */
	guest_walk(&g, 0x6000, &w);
	assert_int_equal(w.end, SPT_GUEST_END_NOT_NESTED);
	assert_int_equal(w.nested.from, 0x9000);
	assert_false(w.nested.mapped);
	assert_int_equal(spt_guest_walk_verdict(&w), SPT_VERDICT_UNMAPPED);
	assert_non_null(strstr(w.reason, "EPT has nothing"));
	/* A table. */
	guest_walk(&g, 0x400000, &w);
	assert_int_equal(w.end, SPT_GUEST_END_UNREADABLE);
	assert_int_equal(w.level[3].read, SPT_GUEST_NOT_NESTED);
	assert_int_equal(spt_guest_walk_verdict(&w), SPT_VERDICT_UNMAPPED);
	/* L2 itself has nothing: that is between it and its own kernel. */
	guest_walk(&g, 0x8000, &w);
	assert_int_equal(w.end, SPT_GUEST_END_NOT_PRESENT);
	assert_int_equal(w.nested.nr_levels, 0);
	guest_free(&g);
}

/* NPT's U belongs to the guest, whatever mode it is in; EPT has no such bit. */
static void a_page_kept_from_every_guest(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	make(&g, false);
	guest_put64(&g, TOP + 0x3000, 7, L2(0x7000) | G_P | G_W);
	guest_open(&g);
	guest_walk(&g, 0x5000, &w);
	assert_int_equal(w.end, SPT_GUEST_END_NOT_NESTED);
	assert_int_equal(spt_guest_walk_verdict(&w), SPT_VERDICT_UNMAPPED);
	assert_non_null(strstr(w.reason, "without U"));
	assert_non_null(strstr(spt_explain_nested(&w.nested.level[3]), "has no U"));
	assert_null(strstr(spt_explain_nested(&w.nested.level[2]), "has no U"));
	guest_free(&g);
	/* In an upper entry it is of all that lies below. */
	make(&g, false);
	guest_put64(&g, TOP + 0x1000, 0, (TOP + 0x2000) | G_P | G_W);
	guest_open(&g);
	guest_walk(&g, 0x5000, &w);
	assert_int_equal(w.level[0].read, SPT_GUEST_NOT_NESTED);
	guest_free(&g);
	make(&g, false);
	guest_reg(&g, SPT_VCPU_CR0, CR0_PE);
	guest_put64(&g, TOP + 0x1000, 0, (TOP + 0x2000) | G_P | G_W);
	guest_open(&g);
	guest_walk(&g, 0x3000, &w);
	assert_int_equal(w.end, SPT_GUEST_END_NOT_NESTED);
	assert_int_equal(w.nested.nr_levels, 2);
	assert_non_null(strstr(spt_explain_nested(&w.nested.level[1]), "has no U"));
	guest_free(&g);
	make(&g, true);
	guest_put64(&g, TOP + 0x3000, 7, L2(0x7000) | 3);
	guest_open(&g);
	guest_walk(&g, 0x5000, &w);
	assert_int_equal(w.end, SPT_GUEST_END_MAPPED);
	guest_free(&g);
}

/*
 * With GMET a page without U is one whose code the guest's kernel may run. The role of the root
 * says so; that of the vCPU has SMEP of L2's own CR4 in the same bit.
 */
static void a_page_for_kernel_code(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	for (int gmet = 0; gmet < 2; gmet++) {
		uint32_t role;

		make_of(&g, "npt-7.3", false);
		role = mkimage_role(g.vm.mk, 0, SPT_ROLE_LEVEL, 4);
		guest_reg(&g, SPT_VCPU_ROOT_ROLE,
			  mkimage_role(g.vm.mk, role, SPT_ROLE_CR4_SMEP, gmet));
		guest_reg(&g, SPT_VCPU_CPU_ROLE,
			  mkimage_role(g.vm.mk, role, SPT_ROLE_CR4_SMEP, !gmet));
		guest_put64(&g, TOP + 0x3000, 7, L2(0x7000) | G_P | G_W);
		guest_open(&g);
		guest_walk(&g, 0x5123, &w);
		if (gmet) {
			assert_int_equal(w.end, SPT_GUEST_END_MAPPED);
			assert_int_equal(w.gpa, L2(0x7123));
		} else {
			assert_int_equal(w.end, SPT_GUEST_END_NOT_NESTED);
		}
		assert_int_equal(w.nested.level[3].keeps_out, !gmet);
		guest_free(&g);
	}
}

static void a_nested_table_that_was_not_saved(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	make(&g, false);
	guest_put64(&g, TOP + 0x2000, 4, 0x700000 | G_T);
	guest_put64(&g, L2(0x3000), 3, 0x800000 | G_T | G_PS);
	guest_open(&g);
	guest_walk(&g, 0x600000, &w);
	assert_int_equal(w.end, SPT_GUEST_END_UNREADABLE);
	assert_int_equal(w.nested.level[3].read, SPT_GUEST_NOT_SAVED);
	assert_int_equal(spt_guest_walk_verdict(&w), SPT_VERDICT_UNKNOWN);
	guest_free(&g);
}

static void paging_off_in_l2(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	make(&g, false);
	guest_reg(&g, SPT_VCPU_CR0, CR0_PE);
	guest_open(&g);
	guest_walk(&g, 0x3456, &w);
	assert_int_equal(w.end, SPT_GUEST_END_MAPPED);
	assert_int_equal(w.gpa, L2(0x3456));
	guest_free(&g);
}

/* A guest that shadows L2's tables itself loads them as its own. */
static void without_nested_paging(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	guest_long_mode(&g);
	guest_reg(&g, SPT_VCPU_ROOT_ROLE, mkimage_role(g.vm.mk, 0, SPT_ROLE_GUEST_MODE, 1));
	guest_put64(&g, 0x1000, 0, 0x2000 | G_T);
	guest_put64(&g, 0x2000, 0, G_T | G_PS);
	guest_open(&g);
	guest_walk(&g, 0x10, &w);
	assert_int_equal(w.end, SPT_GUEST_END_MAPPED);
	assert_true(w.regs.flags & SPT_REGS_NESTED);
	assert_false(w.regs.nested.on);
	assert_int_equal(w.gpa, 0x10);
	guest_free(&g);
}

static void tables_that_the_image_does_not_name(void **state)
{
	const struct spt_guest_ask ask = { .vcpu = SPT_ANY_VCPU };
	struct spt_guest_walk w;
	struct guest g;

	guest_long_mode(&g);
	guest_reg(&g, SPT_VCPU_IN_GUEST_MMU, 1);
	guest_open(&g);
	assert_int_equal(guest_ask(&g, &ask, &w), -ENODATA);
	assert_non_null(strstr(g.err.text, "runs its own guest"));
	guest_free(&g);
}

/* SDM Vol. 3C tables 28-1 to 28-7. */
static void entries_of_ept(void **state)
{
	static const struct {
		uint64_t entry;
		int level;
		bool present, leaf;
		uint64_t reserved;
	} cases[] = {
		{ 0x5000 | 1, 1, true, true, 0 },
		{ 0x5000 | 4, 1, true, true, 0 }, /* execute-only */
		{ 0x5000 | 2, 1, true, true, 2 }, /* writable and not readable */
		{ 0x5000, 1, false, false, 0 },
		{ 0x5000 | 0x30 | 7, 1, true, true, 0 },    /* memory type */
		{ 0x5000 | 0x38 | 7, 1, true, true, 0x38 }, /* one that there is not */
		{ 0x5000 | 0x50 | 7, 1, true, true, 0x10 },
		{ 0x5000 | 0x68 | 7, 1, true, true, 0 },
		{ 0x5000 | 0x30 | 7, 2, true, false, 0x30 }, /* a table has none */
		{ 0x200000 | 0xb0 | 7, 2, true, true, 0 },
		{ 0x201000 | 0x80 | 7, 2, true, true, 0x1000 },
		{ 0x40000000 | 0x80 | 7, 3, true, true, 0 },
		{ 0x5000 | 0x80 | 7, 4, true, false, 0x80 },
		{ 1ULL << 46 | 7, 1, true, true, 1ULL << 46 },
	};
	struct spt_guest_mmu mmu;

	spt_guest_mmu_nested(&mmu, true, 4, true, 46);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spt_gpte e = spt_gpte_decode(&mmu, cases[i].entry, cases[i].level);

		assert_int_equal(e.present, cases[i].present);
		assert_int_equal(e.leaf, cases[i].leaf);
		assert_int_equal(e.reserved, cases[i].reserved);
	}
	spt_guest_mmu_nested(&mmu, true, 3, true, 46);
	assert_int_equal(mmu.paging, SPT_GUEST_NO_PAGING);
	spt_guest_mmu_nested(&mmu, false, 0, true, 46);
	assert_int_equal(mmu.paging, SPT_GUEST_NO_PAGING);
}

struct given {
	uint64_t gpa[16];
	unsigned int count;
};

static int take(void *arg, uint64_t gpa, const uint64_t *page)
{
	struct given *given = arg;

	assert_true(given->count < 16);
	given->gpa[given->count++] = gpa;
	return 0;
}

/* An image must carry both sets, by their addresses in the VM, each page once. */
static void both_sets_are_saved(void **state)
{
	static const uint64_t want[] = { TOP,	     TOP + 0x1000, TOP + 0x2000, TOP + 0x3000,
					 L2(0x1000), L2(0x2000),   L2(0x3000),	 L2(0x4000) };
	struct spt_guest_tables tables;
	struct spt_guest_memory memory;
	struct given given = { 0 };
	struct guest g;

	make(&g, true);
	guest_open(&g);
	assert_int_equal(spt_model_read(&g.vm.model, g.src, NULL, 0, &g.err), 0);
	spt_guest_memory_init(&memory, g.src);
	spt_guest_tables_init(&tables, SPT_GUEST_TABLES_MAX);
	assert_int_equal(
		spt_guest_tables_vcpus(&tables, &memory, &g.vm.model, take, &given, &g.err), 0);
	assert_int_equal(given.count, 8);
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int n = 0;

		for (unsigned int k = 0; k < given.count; k++)
			n += given.gpa[k] == want[i];
		assert_int_equal(n, 1);
	}
	spt_guest_tables_deinit(&tables);
	spt_guest_memory_deinit(&memory);
	guest_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_sets_of_tables),
		cmocka_unit_test(where_the_hypervisor_has_nothing),
		cmocka_unit_test(a_page_kept_from_every_guest),
		cmocka_unit_test(a_page_for_kernel_code),
		cmocka_unit_test(a_nested_table_that_was_not_saved),
		cmocka_unit_test(paging_off_in_l2),
		cmocka_unit_test(without_nested_paging),
		cmocka_unit_test(tables_that_the_image_does_not_name),
		cmocka_unit_test(entries_of_ept),
		cmocka_unit_test(both_sets_are_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
