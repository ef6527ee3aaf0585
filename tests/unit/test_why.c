// SPDX-License-Identifier: GPL-2.0
/*
 * `why` on synthetic images: each case says all the causes that must be named, in
 * their order, so that a case fails by a cause too few and by one too many.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "spt/lpage.h"
#include "spt/why.h"
#include "vm.h"

#define HVA	     0x7f0000000000ULL
#define HPA	     0x40000000ULL
#define GPA	     0x5000ULL
#define SLOT	     (16 * MK_MB)
#define RW	     0x67ULL /* P, W, U, A, D */
#define RO	     0x65ULL
#define PSE	     0x80ULL
#define SPECIAL	     0x200ULL
#define SWAPPED	     (2ULL << 59 | 0x1234 << 14)
#define MIGRATING    (25ULL << 59 | 0x1234 << 14)
#define MARKER	     (31ULL << 59 | 0x200)
#define PROTNONE(p)  ((~(p)&0x000ffffffffff000ULL) | 0x100)
#define ATTR_PRIVATE 8ULL

/* A VM at rest with 16 MiB in one slot, of which all is known. */
static struct vm vm_of(const char *format)
{
	struct vm vm = vm_new(format);

	mkimage_head(vm.mk)->req_parts |= SPT_PART_DIRTY;
	mkimage_vm(vm.mk, SPT_VM_GENERATION_0, 8);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_SEQ, 100);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 0);
	return vm;
}

static struct vm vm_with_slot(const char *format, uint32_t flags)
{
	struct vm vm = vm_of(format);

	mkimage_slot(vm.mk, 0, 0, 0, SLOT, HVA)->flags = flags;
	return vm;
}

static void map(struct vm *vm, uint64_t gpa, int level, const char *perm)
{
	mkimage_map(vm->mk, vm->root, gpa, level,
		    mkimage_leaf(vm->mk, HPA + (gpa & ~(spt_level_size(level) - 1)), level, perm));
}

static void host(struct vm *vm, uint64_t gpa, int level, uint64_t entry)
{
	mkimage_host(vm->mk, gpa, HVA + gpa, level, entry, 0);
}

/* The whole 2M, by a host page of that size. */
static void host_huge(struct vm *vm, uint64_t gpa)
{
	host(vm, gpa, 2, HPA | PSE | RW);
}

static void names_of(const struct spt_why_answer *a, char *text, size_t size)
{
	size_t used = 0;

	text[0] = 0;
	for (unsigned int i = 0; i < a->nr_causes && used < size; i++) {
		const struct spt_cause_row *row = &spt_causes[a->cause[i].cause];

		used += snprintf(text + used, size - used, "%s%s/%s", i ? " " : "",
				 spt_question_names[row->question], row->name);
		assert_true(a->cause[i].nr_facts > 0);
	}
}

/* The first answer must be in @state with exactly these causes. */
static const struct spt_why_answer *expect(struct vm *vm, uint64_t gpa, enum spt_why_state state,
					   const char *causes)
{
	static struct spt_why why;
	char text[512];

	vm_load(vm);
	spt_why_gpa(&vm->model, gpa, &why);
	names_of(&why.answer[0], text, sizeof(text));
	if (why.answer[0].state != state || strcmp(text, causes))
		fail_msg("%s: '%s'; expected %s: '%s'", spt_why_state_name(why.answer[0].state),
			 text, spt_why_state_name(state), causes);
	return &why.answer[0];
}

static const char *fact(const struct spt_why_answer *a, const char *name)
{
	for (unsigned int i = 0; i < a->nr_facts; i++)
		if (!strcmp(a->fact[i].name, name))
			return a->fact[i].value;
	return "";
}

/* The same for a VM that is not needed any more. */
static void is(struct vm vm, uint64_t gpa, enum spt_why_state state, const char *causes)
{
	expect(&vm, gpa, state, causes);
	vm_free(&vm);
}

