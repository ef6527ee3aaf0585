// SPDX-License-Identifier: GPL-2.0
/* What merges, what keeps neighbours apart, and that merging loses and invents nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "spt/ranges.h"
#include "vm.h"

/* Map @n pages of @level from @gpa on to frames from @hpa on. */
static void map(struct vm *vm, uint64_t gpa, uint64_t hpa, unsigned int n, int level,
		const char *perm, uint64_t more)
{
	uint64_t size = 1ULL << (12 + 9 * (level - 1));

	for (unsigned int i = 0; i < n; i++)
		mkimage_map(vm->mk, vm->root, gpa + i * size, level,
			    mkimage_leaf(vm->mk, hpa + i * size, level, perm) | more);
}

static void expect(struct spt_ranges *ranges, uint64_t gpa, uint64_t size, uint64_t hpa,
		   uint64_t pages)
{
	struct spt_range r;

	assert_true(spt_ranges_next(ranges, &r));
	assert_int_equal(r.gpa, gpa);
	assert_int_equal(r.size, size);
	assert_int_equal(r.hpa, hpa);
	assert_int_equal(r.pages, pages);
}

static void expect_end(struct spt_ranges *ranges)
{
	struct spt_range r;

	assert_false(spt_ranges_next(ranges, &r));
	assert_false(spt_ranges_next(ranges, &r));
}

static void contiguous_pages_are_one_range_across_tables(void **state)
{
	struct vm vm = vm_new("ept-6.12");
	struct spt_ranges ranges;

	map(&vm, 0x10000, 0x40000000, 2000, 1, "rwx", 0);
	vm_load(&vm);
	spt_ranges_begin(&ranges, &vm.model, NULL, 0, 0, 0);
	expect(&ranges, 0x10000, 2000 * 0x1000, 0x40000000, 2000);
	expect_end(&ranges);
	spt_ranges_begin(&ranges, &vm.model, NULL, 0x20000, 0x3000, 0);
	expect(&ranges, 0x20000, 0x3000, 0x40010000, 3);
	expect_end(&ranges);
	vm_free(&vm);
}

static void each_difference_splits_when_it_is_asked_for(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_ranges ranges;
	struct spt_range r;
	uint64_t dirty = mkimage_format(vm.mk)->dirty;

	mkimage_slot(vm.mk, 0, 0, 0, 0x6000, 0x7f0000000000);
	mkimage_slot(vm.mk, 1, 0, 0x6000, 0x100000, 0x7f1000000000);
	map(&vm, 0x0000, 0x40000000, 2, 1, "rwx", 0);
	map(&vm, 0x2000, 0x40002000, 2, 1, "r", 0);				/* permission */
	map(&vm, 0x4000, 0x40004000, 1, 1, "r", dirty);				/* dirty */
	map(&vm, 0x5000, 0x50000000, 1, 1, "r", 0);				/* HPA */
	map(&vm, 0x6000, 0x50001000, 1, 1, "r", 0);				/* slot */
	mkimage_map(vm.mk, vm.root, 0x7000, 1, mkimage_mmio(vm.mk, 0x7000, 0)); /* type */
	map(&vm, 0x9000, 0x50002000, 1, 1, "r", 0);				/* behind a hole */
	vm_load(&vm);

	spt_ranges_begin(&ranges, &vm.model, NULL, 0, 0, 0);
	expect(&ranges, 0x0000, 0x2000, 0x40000000, 2);
	expect(&ranges, 0x2000, 0x3000, 0x40002000, 3);
	expect(&ranges, 0x5000, 0x1000, 0x50000000, 1);
	expect(&ranges, 0x6000, 0x1000, 0x50001000, 1);
	expect(&ranges, 0x7000, 0x1000, SPT_NO_HPA, 1);
	expect(&ranges, 0x9000, 0x1000, 0x50002000, 1);
	expect_end(&ranges);

	spt_ranges_begin(&ranges, &vm.model, NULL, 0, 0x7000, SPT_SPLIT_DIRTY);
	expect(&ranges, 0x0000, 0x4000, 0x40000000, 4);
	expect(&ranges, 0x4000, 0x1000, 0x40004000, 1);
	expect(&ranges, 0x5000, 0x2000, 0x50000000, 2);
	expect_end(&ranges);

	spt_ranges_begin(&ranges, &vm.model, NULL, 0, 0x7000, SPT_SPLIT_PERM);
	expect(&ranges, 0x0000, 0x2000, 0x40000000, 2);
	assert_true(spt_ranges_next(&ranges, &r));
	assert_int_equal(r.size, 0x5000);
	assert_true(r.mixed_dirty);
	assert_false(r.mixed_perm);
	assert_false(r.hpa_contiguous);
	expect_end(&ranges);

	spt_ranges_begin(&ranges, &vm.model, NULL, 0, 0x7000, SPT_SPLIT_SLOT);
	assert_true(spt_ranges_next(&ranges, &r));
	assert_int_equal(r.size, 0x6000);
	assert_int_equal(r.slot->slot->id, 0);
	assert_true(r.mixed_perm);
	assert_true(spt_ranges_next(&ranges, &r));
	assert_int_equal(r.slot->slot->id, 1);
	expect_end(&ranges);
	vm_free(&vm);
}

