// SPDX-License-Identifier: GPL-2.0
/* The bit tables: moving fields, covering words, and text that fits any buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "decoders/bits.h"

static const char *const colours[] = { "red", NULL, "blue" };

static const struct spt_bit rows[] = {
	{ SPT_BIT(0), .name = "on", .set = "is on", .clear = "is off" },
	{ SPT_BITS(2, 1), .kind = SPT_BIT_NUMBER, .name = "colour", .values = colours,
	  .n_values = 3 },
	{ SPT_BITS(10, 3) | SPT_BITS(62, 52), .kind = SPT_BIT_NUMBER, .name = "gen" },
	{ SPT_BITS(51, 12), .kind = SPT_BIT_ADDRESS, .name = "addr" },
	{ SPT_BIT(11), .kind = SPT_BIT_RESERVED, .name = "reserved" },
	{ SPT_BIT(63), .kind = SPT_BIT_IGNORED, .name = "ignored" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void fields_in_pieces_move_together(void **state)
{
	__u64 mask = SPT_BITS(10, 3) | SPT_BITS(62, 52);

	assert_int_equal(spt_bits_extract(mask, SPT_BIT(3)), 1);
	assert_int_equal(spt_bits_extract(mask, SPT_BIT(10)), SPT_BIT(7));
	assert_int_equal(spt_bits_extract(mask, SPT_BIT(52)), SPT_BIT(8));
	assert_int_equal(spt_bits_extract(mask, ~0ULL), SPT_BITS(18, 0));
	assert_int_equal(spt_bits_extract(~0ULL, 0x123456789abcdef0ULL), 0x123456789abcdef0ULL);
	assert_int_equal(spt_bits_extract(0, ~0ULL), 0);
	for (__u64 number = 0; number < SPT_BIT(19); number += 77)
		assert_int_equal(spt_bits_extract(mask, spt_bits_deposit(mask, number)), number);
	assert_int_equal(spt_bits_deposit(mask, ~0ULL), mask);
}

static void masks_name_their_ends(void **state)
{
	assert_int_equal(SPT_BITS(63, 0), ~0ULL);
	assert_int_equal(SPT_BITS(51, 12), 0x000ffffffffff000ULL);
	assert_int_equal(SPT_BITS(5, 5), 0x20);
}

static void a_table_knows_what_it_covers(void **state)
{
	__u64 twice;

	assert_int_equal(spt_bits_covered(rows, ROWS, &twice), ~0ULL);
	assert_int_equal(twice, 0);
	assert_int_equal(spt_bits_covered(rows, 1, NULL), 1);

	struct spt_bit both[] = { rows[0], rows[0] };

	spt_bits_covered(both, 2, &twice);
	assert_int_equal(twice, 1);
}

static void text_shows_what_is_set(void **state)
{
	char text[128];

	spt_bits_text(rows, ROWS, 0, text, sizeof(text));
	assert_string_equal(text, "colour=red");
	spt_bits_text(rows, ROWS, 0x8000000012345805ULL, text, sizeof(text));
	assert_string_equal(text, "on colour=blue addr=0x12345000 reserved=0x800 "
				  "ignored=0x8000000000000000");
	spt_bits_text(rows, ROWS, 2, text, sizeof(text));
	assert_string_equal(text, "colour=1");
}

static void text_is_cut_and_measured_like_snprintf(void **state)
{
	char whole[128];
	int len = spt_bits_text(rows, ROWS, ~0ULL, whole, sizeof(whole));

	assert_int_equal(len, strlen(whole));
	assert_int_equal(spt_bits_text(rows, ROWS, ~0ULL, NULL, 0), len);
	for (size_t size = 1; size < sizeof(whole); size++) {
		char part[128];

		memset(part, 'Z', sizeof(part));
		assert_int_equal(spt_bits_text(rows, ROWS, ~0ULL, part, size), len);
		assert_int_equal(strlen(part), (size_t)len < size ? (size_t)len : size - 1);
		assert_int_equal(strncmp(part, whole, strlen(part)), 0);
		if (size < sizeof(part))
			assert_int_equal(part[size], 'Z');
	}
}

static void decoding_gives_a_row_each(void **state)
{
	struct spt_bit_value values[ROWS];

	spt_bits_decode(rows, ROWS, 0x12345001ULL, values);
	assert_string_equal(values[0].text, "is on");
	assert_int_equal(values[3].number, 0x12345000);
	assert_null(values[3].text);
	spt_bits_decode(rows, 1, 0, values);
	assert_string_equal(values[0].text, "is off");
}

static void ranges_read_from_low_to_high(void **state)
{
	static const struct {
		__u64 mask;
		const char *text;
	} cases[] = {
		{ 0, "" },
		{ SPT_BIT(0), "0" },
		{ SPT_BIT(63), "63" },
		{ ~0ULL, "0-63" },
		{ SPT_BITS(10, 3) | SPT_BITS(62, 52), "3-10,52-62" },
		{ SPT_BIT(0) | SPT_BIT(51), "0,51" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];

		assert_int_equal(spt_bit_range_text(cases[i].mask, text, sizeof(text)),
				 strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
	}
}

static void sorting_orders_by_the_lowest_bit(void **state)
{
	struct spt_bit mixed[] = { rows[5], rows[3], rows[0], rows[2], rows[4], rows[1] };

	spt_bits_sort(mixed, ROWS);
	for (size_t i = 1; i < ROWS; i++)
		assert_true((mixed[i - 1].mask & -mixed[i - 1].mask) <
			    (mixed[i].mask & -mixed[i].mask));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_in_pieces_move_together),
		cmocka_unit_test(masks_name_their_ends),
		cmocka_unit_test(a_table_knows_what_it_covers),
		cmocka_unit_test(text_shows_what_is_set),
		cmocka_unit_test(text_is_cut_and_measured_like_snprintf),
		cmocka_unit_test(decoding_gives_a_row_each),
		cmocka_unit_test(ranges_read_from_low_to_high),
		cmocka_unit_test(sorting_orders_by_the_lowest_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