static void size_by_host(void **state)
{
	struct vm vm = vm_with_slot("npt-6.12", 0);

	map(&vm, GPA, 1, "rwx");
	host(&vm, GPA, 1, (HPA + GPA) | RW);
	assert_string_equal(
		fact(expect(&vm, GPA, SPT_WHY_MAPPED, "size/host-smaller"), "host.page_size"),
		"4096");
	vm_free(&vm);

	/* All 512 small entries of one huge page. */
	vm = vm_with_slot("npt-6.12", 0);
	map(&vm, GPA, 1, "rwx");
	for (uint64_t gpa = 0; gpa < 2 * MK_MB; gpa += 4096)
		host(&vm, gpa, 1, (HPA + gpa) | RW);
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-split");

	/* In one piece, but not where a huge page could be; or with one of another place. */
	vm = vm_with_slot("npt-6.12", 0);
	map(&vm, GPA, 1, "rwx");
	for (uint64_t gpa = 0; gpa < 2 * MK_MB; gpa += 4096)
		host(&vm, gpa, 1, (HPA + gpa + 4096) | RW);
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller");
	vm = vm_with_slot("npt-6.12", 0);
	map(&vm, GPA, 1, "rwx");
	for (uint64_t gpa = 0; gpa < 2 * MK_MB; gpa += 4096)
		host(&vm, gpa, 1, (HPA + (gpa == 0x9000 ? 0x10000000 : gpa)) | RW);
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller");

	/* Device memory. */
	vm = vm_with_slot("npt-6.12", 0);
	map(&vm, GPA, 1, "rwx");
	host(&vm, GPA, 1, (HPA + GPA) | RW | SPECIAL);
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-special");

	vm = vm_with_slot("npt-6.12", 0);
	map(&vm, GPA, 1, "rwx");
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-unknown");

	/* 2M of the host's 2M: not 1G because of host and slot. */
	vm = vm_of("npt-6.12");
	mkimage_slot(vm.mk, 0, 0, 0, 2 * MK_GB, HVA);
	map(&vm, 0, 2, "rwx");
	host_huge(&vm, 0);
	assert_int_equal(expect(&vm, GPA, SPT_WHY_MAPPED, "size/host-smaller")->larger, 3);
	vm_free(&vm);
}

static void size_by_host_runs(void **state)
{
	struct vm vm = vm_with_slot("npt-6.12", 0);

	map(&vm, GPA, 1, "rwx");
	mkimage_host_run(vm.mk, 0, 512, HPA, 1, SPT_HOST_RUN_WRITABLE);
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-split");

	vm = vm_with_slot("npt-6.12", 0);
	map(&vm, GPA, 1, "rwx");
	mkimage_host_run(vm.mk, 0, 511, HPA, 1, SPT_HOST_RUN_WRITABLE);
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller");

	vm = vm_with_slot("npt-6.12", 0);
	map(&vm, GPA, 1, "r-x");
	mkimage_host_run(vm.mk, 5, 1, HPA, 1, SPT_HOST_RUN_ZERO);
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-special write/host-special-page");

	vm = vm_with_slot("npt-6.12", 0);
	map(&vm, GPA, 1, "rwx");
	mkimage_host_run(vm.mk, 0, 512, HPA, 2, SPT_HOST_RUN_WRITABLE);
	is(vm, GPA, SPT_WHY_MAPPED, "size/not-refaulted");

	vm = vm_with_slot("npt-6.12", 0);
	mkimage_host_run(vm.mk, 0, 16, SPT_NO_HPA, 1, SPT_HOST_RUN_SWAP);
	is(vm, GPA, SPT_WHY_UNMAPPED, "mapped/host-swapped");
}

