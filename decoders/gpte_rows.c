// SPDX-License-Identifier: GPL-2.0
/* The bit layouts of guest page table entries in words. */
#include "decoders/gpte.h"

enum { TABLE = 1, LEAF = 2, PDPTE = 4, GONE = 8 };

/* Rows that hold for any paging mode; what is reserved wins over them. */
static const struct {
	unsigned int types;
	struct spt_bit bit;
} table[] = {
	/* clang-format off */
	{ TABLE | LEAF | PDPTE | GONE, { SPT_BIT(0), .name = "present", .clear = "not present" } },
	{ TABLE | LEAF, { SPT_BIT(1), .name = "write", .clear = "read-only" } },
	{ TABLE | LEAF, { SPT_BIT(2), .name = "user", .clear = "supervisor only" } },
	{ TABLE | LEAF | PDPTE, { SPT_BIT(3), .name = "pwt", .set = "write-through by PAT" } },
	{ TABLE | LEAF | PDPTE, { SPT_BIT(4), .name = "pcd", .set = "uncached by PAT" } },
	{ TABLE | LEAF, { SPT_BIT(5), .name = "accessed", .clear = "not accessed" } },
	{ LEAF, { SPT_BIT(6), .name = "dirty", .clear = "not written" } },
	{ LEAF, { SPT_BIT(8), .name = "global" } },
	/* clang-format on */
};

static size_t add(struct spt_bit *rows, size_t n, __u64 *left, struct spt_bit bit)
{
	bit.mask &= *left;
	if (!bit.mask || n >= SPT_BITS_MAX)
		return n;
	*left &= ~bit.mask;
	rows[n] = bit;
	return n + 1;
}

size_t spt_gpte_rows(const struct spt_guest_mmu *mmu, const struct spt_gpte *g,
		     struct spt_bit *rows)
{
	bool wide = mmu->paging != SPT_GUEST_32BIT;
	bool pdpte = mmu->paging == SPT_GUEST_PAE && g->level == 3;
	unsigned int type = !g->present ? GONE : pdpte ? PDPTE : g->leaf ? LEAF : TABLE;
	__u64 left = wide ? ~0ULL : SPT_BITS(31, 0);
	size_t n = 0;

	if (g->present)
		n = add(rows, n, &left,
			(struct spt_bit){ .mask = spt_gpte_reserved_mask(mmu, g->level, g->leaf),
					  .kind = SPT_BIT_RESERVED,
					  .name = "reserved",
					  .set = "must be 0" });
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].types & type)
			n = add(rows, n, &left, table[i].bit);
	if (!g->present)
		return add(rows, n, &left,
			   (struct spt_bit){ .mask = left,
					     .kind = SPT_BIT_IGNORED,
					     .name = "ignored",
					     .set = "the guest's own use" });
	if (g->level > 1 && !pdpte)
		n = add(rows, n, &left,
			(struct spt_bit){ .mask = SPT_BIT(7),
					  .name = "page-size",
					  .set = "maps a large page",
					  .clear = "leads to a table" });
	if (g->leaf)
		n = add(rows, n, &left,
			(struct spt_bit){ .mask = g->level > 1 ? SPT_BIT(12) : SPT_BIT(7),
					  .name = "pat",
					  .set = "upper half of the PAT" });
	if (g->leaf && !wide && g->level == 2)
		n = add(rows, n, &left,
			(struct spt_bit){ .mask = SPT_BITS(20, 13),
					  .kind = SPT_BIT_HEX,
					  .name = "pse36",
					  .set = "address bits 39-32" });
	n = add(rows, n, &left,
		(struct spt_bit){ .mask = spt_gpte_address_mask(mmu, g->level, g->leaf),
				  .kind = SPT_BIT_ADDRESS,
				  .name = g->leaf ? "page" : "table",
				  .set = g->leaf ? "guest-physical address of the page"
						 : "guest-physical address of the next table",
				  .clear = "guest-physical address 0" });
	if (wide && !pdpte)
		n = add(rows, n, &left,
			(struct spt_bit){ .mask = SPT_BIT(63),
					  .name = "nx",
					  .set = "no instruction fetch",
					  .clear = "instruction fetch allowed" });
	n = add(rows, n, &left,
		(struct spt_bit){ .mask = left,
				  .kind = SPT_BIT_IGNORED,
				  .name = "ignored",
				  .set = "the guest's own use, or a protection key" });
	spt_bits_sort(rows, n);
	return n;
}
