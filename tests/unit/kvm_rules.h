/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KVM's own rules for SPTEs, stated with plain numbers a second time, so that
 * the decoder is not compared with itself. Source: arch/x86/kvm/mmu/spte.h and
 * spte.c of the kernels named.
 */
#ifndef SPT_TESTS_KVM_RULES_H
#define SPT_TESTS_KVM_RULES_H

#include <stdbool.h>
#include <linux/types.h>

struct kvm_rules {
	const char *format;
	bool ept;
	bool mbec; /* with mode-based execute control: role.cr4_smep is set */
	__u64 empty, frozen;
	__u64 mmio_mask, mmio_value, mmio_access;
	__u64 addr_bits;	   /* address bits of the CPU */
	unsigned int gen_low_bits; /* MMIO_SPTE_GEN_LOW_*: from bit 3 */
	__u64 host_writable, mmu_writable;
	unsigned int ad_shift;	  /* SPTE_TDP_AD_SHIFT */
	unsigned int saved_shift; /* SHADOW_ACC_TRACK_SAVED_BITS_SHIFT */
	__u64 saved_bits;	  /* SHADOW_ACC_TRACK_SAVED_BITS_MASK */
	__u64 acc_track;
	__u64 leaf_base; /* what make_spte() sets in every 4K leaf */
	__u64 exec, accessed, dirty;
	__u64 nx;
};

#define TOP	    (1ULL << 63)
#define MMU_PRESENT (1ULL << 11)

static const struct kvm_rules kvm_rules[] = {
	{ .format = "ept-6.1",
	  .ept = true,
	  .empty = 0,
	  .frozen = 0x5a0,
	  .mmio_mask = 7,
	  .mmio_value = 6,
	  .addr_bits = 46,
	  .gen_low_bits = 8,
	  .host_writable = 1ULL << 57,
	  .mmu_writable = 1ULL << 58,
	  .ad_shift = 52,
	  .saved_shift = 54,
	  .saved_bits = 5,
	  .acc_track = 7,
	  .leaf_base = MMU_PRESENT | 1 | 0x30 | 0x40,
	  .exec = 4,
	  .accessed = 0x100,
	  .dirty = 0x200 },
	{ .format = "ept-6.12",
	  .ept = true,
	  .empty = TOP,
	  .frozen = TOP | 0x5a0,
	  .mmio_mask = TOP | 7,
	  .mmio_value = 6,
	  .addr_bits = 46,
	  .gen_low_bits = 8,
	  .host_writable = 1ULL << 57,
	  .mmu_writable = 1ULL << 58,
	  .ad_shift = 52,
	  .saved_shift = 54,
	  .saved_bits = 5,
	  .acc_track = 7,
	  .leaf_base = MMU_PRESENT | TOP | 1 | 0x30 | 0x40,
	  .exec = 4,
	  .accessed = 0x100,
	  .dirty = 0x200 },
	{ .format = "ept-7.3",
	  .ept = true,
	  .empty = TOP,
	  .frozen = TOP | 0x1a0,
	  .mmio_mask = TOP | 7,
	  .mmio_value = 6,
	  .addr_bits = 46,
	  .gen_low_bits = 7,
	  .host_writable = 1ULL << 53,
	  .mmu_writable = 1ULL << 55,
	  .ad_shift = 60,
	  .saved_shift = 52,
	  .saved_bits = 0x405,
	  .acc_track = 0x407,
	  .leaf_base = MMU_PRESENT | TOP | 1 | 0x30 | 0x40,
	  .exec = 0x404,
	  .accessed = 0x100,
	  .dirty = 0x200 },
	{ .format = "ept-7.3",
	  .mbec = true,
	  .ept = true,
	  .empty = TOP,
	  .frozen = TOP | 0x1a0,
	  .mmio_mask = TOP | 7,
	  .mmio_value = 6,
	  .addr_bits = 46,
	  .gen_low_bits = 7,
	  .host_writable = 1ULL << 53,
	  .mmu_writable = 1ULL << 55,
	  .ad_shift = 60,
	  .saved_shift = 52,
	  .saved_bits = 0x405,
	  .acc_track = 0x407,
	  .leaf_base = MMU_PRESENT | TOP | 1 | 0x30 | 0x40,
	  .exec = 0x404,
	  .accessed = 0x100,
	  .dirty = 0x200 },
	{ .format = "npt-6.1",
	  .empty = 0,
	  .frozen = 0x5a0,
	  .mmio_mask = 0x0008000000000001ULL,
	  .mmio_value = 0x0008000000000001ULL,
	  .mmio_access = 6,
	  .addr_bits = 48,
	  .gen_low_bits = 8,
	  .host_writable = 0x200,
	  .mmu_writable = 0x400,
	  .leaf_base = MMU_PRESENT | 1 | 4,
	  .accessed = 0x20,
	  .dirty = 0x40,
	  .nx = TOP },
	{ .format = "npt-6.12",
	  .empty = TOP,
	  .frozen = TOP | 0x5a0,
	  .mmio_mask = 0x0008000000000001ULL,
	  .mmio_value = 0x0008000000000001ULL,
	  .mmio_access = 6,
	  .addr_bits = 48,
	  .gen_low_bits = 8,
	  .host_writable = 0x200,
	  .mmu_writable = 0x400,
	  .leaf_base = MMU_PRESENT | 1 | 4,
	  .accessed = 0x20,
	  .dirty = 0x40,
	  .nx = TOP },
	{ .format = "npt-7.3",
	  .empty = TOP,
	  .frozen = TOP | 0x1a0,
	  .mmio_mask = 0x0008000000000001ULL,
	  .mmio_value = 0x0008000000000001ULL,
	  .mmio_access = 6,
	  .addr_bits = 48,
	  .gen_low_bits = 7,
	  .host_writable = 0x200,
	  .mmu_writable = 0x400,
	  .leaf_base = MMU_PRESENT | 1 | 4,
	  .accessed = 0x20,
	  .dirty = 0x40,
	  .nx = TOP },
	{ .format = "shadow-6.1",
	  .empty = 0,
	  .frozen = 0x5a0,
	  .mmio_mask = 0x0008000000000001ULL,
	  .mmio_value = 0x0008000000000001ULL,
	  .mmio_access = 6,
	  .addr_bits = 48,
	  .gen_low_bits = 8,
	  .host_writable = 0x200,
	  .mmu_writable = 0x400,
	  .leaf_base = MMU_PRESENT | 1 | 4,
	  .accessed = 0x20,
	  .dirty = 0x40,
	  .nx = TOP },
	{ .format = "shadow-6.12",
	  .empty = TOP,
	  .frozen = TOP | 0x5a0,
	  .mmio_mask = 0x0008000000000001ULL,
	  .mmio_value = 0x0008000000000001ULL,
	  .mmio_access = 6,
	  .addr_bits = 48,
	  .gen_low_bits = 8,
	  .host_writable = 0x200,
	  .mmu_writable = 0x400,
	  .leaf_base = MMU_PRESENT | 1 | 4,
	  .accessed = 0x20,
	  .dirty = 0x40,
	  .nx = TOP },
	{ .format = "shadow-7.3",
	  .empty = TOP,
	  .frozen = TOP | 0x1a0,
	  .mmio_mask = 0x0008000000000001ULL,
	  .mmio_value = 0x0008000000000001ULL,
	  .mmio_access = 6,
	  .addr_bits = 48,
	  .gen_low_bits = 7,
	  .host_writable = 0x200,
	  .mmu_writable = 0x400,
	  .leaf_base = MMU_PRESENT | 1 | 4,
	  .accessed = 0x20,
	  .dirty = 0x40,
	  .nx = TOP },
};

