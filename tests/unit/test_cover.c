// SPDX-License-Identifier: GPL-2.0
/* What covers a stretch, compared with the same counted entry by entry. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "spt/cover.h"
#include "spt/entry.h"
#include "vm.h"

/* Pages of every size, with holes, A and D bits that differ, an MMIO entry. */
static void make_vm(struct vm *vm, const char *format)
{
	unsigned int root;

	*vm = vm_new(format);
	root = vm->root;
	for (uint64_t gpa = 0; gpa < 3 * MK_MB; gpa += 4096) {
		uint64_t leaf =
			mkimage_leaf(vm->mk, 0x40000000 + gpa, 1, gpa % 0x5000 ? "rwx" : "r-x");

		if (gpa / 4096 % 7 == 3)
			continue;
		if (gpa / 4096 % 3 == 0)
			leaf |= mkimage_format(vm->mk)->accessed;
		if (gpa / 4096 % 11 == 0)
			leaf |= mkimage_format(vm->mk)->dirty;
		mkimage_map(vm->mk, root, gpa, 1, leaf);
	}
	mkimage_map(vm->mk, root, 8 * MK_MB, 2, mkimage_leaf(vm->mk, 0x80000000, 2, "rwx"));
	mkimage_map(vm->mk, root, 2 * MK_GB, 3, mkimage_leaf(vm->mk, 0x100000000, 3, "rw-"));
	mkimage_map(vm->mk, root, 0xfee00000, 1, mkimage_mmio(vm->mk, 0xfee00000, 1));
	vm_load(vm);
}

/* The same, entry by entry. */
static void count_entries(const struct spt_model *m, uint64_t start, uint64_t len,
			  struct spt_cover *ret)
{
	const struct spt_entry *e;
	struct spt_tree tree;

	spt_cover_none(ret);
	spt_tree_begin(&tree, m, m->roots, start, len, SPT_TREE_LEAVES);
	while ((e = spt_tree_next(&tree))) {
		struct spt_spte s = spt_entry_decode(m, e);
		uint64_t from = e->gpa > start ? e->gpa : start, end = start + len;
		uint64_t bytes = (e->gpa + e->size < end ? e->gpa + e->size : end) - from;

		if (e->type == SPT_SPTE_MMIO)
			ret->has |= SPT_COVER_MMIO;
		if (e->type != SPT_SPTE_LEAF)
			continue;
		ret->bytes[e->level - 1] += bytes;
		ret->any |= s.perm;
		ret->all &= s.perm;
		ret->accessed += s.accessed == SPT_YES ? bytes : 0;
		ret->dirty += s.dirty == SPT_YES ? bytes : 0;
		ret->no_accessed += s.accessed == SPT_NA ? bytes : 0;
		ret->no_dirty += s.dirty == SPT_NA ? bytes : 0;
	}
}

static void assert_cover(const struct spt_cover *a, const struct spt_cover *b)
{
	for (int i = 0; i < SPT_COVER_LEVELS; i++)
		assert_int_equal(a->bytes[i], b->bytes[i]);
	assert_int_equal(a->any, b->any);
	assert_int_equal(a->all, b->all);
	assert_int_equal(a->accessed, b->accessed);
	assert_int_equal(a->dirty, b->dirty);
	assert_int_equal(a->no_accessed, b->no_accessed);
	assert_int_equal(a->no_dirty, b->no_dirty);
	assert_int_equal(a->has, b->has);
}

static void check_format(const char *format)
{
	static const uint64_t starts[] = { 0,	     0x1000,	0x3000,
					   MK_MB,    2 * MK_MB, 8 * MK_MB,
					   MK_GB,    2 * MK_GB, 0xfee00000 & ~0xfffffULL,
					   3 * MK_GB };
	struct spt_covers covers;
	struct vm vm;

	make_vm(&vm, format);
	assert_int_equal(spt_covers_init(&covers, &vm.model, NULL, false), 0);
	/* Once with nothing remembered, once with everything. */
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
			for (unsigned int shift = 12; shift < 42; shift += 3) {
				struct spt_cover cover, counted;
				uint64_t budget = ~0ULL, len = 1ULL << shift;

				assert_true(spt_cover(&covers, vm.model.roots, starts[i], len,
						      &budget, &cover));
				count_entries(&vm.model, starts[i], len, &counted);
				assert_cover(&cover, &counted);
			}
	spt_covers_deinit(&covers);
	vm_free(&vm);
}

static void test_equals_entries(void **state)
{
	check_format("npt-6.12");
	check_format("ept-6.12");
	check_format("ept-7.3");
}

/* A budget that ends is said, and what was looked at is not looked at again. */
static void test_budget(void **state)
{
	struct spt_cover cover, all;
	struct spt_covers covers;
	struct vm vm;
	uint64_t budget = ~0ULL;
	int looks = 0;

	make_vm(&vm, "npt-6.12");
	assert_int_equal(spt_covers_init(&covers, &vm.model, NULL, false), 0);
	do {
		budget = 2;
		assert_in_range(++looks, 1, 16);
	} while (!spt_cover(&covers, vm.model.roots, 0, 1ULL << 40, &budget, &cover));
	assert_true(looks > 1);
	count_entries(&vm.model, 0, 1ULL << 40, &all);
	assert_cover(&cover, &all);
	budget = 0;
	assert_true(spt_cover(&covers, vm.model.roots, 0, 1ULL << 40, &budget, &cover));
	spt_covers_deinit(&covers);
	vm_free(&vm);
}

/* A page that moves to another frame changes nothing but the print. */
static void test_print(void **state)
{
	struct spt_cover cover[2];

	for (int i = 0; i < 2; i++) {
		struct vm vm = vm_new("npt-6.12");
		struct spt_covers covers;
		uint64_t budget = ~0ULL;

		mkimage_map(vm.mk, vm.root, 0x5000, 1,
			    mkimage_leaf(vm.mk, i ? 0x40000000 : 0x50000000, 1, "rwx"));
		vm_load(&vm);
		assert_int_equal(spt_covers_init(&covers, &vm.model, NULL, true), 0);
		assert_true(spt_cover(&covers, vm.model.roots, 0, MK_GB, &budget, &cover[i]));
		spt_covers_deinit(&covers);
		vm_free(&vm);
	}
	assert_cover(&cover[0], &cover[1]);
	assert_int_not_equal(cover[0].print, cover[1].print);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equals_entries),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
