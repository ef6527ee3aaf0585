// SPDX-License-Identifier: GPL-2.0
/*
 * The audit's rules about tables, their links, counters and roots, of the shadow MMU's too:
 * broken, each is the only one to speak.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit_breaks.h"

static const char *const shadow_formats[] = { "shadow-6.1", "shadow-6.12", "shadow-7.3" };

/* The table of level 2 that all of slots 0 to 2 hang in: root, level 3, this. */
static unsigned int upper(struct tdp_vm *t)
{
	return t->vm.root + 2;
}

static void child_table(struct tdp_vm *t)
{
	mkimage_set(t->vm.mk, upper(t), 100, mkimage_nonleaf(t->vm.mk, 0x99000000));
	mkimage_note(t->vm.mk, SPT_NOTE_BAD_TABLE, 0x99000000, 0);
}

static void child_level(struct tdp_vm *t)
{
	low_page(t)->role = with_role(t, SPT_ROLE_LEVEL, 2);
}

static void child_gfn_upper(struct tdp_vm *t)
{
	mkimage_page(t->vm.mk, upper(t))->gfn = 0x12345;
}

static void child_role(struct tdp_vm *t)
{
	low_page(t)->role = with_role(t, SPT_ROLE_SMM, 1);
}

static void child_guest_mode(struct tdp_vm *t)
{
	low_page(t)->role = with_role(t, SPT_ROLE_GUEST_MODE, 1);
}

static void child_invalid(struct tdp_vm *t)
{
	low_page(t)->role = with_role(t, SPT_ROLE_INVALID, 1);
}

static void parent_pointer(struct tdp_vm *t)
{
	low_page(t)->parent += 8;
}

static void backlink(struct tdp_vm *t)
{
	low_page(t)->flags |= SPT_PAGE_BACKLINK_BAD;
}

static void linked_twice(struct tdp_vm *t)
{
	mkimage_set(t->vm.mk, upper(t), 300,
		    mkimage_nonleaf(t->vm.mk, mkimage_table_hpa(t->vm.mk, t->low)));
}

static void nx_list(struct tdp_vm *t)
{
	low_page(t)->flags |= SPT_PAGE_NX_LINKED;
	mkimage_vm(t->vm.mk, SPT_VM_NX_LPAGE_SPLITS, 1);
}

static void count_pages(struct tdp_vm *t)
{
	mkimage_vm(t->vm.mk, SPT_VM_PAGES_2M, 4);
}

static void count_shadow(struct tdp_vm *t)
{
	mkimage_vm(t->vm.mk, SPT_VM_N_USED_MMU_PAGES, 1000);
}

static void count_tdp(struct tdp_vm *t)
{
	mkimage_vm(t->vm.mk, SPT_VM_TDP_MMU_PAGES, 8);
}

static void count_indirect(struct tdp_vm *t)
{
	mkimage_vm(t->vm.mk, SPT_VM_INDIRECT_SHADOW_PAGES, 1);
}

static void count_nx(struct tdp_vm *t)
{
	mkimage_vm(t->vm.mk, SPT_VM_NX_LPAGE_SPLITS, 2);
}

static void count_roots(struct tdp_vm *t)
{
	mkimage_page(t->vm.mk, t->vm.root)->root_count = 0;
}

static void vcpu_root(struct tdp_vm *t)
{
	mkimage_vcpu_value(t->vm.mk, 0, SPT_VCPU_ROOT_HPA, 0x12345000);
}

static void vcpu_root_level(struct tdp_vm *t)
{
	mkimage_vcpu_value(t->vm.mk, 0, SPT_VCPU_ROOT_ROLE,
			   mkimage_role(t->vm.mk, mkimage_page(t->vm.mk, t->vm.root)->role,
					SPT_ROLE_LEVEL, 5));
}

static void vcpu_inner_table(struct tdp_vm *t)
{
	mkimage_page(t->vm.mk, t->low)->root_count = 0;
	mkimage_vcpu_value(t->vm.mk, 0, SPT_VCPU_ROOT_HPA, mkimage_table_hpa(t->vm.mk, t->low));
}

static const struct breakage breaks[] = {
	{ "child-table", child_table },
	{ "child-level", child_level },
	{ "child-gfn", child_gfn },
	{ "child-gfn", child_gfn_upper },
	{ "child-role", child_role },
	{ "child-role", child_guest_mode },
	{ "child-role", child_invalid },
	{ "parent-pointer", parent_pointer },
	{ "backlink", backlink },
	{ "linked-once", linked_twice },
	{ "nx-list", nx_list },
	{ "count-pages", count_pages },
	{ "count-shadow-pages", count_shadow },
	{ "count-tdp-pages", count_tdp },
	{ "count-indirect", count_indirect },
	{ "count-nx", count_nx },
	{ "count-roots", count_roots },
	{ "vcpu-root", vcpu_root },
	{ "vcpu-root", vcpu_root_level },
	{ "vcpu-root", vcpu_inner_table },
};

