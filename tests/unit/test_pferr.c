// SPDX-License-Identifier: GPL-2.0
/* Page-fault error codes and EPT exit qualifications, and how one becomes the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "decoders/pferr.h"
#include "ept/exit_qual.h"

static void every_bit_is_in_one_row(void **state)
{
	const struct spt_bit *rows;
	__u64 twice;
	size_t n;

	rows = spt_pferr_rows(&n);
	assert_int_equal(spt_bits_covered(rows, n, &twice), ~0ULL);
	assert_int_equal(twice, 0);
	rows = spt_exit_qual_rows(&n);
	assert_int_equal(spt_bits_covered(rows, n, &twice), ~0ULL);
	assert_int_equal(twice, 0);
}

static void error_codes_in_words(void **state)
{
	static const struct {
		__u64 code;
		const char *text;
	} cases[] = {
		{ 0, "supervisor read where no entry is present" },
		{ 0x7, "user write that a present entry forbids" },
		{ 0x14, "user instruction fetch where no entry is present" },
		{ 0xd, "user read through an entry with a reserved bit (for KVM: MMIO)" },
		{ 0x100000006ULL,
		  "user write where no entry is present, to the guest's final address" },
		{ 0x200000007ULL,
		  "user write that a present entry forbids, during the walk of the guest's page tables" },
		{ 1ULL << 49, "supervisor read where no entry is present, private memory" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200];

		spt_pferr_sentence(cases[i].code, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void error_codes_as_flags(void **state)
{
	const struct spt_bit *rows;
	char text[200];
	size_t n;

	rows = spt_pferr_rows(&n);
	spt_bits_text(rows, n, 0x30000001fULL, text, sizeof(text));
	assert_string_equal(text, "present write user rsvd fetch guest-final guest-page");
	/* Of a guest with SEV-SNP: the RMP's and its VMPLs' say. */
	spt_bits_text(rows, n, 0x1480000005, text, sizeof(text));
	assert_string_equal(text, "present user rmp guest-enc guest-vmpl");
	spt_bits_text(rows, n, 1ULL << 37, text, sizeof(text));
	assert_string_equal(text, "unused=0x2000000000");
	spt_bits_text(rows, n, 0x80, text, sizeof(text));
	assert_string_equal(text, "unused=0x80");
}

static void qualifications_in_words(void **state)
{
	static const struct {
		__u64 qualification;
		const char *text;
	} cases[] = {
		{ 0x181, "read to the translated address where nothing is mapped" },
		{ 0x182, "write to the translated address where nothing is mapped" },
		{ 0x18a, "write to the translated address mapped r--" },
		{ 0x0ba, "write to a guest page-table entry mapped rwx" },
		{ 0x004, "instruction fetch where nothing is mapped" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200];

		spt_exit_qual_sentence(cases[i].qualification, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

/* __vmx_handle_ept_violation() */
static void qualifications_become_error_codes(void **state)
{
	/* older kernels: U for every read */
	assert_int_equal(spt_exit_qual_pferr(0x181, false), 1ULL << 32 | 4);
	assert_int_equal(spt_exit_qual_pferr(0x182, false), 1ULL << 32 | 2);
	assert_int_equal(spt_exit_qual_pferr(0x18a, false), 1ULL << 32 | 2 | 1);
	assert_int_equal(spt_exit_qual_pferr(0x084, false), 1ULL << 33 | 16);
	/* newer ones: U for a user-mode linear address */
	assert_int_equal(spt_exit_qual_pferr(0x181, true), 1ULL << 32);
	assert_int_equal(spt_exit_qual_pferr(0x381, true), 1ULL << 32 | 4);
	assert_int_equal(spt_exit_qual_pferr(0x281, true), 1ULL << 33);
	/* bit 6 counts only under MBEC */
	assert_int_equal(spt_exit_qual_pferr(0x042, false), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bit_is_in_one_row),
		cmocka_unit_test(error_codes_in_words),
		cmocka_unit_test(error_codes_as_flags),
		cmocka_unit_test(qualifications_in_words),
		cmocka_unit_test(qualifications_become_error_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
