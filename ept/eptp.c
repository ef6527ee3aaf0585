// SPDX-License-Identifier: GPL-2.0
#include "ept/eptp.h"

#include "ept/hw.h"

#define MEMTYPE	       SPT_BITS(2, 0)
#define WALK_LENGTH    SPT_BITS(5, 3) /* levels - 1 */
#define ACCESSED_DIRTY SPT_BIT(6)
#define SHADOW_STACK   SPT_BIT(7)
#define RESERVED_LOW   SPT_BITS(11, 8)

#define MEMTYPE_UC 0
#define MEMTYPE_WB 6

static __u64 root_mask(unsigned int maxphyaddr)
{
	return SPT_BITS((maxphyaddr > 12 && maxphyaddr < 64 ? maxphyaddr : 64) - 1, 12);
}

static const char *why_invalid(const struct spt_eptp *e)
{
	if (e->memtype != MEMTYPE_WB && e->memtype != MEMTYPE_UC)
		return "the memory type is neither WB nor UC";
	if (e->levels != 4 && e->levels != 5)
		return "the walk is neither 4 nor 5 levels long";
	return e->reserved ? "a reserved bit is set" : NULL;
}

struct spt_eptp spt_eptp_decode(__u64 eptp, unsigned int maxphyaddr)
{
	struct spt_eptp e = {
		.root = eptp & root_mask(maxphyaddr),
		.levels = (int)spt_bits_extract(WALK_LENGTH, eptp) + 1,
		.memtype = (unsigned int)spt_bits_extract(MEMTYPE, eptp),
		.accessed_dirty = eptp & ACCESSED_DIRTY,
		.supervisor_shadow_stack = eptp & SHADOW_STACK,
	};

	e.reserved = eptp & (RESERVED_LOW | (~root_mask(maxphyaddr) & SPT_BITS(63, 12)));
	e.invalid = why_invalid(&e);
	return e;
}

__u64 spt_eptp_compose(__u64 root_hpa, int levels, bool accessed_dirty)
{
	return root_hpa | MEMTYPE_WB | spt_bits_deposit(WALK_LENGTH, (__u64)levels - 1) |
	       (accessed_dirty ? ACCESSED_DIRTY : 0);
}

size_t spt_eptp_rows(unsigned int maxphyaddr, struct spt_bit *rows)
{
	static const char *const memtypes[] = { "UC", NULL, NULL, NULL, NULL, NULL, "WB", NULL };
	static const char *const levels[] = { NULL,	  NULL, NULL, "4 levels",
					      "5 levels", NULL, NULL, NULL };
	static const struct spt_bit fixed[] = {
		{ MEMTYPE, .kind = SPT_BIT_NUMBER, .name = "memtype", .values = memtypes,
		  .n_values = 8, .set = "memory type of the tables",
		  .clear = "memory type of the tables" },
		{ WALK_LENGTH, .kind = SPT_BIT_NUMBER, .name = "walk", .values = levels,
		  .n_values = 8, .set = "length of the walk, less one" },
		{ ACCESSED_DIRTY, .name = "accessed-dirty", .set = "the CPU keeps A and D bits",
		  .clear = "no A and D bits" },
		{ SHADOW_STACK, .name = "supervisor-shadow-stack",
		  .set = "rights of supervisor shadow-stack pages are enforced" },
		{ RESERVED_LOW, .kind = SPT_BIT_RESERVED, .name = "reserved", .set = "must be 0" },
	};
	size_t n = 0;
	__u64 high = ~root_mask(maxphyaddr) & SPT_BITS(63, 12);

	for (; n < sizeof(fixed) / sizeof(fixed[0]); n++)
		rows[n] = fixed[n];
	rows[n++] = (struct spt_bit){ .mask = root_mask(maxphyaddr),
				      .kind = SPT_BIT_ADDRESS,
				      .name = "root",
				      .set = "host address of the top table",
				      .clear = "host address of the top table" };
	if (high)
		rows[n++] =
			(struct spt_bit){ .mask = high,
					  .kind = SPT_BIT_RESERVED,
					  .name = "reserved",
					  .set = "must be 0: the CPU has no such address bits" };
	return n;
}
