// SPDX-License-Identifier: GPL-2.0
#include "decoders/format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "decoders/bits.h"
#include "decoders/builtin.h"
#include "decoders/role.h"
#include "decoders/spte.h"

/* Bits of the hardware formats that KVM has no variable for. */
#define READ	    SPT_BIT(0) /* EPT R; x86 P */
#define WRITE	    SPT_BIT(1)
#define EPT_EXEC    SPT_BIT(2)
#define EPT_MEMTYPE SPT_BITS(5, 3)
#define EPT_IPAT    SPT_BIT(6)
#define EPT_SVE	    SPT_BIT(63)

/* DEFAULT_SPTE_HOST_WRITABLE: what every format but EPT has. */
#define PT_HOST_WRITABLE SPT_BIT(9)

/* SHADOW_NONPRESENT_OR_RSVD_MASK_LEN */
#define L1TF_GFN_SHIFT 5
/* kvm_mmu_reset_all_pte_masks(): only a gfn that still fits below bit 52 can be moved. */
#define L1TF_MAX_BITS (52 - L1TF_GFN_SHIFT - 1)

/* What no variable of KVM exposes; see the comment in format.h. */
static const struct {
	__u64 ad_type, saved_read, saved_exec, saved_user_exec, mmio_gen;
} layouts[] = {
	[SPT_LAYOUT_ACCESS3] = {
		.ad_type = SPT_BITS(53, 52),
		.saved_read = SPT_BIT(54),
		.saved_exec = SPT_BIT(56),
		.mmio_gen = SPT_BITS(10, 3) | SPT_BITS(62, 52),
	},
	[SPT_LAYOUT_ACCESS4] = {
		.ad_type = SPT_BITS(61, 60),
		.saved_read = SPT_BIT(52),
		.saved_exec = SPT_BIT(54),
		.saved_user_exec = SPT_BIT(62),
		.mmio_gen = SPT_BITS(9, 3) | SPT_BITS(62, 52),
	},
};

/* A mask of the image; false: this kernel has no such variable. */
static bool mask_known(const struct spt_masks *masks, enum spt_mask id, __u64 *value)
{
	size_t end = offsetof(struct spt_masks, value) + (id + 1) * sizeof(masks->value[0]);

	if (masks->rec.len < end || !(masks->known >> id & 1))
		return false;
	*value = masks->value[id];
	return true;
}

static __u64 mask_or(const struct spt_masks *masks, enum spt_mask id, __u64 otherwise)
{
	__u64 value;

	return mask_known(masks, id, &value) ? value : otherwise;
}

static int init_head(struct spt_format *f, const struct spt_head *head, struct spt_error *error)
{
	unsigned int width = head->role[SPT_ROLE_ACCESS].width;

	if (!spt_role_layout_valid(head->role))
		return spt_fail(
			error, EINVAL,
			"image: the bit positions of the shadow page role overlap or exceed 32 bits; the image is damaged");
	if (width != 3 && width != 4)
		return spt_fail(
			error, EINVAL,
			"image: role.access has %u bits, 3 and 4 are known; this spt is too old for that kernel",
			width);
	if (head->mmu < SPT_MMU_NPT || head->mmu > SPT_MMU_SHADOW)
		return spt_fail(error, EINVAL, "image: unknown MMU kind %u", head->mmu);
	if (head->maxphyaddr > 52 || (head->maxphyaddr && head->maxphyaddr < 32))
		return spt_fail(error, EINVAL, "image: maxphyaddr %u is no number of address bits",
				head->maxphyaddr);
	if (head->spte_addr_mask & ~SPT_BITS(51, 12))
		return spt_fail(error, EINVAL,
				"image: spte_addr_mask 0x%llx has bits that no address has",
				head->spte_addr_mask);
	f->layout = width == 4 ? SPT_LAYOUT_ACCESS4 : SPT_LAYOUT_ACCESS3;
	f->mmu = head->mmu;
	f->maxphyaddr = head->maxphyaddr;
	f->empty = head->empty_spte;
	f->frozen = head->frozen_spte ? head->frozen_spte
				      : spt_builtin_frozen(f->layout, head->empty_spte);
	memcpy(f->role, head->role, sizeof(f->role));
	snprintf(f->name, sizeof(f->name), "%.*s", (int)sizeof(f->name) - 1, head->release);
	return 0;
}

