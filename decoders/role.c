// SPDX-License-Identifier: GPL-2.0
#include "decoders/role.h"

#include <stdio.h>

const struct spt_bits spt_role_access3[SPT_ROLE_MAX] = {
	SPT_ROLE_ACCESS3_BITS,
	[SPT_ROLE_HAS_4_BYTE_GPTE] = { 4, 1 },
	[SPT_ROLE_PASSTHROUGH] = { 18, 1 },
};

const struct spt_bits spt_role_access4[SPT_ROLE_MAX] = {
	SPT_ROLE_FIRST_BITS,
	[SPT_ROLE_HAS_4_BYTE_GPTE] = { 4, 1 },
	[SPT_ROLE_ACCESS] = { 8, 4 },
	[SPT_ROLE_INVALID] = { 12, 1 },
	[SPT_ROLE_EFER_NX] = { 13, 1 },
	[SPT_ROLE_CR0_WP] = { 14, 1 },
	[SPT_ROLE_SMAP_ANDNOT_WP] = { 15, 1 },
	[SPT_ROLE_AD_DISABLED] = { 16, 1 },
	[SPT_ROLE_GUEST_MODE] = { 17, 1 },
	[SPT_ROLE_PASSTHROUGH] = { 18, 1 },
	[SPT_ROLE_IS_MIRROR] = { 19, 1 },
	[SPT_ROLE_CR4_SMEP] = { 20, 1 },
};

static const char *const names[SPT_ROLE_COUNT] = {
#define B(id, name) [SPT_ROLE_##id] = #name,
	SPT_ROLE_BITS(B)
#undef B
};

static const struct {
	const char *set, *clear;
} texts[SPT_ROLE_COUNT] = {
	[SPT_ROLE_LEVEL] = { "level of the table: 1 maps 4K pages", NULL },
	[SPT_ROLE_HAS_4_BYTE_GPTE] = { "shadows a 32-bit guest table",
				       "guest entries have 8 bytes, or there is no guest table" },
	[SPT_ROLE_QUADRANT] = { "part of the 32-bit guest table that this one shadows", NULL },
	[SPT_ROLE_DIRECT] = { "maps GPAs, no guest table is shadowed", "shadows a guest table" },
	[SPT_ROLE_ACCESS] = { "the most that entries below it may allow", "allows nothing" },
	[SPT_ROLE_INVALID] = { "on its way out: no vCPU may load it", NULL },
	[SPT_ROLE_EFER_NX] = { "the NX bit is in use", "no NX bit" },
	[SPT_ROLE_CR0_WP] = { "supervisor writes obey W", "supervisor writes ignore W" },
	[SPT_ROLE_SMEP_ANDNOT_WP] = { "SMEP without CR0.WP", NULL },
	[SPT_ROLE_SMAP_ANDNOT_WP] = { "SMAP without CR0.WP", NULL },
	[SPT_ROLE_AD_DISABLED] = { "no hardware A/D bits", "hardware keeps A/D bits" },
	[SPT_ROLE_GUEST_MODE] = { "for the guest's own guest (L2)", NULL },
	[SPT_ROLE_PASSTHROUGH] = { "has no guest table behind it: an extra level for shadow NPT",
				   NULL },
	[SPT_ROLE_IS_MIRROR] = { "mirror of the private tables that the hardware walks", NULL },
	[SPT_ROLE_CR4_SMEP] = { "supervisor and user execution are told apart", NULL },
	[SPT_ROLE_SMM] = { "for system management mode", NULL },
	[SPT_ROLE_GPTE_IS_8_BYTES] = { "guest entries have 8 bytes, or there is no guest table",
				       "shadows a 32-bit guest table" },
};

const char *spt_role_name(enum spt_role_bit bit)
{
	return (unsigned int)bit < SPT_ROLE_COUNT ? names[bit] : "?";
}

bool spt_role_4_byte_gpte(const struct spt_bits *layout, __u32 word)
{
	if (spt_role_has(layout, SPT_ROLE_HAS_4_BYTE_GPTE))
		return spt_role_get(layout, word, SPT_ROLE_HAS_4_BYTE_GPTE);
	return spt_role_has(layout, SPT_ROLE_GPTE_IS_8_BYTES) &&
	       !spt_role_get(layout, word, SPT_ROLE_GPTE_IS_8_BYTES);
}