static void page_sizes_stay_apart_unless_told_otherwise(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_ranges ranges;
	struct spt_range r;

	map(&vm, 0, 0x40000000, 512, 1, "rwx", 0);
	map(&vm, 2 * MK_MB, 0x40200000, 3, 2, "rwx", 0);
	vm_load(&vm);
	spt_ranges_begin(&ranges, &vm.model, NULL, 0, 0, 0);
	expect(&ranges, 0, 2 * MK_MB, 0x40000000, 512);
	expect(&ranges, 2 * MK_MB, 6 * MK_MB, 0x40200000, 3);
	expect_end(&ranges);
	spt_ranges_begin(&ranges, &vm.model, NULL, 0, 0, SPT_SPLIT_HPA);
	assert_true(spt_ranges_next(&ranges, &r));
	assert_int_equal(r.size, 8 * MK_MB);
	assert_int_equal(r.pages, 515);
	assert_true(r.mixed_level);
	assert_true(r.hpa_contiguous);
	expect_end(&ranges);
	vm_free(&vm);
}

static void a_table_that_forbids_huge_pages_can_split(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_ranges ranges;

	map(&vm, 0, 0x40000000, 1024, 1, "rwx", 0);
	/* The second leaf table is the last one that was made. */
	mkimage_page(vm.mk, mkimage_map(vm.mk, vm.root, 2 * MK_MB, 1,
					mkimage_leaf(vm.mk, 0x40200000, 1, "rwx")))
		->flags |= SPT_PAGE_NX_DISALLOWED;
	vm_load(&vm);
	spt_ranges_begin(&ranges, &vm.model, NULL, 0, 0, 0);
	expect(&ranges, 0, 4 * MK_MB, 0x40000000, 1024);
	expect_end(&ranges);
	spt_ranges_begin(&ranges, &vm.model, NULL, 0, 0, SPT_SPLIT_NX);
	expect(&ranges, 0, 2 * MK_MB, 0x40000000, 512);
	expect(&ranges, 2 * MK_MB, 2 * MK_MB, 0x40200000, 512);
	expect_end(&ranges);
	vm_free(&vm);
}

/* The rule once more, slowly: leaf by leaf from the tree, decoded. */
static bool slow_same(const struct spt_model *m, const struct spt_entry *a,
		      const struct spt_entry *b)
{
	struct spt_spte x = spt_entry_decode(m, a), y = spt_entry_decode(m, b);

	return b->gpa == a->gpa + a->size && a->type == b->type && a->level == b->level &&
	       x.perm == y.perm && (a->type != SPT_SPTE_LEAF || b->hpa == a->hpa + a->size) &&
	       spt_memslot_find(&m->memslots, 0, a->gpa >> 12) ==
		       spt_memslot_find(&m->memslots, 0, b->gpa >> 12);
}

