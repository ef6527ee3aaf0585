// SPDX-License-Identifier: GPL-2.0
/*
 * Which instructions that write to memory KVM's emulator knows: of opcode_table
 * and twobyte_table in arch/x86/kvm/emulate.c those that all kernels have, and
 * that compilers and kernels write with. Rather one too few than one too many:
 * what it does not know stops the guest.
 */
#include <linux/bits.h>
#include <linux/kernel.h>

#include "guest_code.h"

#define SPT_INSN_REX_W	BIT(3)

/* Prefixes that select another instruction. */
enum { SPT_PFX_NONE = 1, SPT_PFX_66 = 2, SPT_PFX_F2 = 4, SPT_PFX_F3 = 8, SPT_PFX_ANY = 15 };

struct spt_stores {
	u8 first;
	u8 last;
	u8 prefixes;
};

static const struct spt_stores spt_stores_one[] = {
	{ 0x00, 0x01, SPT_PFX_ANY },	/* add */
	{ 0x08, 0x09, SPT_PFX_ANY },	/* or */
	{ 0x10, 0x11, SPT_PFX_ANY },	/* adc */
	{ 0x18, 0x19, SPT_PFX_ANY },	/* sbb */
	{ 0x20, 0x21, SPT_PFX_ANY },	/* and */
	{ 0x28, 0x29, SPT_PFX_ANY },	/* sub */
	{ 0x30, 0x31, SPT_PFX_ANY },	/* xor */
	{ 0x50, 0x57, SPT_PFX_ANY },	/* push register */
	{ 0x68, 0x68, SPT_PFX_ANY },	/* push immediate */
	{ 0x6a, 0x6a, SPT_PFX_ANY },
	{ 0x6c, 0x6d, SPT_PFX_ANY },	/* ins */
	{ 0x80, 0x81, SPT_PFX_ANY },	/* add ... xor, immediate */
	{ 0x83, 0x83, SPT_PFX_ANY },
	{ 0x86, 0x89, SPT_PFX_ANY },	/* xchg, mov */
	{ 0x9c, 0x9c, SPT_PFX_ANY },	/* pushf */
	{ 0xa2, 0xa5, SPT_PFX_ANY },	/* mov, movs */
	{ 0xaa, 0xab, SPT_PFX_ANY },	/* stos */
	{ 0xc0, 0xc1, SPT_PFX_ANY },	/* shifts */
	{ 0xc6, 0xc7, SPT_PFX_ANY },	/* mov immediate */
	{ 0xd0, 0xd3, SPT_PFX_ANY },
	{ 0xe8, 0xe8, SPT_PFX_ANY },	/* call */
	{ 0xf6, 0xf7, SPT_PFX_ANY },	/* not, neg */
	{ 0xfe, 0xff, SPT_PFX_ANY },	/* inc, dec, call, push */
};

static const struct spt_stores spt_stores_two[] = {
	{ 0x11, 0x11, SPT_PFX_NONE | SPT_PFX_66 },	/* movups, movupd */
	{ 0x29, 0x29, SPT_PFX_NONE | SPT_PFX_66 },	/* movaps, movapd */
	{ 0x2b, 0x2b, SPT_PFX_NONE | SPT_PFX_66 },	/* movntps, movntpd */
	{ 0x7f, 0x7f, SPT_PFX_66 | SPT_PFX_F3 },	/* movdqa, movdqu */
	{ 0x90, 0x9f, SPT_PFX_ANY },			/* setcc */
	{ 0xa4, 0xa5, SPT_PFX_ANY },			/* shld */
	{ 0xab, 0xad, SPT_PFX_ANY },			/* bts, shrd */
	{ 0xb0, 0xb1, SPT_PFX_ANY },			/* cmpxchg */
	{ 0xb3, 0xb3, SPT_PFX_ANY },			/* btr */
	{ 0xba, 0xbb, SPT_PFX_ANY },			/* bts, btr, btc */
	{ 0xc0, 0xc1, SPT_PFX_ANY },			/* xadd */
	{ 0xc3, 0xc3, SPT_PFX_NONE },			/* movnti */
	{ 0xe7, 0xe7, SPT_PFX_66 },			/* movntdq */
};

static bool spt_stores_find(const struct spt_stores *stores, unsigned int n, u8 opcode,
			    u8 prefixes)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (opcode >= stores[i].first && opcode <= stores[i].last)
			return !(prefixes & ~stores[i].prefixes);
	return false;
}

/* SPT_PFX_*, and 0 for a prefix that selects nothing; false: none. */
static bool spt_stores_prefix(u8 byte, u8 *selects)
{
	switch (byte) {
	case 0x66:
		*selects = SPT_PFX_66;
		return true;
	case 0xf2:
		*selects = SPT_PFX_F2;
		return true;
	case 0xf3:
		*selects = SPT_PFX_F3;
		return true;
	case 0x26:	/* segments */
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x67:	/* address size */
	case 0xf0:	/* lock */
		*selects = 0;
		return true;
	default:
		return false;
	}
}

/* A near call, or a far one through memory. */
static bool spt_stores_call(const u8 *insn, unsigned int len)
{
	u8 reg;

	if (insn[0] != 0xff)
		return insn[0] == 0xe8;
	reg = len > 1 ? (insn[1] >> 3) & 7 : 2;
	return reg == 2 || reg == 3;
}

bool spt_guest_store_known(const u8 *insn, unsigned int len, u8 bits, bool cet)
{
	unsigned int at = 0;
	u8 prefixes = 0;
	u8 selects;
	u8 rex = 0;

	for (; at < len && spt_stores_prefix(insn[at], &selects); at++)
		prefixes |= selects;
	if (bits == 64 && at < len && (insn[at] & 0xf0) == 0x40)
		rex = insn[at++];
	if (!prefixes)
		prefixes = SPT_PFX_NONE;
	/* KVM has no shadow stack for a call and knows no ENDBR: it emulates none then. */
	if (at < len && cet && spt_stores_call(insn + at, len - at))
		return false;
	if (at < len && insn[at] != 0x0f)
		return spt_stores_find(spt_stores_one, ARRAY_SIZE(spt_stores_one), insn[at],
				       prefixes);
	if (at + 2 >= len)
		return false;
	/* cmpxchg8b, of its group alone, and not cmpxchg16b */
	if (insn[at + 1] == 0xc7)
		return ((insn[at + 2] >> 3) & 7) == 1 && !(rex & SPT_INSN_REX_W);
	return spt_stores_find(spt_stores_two, ARRAY_SIZE(spt_stores_two), insn[at + 1],
			       prefixes);
}
