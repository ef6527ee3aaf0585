// SPDX-License-Identifier: GPL-2.0
/* How a format follows from an image's head and masks, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "decoders/builtin.h"
#include "decoders/role.h"
#include "decoders/spte.h"

/* Head and masks as an agent sends them, for one built-in format. */
struct parts {
	struct spt_head head;
	struct spt_masks masks;
};

static struct parts parts_of(const char *name)
{
	const struct spt_masks *masks;
	struct parts p;

	assert_true(spt_builtin(name, &p.head, &masks));
	p.masks = *masks;
	snprintf(p.head.release, sizeof(p.head.release), "6.12.0-lab");
	return p;
}

static void refused(const struct parts *p, const char *because)
{
	struct spt_error error = { 0 };
	struct spt_format format;

	assert_true(spt_format_init(&format, &p->head, &p->masks, &error) < 0);
	assert_non_null(strstr(error.text, because));
	assert_true(error.code > 0);
}

static void every_built_in_format_is_sound(void **state)
{
	size_t n = 0;

	for (; spt_format_name(n); n++) {
		struct spt_error error = { 0 };
		struct spt_format format;

		assert_int_equal(spt_format_by_name(&format, spt_format_name(n), &error), 0);
		assert_string_equal(format.name, spt_format_name(n));
		assert_false(format.masks_assumed);
	}
	assert_int_equal(n, 9);
}

static void an_unknown_name_lists_the_known_ones(void **state)
{
	struct spt_error error = { 0 };
	struct spt_format format;

	assert_true(spt_format_by_name(&format, "ept-5.0", &error) < 0);
	assert_non_null(strstr(error.text, "ept-5.0"));
	assert_non_null(strstr(error.text, "shadow-7.3"));
}

static void an_image_without_masks_takes_the_built_in_ones(void **state)
{
	for (size_t i = 0; spt_format_name(i); i++) {
		struct parts p = parts_of(spt_format_name(i));
		struct spt_format with, without;

		p.head.frozen_spte = 0; /* as agents that do not know it send it */
		assert_int_equal(spt_format_init(&with, &p.head, &p.masks, NULL), 0);
		assert_int_equal(spt_format_init(&without, &p.head, NULL, NULL), 0);
		assert_true(without.masks_assumed);
		assert_int_equal(without.frozen, parts_of(spt_format_name(i)).head.frozen_spte);
		without.masks_assumed = false;
		assert_memory_equal(&with, &without, sizeof(with));
		assert_string_equal(with.name, "6.12.0-lab");
	}
}

static void masks_shorter_than_ours_are_not_read_beyond_their_end(void **state)
{
	struct parts p = parts_of("npt-6.12");
	struct spt_format format;

	/* The record ends before MMIO_VALUE: what follows is unknown, not garbage. */
	p.masks.rec.len = offsetof(struct spt_masks, value) + SPT_MASK_MMIO_VALUE * 8;
	assert_int_equal(spt_format_init(&format, &p.head, &p.masks, NULL), 0);
	assert_int_equal(format.mmio_mask, 0);
	assert_int_equal(spt_spte_type(&format, 0x0008000000000001ULL, 1), SPT_SPTE_NONPRESENT);
}

static void without_mmio_caching_nothing_is_mmio(void **state)
{
	struct parts p = parts_of("ept-6.12");
	struct spt_format format;

	p.masks.value[SPT_MASK_MMIO_CACHING] = 0;
	p.masks.value[SPT_MASK_MMIO_VALUE] = 0;
	assert_int_equal(spt_format_init(&format, &p.head, &p.masks, NULL), 0);
	for (__u64 low = 0; low < 8; low++)
		assert_int_equal(spt_spte_type(&format, low, 1), SPT_SPTE_NONPRESENT);
}

/* A TD's shared half: KVM's MMIO value for it is 0, and caching is on. */
static void an_mmio_value_of_zero_can_be_real(void **state)
{
	struct parts p = parts_of("ept-7.3");
	struct spt_format format;

	p.masks.value[SPT_MASK_MMIO_VALUE] = 0;
	assert_int_equal(spt_format_init(&format, &p.head, &p.masks, NULL), 0);
	assert_int_equal(spt_spte_type(&format, 0xfec00000ULL, 1), SPT_SPTE_MMIO);
	assert_int_equal(spt_spte_type(&format, SPT_BIT(63), 1), SPT_SPTE_NONPRESENT);
	assert_int_equal(spt_spte_type(&format, SPT_BIT(63) | 0x1a0, 1), SPT_SPTE_FROZEN);
}

static void the_c_bit_is_no_part_of_an_address(void **state)
{
	struct parts p = parts_of("npt-6.12");
	struct spt_format format;
	struct spt_spte s;

	p.masks.value[SPT_MASK_ME_MASK] = SPT_BIT(47);
	p.masks.value[SPT_MASK_ME_VALUE] = SPT_BIT(47);
	p.masks.value[SPT_MASK_RSVD_LOWER_GFN] = SPT_BITS(42, 12);
	p.masks.value[SPT_MASK_MMIO_MASK] = SPT_BITS(51, 43) | 1;
	p.masks.value[SPT_MASK_MMIO_VALUE] = SPT_BITS(51, 43) | 1;
	assert_int_equal(spt_format_init(&format, &p.head, &p.masks, NULL), 0);
	s = spt_spte_decode(&format, SPT_BIT(47) | 0x123456e67ULL, 1, SPT_SPTE_WALKED);
	assert_int_equal(s.hpa, 0x123456000ULL);
	assert_true(s.flags & SPT_SPTE_FLAG_ENCRYPTED);
	assert_false(s.flags & SPT_SPTE_FLAG_RESERVED);
}

