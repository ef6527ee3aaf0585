// SPDX-License-Identifier: GPL-2.0
/* What the reader accepts, what it refuses and in which words, what salvage gets back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mkimage.h"
#include "spt/image.h"
#include "spt/model.h"
#include "spt/ranges.h"
#include "spt/walk.h"

/* A VM with a bit of everything, in less than 6 KiB. */
static struct mkimage *small_vm(void)
{
	struct mkimage *mk = mkimage_new("npt-6.12");
	unsigned int root = mkimage_tdp_root(mk, 4);
	uint64_t dirty[1] = { 5 };

	mkimage_vm(mk, SPT_VM_GENERATION_0, 6);
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_SEQ, 40);
	mkimage_vcpu_value(mk, mkimage_vcpu(mk), SPT_VCPU_ROOT_HPA, mkimage_table_hpa(mk, root));
	mkimage_slot(mk, 0, 0, 0, 2 * MK_MB, 0x7f0000000000);
	mkimage_run(mk, SPT_RUN_LPAGE_2M, 0, 512, 1);
	mkimage_dirty(mk, 0, 3, dirty);
	mkimage_run(mk, SPT_RUN_ATTRS, 0x100, 4, 8);
	mkimage_map(mk, root, 0x3000, 1, mkimage_leaf(mk, 0x5000000, 1, "rw"));
	mkimage_host(mk, 0x3000, 0x7f0000003000, 1, 0x5000067, 0);
	return mk;
}

/* Everything that the tool would do with an image; what it finds does not matter here. */
static int use(const uint8_t *image, size_t len, unsigned int flags, struct spt_error *err)
{
	struct spt_model model;
	struct spt_image img;
	int ret = spt_image_open(&img, image, len, "test.spt", flags, err);

	if (ret)
		return ret;
	spt_model_init(&model);
	ret = spt_model_load(&model, &img, err);
	if (!ret) {
		struct spt_ranges ranges;
		struct spt_range range;
		struct spt_walk walk;

		spt_walk_gpa(&model, 0x3000, &walk);
		spt_ranges_begin(&ranges, &model, NULL, 0, 0, 0);
		for (int i = 0; i < 4096 && spt_ranges_next(&ranges, &range); i++)
			;
	}
	spt_model_deinit(&model);
	return ret;
}

static void an_agents_image_is_accepted(void **state)
{
	struct mkimage *mk = small_vm();
	struct spt_error err = { 0 };
	struct spt_image img;
	size_t len;
	uint8_t *image = mkimage_finish(mk, &len);

	assert_int_equal(spt_image_open(&img, image, len, "test.spt", 0, &err), 0);
	assert_true(img.complete);
	assert_false(img.torn);
	assert_string_equal(img.head.id, "1234-11");
	assert_int_equal(img.count[SPT_REC_TABLE], 4);
	assert_int_equal(img.end.seq_end, 40);
	assert_int_equal(use(image, len, 0, &err), 0);
	mkimage_free(mk);
}

static void a_cut_is_refused_wherever_it_is(void **state)
{
	struct mkimage *mk = small_vm();
	size_t len;
	uint8_t *image = mkimage_finish(mk, &len);

	for (size_t cut = 0; cut < len; cut++) {
		/* Exactly as long as it is, so that the sanitizer sees a read beyond it. */
		uint8_t *copy = malloc(cut + !cut);
		struct spt_error err = { 0 };

		memcpy(copy, image, cut);
		assert_true(use(copy, cut, 0, &err) < 0);
		assert_non_null(strstr(err.text, "test.spt: "));
		use(copy, cut, SPT_IMAGE_SALVAGE, &err);
		free(copy);
	}
	mkimage_free(mk);
}

static void every_flipped_bit_is_noticed(void **state)
{
	struct mkimage *mk = small_vm();
	size_t len;
	uint8_t *image = mkimage_finish(mk, &len);

	for (size_t bit = 0; bit < len * 8; bit++) {
		struct spt_error err = { 0 };

		image[bit / 8] ^= 1 << bit % 8;
		assert_true(use(image, len, 0, &err) < 0);
		assert_int_not_equal(err.text[0], 0);
		image[bit / 8] ^= 1 << bit % 8;
	}
	mkimage_free(mk);
}

/* With a right checksum a change may be legal; it must then only do no harm. */
static void a_flipped_bit_under_a_right_checksum_does_no_harm(void **state)
{
	struct mkimage *mk = small_vm();
	size_t len, refused = 0;
	uint8_t *image = mkimage_finish(mk, &len);

	for (size_t bit = 0; bit < len * 8; bit++) {
		struct spt_error err = { 0 };

		image[bit / 8] ^= 1 << bit % 8;
		mkimage_seal(image, len);
		refused += use(image, len, 0, &err) < 0;
		use(image, len, SPT_IMAGE_SALVAGE, &err);
		image[bit / 8] ^= 1 << bit % 8;
		mkimage_seal(image, len);
	}
	assert_true(refused > 0);
	mkimage_free(mk);
}

static void refusal_says(uint8_t *image, size_t len, int code, const char *what)
{
	struct spt_error err = { 0 };

	assert_int_equal(use(image, len, 0, &err), -code);
	if (!strstr(err.text, what))
		fail_msg("'%s' does not say '%s'", err.text, what);
}