static void size_by_slot(void **state)
{
	struct vm vm = vm_of("npt-6.12");
	const struct spt_why_answer *a;

	mkimage_slot(vm.mk, 0, 0, 0x1000, 4 * MK_MB, HVA + 0x1000);
	mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 0, 512, 1);
	map(&vm, GPA, 1, "rwx");
	host_huge(&vm, 0x1000);
	a = expect(&vm, GPA, SPT_WHY_MAPPED, "size/slot-edge");
	assert_string_equal(fact(a, "slot.base_gfn"), "0x1");
	assert_string_equal(fact(a, "disallow_lpage"), "1");
	vm_free(&vm);

	/* The same slot's middle is not at the edge. */
	vm = vm_of("npt-6.12");
	mkimage_slot(vm.mk, 0, 0, 0x1000, 4 * MK_MB, HVA + 0x1000);
	map(&vm, 2 * MK_MB, 1, "rwx");
	host_huge(&vm, 2 * MK_MB);
	is(vm, 2 * MK_MB, SPT_WHY_MAPPED, "size/not-refaulted");

	vm = vm_of("npt-6.12");
	mkimage_slot(vm.mk, 0, 0, 0, 4 * MK_MB, HVA + 0x1000);
	mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 0, 1024, 1);
	map(&vm, GPA, 1, "rwx");
	mkimage_host(vm.mk, GPA, HVA + 0x1000 + GPA, 2, HPA | PSE | RW, 0);
	a = expect(&vm, GPA, SPT_WHY_MAPPED, "size/misaligned");
	assert_string_equal(fact(a, "difference"), "0x1");
	vm_free(&vm);

	vm = vm_with_slot("npt-6.12", SPT_SLOT_LOG_DIRTY);
	map(&vm, GPA, 1, "rwx");
	host_huge(&vm, 0);
	is(vm, GPA, SPT_WHY_MAPPED, "size/dirty-logging");

	vm = vm_of("npt-6.12");
	mkimage_slot(vm.mk, 0, 0, 0, 4 * MK_GB, HVA);
	map(&vm, MK_GB, 3, "rwx");
	is(vm, MK_GB, SPT_WHY_MAPPED, "size/largest");
}

/* KVM's count: its flag, what is tracked, what nothing accounts for. */
static void size_by_count(void **state)
{
	struct vm vm = vm_with_slot("npt-6.12", 0);

	mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 0, 512, SPT_LPAGE_MIXED_FLAG);
	mkimage_run(vm.mk, SPT_RUN_ATTRS, 8, 8, ATTR_PRIVATE);
	map(&vm, GPA, 1, "rwx");
	host_huge(&vm, 0);
	is(vm, GPA, SPT_WHY_MAPPED, "size/mixed-attributes");

	/* The flag of another block. */
	vm = vm_with_slot("npt-6.12", 0);
	mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 512, 512, SPT_LPAGE_MIXED_FLAG);
	map(&vm, GPA, 1, "rwx");
	host_huge(&vm, 0);
	is(vm, GPA, SPT_WHY_MAPPED, "size/not-refaulted");

	vm = vm_with_slot("npt-6.12", 0);
	mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 0, 512, 2);
	mkimage_run(vm.mk, SPT_RUN_WRITE_TRACK, 9, 2, 1);
	map(&vm, GPA, 1, "rwx");
	host_huge(&vm, 0);
	is(vm, GPA, SPT_WHY_MAPPED, "size/write-track");

	vm = vm_with_slot("npt-6.12", 0);
	mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 0, 512, 3);
	mkimage_run(vm.mk, SPT_RUN_WRITE_TRACK, 9, 2, 1);
	map(&vm, GPA, 1, "rwx");
	host_huge(&vm, 0);
	is(vm, GPA, SPT_WHY_MAPPED, "size/write-track size/disallow-lpage");

	vm = vm_with_slot("npt-6.12", 0);
	mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 0, 512, 1);
	map(&vm, GPA, 1, "rwx");
	host_huge(&vm, 0);
	is(vm, GPA, SPT_WHY_MAPPED, "size/disallow-lpage");

	/* A nested guest's page table lies in the block: tracked for level 2, counted for both. */
	vm = vm_with_slot("npt-6.12", 0);
	mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 0, 512, 2);
	mkimage_run(vm.mk, SPT_RUN_WRITE_TRACK, 9, 1, 1);
	mkimage_table(vm.mk, 2, 9, false);
	mkimage_table(vm.mk, 1, 10, false);
	map(&vm, GPA, 1, "rwx");
	host_huge(&vm, 0);
	is(vm, GPA, SPT_WHY_MAPPED, "size/shadowed-table");
}

