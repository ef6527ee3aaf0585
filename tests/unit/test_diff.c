// SPDX-License-Identifier: GPL-2.0
/* What changed is said, once and by its name, and nothing else is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "spt/diff.h"
#include "spt/walk.h"
#include "vm.h"

#define MAX_CHANGES 20000

static struct spt_change found[MAX_CHANGES];
static unsigned int count;
static struct spt_diff_totals totals;

static int take(void *arg, const struct spt_change *c)
{
	assert_true(count < MAX_CHANGES);
	found[count++] = *c;
	return 0;
}

static void compare(const struct vm *a, const struct vm *b, struct spt_diff diff)
{
	struct spt_error err = { 0 };

	diff.before = &a->model;
	diff.after = &b->model;
	count = 0;
	if (spt_diff_run(&diff, take, NULL, &totals, &err))
		fail_msg("%s", err.text);
	assert_int_equal(totals.changes, count);
}

static void expect(unsigned int nr, enum spt_change_kind kind, uint64_t gpa, uint64_t size)
{
	if (nr >= count)
		fail_msg("only %u changes", count);
	assert_string_equal(spt_change_name(found[nr].kind), spt_change_name(kind));
	assert_int_equal(found[nr].gpa, gpa);
	assert_int_equal(found[nr].size, size);
}

static void map(struct vm *vm, uint64_t gpa, int level, uint64_t hpa, const char *perm)
{
	mkimage_map(vm->mk, vm->root, gpa, level, mkimage_leaf(vm->mk, hpa, level, perm));
}

static void nothing_changed_says_nothing(void **state)
{
	struct vm a = vm_new("ept-6.12"), b = vm_new("ept-6.12");

	mkimage_slot(a.mk, 0, 0, 0, 1 * MK_GB, 0x7f0000000000);
	mkimage_slot(b.mk, 0, 0, 0, 1 * MK_GB, 0x7f0000000000);
	map(&a, 0x1000, 1, 0x5000, "rwx");
	map(&b, 8 * MK_GB, 1, 0x5000, "rwx"); /* its tables are elsewhere than a's */
	map(&a, 8 * MK_GB, 1, 0x5000, "rwx");
	map(&b, 0x1000, 1, 0x5000, "rwx");
	vm_load(&a);
	vm_load(&b);
	compare(&a, &b, (struct spt_diff){ 0 });
	assert_int_equal(count, 0);
	assert_int_equal(totals.unknown, 0);
	vm_free(&a);
	vm_free(&b);
}

