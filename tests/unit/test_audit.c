// SPDX-License-Identifier: GPL-2.0
/* Each rule of the audit: silent where all is well, and the only one to speak where it is broken.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "audit_vm.h"

static struct spt_audit audit_all(const struct spt_model *model)
{
	struct spt_audit_request request = { 0 };
	struct spt_error err = { 0 };
	struct spt_audit audit;

	if (spt_audit_model(&audit, model, &request, &err))
		fail_msg("%s", err.text);
	return audit;
}

/* Rule @name alone has violations; NULL: none has. */
static void expect_only(const char *what, const struct spt_audit *audit, const char *name)
{
	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++) {
		const struct spt_audit_result *r = &audit->result[i];
		bool want = name && !strcmp(spt_audit_names[i], name);

		if (!!r->violations != want || r->in_flux) {
			for (size_t f = 0; f < audit->nr_findings; f++)
				print_message("%s: %s\n", spt_audit_names[audit->findings[f].rule],
					      audit->findings[f].text);
			fail_msg("%s: rule %s: %llu violations, %llu in flux, n/a: %s", what,
				 spt_audit_names[i], (unsigned long long)r->violations,
				 (unsigned long long)r->in_flux, r->na ? r->na : "no");
		}
	}
	if (!name)
		return;
	assert_true(audit->nr_findings > 0);
	for (size_t f = 0; f < audit->nr_findings; f++) {
		assert_string_equal(spt_audit_names[audit->findings[f].rule], name);
		assert_true(audit->findings[f].text[0] && audit->findings[f].found[0] &&
			    audit->findings[f].expected[0]);
	}
}

static const char *const formats[] = { "ept-6.1", "ept-6.12", "ept-7.3",
				       "npt-6.1", "npt-6.12", "npt-7.3" };
static const char *const shadow_formats[] = { "shadow-6.1", "shadow-6.12", "shadow-7.3" };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void nothing_is_wrong_with_a_sound_vm(void **state)
{
	for (size_t i = 0; i < COUNT(formats); i++) {
		struct tdp_vm t = tdp_vm_new(formats[i]);
		struct spt_audit audit;

		tdp_vm_load(&t);
		audit = audit_all(&t.vm.model);
		expect_only(formats[i], &audit, NULL);
		assert_int_equal(audit.result[SPT_AUDIT_LEAF_HOST].checked, 16);
		assert_int_equal(audit.result[SPT_AUDIT_LEAF_SLOT].checked, 16);
		assert_int_equal(audit.result[SPT_AUDIT_CHILD_GFN].checked, 9);
		assert_int_equal(audit.result[SPT_AUDIT_W_DIRTY_LOG].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_HUGE_DISALLOWED].checked, 3);
		assert_int_equal(audit.result[SPT_AUDIT_MMIO_GENERATION].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_MMIO_IN_SLOT].checked, 1);
		assert_int_equal(audit.result[SPT_AUDIT_COUNT_PAGES].checked, 3);
		assert_int_equal(audit.hints, 0);
		spt_audit_free(&audit);
		vm_free(&t.vm);
	}
}

static void nothing_is_wrong_with_a_sound_shadow_vm(void **state)
{
	for (size_t i = 0; i < COUNT(shadow_formats); i++) {
		struct shadow_vm s = shadow_vm_new(shadow_formats[i]);
		struct spt_audit audit;

		shadow_vm_load(&s);
		audit = audit_all(&s.vm.model);
		expect_only(shadow_formats[i], &audit, NULL);
		assert_int_equal(audit.result[SPT_AUDIT_RMAP_LEAF].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_RMAP_ENTRY].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_SHADOW_ACCESS].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_GUEST_PTE].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_SHADOW_TRACKED].checked, 3);
		assert_int_equal(audit.result[SPT_AUDIT_UNSYNC_WRITABLE].checked, 2);
		assert_int_equal(audit.result[SPT_AUDIT_LEAF_HOST].checked, 2);
		spt_audit_free(&audit);
		vm_free(&s.vm);
	}
}

static uint64_t entry_of(struct tdp_vm *t, unsigned int page)
{
	return mkimage_leaf(t->vm.mk, LOW_HPA + page * 0x1000ULL, 1, "rwx");
}

static void set_low(struct tdp_vm *t, unsigned int index, uint64_t spte)
{
	mkimage_set(t->vm.mk, t->low, index, spte);
}

