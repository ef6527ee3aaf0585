// SPDX-License-Identifier: GPL-2.0
/* What maps a host page, compared with a look at every entry of every root. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "spt/reverse.h"
#include "spt/vector.h"
#include "vm.h"

static void find(const struct spt_model *m, uint64_t hpa, unsigned int threads,
		 struct spt_reverse *ret)
{
	struct spt_sweep sweep = { .model = m, .threads = threads };
	struct spt_error err = { 0 };

	assert_int_equal(spt_reverse_find(&sweep, hpa, ret, &err), 0);
}

/* Every leaf whose page holds @hpa, from the iterator, must be the next hit of its kind. */
static unsigned int compare(const struct spt_model *m, uint64_t hpa, unsigned int threads)
{
	struct spt_reverse found;
	const struct spt_entry *e;
	struct spt_tree tree;
	unsigned int leaves = 0;
	size_t i = 0;

	find(m, hpa, threads, &found);
	spt_tree_begin(&tree, m, NULL, 0, 0, SPT_TREE_LEAVES);
	while ((e = spt_tree_next(&tree))) {
		if (e->type != SPT_SPTE_LEAF || hpa < e->hpa || hpa - e->hpa >= e->size)
			continue;
		while (i < found.count && found.hit[i].kind != SPT_REVERSE_LEAF)
			i++;
		assert_true(i < found.count);
		assert_ptr_equal(found.hit[i].root, e->root);
		assert_ptr_equal(found.hit[i].node, e->node);
		assert_int_equal(found.hit[i].index, e->index);
		assert_int_equal(found.hit[i].spte, e->spte);
		assert_int_equal(found.hit[i].level, e->level);
		assert_int_equal(found.hit[i].size, e->size);
		assert_int_equal(found.hit[i].address, e->gpa + (hpa - e->hpa));
		leaves++;
		i++;
	}
	for (; i < found.count; i++)
		assert_int_not_equal(found.hit[i].kind, SPT_REVERSE_LEAF);
	spt_reverse_free(&found);
	return leaves;
}

static void every_leaf_that_maps_it_is_found(void **state)
{
	for (unsigned int seed = 0; seed < 6; seed++) {
		struct vm vm = vm_new(seed % 2 ? "ept-7.3" : "npt-6.12");
		unsigned int found = 0;

		srand(seed);
		for (uint64_t gpa = 0; gpa < 256 * MK_MB;) {
			bool huge = !(gpa % (2 * MK_MB)) && rand() % 2;
			uint64_t size = huge ? 2 * MK_MB : 0x1000;
			/* 64 MiB of host memory: most of it is mapped at several places. */
			uint64_t hpa = 0x40000000 + rand() % (64 * MK_MB / size) * size;

			if (rand() % 3)
				mkimage_map(vm.mk, vm.root, gpa, huge ? 2 : 1,
					    mkimage_leaf(vm.mk, hpa, huge ? 2 : 1, "rwx"));
			gpa += huge || rand() % 20 ? size : 2 * MK_MB - gpa % (2 * MK_MB);
		}
		vm_load(&vm);
		for (int i = 0; i < 40; i++)
			found += compare(&vm.model, 0x40000000 + rand() % (70 * MK_MB),
					 i % 3 * 3 + 1);
		assert_true(found > 40);
		assert_int_equal(compare(&vm.model, 0x3fffffff, 1), 0);
		vm_free(&vm);
	}
}

static const struct spt_reverse_hit *only_hit(const struct spt_model *m, uint64_t hpa,
					      struct spt_reverse *found)
{
	find(m, hpa, 1, found);
	assert_int_equal(found->count, 1);
	return found->hit;
}

