/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One description of a bit layout: a table of rows, one row a field. From the
 * same table come the explanation in words, the short text, the list of names
 * for JSON, and the proof that no bit is described twice.
 */
#ifndef SPT_DECODERS_BITS_H
#define SPT_DECODERS_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define SPT_BIT(n) (1ULL << (n))
/* Bits lo to hi, both included. */
#define SPT_BITS(hi, lo) ((~0ULL >> (63 - (hi))) & (~0ULL << (lo)))

enum spt_bit_kind {
	SPT_BIT_FLAG,	  /* set or clear */
	SPT_BIT_NUMBER,	  /* a number, or an index into 'values' */
	SPT_BIT_HEX,	  /* a number that reads better in hex: a gfn */
	SPT_BIT_PATTERN,  /* several bits that are looked at in place */
	SPT_BIT_ADDRESS,  /* a physical address, in place */
	SPT_BIT_RESERVED, /* must be 0 */
	SPT_BIT_IGNORED,  /* nobody gives it a meaning */
};

/*
 * One field. A field may be in pieces (the MMIO generation is bits 3-10 and
 * 52-62): its number is the pieces, lowest bit first, moved together.
 */
struct spt_bit {
	__u64 mask;
	enum spt_bit_kind kind;
	const char *name;	   /* short and stable: what JSON and flags show */
	const char *set;	   /* meaning when not 0; NULL: the name says it */
	const char *clear;	   /* meaning when 0; NULL: nothing to say */
	const char *const *values; /* SPT_BIT_NUMBER: name of each number, NULL entries unnamed */
	unsigned int n_values;
};

/* A table can have no more rows than this, and one more for what it leaves out. */
#define SPT_BITS_MAX 64

/* One field of one value, as spt_bits_decode() finds it. */
struct spt_bit_value {
	const struct spt_bit *bit;
	__u64 number;	  /* moved down to bit 0; SPT_BIT_ADDRESS: in place */
	const char *text; /* its meaning in words, or NULL */
};

/* The bits of 'raw' that 'mask' selects, moved together (PEXT). */
__u64 spt_bits_extract(__u64 mask, __u64 raw);

/* The reverse: the low bits of 'number' spread over 'mask' (PDEP). */
__u64 spt_bits_deposit(__u64 mask, __u64 number);

/* Gives one entry for each of the n rows, in their order, to out[n]. */
void spt_bits_decode(const struct spt_bit *bits, size_t n, __u64 raw, struct spt_bit_value *out);

/* All bits that the rows describe; *twice (if given) gets those described by more than one. */
__u64 spt_bits_covered(const struct spt_bit *bits, size_t n, __u64 *twice);

/* Rows in the order of their lowest bits, as people read them. */
void spt_bits_sort(struct spt_bit *bits, size_t n);

/*
 * The three below write at most 'size' bytes, always a NUL, and return the
 * length that the whole text has or would have had, as snprintf() does.
 */

/* What is set in a value, on one line: 'read write memtype=WB addr=0x1000'. */
int spt_bits_text(const struct spt_bit *bits, size_t n, __u64 raw, char *buf, size_t size);

/* A field's number as text: '0x1000', 'WB', '1'. */
int spt_bit_number_text(const struct spt_bit_value *value, char *buf, size_t size);

/* Which bits a mask has, highest last: '11', '3-5', '3-10,52-62'. */
int spt_bit_range_text(__u64 mask, char *buf, size_t size);

#endif