static void a_broken_rule_speaks_alone(void **state)
{
	break_each(breaks, COUNT(breaks));
}

/* By its id, which is the APIC's, and not by its place among the vCPUs. */
static void a_vcpu_is_called_by_its_id(void **state)
{
	struct tdp_vm t = tdp_vm_new(tdp_formats[0]);
	struct spt_audit audit;

	vcpu_root(&t);
	mkimage_vcpu_value(t.vm.mk, 0, SPT_VCPU_ID, 4);
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect_only("vCPU 4", &audit, "vcpu-root");
	assert_non_null(strstr(audit.findings[0].text, "vCPU 4 has root"));
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

static void shadow_rmap_lost(struct shadow_vm *s)
{
	s->rmaps = 1;
}

static void shadow_rmap_gfn(struct shadow_vm *s)
{
	s->rmap_gfn += 5;
}

static void shadow_access(struct shadow_vm *s)
{
	mkimage_translate(s->vm.mk, s->table[1], 0, SHADOW_PAGE, 5);
	mkimage_set(s->vm.mk, s->table[1], 0, mkimage_leaf(s->vm.mk, SHADOW_HPA, 1, "rw"));
}

static void shadow_guest_pte(struct shadow_vm *s)
{
	s->page[0] = (SHADOW_PAGE + 0x9000) | 0x67;
}

static void shadow_guest_gone(struct shadow_vm *s)
{
	s->page[0] = 0;
}

static void shadow_untracked(struct shadow_vm *s)
{
	s->tracked++;
}

static void shadow_unsync_page(struct shadow_vm *s)
{
	mkimage_page(s->vm.mk, s->table[2])->flags |= SPT_PAGE_UNSYNC;
	mkimage_page(s->vm.mk, s->table[3])->unsync_children = 1;
	mkimage_page(s->vm.mk, s->table[4])->unsync_children = 1;
}

static void shadow_unsync_parent(struct shadow_vm *s)
{
	mkimage_page(s->vm.mk, s->table[1])->flags |= SPT_PAGE_UNSYNC;
}

static void shadow_unsync_writable(struct shadow_vm *s)
{
	s->second = (SHADOW_GFN + 3) << 12;
}

static void shadow_parent(struct shadow_vm *s)
{
	mkimage_page(s->vm.mk, s->table[1])->parent += 16;
}

static void shadow_role(struct shadow_vm *s)
{
	struct spt_page *page = mkimage_page(s->vm.mk, s->table[1]);

	page->role = mkimage_role(s->vm.mk, page->role, SPT_ROLE_EFER_NX, 1);
}

static void shadow_count(struct shadow_vm *s)
{
	mkimage_vm(s->vm.mk, SPT_VM_N_USED_MMU_PAGES, 3);
}

static const struct {
	const char *rule;
	void (*make)(struct shadow_vm *s);
} shadow_breaks[] = {
	{ "rmap-leaf", shadow_rmap_lost },
	{ "rmap-entry", shadow_rmap_gfn },
	{ "shadow-access", shadow_access },
	{ "guest-pte", shadow_guest_pte },
	{ "guest-pte", shadow_guest_gone },
	{ "shadow-tracked", shadow_untracked },
	{ "unsync-page", shadow_unsync_page },
	{ "unsync-parent", shadow_unsync_parent },
	{ "unsync-writable", shadow_unsync_writable },
	{ "parent-pointer", shadow_parent },
	{ "child-role", shadow_role },
	{ "count-shadow-pages", shadow_count },
};

static void a_broken_rule_of_the_shadow_mmu_speaks_alone(void **state)
{
	for (size_t f = 0; f < COUNT(shadow_formats); f++) {
		for (size_t i = 0; i < COUNT(shadow_breaks); i++) {
			struct shadow_vm s = shadow_vm_new(shadow_formats[f]);
			struct spt_audit audit;
			char what[64];

			snprintf(what, sizeof(what), "%s, %s", shadow_formats[f],
				 shadow_breaks[i].rule);
			shadow_breaks[i].make(&s);
			shadow_vm_load(&s);
			audit = audit_all(&s.vm.model);
			expect_only(what, &audit, shadow_breaks[i].rule);
			spt_audit_free(&audit);
			vm_free(&s.vm);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broken_rule_speaks_alone),
		cmocka_unit_test(a_vcpu_is_called_by_its_id),
		cmocka_unit_test(a_broken_rule_of_the_shadow_mmu_speaks_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
