// SPDX-License-Identifier: GPL-2.0
/* What a saved image answers to a narrower request is what all of it says about that. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "spt/narrow.h"
#include "spt/tree.h"
#include "spt/walk.h"
#include "vm.h"

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* Pages gather in a few places, or no two would share a table. */
static uint64_t any_gpa(void)
{
	static const uint64_t places[] = { 0, 1 * MK_GB, 4 * MK_GB - 2 * MK_MB, 600 * MK_GB };

	return places[any(4)] + any(8) * 2 * MK_MB + any(512) * 4096;
}

static void map_something(struct mkimage *mk, unsigned int root)
{
	uint64_t gpa = any_gpa();
	int level = any(8) ? 1 : 2;

	/* Whatever stands above is a table: 2M pages have places of their own. */
	gpa = level == 2 ? (gpa & ~(2 * MK_MB - 1)) + 64 * MK_MB : gpa;
	mkimage_map(mk, root, gpa, level,
		    any(10) ? mkimage_leaf(mk, any(1 << 20) * 2 * MK_MB, level, "rwx")
			    : mkimage_mmio(mk, gpa, 3));
}

/* A guest's shadow tables, one of them a direct one below another that is not. */
static void add_shadow(struct mkimage *mk)
{
	unsigned int root = mkimage_shadow_root(mk, 4, 0x1234);
	unsigned int pdpt = mkimage_table(mk, 3, 0x1235, false);
	unsigned int pd = mkimage_table(mk, 2, 0x1236, false);
	unsigned int pt = mkimage_table(mk, 1, 0x1237, false);
	unsigned int direct = mkimage_table(mk, 1, 1 * MK_GB >> 12, true);

	mkimage_link(mk, root, 3, pdpt);
	mkimage_link(mk, pdpt, 1, pd);
	mkimage_link(mk, pd, 0, pt);
	mkimage_link(mk, pd, 1, direct);
	for (int i = 0; i < 20; i++) {
		unsigned int at = any(512);
		uint64_t gpa = any_gpa();

		mkimage_set(mk, pt, at, mkimage_leaf(mk, any(1 << 20) * 4096, 1, "rw"));
		mkimage_translate(mk, pt, at, gpa, 7);
		mkimage_set(mk, direct, any(512), mkimage_leaf(mk, any(1 << 20) * 4096, 1, "rw"));
	}
}

/* The private half: a mirror, external tables, pages of guest_memfd for the last slot. */
static void add_private(struct mkimage *mk)
{
	unsigned int mirror = mkimage_mirror_root(mk, 4);

	for (int i = 0; i < 40; i++) {
		uint64_t gpa = any_gpa() & ~0xfffULL;

		mkimage_map(mk, mirror, gpa, 1, mkimage_leaf(mk, any(1 << 20) * 4096, 1, "rwx"));
	}
	mkimage_externals(mk, mirror);
	mkimage_run(mk, SPT_RUN_ATTRS, any(1 << 17), 1 + any(1 << 10), 8);
}

static struct vm random_vm(void)
{
	static const char *const formats[] = { "npt-6.12", "ept-7.3", "ept-6.1", "npt-7.3" };
	struct vm vm = vm_new(formats[any(4)]);
	unsigned int pages = 20 + any(200);

	for (int i = 0; i < 4; i++) {
		static const uint64_t places[] = { 0, 1 * MK_GB, 4 * MK_GB, 600 * MK_GB };

		mkimage_slot(vm.mk, i, 0, places[i], 512 * MK_MB, 0x7f0000000000 + places[i]);
		mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, (places[i] >> 12) + 512 * any(64), 512, 1);
		if (any(2))
			mkimage_host_run(vm.mk, (places[i] >> 12) + any(512), 600, 0x40000000, 1,
					 SPT_HOST_RUN_WRITABLE);
		if (any(2))
			mkimage_gmem_run(vm.mk, (places[i] >> 12) + any(512), 600, 0x60000000);
	}
	mkimage_head(vm.mk)->req_parts |= SPT_PART_HOST_RUNS;
	for (unsigned int i = 0; i < pages; i++)
		map_something(vm.mk, vm.root);
	if (any(2)) {
		unsigned int second = mkimage_tdp_root(vm.mk, 4);

		for (int i = 0; i < 30; i++)
			map_something(vm.mk, second);
	}
	if (any(2))
		add_shadow(vm.mk);
	if (any(2) && mkimage_head(vm.mk)->role[SPT_ROLE_IS_MIRROR].width)
		add_private(vm.mk);
	return vm;
}