static void every_kind_has_its_name(void **state)
{
	struct vm a = vm_new("npt-6.12"), b = vm_new("npt-6.12");
	const uint64_t huge = 16 * MK_MB, thp = 32 * MK_MB;

	map(&b, 0x1000, 1, 0x5000, "rwx");
	map(&b, 0x2000, 1, 0x9000, "rwx");
	map(&a, 0x8000, 1, 0x7000, "rwx");
	map(&a, 0xa000, 1, 0x7000, "rwx");
	map(&b, 0xa000, 1, 0x8000, "rwx");
	map(&a, 0xb000, 1, 0x9000, "rwx");
	map(&b, 0xb000, 1, 0xa000, "r");
	map(&a, 0xc000, 1, 0xc000, "rwx");
	map(&b, 0xc000, 1, 0xc000, "rx");
	map(&a, 0xe000, 1, 0xe000, "rwx");
	mkimage_map(b.mk, b.root, 0xe000, 1, mkimage_mmio(b.mk, 0xe000, 4));
	/* A huge page in pieces: some are mapped again, at the same place and at another. */
	map(&a, huge, 2, 0x40000000, "rwx");
	map(&b, huge + 0x3000, 1, 0x40003000, "rwx");
	map(&b, huge + 0x4000, 1, 0x99000000, "rwx");
	for (int i = 0; i < 512; i++)
		map(&a, thp + i * 0x1000, 1, 0x50000000 + i * 0x3000, "rwx");
	map(&b, thp, 2, 0x80000000, "rwx");
	vm_load(&a);
	vm_load(&b);
	compare(&a, &b, (struct spt_diff){ 0 });

	expect(0, SPT_CHANGE_ADDED, 0x1000, 0x2000);
	assert_true(found[0].after.scattered);
	assert_int_equal(found[0].before.level, 0);
	expect(1, SPT_CHANGE_REMOVED, 0x8000, 0x1000);
	expect(2, SPT_CHANGE_REMAPPED, 0xa000, 0x1000);
	assert_int_equal(found[2].also, 0);
	assert_int_equal(found[2].before.hpa, 0x7000);
	assert_int_equal(found[2].after.hpa, 0x8000);
	expect(3, SPT_CHANGE_REMAPPED, 0xb000, 0x1000);
	assert_int_equal(found[3].also, 1 << SPT_CHANGE_PERMISSION);
	expect(4, SPT_CHANGE_PERMISSION, 0xc000, 0x1000);
	expect(5, SPT_CHANGE_REMAPPED, 0xe000, 0x1000);
	assert_int_equal(found[5].before.type, SPT_SPTE_LEAF);
	assert_int_equal(found[5].after.type, SPT_SPTE_MMIO);
	expect(6, SPT_CHANGE_REMOVED, huge, 0x3000);
	assert_int_equal(found[6].before.hpa, 0x40000000);
	assert_false(found[6].before.scattered);
	expect(7, SPT_CHANGE_SPLIT, huge + 0x3000, 0x1000);
	assert_int_equal(found[7].also, 0);
	assert_int_equal(found[7].before.hpa, 0x40003000);
	expect(8, SPT_CHANGE_SPLIT, huge + 0x4000, 0x1000);
	assert_int_equal(found[8].also, 1 << SPT_CHANGE_REMAPPED);
	expect(9, SPT_CHANGE_REMOVED, huge + 0x5000, 2 * MK_MB - 0x5000);
	expect(10, SPT_CHANGE_COLLAPSED, thp, 2 * MK_MB);
	assert_int_equal(found[10].also, 1 << SPT_CHANGE_REMAPPED);
	assert_true(found[10].before.scattered);
	assert_int_equal(count, 11);

	compare(&a, &b, (struct spt_diff){ .start = 0x8000, .len = 0x3000 });
	assert_int_equal(count, 2);
	expect(0, SPT_CHANGE_REMOVED, 0x8000, 0x1000);
	expect(1, SPT_CHANGE_REMAPPED, 0xa000, 0x1000);
	vm_free(&a);
	vm_free(&b);
}

static void bits_count_only_when_asked_for(void **state)
{
	struct vm a = vm_new("ept-6.12"), b = vm_new("ept-6.12");
	const struct spt_format *f = mkimage_format(a.mk);

	mkimage_map(a.mk, a.root, 0x1000, 1, mkimage_leaf(a.mk, 0x5000, 1, "rwx"));
	mkimage_map(b.mk, b.root, 0x1000, 1,
		    mkimage_leaf(b.mk, 0x5000, 1, "rwx") | f->accessed | f->dirty);
	mkimage_map(a.mk, a.root, 0x2000, 1, mkimage_mmio(a.mk, 0x2000, 4));
	mkimage_map(b.mk, b.root, 0x2000, 1, mkimage_mmio(b.mk, 0x2000, 6));
	vm_load(&a);
	vm_load(&b);
	compare(&a, &b, (struct spt_diff){ 0 });
	assert_int_equal(count, 0);
	compare(&a, &b, (struct spt_diff){ .flags = SPT_DIFF_BITS });
	assert_int_equal(count, 2);
	expect(0, SPT_CHANGE_PERMISSION, 0x1000, 0x1000);
	vm_free(&a);
	vm_free(&b);
}