static void a_page_table_says_whose_it_is(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	const struct spt_reverse_hit *hit;
	struct spt_reverse found;
	unsigned int lost, leaf_table;

	leaf_table = mkimage_map(vm.mk, vm.root, 0x40201000, 1,
				 mkimage_leaf(vm.mk, 0x40000000, 1, "rwx"));
	lost = mkimage_table(vm.mk, 1, 0x700, true);
	mkimage_page(vm.mk, lost)->root_count = 0;
	vm_load(&vm);

	hit = only_hit(&vm.model, mkimage_table_hpa(vm.mk, leaf_table) + 8, &found);
	assert_int_equal(hit->kind, SPT_REVERSE_TABLE);
	assert_ptr_equal(hit->root, &vm.model.roots[0]);
	assert_int_equal(hit->level, 1);
	assert_int_equal(hit->address, 0x40200000);
	assert_int_equal(hit->size, 2 * MK_MB);
	assert_int_equal(hit->index, 1);
	spt_reverse_free(&found);

	hit = only_hit(&vm.model, mkimage_table_hpa(vm.mk, vm.root), &found);
	assert_int_equal(hit->kind, SPT_REVERSE_TABLE);
	assert_ptr_equal(hit->node, hit->root->node);
	assert_int_equal(hit->spte, 0);
	spt_reverse_free(&found);

	hit = only_hit(&vm.model, mkimage_table_hpa(vm.mk, lost), &found);
	assert_int_equal(hit->kind, SPT_REVERSE_DETACHED);
	assert_null(hit->root);
	assert_int_equal(hit->address, 0x700000);
	spt_reverse_free(&found);
	vm_free(&vm);
}

static void a_shadow_table_is_found_at_each_of_its_places(void **state)
{
	struct vm vm = vm_new("shadow-6.12");
	unsigned int leaves = mkimage_table(vm.mk, 1, 0x700, false);
	unsigned int level2 = mkimage_table(vm.mk, 2, 0x600, false);
	unsigned int level3 = mkimage_table(vm.mk, 3, 0x500, false);
	struct spt_reverse found;

	mkimage_set(vm.mk, leaves, 5, mkimage_leaf(vm.mk, 0x40000000, 1, "r"));
	mkimage_link(vm.mk, level2, 7, leaves);
	mkimage_link(vm.mk, level3, 511, level2);
	for (int i = 0; i < 3; i++)
		mkimage_link(vm.mk, mkimage_shadow_root(vm.mk, 4, 0x100 + i), 256 + i, level3);
	vm_load(&vm);
	assert_int_equal(compare(&vm.model, 0x40000123, 1), 3);
	find(&vm.model, mkimage_table_hpa(vm.mk, level2), 2, &found);
	assert_int_equal(found.count, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(found.hit[i].kind, SPT_REVERSE_TABLE);
		assert_ptr_equal(found.hit[i].root, &vm.model.roots[i]);
		assert_int_equal(found.hit[i].address,
				 0xffff800000000000 + i * (512 * MK_GB) + 511 * MK_GB);
	}
	spt_reverse_free(&found);
	vm_free(&vm);
}

static void roots_of_vcpus_and_external_tables_are_named(void **state)
{
	struct vm vm = vm_new("ept-7.3");
	const struct spt_reverse_hit *hit;
	struct spt_reverse found;
	unsigned int mirror = mkimage_mirror_root(vm.mk, 4), vcpu = mkimage_vcpu(vm.mk);

	mkimage_page(vm.mk, mirror)->external = 0x123456000;
	mkimage_vcpu_value(vm.mk, vcpu, SPT_VCPU_PAE_ROOT, 0x5000);
	mkimage_vcpu_value(vm.mk, vcpu, SPT_VCPU_PML4_ROOT, 0);
	vm_load(&vm);
	hit = only_hit(&vm.model, 0x5010, &found);
	assert_int_equal(hit->kind, SPT_REVERSE_VCPU_ROOT);
	assert_int_equal(hit->raw_kind, SPT_RAW_PAE_ROOT);
	assert_int_equal(hit->vcpu, 0);
	assert_null(hit->node);
	spt_reverse_free(&found);

	hit = only_hit(&vm.model, 0x123456fff, &found);
	assert_int_equal(hit->kind, SPT_REVERSE_EXTERNAL);
	assert_true(hit->node->mirror);
	spt_reverse_free(&found);

	find(&vm.model, 0, 1, &found);
	assert_int_equal(found.count, 0);
	spt_reverse_free(&found);
	vm_free(&vm);
}

static void the_comparison_of_arrays_misses_nothing(void **state)
{
	uint64_t entry[67] = { 0 };

	for (size_t count = 0; count <= 67; count++)
		for (size_t at = 0; at < 67; at++) {
			entry[at] = 0xabc800;
			assert_int_equal(spt_any_equal(entry, count, 0xfff800, 0xabc8ff),
					 at < count);
			entry[at] = 0;
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_leaf_that_maps_it_is_found),
		cmocka_unit_test(a_page_table_says_whose_it_is),
		cmocka_unit_test(a_shadow_table_is_found_at_each_of_its_places),
		cmocka_unit_test(roots_of_vcpus_and_external_tables_are_named),
		cmocka_unit_test(the_comparison_of_arrays_misses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
