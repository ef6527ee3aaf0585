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

/*
 * How many of the @count chunks at @from, one at least, hold nothing but @empty
 * before one comes that does not, or that cannot be read.
 */
static __always_inline unsigned int spt_empty_chunks(const u64 *from, unsigned int count, u64 empty)
{
	unsigned int left = count;
	u64 some;
	u64 word;

	asm volatile("0:	xorl %k[some], %k[some]\n"
		     "	.irp at, 0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38\n"
		     "1:	movq \\at(%[from]), %[word]\n"
		     _ASM_EXTABLE(1b, 9f)
		     "	xorq %[empty], %[word]\n"
		     "	orq %[word], %[some]\n"
		     "	.endr\n"
		     "	testq %[some], %[some]\n"
		     "	jnz 9f\n"
		     "	addq $0x40, %[from]\n"
		     "	decl %[left]\n"
		     "	jnz 0b\n"
		     "9:\n"
		     : [word] "=&r" (word), [some] "=&r" (some), [from] "+r" (from),
		       [left] "+r" (left)
		     : [empty] "r" (empty)
		     : "cc");
	return count - left;
}

/*
 * Sums of the words stored so far: of the words, and of what that sum was after
 * each of them.
 */
struct spt_sums {
	u64 sum;
	u64 sums;
};

/*
 * Copies chunks from @from to @to, which is ours, or the user's between
 * user_access_begin() and user_access_end(), and adds them to @sums. Returns how
 * many of @count, one at least: it stops before one whose words add up to
 * @stop, and at one that could not be copied. Nothing of that one counts.
 */
static __always_inline unsigned int spt_copy_chunks(const u64 *from, void *to, unsigned int count,
						    u64 stop, struct spt_sums *sums)
{
	unsigned int left = count;
	u64 sum_before;
	u64 sums_before;
	u64 word;

	asm volatile("0:	movq %[sum], %[sum_before]\n"
		     "	movq %[sums], %[sums_before]\n"
		     "	.irp at, 0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38\n"
		     "1:	movq \\at(%[from]), %[word]\n"
		     _ASM_EXTABLE(1b, 8f)
		     "2:	movq %[word], \\at(%[to])\n"
		     _ASM_EXTABLE_UA(2b, 8f)
		     "	addq %[word], %[sum]\n"
		     "	addq %[sum], %[sums]\n"
		     "	.endr\n"
		     "	movq %[sum], %[word]\n"
		     "	subq %[sum_before], %[word]\n"
		     "	cmpq %[stop], %[word]\n"
		     "	je 8f\n"
		     "	addq $0x40, %[from]\n"
		     "	addq $0x40, %[to]\n"
		     "	decl %[left]\n"
		     "	jnz 0b\n"
		     "	jmp 9f\n"
		     "8:	movq %[sum_before], %[sum]\n"
		     "	movq %[sums_before], %[sums]\n"
		     "9:\n"
		     : [word] "=&r" (word), [sum_before] "=&r" (sum_before),
		       [sums_before] "=&r" (sums_before), [sum] "+r" (sums->sum),
		       [sums] "+r" (sums->sums), [from] "+r" (from), [to] "+r" (to),
		       [left] "+r" (left)
		     : [stop] "r" (stop)
		     : "cc", "memory");
	return count - left;
}

/* Copies one chunk likewise, whatever its words are. */
static __always_inline bool spt_copy_chunk(const u64 *from, void *to, struct spt_sums *sums)
{
	u64 sum = sums->sum;
	u64 all = sums->sums;
	u32 bad = 1;
	u64 word;

	asm volatile("	.irp at, 0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38\n"
		     "1:	movq \\at(%[from]), %[word]\n"
		     _ASM_EXTABLE(1b, 9f)
		     "2:	movq %[word], \\at(%[to])\n"
		     _ASM_EXTABLE_UA(2b, 9f)
		     "	addq %[word], %[sum]\n"
		     "	addq %[sum], %[all]\n"
		     "	.endr\n"
		     "	xorl %[bad], %[bad]\n"
		     "9:\n"
		     : [word] "=&r" (word), [sum] "+r" (sum), [all] "+r" (all), [bad] "+r" (bad)
		     : [from] "r" (from), [to] "r" (to)
		     : "cc", "memory");
	if (bad)
		return false;
	sums->sum = sum;
	sums->sums = all;
	return true;
}

#endif
