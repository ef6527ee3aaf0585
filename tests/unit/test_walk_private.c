// SPDX-License-Identifier: GPL-2.0
/* Walks of a VM whose memory has two halves: either address, three trees, one verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "spt/external.h"
#include "spt/reverse.h"
#include "spt/walk.h"
#include "vm.h"

#define SHARED	 (1ULL << 39)
#define HPA	 0x300000000ULL
#define USER_HPA 0x400000000ULL

struct td {
	struct vm vm;
	unsigned int mirror, leaves;
	struct spt_walk walk;
};

/* Page 1 private and mapped, page 2 private and not, page 0x200 shared and mapped. */
static struct td td_new(void)
{
	struct td t = { .vm = vm_new("npt-7.3") };
	struct mkimage *mk = t.vm.mk;
	struct spt_slot *slot;

	mkimage_vm(mk, SPT_VM_VM_TYPE, SPT_VM_TYPE_TDX);
	mkimage_vm(mk, SPT_VM_HAS_PRIVATE_MEM, 1);
	mkimage_vm(mk, SPT_VM_GFN_DIRECT_BITS, SHARED >> 12);
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_SEQ, 5);
	slot = mkimage_slot(mk, 0, 0, 0, 4 * MK_MB, 0x7f0000000000);
	slot->gmem_file = 7;
	slot->known |= SPT_SLOT_KNOWN_GMEM_PAGES;
	mkimage_host_run(mk, 0x200, 1, USER_HPA, 1, SPT_HOST_RUN_WRITABLE);
	mkimage_gmem_run(mk, 1, 1, HPA);
	mkimage_run(mk, SPT_RUN_ATTRS, 0, 0x200, 8);
	t.mirror = mkimage_mirror_root(mk, 4);
	t.leaves = mkimage_map(mk, t.mirror, 0x1000, 1, mkimage_leaf(mk, HPA, 1, "rwx"));
	mkimage_map(mk, t.vm.root, SHARED + 0x200000, 1, mkimage_leaf(mk, USER_HPA, 1, "rwx"));
	mkimage_externals(mk, t.mirror);
	return t;
}

static enum spt_verdict look(struct td *t, uint64_t gpa)
{
	if (!t->vm.model.nr_nodes)
		vm_load(&t->vm);
	spt_walk_gpa(&t->vm.model, gpa, &t->walk);
	return t->walk.verdict;
}

static const struct spt_walk_path *path_of(const struct td *t, enum spt_root_kind kind)
{
	for (unsigned int i = 0; i < t->walk.nr_paths; i++)
		if (t->walk.path[i].root->kind == kind)
			return &t->walk.path[i];
	return NULL;
}

static void both_addresses_are_one_page(void **state)
{
	struct td t = td_new();

	for (int shared = 0; shared < 2; shared++) {
		assert_int_equal(look(&t, 0x1234 | (shared ? SHARED : 0)), SPT_VERDICT_PRIVATE);
		assert_int_equal(t.walk.gpa, 0x1234);
		assert_int_equal(t.walk.asked_shared, shared);
		assert_true(t.walk.knows_attrs && t.walk.knows_gmem && t.walk.private_gpa);
		assert_int_equal(t.walk.gmem_hpa, HPA + 0x234);
		assert_int_equal(path_of(&t, SPT_ROOT_MIRROR)->hpa, HPA + 0x234);
		assert_int_equal(path_of(&t, SPT_ROOT_EXTERNAL)->hpa, HPA + 0x234);
		assert_int_equal(path_of(&t, SPT_ROOT_DIRECT)->hpa, SPT_NO_HPA);
		assert_int_equal(t.walk.external, SPT_YES);
		assert_int_equal(look(&t, 0x200010 | (shared ? SHARED : 0)), SPT_VERDICT_COHERENT);
		assert_false(t.walk.private_gpa);
		assert_int_equal(t.walk.gmem_hpa, SPT_NO_HPA);
		assert_int_equal(path_of(&t, SPT_ROOT_DIRECT)->hpa, USER_HPA + 0x10);
	}
	vm_free(&t.vm);
}

static void an_external_tree_begins_where_kvm_knows_it(void **state)
{
	struct td t = td_new();
	const struct spt_root_ref *root;

	look(&t, 0x1000);
	root = path_of(&t, SPT_ROOT_EXTERNAL)->root;
	assert_int_equal(root->level, 3);
	assert_string_equal(spt_root_kind_name(root->kind), "external");
	assert_true(root->valid && !root->page && root->node->is_external);
	assert_int_equal(spt_root_half(root), SPT_HALF_PRIVATE);
	assert_int_equal(spt_root_half(path_of(&t, SPT_ROOT_MIRROR)->root), SPT_HALF_PRIVATE);
	assert_int_equal(spt_root_half(path_of(&t, SPT_ROOT_DIRECT)->root), SPT_HALF_SHARED);
	assert_int_equal(spt_model_externals(&t.vm.model), SPT_YES);
	assert_ptr_equal(
		spt_node_external(&t.vm.model, path_of(&t, SPT_ROOT_MIRROR)->level[1].node),
		root->node);
	/* Beyond what it translates there is no way through it. */
	look(&t, 1ULL << 40);
	assert_null(path_of(&t, SPT_ROOT_EXTERNAL));
	vm_free(&t.vm);
}

