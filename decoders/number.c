// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "decoders/number.h"

unsigned int spt_put_decimal(char *at, uint64_t value)
{
	char digits[SPT_NUMBER_TEXT];
	unsigned int n = 0;

	do
		digits[n++] = (char)('0' + value % 10);
	while (value /= 10);
	for (unsigned int i = 0; i < n; i++)
		at[i] = digits[n - 1 - i];
	at[n] = '\0';
	return n;
}

unsigned int spt_put_hex(char *at, uint64_t value, unsigned int digits)
{
	at[0] = '0';
	at[1] = 'x';
	for (unsigned int i = digits; i; i--, value >>= 4)
		at[1 + i] = "0123456789abcdef"[value & 15];
	at[2 + digits] = '\0';
	return 2 + digits;
}

struct spt_size_text spt_size(uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	unsigned int tens = bytes ? (unsigned int)__builtin_ctzll(bytes) / 10 : 0, n;
	struct spt_size_text size = { { 0 } };

	n = spt_put_decimal(size.text, bytes >> 10 * tens);
	if (tens) {
		size.text[n] = units[tens - 1];
		size.text[n + 1] = '\0';
	}
	return size;
}