static int init_style(struct spt_format *f, const struct spt_masks *masks, struct spt_error *error)
{
	bool ept = f->mmu == SPT_MMU_EPT;

	f->host_writable = mask_or(masks, SPT_MASK_HOST_WRITABLE, ept ? 0 : PT_HOST_WRITABLE);
	f->style = f->host_writable == PT_HOST_WRITABLE ? SPT_STYLE_PT : SPT_STYLE_EPT;
	if ((f->style == SPT_STYLE_EPT) != ept)
		return spt_fail(
			error, EINVAL,
			"image: the MMU is %s, but shadow_host_writable_mask 0x%llx is that of %s; the image is damaged",
			ept ? "EPT" : "not EPT", f->host_writable, ept ? "x86 tables" : "EPT");
	f->mmu_writable = mask_or(masks, SPT_MASK_MMU_WRITABLE, 0);
	return 0;
}

static void init_address(struct spt_format *f, const struct spt_head *head,
			 const struct spt_masks *masks)
{
	f->me_mask = mask_or(masks, SPT_MASK_ME_MASK, 0);
	f->me_value = mask_or(masks, SPT_MASK_ME_VALUE, 0);
	f->addr = (head->spte_addr_mask ? head->spte_addr_mask : SPT_BITS(51, 12)) & ~f->me_mask;
	for (int level = 1; level <= SPT_MAX_LEVEL; level++)
		f->leaf_addr[level] = f->addr & ~(spt_spte_span(level) - 1);
	f->leaf_addr[0] = f->leaf_addr[1];
	if (f->maxphyaddr && f->maxphyaddr < 52)
		f->reserved = SPT_BITS(51, f->maxphyaddr) & ~f->me_mask;
}

static void init_permissions(struct spt_format *f, const struct spt_masks *masks)
{
	__u64 present = mask_or(masks, SPT_MASK_PRESENT, READ);

	f->read = READ;
	f->write = WRITE;
	f->accessed = mask_or(masks, SPT_MASK_ACCESSED, 0);
	f->dirty = mask_or(masks, SPT_MASK_DIRTY, 0);
	if (f->style == SPT_STYLE_PT) {
		f->nx = mask_or(masks, SPT_MASK_NX, SPT_BIT(63));
		f->exec = f->nx;
		f->user = mask_or(masks, SPT_MASK_USER, SPT_BIT(2));
		return;
	}
	f->exec = mask_or(masks, SPT_MASK_XS, mask_or(masks, SPT_MASK_X, EPT_EXEC));
	f->xu = mask_or(masks, SPT_MASK_XU, 0);
	f->acc_track = mask_or(masks, SPT_MASK_ACC_TRACK, 0);
	f->ad_type = layouts[f->layout].ad_type;
	f->saved_read = layouts[f->layout].saved_read;
	f->saved_exec = layouts[f->layout].saved_exec;
	f->saved_user_exec = f->xu ? layouts[f->layout].saved_user_exec : 0;
	f->memtype = EPT_MEMTYPE;
	f->ipat = EPT_IPAT;
	f->suppress_ve = EPT_SVE;
	f->exec_only = !(present & READ);
}