static void a_root_made_anew_is_one_change(void **state)
{
	struct vm a = vm_new("npt-6.12"), b = vm_new("npt-6.12");
	unsigned int second;

	map(&a, 0x1000, 1, 0x5000, "rwx");
	map(&b, 0x1000, 1, 0x5000, "rwx");
	map(&b, 0x2000, 1, 0x6000, "rwx");
	mkimage_page(b.mk, b.root)->sp += 0x1000000;
	mkimage_page(b.mk, b.root)->role =
		mkimage_role(b.mk, mkimage_page(b.mk, b.root)->role, SPT_ROLE_INVALID, 1);
	/* What 'b' calls invalid is on its way out; this one is in its place. */
	second = mkimage_tdp_root(b.mk, 4);
	mkimage_map(b.mk, second, 0x1000, 1, mkimage_leaf(b.mk, 0x5000, 1, "rwx"));
	vm_load(&a);
	vm_load(&b);
	compare(&a, &b, (struct spt_diff){ 0 });
	assert_int_equal(count, 1);
	expect(0, SPT_CHANGE_ROOT, 0, 0);
	assert_int_equal(found[0].root_before->hpa, mkimage_table_hpa(a.mk, a.root));
	assert_int_equal(found[0].root_after->hpa, mkimage_table_hpa(b.mk, second));
	vm_free(&a);
	vm_free(&b);
}

static void a_root_that_came_brings_its_content(void **state)
{
	struct vm a = vm_new("npt-6.12"), b = vm_new("npt-6.12");
	unsigned int smm = mkimage_tdp_root(b.mk, 4);

	mkimage_page(b.mk, smm)->role =
		mkimage_role(b.mk, mkimage_page(b.mk, smm)->role, SPT_ROLE_SMM, 1);
	mkimage_map(b.mk, smm, 0x3000, 1, mkimage_leaf(b.mk, 0x5000, 1, "rw"));
	map(&a, 0x1000, 1, 0x5000, "rwx");
	map(&b, 0x1000, 1, 0x5000, "rwx");
	vm_load(&a);
	vm_load(&b);
	compare(&a, &b, (struct spt_diff){ 0 });
	assert_int_equal(count, 2);
	assert_null(found[0].root_before);
	expect(1, SPT_CHANGE_ADDED, 0x3000, 0x1000);
	assert_int_equal(found[1].root_after->as_id, 1);
	compare(&b, &a, (struct spt_diff){ 0 });
	assert_int_equal(count, 2);
	expect(1, SPT_CHANGE_REMOVED, 0x3000, 0x1000);
	vm_free(&a);
	vm_free(&b);
}

static void slots_come_go_and_change(void **state)
{
	struct vm a = vm_new("npt-6.12"), b = vm_new("npt-6.12");

	mkimage_slot(a.mk, 0, 0, 0, 1 * MK_MB, 0x7f0000000000);
	mkimage_slot(a.mk, 1, 0, 1 * MK_GB, 1 * MK_MB, 0x7f1000000000);
	mkimage_slot(a.mk, 2, 0, 2 * MK_GB, 1 * MK_MB, 0x7f2000000000);
	mkimage_slot(b.mk, 0, 0, 0, 1 * MK_MB, 0x7f0000000000)->generation = 99;
	mkimage_slot(b.mk, 1, 0, 1 * MK_GB, 1 * MK_MB, 0x7f1000000000)->flags = 1;
	mkimage_slot(b.mk, 3, 0, 3 * MK_GB, 2 * MK_MB, 0x7f3000000000);
	vm_load(&a);
	vm_load(&b);
	compare(&a, &b, (struct spt_diff){ 0 });
	assert_int_equal(count, 3);
	expect(0, SPT_CHANGE_SLOT, 1 * MK_GB, 1 * MK_MB);
	assert_int_equal(found[0].slot_after->slot->flags, 1);
	expect(1, SPT_CHANGE_SLOT, 2 * MK_GB, 1 * MK_MB);
	assert_null(found[1].slot_after);
	expect(2, SPT_CHANGE_SLOT, 3 * MK_GB, 2 * MK_MB);
	assert_null(found[2].slot_before);
	vm_free(&a);
	vm_free(&b);
}

