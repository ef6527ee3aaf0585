// SPDX-License-Identifier: GPL-2.0
/* The audit's rules about leaves and MMIO entries: broken, each is the only one to speak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit_breaks.h"

static void leaf_slot(struct tdp_vm *t)
{
	mkimage_set(t->vm.mk, t->mmio, 5, entry_of(t, 0));
	mkimage_vm(t->vm.mk, SPT_VM_PAGES_4K, 14);
}

static void leaf_remapped(struct tdp_vm *t)
{
	set_low(t, 4, entry_of(t, 9));
}

static void host_writable(struct tdp_vm *t)
{
	t->host_flags = 0;
}

static void mmio_generation(struct tdp_vm *t)
{
	mkimage_set(t->vm.mk, t->mmio, 0, mkimage_mmio(t->vm.mk, MMIO_GPA, GEN + 2));
}

static void mmio_gfn(struct tdp_vm *t)
{
	mkimage_set(t->vm.mk, t->mmio, 0, mkimage_mmio(t->vm.mk, MMIO_GPA + 0x3000, GEN));
}

static void mmio_over_present(struct tdp_vm *t)
{
	unsigned int other = mkimage_tdp_root(t->vm.mk, 4);

	mkimage_map(t->vm.mk, other, LOW_GPA, 1, entry_of(t, 0));
	set_low(t, 0, mkimage_mmio(t->vm.mk, LOW_GPA, GEN));
	mkimage_vm(t->vm.mk, SPT_VM_TDP_MMU_PAGES, 12);
	mkimage_seat(t->vm.mk);
}

static void huge_aligned(struct tdp_vm *t)
{
	mkimage_set(t->vm.mk, t->huge, 0, mkimage_leaf(t->vm.mk, HUGE_HPA, 2, "rwx") | 0x4000);
}

static void huge_in_slot(struct tdp_vm *t)
{
	t->huge_size = 5 * MK_MB;
}

static void huge_hva(struct tdp_vm *t)
{
	t->huge_hva += 0x1000;
}

static void huge_attrs(struct tdp_vm *t)
{
	t->private_memory = true;
	t->attrs = 8;
}

static void mmu_host_writable(struct tdp_vm *t)
{
	set_low(t, 2, entry_of(t, 2) & ~mkimage_format(t->vm.mk)->host_writable);
}

static void w_tracked(struct tdp_vm *t)
{
	t->track = 3;
}

static void ad_type(struct tdp_vm *t)
{
	bool wide = mkimage_format(t->vm.mk)->layout == SPT_LAYOUT_ACCESS4;

	set_low(t, 0, entry_of(t, 0) | 1ULL << (wide ? 60 : 52));
}

static void reserved_bits(struct tdp_vm *t)
{
	set_low(t, 3, entry_of(t, 3) | 1ULL << 50);
}

static void hw_present(struct tdp_vm *t)
{
	set_low(t, 20, LOW_HPA | 7);
}

static const struct breakage breaks[] = {
	{ "leaf-slot", leaf_slot },
	{ "leaf-host", leaf_host },
	{ "leaf-host", leaf_remapped },
	{ "host-writable", host_writable },
	{ "mmio-in-slot", mmio_in_slot },
	{ "mmio-generation", mmio_generation },
	{ "mmio-gfn", mmio_gfn },
	{ "mmio-over-present", mmio_over_present },
	{ "huge-aligned", huge_aligned },
	{ "huge-in-slot", huge_in_slot },
	{ "huge-hva", huge_hva },
	{ "huge-disallowed", huge_disallowed },
	{ "huge-attrs", huge_attrs },
	{ "w-mmu-writable", w_mmu_writable },
	{ "mmu-host-writable", mmu_host_writable },
	{ "w-readonly-slot", w_readonly_slot },
	{ "w-tracked", w_tracked },
	{ "w-dirty-log", w_dirty_log },
	{ "ad-type", ad_type },
	{ "reserved-bits", reserved_bits },
	{ "hw-present", hw_present },
};

static void a_broken_rule_speaks_alone(void **state)
{
	break_each(breaks, COUNT(breaks));
}

/* Images of a range have the host's walk by the slots of address space 0: SMM's are others. */
static void the_hosts_walk_is_of_one_address_space(void **state)
{
	const struct spt_audit_request request = { .rules = 1ULL << SPT_AUDIT_LEAF_HOST };

	for (unsigned int as = 0; as < 2; as++) {
		struct vm vm = vm_new("npt-6.12");
		unsigned int root = as ? mkimage_tdp_root(vm.mk, 4) : vm.root;
		struct spt_page *page = mkimage_page(vm.mk, root);
		struct spt_error err = { 0 };
		struct spt_audit audit;
		unsigned int table;

		page->role = mkimage_role(vm.mk, page->role, SPT_ROLE_SMM, as);
		mkimage_vm(vm.mk, SPT_VM_GENERATION_0, GEN);
		mkimage_slot(vm.mk, 0, 0, LOW_GPA, MK_MB, LOW_HVA);
		mkimage_slot(vm.mk, 1, 1, LOW_GPA, MK_MB, HUGE_HVA);
		table = mkimage_map(vm.mk, root, LOW_GPA, 1,
				    mkimage_leaf(vm.mk, HUGE_HPA, 1, "rw"));
		for (unsigned int t = table; t > table - 3; t--) {
			page = mkimage_page(vm.mk, t);
			page->role = mkimage_role(vm.mk, page->role, SPT_ROLE_SMM, as);
		}
		mkimage_host(vm.mk, LOW_GPA, LOW_HVA, 1, LOW_HPA | 0x67, 0);
		vm_load(&vm);
		assert_int_equal(spt_audit_model(&audit, &vm.model, &request, &err), 0);
		assert_int_equal(audit.violations, !as);
		assert_int_equal(audit.in_flux, 0);
		spt_audit_free(&audit);
		vm_free(&vm);
	}
}

static void a_reserved_memory_type_is_found(void **state)
{
	for (size_t f = 0; f < COUNT(tdp_formats); f++) {
		struct tdp_vm t = tdp_vm_new(tdp_formats[f]);
		bool ept = mkimage_format(t.vm.mk)->memtype;
		struct spt_audit audit;

		if (ept)
			set_low(&t, 0, entry_of(&t, 0) | 2 << 3);
		tdp_vm_load(&t);
		audit = audit_all(&t.vm.model);
		expect_only(tdp_formats[f], &audit, ept ? "memory-type" : NULL);
		assert_true(ept == !audit.result[SPT_AUDIT_MEMORY_TYPE].na);
		spt_audit_free(&audit);
		vm_free(&t.vm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broken_rule_speaks_alone),
		cmocka_unit_test(the_hosts_walk_is_of_one_address_space),
		cmocka_unit_test(a_reserved_memory_type_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