static void size_by_mmu(void **state)
{
	struct vm vm = vm_with_slot("ept-6.12", 0);
	unsigned int table;

	table = mkimage_map(vm.mk, vm.root, GPA, 1, mkimage_leaf(vm.mk, HPA + GPA, 1, "rwx"));
	mkimage_page(vm.mk, table)->flags |= SPT_PAGE_NX_DISALLOWED;
	mkimage_page(vm.mk, table)->known |= SPT_PAGE_NX_DISALLOWED;
	host_huge(&vm, 0);
	is(vm, GPA, SPT_WHY_MAPPED, "size/nx-huge-page");

	vm = vm_with_slot("npt-6.12", 0);
	map(&vm, GPA, 1, "rwx");
	host_huge(&vm, 0);
	is(vm, GPA, SPT_WHY_MAPPED, "size/not-refaulted");

	/* A CPU without 1G pages. */
	vm = vm_of("ept-6.12");
	mkimage_slot(vm.mk, 0, 0, 0, 2 * MK_GB, HVA);
	mkimage_mask(vm.mk, SPT_MASK_MAX_HUGE_LEVEL, 2);
	map(&vm, 0, 2, "rwx");
	host(&vm, 0, 3, HPA | PSE | RW);
	is(vm, GPA, SPT_WHY_MAPPED, "size/max-level");

	/* guest_memfd: the attribute, or a slot that has nothing else. */
	vm = vm_with_slot("npt-7.3", 0);
	mkimage_run(vm.mk, SPT_RUN_ATTRS, 0, 4096, ATTR_PRIVATE);
	map(&vm, GPA, 1, "rwx");
	is(vm, GPA, SPT_WHY_MAPPED, "size/guest-memfd");
	vm = vm_with_slot("npt-7.3", SPT_SLOT_GMEM_ONLY);
	map(&vm, GPA, 1, "rwx");
	is(vm, GPA, SPT_WHY_MAPPED, "size/guest-memfd");

	vm = vm_with_slot("npt-7.3", 0);
	mkimage_run(vm.mk, SPT_RUN_ATTRS, 0, 4096, ATTR_PRIVATE);
	vm.root = mkimage_mirror_root(vm.mk, 4);
	map(&vm, GPA, 1, "rwx");
	is(vm, GPA, SPT_WHY_MAPPED, "size/private-4k");
}

/* Shadow paging: a table of level @level whose entry 5 leads to GPA; its number. */
static unsigned int shadow_leaf(struct vm *vm, int level, unsigned int access, const char *perm)
{
	unsigned int root = mkimage_shadow_root(vm->mk, 4, 0x801), at = root;

	for (int l = 3; l >= level; l--) {
		unsigned int next = mkimage_table(vm->mk, l, 0x801 + l, false);

		mkimage_link(vm->mk, at, 0, next);
		at = next;
	}
	mkimage_set(vm->mk, at, 5, mkimage_leaf(vm->mk, HPA, level, perm));
	mkimage_translate(vm->mk, at, 5, 0, access);
	return at;
}

static void shadow_paging(void **state)
{
	struct vm vm = vm_with_slot("shadow-6.12", 0);

	/* access: X 1, W 2, U 4 */
	shadow_leaf(&vm, 1, 7, "rwx");
	host_huge(&vm, 0);
	is(vm, 0, SPT_WHY_MAPPED, "size/guest-page-smaller");

	vm = vm_with_slot("shadow-6.12", 0);
	shadow_leaf(&vm, 1, 4, "r--");
	host_huge(&vm, 0);
	is(vm, 0, SPT_WHY_MAPPED,
	   "size/guest-page-smaller write/guest-readonly write/host-was-readonly exec/guest-nx");

	/* A table of the guest: written through KVM alone. */
	vm = vm_with_slot("shadow-6.12", 0);
	shadow_leaf(&vm, 1, 7, "r-x");
	mkimage_page(vm.mk, 2)->gfn = 0;
	mkimage_run(vm.mk, SPT_RUN_WRITE_TRACK, 0, 1, 1);
	mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 0, 512, 1);
	host_huge(&vm, 0);
	expect(&vm, 0, SPT_WHY_MAPPED,
	       "size/guest-page-smaller size/shadowed-table write/shadowed-page-table "
	       "write/host-was-readonly");
	vm_free(&vm);

	/* Nothing of the guest's is at this address. */
	vm = vm_with_slot("shadow-6.12", 0);
	shadow_leaf(&vm, 1, 7, "rwx");
	host(&vm, 8 * MK_MB, 1, (HPA + GPA) | RW);
	is(vm, 8 * MK_MB, SPT_WHY_UNMAPPED, "mapped/not-touched");

	vm = vm_with_slot("shadow-6.12", 0);
	mkimage_vm(vm.mk, SPT_VM_ONLINE_VCPUS, 1);
	is(vm, GPA, SPT_WHY_UNMAPPED, "mapped/no-root");
}