/* With a range a slot that moved is of both its places. */
static void a_slot_that_moved_is_where_it_was_and_is(void **state)
{
	struct vm a = vm_new("npt-6.12"), b = vm_new("npt-6.12");
	const struct spt_diff old = { .start = 1 * MK_GB, .len = 1 * MK_MB },
			      new = { .start = 2 * MK_GB, .len = 1 * MK_MB },
			      neither = { .start = 3 * MK_GB, .len = 1 * MK_MB };

	mkimage_slot(a.mk, 1, 0, 1 * MK_GB, 1 * MK_MB, 0x7f1000000000);
	mkimage_slot(b.mk, 1, 0, 2 * MK_GB, 1 * MK_MB, 0x7f1000000000);
	vm_load(&a);
	vm_load(&b);
	compare(&a, &b, old);
	assert_int_equal(count, 1);
	compare(&a, &b, new);
	assert_int_equal(count, 1);
	expect(0, SPT_CHANGE_SLOT, 2 * MK_GB, 1 * MK_MB);
	assert_int_equal(found[0].slot_before->slot->base_gfn, 1 * MK_GB >> 12);
	compare(&a, &b, neither);
	assert_int_equal(count, 0);
	vm_free(&a);
	vm_free(&b);
}

/* Everything below: random guests against a comparison page by page. */

static uint64_t seed = 0x2545f4914f6cdd1d;

static uint64_t any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

#define PIECES 24 /* of 2M, in a few places */

static uint64_t piece_gpa(unsigned int i)
{
	static const uint64_t places[] = { 0, 1 * MK_GB - 8 * MK_MB, 513 * MK_GB };

	return places[i / 8] + i % 8 * 2 * MK_MB;
}

static const char *any_perm(void)
{
	static const char *const perms[] = { "rwx", "rw", "r" };

	return perms[any(3)];
}

/* A piece is huge, absent, or has pages of its own: what @like's dice say, but for some. */
static void fill(struct vm *vm, uint64_t like, unsigned int changes)
{
	for (unsigned int i = 0; i < PIECES; i++) {
		unsigned int pages;
		uint64_t gpa = piece_gpa(i);

		seed = like + i * 7919;
		any(2);
		if (changes && !(changes >> 3 & i))
			seed += changes;
		switch (any(4)) {
		case 0:
			continue;
		case 1:
			map(vm, gpa, 2, any(1 << 10) * 2 * MK_MB, any_perm());
			continue;
		}
		pages = any(2) ? 512 : any(40);
		for (unsigned int k = 0; k < pages; k++) {
			unsigned int at = pages == 512 ? k : any(512);
			uint64_t hpa = pages == 512 ? gpa + at * 0x1000 : any(1 << 20) * 0x1000;

			if (changes && !any(9))
				hpa += 0x1000;
			if (any(12))
				map(vm, gpa + at * 0x1000, 1, hpa, changes ? any_perm() : "rwx");
			else
				mkimage_map(vm->mk, vm->root, gpa + at * 0x1000, 1,
					    mkimage_mmio(vm->mk, gpa + at * 0x1000, 4));
		}
	}
}

/* The kind of one page's change, as a human would tell it; SPT_CHANGE_KINDS: none. */
static enum spt_change_kind kind_of(const struct vm *a, const struct vm *b, uint64_t gpa,
				    struct spt_walk_path path[2])
{
	const struct vm *vm[2] = { a, b };
	const struct spt_entry *e[2];
	unsigned int perm[2];
	bool there[2];