static void contradictions_are_refused(void **state)
{
	struct parts p = parts_of("npt-6.12");

	p.head.mmu = SPT_MMU_EPT;
	refused(&p, "shadow_host_writable_mask");
	p = parts_of("ept-6.12");
	p.head.mmu = SPT_MMU_SHADOW;
	refused(&p, "shadow_host_writable_mask");
	p = parts_of("ept-6.12");
	p.masks.value[SPT_MASK_DIRTY] = SPT_BIT(8); /* that is the accessed bit */
	refused(&p, "two meanings");
	p = parts_of("npt-6.12");
	p.masks.value[SPT_MASK_HOST_WRITABLE] = SPT_BIT(9);
	p.masks.value[SPT_MASK_MMU_WRITABLE] = SPT_BIT(11);
	refused(&p, "two meanings");
	p = parts_of("npt-6.12");
	p.head.mmu = 77;
	refused(&p, "MMU kind 77");
	p = parts_of("npt-6.12");
	p.head.maxphyaddr = 53;
	refused(&p, "maxphyaddr");
	p = parts_of("npt-6.12");
	p.head.spte_addr_mask = ~0ULL;
	refused(&p, "spte_addr_mask");
	p = parts_of("npt-6.12");
	p.head.role[SPT_ROLE_ACCESS].width = 5;
	refused(&p, "role");
	p = parts_of("npt-6.12");
	p.head.role[SPT_ROLE_SMM].shift = 30;
	refused(&p, "role");
	p = parts_of("npt-7.3");
	p.head.role[SPT_ROLE_ACCESS].width = 3; /* leaves a gap, which is allowed */
	assert_int_equal(spt_format_init(&(struct spt_format){ 0 }, &p.head, &p.masks, NULL), 0);
}

/* No head or mask, however broken, may make the decoder misbehave (run under sanitizers). */
static void random_heads_and_masks_never_crash(void **state)
{
	__u64 seed = 88172645463325252ULL;

	for (int round = 0; round < 20000; round++) {
		struct parts p = parts_of(spt_format_name((size_t)round % 9));
		unsigned char *bytes = (unsigned char *)&p;
		struct spt_format format;

		for (int change = 0; change < round % 7 + 1; change++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			bytes[seed % sizeof(p)] ^= (unsigned char)(1U << (seed >> 32 & 7));
		}
		if (p.masks.rec.len > sizeof(p.masks))
			p.masks.rec.len = sizeof(p.masks); /* the reader of images sees to that */
		if (spt_format_init(&format, &p.head, &p.masks, NULL))
			continue;
		for (int level = -1; level < 8; level++) {
			struct spt_spte s = spt_spte_decode(&format, seed, level,
							    (enum spt_spte_kind)(round % 4));
			struct spt_bit rows[SPT_BITS_MAX];
			char text[200];

			spt_spte_rows(&format, &s, rows);
			spt_spte_sentence(&format, &s, text, sizeof(text));
			spt_role_text(format.role, (__u32)seed, text, sizeof(text));
		}
	}
}

/* KVM writes the user-execute bit always; whether it counts is in the roles. */
static void user_execute_counts_where_a_role_says_so(void **state)
{
	struct spt_format format;
	char text[SPT_PERM_TEXT];
	struct spt_spte s;

	assert_int_equal(spt_format_by_name(&format, "ept-7.3", NULL), 0);
	s = spt_spte_decode(&format, 0x80a0000003e21b77ULL, 1, SPT_SPTE_WALKED);
	assert_string_equal(spt_perm_text(&format, s.perm, text), "rwx");
	s = spt_spte_decode(&format, SPT_BIT(11) | SPT_BIT(10), 1, SPT_SPTE_WALKED);
	assert_false(s.present_hw);

	spt_format_use_role(&format, 4 | 1 << 7); /* no cr4_smep */
	assert_int_equal(format.user_exec, 0);
	spt_format_use_role(&format, 4 | 1 << 7 | 1 << 20);
	s = spt_spte_decode(&format, 0x80a0000003e21b77ULL, 1, SPT_SPTE_WALKED);
	assert_string_equal(spt_perm_text(&format, s.perm, text), "rwx-");
	s = spt_spte_decode(&format, SPT_BIT(11) | SPT_BIT(10), 1, SPT_SPTE_WALKED);
	assert_true(s.present_hw);
	assert_string_equal(spt_perm_text(&format, s.perm, text), "---X");

	/* On AMD the same bit of the role says GMET, and no entry has another bit for it. */
	assert_int_equal(spt_format_by_name(&format, "npt-7.3", NULL), 0);
	spt_format_use_role(&format, 4 | 1 << 7 | 1 << 20);
	assert_int_equal(format.user_exec, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_execute_counts_where_a_role_says_so),
		cmocka_unit_test(every_built_in_format_is_sound),
		cmocka_unit_test(an_unknown_name_lists_the_known_ones),
		cmocka_unit_test(an_image_without_masks_takes_the_built_in_ones),
		cmocka_unit_test(masks_shorter_than_ours_are_not_read_beyond_their_end),
		cmocka_unit_test(without_mmio_caching_nothing_is_mmio),
		cmocka_unit_test(an_mmio_value_of_zero_can_be_real),
		cmocka_unit_test(the_c_bit_is_no_part_of_an_address),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(random_heads_and_masks_never_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
