// SPDX-License-Identifier: GPL-2.0
#include "decoders/address.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define PAGE_4K 4096ULL

static const struct {
	char letter;
	int shift;
} suffixes[] = {
	{ 'K', 10 },
	{ 'M', 20 },
	{ 'G', 30 },
	{ 'T', 40 },
};

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Reads one number at *@p and leaves *@p behind it. Returns 0, -EINVAL or -ERANGE. */
static int scan_number(const char **p, uint64_t *number)
{
	const char *s = *p;
	unsigned int base = 10;
	uint64_t n = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if ((unsigned int)digit_of(*s) >= base)
		return -EINVAL;
	for (; (unsigned int)digit_of(*s) < base; s++) {
		if (__builtin_mul_overflow(n, (uint64_t)base, &n) ||
		    __builtin_add_overflow(n, (uint64_t)digit_of(*s), &n))
			return -ERANGE;
	}
	for (unsigned int i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (toupper((unsigned char)*s) != suffixes[i].letter)
			continue;
		if (n > UINT64_MAX >> suffixes[i].shift)
			return -ERANGE;
		n <<= suffixes[i].shift;
		s++;
		break;
	}
	*p = s;
	*number = n;
	return 0;
}

static int fail_number(struct spt_error *e, int rc, const char *what, const char *text)
{
	if (rc == -ERANGE)
		return spt_fail(e, ERANGE, "%s '%s' does not fit into 64 bits", what, text);
	return spt_fail(e, EINVAL,
			"%s '%s' is not a number: write decimal or 0x hex, K, M, G or T may follow",
			what, text);
}

int spt_parse_address(const char *text, const char *what, uint64_t *address, struct spt_error *e)
{
	const char *p = text;
	int rc = scan_number(&p, address);

	if (!rc && *p)
		rc = -EINVAL;
	return rc ? fail_number(e, rc, what, text) : 0;
}

int spt_parse_range(const char *text, uint64_t *start, uint64_t *len, struct spt_error *e)
{
	const char *p = text;
	uint64_t second;
	char separator;
	int rc;

	rc = scan_number(&p, start);
	if (rc)
		return fail_number(e, rc, "RANGE", text);
	separator = *p;
	if (!separator) {
		*start &= ~(PAGE_4K - 1);
		*len = PAGE_4K;
		return 0;
	}
	if (separator != '+' && separator != '-')
		return spt_fail(e, EINVAL,
				"RANGE '%s' is neither START+LEN nor START-END nor one address",
				text);
	p++;
	rc = scan_number(&p, &second);
	if (!rc && *p)
		rc = -EINVAL;
	if (rc)
		return fail_number(e, rc, "RANGE", text);

	if (separator == '-') {
		if (second <= *start)
			return spt_fail(e, EINVAL, "RANGE '%s' ends before it starts", text);
		*len = second - *start;
		return 0;
	}
	if (!second)
		return spt_fail(e, EINVAL, "RANGE '%s' is empty", text);
	/* The last byte must exist; the address behind it need not. */
	if (second - 1 > UINT64_MAX - *start)
		return spt_fail(e, ERANGE, "RANGE '%s' ends beyond 64 bits", text);
	*len = second;
	return 0;
}