static void not_mapped_is_private_all_the_same(void **state)
{
	struct td t = td_new();

	assert_int_equal(look(&t, 0x2000), SPT_VERDICT_PRIVATE);
	assert_non_null(strstr(t.walk.reason, "not mapped yet"));
	assert_true(t.walk.knows_gmem);
	assert_int_equal(t.walk.gmem_hpa, SPT_NO_HPA);
	vm_free(&t.vm);
}

static void external_differs(struct td *t)
{
	mkimage_external_set(t->vm.mk, t->leaves, 1, (HPA + 0x1000) | 7);
}

static void external_missing(struct td *t)
{
	mkimage_external_set(t->vm.mk, t->leaves, 1, 0);
}

static void other_page(struct td *t)
{
	mkimage_set(t->vm.mk, t->leaves, 1, mkimage_leaf(t->vm.mk, HPA + 0x5000, 1, "rwx"));
	mkimage_external_set(t->vm.mk, t->leaves, 1, (HPA + 0x5000) | 7);
}

static void in_shared_root(struct td *t)
{
	mkimage_map(t->vm.mk, t->vm.root, SHARED + 0x1000, 1,
		    mkimage_leaf(t->vm.mk, HPA, 1, "rwx"));
}

static void what_disagrees_is_stale(void **state)
{
	static const struct {
		void (*make)(struct td *t);
		const char *says;
	} breaks[] = {
		{ external_differs, "mirror and external table differ at level 1" },
		{ external_missing, "mirror and external table differ at level 1" },
		{ other_page, "guest_memfd has 0x300000000" },
		{ in_shared_root, "the shared root maps it" },
	};

	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		struct td t = td_new();

		breaks[i].make(&t);
		if (look(&t, 0x1000) != SPT_VERDICT_STALE || !strstr(t.walk.reason, breaks[i].says))
			fail_msg("%s: %s: %s", breaks[i].says, spt_verdict_name(t.walk.verdict),
				 t.walk.reason);
		vm_free(&t.vm);
	}
}

/* A mirror's entry for memory that the attributes call shared. */
static void a_shared_page_in_the_mirror_is_stale(void **state)
{
	struct td t = td_new();

	mkimage_map(t.vm.mk, t.mirror, 0x200000, 1, mkimage_leaf(t.vm.mk, USER_HPA, 1, "rwx"));
	assert_int_equal(look(&t, 0x200000), SPT_VERDICT_STALE);
	assert_non_null(strstr(t.walk.reason, "shared memory, but the mirror root maps it"));
	vm_free(&t.vm);
}

static void a_frozen_entry_is_a_change_under_way(void **state)
{
	struct td t = td_new();

	mkimage_set(t.vm.mk, t.leaves, 1, mkimage_head(t.vm.mk)->frozen_spte);
	assert_int_equal(look(&t, 0x1000), SPT_VERDICT_TORN);
	assert_int_not_equal(t.walk.external, SPT_NO);
	vm_free(&t.vm);
}

/* An external table's page says whose it is, and is counted as no table of KVM's. */
static void an_external_page_is_found(void **state)
{
	struct td t = td_new();
	struct spt_sweep sweep = { .model = &t.vm.model, .threads = 1 };
	struct spt_error err = { 0 };
	struct spt_reverse found;

	look(&t, 0x1000);
	assert_int_equal(
		spt_reverse_find(&sweep, mkimage_page(t.vm.mk, t.leaves)->external, &found, &err),
		0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.hit[0].kind, SPT_REVERSE_EXTERNAL);
	assert_true(found.hit[0].node->mirror);
	spt_reverse_free(&found);
	/* A private page is the mirror's, once. */
	assert_int_equal(spt_reverse_find(&sweep, HPA, &found, &err), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.hit[0].kind, SPT_REVERSE_LEAF);
	spt_reverse_free(&found);
	vm_free(&t.vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_addresses_are_one_page),
		cmocka_unit_test(an_external_tree_begins_where_kvm_knows_it),
		cmocka_unit_test(not_mapped_is_private_all_the_same),
		cmocka_unit_test(what_disagrees_is_stale),
		cmocka_unit_test(a_shared_page_in_the_mirror_is_stale),
		cmocka_unit_test(a_frozen_entry_is_a_change_under_way),
		cmocka_unit_test(an_external_page_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
