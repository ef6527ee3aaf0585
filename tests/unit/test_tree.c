// SPDX-License-Identifier: GPL-2.0
/* The hierarchy in pre-order, for the three kinds of tables and for damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spt/tree.h"
#include "vm.h"

/* Expect the next entry to be of this type, level and address. */
static const struct spt_entry *expect(struct spt_tree *tree, enum spt_spte_type type, int level,
				      uint64_t gpa)
{
	const struct spt_entry *e = spt_tree_next(tree);

	assert_non_null(e);
	assert_int_equal(e->gpa, gpa);
	assert_int_equal(e->level, level);
	assert_int_equal(e->type, type);
	return e;
}

static struct vm mixed_vm(const char *format)
{
	struct vm vm = vm_new(format);

	mkimage_map(vm.mk, vm.root, 0x1000, 1, mkimage_leaf(vm.mk, 0xa000000, 1, "rwx"));
	mkimage_map(vm.mk, vm.root, 0x5000, 1, mkimage_mmio(vm.mk, 0x5000, 3));
	mkimage_map(vm.mk, vm.root, 4 * MK_MB, 2, mkimage_leaf(vm.mk, 0x40000000, 2, "r"));
	mkimage_map(vm.mk, vm.root, 3 * MK_GB, 3, mkimage_leaf(vm.mk, 0x80000000, 3, "rw"));
	mkimage_map(vm.mk, vm.root, 5 * MK_GB, 1, mkimage_format(vm.mk)->frozen);
	return vm;
}

static void every_level_comes_in_pre_order(void **state)
{
	static const char *const formats[] = { "ept-6.1", "ept-6.12", "ept-7.3",
					       "npt-6.1", "npt-6.12", "npt-7.3" };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct vm vm = mixed_vm(formats[i]);
		const struct spt_entry *e;
		struct spt_tree tree;

		vm_load(&vm);
		spt_tree_begin(&tree, &vm.model, NULL, 0, 0, 0);
		e = expect(&tree, SPT_SPTE_TABLE, 4, 0);
		assert_int_equal(e->node->hpa, mkimage_table_hpa(vm.mk, vm.root));
		assert_int_equal(e->hpa, mkimage_table_hpa(vm.mk, vm.root + 1));
		expect(&tree, SPT_SPTE_TABLE, 3, 0);
		expect(&tree, SPT_SPTE_TABLE, 2, 0);
		e = expect(&tree, SPT_SPTE_LEAF, 1, 0x1000);
		assert_int_equal(e->hpa, 0xa000000);
		assert_int_equal(e->index, 1);
		expect(&tree, SPT_SPTE_MMIO, 1, 0x5000);
		e = expect(&tree, SPT_SPTE_LEAF, 2, 4 * MK_MB);
		assert_int_equal(e->size, 2 * MK_MB);
		assert_int_equal(e->hpa, 0x40000000);
		e = expect(&tree, SPT_SPTE_LEAF, 3, 3 * MK_GB);
		assert_int_equal(e->size, 1 * MK_GB);
		expect(&tree, SPT_SPTE_TABLE, 3, 5 * MK_GB);
		expect(&tree, SPT_SPTE_TABLE, 2, 5 * MK_GB);
		e = expect(&tree, SPT_SPTE_FROZEN, 1, 5 * MK_GB);
		assert_int_equal(e->hpa, SPT_NO_HPA);
		assert_null(spt_tree_next(&tree));
		assert_null(spt_tree_next(&tree));
		vm_free(&vm);
	}
}

static void a_range_takes_what_overlaps_it(void **state)
{
	struct vm vm = mixed_vm("npt-6.12");
	struct spt_tree tree;

	vm_load(&vm);
	spt_tree_begin(&tree, &vm.model, NULL, 5 * MK_MB, 0x1000, SPT_TREE_LEAVES);
	expect(&tree, SPT_SPTE_LEAF, 2, 4 * MK_MB);
	assert_null(spt_tree_next(&tree));
	spt_tree_begin(&tree, &vm.model, NULL, 0x1fff, 2, SPT_TREE_LEAVES);
	expect(&tree, SPT_SPTE_LEAF, 1, 0x1000);
	assert_null(spt_tree_next(&tree));
	spt_tree_begin(&tree, &vm.model, NULL, 4 * MK_GB - 1, 1, 0);
	expect(&tree, SPT_SPTE_TABLE, 4, 0);
	expect(&tree, SPT_SPTE_LEAF, 3, 3 * MK_GB);
	assert_null(spt_tree_next(&tree));
	/* Beyond what four levels translate. */
	spt_tree_begin(&tree, &vm.model, NULL, 1ULL << 48, 0x1000, 0);
	assert_null(spt_tree_next(&tree));
	spt_tree_begin(&tree, &vm.model, NULL, 3 * MK_GB, ~0ULL, SPT_TREE_LEAVES);
	expect(&tree, SPT_SPTE_LEAF, 3, 3 * MK_GB);
	expect(&tree, SPT_SPTE_FROZEN, 1, 5 * MK_GB);
	assert_null(spt_tree_next(&tree));
	vm_free(&vm);
}

