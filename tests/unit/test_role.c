// SPDX-License-Identifier: GPL-2.0
/* Role words as KVM of each kernel makes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "decoders/role.h"

static const char *text_of(const struct spt_bits *layout, __u32 word)
{
	static char text[160];

	spt_role_text(layout, word, text, sizeof(text));
	return text;
}

static void words_read_as_kvm_traces_them(void **state)
{
	/* level 4, direct, all access, NX, CR0.WP: the root of a TDP MMU */
	const __u32 old_root = 4 | 1 << 7 | 7 << 8 | 1 << 12 | 1 << 13;
	const __u32 new_root = 4 | 1 << 7 | 15 << 8 | 1 << 13 | 1 << 14;

	assert_string_equal(text_of(spt_role_access3, old_root),
			    "l4 8-byte q0 direct wux nxe ad wp");
	assert_string_equal(text_of(spt_role_access4, new_root),
			    "l4 8-byte q0 direct rwux nxe ad wp");
	assert_string_equal(text_of(spt_role_access4, new_root | 1 << 19),
			    "l4 8-byte q0 direct rwux nxe ad wp mirror");
	assert_string_equal(text_of(spt_role_access3, old_root | 1 << 11 | 1 << 16),
			    "l4 8-byte q0 direct wux invalid nxe !ad wp");
	/* level 1 of a 32-bit guest's table, second quadrant, user read-only */
	assert_string_equal(text_of(spt_role_access3, 1 | 1 << 4 | 1 << 5 | 4 << 8),
			    "l1 4-byte q1 -u- !nxe ad");
	assert_string_equal(text_of(spt_role_access3, 1 | 1 << 17 | 1 << 18 | 1 << 24),
			    "l1 8-byte q0 --- !nxe ad guest-mode passthrough smm");
}

static void access_letters_follow_the_width(void **state)
{
	char text[SPT_ACCESS_TEXT];

	assert_string_equal(spt_access_text(spt_role_access3, 1, text), "--x");
	assert_string_equal(spt_access_text(spt_role_access3, 2, text), "w--");
	assert_string_equal(spt_access_text(spt_role_access3, 4, text), "-u-");
	assert_string_equal(spt_access_text(spt_role_access4, 1, text), "r---");
	assert_string_equal(spt_access_text(spt_role_access4, 2, text), "-w--");
	assert_string_equal(spt_access_text(spt_role_access4, 4, text), "--u-");
	assert_string_equal(spt_access_text(spt_role_access4, 8, text), "---x");
}

static void fields_that_a_kernel_lacks_are_absent_not_zero(void **state)
{
	assert_false(spt_role_has(spt_role_access3, SPT_ROLE_IS_MIRROR));
	assert_true(spt_role_has(spt_role_access4, SPT_ROLE_IS_MIRROR));
	assert_true(spt_role_has(spt_role_access3, SPT_ROLE_SMEP_ANDNOT_WP));
	assert_false(spt_role_has(spt_role_access4, SPT_ROLE_SMEP_ANDNOT_WP));
	assert_int_equal(spt_role_get(spt_role_access3, ~0U, SPT_ROLE_IS_MIRROR), 0);
	assert_int_equal(spt_role_get(spt_role_access3, ~0U, SPT_ROLE_SMM), 0xff);
}

static void the_inverted_older_bit_means_the_same(void **state)
{
	struct spt_bits old[SPT_ROLE_MAX];

	memcpy(old, spt_role_access3, sizeof(old));
	old[SPT_ROLE_HAS_4_BYTE_GPTE] = (struct spt_bits){ 0, 0 };
	old[SPT_ROLE_GPTE_IS_8_BYTES] = (struct spt_bits){ 4, 1 };
	assert_true(spt_role_4_byte_gpte(old, 1));
	assert_false(spt_role_4_byte_gpte(old, 1 | 1 << 4));
	assert_true(spt_role_4_byte_gpte(spt_role_access3, 1 | 1 << 4));
	assert_false(spt_role_4_byte_gpte(spt_role_access3, 1));
}

static void every_bit_is_in_one_row(void **state)
{
	const struct spt_bits *layouts[] = { spt_role_access3, spt_role_access4 };
	const __u64 unused[] = { SPT_BITS(23, 19), SPT_BITS(23, 21) };

	for (int i = 0; i < 2; i++) {
		struct spt_bit rows[SPT_BITS_MAX];
		size_t n = spt_role_rows(layouts[i], rows);
		__u64 twice;

		assert_int_equal(spt_bits_covered(rows, n, &twice), SPT_BITS(31, 0));
		assert_int_equal(twice, 0);
		assert_int_equal(rows[n - 1].kind, SPT_BIT_IGNORED);
		assert_int_equal(rows[n - 1].mask, unused[i]);
	}
}

static void layouts_that_make_no_sense_are_told(void **state)
{
	struct spt_bits layout[SPT_ROLE_MAX];

	assert_true(spt_role_layout_valid(spt_role_access3));
	assert_true(spt_role_layout_valid(spt_role_access4));
	memcpy(layout, spt_role_access4, sizeof(layout));
	layout[SPT_ROLE_DIRECT].shift = 6;
	assert_false(spt_role_layout_valid(layout));
	memcpy(layout, spt_role_access4, sizeof(layout));
	layout[SPT_ROLE_SMM].width = 9;
	assert_false(spt_role_layout_valid(layout));
	layout[SPT_ROLE_SMM] = (struct spt_bits){ 255, 255 };
	assert_false(spt_role_layout_valid(layout));
	assert_int_equal(spt_role_get(layout, ~0U, SPT_ROLE_SMM), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_read_as_kvm_traces_them),
		cmocka_unit_test(access_letters_follow_the_width),
		cmocka_unit_test(fields_that_a_kernel_lacks_are_absent_not_zero),
		cmocka_unit_test(the_inverted_older_bit_means_the_same),
		cmocka_unit_test(every_bit_is_in_one_row),
		cmocka_unit_test(layouts_that_make_no_sense_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
