/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading page tables eight bytes at a time, eight entries at once.
 *
 * copy_from_kernel_nofault() would do, but costs a branch a word where the
 * compiler lacks asm goto with outputs, and walking tables is all that a dump
 * does. So: loads with exception table entries of their own, and one result for
 * a chunk. An entry is one aligned load, so it is never torn. What is read must
 * be an address of the kernel's half; a fault there is never handled but by the
 * exception table.
 */
#ifndef SPT_AGENT_NOFAULT_H
#define SPT_AGENT_NOFAULT_H

#include <linux/types.h>
#include <asm/asm.h>

/* Loads into word and clears bad; the variables are those of the functions below. */
#define SPT_GET_ASM(load)	"1:	" load "\n"			\
				"	xorl %[bad], %[bad]\n"		\
				"9:\n"					\
				_ASM_EXTABLE(1b, 9b)

/* Loads of one size: true when the number was read, else *@to is 0. */
static __always_inline bool spt_get_byte(const void *from, u64 *to)
{
	u64 word = 0;
	u32 bad = 1;

	asm volatile(SPT_GET_ASM("movzbl (%[from]), %k[word]")
		     : [word] "+r" (word), [bad] "+r" (bad)
		     : [from] "r" (from)
		     : "cc");
	*to = word;
	return !bad;
}

static __always_inline bool spt_get_half(const void *from, u64 *to)
{
	u64 word = 0;
	u32 bad = 1;

	asm volatile(SPT_GET_ASM("movzwl (%[from]), %k[word]")
		     : [word] "+r" (word), [bad] "+r" (bad)
		     : [from] "r" (from)
		     : "cc");
	*to = word;
	return !bad;
}

static __always_inline bool spt_get_long(const void *from, u64 *to)
{
	u64 word = 0;
	u32 bad = 1;

	asm volatile(SPT_GET_ASM("movl (%[from]), %k[word]")
		     : [word] "+r" (word), [bad] "+r" (bad)
		     : [from] "r" (from)
		     : "cc");
	*to = word;
	return !bad;
}

static __always_inline bool spt_get_word(const void *from, u64 *to)
{
	u64 word = 0;
	u32 bad = 1;

	asm volatile(SPT_GET_ASM("movq (%[from]), %[word]")
		     : [word] "+r" (word), [bad] "+r" (bad)
		     : [from] "r" (from)
		     : "cc");
	*to = word;
	return !bad;
}

#undef SPT_GET_ASM

/* True when one of the chunk's entries is not @empty, or cannot be read. */
static __always_inline bool spt_chunk_filled(const u64 *from, u64 empty)
{
	u64 some = 0;
	u64 diff = 1;
	u64 word;

	asm volatile("	.irp at, 0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38\n"
		     "1:	movq \\at(%[from]), %[word]\n"
		     _ASM_EXTABLE(1b, 9f)
		     "	xorq %[empty], %[word]\n"
		     "	orq %[word], %[some]\n"
		     "	.endr\n"
		     "	movq %[some], %[diff]\n"
		     "9:\n"
		     : [word] "=&r" (word), [some] "+r" (some), [diff] "+r" (diff)
		     : [from] "r" (from), [empty] "r" (empty)
		     : "cc");
	return diff;
}

/*
 * Copies a chunk to @to, which is ours, or the user's between
 * user_access_begin() and user_access_end(). Returns true when that worked,
 * *@total being the sum of the words then, and *@weighted that of the first
 * one, twice the second, ... eight times the last: the sum of the sums that
 * there are on the way from the last to the first. Else both stay as they are.
 */
static __always_inline bool spt_copy_chunk(const u64 *from, void *to, u64 *total, u64 *weighted)
{
	u64 sum = 0;
	u64 sums = 0;
	u32 bad = 1;
	u64 word;

	asm volatile("	.irp at, 0x38, 0x30, 0x28, 0x20, 0x18, 0x10, 0x08, 0x00\n"
		     "1:	movq \\at(%[from]), %[word]\n"
		     _ASM_EXTABLE(1b, 9f)
		     "2:	movq %[word], \\at(%[to])\n"
		     _ASM_EXTABLE_UA(2b, 9f)
		     "	addq %[word], %[sum]\n"
		     "	addq %[sum], %[sums]\n"
		     "	.endr\n"
		     "	movq %[sum], %[total]\n"
		     "	movq %[sums], %[weighted]\n"
		     "	xorl %[bad], %[bad]\n"
		     "9:\n"
		     : [word] "=&r" (word), [sum] "+r" (sum), [sums] "+r" (sums),
		       [total] "+r" (*total), [weighted] "+r" (*weighted), [bad] "+r" (bad)
		     : [from] "r" (from), [to] "r" (to)
		     : "cc", "memory");
	return !bad;
}

#endif
