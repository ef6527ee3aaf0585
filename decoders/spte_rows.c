// SPDX-License-Identifier: GPL-2.0
/*
 * The bit layout of an SPTE in words. One table for all formats: a row's bits
 * are those of a member of struct spt_format, or fixed ones, and it says for
 * which styles, types, levels and kinds of table it holds. What no row takes is
 * given out as one row 'ignored'.
 */
#include "decoders/spte.h"

enum {
	EPT = 1 << SPT_STYLE_EPT,
	PT = 1 << SPT_STYLE_PT,
	ANY_STYLE = EPT | PT,
};

enum {
	NONPRESENT = 1 << SPT_SPTE_NONPRESENT,
	TABLE = 1 << SPT_SPTE_TABLE,
	LEAF = 1 << SPT_SPTE_LEAF,
	MMIO = 1 << SPT_SPTE_MMIO,
	FROZEN = 1 << SPT_SPTE_FROZEN,
	PRESENT = TABLE | LEAF,
	GONE = NONPRESENT | FROZEN,
	ANY_TYPE = PRESENT | GONE | MMIO,
};

enum {
	L1 = 1 << 1,
	HUGE = 1 << 2 | 1 << 3,
	TOP = 1 << 4 | 1 << 5,
	ABOVE_L1 = HUGE | TOP,
	ANY_LEVEL = L1 | ABOVE_L1,
};

/* Kinds of table: KVM's own ones, those without a kvm_mmu_page, PDPTEs. */
enum {
	OWN = 1 << SPT_SPTE_WALKED | 1 << SPT_SPTE_MIRROR,
	RAW = 1 << SPT_SPTE_RAW,
	PDPTE = 1 << SPT_SPTE_PAE_ROOT,
	ANY_KIND = OWN | RAW | PDPTE,
};

static const char *const ad_types[] = { "enabled", "disabled", "wrprot-only", NULL };
static const char *const memtypes[] = { "UC", "WC", NULL, NULL, "WT", "WP", "WB", NULL };

#define FIELD(member) .field = offsetof(struct spt_format, member)
#define FIXED(bits)   .field = NO_FIELD, .fixed = (bits)
#define NAMES(list)   .values = (list), .n_values = sizeof(list) / sizeof((list)[0])
#define NO_FIELD      ((size_t)-1)