static void fast_merging_equals_the_slow_rule(void **state)
{
	static const char *const formats[] = { "ept-6.1", "ept-7.3", "npt-6.12" };

	for (unsigned int seed = 0; seed < 60; seed++) {
		struct vm vm = vm_new(formats[seed % 3]);
		const struct spt_entry *e;
		struct spt_entry last = { 0 };
		struct spt_ranges ranges;
		struct spt_range r = { 0 };
		struct spt_tree tree;
		uint64_t seen = 0;

		srand(seed);
		for (uint64_t gpa = 0; gpa < 16 * MK_MB;) {
			bool huge = !(gpa % (2 * MK_MB)) && rand() % 3 == 0;
			uint64_t size = huge ? 2 * MK_MB : 0x1000;
			uint64_t hpa = (rand() % 40 ? 0x40000000 : 0x80000000) + gpa;
			uint64_t more = rand() % 3 ? mkimage_format(vm.mk)->accessed : 0;

			if (rand() % 50)
				mkimage_map(vm.mk, vm.root, gpa, huge ? 2 : 1,
					    rand() % 60 || huge
						    ? mkimage_leaf(vm.mk, hpa, huge ? 2 : 1,
								   rand() % 20 ? "rwx" : "r") |
							      more
						    : mkimage_mmio(vm.mk, gpa, 1));
			if (rand() % 200 == 0)
				mkimage_slot(vm.mk, gpa >> 12, 0, gpa, size * (1 + !huge * 15), 0);
			gpa += size;
		}
		vm_load(&vm);
		spt_tree_begin(&tree, &vm.model, NULL, 0, 0, SPT_TREE_LEAVES);
		spt_ranges_begin(&ranges, &vm.model, NULL, 0, 0, 0);
		while ((e = spt_tree_next(&tree))) {
			if (!seen || !slow_same(&vm.model, &last, e)) {
				if (seen)
					assert_int_equal(r.gpa + r.size, last.gpa + last.size);
				assert_true(spt_ranges_next(&ranges, &r));
				assert_int_equal(r.gpa, e->gpa);
				assert_int_equal(r.first_spte, e->spte);
			}
			last = *e;
			seen++;
		}
		assert_int_equal(r.last_spte, last.spte);
		expect_end(&ranges);
		assert_true(seen > 100);
		vm_free(&vm);
	}
}

static uint64_t count_slowly(const struct spt_model *m, uint64_t start, uint64_t len,
			     unsigned int splits)
{
	struct spt_ranges ranges;
	struct spt_range r;
	uint64_t count = 0;

	spt_ranges_begin(&ranges, m, NULL, start, len, splits);
	while (spt_ranges_next(&ranges, &r))
		count++;
	return count;
}

static void compare_counts(const struct spt_model *m, uint64_t start, uint64_t len)
{
	for (unsigned int splits = 0; splits < 1 << SPT_SPLIT_COUNT; splits += 5) {
		uint64_t expected = count_slowly(m, start, len, splits), count;

		for (unsigned int threads = 1; threads < 8; threads += 3) {
			struct spt_sweep sweep = {
				.model = m, .start = start, .len = len, .threads = threads
			};
			struct spt_error err = { 0 };

			assert_int_equal(spt_ranges_count(&sweep, splits, &count, &err), 0);
			assert_int_equal(count, expected);
		}
	}
}

