// SPDX-License-Identifier: GPL-2.0
/*
 * Sources: Linux' history; for what never was in it the TDX patches as they were posted
 * ("KVM: TDX" of 2020 to 2024, "KVM: mm: fd-based approach for supporting KVM guest private
 * memory" of 2021 and 2022).
 */
#include "decoders/layout_history.h"

#include <string.h>

#define TDX_ONLY "of the TDX patches before they were merged"

static const struct spt_old_name names[] = {
	/* struct kvm */
	{ "kvm", "vcpus", "vcpu_array", "c5b077549136", "an array of pointers became an xarray" },
	{ "kvm", "mmu_notifier_seq", "mmu_invalidate_seq", "20ec3ebd707c", NULL },
	{ "kvm", "mmu_notifier_count", "mmu_invalidate_in_progress", "20ec3ebd707c", NULL },
	{ "kvm", "mmu_notifier_range_start", "mmu_invalidate_range_start", "20ec3ebd707c", NULL },
	{ "kvm", "mmu_notifier_range_end", "mmu_invalidate_range_end", "20ec3ebd707c", NULL },
	{ "kvm", "stat.pages[0]", "stat.pages_4k", "71f51d2c3253",
	  "the same word under both names; stat.lpages before" },
	{ "kvm", "stat.pages[1]", "stat.pages_2m", "71f51d2c3253", NULL },
	{ "kvm", "stat.pages[2]", "stat.pages_1g", "71f51d2c3253", NULL },
	{ "kvm", "arch.n_used_mmu_pages", "stat.mmu_shadow_pages", NULL,
	  "in 6.12 the former, in 7.3 the latter" },
	{ "kvm", "arch.gfn_shared_mask", "arch.gfn_direct_bits", "3fc3f7185112",
	  TDX_ONLY ", from 2021; bits of a gfn, as today" },
	{ "kvm", "arch.gfn_stolen_mask", "arch.gfn_direct_bits", "3fc3f7185112",
	  TDX_ONLY ", in 2020" },
	{ "kvm", "arch.private_mmu_pages", NULL, NULL,
	  TDX_ONLY ": the private half's shadow pages, beside active_mmu_pages" },
	{ "kvm", "arch.lpage_disallowed_mmu_pages", "arch.possible_nx_huge_pages", "55c510e26ab6",
	  NULL },
	{ "kvm", "arch.tdp_mmu_enabled", "tdp_mmu_enabled", "1f98f2bd8ec4",
	  "of each VM then, one variable of the module since" },
	/* struct kvm_memslots, kvm_memory_slot */
	{ "kvm_memslots", "memslots", "gfn_tree", "a54d806688fe",
	  "an array sorted by falling base_gfn became a tree" },
	{ "kvm_memslots", "used_slots", NULL, "a54d806688fe", "how many the array held" },
	{ "kvm_memslots", "id_to_index", "id_hash", "26b8345abc75",
	  "from a slot's id to its place in the array" },
	{ "kvm_memory_slot", "private_file", "gmem.file", "a7800aa80ea4", TDX_ONLY },
	{ "kvm_memory_slot", "private_offset", "gmem.pgoff", "a7800aa80ea4",
	  TDX_ONLY "; in bytes, gmem.pgoff counts pages" },
	{ "kvm_memory_slot", "arch.gfn_track[0]", "arch.gfn_write_track", "338068b5bec4", NULL },
	/* struct kvm_mmu */
	{ "kvm_mmu", "root_hpa", "root.hpa", "b9e5603c2a3a", NULL },
	{ "kvm_mmu", "root_pgd", "root.pgd", "b9e5603c2a3a", NULL },
	{ "kvm_mmu", "private_root_hpa", "mirror_root_hpa", "fabaa7650148", TDX_ONLY },
	{ "kvm_mmu", "mmu_role.base", "root_role", "7a458f0e1ba1",
	  "mmu_role.ext described the vCPU, which cpu_role does since" },
	/* union kvm_mmu_page_role */
	{ "kvm_mmu_page_role", "gpte_is_8_bytes", "has_4_byte_gpte", "bb3b394d35e8",
	  "the reverse: 1 became 0" },
	{ "kvm_mmu_page_role", "nxe", "efer_nx", "167f8a5cae99", NULL },
	{ "kvm_mmu_page_role", "smep_andnot_wp", NULL, NULL,
	  "in 6.12, not in 7.3; the later cr4_smep is another thing" },
	{ "kvm_mmu_page_role", "is_private", "is_mirror", "6961ab0bae52", TDX_ONLY },
	{ "kvm_mmu_page_role", "private", "is_mirror", "6961ab0bae52", TDX_ONLY ", in 2022" },
	/* struct kvm_mmu_page */
	{ "kvm_mmu_page", "gfn_stolen_bits", "role.is_mirror", "6961ab0bae52",
	  TDX_ONLY ", until 2022; the shared bit of what it maps: 0 in the private half" },
	{ "kvm_mmu_page", "gfns", "shadowed_translation", "6a97575d5cff",
	  "a guest frame without the access bits that are kept since" },
	{ "kvm_mmu_page", "private_sp", "external_spt", "3a4eb364a46d",
	  TDX_ONLY "; 1 in the private root, which has no page that KVM knows" },
	{ "kvm_mmu_page", "private_spt", "external_spt", "3a4eb364a46d", TDX_ONLY ", from 2022" },
	{ "kvm_mmu_page", "lpage_disallowed", "nx_huge_page_disallowed", "55c510e26ab6", NULL },
	{ "kvm_mmu_page", "lpage_disallowed_link", "possible_nx_huge_page_link", "55c510e26ab6",
	  NULL },
	/* struct kvm_tdx, vcpu_tdx */
	{ "kvm_tdx", "tdr.pa", "td.tdr_page", NULL,
	  TDX_ONLY ", in 2021: a struct tdx_td_page with an address; a struct page today" },
	{ "kvm_tdx", "tdr_pa", "td.tdr_page", NULL,
	  TDX_ONLY ", later: an address; a struct page today" },
	{ "kvm_tdx", "tdcs", "td.tdcs_pages", NULL, TDX_ONLY "; pointers to struct page today" },
	{ "vcpu_tdx", "tdvpr.pa", "vp.tdvpr_page", NULL,
	  TDX_ONLY ", in 2021: a struct tdx_td_page with an address; a struct page today" },
	{ "vcpu_tdx", "tdvpr_pa", "vp.tdvpr_page", NULL,
	  TDX_ONLY ", later: an address; a struct page today" },
	{ "vcpu_tdx", "tdvpx", "vp.tdcx_pages", NULL, TDX_ONLY "; pointers to struct page today" },
};

#define NAMES (sizeof(names) / sizeof(names[0]))

const struct spt_old_name *spt_old_name(size_t index)
{
	return index < NAMES ? &names[index] : NULL;
}

const struct spt_old_name *spt_old_name_find(const char *type, const char *old)
{
	for (size_t i = 0; i < NAMES; i++)
		if (!strcmp(names[i].type, type) && !strcmp(names[i].old, old))
			return &names[i];
	return NULL;
}