#define KVM_RULES (sizeof(kvm_rules) / sizeof(kvm_rules[0]))

/* generation_mmio_spte_mask() */
static inline __u64 kvm_mmio_gen(const struct kvm_rules *k, __u64 gen)
{
	__u64 low = (1ULL << k->gen_low_bits) - 1;

	return (gen & low) << 3 | (gen >> k->gen_low_bits & 0x7ff) << 52;
}

/* make_mmio_spte() on a CPU without L1TF */
static inline __u64 kvm_make_mmio(const struct kvm_rules *k, __u64 gfn, unsigned int access,
				  __u64 gen)
{
	return k->mmio_value | kvm_mmio_gen(k, gen) | (access & k->mmio_access) | gfn << 12;
}

/* make_spte() of a writable, executable page that has been used. */
static inline __u64 kvm_make_leaf(const struct kvm_rules *k, __u64 hpa, int level)
{
	return k->leaf_base | hpa | 2 | k->exec | k->accessed | k->dirty | k->host_writable |
	       k->mmu_writable | (level > 1 ? 0x80 : 0);
}

/* make_nonleaf_spte() */
static inline __u64 kvm_make_table(const struct kvm_rules *k, __u64 hpa)
{
	return (k->leaf_base & ~0x78ULL) | hpa | 2 | k->exec | k->accessed;
}

/* is_shadow_present_pte(), is_last_spte(), is_frozen_spte(), is_mmio_spte() */
static inline bool kvm_present(__u64 spte)
{
	return spte & MMU_PRESENT;
}

static inline bool kvm_last(__u64 spte, int level)
{
	return level == 1 || (spte & 0x80);
}

static inline bool kvm_mmio(const struct kvm_rules *k, __u64 spte)
{
	return (spte & k->mmio_mask) == k->mmio_value;
}

/* is_access_track_spte(), for a present one */
static inline bool kvm_access_tracked(const struct kvm_rules *k, __u64 spte)
{
	return k->ept && (spte >> k->ad_shift & 3) == 1 && !(spte & k->acc_track);
}

/* mark_spte_for_access_track() of a leaf without hardware A/D bits */
static inline __u64 kvm_track_access(const struct kvm_rules *k, __u64 spte)
{
	spte |= (spte & k->saved_bits) << k->saved_shift;
	return spte & ~(k->acc_track | (k->saved_shift == 52 ? k->accessed : 0));
}

#endif