/* An entry without W but with these software bits. */
static void map_protected(struct vm *vm, bool host_writable, bool mmu_writable)
{
	const struct spt_format *f = mkimage_format(vm->mk);
	uint64_t spte = mkimage_leaf(vm->mk, HPA + GPA, 1, "r-x");

	spte |= host_writable ? f->host_writable : 0;
	spte |= mmu_writable ? f->mmu_writable : 0;
	mkimage_map(vm->mk, vm->root, GPA, 1, spte);
}

static void not_writable(void **state)
{
	static const char *const formats[] = { "npt-6.1", "ept-6.12", "ept-7.3" };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const char *format = formats[i];
		struct vm vm = vm_with_slot(format, SPT_SLOT_READONLY);

		map_protected(&vm, false, false);
		host(&vm, GPA, 1, (HPA + GPA) | RW);
		is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller write/readonly-slot");

		vm = vm_with_slot(format, 0);
		map_protected(&vm, false, false);
		host(&vm, GPA, 1, (HPA + GPA) | RO);
		is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller write/host-readonly");

		vm = vm_with_slot(format, 0);
		map_protected(&vm, false, false);
		host(&vm, GPA, 1, (HPA + GPA) | RO | SPECIAL);
		is(vm, GPA, SPT_WHY_MAPPED, "size/host-special write/host-special-page");

		vm = vm_with_slot(format, 0);
		map_protected(&vm, false, false);
		host(&vm, GPA, 1, (HPA + GPA) | RW);
		is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller write/host-was-readonly");

		vm = vm_with_slot(format, SPT_SLOT_LOG_DIRTY);
		map_protected(&vm, true, true);
		host_huge(&vm, 0);
		is(vm, GPA, SPT_WHY_MAPPED, "size/dirty-logging write/dirty-log-protected");

		vm = vm_with_slot(format, 0);
		map_protected(&vm, true, true);
		host(&vm, GPA, 1, (HPA + GPA) | RW);
		is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller write/mmu-writable");

		vm = vm_with_slot(format, 0);
		mkimage_run(vm.mk, SPT_RUN_WRITE_TRACK, 5, 1, 1);
		mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 0, 512, 1);
		map_protected(&vm, true, false);
		host_huge(&vm, 0);
		is(vm, GPA, SPT_WHY_MAPPED, "size/write-track write/write-tracked");

		vm = vm_with_slot(format, 0);
		map_protected(&vm, true, false);
		host(&vm, GPA, 1, (HPA + GPA) | RW);
		is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller write/was-write-protected");

		/* KVM makes no such entry. */
		vm = vm_with_slot(format, 0);
		map_protected(&vm, false, true);
		host(&vm, GPA, 1, (HPA + GPA) | RW);
		is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller write/unexplained");
	}
}

static void not_executable(void **state)
{
	struct vm vm = vm_of("ept-6.12"); /* nx_huge_pages is on in this format */

	mkimage_slot(vm.mk, 0, 0, 0, 2 * MK_GB, HVA);
	map(&vm, 0, 2, "rw-");
	host_huge(&vm, 0);
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller exec/nx-huge-page");

	/* A small page is executable under the mitigation, too. */
	vm = vm_with_slot("ept-6.12", 0);
	map(&vm, GPA, 1, "rw-");
	host(&vm, GPA, 1, (HPA + GPA) | RW);
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller exec/unexplained");

	vm = vm_of("npt-6.12");
	mkimage_slot(vm.mk, 0, 0, 0, 2 * MK_GB, HVA);
	map(&vm, 0, 2, "rw-");
	host_huge(&vm, 0);
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller exec/unexplained");
}

