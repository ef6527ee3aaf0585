// SPDX-License-Identifier: GPL-2.0
/* Addresses and ranges as people type them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cli/address.h"

#define MAX 0xffffffffffffffffULL

static const struct {
	const char *text;
	int rc;
	uint64_t address;
} addresses[] = {
	{ "0", 0, 0 },
	{ "4096", 0, 4096 },
	{ "0x1000", 0, 0x1000 },
	{ "0XfEe00000", 0, 0xfee00000 },
	{ "4K", 0, 4096 },
	{ "0x10k", 0, 0x4000 },
	{ "3M", 0, 3ULL << 20 },
	{ "2g", 0, 2ULL << 30 },
	{ "1T", 0, 1ULL << 40 },
	{ "0xffffffffffffffff", 0, MAX },
	{ "18446744073709551615", 0, MAX },
	{ "16777215T", 0, 16777215ULL << 40 },
	{ "18446744073709551616", -ERANGE, 0 },
	{ "0x10000000000000000", -ERANGE, 0 },
	{ "16777216T", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ "0x", -EINVAL, 0 },
	{ "fee00000", -EINVAL, 0 },
	{ "12fee", -EINVAL, 0 },
	{ "-1", -EINVAL, 0 },
	{ " 1", -EINVAL, 0 },
	{ "1 ", -EINVAL, 0 },
	{ "1KK", -EINVAL, 0 },
	{ "K", -EINVAL, 0 },
	{ "0x1000+1", -EINVAL, 0 },
};

static void parses_addresses(void **state)
{
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct spt_error e = { 0 };
		uint64_t address = 0;
		int rc = cli_parse_address(addresses[i].text, "ADDR", &address, &e);

		if (rc != addresses[i].rc)
			fail_msg("'%s': %d, expected %d", addresses[i].text, rc, addresses[i].rc);
		if (rc)
			assert_non_null(strstr(e.text, addresses[i].text));
		else
			assert_int_equal(address, addresses[i].address);
	}
}

static const struct {
	const char *text;
	int rc;
	uint64_t start, len;
} ranges[] = {
	{ "0x1000+0x2000", 0, 0x1000, 0x2000 },
	{ "1M+4K", 0, 1 << 20, 4096 },
	{ "0x1000-0x3000", 0, 0x1000, 0x2000 },
	{ "0-1G", 0, 0, 1 << 30 },
	{ "0x1234", 0, 0x1000, 4096 },
	{ "0xffffffffffffffff", 0, MAX - 4095, 4096 },
	{ "0xfffffffffffff000+4K", 0, MAX - 4095, 4096 },
	{ "0xfffffffffffff000+4097", -ERANGE, 0, 0 },
	{ "1+0xffffffffffffffff", 0, 1, MAX },
	{ "2+0xffffffffffffffff", -ERANGE, 0, 0 },
	{ "0x1000+0", -EINVAL, 0, 0 },
	{ "0x1000-0x1000", -EINVAL, 0, 0 },
	{ "0x2000-0x1000", -EINVAL, 0, 0 },
	{ "0x1000+", -EINVAL, 0, 0 },
	{ "+0x1000", -EINVAL, 0, 0 },
	{ "0x1000..0x2000", -EINVAL, 0, 0 },
	{ "0x1000-0x2000-0x3000", -EINVAL, 0, 0 },
	{ "", -EINVAL, 0, 0 },
};

static void parses_ranges(void **state)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct spt_error e = { 0 };
		uint64_t start = 0, len = 0;
		int rc = cli_parse_range(ranges[i].text, &start, &len, &e);

		if (rc != ranges[i].rc)
			fail_msg("'%s': %d, expected %d", ranges[i].text, rc, ranges[i].rc);
		if (rc)
			continue;
		assert_int_equal(start, ranges[i].start);
		assert_int_equal(len, ranges[i].len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_addresses),
		cmocka_unit_test(parses_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