/* An image of a range has entries beside it, but not the tables that those lead to. */
static void an_image_of_a_range_ends_there(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_tree tree;

	mkimage_head(vm.mk)->req_start = 2 * MK_MB;
	mkimage_head(vm.mk)->req_len = 0x2000;
	mkimage_map(vm.mk, vm.root, 0, 2, mkimage_nonleaf(vm.mk, 0x99000000));
	mkimage_map(vm.mk, vm.root, 2 * MK_MB, 1, mkimage_leaf(vm.mk, 0x1000, 1, "r"));
	mkimage_map(vm.mk, vm.root, 2 * MK_MB + 0x2000, 1, mkimage_leaf(vm.mk, 0x2000, 1, "r"));
	vm_load(&vm);
	assert_true(spt_model_covers(&vm.model, 2 * MK_MB + 0x1fff));
	assert_false(spt_model_covers(&vm.model, 2 * MK_MB + 0x2000));
	assert_false(spt_model_covers(&vm.model, 2 * MK_MB - 1));
	spt_tree_begin(&tree, &vm.model, NULL, 0, 0, SPT_TREE_LEAVES);
	expect(&tree, SPT_SPTE_LEAF, 1, 2 * MK_MB);
	assert_null(spt_tree_next(&tree));
	vm_free(&vm);
}

static void leftovers_are_shown_when_asked_for(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_tree tree;

	mkimage_map(vm.mk, vm.root, 0x2000, 1, 0xdead000);
	vm_load(&vm);
	spt_tree_begin(&tree, &vm.model, NULL, 0, 0, SPT_TREE_LEAVES);
	assert_null(spt_tree_next(&tree));
	spt_tree_begin(&tree, &vm.model, NULL, 0, 0, SPT_TREE_LEAVES | SPT_TREE_LEFTOVER);
	expect(&tree, SPT_SPTE_NONPRESENT, 1, 0x2000);
	assert_null(spt_tree_next(&tree));
	vm_free(&vm);
}

static void several_roots_come_one_after_the_other(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	unsigned int smm = mkimage_tdp_root(vm.mk, 4);
	struct spt_page *page = mkimage_page(vm.mk, smm);
	const struct spt_entry *e;
	struct spt_tree tree;

	page->role = mkimage_role(vm.mk, page->role, SPT_ROLE_SMM, 1);
	page->role = mkimage_role(vm.mk, page->role, SPT_ROLE_INVALID, 1);
	mkimage_map(vm.mk, vm.root, 0, 1, mkimage_leaf(vm.mk, 0x1000, 1, "r"));
	mkimage_map(vm.mk, smm, 0, 1, mkimage_leaf(vm.mk, 0x2000, 1, "r"));
	vm_load(&vm);
	assert_int_equal(vm.model.nr_roots, 2);
	assert_int_equal(vm.model.roots[1].as_id, 1);
	assert_false(vm.model.roots[1].valid);
	spt_tree_begin(&tree, &vm.model, NULL, 0, 0, SPT_TREE_LEAVES);
	assert_int_equal(expect(&tree, SPT_SPTE_LEAF, 1, 0)->hpa, 0x1000);
	e = expect(&tree, SPT_SPTE_LEAF, 1, 0);
	assert_int_equal(e->hpa, 0x2000);
	assert_ptr_equal(e->root, &vm.model.roots[1]);
	assert_null(spt_tree_next(&tree));
	vm_free(&vm);
}