const char *spt_access_text(const struct spt_bits *layout, unsigned int access, char *buf)
{
	/* ACC_EXEC, ACC_WRITE, ACC_USER; then ACC_READ, ACC_WRITE, ACC_USER, ACC_EXEC. */
	const char *letters = layout[SPT_ROLE_ACCESS].width == 4 ? "rwux" : "wux";
	static const unsigned char bits3[] = { 2, 4, 1 }, bits4[] = { 1, 2, 4, 8 };
	const unsigned char *bits = layout[SPT_ROLE_ACCESS].width == 4 ? bits4 : bits3;
	size_t i;

	for (i = 0; letters[i]; i++)
		buf[i] = (char)(access & bits[i] ? letters[i] : '-');
	buf[i] = '\0';
	return buf;
}

int spt_role_text(const struct spt_bits *layout, __u32 word, char *buf, size_t size)
{
	/* Those that say something only when they are set. */
	static const struct {
		enum spt_role_bit bit;
		const char *text;
	} rare[] = {
		{ SPT_ROLE_SMEP_ANDNOT_WP, " smep&!wp" },
		{ SPT_ROLE_SMAP_ANDNOT_WP, " smap&!wp" },
		{ SPT_ROLE_CR4_SMEP, " smep" },
		{ SPT_ROLE_GUEST_MODE, " guest-mode" },
		{ SPT_ROLE_PASSTHROUGH, " passthrough" },
		{ SPT_ROLE_IS_MIRROR, " mirror" },
		{ SPT_ROLE_SMM, " smm" },
	};
	char access[SPT_ACCESS_TEXT], extra[96] = "";
	size_t len = 0;

	for (size_t i = 0; i < sizeof(rare) / sizeof(rare[0]); i++)
		if (spt_role_get(layout, word, rare[i].bit))
			len += (size_t)snprintf(extra + len, sizeof(extra) - len, "%s",
						rare[i].text);
	spt_access_text(layout, spt_role_get(layout, word, SPT_ROLE_ACCESS), access);
	return snprintf(buf, size, "l%u %u-byte q%u%s %s%s %snxe %sad%s%s",
			spt_role_get(layout, word, SPT_ROLE_LEVEL),
			spt_role_4_byte_gpte(layout, word) ? 4U : 8U,
			spt_role_get(layout, word, SPT_ROLE_QUADRANT),
			spt_role_get(layout, word, SPT_ROLE_DIRECT) ? " direct" : "", access,
			spt_role_get(layout, word, SPT_ROLE_INVALID) ? " invalid" : "",
			spt_role_get(layout, word, SPT_ROLE_EFER_NX) ? "" : "!",
			spt_role_get(layout, word, SPT_ROLE_AD_DISABLED) ? "!" : "",
			spt_role_get(layout, word, SPT_ROLE_CR0_WP) ? " wp" : "", extra);
}

__u32 spt_role_bits(const struct spt_bits *layout)
{
	__u32 bits = 0;

	for (unsigned int i = 0; i < SPT_ROLE_COUNT; i++)
		if (layout[i].width && layout[i].shift + layout[i].width <= 32)
			bits |= (__u32)SPT_BITS(layout[i].shift + layout[i].width - 1,
						layout[i].shift);
	return bits;
}

size_t spt_role_rows(const struct spt_bits *layout, struct spt_bit *rows)
{
	__u64 covered = 0;
	size_t n = 0;

	for (unsigned int i = 0; i < SPT_ROLE_COUNT; i++) {
		unsigned int shift = layout[i].shift, width = layout[i].width;

		if (!width || shift + width > 32)
			continue;
		rows[n++] = (struct spt_bit){
			.mask = SPT_BITS(shift + width - 1, shift),
			.kind = width > 1 ? SPT_BIT_NUMBER : SPT_BIT_FLAG,
			.name = names[i],
			.set = texts[i].set,
			.clear = texts[i].clear,
		};
		covered |= rows[n - 1].mask;
	}
	if (~covered & SPT_BITS(31, 0))
		rows[n++] = (struct spt_bit){
			.mask = ~covered & SPT_BITS(31, 0),
			.kind = SPT_BIT_IGNORED,
			.name = "unused",
		};
	return n;
}

bool spt_role_layout_valid(const struct spt_bits *layout)
{
	__u64 covered = 0;

	for (unsigned int i = 0; i < SPT_ROLE_COUNT; i++) {
		unsigned int shift = layout[i].shift, width = layout[i].width;
		__u64 mask;

		if (!width)
			continue;
		if (shift + width > 32)
			return false;
		mask = SPT_BITS(shift + width - 1, shift);
		if (mask & covered)
			return false;
		covered |= mask;
	}
	return true;
}