static const struct row {
	size_t field; /* of struct spt_format: its bits; NO_FIELD: 'fixed' */
	__u64 fixed;
	unsigned int styles, types, levels, kinds;
	struct spt_bit bit; /* without the mask */
} table[] = {
	/* clang-format off */
	/* Permissions. */
	{ FIELD(read), 0, EPT, PRESENT | GONE, ANY_LEVEL, ANY_KIND,
	  { .name = "read", .set = "reads allowed", .clear = "no reads" } },
	{ FIELD(read), 0, PT, PRESENT | GONE, ANY_LEVEL, ANY_KIND,
	  { .name = "present", .set = "present for the hardware",
	    .clear = "not present for the hardware" } },
	{ FIELD(write), 0, ANY_STYLE, PRESENT, ANY_LEVEL, OWN | RAW,
	  { .name = "write", .set = "writes allowed", .clear = "no writes" } },
	{ FIELD(write), 0, EPT, GONE, ANY_LEVEL, ANY_KIND,
	  { .name = "write", .clear = "no writes" } },
	{ FIELD(exec), 0, EPT, PRESENT | GONE, ANY_LEVEL, ANY_KIND,
	  { .name = "exec", .set = "instruction fetches allowed",
	    .clear = "no instruction fetches" } },
	{ FIELD(user), 0, PT, PRESENT, ANY_LEVEL, OWN | RAW,
	  { .name = "user", .set = "user-mode accesses allowed",
	    .clear = "supervisor accesses only" } },
	{ FIELD(xu), 0, EPT, PRESENT | GONE, ANY_LEVEL, ANY_KIND,
	  { .name = "user-exec", .set = "fetches in user mode allowed (under MBEC)",
	    .clear = "no fetches in user mode (under MBEC)" } },
	{ FIELD(nx), 0, PT, PRESENT, ANY_LEVEL, OWN | RAW,
	  { .name = "nx", .set = "no instruction fetches",
	    .clear = "instruction fetches allowed" } },

	/* Caching. */
	{ FIELD(memtype), 0, EPT, LEAF, ANY_LEVEL, OWN | RAW,
	  { .kind = SPT_BIT_NUMBER, .name = "memtype", NAMES(memtypes),
	    .set = "memory type", .clear = "memory type: uncached" } },
	{ FIELD(ipat), 0, EPT, LEAF, ANY_LEVEL, OWN | RAW,
	  { .name = "ipat", .set = "the guest's PAT is ignored",
	    .clear = "combined with the guest's PAT" } },
	{ FIXED(SPT_BITS(6, 3)), EPT, TABLE, ANY_LEVEL, ANY_KIND,
	  { .kind = SPT_BIT_RESERVED, .name = "reserved", .set = "must be 0 in a table entry" } },
	{ FIXED(SPT_BIT(3)), PT, PRESENT, ANY_LEVEL, ANY_KIND,
	  { .name = "pwt", .set = "write-through by PAT" } },
	{ FIXED(SPT_BIT(4)), PT, PRESENT, ANY_LEVEL, ANY_KIND,
	  { .name = "pcd", .set = "uncached by PAT" } },
	{ FIXED(SPT_BIT(7)), PT, LEAF, L1, OWN | RAW,
	  { .name = "pat", .set = "upper half of the PAT" } },
	{ FIXED(SPT_BIT(12)), PT, LEAF, ABOVE_L1, OWN | RAW,
	  { .name = "pat", .set = "upper half of the PAT" } },

	/* Size. */
	{ FIXED(SPT_BIT(7)), ANY_STYLE, LEAF, HUGE, OWN | RAW,
	  { .name = "page-size", .set = "maps a page of this level's size" } },
	{ FIXED(SPT_BIT(7)), ANY_STYLE, TABLE, L1 | HUGE, OWN | RAW,
	  { .name = "page-size", .clear = "leads to a table" } },
	{ FIXED(SPT_BIT(7)), ANY_STYLE, PRESENT, TOP, OWN | RAW,
	  { .kind = SPT_BIT_RESERVED, .name = "reserved",
	    .set = "must be 0: there are no pages of this level's size" } },
	{ FIXED(SPT_BITS(63, 52) | SPT_BITS(8, 5) | SPT_BITS(2, 1)), PT, TABLE, ANY_LEVEL, PDPTE,
	  { .kind = SPT_BIT_RESERVED, .name = "reserved", .set = "must be 0 in a PDPTE" } },
	{ FIXED(SPT_BIT(8)), PT, LEAF, ANY_LEVEL, OWN | RAW,
	  { .name = "global", .set = "global" } },

	/* Accessed and dirty. */
	{ FIELD(accessed), 0, ANY_STYLE, PRESENT, ANY_LEVEL, OWN | RAW,
	  { .name = "accessed", .set = "accessed", .clear = "not accessed since it was cleared" } },
	{ FIELD(dirty), 0, ANY_STYLE, LEAF, ANY_LEVEL, OWN | RAW,
	  { .name = "dirty", .set = "written", .clear = "not written since it was cleared" } },
	{ FIELD(ad_type), 0, EPT, PRESENT, ANY_LEVEL, OWN,
	  { .kind = SPT_BIT_NUMBER, .name = "ad-type", NAMES(ad_types),
	    .set = "who keeps accessed and dirty", .clear = "the hardware's A and D bits are used" } },

	/* KVM's own bits. */
	{ FIXED(SPT_SPTE_MMU_PRESENT), ANY_STYLE, ANY_TYPE, ANY_LEVEL, OWN,
	  { .name = "mmu-present", .set = "present for KVM", .clear = "not present for KVM" } },
	{ FIELD(host_writable), 0, ANY_STYLE, LEAF, ANY_LEVEL, OWN,
	  { .name = "host-writable", .set = "the host allows writes to the page",
	    .clear = "read-only for the host: slot or mapping" } },
	{ FIELD(mmu_writable), 0, ANY_STYLE, LEAF, ANY_LEVEL, OWN,
	  { .name = "mmu-writable", .set = "KVM may set W without mmu_lock",
	    .clear = "write-protected for shadow paging, or not host-writable" } },
	{ FIELD(saved_read), 0, EPT, LEAF, ANY_LEVEL, OWN,
	  { .name = "saved-read", .set = "R comes back at the next access" } },
	{ FIELD(saved_exec), 0, EPT, LEAF, ANY_LEVEL, OWN,
	  { .name = "saved-exec", .set = "X comes back at the next access" } },
	{ FIELD(saved_user_exec), 0, EPT, LEAF, ANY_LEVEL, OWN,
	  { .name = "saved-user-exec", .set = "user-execute comes back at the next access" } },
	{ FIELD(suppress_ve), 0, EPT, PRESENT | GONE, ANY_LEVEL, ANY_KIND,
	  { .name = "sve", .set = "a violation exits to KVM",
	    .clear = "a violation may become #VE, where #VE is on" } },
	{ FIELD(me_mask), 0, ANY_STYLE, PRESENT, ANY_LEVEL, ANY_KIND,
	  { .kind = SPT_BIT_PATTERN, .name = "encryption", .set = "encrypted memory",
	    .clear = "not encrypted" } },

	/* MMIO. */
	{ FIELD(mmio_mask), 0, ANY_STYLE, MMIO, ANY_LEVEL, OWN,
	  { .kind = SPT_BIT_PATTERN, .name = "mmio", .set = "an access faults as malformed: KVM emulates it",
	    .clear = "KVM emulates the access" } },
	{ FIELD(mmio_access), 0, ANY_STYLE, MMIO, ANY_LEVEL, OWN,
	  { .kind = SPT_BIT_PATTERN, .name = "access", .set = "accesses that the guest's tables allow",
	    .clear = "reads by supervisor code only" } },
	{ FIELD(mmio_gen), 0, ANY_STYLE, MMIO, ANY_LEVEL, OWN,
	  { .kind = SPT_BIT_NUMBER, .name = "generation",
	    .set = "memslot generation in which it holds",
	    .clear = "memslot generation in which it holds" } },
	{ FIELD(l1tf), 0, ANY_STYLE, MMIO, ANY_LEVEL, OWN,
	  { .kind = SPT_BIT_PATTERN, .name = "l1tf", .set = "always set, so that no real memory is named" } },
	/* clang-format on */
};