static void access_tracked(void **state)
{
	struct vm vm = vm_with_slot("ept-6.12", 0);
	const struct spt_format *f = mkimage_format(vm.mk);

	mkimage_map(vm.mk, vm.root, GPA, 1,
		    HPA | GPA | SPT_SPTE_MMU_PRESENT | 1ULL << 52 | f->saved_read | f->saved_exec |
			    f->host_writable | f->mmu_writable | f->memtype);
	host(&vm, GPA, 1, (HPA + GPA) | RW);
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-smaller mapped/access-tracked write/mmu-writable");
}

static void not_mapped(void **state)
{
	static const struct {
		uint64_t entry;
		const char *causes;
	} cases[] = {
		{ 0, "mapped/host-not-present" },	    { SWAPPED, "mapped/host-swapped" },
		{ MIGRATING, "mapped/host-migrating" },	    { MARKER, "mapped/host-special-entry" },
		{ PROTNONE(HPA), "mapped/host-no-access" }, { HPA | RW, "mapped/not-touched" },
	};
	struct vm vm;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		vm = vm_with_slot("npt-6.12", 0);
		host(&vm, GPA, 1, cases[i].entry);
		is(vm, GPA, SPT_WHY_UNMAPPED, cases[i].causes);
	}

	/* Which swap types are special is the host's configuration. */
	for (unsigned int type = 24; type <= 28; type++) {
		vm = vm_with_slot("npt-6.12", 0);
		mkimage_head(vm.mk)->swp_first_special = 24;
		mkimage_head(vm.mk)->swp_first_migration = 25;
		host(&vm, GPA, 1, (uint64_t)type << 59 | 0x1234 << 14);
		is(vm, GPA, SPT_WHY_UNMAPPED,
		   type >= 25 && type <= 27 ? "mapped/host-migrating"
					    : "mapped/host-special-entry");
	}

	/* Without a word about the host. */
	is(vm_with_slot("npt-6.12", 0), GPA, SPT_WHY_UNMAPPED, "mapped/not-touched");

	vm = vm_with_slot("npt-6.12", SPT_SLOT_INVALID);
	is(vm, GPA, SPT_WHY_UNMAPPED, "mapped/slot-changing");

	vm = vm_with_slot("npt-6.12", 0);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 1);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_RANGE_START, 5);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_RANGE_END, 6);
	is(vm, GPA, SPT_WHY_UNMAPPED, "mapped/invalidation");

	/* Of another range. */
	vm = vm_with_slot("npt-6.12", 0);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 1);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_RANGE_START, 6);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_RANGE_END, 9);
	is(vm, GPA, SPT_WHY_UNMAPPED, "mapped/not-touched");

	vm = vm_with_slot("npt-6.12", 0);
	mkimage_map(vm.mk, vm.root, GPA, 1, mkimage_head(vm.mk)->frozen_spte);
	is(vm, GPA, SPT_WHY_CHANGING, "mapped/frozen");

	vm = vm_with_slot("npt-7.3", 0);
	mkimage_run(vm.mk, SPT_RUN_ATTRS, 5, 1, ATTR_PRIVATE);
	is(vm, GPA, SPT_WHY_UNMAPPED, "mapped/private-without-memory");

	vm = vm_of("npt-7.3");
	mkimage_slot(vm.mk, 0, 0, 0, SLOT, HVA)->gmem_file = 7;
	mkimage_run(vm.mk, SPT_RUN_ATTRS, 5, 1, ATTR_PRIVATE);
	is(vm, GPA, SPT_WHY_UNMAPPED, "mapped/private");
}

