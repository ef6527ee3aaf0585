// SPDX-License-Identifier: GPL-2.0
/* One address through everything: paths, host walk, aliases, shadow tables. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spt/walk.h"
#include "vm.h"

#define HVA	0x7f0000000000ULL
#define PRESENT 0x67ULL /* P, W, U, A, D */

static void every_level_and_the_final_address(void **state)
{
	static const struct {
		int level;
		uint64_t gpa, hpa, want;
	} cases[] = {
		{ 1, 0x345678, 0x9999000, 0x9999678 },
		{ 2, 0x345678, 0x40000000, 0x40145678 },
		{ 3, 0x40345678, 0x80000000, 0x80345678 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vm vm = vm_new("ept-6.12");
		struct spt_walk walk;
		struct spt_walk_path *path = &walk.path[0];

		mkimage_slot(vm.mk, 3, 0, 0, 4 * MK_GB, HVA);
		mkimage_map(vm.mk, vm.root, cases[i].gpa, cases[i].level,
			    mkimage_leaf(vm.mk, cases[i].hpa, cases[i].level, "rwx"));
		vm_load(&vm);
		spt_walk_gpa(&vm.model, cases[i].gpa, &walk);
		assert_int_equal(walk.slot->slot->id, 3);
		assert_int_equal(walk.hva, HVA + cases[i].gpa);
		assert_int_equal(walk.nr_paths, 1);
		assert_int_equal(path->nr_levels, 5 - cases[i].level);
		assert_int_equal(path->level[0].level, 4);
		assert_int_equal(path->level[0].node->hpa, mkimage_table_hpa(vm.mk, vm.root));
		assert_int_equal(path->level[path->nr_levels - 1].type, SPT_SPTE_LEAF);
		assert_int_equal(path->hpa, cases[i].want);
		assert_int_equal(path->page_size, 1ULL << (12 + 9 * (cases[i].level - 1)));
		assert_false(walk.have_host);
		vm_free(&vm);
	}
}

static void a_walk_ends_where_nothing_is(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_walk walk;

	mkimage_map(vm.mk, vm.root, 0, 1, mkimage_leaf(vm.mk, 0x1000, 1, "r"));
	vm_load(&vm);
	spt_walk_gpa(&vm.model, 0x1000, &walk);
	assert_int_equal(walk.path[0].nr_levels, 4);
	assert_int_equal(walk.path[0].level[3].type, SPT_SPTE_NONPRESENT);
	assert_int_equal(walk.path[0].hpa, SPT_NO_HPA);
	spt_walk_gpa(&vm.model, 1 * MK_GB, &walk);
	assert_int_equal(walk.path[0].nr_levels, 2);
	spt_walk_gpa(&vm.model, 1ULL << 48, &walk);
	assert_int_equal(walk.path[0].nr_levels, 0);
	assert_int_equal(walk.path[0].hpa, SPT_NO_HPA);
	spt_walk_gpa(&vm.model, ~0ULL, &walk);
	assert_int_equal(walk.path[0].nr_levels, 0);
	assert_null(walk.slot);
	vm_free(&vm);
}

static void five_levels(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	unsigned int root = mkimage_tdp_root(vm.mk, 5);
	uint64_t gpa = (1ULL << 50) + 0x1234;
	struct spt_walk walk;

	mkimage_map(vm.mk, root, gpa, 1, mkimage_leaf(vm.mk, 0x1000, 1, "r"));
	vm_load(&vm);
	spt_walk_gpa(&vm.model, gpa, &walk);
	assert_int_equal(walk.path[0].nr_levels, 0);
	assert_int_equal(walk.path[1].nr_levels, 5);
	assert_int_equal(walk.path[1].hpa, 0x1234);
	vm_free(&vm);
}

static void host_entry(uint64_t hva, int leaf, uint64_t entry, int error, enum spt_host_type type,
		       uint64_t hpa)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_host_path host;

	mkimage_host(vm.mk, 0x5000, hva & ~0xfffULL, leaf, entry, error);
	vm_load(&vm);
	assert_true(spt_host_path(&vm.model, 0x5000 + (hva & 0xfff), &host));
	assert_int_equal(host.type, type);
	assert_int_equal(host.hpa, hpa);
	assert_int_equal(host.error, error);
	/* A record of a huge page, or of no VMM, speaks for the frames behind it, too. */
	assert_int_equal(spt_host_path(&vm.model, 0x6000, &host), leaf > 1 || error == ESRCH);
	assert_false(spt_host_path(&vm.model, 0x4000, &host));
	vm_free(&vm);
}