static __u64 row_mask(const struct spt_format *f, const struct row *row)
{
	if (row->field == NO_FIELD)
		return row->fixed;
	return *(const __u64 *)((const char *)f + row->field);
}

static size_t add(struct spt_bit *rows, size_t n, __u64 mask, const struct spt_bit *bit)
{
	if (!mask || n >= SPT_BITS_MAX)
		return n;
	rows[n] = *bit;
	rows[n].mask = mask;
	return n + 1;
}

static const struct spt_bit page_row = {
	.kind = SPT_BIT_ADDRESS,
	.name = "page",
	.set = "host address of the page",
	.clear = "host address of the page",
};

static const struct spt_bit table_row = {
	.kind = SPT_BIT_ADDRESS,
	.name = "table",
	.set = "host address of the next table",
	.clear = "host address of the next table",
};

static const struct spt_bit gfn_row = {
	.kind = SPT_BIT_HEX,
	.name = "gfn",
	.set = "guest frame that is emulated",
	.clear = "guest frame that is emulated",
};

static const struct spt_bit unaligned_row = {
	.kind = SPT_BIT_RESERVED,
	.name = "reserved",
	.set = "must be 0: the page is aligned",
};

static const struct spt_bit beyond_row = {
	.kind = SPT_BIT_RESERVED,
	.name = "reserved",
	.set = "must be 0: the CPU has no such address bits",
};

/* The rows whose bits depend on the level: address and what is reserved around it. */
static size_t add_address(const struct spt_format *f, const struct spt_spte *s,
			  struct spt_bit *rows, size_t n)
{
	bool leaf = s->type == SPT_SPTE_LEAF;
	__u64 addr = leaf ? f->leaf_addr[s->level] : f->addr;
	__u64 pat = leaf && f->style == SPT_STYLE_PT && s->level > 1 ? SPT_BIT(12) : 0;

	if (s->type == SPT_SPTE_MMIO)
		return add(rows, n, f->mmio_gfn_low | f->mmio_gfn_high, &gfn_row);
	if (!leaf && s->type != SPT_SPTE_TABLE)
		return n;
	n = add(rows, n, addr & ~f->reserved, leaf ? &page_row : &table_row);
	n = add(rows, n, f->addr & ~addr & ~pat & ~f->reserved, &unaligned_row);
	return add(rows, n, f->reserved, &beyond_row);
}

size_t spt_spte_rows(const struct spt_format *f, const struct spt_spte *s, struct spt_bit *rows)
{
	static const struct spt_bit ignored = { .kind = SPT_BIT_IGNORED, .name = "ignored" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct row *row = &table[i];

		if (row->styles >> f->style & row->types >> s->type & row->levels >> s->level &
		    row->kinds >> s->kind & 1)
			n = add(rows, n, row_mask(f, row), &row->bit);
	}
	n = add_address(f, s, rows, n);
	n = add(rows, n, ~spt_bits_covered(rows, n, NULL), &ignored);
	spt_bits_sort(rows, n);
	return n;
}

__u64 spt_spte_meaning(const struct spt_format *f)
{
	__u64 meaning = SPT_SPTE_MMU_PRESENT | SPT_SPTE_PAGE_SIZE;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].styles >> f->style & 1 && table[i].types & LEAF)
			meaning |= row_mask(f, &table[i]);
	return (meaning & ~f->addr) | f->reserved;
}