static void emulated(void **state)
{
	struct vm vm = vm_with_slot("npt-6.12", 0);

	is(vm, MK_GB, SPT_WHY_NO_SLOT, "mmio/no-slot");

	vm = vm_with_slot("npt-6.12", 0);
	mkimage_map(vm.mk, vm.root, MK_GB, 1, mkimage_mmio(vm.mk, MK_GB, 8));
	is(vm, MK_GB, SPT_WHY_NO_SLOT, "mmio/no-slot mmio/mmio-cached");

	vm = vm_with_slot("npt-6.12", 0);
	mkimage_map(vm.mk, vm.root, MK_GB, 1, mkimage_mmio(vm.mk, MK_GB, 6));
	is(vm, MK_GB, SPT_WHY_NO_SLOT, "mmio/no-slot mmio/mmio-stale");

	/* A slot came where MMIO was. */
	vm = vm_with_slot("npt-6.12", 0);
	mkimage_map(vm.mk, vm.root, GPA, 1, mkimage_mmio(vm.mk, GPA, 6));
	host(&vm, GPA, 1, (HPA + GPA) | RW);
	is(vm, GPA, SPT_WHY_UNMAPPED, "mapped/mmio-stale");

	vm = vm_of("npt-6.12");
	mkimage_slot(vm.mk, 32765, 0, 0xfee00000, 4096, HVA);
	mkimage_map(vm.mk, vm.root, 0xfee00000, 1, mkimage_mmio(vm.mk, 0xfee00000, 8));
	is(vm, 0xfee00000, SPT_WHY_MMIO, "mmio/internal-slot mmio/mmio-cached");
}

static void not_in_the_image(void **state)
{
	struct vm vm = vm_with_slot("npt-6.12", 0);

	map(&vm, GPA, 1, "rwx");
	mkimage_head(vm.mk)->req_start = 0;
	mkimage_head(vm.mk)->req_len = 2 * MK_MB;
	is(vm, 4 * MK_MB, SPT_WHY_UNKNOWN, "");

	/* Without the counts nothing can be said to be against it no more. */
	vm = vm_with_slot("npt-6.12", 0);
	mkimage_head(vm.mk)->req_parts &= ~(unsigned int)SPT_PART_LPAGE;
	map(&vm, GPA, 1, "rwx");
	host_huge(&vm, 0);
	is(vm, GPA, SPT_WHY_MAPPED, "size/host-unknown");
}

/* Every root has its say, SMM's with its own slots. */
static void several_roots(void **state)
{
	struct vm vm = vm_with_slot("npt-6.12", 0);
	unsigned int smm = mkimage_tdp_root(vm.mk, 4), old = mkimage_tdp_root(vm.mk, 4);
	unsigned int vcpu = mkimage_vcpu(vm.mk);
	static struct spt_why why;

	mkimage_page(vm.mk, smm)->role =
		mkimage_role(vm.mk, mkimage_page(vm.mk, smm)->role, SPT_ROLE_SMM, 1);
	mkimage_page(vm.mk, old)->role =
		mkimage_role(vm.mk, mkimage_page(vm.mk, old)->role, SPT_ROLE_INVALID, 1);
	mkimage_vcpu_value(vm.mk, vcpu, SPT_VCPU_ROOT_HPA, mkimage_table_hpa(vm.mk, smm));
	map(&vm, GPA, 1, "rwx");
	vm_load(&vm);
	spt_why_gpa(&vm.model, GPA, &why);
	assert_int_equal(why.nr_answers, 2);
	assert_int_equal(why.answer[0].state, SPT_WHY_NO_SLOT); /* in use: first */
	assert_int_equal(why.answer[1].state, SPT_WHY_MAPPED);
	vm_free(&vm);
}

/* Names are keys of JSON and scripts: no two of one question alike, all said. */
static void table_is_sound(void **state)
{
	for (int i = 0; i < SPT_CAUSE_COUNT; i++) {
		assert_non_null(spt_causes[i].source);
		assert_true(spt_causes[i].text[0]);
		for (int j = 0; j < i; j++)
			assert_false(spt_causes[i].question == spt_causes[j].question &&
				     !strcmp(spt_causes[i].name, spt_causes[j].name));
		assert_true(!i || spt_causes[i].question >= spt_causes[i - 1].question);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size_by_host),	  cmocka_unit_test(size_by_host_runs),
		cmocka_unit_test(size_by_slot),	  cmocka_unit_test(size_by_count),
		cmocka_unit_test(size_by_mmu),	  cmocka_unit_test(shadow_paging),
		cmocka_unit_test(not_writable),	  cmocka_unit_test(not_executable),
		cmocka_unit_test(access_tracked), cmocka_unit_test(not_mapped),
		cmocka_unit_test(emulated),	  cmocka_unit_test(not_in_the_image),
		cmocka_unit_test(several_roots),  cmocka_unit_test(table_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
