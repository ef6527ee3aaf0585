// SPDX-License-Identifier: GPL-2.0
#include "ept/hw.h"

#define READ	      SPT_BIT(0) /* NPT: present */
#define WRITE	      SPT_BIT(1)
#define EPT_EXEC      SPT_BIT(2)
#define EPT_MEMTYPE   SPT_BITS(5, 3)
#define EPT_IPAT      SPT_BIT(6)
#define PAGE_SIZE_BIT SPT_BIT(7)
#define EPT_ACCESSED  SPT_BIT(8)
#define EPT_DIRTY     SPT_BIT(9)
#define EPT_USER_EXEC SPT_BIT(10)
#define EPT_VGP	      SPT_BIT(57) /* verify guest paging */
#define EPT_PW	      SPT_BIT(58) /* paging write */
#define EPT_SSS	      SPT_BIT(60) /* supervisor shadow stack */
#define EPT_SPP	      SPT_BIT(61) /* sub-page write permissions */
#define EPT_SVE	      SPT_BIT(63)
#define NPT_USER      SPT_BIT(2)
#define NPT_PWT	      SPT_BIT(3)
#define NPT_PCD	      SPT_BIT(4)
#define NPT_ACCESSED  SPT_BIT(5)
#define NPT_DIRTY     SPT_BIT(6)
#define NPT_GLOBAL    SPT_BIT(8)
#define NPT_LARGE_PAT SPT_BIT(12)
#define NPT_NX	      SPT_BIT(63)

static const char *const memtypes[] = { "UC", "WC", NULL, NULL, "WT", "WP", "WB", NULL };

const char *spt_memtype_name(unsigned int memtype)
{
	return memtype < sizeof(memtypes) / sizeof(memtypes[0]) ? memtypes[memtype] : NULL;
}

