/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The SPTE format of one image: which bit means what to the KVM that wrote it.
 *
 * Nothing here asks for a kernel version. The masks come from KVM's variables,
 * the role's bit positions from its types, and what no variable exposes (the
 * place of the A/D type, of the saved access bits and of the MMIO generation)
 * from the layout that goes with the width of role.access: 3 bits up to the
 * kernels that saved R/X at bits 54/56, 4 bits since they moved to 52/54/62.
 * Sources: arch/x86/kvm/mmu/spte.h, spte.c.
 */
#ifndef SPT_DECODERS_FORMAT_H
#define SPT_DECODERS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include "agent/spt_image.h"
#include "decoders/error.h"

/* Levels are 1 (4K) to 5. */
#define SPT_MAX_LEVEL 5

/* The built-in formats: name, MMU and kernel whose masks they have. */
#define SPT_BUILTIN_FORMATS(F)                                                                     \
	F("ept-6.1", EPT, 6_1)                                                                     \
	F("ept-6.12", EPT, 6_12)                                                                   \
	F("ept-7.3", EPT, 7_3)                                                                     \
	F("npt-6.1", NPT, 6_1)                                                                     \
	F("npt-6.12", NPT, 6_12)                                                                   \
	F("npt-7.3", NPT, 7_3)                                                                     \
	F("shadow-6.1", SHADOW, 6_1)                                                               \
	F("shadow-6.12", SHADOW, 6_12)                                                             \
	F("shadow-7.3", SHADOW, 7_3)

/* Which hardware format KVM's entries have. */
enum spt_spte_style {
	SPT_STYLE_EPT, /* Intel's extended page tables */
	SPT_STYLE_PT,  /* x86 page tables: NPT, and every shadow table without EPT */
};

/* Where KVM keeps its own bits. */
enum spt_spte_layout {
	SPT_LAYOUT_ACCESS3, /* role.access has 3 bits */
	SPT_LAYOUT_ACCESS4, /* role.access has 4 bits */
};

struct spt_format {
	/* What classification and permissions need, first, to share cache lines. */
	__u64 mmio_mask;  /* MMIO if (spte & mmio_mask) == mmio_value */
	__u64 mmio_value; /* with a mask of 0, a value that never matches: MMIO caching is off */
	__u64 empty;	  /* value of an entry that never mapped anything */
	__u64 frozen;	  /* value of an entry that is being changed */
	__u64 read;	  /* permission bits; 'exec' is taken after the xor with 'nx' */
	__u64 write;
	__u64 exec;
	__u64 user_exec; /* 0: no mode-based execute control, see spt_format_use_role() */
	__u64 nx;	 /* 0: the format has none */
	__u64 addr;	 /* address of a table, or of a page before its size is known */
	__u64 leaf_addr[SPT_MAX_LEVEL + 1]; /* by level: address of a page, without the C-bit */

	/* The rest of KVM's masks. 0: the format has no such bit. */
	__u64 accessed;
	__u64 dirty;
	__u64 xu;   /* EPT: where KVM puts user-execute, whether it counts or not */
	__u64 user; /* U bit of x86 page tables; EPT: 0 */
	__u64 host_writable;
	__u64 mmu_writable;
	__u64 ad_type;	  /* two bits: enum spt_ad_type; 0 where it is never used */
	__u64 acc_track;  /* bits cleared to trap the next access */
	__u64 saved_read; /* permissions of an access-tracked entry */
	__u64 saved_exec;
	__u64 saved_user_exec;
	__u64 memtype;	   /* EPT */
	__u64 ipat;	   /* EPT */
	__u64 suppress_ve; /* EPT */
	__u64 me_mask;	   /* encryption bits (C-bit, key id) */
	__u64 me_value;	   /* what encrypted memory has in them */
	__u64 mmio_gen;	   /* generation of the memslots in an MMIO entry, in two pieces */
	__u64 mmio_access;
	__u64 mmio_gfn_low;  /* gfn << 12 in place */
	__u64 mmio_gfn_high; /* gfn bits moved up by 5, away from 'l1tf' */
	__u64 l1tf;	     /* always set in a non-present entry with a gfn */
	__u64 reserved;	     /* address bits that the CPU does not have */

	/*
	 * Equal under this mask and neighbours by address: equal meaning. What
	 * KVM and the hardware both ignore is left out, A and D are in.
	 */
	__u64 meaning;

	enum spt_spte_style style;
	enum spt_spte_layout layout;
	enum spt_mmu mmu;
	bool masks_assumed; /* the image had no masks: those of the built-in format are used */
	bool exec_only;	    /* EPT: an entry may have X without R */
	__u8 maxphyaddr;
	struct spt_bits role[SPT_ROLE_MAX];
	char name[32]; /* built-in name, or the kernel release of the image */
};

/*
 * Takes what an image's head and masks say. 'masks' may be NULL, the image then
 * decodes with the built-in masks that fit the head. Fails with EINVAL where
 * head and masks contradict each other, naming the field.
 */
int spt_format_init(struct spt_format *format, const struct spt_head *head,
		    const struct spt_masks *masks, struct spt_error *error);

/*
 * Learn from a root's role. KVM writes the user-execute bit into every EPT entry,
 * but only under mode-based execute control (MBEC) does the CPU look at it, and
 * roles tell. Until then entries have three permissions.
 */
void spt_format_use_role(struct spt_format *format, __u32 role);

/*
 * A built-in format by name ('ept-6.12'): for values without an image, with a
 * CPU of 46 (EPT) or 48 address bits that needs no L1TF protection. Fails with
 * EINVAL for an unknown name, listing those there are.
 */
int spt_format_by_name(struct spt_format *format, const char *name, struct spt_error *error);

/*
 * MMIO entries as on a CPU that KVM protects from L1TF, with so many physical
 * address bits in its cache (x86_cache_bits; 44 on many, 0: no protection). The
 * gfn is then stored with a gap. Returns -EINVAL for a number that KVM could not protect.
 */
int spt_format_l1tf(struct spt_format *format, unsigned int bits, struct spt_error *error);

/* Names of the built-in formats; NULL past the last. */
const char *spt_format_name(size_t index);

#endif
