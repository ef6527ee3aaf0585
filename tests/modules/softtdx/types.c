// SPDX-License-Identifier: GPL-2.0
/* Offsets of what KVM's public headers do not show, or not on every kernel: by BTF. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/btf.h>
#include <linux/static_call.h>
#include "softtdx.h"

#define DEPTH_MAX	4	/* of anonymous structs and unions */

struct softtdx_types softtdx_types;

DEFINE_STATIC_CALL_NULL(softtdx_btf_find_id, softtdx_btf_find_id_prototype);
DEFINE_STATIC_CALL_NULL(softtdx_btf_by_id, softtdx_btf_by_id_prototype);
DEFINE_STATIC_CALL_NULL(softtdx_btf_name, softtdx_btf_name_prototype);
DEFINE_STATIC_CALL_NULL(softtdx_btf_put, softtdx_btf_put_prototype);

static const struct {
	const char *type;
	u32 kind;
	const char *member;
	u32 *to;
	bool bits;	/* wanted is the bit, not the byte */
} wanted[] = {
	{ "kvm_mmu_page", BTF_KIND_STRUCT, "link", &softtdx_types.sp_link },
	{ "kvm_mmu_page", BTF_KIND_STRUCT, "role", &softtdx_types.sp_role },
	{ "kvm_mmu_page", BTF_KIND_STRUCT, "gfn", &softtdx_types.sp_gfn },
	{ "kvm_mmu_page", BTF_KIND_STRUCT, "spt", &softtdx_types.sp_spt },
	{ "kvm_mmu_page", BTF_KIND_STRUCT, "external_spt", &softtdx_types.sp_external_spt },
	{ "kvm_mmu_page_role", BTF_KIND_UNION, "level", &softtdx_types.role_level, true },
	{ "kvm_mmu_page_role", BTF_KIND_UNION, "is_mirror", &softtdx_types.role_is_mirror, true },
	{ "kvm_arch", BTF_KIND_STRUCT, "vm_type", &softtdx_types.arch_vm_type },
	{ "kvm_arch", BTF_KIND_STRUCT, "has_private_mem", &softtdx_types.arch_has_private_mem },
	{ "kvm_arch", BTF_KIND_STRUCT, "gfn_direct_bits", &softtdx_types.arch_gfn_direct_bits },
	{ "kvm_host_values", BTF_KIND_STRUCT, "maxphyaddr", &softtdx_types.host_maxphyaddr },
};

static u32 member_bit(const struct btf_type *type, const struct btf_member *member)
{
	if (btf_type_kflag(type))
		return BTF_MEMBER_BIT_OFFSET(member->offset);
	return member->offset;
}

/* The bit at which @name begins, or -1. */
static s64 find_member(const struct btf *btf, const struct btf_type *type, const char *name,
		       int depth)
{
	const struct btf_member *member = (const struct btf_member *)(type + 1);
	const struct btf_type *inner;
	s64 bit;
	u32 i;

	for (i = 0; i < BTF_INFO_VLEN(type->info); i++, member++) {
		const char *its = static_call(softtdx_btf_name)(btf, member->name_off);

		if (its && !strcmp(its, name))
			return member_bit(type, member);
		if ((its && *its) || !depth)
			continue;
		inner = static_call(softtdx_btf_by_id)(btf, member->type);
		if (!inner || (BTF_INFO_KIND(inner->info) != BTF_KIND_STRUCT &&
			       BTF_INFO_KIND(inner->info) != BTF_KIND_UNION))
			continue;
		bit = find_member(btf, inner, name, depth - 1);
		if (bit >= 0)
			return bit + member_bit(type, member);
	}
	return -1;
}

static s64 find(const char *type_name, u32 kind, const char *member)
{
	const struct btf_type *type;
	struct btf *btf = NULL;
	s64 bit = -1;
	s32 id = static_call(softtdx_btf_find_id)(type_name, kind, &btf);

	if (id <= 0)
		return -1;
	type = static_call(softtdx_btf_by_id)(btf, id);
	if (type)
		bit = find_member(btf, type, member, DEPTH_MAX);
	static_call(softtdx_btf_put)(btf);
	return bit;
}

static int find_functions(void)
{
	unsigned long find_id = softtdx_symbol("bpf_find_btf_id");
	unsigned long by_id = softtdx_symbol("btf_type_by_id");
	unsigned long name = softtdx_symbol("btf_name_by_offset");
	unsigned long put = softtdx_symbol("btf_put");

	if (!find_id || !by_id || !name || !put)
		return -EOPNOTSUPP;
	static_call_update(softtdx_btf_find_id, (void *)find_id);
	static_call_update(softtdx_btf_by_id, (void *)by_id);
	static_call_update(softtdx_btf_name, (void *)name);
	static_call_update(softtdx_btf_put, (void *)put);
	return 0;
}

/* -EOPNOTSUPP: this kernel's KVM has no mirror page tables. */
int softtdx_types_find(void)
{
	unsigned int i;
	int error = find_functions();

	for (i = 0; i < ARRAY_SIZE(wanted) && !error; i++) {
		s64 bit = find(wanted[i].type, wanted[i].kind, wanted[i].member);

		if (bit < 0) {
			pr_err("this kernel's KVM has no mirror page tables: no %s.%s\n",
			       wanted[i].type, wanted[i].member);
			return -EOPNOTSUPP;
		}
		*wanted[i].to = wanted[i].bits ? bit : bit / 8;
	}
	return error;
}