static struct spt_page *low_page(struct tdp_vm *t)
{
	return mkimage_page(t->vm.mk, t->low);
}

static uint32_t with_role(struct tdp_vm *t, enum spt_role_bit bit, unsigned int value)
{
	return mkimage_role(t->vm.mk, low_page(t)->role, bit, value);
}

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

static void child_gfn(struct tdp_vm *t)
{
	low_page(t)->gfn = 0x400;
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

static void leaf_slot(struct tdp_vm *t)
{
	mkimage_set(t->vm.mk, t->mmio, 5, entry_of(t, 0));
	mkimage_vm(t->vm.mk, SPT_VM_PAGES_4K, 14);
}

static void leaf_host(struct tdp_vm *t)
{
	t->host_hpa += 0x1000;
}

static void leaf_remapped(struct tdp_vm *t)
{
	set_low(t, 4, entry_of(t, 9));
}

static void host_writable(struct tdp_vm *t)
{
	t->host_flags = 0;
}

static void mmio_in_slot(struct tdp_vm *t)
{
	set_low(t, 0x100, mkimage_mmio(t->vm.mk, LOW_GPA + 0x100000, GEN));
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

static void huge_disallowed(struct tdp_vm *t)
{
	t->lpage_2m = 1;
}

static void huge_attrs(struct tdp_vm *t)
{
	t->private_memory = true;
	t->attrs = 8;
}

static void w_mmu_writable(struct tdp_vm *t)
{
	set_low(t, 1, entry_of(t, 1) & ~mkimage_format(t->vm.mk)->mmu_writable);
}

static void mmu_host_writable(struct tdp_vm *t)
{
	set_low(t, 2, entry_of(t, 2) & ~mkimage_format(t->vm.mk)->host_writable);
}

static void w_readonly_slot(struct tdp_vm *t)
{
	mkimage_set(t->vm.mk, t->rom, 0, mkimage_leaf(t->vm.mk, ROM_HPA, 1, "rwx"));
}

static void w_tracked(struct tdp_vm *t)
{
	t->track = 3;
}

static void w_dirty_log(struct tdp_vm *t)
{
	t->dirty[0] = 1;
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

static const struct {
	const char *rule;
	void (*make)(struct tdp_vm *t);
} breaks[] = {
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
	for (size_t f = 0; f < COUNT(formats); f++) {
		for (size_t i = 0; i < COUNT(breaks); i++) {
			struct tdp_vm t = tdp_vm_new(formats[f]);
			struct spt_audit audit;
			char what[64];

			snprintf(what, sizeof(what), "%s, %s", formats[f], breaks[i].rule);
			breaks[i].make(&t);
			tdp_vm_load(&t);
			audit = audit_all(&t.vm.model);
			expect_only(what, &audit, breaks[i].rule);
			spt_audit_free(&audit);
			vm_free(&t.vm);
		}
	}
}

static void a_reserved_memory_type_is_found(void **state)
{
	for (size_t f = 0; f < COUNT(formats); f++) {
		struct tdp_vm t = tdp_vm_new(formats[f]);
		bool ept = mkimage_format(t.vm.mk)->memtype;
		struct spt_audit audit;

		if (ept)
			set_low(&t, 0, entry_of(&t, 0) | 2 << 3);
		tdp_vm_load(&t);
		audit = audit_all(&t.vm.model);
		expect_only(formats[f], &audit, ept ? "memory-type" : NULL);
		assert_true(ept == !audit.result[SPT_AUDIT_MEMORY_TYPE].na);
		spt_audit_free(&audit);
		vm_free(&t.vm);
	}
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

/* A mirror root for private frames beside the shared one, which has a bit in its addresses. */
static void private_memory_has_its_own_root(void **state)
{
	for (int wrong = 0; wrong < 2; wrong++) {
		struct vm vm = vm_new("npt-7.3");
		unsigned int mirror = mkimage_mirror_root(vm.mk, 4);
		const uint64_t bit = 1ULL << 39;
		struct spt_audit audit;

		set_vm_values(vm.mk, 2, 0, 0, 0, 6);
		mkimage_vm(vm.mk, SPT_VM_HAS_PRIVATE_MEM, 1);
		mkimage_vm(vm.mk, SPT_VM_GFN_DIRECT_BITS, bit >> 12);
		mkimage_slot(vm.mk, 0, 0, 0, 4 * MK_MB, LOW_HVA)->gmem_file = 7;
		mkimage_run(vm.mk, SPT_RUN_ATTRS, 0, 1 + wrong, 8);
		mkimage_map(vm.mk, mirror, 0, 1, mkimage_leaf(vm.mk, 0x200000, 1, "rwx"));
		mkimage_map(vm.mk, vm.root, bit + 0x1000, 1,
			    mkimage_leaf(vm.mk, 0x300000, 1, "rwx"));
		for (unsigned int i = 0; i < 8; i++)
			mkimage_page(vm.mk, i)->gfn &= ~(bit >> 12);
		mkimage_seat(vm.mk);
		mkimage_vm_end(vm.mk);
		vm_load(&vm);
		audit = audit_all(&vm.model);
		expect_only("mirror", &audit, wrong ? "attrs-root" : NULL);
		assert_int_equal(audit.result[SPT_AUDIT_ATTRS_ROOT].checked, 2);
		spt_audit_free(&audit);
		vm_free(&vm);
	}
}

/* What an image says of itself: things moved while it was made. */
static void moved_seq(struct tdp_vm *t)
{
	mkimage_end(t->vm.mk)->seq_end = 6;
}

static void moved_in_progress(struct tdp_vm *t)
{
	mkimage_end(t->vm.mk)->in_progress_end = 1;
}

static void moved_generation(struct tdp_vm *t)
{
	mkimage_end(t->vm.mk)->generation_end[0] = GEN + 2;
}

static void moved_note(struct tdp_vm *t)
{
	mkimage_note(t->vm.mk, SPT_NOTE_PATH_CHANGED, 0, 1);
}

static void what_moves_is_in_flux(void **state)
{
	void (*const moves[])(struct tdp_vm * t) = { moved_seq, moved_in_progress, moved_generation,
						     moved_note };

	for (size_t i = 0; i < COUNT(moves); i++) {
		struct tdp_vm t = tdp_vm_new("npt-6.12");
		struct spt_audit audit;

		leaf_host(&t);
		w_mmu_writable(&t);
		moves[i](&t);
		tdp_vm_load(&t);
		audit = audit_all(&t.vm.model);
		assert_int_equal(audit.result[SPT_AUDIT_LEAF_HOST].violations, 0);
		assert_true(audit.result[SPT_AUDIT_LEAF_HOST].in_flux > 0);
		/* What one entry says by itself needs nothing to stand still. */
		assert_int_equal(audit.result[SPT_AUDIT_W_MMU_WRITABLE].violations, 1);
		spt_audit_free(&audit);
		vm_free(&t.vm);
	}
}

static void counters_that_moved_count_nothing(void **state)
{
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	struct spt_audit audit;

	mkimage_vm(t.vm.mk, SPT_VM_PAGES_4K, 99);
	mkimage_vm_end(t.vm.mk);
	mkimage_vm_end_value(t.vm.mk, SPT_VM_PAGES_4K, 98);
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	assert_int_equal(audit.result[SPT_AUDIT_COUNT_PAGES].violations, 0);
	assert_int_equal(audit.result[SPT_AUDIT_COUNT_PAGES].in_flux, 1);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

/* A frozen entry and an invalidation are changes under way: one image cannot tell. */
static void one_image_cannot_tell_what_stays(void **state)
{
	struct tdp_vm t = tdp_vm_new("ept-6.12");
	struct spt_audit audit;

	set_low(&t, 0, mkimage_format(t.vm.mk)->frozen);
	mkimage_vm(t.vm.mk, SPT_VM_PAGES_4K, 12);
	mkimage_vm(t.vm.mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 1);
	mkimage_end(t.vm.mk)->in_progress_end = 1;
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	assert_int_equal(audit.violations, 0);
	assert_int_equal(audit.result[SPT_AUDIT_FROZEN].in_flux, 1);
	assert_int_equal(audit.result[SPT_AUDIT_INVALIDATE_STUCK].in_flux, 1);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

/* Unless it took so long to make that no invalidation could last. */
static void an_image_of_seconds_shows_a_stuck_invalidation(void **state)
{
	struct tdp_vm t = tdp_vm_new("ept-6.12");
	struct spt_audit audit;

	mkimage_vm(t.vm.mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 1);
	mkimage_end(t.vm.mk)->in_progress_end = 1;
	mkimage_head(t.vm.mk)->time_ns = 1000;
	mkimage_end(t.vm.mk)->time_ns = 9000000000ULL;
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect_only("stuck", &audit, "invalidate-stuck");
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

static void a_high_sequence_is_a_hint(void **state)
{
	struct tdp_vm t = tdp_vm_new("ept-6.12");
	struct spt_audit audit;

	mkimage_vm(t.vm.mk, SPT_VM_MMU_INVALIDATE_SEQ, 0x80854227);
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect_only("seq", &audit, NULL);
	assert_int_equal(audit.hints, 1);
	assert_int_equal(audit.nr_findings, 1);
	assert_true(audit.findings[0].hint);
	assert_string_equal(audit.findings[0].found, "0x80854227");
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

static void what_is_missing_is_not_called_sound(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_audit audit;

	mkimage_map(vm.mk, vm.root, 0, 1, mkimage_leaf(vm.mk, 0x1000, 1, "rw"));
	mkimage_seat(vm.mk);
	mkimage_head(vm.mk)->req_parts = SPT_PART_ROOTS | SPT_PART_TABLES;
	vm_load(&vm);
	audit = audit_all(&vm.model);
	assert_int_equal(audit.violations, 0);
	assert_string_equal(audit.result[SPT_AUDIT_LEAF_SLOT].na,
			    "the image was made without the part 'memslots'");
	assert_string_equal(audit.result[SPT_AUDIT_COUNT_PAGES].na,
			    "the image was made without the part 'vm'");
	assert_string_equal(audit.result[SPT_AUDIT_RMAP_LEAF].na,
			    "the image was made without the part 'memslots'");
	assert_null(audit.result[SPT_AUDIT_W_MMU_WRITABLE].na);
	spt_audit_free(&audit);
	vm_free(&vm);
}

/* Nobody can enter through an invalid root: what its tables map may be gone. */
static void an_invalid_root_may_be_old(void **state)
{
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	struct spt_page *root = mkimage_page(t.vm.mk, t.vm.root);
	struct spt_audit audit;

	root->role = mkimage_role(t.vm.mk, root->role, SPT_ROLE_INVALID, 1);
	leaf_host(&t);
	mmio_in_slot(&t);
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect_only("invalid root", &audit, NULL);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

/* Write tracking leaves a huge page that it found, but takes its W. */
static void a_tracked_huge_page_may_stay_read_only(void **state)
{
	struct tdp_vm t = tdp_vm_new("ept-6.12");
	struct spt_audit audit;

	mkimage_set(t.vm.mk, t.huge, 1, mkimage_leaf(t.vm.mk, HUGE_HPA + 2 * MK_MB, 2, "rx"));
	huge_disallowed(&t);
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect_only("read-only huge page", &audit, NULL);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

/* With PML the CPU logs what it writes: W alone says nothing of the bitmap. */
static void the_cpu_may_log_dirty_pages(void **state)
{
	struct tdp_vm t = tdp_vm_new("ept-6.12");
	struct spt_audit audit;

	mkimage_vm(t.vm.mk, SPT_VM_CPU_DIRTY_LOG_SIZE, 512);
	w_dirty_log(&t);
	tdp_vm_load(&t);
	audit = audit_all(&t.vm.model);
	expect_only("pml", &audit, NULL);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

static void a_range_is_looked_at_alone(void **state)
{
	struct spt_audit_request request = { .start = LOW_GPA + 0x2000, .len = 0x1000 };
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	struct spt_error err = { 0 };
	struct spt_audit audit;

	leaf_host(&t);
	tdp_vm_load(&t);
	assert_int_equal(spt_audit_model(&audit, &t.vm.model, &request, &err), 0);
	assert_int_equal(audit.result[SPT_AUDIT_LEAF_HOST].checked, 1);
	assert_int_equal(audit.result[SPT_AUDIT_LEAF_HOST].violations, 1);
	assert_int_equal(audit.findings[0].gpa, LOW_GPA + 0x2000);
	assert_int_equal(audit.findings[0].level, 1);
	assert_int_equal(audit.findings[0].spte, entry_of(&t, 2));
	assert_non_null(audit.result[SPT_AUDIT_COUNT_PAGES].na);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

static void findings_are_bounded_and_the_rest_counted(void **state)
{
	struct spt_audit_request request = { .max = 3 };
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	struct spt_error err = { 0 };
	struct spt_audit audit;

	leaf_host(&t);
	tdp_vm_load(&t);
	assert_int_equal(spt_audit_model(&audit, &t.vm.model, &request, &err), 0);
	assert_int_equal(audit.nr_findings, 3);
	assert_int_equal(audit.violations, 9);
	spt_audit_free(&audit);
	vm_free(&t.vm);
}

static void rules_are_chosen_by_name(void **state)
{
	struct spt_audit_request request = { 0 };
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	struct spt_error err = { 0 };
	struct spt_audit audit;

	assert_int_equal(spt_audit_parse("child-gfn,frozen", &request.rules, &err), 0);
	assert_int_equal(request.rules, 1ULL << SPT_AUDIT_CHILD_GFN | 1ULL << SPT_AUDIT_FROZEN);
	leaf_host(&t);
	child_gfn(&t);
	tdp_vm_load(&t);
	assert_int_equal(spt_audit_model(&audit, &t.vm.model, &request, &err), 0);
	assert_int_equal(audit.violations, 1);
	assert_string_equal(audit.findings[0].expected, "gfn 0x0");
	assert_string_equal(audit.findings[0].found, "gfn 0x400");
	spt_audit_free(&audit);
	vm_free(&t.vm);
	assert_int_equal(spt_audit_parse("child-gnf", &request.rules, &err), -EINVAL);
	assert_non_null(strstr(err.text, "child-gnf"));
}

/* One thread or many: the same findings in the same order. */
static void threads_change_nothing(void **state)
{
	struct spt_audit_request request = { .threads = 1 };
	struct tdp_vm t = tdp_vm_new("npt-6.12");
	struct spt_audit one, many;
	struct spt_error err = { 0 };

	leaf_host(&t);
	w_readonly_slot(&t);
	tdp_vm_load(&t);
	assert_int_equal(spt_audit_model(&one, &t.vm.model, &request, &err), 0);
	request.threads = 4;
	assert_int_equal(spt_audit_model(&many, &t.vm.model, &request, &err), 0);
	assert_int_equal(one.nr_findings, many.nr_findings);
	assert_memory_equal(one.findings, many.findings, one.nr_findings * sizeof(*one.findings));
	spt_audit_free(&one);
	spt_audit_free(&many);
	vm_free(&t.vm);
}

/* A table of text without holes: every rule has its words, once. */
static void every_rule_says_what_and_why(void **state)
{
	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++) {
		const struct spt_audit_rule *r = &spt_audit_rules[i];
		uint64_t rules;

		assert_true(r->name && r->says && r->reason && r->source);
		assert_true(strlen(r->says) > 10 && strlen(r->reason) > 10 && r->source[0]);
		assert_int_equal(spt_audit_parse(r->name, &rules, NULL), 0);
		assert_int_equal(rules, 1ULL << i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_wrong_with_a_sound_vm),
		cmocka_unit_test(nothing_is_wrong_with_a_sound_shadow_vm),
		cmocka_unit_test(a_broken_rule_speaks_alone),
		cmocka_unit_test(a_reserved_memory_type_is_found),
		cmocka_unit_test(a_broken_rule_of_the_shadow_mmu_speaks_alone),
		cmocka_unit_test(private_memory_has_its_own_root),
		cmocka_unit_test(what_moves_is_in_flux),
		cmocka_unit_test(counters_that_moved_count_nothing),
		cmocka_unit_test(one_image_cannot_tell_what_stays),
		cmocka_unit_test(an_image_of_seconds_shows_a_stuck_invalidation),
		cmocka_unit_test(a_high_sequence_is_a_hint),
		cmocka_unit_test(what_is_missing_is_not_called_sound),
		cmocka_unit_test(an_invalid_root_may_be_old),
		cmocka_unit_test(a_tracked_huge_page_may_stay_read_only),
		cmocka_unit_test(the_cpu_may_log_dirty_pages),
		cmocka_unit_test(a_range_is_looked_at_alone),
		cmocka_unit_test(findings_are_bounded_and_the_rest_counted),
		cmocka_unit_test(rules_are_chosen_by_name),
		cmocka_unit_test(threads_change_nothing),
		cmocka_unit_test(every_rule_says_what_and_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
