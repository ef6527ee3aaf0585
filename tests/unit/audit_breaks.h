/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ways to break a rule of the audit in a VM that is sound (audit_vm.h), and what must come of it.
 * Those here are used by several tests. Include after cmocka.h.
 */
#ifndef SPT_TESTS_AUDIT_BREAKS_H
#define SPT_TESTS_AUDIT_BREAKS_H

#include <stdio.h>
#include <string.h>

#include "audit_vm.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* With the TDP MMU, or EPT's. */
static const char *const tdp_formats[] = { "ept-6.1", "ept-6.12", "ept-7.3",
					   "npt-6.1", "npt-6.12", "npt-7.3" };

static inline struct spt_audit audit_all(const struct spt_model *model)
{
	struct spt_audit_request request = { 0 };
	struct spt_error err = { 0 };
	struct spt_audit audit;

	if (spt_audit_model(&audit, model, &request, &err))
		fail_msg("%s", err.text);
	return audit;
}

/* Rule @name alone has violations; NULL: none has. */
static inline void expect_only(const char *what, const struct spt_audit *audit, const char *name)
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

static inline uint64_t entry_of(struct tdp_vm *t, unsigned int page)
{
	return mkimage_leaf(t->vm.mk, LOW_HPA + page * 0x1000ULL, 1, "rwx");
}

static inline void set_low(struct tdp_vm *t, unsigned int index, uint64_t spte)
{
	mkimage_set(t->vm.mk, t->low, index, spte);
}

static inline struct spt_page *low_page(struct tdp_vm *t)
{
	return mkimage_page(t->vm.mk, t->low);
}

static inline uint32_t with_role(struct tdp_vm *t, enum spt_role_bit bit, unsigned int value)
{
	return mkimage_role(t->vm.mk, low_page(t)->role, bit, value);
}

static inline void leaf_host(struct tdp_vm *t)
{
	t->host_hpa += 0x1000;
}

static inline void mmio_in_slot(struct tdp_vm *t)
{
	set_low(t, 0x100, mkimage_mmio(t->vm.mk, LOW_GPA + 0x100000, GEN));
}

static inline void huge_disallowed(struct tdp_vm *t)
{
	t->lpage_2m = 1;
}

static inline void w_mmu_writable(struct tdp_vm *t)
{
	set_low(t, 1, entry_of(t, 1) & ~mkimage_format(t->vm.mk)->mmu_writable);
}

static inline void w_readonly_slot(struct tdp_vm *t)
{
	mkimage_set(t->vm.mk, t->rom, 0, mkimage_leaf(t->vm.mk, ROM_HPA, 1, "rwx"));
}

static inline void w_dirty_log(struct tdp_vm *t)
{
	t->dirty[0] = 1;
}

static inline void child_gfn(struct tdp_vm *t)
{
	low_page(t)->gfn = 0x400;
}

/* One way to break a rule. */
struct breakage {
	const char *rule;
	void (*make)(struct tdp_vm *t);
};

/* Each alone, in every format: that rule speaks, and no other. */
static inline void break_each(const struct breakage *breaks, size_t count)
{
	for (size_t f = 0; f < COUNT(tdp_formats); f++) {
		for (size_t i = 0; i < count; i++) {
			struct tdp_vm t = tdp_vm_new(tdp_formats[f]);
			struct spt_audit audit;
			char what[64];

			snprintf(what, sizeof(what), "%s, %s", tdp_formats[f], breaks[i].rule);
			breaks[i].make(&t);
			tdp_vm_load(&t);
			audit = audit_all(&t.vm.model);
			expect_only(what, &audit, breaks[i].rule);
			spt_audit_free(&audit);
			vm_free(&t.vm);
		}
	}
}

#endif