static void init_mmio(struct spt_format *f, const struct spt_masks *masks)
{
	unsigned int bits = f->maxphyaddr ? f->maxphyaddr : 52;

	f->mmio_mask = mask_or(masks, SPT_MASK_MMIO_MASK, 0);
	f->mmio_value = mask_or(masks, SPT_MASK_MMIO_VALUE, 0);
	/*
	 * Without MMIO caching there are no MMIO entries. Where KVM has a value
	 * per VM it may be 0 with caching on, so the value alone does not tell.
	 */
	if (!f->mmio_mask || !mask_or(masks, SPT_MASK_MMIO_CACHING, f->mmio_value != 0)) {
		f->mmio_mask = 0;
		f->mmio_value = 1;
	}
	f->mmio_access = mask_or(masks, SPT_MASK_MMIO_ACCESS, 0);
	f->mmio_gen = layouts[f->layout].mmio_gen;
	f->l1tf = mask_or(masks, SPT_MASK_NONPRESENT_OR_RSVD, 0);
	f->mmio_gfn_low = mask_or(masks, SPT_MASK_RSVD_LOWER_GFN, SPT_BITS(bits - 1, 12));
	f->mmio_gfn_high = f->l1tf << L1TF_GFN_SHIFT;
}

/* Every bit has one meaning at most, whatever kind of entry it stands in. */
static int check_overlap(const struct spt_format *f, struct spt_error *error)
{
	for (int type = 0; type < SPT_SPTE_TYPES; type++) {
		for (int level = 1; level <= SPT_MAX_LEVEL; level++) {
			struct spt_spte spte = { .type = type, .level = level };
			struct spt_bit rows[SPT_BITS_MAX];
			size_t n = spt_spte_rows(f, &spte, rows);
			__u64 twice;

			spt_bits_covered(rows, n, &twice);
			if (twice)
				return spt_fail(
					error, EINVAL,
					"image: KVM's masks give bits 0x%llx of a %s entry two meanings; the image is damaged",
					twice, spt_spte_type_name(type));
		}
	}
	return 0;
}

int spt_format_init(struct spt_format *f, const struct spt_head *head,
		    const struct spt_masks *masks, struct spt_error *error)
{
	int err;

	memset(f, 0, sizeof(*f));
	err = init_head(f, head, error);
	if (err)
		return err;
	if (!masks) {
		masks = spt_builtin_masks(f->mmu, f->layout, f->empty);
		f->masks_assumed = true;
	}
	err = init_style(f, masks, error);
	if (err)
		return err;
	init_address(f, head, masks);
	init_permissions(f, masks);
	init_mmio(f, masks);
	f->meaning = spt_spte_meaning(f);
	return check_overlap(f, error);
}

void spt_format_use_role(struct spt_format *f, __u32 role)
{
	if (spt_role_get(f->role, role, SPT_ROLE_CR4_SMEP))
		f->user_exec = f->xu;
}

int spt_format_by_name(struct spt_format *f, const char *name, struct spt_error *error)
{
	const struct spt_masks *masks;
	struct spt_head head;
	char names[160] = "";
	int err;

	if (!spt_builtin(name, &head, &masks)) {
		for (size_t i = 0, len = 0; spt_format_name(i) && len < sizeof(names); i++)
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
						i ? ", " : "", spt_format_name(i));
		return spt_fail(error, EINVAL, "format '%s' is not known; there are %s", name,
				names);
	}
	err = spt_format_init(f, &head, masks, error);
	if (!err)
		snprintf(f->name, sizeof(f->name), "%s", name);
	return err;
}

int spt_format_l1tf(struct spt_format *f, unsigned int bits, struct spt_error *error)
{
	if (bits && (bits < 32 || bits > L1TF_MAX_BITS))
		return spt_fail(error, EINVAL,
				"L1TF protection is for CPUs of 32 to %d address bits, not %u",
				L1TF_MAX_BITS, bits);
	f->l1tf = bits ? SPT_BITS(bits - 1, bits - L1TF_GFN_SHIFT) : 0;
	f->mmio_gfn_high = f->l1tf << L1TF_GFN_SHIFT;
	if (bits)
		f->mmio_gfn_low = SPT_BITS(bits - L1TF_GFN_SHIFT - 1, 12);
	else
		f->mmio_gfn_low = SPT_BITS((f->maxphyaddr ? f->maxphyaddr : 52U) - 1, 12);
	return check_overlap(f, error);
}