static void one_host_record_speaks_for_a_huge_page(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_host_path host;

	/* Three pages of a slot at the end of a host's 2M page, then a 4K page. */
	mkimage_host(vm.mk, 0x5000, HVA + 0x1fd000, 2, 0x40000000 | PRESENT | 0x80, 0);
	mkimage_host(vm.mk, 0x8000, HVA + 0x200000, 1, 0x5000000 | PRESENT, 0);
	mkimage_host(vm.mk, 0xa000, HVA, 0, 0, ESRCH);
	vm_load(&vm);
	assert_true(spt_host_path(&vm.model, 0x7123, &host));
	assert_int_equal(host.hpa, 0x401ff123);
	assert_int_equal(host.level[2].level, 2);
	assert_true(spt_host_path(&vm.model, 0x8000, &host));
	assert_int_equal(host.hpa, 0x5000000);
	assert_false(spt_host_path(&vm.model, 0x9000, &host));
	assert_true(spt_host_path(&vm.model, 0x12000, &host));
	assert_int_equal(host.type, SPT_HOST_ERROR);
	vm_free(&vm);
}

static void host_entries_are_told_apart(void **state)
{
	uint64_t swap = 3ULL << 59 | (~0x777ULL << 9 & ((1ULL << 59) - 1) & ~0x1ffULL);

	host_entry(HVA + 0x123, 1, 0x5000000 | PRESENT, 0, SPT_HOST_PAGE, 0x5000123);
	host_entry(HVA + 0x212345, 2, 0x40000000 | PRESENT | 0x80, 0, SPT_HOST_PAGE, 0x40012345);
	host_entry(HVA + 0x40212345, 3, 0x80000000 | PRESENT | 0x80, 0, SPT_HOST_PAGE, 0x80212345);
	host_entry(HVA, 1, 0, 0, SPT_HOST_NONE, SPT_NO_HPA);
	host_entry(HVA, 4, 0, 0, SPT_HOST_NONE, SPT_NO_HPA);
	host_entry(HVA, 1, swap, 0, SPT_HOST_SWAP, SPT_NO_HPA);
	host_entry(HVA, 1, 25ULL << 59 | 0x1234 << 14, 0, SPT_HOST_MIGRATION, SPT_NO_HPA);
	host_entry(HVA, 1, 31ULL << 59 | 0x200, 0, SPT_HOST_SPECIAL, SPT_NO_HPA);
	/* PROT_NONE keeps the frame, inverted against L1TF: 0x5000000 here. */
	host_entry(HVA + 0x10, 1, (~0x5000000ULL & 0x000ffffffffff000ULL) | 0x100, 0,
		   SPT_HOST_PROTNONE, 0x5000010);
	/* pmd_mkinvalid(): a huge page in the middle of a split. */
	host_entry(HVA, 2, 0x40000000 | 0xe6, 0, SPT_HOST_MIGRATION, SPT_NO_HPA);
	host_entry(HVA, 1, 0, ESRCH, SPT_HOST_ERROR, SPT_NO_HPA);
}

static void all_aliases_of_an_hva(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	uint64_t gpa[4];

	mkimage_slot(vm.mk, 0, 0, 0, 2 * MK_MB, HVA);
	mkimage_slot(vm.mk, 0, 1, 0, 2 * MK_MB, HVA);
	mkimage_slot(vm.mk, 4, 0, 1 * MK_GB, 1 * MK_MB, HVA + 1 * MK_MB);
	vm_load(&vm);
	assert_int_equal(spt_walk_hva(&vm.model, HVA + 0x180010, gpa, 4), 2);
	assert_int_equal(gpa[0], 0x180010);
	assert_int_equal(gpa[1], 1 * MK_GB + 0x80010);
	assert_int_equal(spt_walk_hva(&vm.model, HVA + 0x180010, gpa, 1), 2);
	assert_int_equal(spt_walk_hva(&vm.model, HVA - 1, gpa, 4), 0);
	vm_free(&vm);
}

static void the_smm_root_uses_its_own_slots(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	unsigned int smm = mkimage_tdp_root(vm.mk, 4);
	struct spt_page *page = mkimage_page(vm.mk, smm);
	struct spt_walk walk;

	page->role = mkimage_role(vm.mk, page->role, SPT_ROLE_SMM, 1);
	mkimage_slot(vm.mk, 1, 1, 0xa0000, 0x20000, HVA + 0xa0000);
	mkimage_map(vm.mk, smm, 0xa0000, 1, mkimage_leaf(vm.mk, 0x1000, 1, "rwx"));
	vm_load(&vm);
	spt_walk_gpa(&vm.model, 0xa0000, &walk);
	assert_int_equal(walk.slot->slot->as_id, 1);
	assert_int_equal(walk.nr_paths, 2);
	assert_int_equal(walk.path[0].hpa, SPT_NO_HPA);
	assert_int_equal(walk.path[1].hpa, 0x1000);
	vm_free(&vm);
}

