// SPDX-License-Identifier: GPL-2.0
/* Which slot has a frame, which frames an address of the VMM backs, what is kept per frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mkimage.h"
#include "spt/model.h"

struct vm {
	struct mkimage *mk;
	struct spt_model model;
};

static const struct spt_memslots *load(struct vm *vm)
{
	struct spt_image img;
	struct spt_error err;
	size_t len;
	uint8_t *image = mkimage_finish(vm->mk, &len);

	assert_int_equal(spt_image_open(&img, image, len, "t", 0, &err), 0);
	spt_model_init(&vm->model);
	assert_int_equal(spt_model_load(&vm->model, &img, &err), 0);
	return &vm->model.memslots;
}

static int setup(void **state)
{
	static struct vm vm;

	vm.mk = mkimage_new("npt-6.12");
	*state = &vm;
	return 0;
}

static int teardown(void **state)
{
	struct vm *vm = *state;

	spt_model_deinit(&vm->model);
	mkimage_free(vm->mk);
	return 0;
}

static void a_frame_belongs_to_the_slot_around_it(void **state)
{
	struct vm *vm = *state;
	const struct spt_memslots *set;

	/* Not in order, with a hole, and one address space differing from the other. */
	mkimage_slot(vm->mk, 2, 0, 4 * MK_GB, 1 * MK_GB, 0x7f8000000000);
	mkimage_slot(vm->mk, 0, 0, 0, 640 * MK_KB, 0x7f0000000000);
	mkimage_slot(vm->mk, 1, 0, 1 * MK_MB, 3 * MK_MB, 0x7f0000100000);
	mkimage_slot(vm->mk, 0, 1, 0, 1 * MK_MB, 0x7f0000000000);
	set = load(vm);
	assert_int_equal(spt_memslot_find(set, 0, 0)->slot->id, 0);
	assert_int_equal(spt_memslot_find(set, 0, 0x9f)->slot->id, 0);
	assert_null(spt_memslot_find(set, 0, 0xa0));
	assert_non_null(spt_memslot_find(set, 1, 0xa0));
	assert_null(spt_memslot_find(set, 1, 0x100));
	assert_int_equal(spt_memslot_find(set, 0, 0x100)->slot->id, 1);
	assert_int_equal(spt_memslot_find(set, 0, 0x3ff)->slot->id, 1);
	assert_null(spt_memslot_find(set, 0, 0x400));
	assert_int_equal(spt_memslot_find(set, 0, 0x13ffff)->slot->id, 2);
	assert_null(spt_memslot_find(set, 0, 0x140000));
	assert_null(spt_memslot_find(set, 2, 0));
	assert_int_equal(spt_memslot_from(set, 0, 0x400)->slot->id, 2);
	assert_null(spt_memslot_from(set, 0, 0x140000));
}

static void an_address_may_back_several_frames(void **state)
{
	struct vm *vm = *state;
	const struct spt_memslot *slot;
	const struct spt_memslots *set;
	uint32_t pos = 0;
	uint64_t gpa;

	mkimage_slot(vm->mk, 0, 0, 0, 2 * MK_MB, 0x7f0000000000);
	mkimage_slot(vm->mk, 5, 0, 1 * MK_GB, 1 * MK_MB, 0x7f0000100000);
	mkimage_slot(vm->mk, 6, 0, 2 * MK_GB, 1 * MK_MB, 0x7f0000200000);
	mkimage_slot(vm->mk, 7, 0, 3 * MK_GB, 1 * MK_MB, 0)->flags = SPT_SLOT_GMEM_ONLY;
	set = load(vm);
	assert_true(spt_memslot_next_alias(set, 0x7f0000101234, &pos, &slot, &gpa));
	assert_int_equal(gpa, 0x101234);
	assert_true(spt_memslot_next_alias(set, 0x7f0000101234, &pos, &slot, &gpa));
	assert_int_equal(gpa, 1 * MK_GB + 0x1234);
	assert_int_equal(slot->slot->id, 5);
	assert_false(spt_memslot_next_alias(set, 0x7f0000101234, &pos, &slot, &gpa));
	pos = 0;
	assert_false(spt_memslot_next_alias(set, 0x1000, &pos, &slot, &gpa));
	assert_int_equal(spt_memslot_hva(spt_memslot_find(set, 0, 0x40010), 0x40010123),
			 0x7f0000110123);
	assert_int_equal(spt_memslot_hva(spt_memslot_find(set, 0, 0xc0000), 0xc0000000), ~0ULL);
}

static void runs_leave_zeros_out(void **state)
{
	struct vm *vm = *state;
	const struct spt_memslot *slot;
	const struct spt_memslots *set;
	uint64_t value;

	mkimage_slot(vm->mk, 0, 0, 8 * MK_MB, 8 * MK_MB, 0);
	mkimage_run(vm->mk, SPT_RUN_LPAGE_2M, 0x800, 512, 1);
	mkimage_run(vm->mk, SPT_RUN_LPAGE_2M, 0xc00, 512, 3);
	mkimage_run(vm->mk, SPT_RUN_WRITE_TRACK, 0x900, 1, 2);
	mkimage_slot(vm->mk, 1, 0, 0, 4 * MK_MB, 0);
	mkimage_run(vm->mk, SPT_RUN_LPAGE_2M, 0, 512, 7);
	set = load(vm);
	slot = spt_memslot_find(set, 0, 0x800);
	assert_true(spt_memslot_run(set, slot, SPT_RUN_LPAGE_2M, 0x9ff, &value));
	assert_int_equal(value, 1);
	assert_true(spt_memslot_run(set, slot, SPT_RUN_LPAGE_2M, 0xa00, &value));
	assert_int_equal(value, 0);
	assert_true(spt_memslot_run(set, slot, SPT_RUN_LPAGE_2M, 0xd00, &value));
	assert_int_equal(value, 3);
	assert_true(spt_memslot_run(set, slot, SPT_RUN_WRITE_TRACK, 0x900, &value));
	assert_int_equal(value, 2);
	assert_false(spt_memslot_run(set, slot, SPT_RUN_LPAGE_1G, 0x900, &value));
	slot = spt_memslot_find(set, 0, 1);
	assert_true(spt_memslot_run(set, slot, SPT_RUN_LPAGE_2M, 1, &value));
	assert_int_equal(value, 7);
}

static void the_dirty_bitmap_knows_its_frames_alone(void **state)
{
	struct vm *vm = *state;
	uint64_t words[2] = { 1ULL << 63, 2 };
	const struct spt_memslots *set;
	const struct spt_memslot *slot;
	bool known;

	mkimage_slot(vm->mk, 0, 0, 0, 1 * MK_MB, 0);
	mkimage_dirty(vm->mk, 0x10, 100, words);
	set = load(vm);
	slot = spt_memslot_find(set, 0, 0);
	assert_true(spt_memslot_dirty(set, slot, 0x10 + 63, &known));
	assert_true(known);
	assert_true(spt_memslot_dirty(set, slot, 0x10 + 65, &known));
	assert_false(spt_memslot_dirty(set, slot, 0x10, &known));
	assert_true(known);
	assert_false(spt_memslot_dirty(set, slot, 0x10 + 100, &known));
	assert_false(known);
	assert_false(spt_memslot_dirty(set, slot, 0xf, &known));
	assert_false(known);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_frame_belongs_to_the_slot_around_it),
		T(an_address_may_back_several_frames),
		T(runs_leave_zeros_out),
		T(the_dirty_bitmap_knows_its_frames_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