const char *spt_hw_state_name(enum spt_hw_state state)
{
	static const char *const names[] = {
		[SPT_HW_NONPRESENT] = "nonpresent",
		[SPT_HW_TABLE] = "table",
		[SPT_HW_LEAF] = "leaf",
		[SPT_HW_MALFORMED] = "malformed",
	};

	return (unsigned int)state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

static int clamp_level(int level)
{
	return level < 1 ? 1 : level > 5 ? 5 : level;
}

static __u64 span(int level)
{
	return 1ULL << (12 + 9 * (level - 1));
}

static bool present(const struct spt_hw *hw, __u64 entry)
{
	if (hw->format == SPT_HW_NPT)
		return entry & READ;
	return entry & (READ | WRITE | EPT_EXEC | (hw->mbec ? EPT_USER_EXEC : 0));
}

static bool is_leaf(__u64 entry, int level)
{
	return level == 1 || (level <= 3 && (entry & PAGE_SIZE_BIT));
}

/* Address bits: to the CPU's width, without the C-bit. */
static __u64 address_mask(const struct spt_hw *hw, int level, bool leaf)
{
	unsigned int bits = hw->maxphyaddr && hw->maxphyaddr < 52 ? hw->maxphyaddr : 52;
	__u64 mask = SPT_BITS(bits - 1, 12) & ~hw->c_bit;

	return leaf ? mask & ~(span(level) - 1) : mask;
}

static __u64 reserved_mask(const struct spt_hw *hw, int level, bool leaf)
{
	__u64 pat = hw->format == SPT_HW_NPT && leaf && level > 1 ? NPT_LARGE_PAT : 0;
	__u64 reserved = SPT_BITS(51, 12) & ~address_mask(hw, level, leaf) & ~hw->c_bit & ~pat;

	if (level > 3)
		reserved |= PAGE_SIZE_BIT;
	if (hw->format == SPT_HW_EPT && !leaf)
		reserved |= EPT_IPAT | EPT_MEMTYPE;
	return reserved;
}

/* SDM Vol. 3C 29.3.3.1: what makes an EPT entry a misconfiguration. */
static const char *ept_malformed(const struct spt_hw *hw, __u64 entry, bool leaf)
{
	bool exec = entry & (EPT_EXEC | (hw->mbec ? EPT_USER_EXEC : 0));

	if ((entry & WRITE) && !(entry & READ))
		return "write without read";
	if (exec && !(entry & READ) && !hw->exec_only)
		return "execute without read, which this CPU does not have";
	if (leaf && !spt_memtype_name((unsigned int)spt_bits_extract(EPT_MEMTYPE, entry)))
		return "reserved memory type";
	return NULL;
}

struct spt_hw_entry spt_hw_decode(const struct spt_hw *hw, __u64 entry, int level)
{
	struct spt_hw_entry e = { .memtype = -1 };
	bool leaf;

	level = clamp_level(level);
	leaf = is_leaf(entry, level);
	e.size = span(level);
	if (!present(hw, entry))
		return e;
	e.hpa = entry & address_mask(hw, level, leaf);
	e.reserved = entry & reserved_mask(hw, level, leaf);
	if (hw->format == SPT_HW_EPT) {
		e.read = entry & READ;
		e.exec = entry & EPT_EXEC;
		e.user_exec = hw->mbec && (entry & EPT_USER_EXEC);
		e.malformed = ept_malformed(hw, entry, leaf);
		if (leaf)
			e.memtype = (int)spt_bits_extract(EPT_MEMTYPE, entry);
	} else {
		e.read = true;
		e.exec = !(entry & NPT_NX);
	}
	e.write = entry & WRITE;
	if (e.reserved)
		e.malformed = "a reserved bit is set";
	e.state = e.malformed ? SPT_HW_MALFORMED : leaf ? SPT_HW_LEAF : SPT_HW_TABLE;
	return e;
}

enum { EPT = 1 << SPT_HW_EPT, NPT = 1 << SPT_HW_NPT };
enum { GONE = 1, TABLE = 2, HUGE = 4, SMALL = 8, LEAF = HUGE | SMALL, PRESENT = TABLE | LEAF };

static const struct {
	unsigned int formats, states;
	struct spt_bit bit;
} table[] = {
	/* clang-format off */
	{ EPT, GONE | PRESENT, { READ, .name = "read", .clear = "no reads" } },
	{ EPT, GONE | PRESENT, { WRITE, .name = "write", .clear = "no writes" } },
	{ EPT, GONE | PRESENT, { EPT_EXEC, .name = "exec", .clear = "no instruction fetch" } },
	{ EPT, LEAF, { EPT_MEMTYPE, .kind = SPT_BIT_NUMBER, .name = "memtype",
	  .values = memtypes, .n_values = sizeof(memtypes) / sizeof(memtypes[0]) } },
	{ EPT, LEAF, { EPT_IPAT, .name = "ipat", .set = "the guest's PAT is ignored" } },
	{ EPT, PRESENT, { EPT_ACCESSED, .name = "accessed", .set = "accessed, if the EPTP has A/D on" } },
	{ EPT, LEAF, { EPT_DIRTY, .name = "dirty", .set = "written, if the EPTP has A/D on" } },
	{ EPT, LEAF, { EPT_VGP, .name = "verify-guest-paging" } },
	{ EPT, LEAF, { EPT_PW, .name = "paging-write" } },
	{ EPT, LEAF, { EPT_SSS, .name = "supervisor-shadow-stack" } },
	{ EPT, SMALL, { EPT_SPP, .name = "sub-page-permissions" } },
	{ EPT, GONE | LEAF, { EPT_SVE, .name = "suppress-ve", .set = "a violation exits",
	  .clear = "a violation may become #VE" } },
	{ NPT, GONE | PRESENT, { READ, .name = "present", .clear = "not present" } },
	{ NPT, PRESENT, { WRITE, .name = "write", .clear = "no writes" } },
	{ NPT, PRESENT, { NPT_USER, .name = "user", .clear = "supervisor only: a guest's access faults" } },
	{ NPT, PRESENT, { NPT_PWT, .name = "pwt" } },
	{ NPT, PRESENT, { NPT_PCD, .name = "pcd" } },
	{ NPT, PRESENT, { NPT_ACCESSED, .name = "accessed" } },
	{ NPT, LEAF, { NPT_DIRTY, .name = "dirty" } },
	{ NPT, LEAF, { NPT_GLOBAL, .name = "global", .set = "ignored in nested tables" } },
	{ NPT, PRESENT, { NPT_NX, .name = "nx", .set = "no instruction fetch" } },
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

size_t spt_hw_rows(const struct spt_hw *hw, __u64 entry, int level, struct spt_bit *rows)
{
	bool leaf = is_leaf(entry, clamp_level(level));
	unsigned int state = !present(hw, entry) ? GONE : !leaf ? TABLE : level > 1 ? HUGE : SMALL;
	__u64 left = ~0ULL;
	size_t n = 0;

	level = clamp_level(level);
	if (state != GONE)
		n = add(rows, n, &left,
			(struct spt_bit){ .mask = reserved_mask(hw, level, leaf),
					  .kind = SPT_BIT_RESERVED,
					  .name = "reserved",
					  .set = "must be 0" });
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].formats >> hw->format & 1 && table[i].states & state)
			n = add(rows, n, &left, table[i].bit);
	if (hw->format == SPT_HW_EPT && hw->mbec)
		n = add(rows, n, &left,
			(struct spt_bit){ .mask = EPT_USER_EXEC,
					  .name = "user-exec",
					  .clear = "no instruction fetch in user mode" });
	if (state != GONE) {
		if (level > 1)
			n = add(rows, n, &left,
				(struct spt_bit){ .mask = PAGE_SIZE_BIT,
						  .name = "page-size",
						  .set = "maps a page of this level's size",
						  .clear = "leads to a table" });
		if (hw->format == SPT_HW_NPT && leaf)
			n = add(rows, n, &left,
				(struct spt_bit){ .mask = level > 1 ? NPT_LARGE_PAT : PAGE_SIZE_BIT,
						  .name = "pat" });
		n = add(rows, n, &left,
			(struct spt_bit){
				.mask = hw->c_bit, .name = "encrypted", .clear = "not encrypted" });
		n = add(rows, n, &left,
			(struct spt_bit){ .mask = address_mask(hw, level, leaf),
					  .kind = SPT_BIT_ADDRESS,
					  .name = leaf ? "page" : "table",
					  .set = leaf ? "host address of the page"
						      : "host address of the next table",
					  .clear = "host address 0" });
	}
	n = add(rows, n, &left,
		(struct spt_bit){ .mask = left,
				  .kind = SPT_BIT_IGNORED,
				  .name = "ignored",
				  .set = "the hypervisor's own use" });
	spt_bits_sort(rows, n);
	return n;
}
