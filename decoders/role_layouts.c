// SPDX-License-Identifier: GPL-2.0
/*
 * Sources: union kvm_mmu_page_role in arch/x86/include/asm/kvm_host.h of each kernel; for the
 * first TDX trees the published patches.
 */
#include "decoders/role_layouts.h"

#include <stdio.h>
#include <string.h>

static const struct spt_bits tdx_2021[SPT_ROLE_MAX] = {
	SPT_ROLE_ACCESS3_BITS,
	[SPT_ROLE_GPTE_IS_8_BYTES] = { 4, 1 },
};

/* As 6.1, and the private half. */
static const struct spt_bits tdx_2022[SPT_ROLE_MAX] = {
	SPT_ROLE_ACCESS3_BITS,
	[SPT_ROLE_HAS_4_BYTE_GPTE] = { 4, 1 },
	[SPT_ROLE_PASSTHROUGH] = { 18, 1 },
	[SPT_ROLE_IS_MIRROR] = { 19, 1 },
};

static const struct {
	const char *name, *about;
	const struct spt_bits *bits;
	const char *mirror; /* name of the bit that is_mirror is today, where it differs */
} known[] = {
#define L(name, bits, mirror, about) { name, about, bits, mirror },
	SPT_ROLE_LAYOUTS(L)
#undef L
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

const char *spt_role_layout_name(size_t index, const char **about)
{
	if (index >= KNOWN)
		return NULL;
	if (about)
		*about = known[index].about;
	return known[index].name;
}

bool spt_role_layout_by_name(const char *name, struct spt_role_layout *ret)
{
	for (size_t i = 0; i < KNOWN; i++) {
		if (strcmp(name, known[i].name) != 0)
			continue;
		memset(ret, 0, sizeof(*ret));
		memcpy(ret->bits, known[i].bits, sizeof(ret->bits));
		for (unsigned int bit = 0; bit < SPT_ROLE_COUNT; bit++)
			if (spt_role_has(ret->bits, bit))
				snprintf(ret->name[bit], sizeof(ret->name[bit]), "%s",
					 bit == SPT_ROLE_IS_MIRROR && known[i].mirror
						 ? known[i].mirror
						 : spt_role_name(bit));
		return true;
	}
	return false;
}

/* access had no R: whatever was mapped could be read. */
static unsigned int access_today(unsigned int access)
{
	enum { OLD_X = 1, W = 2, U = 4, R = 1, X = 8 };

	return R | (access & (W | U)) | (access & OLD_X ? X : 0);
}

struct spt_role_today spt_role_today(const struct spt_role_layout *layout, __u32 word,
				     enum spt_role_bit bit)
{
	unsigned int value = spt_role_get(layout->bits, word, bit);
	unsigned int narrow = layout->bits[SPT_ROLE_ACCESS].width == 3;

	switch (bit) {
	case SPT_ROLE_GPTE_IS_8_BYTES:
		return (struct spt_role_today){ SPT_ROLE_HAS_4_BYTE_GPTE, !value,
						"the reverse of what it was" };
	case SPT_ROLE_ACCESS:
		return (struct spt_role_today){ bit, narrow ? access_today(value) : value,
						narrow ? "R has a bit of its own since; X moved"
						       : NULL };
	default:
		break;
	}
	if (spt_role_has(spt_role_access4, bit))
		return (struct spt_role_today){ bit, value, NULL };
	return (struct spt_role_today){ SPT_ROLE_COUNT, value,
					"gone; the later cr4_smep is another thing" };
}

__u32 spt_role_word_today(const struct spt_role_layout *layout, __u32 word, __u32 *unknown)
{
	const struct spt_bits *to = spt_role_access4;
	__u32 today = 0;

	*unknown = spt_role_bits(to);
	for (unsigned int bit = 0; bit < SPT_ROLE_COUNT; bit++) {
		struct spt_role_today t;

		if (!spt_role_has(layout->bits, bit))
			continue;
		t = spt_role_today(layout, word, bit);
		if (t.bit == SPT_ROLE_COUNT)
			continue;
		today |= t.value << to[t.bit].shift;
		*unknown &= ~(((1U << to[t.bit].width) - 1) << to[t.bit].shift);
	}
	return today;
}
