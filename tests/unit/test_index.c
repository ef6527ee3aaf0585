// SPDX-License-Identifier: GPL-2.0
/* The index of a saved image: what was stored is found, and damage to it does no harm. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "spt/index.h"
#include "spt/image.h"
#include "spt/narrow.h"
#include "vm.h"

struct saved {
	struct mkimage *mk;
	uint8_t *image;
	size_t len;
	struct spt_index made;
	void *stored;
	size_t stored_len;
};

static struct saved save(void)
{
	struct saved s = { .mk = mkimage_new("npt-6.12") };
	unsigned int root = mkimage_tdp_root(s.mk, 4), shadow;

	mkimage_slot(s.mk, 0, 0, 0, 64 * MK_MB, 0x7f0000000000);
	mkimage_run(s.mk, SPT_RUN_LPAGE_2M, 0, 512, 1);
	mkimage_slot(s.mk, 1, 0, 4 * MK_GB, 64 * MK_MB, 0x7f8000000000);
	for (int i = 0; i < 40; i++)
		mkimage_map(s.mk, root, i * 3 * MK_MB, 1,
			    mkimage_leaf(s.mk, 0x40000000 + i * 0x1000, 1, "rw"));
	/* Used again while the image was made: two tables of one address. */
	*mkimage_page(s.mk, 5) = (struct spt_page){
		.sp = mkimage_page(s.mk, 5)->sp,
		.gfn = mkimage_page(s.mk, 5)->gfn,
		.role = mkimage_page(s.mk, 5)->role,
		.hpa = mkimage_page(s.mk, 4)->hpa,
	};
	shadow = mkimage_shadow_root(s.mk, 4, 0x77);
	mkimage_translate(s.mk, shadow, 3, 0x5000, 7);
	mkimage_note(s.mk, SPT_NOTE_LIMIT, 1, 2);
	s.image = mkimage_finish(s.mk, &s.len);
	spt_index_init(&s.made);
	assert_int_equal(spt_index_scan(&s.made, s.image, s.len, 0, true, NULL), 0);
	spt_index_sort(&s.made);
	assert_int_equal(spt_index_store(&s.made, &s.stored, &s.stored_len), 0);
	return s;
}

static void free_saved(struct saved *s)
{
	spt_index_deinit(&s->made);
	free(s->stored);
	mkimage_free(s->mk);
}

/* Every element of @idx is as made, or said to be damaged. How many are damaged. */
static unsigned int differences(struct spt_index *idx, const struct spt_index *made)
{
	unsigned int damaged = 0;

	assert_int_equal(idx->nr_pieces, made->nr_pieces);
	assert_int_equal(idx->nr_runs, made->nr_runs);
	assert_int_equal(idx->nr_tables, made->nr_tables);
	for (uint64_t i = 0; i < made->nr_pieces; i++) {
		const void *p = spt_index_piece(idx, i);

		damaged += !p;
		assert_true(!p || !memcmp(p, &made->piece[i], sizeof(*made->piece)));
	}
	for (uint64_t i = 0; i < made->nr_runs; i++) {
		const void *p = spt_index_run(idx, i);

		damaged += !p;
		assert_true(!p || !memcmp(p, &made->run[i], sizeof(*made->run)));
	}
	for (uint64_t i = 0; i < made->nr_tables; i++) {
		const void *p = spt_index_table(idx, i);

		damaged += !p;
		assert_true(!p || !memcmp(p, &made->table[i], sizeof(*made->table)));
	}
	return damaged;
}

static void what_was_stored_is_found(void **state)
{
	struct saved s = save();
	struct spt_index idx;
	size_t begin;

	assert_int_equal(spt_index_open(&idx, s.stored, s.stored_len, &begin), 0);
	assert_int_equal(begin, 0);
	assert_int_equal(differences(&idx, &s.made), 0);
	assert_int_equal(idx.image_len, s.len);
	/* All but the shadow root, which is in a run. */
	assert_int_equal(idx.nr_tables, mkimage_end(s.mk)->tables - 1);
	for (uint64_t i = 0; i < idx.nr_tables; i++) {
		const struct spt_table *table = (const void *)(s.image + idx.table[i].off);
		uint64_t nr = spt_index_find(&idx, table->page.hpa);

		assert_int_equal(table->rec.type, SPT_REC_TABLE);
		assert_int_equal(table->page.hpa, idx.table[i].hpa);
		assert_true(nr <= i && idx.table[nr].hpa == table->page.hpa);
	}
	assert_int_equal(spt_index_find(&idx, ~0ULL), idx.nr_tables);
	for (uint64_t off = 0; off < s.len; off += 8) {
		const struct spt_index_piece *piece = spt_index_piece_at(&idx, off);

		assert_non_null(piece);
		assert_true(off >= piece->image_off && off - piece->image_off < piece->image_len);
	}
	assert_null(spt_index_piece_at(&idx, s.len));
	spt_index_deinit(&idx);
	free_saved(&s);
}

static void a_cut_is_refused_wherever_it_is(void **state)
{
	struct saved s = save();
	struct spt_index idx;
	size_t begin;

	for (size_t len = 0; len < s.stored_len; len++) {
		/* As the end of a file of this length. */
		char *copy = malloc(len ? len : 1);

		memcpy(copy, s.stored, len);
		assert_true(spt_index_open(&idx, copy, len, &begin) < 0);
		spt_index_deinit(&idx);
		free(copy);
	}
	for (size_t from = 8; from < s.stored_len; from += 8) {
		char *copy = malloc(s.stored_len - from);

		memcpy(copy, (char *)s.stored + from, s.stored_len - from);
		assert_true(spt_index_open(&idx, copy, s.stored_len - from, &begin) < 0);
		spt_index_deinit(&idx);
		free(copy);
	}
	free_saved(&s);
}