	for (int i = 0; i < 2; i++) {
		spt_walk_root(&vm[i]->model, &vm[i]->model.roots[0], gpa, &path[i]);
		e[i] = &path[i].level[path[i].nr_levels - 1];
		there[i] = e[i]->type == SPT_SPTE_LEAF || e[i]->type == SPT_SPTE_MMIO;
		perm[i] = spt_spte_perm(&vm[i]->model.format, e[i]->spte);
	}
	if (!there[0] || !there[1])
		return there[1]	  ? SPT_CHANGE_ADDED
		       : there[0] ? SPT_CHANGE_REMOVED
				  : SPT_CHANGE_KINDS;
	if (e[0]->type != e[1]->type)
		return SPT_CHANGE_REMAPPED;
	if (e[0]->type == SPT_SPTE_MMIO)
		return SPT_CHANGE_KINDS;
	if (e[0]->level != e[1]->level)
		return e[0]->level > e[1]->level ? SPT_CHANGE_SPLIT : SPT_CHANGE_COLLAPSED;
	if (path[0].hpa != path[1].hpa)
		return SPT_CHANGE_REMAPPED;
	return perm[0] != perm[1] ? SPT_CHANGE_PERMISSION : SPT_CHANGE_KINDS;
}

static void explain_every_page(const struct vm *a, const struct vm *b)
{
	unsigned int at = 0;

	for (unsigned int i = 0; i < PIECES; i++) {
		for (unsigned int k = 0; k < 512; k++) {
			uint64_t gpa = piece_gpa(i) + k * 0x1000;
			struct spt_walk_path path[2];
			enum spt_change_kind kind = kind_of(a, b, gpa, path);
			const struct spt_change *c = &found[at];
			bool inside = at < count && gpa >= c->gpa && gpa - c->gpa < c->size;

			assert_int_equal(inside, kind != SPT_CHANGE_KINDS);
			if (!inside)
				continue;
			assert_int_equal(c->kind, kind);
			if (c->before.hpa != SPT_NO_HPA && !c->before.scattered)
				assert_int_equal(c->before.hpa + (gpa - c->gpa), path[0].hpa);
			if (c->after.hpa != SPT_NO_HPA && !c->after.scattered)
				assert_int_equal(c->after.hpa + (gpa - c->gpa), path[1].hpa);
			at += gpa + 0x1000 == c->gpa + c->size;
		}
	}
	assert_int_equal(at, count);
}

static void every_difference_is_explained(void **state)
{
	static const char *const formats[][2] = {
		{ "npt-6.12", "npt-6.12" }, { "ept-6.12", "ept-6.12" }, { "ept-7.3", "ept-7.3" },
		{ "npt-6.1", "npt-7.3" },   { "ept-6.1", "ept-7.3" },
	};
	unsigned int kinds = 0;

	for (unsigned int i = 0; i < 60; i++) {
		struct vm a = vm_new(formats[i % 5][0]), b = vm_new(formats[i % 5][1]);

		fill(&a, i * 104729 + 1, 0);
		fill(&b, i * 104729 + 1, 1 + i);
		vm_load(&a);
		vm_load(&b);
		compare(&a, &b, (struct spt_diff){ .threads = 1 + i % 3 });
		/* The two roots are made at the same place: only content differs. */
		for (unsigned int k = 0; k < count; k++)
			kinds |= 1U << found[k].kind;
		explain_every_page(&a, &b);
		vm_free(&a);
		vm_free(&b);
	}
	assert_int_equal(kinds, (1U << SPT_CHANGE_SLOT) - 1);
}

/* A VM with private memory: gfns of @first + @pages have the attribute. */
static struct vm td_vm(uint64_t first, uint64_t pages)
{
	struct vm vm = vm_new("npt-7.3");

	mkimage_vm(vm.mk, SPT_VM_HAS_PRIVATE_MEM, 1);
	mkimage_vm(vm.mk, SPT_VM_GFN_DIRECT_BITS, 1ULL << (39 - 12));
	mkimage_slot(vm.mk, 3, 0, 0, 4 * MK_MB, 0x7f0000000000);
	if (pages)
		mkimage_run(vm.mk, SPT_RUN_ATTRS, first, pages, 8);
	return vm;
}

static void expect_conversion(unsigned int nr, enum spt_conversion conversion)
{
	assert_int_equal(found[nr].conversion, conversion);
}