static void a_child_that_does_not_fit_is_named_and_not_entered(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	const struct spt_entry *e;
	unsigned int leaf_table;
	struct spt_tree tree;

	leaf_table = mkimage_map(vm.mk, vm.root, 0, 1, mkimage_leaf(vm.mk, 0x1000, 1, "r"));
	/* A table that is not there, one that belongs elsewhere, and the root inside itself. */
	mkimage_map(vm.mk, vm.root, 2 * MK_MB, 2, mkimage_nonleaf(vm.mk, 0x99000000));
	mkimage_map(vm.mk, vm.root, 4 * MK_MB, 2,
		    mkimage_nonleaf(vm.mk, mkimage_table_hpa(vm.mk, leaf_table)));
	mkimage_map(vm.mk, vm.root, 1ULL << 39, 4,
		    mkimage_nonleaf(vm.mk, mkimage_table_hpa(vm.mk, vm.root)));
	vm_load(&vm);
	spt_tree_begin(&tree, &vm.model, NULL, 0, 0, SPT_TREE_LEAVES);
	expect(&tree, SPT_SPTE_LEAF, 1, 0);
	e = expect(&tree, SPT_SPTE_TABLE, 2, 2 * MK_MB);
	assert_int_equal(e->problems, SPT_ENTRY_NO_CHILD);
	e = expect(&tree, SPT_SPTE_TABLE, 2, 4 * MK_MB);
	assert_int_equal(e->problems, SPT_ENTRY_BAD_CHILD);
	e = expect(&tree, SPT_SPTE_TABLE, 4, 1ULL << 39);
	assert_int_equal(e->problems, SPT_ENTRY_BAD_CHILD);
	assert_null(spt_tree_next(&tree));
	vm_free(&vm);
}

static void shadow_tables_translate_virtual_addresses(void **state)
{
	struct vm vm = vm_new("shadow-6.12");
	unsigned int root = mkimage_shadow_root(vm.mk, 4, 0x1000);
	unsigned int l3 = mkimage_table(vm.mk, 3, 0x1001, false);
	unsigned int l2 = mkimage_table(vm.mk, 2, 0x1002, false);
	unsigned int l1 = mkimage_table(vm.mk, 1, 0x1003, false);
	const struct spt_entry *e;
	struct spt_tree tree;
	unsigned int access;
	uint64_t gpa;

	mkimage_link(vm.mk, root, 511, l3);
	mkimage_link(vm.mk, l3, 510, l2);
	mkimage_link(vm.mk, l2, 8, l1);
	mkimage_set(vm.mk, l1, 3, mkimage_leaf(vm.mk, 0xabc000, 1, "rw"));
	mkimage_translate(vm.mk, l1, 3, 0x77000, 7);
	vm_load(&vm);
	assert_int_equal(vm.model.nr_roots, 1);
	assert_int_equal(vm.model.roots[0].kind, SPT_ROOT_SHADOW);
	spt_tree_begin(&tree, &vm.model, NULL, 0, 0, SPT_TREE_LEAVES);
	e = expect(&tree, SPT_SPTE_LEAF, 1, 0xffffffff81003000);
	assert_true(spt_node_translation(e->node, e->index, &gpa, &access));
	assert_int_equal(gpa, 0x77000);
	assert_int_equal(access, 7);
	assert_null(spt_tree_next(&tree));
	spt_tree_begin(&tree, &vm.model, NULL, 0xffffffff81003000, 0x1000, SPT_TREE_LEAVES);
	expect(&tree, SPT_SPTE_LEAF, 1, 0xffffffff81003000);
	spt_tree_begin(&tree, &vm.model, NULL, 0xffffffff81004000, 0x1000, SPT_TREE_LEAVES);
	assert_null(spt_tree_next(&tree));
	vm_free(&vm);
}

