// SPDX-License-Identifier: GPL-2.0
/*
 * What TDX host support keeps of a TD, found by name in the DWARF of a kvm_intel that has
 * it, and read by the agent's own code from where it was found; and nothing of it in one
 * that has not. No stock kernel of the lab does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "agent_tdx.h"
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

/* The agent is told of each field what was found. */
static void tell_agent(enum spt_vendor vendor)
{
	agent_tdx_reset(vendor);
	for (unsigned int f = 0; f < SPT_F_COUNT; f++)
		if (layout.field[f].state == SPT_FIELD_FOUND &&
		    !(layout.field[f].field.flags & SPT_FIELD_BITS))
			agent_tdx_field(f, layout.field[f].field.bit_offset / 8,
					layout.field[f].field.bit_size / 8,
					layout.field[f].field.flags);
}

static void assert_value(const struct spt_values *values, unsigned int i, uint64_t expected)
{
	assert_true(values->known[i / 64] >> i % 64 & 1);
	assert_int_equal(values->value[i], expected);
}

static bool knows(const struct spt_values *values, unsigned int i)
{
	return values->known[i / 64] >> i % 64 & 1;
}

/* A TD with two vCPUs; pages by their numbers. */
static struct page *tdcs[] = { NULL, NULL, NULL }, *tdcx[2][2];
static struct kvm_tdx td;
static struct vcpu_tdx vcpu[2];
static const void *vcpus[] = { &vcpu[0].vcpu, &vcpu[1].vcpu };

static void make_td(void)
{
	for (unsigned int i = 0; i < 3; i++)
		tdcs[i] = agent_tdx_page(20 + 2 * i);
	td = (struct kvm_tdx){
		.kvm.arch.vm_type = SPT_VM_TYPE_TDX,
		.hkid = 37,
		.state = TD_STATE_RUNNABLE,
		.attributes = 0x10000000,
		.xfam = 0x602e7,
		.td = { agent_tdx_page(9), 3, tdcs, 2 },
	};
	for (unsigned int i = 0; i < 2; i++) {
		tdcx[i][0] = agent_tdx_page(40 + 10 * i);
		tdcx[i][1] = agent_tdx_page(41 + 10 * i);
		vcpu[i] = (struct vcpu_tdx){
			.vp = { agent_tdx_page(30 + i), 0, tdcx[i] },
			.state = VCPU_TD_STATE_INITIALIZED,
		};
	}
}

static void its_values_are_read(void **state)
{
	struct spt_values *values;

	from_dwarf("tdx", "-DINTEL");
	tell_agent(SPT_VENDOR_VMX);
	make_td();
	values = agent_tdx_vm(&td.kvm);
	assert_value(values, SPT_VM_TDX_STATE, TD_STATE_RUNNABLE);
	assert_value(values, SPT_VM_TDX_HKID, 37);
	assert_value(values, SPT_VM_TDX_ATTRIBUTES, 0x10000000);
	assert_value(values, SPT_VM_TDX_XFAM, 0x602e7);
	assert_value(values, SPT_VM_TDX_TDR, 9 * 4096);
	assert_value(values, SPT_VM_TDX_TDCS_PAGES, 3);
	free(values);
	/* A key that is given back is no key. */
	td.hkid = -1;
	values = agent_tdx_vm(&td.kvm);
	assert_value(values, SPT_VM_TDX_HKID, (uint64_t)-1);
	free(values);
	values = agent_tdx_vcpu(&td.kvm, &vcpu[1].vcpu);
	assert_value(values, SPT_VCPU_TDX_STATE, VCPU_TD_STATE_INITIALIZED);
	assert_value(values, SPT_VCPU_TDX_TDVPR, 31 * 4096);
	free(values);
	/* Before its pages are made, and with a pointer that is no page's. */
	td.td.tdr_page = NULL;
	vcpu[1].vp.tdvpr_page = (void *)((char *)agent_tdx_page(3) + 8);
	values = agent_tdx_vm(&td.kvm);
	assert_false(knows(values, SPT_VM_TDX_TDR));
	free(values);
	values = agent_tdx_vcpu(&td.kvm, &vcpu[1].vcpu);
	assert_value(values, SPT_VCPU_TDX_TDVPR, SPT_NO_HPA);
	free(values);
	spt_layout_deinit(&layout);
}

static void its_pages_are_read(void **state)
{
	static const struct {
		uint32_t kind, vcpu, count;
		uint64_t page[3];
	} expected[] = {
		{ SPT_TDX_TDCS, 0, 3, { 20, 22, 24 } },
		{ SPT_TDX_TDCX, 0, 2, { 40, 41 } },
		{ SPT_TDX_TDCX, 1, 2, { 50, 51 } },
	};
	const struct spt_tdx_pages *pages;
	__u64 at = 0;

	from_dwarf("tdx", "-DINTEL");
	tell_agent(SPT_VENDOR_VMX);
	make_td();
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		pages = agent_tdx_pages(&td.kvm, vcpus, 2, &at);
		assert_non_null(pages);
		assert_int_equal(pages->kind, expected[i].kind);
		assert_int_equal(pages->vcpu, expected[i].vcpu);
		assert_int_equal(pages->count, expected[i].count);
		assert_int_equal(pages->rec.len, sizeof(*pages) + 8 * expected[i].count);
		for (uint32_t n = 0; n < expected[i].count; n++)
			assert_int_equal(pages->hpa[n], expected[i].page[n] * 4096);
	}
	assert_null(agent_tdx_pages(&td.kvm, vcpus, 2, &at));
	spt_layout_deinit(&layout);
}

/* Nothing of another kind of VM, whatever lies around its struct kvm; and on AMD of none. */
static void another_vm_has_none_of_it(void **state)
{
	struct spt_values *values;
	__u64 at = 0;

	from_dwarf("tdx", "-DINTEL");
	for (int svm = 0; svm < 2; svm++) {
		tell_agent(svm ? SPT_VENDOR_SVM : SPT_VENDOR_VMX);
		make_td();
		td.kvm.arch.vm_type = svm ? SPT_VM_TYPE_TDX : 0;
		values = agent_tdx_vm(&td.kvm);
		assert_false(values->known[0] | values->known[1]);
		free(values);
		values = agent_tdx_vcpu(&td.kvm, vcpus[0]);
		assert_false(values->known[0] | values->known[1]);
		free(values);
		assert_null(agent_tdx_pages(&td.kvm, vcpus, 2, &at));
	}
	spt_layout_deinit(&layout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_td_is_found_by_name),
		cmocka_unit_test(without_tdx_there_is_none_of_it),
		cmocka_unit_test(its_values_are_read),
		cmocka_unit_test(its_pages_are_read),
		cmocka_unit_test(another_vm_has_none_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
