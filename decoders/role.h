/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The role of a shadow page (union kvm_mmu_page_role): what its table is for.
 * Positions and widths of its bits differ between kernels and come with the
 * image (struct spt_head); a bit of width 0 does not exist there.
 */
#ifndef SPT_DECODERS_ROLE_H
#define SPT_DECODERS_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include "agent/spt_image.h"
#include "decoders/bits.h"

/* Rows of layouts: what all kernels share, and what those share whose 'access' has three bits. */
#define SPT_ROLE_FIRST_BITS                                                                        \
	[SPT_ROLE_LEVEL] = { 0, 4 }, [SPT_ROLE_QUADRANT] = { 5, 2 }, [SPT_ROLE_DIRECT] = { 7, 1 }, \
	[SPT_ROLE_SMM] = { 24, 8 }
#define SPT_ROLE_ACCESS3_BITS                                                                      \
	SPT_ROLE_FIRST_BITS, [SPT_ROLE_ACCESS] = { 8, 3 }, [SPT_ROLE_INVALID] = { 11, 1 },         \
			     [SPT_ROLE_EFER_NX] = { 12, 1 }, [SPT_ROLE_CR0_WP] = { 13, 1 },        \
			     [SPT_ROLE_SMEP_ANDNOT_WP] = { 14, 1 },                                \
			     [SPT_ROLE_SMAP_ANDNOT_WP] = { 15, 1 },                                \
			     [SPT_ROLE_AD_DISABLED] = { 16, 1 }, [SPT_ROLE_GUEST_MODE] = { 17, 1 }

/* Positions for role words without an image; index: enum spt_role_bit. */
extern const struct spt_bits spt_role_access3[SPT_ROLE_MAX]; /* 6.1, 6.12 */
extern const struct spt_bits spt_role_access4[SPT_ROLE_MAX]; /* 7.3 */

/* False: this layout has no such bit. */
static inline bool spt_role_has(const struct spt_bits *layout, enum spt_role_bit bit)
{
	return layout[bit].width != 0;
}

/* Value of one bit field of a role word; 0 where the layout has none. */
static inline unsigned int spt_role_get(const struct spt_bits *layout, __u32 word,
					enum spt_role_bit bit)
{
	if (!layout[bit].width || layout[bit].width >= 32 || layout[bit].shift >= 32)
		return 0;
	return word >> layout[bit].shift & ((1U << layout[bit].width) - 1);
}

/* True if the shadowed guest table has 4-byte entries, by either name of that bit. */
bool spt_role_4_byte_gpte(const struct spt_bits *layout, __u32 word);

/* KVM's name of the field ('level', 'cr0_wp'): also the JSON key. */
const char *spt_role_name(enum spt_role_bit bit);

/* All bits of a role word that the layout gives a meaning. */
__u32 spt_role_bits(const struct spt_bits *layout);

/*
 * The role on one line, in the words of KVM's own trace events:
 * 'l4 8-byte q0 direct rwx nxe ad'. Returns the length like snprintf().
 */
int spt_role_text(const struct spt_bits *layout, __u32 word, char *buf, size_t size);

#define SPT_ACCESS_TEXT 5 /* bytes that a buffer for spt_access_text() has */

/*
 * ACC_* bits as text. access of 3 bits: 'wux' (X=1 W=2 U=4, readable always);
 * of 4 bits: 'rwux' (R=1 W=2 U=4 X=8). '-' for what is missing. Returns buf.
 */
const char *spt_access_text(const struct spt_bits *layout, unsigned int access, char *buf);

/* The layout as rows for --explain; returns their number, rows[SPT_BITS_MAX]. */
size_t spt_role_rows(const struct spt_bits *layout, struct spt_bit *rows);

/* Whether every field lies in 32 bits and none overlaps another: for images not trusted. */
bool spt_role_layout_valid(const struct spt_bits *layout);

#endif