/* A guest with 32-bit paging: the vCPU enters through pae_root, which has no kvm_mmu_page. */
static void a_pae_root_is_the_root_of_its_vcpu(void **state)
{
	struct vm vm = vm_new("shadow-6.1");
	unsigned int pae = mkimage_raw(vm.mk, SPT_RAW_PAE_ROOT, 0);
	unsigned int idle = mkimage_raw(vm.mk, SPT_RAW_PAE_ROOT, 1);
	unsigned int vcpu = mkimage_vcpu(vm.mk), other = mkimage_vcpu(vm.mk);
	unsigned int l2 = mkimage_shadow_root(vm.mk, 2, 0x500);
	unsigned int l1 = mkimage_table(vm.mk, 1, 0x501, false);
	struct spt_tree tree;

	mkimage_vcpu_value(vm.mk, vcpu, SPT_VCPU_ROOT_HPA, mkimage_table_hpa(vm.mk, pae));
	mkimage_vcpu_value(vm.mk, other, SPT_VCPU_ROOT_HPA, SPT_NO_HPA);
	mkimage_link(vm.mk, pae, 3, l2);
	mkimage_link(vm.mk, l2, 1, l1);
	mkimage_set(vm.mk, l1, 0, mkimage_leaf(vm.mk, 0xabc000, 1, "rw"));
	vm_load(&vm);
	/* Not the level-2 page, although it has a root_count, and not the idle table. */
	assert_int_equal(vm.model.nr_roots, 1);
	assert_int_equal(vm.model.roots[0].hpa, mkimage_table_hpa(vm.mk, pae));
	assert_int_equal(vm.model.roots[0].level, 3);
	assert_int_equal(spt_vcpu_uses(&vm.model.vcpus[0], &vm.model.roots[0]), SPT_USE_CURRENT);
	assert_int_equal(spt_vcpu_uses(&vm.model.vcpus[1], &vm.model.roots[0]), SPT_USE_NONE);
	assert_int_not_equal(mkimage_table_hpa(vm.mk, idle), vm.model.roots[0].hpa);
	spt_tree_begin(&tree, &vm.model, NULL, 0, 0, 0);
	expect(&tree, SPT_SPTE_TABLE, 3, 0xc0000000);
	expect(&tree, SPT_SPTE_TABLE, 2, 0xc0200000);
	expect(&tree, SPT_SPTE_LEAF, 1, 0xc0200000);
	assert_null(spt_tree_next(&tree));
	vm_free(&vm);
}

static void a_td_has_the_same_address_in_two_halves(void **state)
{
	struct vm vm = vm_new("npt-7.3");
	unsigned int mirror = mkimage_mirror_root(vm.mk, 4);
	struct spt_tree tree;

	/* KVM leaves the direct bit out of a table's gfn; the tables count with it. */
	mkimage_vm(vm.mk, SPT_VM_GFN_DIRECT_BITS, 1ULL << 35);
	mkimage_map(vm.mk, mirror, 0x4000, 1, mkimage_leaf(vm.mk, 0x1000, 1, "rwx"));
	unsigned int l1 = mkimage_map(vm.mk, vm.root, (1ULL << 47) + 0x4000, 1,
				      mkimage_leaf(vm.mk, 0x2000, 1, "rwx"));

	for (unsigned int t = l1; t > l1 - 3; t--)
		mkimage_page(vm.mk, t)->gfn &= ~(1ULL << 35);
	vm_load(&vm);
	assert_int_equal(vm.model.roots[0].kind, SPT_ROOT_DIRECT);
	assert_int_equal(vm.model.roots[1].kind, SPT_ROOT_MIRROR);
	spt_tree_begin(&tree, &vm.model, NULL, 0x4000, 0x1000, SPT_TREE_LEAVES);
	assert_int_equal(expect(&tree, SPT_SPTE_LEAF, 1, 0x4000)->hpa, 0x2000);
	assert_int_equal(expect(&tree, SPT_SPTE_LEAF, 1, 0x4000)->hpa, 0x1000);
	assert_null(spt_tree_next(&tree));
	vm_free(&vm);
}

static void a_model_can_be_loaded_again(void **state)
{
	struct vm a = mixed_vm("npt-6.12"), b = vm_new("ept-6.1");
	struct spt_tree tree;
	struct spt_image img;
	size_t len;
	uint8_t *image;

	vm_load(&a);
	mkimage_map(b.mk, b.root, 0, 1, mkimage_leaf(b.mk, 0x1000, 1, "r"));
	image = mkimage_finish(b.mk, &len);
	assert_int_equal(spt_image_open(&img, image, len, "b", 0, NULL), 0);
	assert_int_equal(spt_model_load(&a.model, &img, NULL), 0);
	assert_int_equal(a.model.nr_nodes, 4);
	spt_tree_begin(&tree, &a.model, NULL, 0, 0, SPT_TREE_LEAVES);
	expect(&tree, SPT_SPTE_LEAF, 1, 0);
	assert_null(spt_tree_next(&tree));
	vm_free(&a);
	vm_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_level_comes_in_pre_order),
		cmocka_unit_test(a_range_takes_what_overlaps_it),
		cmocka_unit_test(an_image_of_a_range_ends_there),
		cmocka_unit_test(leftovers_are_shown_when_asked_for),
		cmocka_unit_test(several_roots_come_one_after_the_other),
		cmocka_unit_test(a_child_that_does_not_fit_is_named_and_not_entered),
		cmocka_unit_test(shadow_tables_translate_virtual_addresses),
		cmocka_unit_test(a_pae_root_is_the_root_of_its_vcpu),
		cmocka_unit_test(a_td_has_the_same_address_in_two_halves),
		cmocka_unit_test(a_model_can_be_loaded_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