static const struct spt_request page_3m = {
	.parts = SPT_PARTS_DEFAULT,
	.start = 3 * MK_MB,
	.len = 4096,
};

/* Narrow with an index that may be damaged: what comes out is right, or nothing comes. */
static bool narrow_with(struct saved *s, struct spt_index *idx, const void *right, size_t right_len)
{
	struct spt_pieces pieces;
	void *answer;
	size_t len;
	int ret;

	assert_int_equal(spt_pieces_init(&pieces, idx, s->image, s->len, false), 0);
	ret = spt_narrow(&pieces, &page_3m, &answer, &len);
	if (!ret) {
		assert_int_equal(len, right_len);
		assert_memory_equal(answer, right, len);
		free(answer);
	}
	spt_pieces_deinit(&pieces);
	return !ret;
}

static void every_flipped_bit_is_noticed(void **state)
{
	struct saved s = save();
	struct spt_pieces pieces;
	unsigned int refused = 0;
	void *right;
	size_t len;

	assert_int_equal(spt_pieces_init(&pieces, &s.made, s.image, s.len, false), 0);
	assert_int_equal(spt_narrow(&pieces, &page_3m, &right, &len), 0);
	for (size_t bit = 0; bit < s.stored_len * 8; bit++) {
		struct spt_index idx;
		size_t begin;

		((uint8_t *)s.stored)[bit / 8] ^= 1 << bit % 8;
		if (spt_index_open(&idx, s.stored, s.stored_len, &begin))
			refused++;
		else if (!narrow_with(&s, &idx, right, len) || differences(&idx, &s.made))
			refused++;
		spt_index_deinit(&idx);
		((uint8_t *)s.stored)[bit / 8] ^= 1 << bit % 8;
	}
	assert_int_equal(refused, s.stored_len * 8);
	spt_pieces_deinit(&pieces);
	free(right);
	free_saved(&s);
}

/* Set the sums right after a change, as somebody does who means harm. */
static void seal(struct saved *s)
{
	struct spt_index_head *head = s->stored;
	uint64_t *sums = (uint64_t *)(head + 1);

	for (uint64_t i = 0; i < head->blocks; i++)
		sums[i] = spt_image_checksum((char *)(sums + head->blocks) + i * SPT_INDEX_BLOCK,
					     SPT_INDEX_BLOCK / 8);
	head->checksum =
		spt_image_checksum(head, offsetof(struct spt_index_head, checksum) / 8) * 3 +
		spt_image_checksum(sums, head->blocks) * 5 + head->blocks;
}

static void what_lies_under_right_sums_does_no_harm(void **state)
{
	struct saved s = save();
	const struct spt_index_head *head = s.stored;
	size_t blocks = sizeof(*head) + head->blocks * 8;
	unsigned int answers = 0;

	/* Under a sanitizer: nothing outside the image is read, whatever the index says. */
	for (size_t at = 16; at + sizeof(struct spt_index_tail) < s.stored_len; at += 8) {
		uint64_t *word = (uint64_t *)((char *)s.stored + at), was = *word;
		const uint64_t lies[] = { 0, ~0ULL, was + 8, was ^ 1ULL << 32, was << 1, s.len };

		if (at == offsetof(struct spt_index_head, checksum) ||
		    (at >= sizeof(*head) && at < blocks) || (at >= blocks && !was))
			continue;
		for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
			struct spt_pieces pieces;
			struct spt_index idx;
			void *answer = NULL;
			size_t begin, len;

			*word = lies[i];
			if (at >= sizeof(*head) || ((struct spt_index_head *)s.stored)->blocks ==
							   (blocks - sizeof(*head)) / 8)
				seal(&s);
			if (spt_index_open(&idx, s.stored, s.stored_len, &begin))
				continue;
			assert_int_equal(spt_pieces_init(&pieces, &idx, s.image, s.len, false), 0);
			/* Records of it may be strung together to what is no image: that is
			 * noticed. */
			if (!spt_narrow(&pieces, &page_3m, &answer, &len)) {
				struct spt_model model;
				struct spt_image img;

				spt_model_init(&model);
				if (!spt_image_open(&img, answer, len, "t", 0, NULL))
					spt_model_load(&model, &img, NULL);
				spt_model_deinit(&model);
				free(answer);
				answers++;
			}
			spt_pieces_deinit(&pieces);
			spt_index_deinit(&idx);
		}
		*word = was;
		seal(&s);
	}
	assert_true(answers > 10);
	free_saved(&s);
}

static void damage_of_a_piece_is_noticed_where_it_matters(void **state)
{
	struct saved s = save();
	struct spt_pieces pieces;
	void *answer;
	size_t len;

	assert_int_equal(s.made.nr_pieces, 1);
	for (size_t at = 0; at < s.len; at += 61) {
		s.image[at] ^= 16;
		assert_int_equal(spt_pieces_init(&pieces, &s.made, s.image, s.len, false), 0);
		assert_int_equal(spt_narrow(&pieces, &page_3m, &answer, &len), -EINVAL);
		spt_pieces_deinit(&pieces);
		s.image[at] ^= 16;
	}
	free_saved(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_stored_is_found),
		cmocka_unit_test(a_cut_is_refused_wherever_it_is),
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(what_lies_under_right_sums_does_no_harm),
		cmocka_unit_test(damage_of_a_piece_is_noticed_where_it_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
