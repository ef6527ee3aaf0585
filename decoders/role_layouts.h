/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Roles of other kernels: by what names their bits went, where they were, and what the same
 * role is called and looks like today.
 */
#ifndef SPT_DECODERS_ROLE_LAYOUTS_H
#define SPT_DECODERS_ROLE_LAYOUTS_H

#include "decoders/error.h"
#include "decoders/role.h"

/* Layouts that are known by name: L(name, bits, what is_mirror is called, NULL the same, about) */
#define SPT_ROLE_LAYOUTS(L)                                                                        \
	L("tdx-2021", tdx_2021, NULL, "the first TDX trees, on Linux 5.13")                        \
	L("tdx-2022", tdx_2022, "private", "the TDX trees on Linux 5.19")                          \
	L("6.1", spt_role_access3, NULL, "Linux 6.1")                                              \
	L("6.12", spt_role_access3, NULL, "Linux 6.12, the same as 6.1")                           \
	L("7.3", spt_role_access4, NULL, "Linux 7.3: today")

#define SPT_ROLE_NAME 32 /* bytes of a bit's name */

/* One kernel's union kvm_mmu_page_role. */
struct spt_role_layout {
	struct spt_bits bits[SPT_ROLE_MAX];
	char name[SPT_ROLE_COUNT][SPT_ROLE_NAME]; /* as that kernel has it; "": no such bit */
};

/* Name of layout @index, and what it is; NULL, false: no such index or name. */
const char *spt_role_layout_name(size_t index, const char **about);
bool spt_role_layout_by_name(const char *name, struct spt_role_layout *ret);

/*
 * The layout that @path has: an ELF file with DWARF (a module's or the kernel's debug file),
 * or raw BTF (/sys/kernel/btf/vmlinux). -ENOENT no such file, -ENODATA or -EINVAL without
 * usable type information, -ENOKEY without that union.
 */
int spt_role_layout_from_file(const char *path, struct spt_role_layout *ret, struct spt_error *e);

/* What one bit field of an old role is today. */
struct spt_role_today {
	enum spt_role_bit bit; /* SPT_ROLE_COUNT: it has no counterpart */
	unsigned int value;
	const char *note; /* how they differ beyond place and name, or NULL */
};

struct spt_role_today spt_role_today(const struct spt_role_layout *layout, __u32 word,
				     enum spt_role_bit bit);

/*
 * The whole word in today's layout (spt_role_access4). *unknown gets the bits of it that the
 * old word says nothing about.
 */
__u32 spt_role_word_today(const struct spt_role_layout *layout, __u32 word, __u32 *unknown);

#endif
