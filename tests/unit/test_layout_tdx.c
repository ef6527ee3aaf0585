// SPDX-License-Identifier: GPL-2.0
/*
 * What TDX host support keeps of a TD, found by name in the DWARF of a kvm_intel that has
 * it; and nothing of it in one that has not. No stock kernel of the lab does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decoders/layout.h"
#include "layout_compile.h"

#define INTEL
#include "layout_kvm.c"

static struct spt_layout layout;

static void from_dwarf(const char *dir, const char *intel)
{
	const struct spt_host host = { .vendor = SPT_VENDOR_VMX };
	const char *dirs[] = { layout_path(dir), NULL };
	const struct spt_debug_search search = { .dirs = dirs, .release = "0.0-no-such-release" };

	layout_run("mkdir -p %s && gcc -c -g -o %s/kvm.ko $SRC/layout_kvm.c && "
		   "gcc -c -g %s -o %s/kvm-intel.ko $SRC/layout_kvm.c",
		   dir, dir, intel, dir);
	if (spt_layout_from_dwarf(&search, &host, &layout))
		fail_msg("%s%s", layout.missing.text, layout.doubt.text);
}

#define MEMBER(id, type, path, flags)                                                              \
	{                                                                                          \
		SPT_F_##id, offsetof(struct type, path), sizeof(((struct type *)0)->path), flags   \
	}

static const struct {
	enum spt_field_id id;
	size_t offset, size;
	uint32_t flags;
} members[] = {
	MEMBER(KVM_TDX_KVM, kvm_tdx, kvm, 0),
	MEMBER(TDX_STATE, kvm_tdx, state, 0),
	MEMBER(TDX_HKID, kvm_tdx, hkid, 0),
	MEMBER(TDX_ATTRIBUTES, kvm_tdx, attributes, 0),
	MEMBER(TDX_XFAM, kvm_tdx, xfam, 0),
	MEMBER(TDX_TDR, kvm_tdx, td.tdr_page, SPT_FIELD_POINTER),
	MEMBER(TDX_TDCS_COUNT, kvm_tdx, td.tdcs_nr_pages, 0),
	MEMBER(TDX_TDCS, kvm_tdx, td.tdcs_pages, SPT_FIELD_POINTER),
	MEMBER(TDX_TDCX_COUNT, kvm_tdx, td.tdcx_nr_pages, 0),
	MEMBER(VCPU_TDX_VCPU, vcpu_tdx, vcpu, 0),
	MEMBER(VCPU_TDX_STATE, vcpu_tdx, state, 0),
	MEMBER(VCPU_TDX_TDVPR, vcpu_tdx, vp.tdvpr_page, SPT_FIELD_POINTER),
	MEMBER(VCPU_TDX_TDCX, vcpu_tdx, vp.tdcx_pages, SPT_FIELD_POINTER),
};

static void a_td_is_found_by_name(void **state)
{
	from_dwarf("tdx", "-DINTEL");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const struct spt_field_found *found = &layout.field[members[i].id];
		const char *name = spt_field_names[members[i].id].id;

		if (found->state != SPT_FIELD_FOUND)
			fail_msg("%s is not found", name);
		if (found->field.bit_offset != 8 * members[i].offset ||
		    found->field.bit_size != 8 * members[i].size ||
		    (found->field.flags & SPT_FIELD_POINTER) != members[i].flags ||
		    found->field.alternative)
			fail_msg("%s: bit %u size %u flags %u alternative %u", name,
				 found->field.bit_offset, found->field.bit_size, found->field.flags,
				 found->field.alternative);
	}
	spt_layout_deinit(&layout);
}

static void without_tdx_there_is_none_of_it(void **state)
{
	from_dwarf("plain", "-DINTEL -DNO_TDX");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		assert_int_equal(layout.field[members[i].id].state, SPT_FIELD_NO_TYPE);
	spt_layout_deinit(&layout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_td_is_found_by_name),
		cmocka_unit_test(without_tdx_there_is_none_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
