// SPDX-License-Identifier: GPL-2.0
#include "decoders/bits.h"

#include <stdio.h>

__u64 spt_bits_extract(__u64 mask, __u64 raw)
{
	__u64 number = 0;
	unsigned int to = 0;

	/* A run of neighbouring bits at a time: most masks are one. */
	while (mask) {
		unsigned int shift = (unsigned int)__builtin_ctzll(mask);
		__u64 run = mask & ~(mask + SPT_BIT(shift));

		number |= (raw & run) >> shift << to;
		to += (unsigned int)__builtin_popcountll(run);
		mask &= ~run;
	}
	return number;
}

__u64 spt_bits_deposit(__u64 mask, __u64 number)
{
	__u64 raw = 0;

	for (; mask; mask &= mask - 1, number >>= 1)
		if (number & 1)
			raw |= mask & -mask;
	return raw;
}

void spt_bits_decode(const struct spt_bit *bits, size_t n, __u64 raw, struct spt_bit_value *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct spt_bit *bit = &bits[i];
		__u64 field = raw & bit->mask;

		out[i].bit = bit;
		out[i].number =
			bit->kind == SPT_BIT_ADDRESS ? field : spt_bits_extract(bit->mask, raw);
		out[i].text = field ? bit->set : bit->clear;
	}
}

__u64 spt_bits_covered(const struct spt_bit *bits, size_t n, __u64 *twice)
{
	__u64 covered = 0, overlap = 0;

	for (size_t i = 0; i < n; i++) {
		overlap |= covered & bits[i].mask;
		covered |= bits[i].mask;
	}
	if (twice)
		*twice = overlap;
	return covered;
}

void spt_bits_sort(struct spt_bit *bits, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct spt_bit bit = bits[i];
		size_t to = i;

		for (; to && (bits[to - 1].mask & -bits[to - 1].mask) > (bit.mask & -bit.mask);
		     to--)
			bits[to] = bits[to - 1];
		bits[to] = bit;
	}
}

/* Append to a buffer that may be full already; returns the length after it. */
#define APPEND(buf, size, len, ...)                                                                \
	((len) + snprintf((size_t)(len) < (size) ? (buf) + (len) : NULL,                           \
			  (size_t)(len) < (size) ? (size) - (size_t)(len) : 0, __VA_ARGS__))

int spt_bit_number_text(const struct spt_bit_value *value, char *buf, size_t size)
{
	const struct spt_bit *bit = value->bit;

	switch (bit->kind) {
	case SPT_BIT_ADDRESS:
	case SPT_BIT_HEX:
		return snprintf(buf, size, "0x%llx", value->number);
	case SPT_BIT_PATTERN:
	case SPT_BIT_RESERVED:
	case SPT_BIT_IGNORED:
		return snprintf(buf, size, "%#llx", spt_bits_deposit(bit->mask, value->number));
	case SPT_BIT_NUMBER:
		if (value->number < bit->n_values && bit->values[value->number])
			return snprintf(buf, size, "%s", bit->values[value->number]);
		break;
	case SPT_BIT_FLAG:
		break;
	}
	return snprintf(buf, size, "%llu", value->number);
}

int spt_bits_text(const struct spt_bit *bits, size_t n, __u64 raw, char *buf, size_t size)
{
	int len = 0;

	if (size)
		buf[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		struct spt_bit_value value;
		char number[64];

		spt_bits_decode(&bits[i], 1, raw, &value);
		/* A field with a name for 0 says something when it is 0, too. */
		if (!value.number &&
		    !(bits[i].kind == SPT_BIT_NUMBER && bits[i].n_values && bits[i].values[0]))
			continue;
		len = APPEND(buf, size, len, "%s%s", len ? " " : "", bits[i].name);
		if (bits[i].kind == SPT_BIT_FLAG)
			continue;
		spt_bit_number_text(&value, number, sizeof(number));
		len = APPEND(buf, size, len, "=%s", number);
	}
	return len;
}

int spt_bit_range_text(__u64 mask, char *buf, size_t size)
{
	int len = 0;

	if (size)
		buf[0] = '\0';
	for (unsigned int lo = 0; lo < 64; lo++) {
		unsigned int hi = lo;

		if (!(mask >> lo & 1))
			continue;
		while (hi < 63 && mask >> (hi + 1) & 1)
			hi++;
		len = APPEND(buf, size, len, "%s%u", len ? "," : "", lo);
		if (hi != lo)
			len = APPEND(buf, size, len, "-%u", hi);
		lo = hi;
	}
	return len;
}