struct narrowed {
	struct spt_index idx;
	struct spt_pieces pieces;
	struct spt_model model;
	void *answer;
};

static void narrow(struct narrowed *n, const struct spt_image *img, const struct spt_request *req)
{
	struct spt_error err = { 0 };
	struct spt_image small;
	size_t len;

	spt_index_init(&n->idx);
	assert_int_equal(spt_index_scan(&n->idx, img->base, img->len, 0, any(2), NULL), 0);
	spt_index_sort(&n->idx);
	assert_int_equal(spt_pieces_init(&n->pieces, &n->idx, img->base, img->len, false), 0);
	assert_int_equal(spt_narrow(&n->pieces, req, &n->answer, &len), 0);
	/* With every check that a file goes through. */
	if (spt_image_open(&small, n->answer, len, "narrowed", 0, &err))
		fail_msg("%s", err.text);
	spt_model_init(&n->model);
	if (spt_model_load(&n->model, &small, &err))
		fail_msg("%s", err.text);
}

static void narrowed_free(struct narrowed *n)
{
	spt_model_deinit(&n->model);
	spt_pieces_deinit(&n->pieces);
	spt_index_deinit(&n->idx);
	free(n->answer);
}

static void same_entry(const struct spt_entry *a, const struct spt_entry *b)
{
	assert_int_equal(!a, !b);
	if (!a)
		return;
	assert_int_equal(a->gpa, b->gpa);
	assert_int_equal(a->level, b->level);
	assert_int_equal(a->spte, b->spte);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->hpa, b->hpa);
	assert_int_equal(a->problems, b->problems);
	assert_int_equal(a->root->hpa, b->root->hpa);
	assert_int_equal(a->node->hpa, b->node->hpa);
}

static void same_trees(const struct spt_model *a, const struct spt_model *b,
		       const struct spt_request *req)
{
	const struct spt_entry *x, *y;
	struct spt_tree t, u;

	spt_tree_begin(&t, a, NULL, req->start, req->len, 0);
	spt_tree_begin(&u, b, NULL, req->start, req->len, 0);
	do {
		x = spt_tree_next(&t);
		y = spt_tree_next(&u);
		same_entry(x, y);
	} while (x);
}

/* External tables stand for a root each; those of other addresses are not in a range's image. */
static uint32_t roots_of_kvm(const struct spt_model *m)
{
	uint32_t roots = 0;

	for (uint32_t i = 0; i < m->nr_roots; i++)
		roots += m->roots[i].kind != SPT_ROOT_EXTERNAL;
	return roots;
}

static void same_walks(const struct spt_model *a, const struct spt_model *b, uint64_t gpa)
{
	static struct spt_walk x, y;

	spt_walk_gpa(a, gpa, &x);
	spt_walk_gpa(b, gpa, &y);
	assert_int_equal(x.nr_paths, y.nr_paths);
	for (unsigned int i = 0; i < x.nr_paths; i++) {
		assert_int_equal(x.path[i].hpa, y.path[i].hpa);
		assert_int_equal(x.path[i].address, y.path[i].address);
		assert_int_equal(x.path[i].nr_levels, y.path[i].nr_levels);
		for (unsigned int l = 0; l < x.path[i].nr_levels; l++) {
			assert_int_equal(x.path[i].level[l].spte, y.path[i].level[l].spte);
			assert_int_equal(x.path[i].level[l].level, y.path[i].level[l].level);
		}
	}
	assert_int_equal(x.hva, y.hva);
	assert_int_equal(x.have_host, y.have_host);
	assert_int_equal(x.host.hpa, y.host.hpa);
	assert_int_equal(x.verdict, y.verdict);
	assert_string_equal(x.reason, y.reason);
}

