/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel as agent/layout_check.c needs to be compiled into a
 * program. Every <linux/...> header of this folder is this file.
 */
#ifndef FUZZ_KERNEL_H
#define FUZZ_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
/* The kernel's own formats (%*phN) are not what this is about. */
#define __printf(format, first) /* none */
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define DIV_ROUND_UP(n, d)	(((n) + (d)-1) / (d))
#define BIT(nr)			(1UL << (nr))
#define BIT_ULL(nr)		(1ULL << (nr))
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)
#define SZ_1M			(1U << 20)
#define PAGE_MASK		(~0xfffULL)
#define __PHYSICAL_MASK		((1ULL << 52) - 1)
#define KSYM_SYMBOL_LEN		512
#define scnprintf		snprintf

/* Only their sizes and alignments are looked at: those of a kernel without debugging. */
typedef struct {
	u32 word[2];
} rwlock_t;
struct list_head {
	void *next, *prev;
};
struct hlist_head {
	void *first;
};
struct hlist_node {
	void *next, **pprev;
};
struct rb_root {
	void *node;
};
struct rb_node {
	void *link[3];
};
struct xarray {
	void *word[2];
};
struct srcu_struct {
	void *word[3];
};
struct mutex {
	void *word[4];
};

struct new_utsname {
	char release[65];
};

struct new_utsname *init_utsname(void);
int sprint_symbol(char *buffer, unsigned long address);
int copy_from_kernel_nofault(void *to, const void *from, size_t size);

/* agent/nofault.h is assembly for exception tables. */
#define SPT_AGENT_NOFAULT_H
static inline bool spt_get_word(const void *from, u64 *to)
{
	return !copy_from_kernel_nofault(to, from, sizeof(*to));
}

#endif