/* Two virtual addresses of one guest frame, one of them through a shared table. */
static void shadow_entries_are_found_by_what_they_translate(void **state)
{
	struct vm vm = vm_new("shadow-6.12");
	unsigned int root = mkimage_shadow_root(vm.mk, 4, 0x1000);
	unsigned int l3 = mkimage_table(vm.mk, 3, 0x1001, false);
	unsigned int l2 = mkimage_table(vm.mk, 2, 0x1002, false);
	unsigned int l1 = mkimage_table(vm.mk, 1, 0x1003, false);
	unsigned int orphan = mkimage_table(vm.mk, 1, 0x1004, false);
	unsigned int huge = mkimage_table(vm.mk, 1, 0x400, true);
	struct spt_walk walk;

	mkimage_slot(vm.mk, 0, 0, 0, 1 * MK_GB, HVA);
	mkimage_link(vm.mk, root, 0, l3);
	mkimage_link(vm.mk, root, 256, l3);
	mkimage_link(vm.mk, l3, 0, l2);
	mkimage_link(vm.mk, l2, 1, l1);
	mkimage_link(vm.mk, l2, 2, huge);
	mkimage_set(vm.mk, l1, 5, mkimage_leaf(vm.mk, 0xabc000, 1, "rw"));
	mkimage_translate(vm.mk, l1, 5, 0x77000, 7);
	mkimage_set(vm.mk, orphan, 9, mkimage_leaf(vm.mk, 0xabc000, 1, "r"));
	mkimage_translate(vm.mk, orphan, 9, 0x77000, 5);
	/* The guest's own 2M page, in 4K pieces: a direct table, gfn + index. */
	mkimage_set(vm.mk, huge, 3, mkimage_leaf(vm.mk, 0xdef000, 1, "rw"));
	mkimage_set(vm.mk, l1, 6, mkimage_mmio(vm.mk, 0xfee00000, 10));
	mkimage_host(vm.mk, 0x77000, HVA + 0x77000, 1, 0xabc000 | PRESENT, 0);
	vm_load(&vm);

	spt_walk_gpa(&vm.model, 0x77123, &walk);
	assert_int_equal(walk.nr_paths, 3);
	assert_int_equal(walk.path[0].page_size, 4096);
	assert_int_equal(walk.path[0].nr_levels, 4);
	assert_int_equal(walk.path[0].address, 0x205123);
	assert_int_equal(walk.path[0].hpa, 0xabc123);
	assert_ptr_equal(walk.path[0].root, &vm.model.roots[0]);
	assert_int_equal(walk.path[1].address, 0xffff800000205123);
	assert_null(walk.path[2].root);
	assert_int_equal(walk.path[2].nr_levels, 1);
	assert_int_equal(walk.verdict, SPT_VERDICT_COHERENT);

	spt_walk_gpa(&vm.model, 0x403000, &walk);
	assert_int_equal(walk.nr_paths, 2);
	assert_int_equal(walk.path[0].address, 0x403000);
	assert_int_equal(walk.path[0].hpa, 0xdef000);

	/* What no page backs has no size either; the walk before this one is not to be seen. */
	spt_walk_gpa(&vm.model, 0xfee00020, &walk);
	assert_int_equal(walk.nr_paths, 2);
	assert_int_equal(walk.path[0].address, 0x206020);
	assert_int_equal(walk.path[0].hpa, SPT_NO_HPA);
	assert_int_equal(walk.path[0].page_size, 0);

	spt_walk_root(&vm.model, &vm.model.roots[0], 0xffff800000205fff, &walk.path[0]);
	assert_int_equal(walk.path[0].hpa, 0xabcfff);
	vm_free(&vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_level_and_the_final_address),
		cmocka_unit_test(a_walk_ends_where_nothing_is),
		cmocka_unit_test(five_levels),
		cmocka_unit_test(host_entries_are_told_apart),
		cmocka_unit_test(one_host_record_speaks_for_a_huge_page),
		cmocka_unit_test(all_aliases_of_an_hva),
		cmocka_unit_test(the_smm_root_uses_its_own_slots),
		cmocka_unit_test(shadow_entries_are_found_by_what_they_translate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
