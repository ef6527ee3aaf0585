// SPDX-License-Identifier: GPL-2.0
/* Second-stage entries and the EPT pointer as the hardware reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ept/eptp.h"
#include "ept/hw.h"

static const struct spt_hw ept = { .format = SPT_HW_EPT, .maxphyaddr = 46 };
static const struct spt_hw npt = { .format = SPT_HW_NPT, .maxphyaddr = 48 };

static void permissions_decide_presence(void **state)
{
	struct spt_hw mbec = ept;

	mbec.mbec = true;
	assert_int_equal(spt_hw_decode(&ept, 0, 1).state, SPT_HW_NONPRESENT);
	assert_int_equal(spt_hw_decode(&ept, SPT_BIT(63) | 0xff8, 1).state, SPT_HW_NONPRESENT);
	assert_int_equal(spt_hw_decode(&ept, SPT_BIT(10), 1).state, SPT_HW_NONPRESENT);
	assert_int_equal(spt_hw_decode(&mbec, SPT_BIT(10) | 1, 1).state, SPT_HW_LEAF);
	assert_true(spt_hw_decode(&mbec, SPT_BIT(10) | 1, 1).user_exec);
	assert_int_equal(spt_hw_decode(&npt, 0xffffe, 1).state, SPT_HW_NONPRESENT);
	assert_int_equal(spt_hw_decode(&npt, 1, 1).state, SPT_HW_LEAF);
}

/* Every combination of R, W and X: SDM Vol. 3C 29.3.3.1. */
static void which_ept_permissions_are_misconfigured(void **state)
{
	static const enum spt_hw_state without_exec_only[] = {
		SPT_HW_NONPRESENT, SPT_HW_LEAF, SPT_HW_MALFORMED, SPT_HW_LEAF,
		SPT_HW_MALFORMED,  SPT_HW_LEAF, SPT_HW_MALFORMED, SPT_HW_LEAF,
	};
	struct spt_hw exec_only = ept;

	exec_only.exec_only = true;
	for (__u64 rwx = 0; rwx < 8; rwx++) {
		assert_int_equal(spt_hw_decode(&ept, rwx, 1).state, without_exec_only[rwx]);
		assert_int_equal(spt_hw_decode(&exec_only, rwx, 1).state,
				 rwx == 4 ? SPT_HW_LEAF : without_exec_only[rwx]);
	}
}

static void memory_types(void **state)
{
	static const char *const names[] = { "UC", "WC", NULL, NULL, "WT", "WP", "WB", NULL };

	for (unsigned int type = 0; type < 8; type++) {
		struct spt_hw_entry e = spt_hw_decode(&ept, 7 | type << 3, 1);

		assert_int_equal(e.memtype, type);
		assert_int_equal(e.state, names[type] ? SPT_HW_LEAF : SPT_HW_MALFORMED);
		if (names[type])
			assert_string_equal(spt_memtype_name(type), names[type]);
		else
			assert_null(spt_memtype_name(type));
	}
	assert_null(spt_memtype_name(8));
	/* In a table entry these bits are reserved. */
	assert_int_equal(spt_hw_decode(&ept, 0x1037, 2).state, SPT_HW_MALFORMED);
	assert_int_equal(spt_hw_decode(&ept, 0x1007, 2).state, SPT_HW_TABLE);
}

static void addresses_and_sizes_by_level(void **state)
{
	struct spt_hw_entry e = spt_hw_decode(&ept, 0x123440000000ULL | 0xb7, 3);

	assert_int_equal(e.state, SPT_HW_LEAF);
	assert_int_equal(e.hpa, 0x123440000000ULL);
	assert_int_equal(e.size, 1 << 30);
	e = spt_hw_decode(&ept, 0x2000b7, 3);
	assert_int_equal(e.state, SPT_HW_MALFORMED);
	assert_int_equal(e.reserved, 0x200000);
	e = spt_hw_decode(&npt, 0x2010e7, 2);
	assert_int_equal(e.state, SPT_HW_LEAF); /* bit 12 is the PAT bit */
	assert_int_equal(e.hpa, 0x200000);
	assert_int_equal(spt_hw_decode(&ept, SPT_BIT(46) | 0x37, 1).state, SPT_HW_MALFORMED);
	assert_int_equal(spt_hw_decode(&npt, SPT_BIT(46) | 7, 1).state, SPT_HW_LEAF);
	assert_int_equal(spt_hw_decode(&npt, 0x87, 4).state, SPT_HW_MALFORMED);
	assert_int_equal(spt_hw_decode(&npt, 7, 0).size, 4096);
	assert_int_equal(spt_hw_decode(&npt, 7, 77).size, 1ULL << 48);
}

static void the_c_bit_is_neither_address_nor_reserved(void **state)
{
	struct spt_hw sme = npt;
	struct spt_hw_entry e;

	sme.c_bit = SPT_BIT(51);
	e = spt_hw_decode(&sme, SPT_BIT(51) | 0x5007, 1);
	assert_int_equal(e.state, SPT_HW_LEAF);
	assert_int_equal(e.hpa, 0x5000);
	assert_int_equal(spt_hw_decode(&npt, SPT_BIT(51) | 0x5007, 1).state, SPT_HW_MALFORMED);
}