/* Holes, slots that begin and end anywhere, huge pages, MMIO, scattered frames, A and D. */
static void counting_equals_listing(void **state)
{
	for (unsigned int seed = 0; seed < 6; seed++) {
		struct vm vm = vm_new(seed % 2 ? "npt-6.12" : "ept-7.3");
		const struct spt_format *f = mkimage_format(vm.mk);
		uint64_t slots_end = 0;

		srand(seed);
		for (uint64_t gpa = 0; gpa < 300 * MK_MB;) {
			bool huge = !(gpa % (2 * MK_MB)) && rand() % 4 == 0;
			int pages = 1 + rand() % (rand() % 4 ? 2000 : 5);
			unsigned int kind = rand() % 5;

			if (gpa >= slots_end && rand() % 3) {
				uint64_t size = (1 + rand() % 9000) * 0x1000;

				mkimage_slot(vm.mk, gpa >> 12, 0, gpa, size, 0);
				slots_end = gpa + size + rand() % 2 * 0x5000;
			}
			if (huge) {
				for (; pages > 0; pages -= 100, gpa += 2 * MK_MB)
					mkimage_map(
						vm.mk, vm.root, gpa, 2,
						mkimage_leaf(vm.mk, 0x40000000 + gpa, 2, "rwx"));
				continue;
			}
			for (; pages; pages--, gpa += 0x1000) {
				uint64_t hpa = kind == 1 ? rand() % 100000 * 0x1000ULL : gpa;
				uint64_t spte = mkimage_leaf(vm.mk, 0x80000000 + hpa, 1,
							     kind == 2 && rand() % 2 ? "r" : "rwx");

				if (kind == 3)
					spte |= rand() % 2 ? f->dirty : f->accessed;
				if (kind == 4 && rand() % 3 == 0)
					spte = rand() % 2 ? mkimage_mmio(vm.mk, gpa, 1)
							  : mkimage_head(vm.mk)->frozen_spte;
				mkimage_map(vm.mk, vm.root, gpa, 1, spte);
				if (kind == 0 && rand() % 3 == 0)
					gpa += rand() % 20 * 0x1000;
			}
		}
		vm_load(&vm);
		compare_counts(&vm.model, 0, 0);
		compare_counts(&vm.model, 0x1234000, 0x12345000);
		vm_free(&vm);
	}
}

/* Below a shadow root each page may be of another slot; tables hang below several roots. */
static void counting_equals_listing_for_shadow_roots(void **state)
{
	struct vm vm = vm_new("shadow-6.12");
	unsigned int level2 = mkimage_table(vm.mk, 2, 0x600, false);
	unsigned int level3 = mkimage_table(vm.mk, 3, 0x500, false);

	for (int i = 0; i < 4; i++)
		mkimage_slot(vm.mk, i, 0, i * 0x20000, 0x20000, 0);
	for (int t = 0; t < 20; t++) {
		unsigned int leaves = mkimage_table(vm.mk, 1, 0x700 + t, false);

		for (int i = 0; i < 512; i += 1 + (i % 7 == 0)) {
			uint64_t gpa = (t * 37 + i / (t + 1)) % 0x90 * 0x1000;

			mkimage_set(vm.mk, leaves, i,
				    mkimage_leaf(vm.mk, 0x40000000 + gpa, 1, "rwx"));
			mkimage_translate(vm.mk, leaves, i, gpa, 7);
		}
		mkimage_link(vm.mk, level2, t * 3 % 64, leaves);
	}
	mkimage_link(vm.mk, level3, 511, level2);
	for (int i = 0; i < 3; i++)
		mkimage_link(vm.mk, mkimage_shadow_root(vm.mk, 4, 0x100 + i), 256 + i, level3);
	vm_load(&vm);
	compare_counts(&vm.model, 0, 0);
	compare_counts(&vm.model, 0xffff800000000000, 1ULL << 40);
	vm_free(&vm);
}

static void split_names_are_parsed(void **state)
{
	struct spt_error err = { 0 };
	unsigned int splits;

	assert_int_equal(spt_split_parse("level,perm,hpa,slot,type,nx,dirty,node", &splits, &err),
			 0);
	assert_int_equal(splits, (1 << SPT_SPLIT_COUNT) - 1);
	assert_int_equal(spt_split_parse("nx", &splits, &err), 0);
	assert_int_equal(splits, SPT_SPLIT_NX);
	assert_int_equal(spt_split_parse("level,colour", &splits, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'colour'"));
	assert_int_equal(spt_split_parse("", &splits, &err), -EINVAL);
	assert_int_equal(spt_split_parse("level,,nx", &splits, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contiguous_pages_are_one_range_across_tables),
		cmocka_unit_test(each_difference_splits_when_it_is_asked_for),
		cmocka_unit_test(page_sizes_stay_apart_unless_told_otherwise),
		cmocka_unit_test(a_table_that_forbids_huge_pages_can_split),
		cmocka_unit_test(fast_merging_equals_the_slow_rule),
		cmocka_unit_test(counting_equals_listing),
		cmocka_unit_test(counting_equals_listing_for_shadow_roots),
		cmocka_unit_test(split_names_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
