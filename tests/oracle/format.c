// SPDX-License-Identifier: GPL-2.0
/*
 * Entries of hardware page tables, by the manuals:
 * AMD64 APM volume 2, 5.3 (long mode), 5.2 (PAE), 15.25 (nested paging);
 * Intel SDM volume 3, 29.3 (EPT): tables 29-1 to 29-7, 29.3.3.1 (misconfigurations).
 */
#include <string.h>

#include "oracle.h"

#define BIT(n)	     (1ULL << (n))
#define ADDRESS_BITS 0x000ffffffffff000ULL

static struct entry other(const char *why)
{
	return (struct entry){ .type = ENTRY_OTHER, .hpa = NO_ADDRESS, .perm = "---", .why = why };
}

static void set_perm(struct entry *e, bool r, bool w, bool x)
{
	e->perm[0] = r ? 'r' : '-';
	e->perm[1] = w ? 'w' : '-';
	e->perm[2] = x ? 'x' : '-';
	e->perm[3] = 0;
}

/* Bits of the address field that this processor has no wires for. */
static bool beyond_wires(uint64_t value, int maxphyaddr)
{
	return value & ADDRESS_BITS & ~(BIT(maxphyaddr) - 1);
}

/* A page of level 2 or 3 begins at a multiple of its size; 'low' is allowed all the same. */
static bool misaligned(uint64_t value, int level, uint64_t low)
{
	return value & ADDRESS_BITS & (BIT(12 + 9 * (level - 1)) - 1) & ~low;
}

static struct entry decode_long(uint64_t value, int level, int maxphyaddr, bool needs_user)
{
	struct entry e = { 0 };
	bool large = value & BIT(7);

	if (!(value & BIT(0)))
		return value ? other("not-present") : e;
	if (beyond_wires(value, maxphyaddr))
		return other("reserved");
	if (level > 3 && large)
		return other("reserved");
	e.type = level == 1 || large ? ENTRY_LEAF : ENTRY_TABLE;
	e.hpa = value & ADDRESS_BITS;
	if (e.type == ENTRY_LEAF && level > 1) {
		/* Bit 12 is the PAT bit of a large page. */
		if (misaligned(value, level, BIT(12)))
			return other("reserved");
		e.hpa &= ~(BIT(12 + 9 * (level - 1)) - 1);
	}
	set_perm(&e, !needs_user || value & BIT(2), value & BIT(1), !(value & BIT(63)));
	return e;
}

/* Guest accesses to nested tables are user accesses (APM 15.25.5). */
static struct entry decode_npt(uint64_t value, int level, int maxphyaddr)
{
	return decode_long(value, level, maxphyaddr, true);
}

static struct entry decode_host(uint64_t value, int level, int maxphyaddr)
{
	return decode_long(value, level, maxphyaddr, false);
}

/*
 * PAE: the four top entries have no permission bits and no large pages (APM 5.2.3). Bit 5 is
 * reserved, too; QEMU's processor uses it as an accessed bit all the same, and sets it.
 */
static struct entry decode_pae(uint64_t value, int level, int maxphyaddr)
{
	struct entry e = { 0 };

	if (level != 3)
		return decode_long(value, level, maxphyaddr, false);
	if (!(value & BIT(0)))
		return value ? other("not-present") : e;
	if (value & (BIT(1) | BIT(2) | 0x1c0 | BIT(63)) || beyond_wires(value, maxphyaddr))
		return other("reserved");
	e.type = ENTRY_TABLE;
	e.hpa = value & ADDRESS_BITS;
	set_perm(&e, true, true, true);
	return e;
}

static bool ept_memory_type_exists(uint64_t value)
{
	int type = value >> 3 & 7;

	return type == 0 || type == 1 || type == 4 || type == 5 || type == 6;
}

static struct entry decode_ept(uint64_t value, int level, int maxphyaddr)
{
	struct entry e = { 0 };
	bool r = value & BIT(0), w = value & BIT(1), x = value & BIT(2);
	bool large = level > 1 && value & BIT(7);

	if (!r && !w && !x)
		return value ? other("not-present") : e;
	if (w && !r)
		return other("misconfigured");
	if (beyond_wires(value, maxphyaddr))
		return other("misconfigured");
	if (level == 1 || large) {
		if (level > 3 || !ept_memory_type_exists(value))
			return other("misconfigured");
		if (large && misaligned(value, level, 0))
			return other("misconfigured");
		e.type = ENTRY_LEAF;
	} else {
		/* Bits 3 to 6 of an entry that names a table are reserved, and 7 in the top levels.
		 */
		if (value & (level > 3 ? 0xf8 : 0x78))
			return other("misconfigured");
		e.type = ENTRY_TABLE;
	}
	e.hpa = value & ADDRESS_BITS;
	set_perm(&e, r, w, x);
	return e;
}

const struct format format_table[] = {
	{ "npt", "AMD nested page tables, from nCR3", 0, 512, decode_npt },
	{ "ept", "Intel extended page tables, from the EPTP", 0, 512, decode_ept },
	{ "host", "long mode page tables, from CR3 (a shadow root)", 0, 512, decode_host },
	{ "pae", "PAE page tables, from CR3 (a shadow root)", 3, 4, decode_pae },
};

const int format_count = sizeof(format_table) / sizeof(format_table[0]);

const struct format *format_find(const char *name)
{
	for (int i = 0; i < format_count; i++)
		if (!strcmp(format_table[i].name, name))
			return &format_table[i];
	return NULL;
}