/* What KVM writes for MMIO must fault in the way that KVM relies on. */
static void mmio_entries_of_kvm_fault(void **state)
{
	assert_int_equal(spt_hw_decode(&ept, 0xfec00006, 1).state, SPT_HW_MALFORMED);
	assert_int_equal(spt_hw_decode(&npt, 0x80000fec00001ULL, 1).state, SPT_HW_MALFORMED);
	assert_int_equal(spt_hw_decode(&npt, 0x80000fec00001ULL, 1).reserved, SPT_BIT(51));
}

static void every_bit_is_in_one_row(void **state)
{
	const struct spt_hw formats[] = {
		ept,
		npt,
		{ .format = SPT_HW_EPT, .mbec = true, .ve = true },
		{ .format = SPT_HW_NPT, .maxphyaddr = 43, .c_bit = SPT_BIT(47) },
	};

	for (size_t f = 0; f < 4; f++)
		for (int level = 1; level <= 5; level++)
			for (int bit = 0; bit < 64; bit++)
				for (__u64 low = 0; low < 256; low += 17) {
					struct spt_bit rows[SPT_BITS_MAX];
					size_t n = spt_hw_rows(&formats[f], SPT_BIT(bit) | low,
							       level, rows);
					__u64 twice;

					assert_int_equal(spt_bits_covered(rows, n, &twice), ~0ULL);
					assert_int_equal(twice, 0);
				}
}

/* SDM Vol. 3C tables 29-3, 29-5 and 29-7: sub-page permissions are those of 4K pages. */
static void bits_that_only_small_pages_have(void **state)
{
	for (int level = 1; level <= 3; level++) {
		struct spt_bit rows[SPT_BITS_MAX];
		size_t n = spt_hw_rows(&ept, 0x40000000 | 0x87, level, rows);
		const char *name = NULL;

		for (size_t i = 0; i < n; i++)
			if (rows[i].mask & SPT_BIT(61))
				name = rows[i].name;
		assert_string_equal(name, level == 1 ? "sub-page-permissions" : "ignored");
	}
}

static void eptp_as_kvm_makes_it(void **state)
{
	struct spt_eptp e;

	assert_int_equal(spt_eptp_compose(0x10a01e000, 4, true), 0x10a01e05e);
	assert_int_equal(spt_eptp_compose(0x10a01e000, 5, false), 0x10a01e026);
	e = spt_eptp_decode(0x10a01e05e, 46);
	assert_int_equal(e.root, 0x10a01e000);
	assert_int_equal(e.levels, 4);
	assert_int_equal(e.memtype, 6);
	assert_true(e.accessed_dirty);
	assert_null(e.invalid);
	for (int levels = 4; levels <= 5; levels++)
		for (int ad = 0; ad < 2; ad++) {
			e = spt_eptp_decode(spt_eptp_compose(0x5000, levels, ad), 0);
			assert_int_equal(e.levels, levels);
			assert_int_equal(e.accessed_dirty, ad);
			assert_int_equal(e.root, 0x5000);
			assert_null(e.invalid);
		}
}

static void eptps_that_fail_vm_entry(void **state)
{
	assert_non_null(spt_eptp_decode(0x5000 | 3 << 3 | 1, 46).invalid);	   /* WC */
	assert_non_null(spt_eptp_decode(0x5000 | 2 << 3 | 6, 46).invalid);	   /* 3 levels */
	assert_non_null(spt_eptp_decode(0x5000 | 3 << 3 | 6 | 0x100, 46).invalid); /* reserved */
	assert_non_null(spt_eptp_decode(SPT_BIT(46) | 3 << 3 | 6, 46).invalid);
	assert_null(spt_eptp_decode(SPT_BIT(46) | 3 << 3 | 6, 0).invalid);
	assert_null(spt_eptp_decode(0x5000 | 3 << 3, 46).invalid); /* UC */
}

static void every_eptp_bit_is_in_one_row(void **state)
{
	for (unsigned int bits = 0; bits <= 52; bits += 13) {
		struct spt_bit rows[SPT_BITS_MAX];
		size_t n = spt_eptp_rows(bits, rows);
		__u64 twice;

		assert_int_equal(spt_bits_covered(rows, n, &twice), ~0ULL);
		assert_int_equal(twice, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(permissions_decide_presence),
		cmocka_unit_test(which_ept_permissions_are_misconfigured),
		cmocka_unit_test(memory_types),
		cmocka_unit_test(addresses_and_sizes_by_level),
		cmocka_unit_test(the_c_bit_is_neither_address_nor_reserved),
		cmocka_unit_test(mmio_entries_of_kvm_fault),
		cmocka_unit_test(every_bit_is_in_one_row),
		cmocka_unit_test(bits_that_only_small_pages_have),
		cmocka_unit_test(eptp_as_kvm_makes_it),
		cmocka_unit_test(eptps_that_fail_vm_entry),
		cmocka_unit_test(every_eptp_bit_is_in_one_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