static void same_slots(const struct spt_model *a, const struct spt_model *b, uint64_t gfn)
{
	const struct spt_memslot *x = spt_memslot_find(&a->memslots, 0, gfn);
	const struct spt_memslot *y = spt_memslot_find(&b->memslots, 0, gfn);
	uint64_t v, w;

	assert_int_equal(!x, !y);
	if (!x)
		return;
	assert_memory_equal(x->slot, y->slot, sizeof(*x->slot));
	spt_memslot_run(&a->memslots, x, SPT_RUN_LPAGE_2M, gfn, &v);
	spt_memslot_run(&b->memslots, y, SPT_RUN_LPAGE_2M, gfn, &w);
	assert_int_equal(v, w);
}

static void a_range_of_it_says_what_all_of_it_says(void **state)
{
	uint64_t tables = 0, all_tables = 0;

	for (int i = 0; i < 60; i++) {
		struct vm vm = random_vm();

		vm_load(&vm);
		for (int k = 0; k < 12; k++) {
			struct spt_request req = {
				.parts = SPT_PARTS_DEFAULT | SPT_PART_HOST | SPT_PART_HOST_RUNS,
				.start = any_gpa() + (any(2) ? any(4096) : 64 * MK_MB),
				.len = any(3) ? 4096 : 1 + any(8 * MK_MB),
			};
			uint64_t page = (req.start + any(req.len)) & ~4095ULL;
			struct narrowed n;

			narrow(&n, &vm.model.image, &req);
			assert_int_equal(roots_of_kvm(&n.model), roots_of_kvm(&vm.model));
			same_trees(&vm.model, &n.model, &req);
			same_walks(&vm.model, &n.model, page);
			same_slots(&vm.model, &n.model, page >> 12);
			tables += n.model.nr_nodes;
			all_tables += vm.model.nr_nodes;
			narrowed_free(&n);
		}
		vm_free(&vm);
	}
	assert_true(tables < all_tables / 2);
}

static void only_what_is_asked_for_comes(void **state)
{
	struct vm vm = random_vm();
	struct spt_request req = { .parts = SPT_PART_VM | SPT_PART_MEMSLOTS };
	struct narrowed n;

	mkimage_vcpu(vm.mk);
	vm_load(&vm);
	narrow(&n, &vm.model.image, &req);
	assert_int_equal(n.model.nr_nodes, 0);
	assert_int_equal(n.model.nr_vcpus, 0);
	assert_int_equal(n.model.memslots.count, 4);
	assert_int_equal(n.model.memslots.nr_runs, 0);
	assert_non_null(n.model.vm.rec);
	assert_int_equal(n.model.image.head.req_parts, req.parts);
	narrowed_free(&n);

	req = (struct spt_request){ .parts = SPT_PART_MEMSLOTS, .start = 4 * MK_GB, .len = 1 };
	narrow(&n, &vm.model.image, &req);
	assert_int_equal(n.model.memslots.count, 1);
	assert_int_equal(n.model.memslots.slots[0].slot->id, 2);
	narrowed_free(&n);
	vm_free(&vm);
}

static void of_a_range_no_range_is_taken(void **state)
{
	struct vm vm = random_vm();
	struct spt_request req = { .start = 0, .len = 4096 };
	struct spt_pieces pieces;
	struct spt_index idx;
	void *answer;
	size_t len;

	mkimage_head(vm.mk)->req_len = 8 * MK_MB;
	vm_load(&vm);
	spt_index_init(&idx);
	assert_int_equal(
		spt_index_scan(&idx, vm.model.image.base, vm.model.image.len, 0, true, NULL), 0);
	assert_int_equal(
		spt_pieces_init(&pieces, &idx, vm.model.image.base, vm.model.image.len, false), 0);
	assert_int_equal(spt_narrow(&pieces, &req, &answer, &len), -ENOTSUP);
	spt_pieces_deinit(&pieces);
	spt_index_deinit(&idx);
	vm_free(&vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_of_it_says_what_all_of_it_says),
		cmocka_unit_test(only_what_is_asked_for_comes),
		cmocka_unit_test(of_a_range_no_range_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