/* Private pages 0 to 7; then 2 to 5 are shared, and what was mapped came and went with it. */
static void conversions_are_named(void **state)
{
	struct vm a = td_vm(0, 8), b = td_vm(0, 2);
	unsigned int mirror = mkimage_mirror_root(a.mk, 4);

	mkimage_run(b.mk, SPT_RUN_ATTRS, 6, 2, 8);
	for (uint64_t i = 0; i < 8; i++)
		mkimage_map(a.mk, mirror, i << 12, 1,
			    mkimage_leaf(a.mk, 0x40000000 + (i << 12), 1, "rwx"));
	mirror = mkimage_mirror_root(b.mk, 4);
	for (uint64_t i = 0; i < 8; i++)
		if (i < 2 || i > 5)
			mkimage_map(b.mk, mirror, i << 12, 1,
				    mkimage_leaf(b.mk, 0x40000000 + (i << 12), 1, "rwx"));
	mkimage_map(b.mk, b.root, (1ULL << 39) + 0x2000, 1,
		    mkimage_leaf(b.mk, 0x50000000, 1, "rw"));
	vm_load(&a);
	vm_load(&b);
	compare(&a, &b, (struct spt_diff){ .threads = 1 });
	assert_int_equal(count, 3);
	expect(0, SPT_CHANGE_SLOT, 0x2000, 0x4000);
	expect_conversion(0, SPT_CONVERTED_TO_SHARED);
	assert_int_equal(found[0].slot_after->slot->id, 3);
	expect(1, SPT_CHANGE_ADDED, 0x2000, 0x1000);
	expect_conversion(1, SPT_CONVERTED_TO_SHARED);
	expect(2, SPT_CHANGE_REMOVED, 0x2000, 0x4000);
	expect_conversion(2, SPT_CONVERTED_TO_SHARED);

	compare(&b, &a, (struct spt_diff){ .threads = 1 });
	expect(0, SPT_CHANGE_SLOT, 0x2000, 0x4000);
	expect_conversion(0, SPT_CONVERTED_TO_PRIVATE);
	assert_string_equal(spt_conversion_name(found[0].conversion), "to-private");

	/* Of a range, what is in it. */
	compare(&a, &b, (struct spt_diff){ .threads = 1, .start = 0x3000, .len = 0x1000 });
	expect(0, SPT_CHANGE_SLOT, 0x3000, 0x1000);
	compare(&a, &a, (struct spt_diff){ .threads = 1 });
	assert_int_equal(count, 0);
	vm_free(&a);
	vm_free(&b);
}

/* A page that came to private memory is no conversion; a slot beside it may be converted. */
static void a_mapping_alone_is_no_conversion(void **state)
{
	struct vm a = td_vm(0, 8), b = td_vm(0, 16);

	mkimage_mirror_root(a.mk, 4);
	mkimage_map(b.mk, mkimage_mirror_root(b.mk, 4), 0x1000, 1,
		    mkimage_leaf(b.mk, 0x40000000, 1, "rwx"));
	vm_load(&a);
	vm_load(&b);
	compare(&a, &b, (struct spt_diff){ .threads = 1 });
	assert_int_equal(count, 2);
	expect(0, SPT_CHANGE_SLOT, 0x8000, 0x8000);
	expect_conversion(0, SPT_CONVERTED_TO_PRIVATE);
	expect(1, SPT_CHANGE_ADDED, 0x1000, 0x1000);
	expect_conversion(1, SPT_NOT_CONVERTED);
	vm_free(&a);
	vm_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_changed_says_nothing),
		cmocka_unit_test(every_kind_has_its_name),
		cmocka_unit_test(bits_count_only_when_asked_for),
		cmocka_unit_test(a_root_made_anew_is_one_change),
		cmocka_unit_test(a_root_that_came_brings_its_content),
		cmocka_unit_test(slots_come_go_and_change),
		cmocka_unit_test(a_slot_that_moved_is_where_it_was_and_is),
		cmocka_unit_test(every_difference_is_explained),
		cmocka_unit_test(conversions_are_named),
		cmocka_unit_test(a_mapping_alone_is_no_conversion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