static void the_refusal_names_what_is_wrong(void **state)
{
	struct mkimage *mk = small_vm();
	size_t len;
	uint8_t *image = mkimage_finish(mk, &len);
	struct spt_head *head = (void *)image;
	struct spt_end *end = (void *)(image + len - sizeof(*end));

	refusal_says((uint8_t *)"#!/bin/sh\nexit 0\nexit 0\nexit 0", 32, EINVAL,
		     "not an spt image");
	head->abi = 7;
	refusal_says(image, len, EPROTO, "image format 7");
	head->abi = SPT_IMAGE_ABI;
	end->records++;
	mkimage_seal(image, len);
	refusal_says(image, len, EINVAL, "number of records");
	end->records--;
	end->tables++;
	mkimage_seal(image, len);
	refusal_says(image, len, EINVAL, "number of tables");
	end->tables--;
	mkimage_seal(image, len);
	image[sizeof(*head) + 16] ^= 1;
	refusal_says(image, len, EINVAL, "checksum differs at offset");
	image[sizeof(*head) + 16] ^= 1;
	refusal_says(image, len - sizeof(*end), EINVAL, "cut off");
	mkimage_free(mk);
}

static void strings_cannot_reach_the_terminal_raw(void **state)
{
	struct mkimage *mk = small_vm();
	struct spt_image img;
	size_t len;
	uint8_t *image;

	memcpy(mkimage_head(mk)->comm, "\033[2Jqemu-system!", 16);
	image = mkimage_finish(mk, &len);
	assert_int_equal(spt_image_open(&img, image, len, "test.spt", 0, NULL), 0);
	assert_string_equal(img.head.comm, "?[2Jqemu-system");
	mkimage_free(mk);
}

/* Damage in the middle costs the record it is in, not those behind it. */
static void salvage_goes_on_behind_the_damage(void **state)
{
	struct mkimage *mk = small_vm();
	struct spt_error err = { 0 };
	struct spt_model model;
	struct spt_image img;
	struct spt_walk walk;
	size_t len, off = 0;
	uint8_t *image = mkimage_finish(mk, &len);

	while (((struct spt_rec *)(image + off))->type != SPT_REC_SLOT)
		off += ((struct spt_rec *)(image + off))->len;
	((struct spt_rec *)(image + off))->len = 0x123450;
	assert_int_equal(spt_image_open(&img, image, len, "test.spt", SPT_IMAGE_SALVAGE, &err), 0);
	assert_false(img.complete);
	assert_non_null(strstr(img.missing, "offset"));
	assert_int_equal(img.count[SPT_REC_SLOT], 0);
	assert_int_equal(img.count[SPT_REC_TABLE], 4);

	spt_model_init(&model);
	assert_int_equal(spt_model_load(&model, &img, &err), 0);
	spt_walk_gpa(&model, 0x3123, &walk);
	assert_int_equal(walk.path[0].hpa, 0x5000123);
	spt_model_deinit(&model);
	mkimage_free(mk);
}

static void salvage_reads_up_to_the_cut(void **state)
{
	struct mkimage *mk = small_vm();
	struct spt_error err = { 0 };
	struct spt_image img;
	size_t len;
	uint8_t *image = mkimage_finish(mk, &len);

	assert_int_equal(spt_image_open(&img, image, len - 500, "t", SPT_IMAGE_SALVAGE, &err), 0);
	assert_int_equal(img.count[SPT_REC_ROOT], 1);
	assert_false(img.ended);
	assert_false(img.complete);
	mkimage_free(mk);
}

static void unknown_records_are_skipped_and_longer_ones_read(void **state)
{
	struct mkimage *mk = small_vm();
	struct spt_image img;
	size_t len;
	uint8_t *image = mkimage_finish(mk, &len);
	struct spt_rec unknown = { 4711, 24 };
	uint8_t *grown = calloc(1, len + 24 + 8), *p = grown;

	/* A head with a member that we do not know yet, then a record of a type that we do not. */
	memcpy(p, image, sizeof(struct spt_head));
	((struct spt_rec *)p)->len += 8;
	p += sizeof(struct spt_head) + 8;
	memcpy(p, &unknown, sizeof(unknown));
	p += 24;
	memcpy(p, image + sizeof(struct spt_head), len - sizeof(struct spt_head));
	((struct spt_end *)(grown + len + 32 - sizeof(struct spt_end)))->records++;
	mkimage_seal(grown, len + 32);
	assert_int_equal(spt_image_open(&img, grown, len + 32, "t", 0, NULL), 0);
	assert_string_equal(img.head.comm, "qemu");
	assert_int_equal(img.count[SPT_REC_TABLE], 4);
	free(grown);
	mkimage_free(mk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_agents_image_is_accepted),
		cmocka_unit_test(a_cut_is_refused_wherever_it_is),
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(a_flipped_bit_under_a_right_checksum_does_no_harm),
		cmocka_unit_test(the_refusal_names_what_is_wrong),
		cmocka_unit_test(strings_cannot_reach_the_terminal_raw),
		cmocka_unit_test(salvage_goes_on_behind_the_damage),
		cmocka_unit_test(salvage_reads_up_to_the_cut),
		cmocka_unit_test(unknown_records_are_skipped_and_longer_ones_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
