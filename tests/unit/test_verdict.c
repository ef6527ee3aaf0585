// SPDX-License-Identifier: GPL-2.0
/* Every verdict, and the cases that look like another one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "spt/walk.h"
#include "vm.h"

#define HVA	      0x7f0000000000ULL
#define GPA	      0x5000ULL
#define HPA	      0x9000000ULL
#define RW	      0x67ULL /* P, W, U, A, D */
#define RO	      0x65ULL
#define SWAPPED	      (2ULL << 59 | 0x1234 << 14)
#define MOVING	      (25ULL << 59 | 0x1234 << 14)
#define PROTNONE(hpa) ((~(hpa)&0x000ffffffffff000ULL) | 0x100)

/* A VM at rest with 16 MiB in one slot. */
static struct vm vm_with_slot(void)
{
	struct vm vm = vm_new("npt-6.12");

	mkimage_vm(vm.mk, SPT_VM_GENERATION_0, 8);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_SEQ, 100);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 0);
	mkimage_slot(vm.mk, 0, 0, 0, 16 * MK_MB, HVA);
	return vm;
}

static void map(struct vm *vm, uint64_t hpa, const char *perm)
{
	mkimage_map(vm->mk, vm->root, GPA, 1, mkimage_leaf(vm->mk, hpa, 1, perm));
}

static void host(struct vm *vm, uint64_t entry)
{
	mkimage_host(vm->mk, GPA, HVA + GPA, 1, entry, 0);
}

static void verdict_is(struct vm *vm, enum spt_verdict verdict, const char *reason)
{
	struct spt_walk walk;

	vm_load(vm);
	spt_walk_gpa(&vm->model, GPA, &walk);
	if (walk.verdict != verdict || !strstr(walk.reason, reason))
		fail_msg("%s: %s; expected %s: %s", spt_verdict_name(walk.verdict), walk.reason,
			 spt_verdict_name(verdict), reason);
	vm_free(vm);
}

static void coherent(void **state)
{
	struct vm vm = vm_with_slot();

	map(&vm, HPA, "rwx");
	host(&vm, HPA | RW);
	verdict_is(&vm, SPT_VERDICT_COHERENT, "same page");

	/* Read-only on both sides: the zero page, KSM, a read-only slot. */
	vm = vm_with_slot();
	map(&vm, HPA, "rx");
	host(&vm, HPA | RO);
	verdict_is(&vm, SPT_VERDICT_COHERENT, "same page");

	/* KVM may give less than the host does: dirty logging. */
	vm = vm_with_slot();
	map(&vm, HPA, "r");
	host(&vm, HPA | RW);
	verdict_is(&vm, SPT_VERDICT_COHERENT, "same page");

	/* A NUMA hint takes the VMM's access, not the guest's. */
	vm = vm_with_slot();
	map(&vm, HPA, "rwx");
	host(&vm, PROTNONE(HPA));
	verdict_is(&vm, SPT_VERDICT_COHERENT, "traps its own");
}

static void coherent_across_page_sizes(void **state)
{
	struct vm vm = vm_with_slot();

	/* 4K in the guest, 2M in the host, and the other way round it would be no match. */
	map(&vm, 0x40005000, "rwx");
	mkimage_host(vm.mk, GPA, HVA + GPA, 2, 0x40000000 | RW | 0x80, 0);
	verdict_is(&vm, SPT_VERDICT_COHERENT, "same page");

	vm = vm_with_slot();
	mkimage_map(vm.mk, vm.root, 0, 2, mkimage_leaf(vm.mk, 0x40000000, 2, "rwx"));
	host(&vm, 0x40005000 | RW);
	verdict_is(&vm, SPT_VERDICT_COHERENT, "same page");
}

static void unmapped(void **state)
{
	static const struct {
		uint64_t entry;
		const char *reason;
	} cases[] = {
		{ 0, "no page there yet" },	     { HPA | RW, "the host has the page" },
		{ PROTNONE(HPA), "traps accesses" }, { MOVING, "moving" },
		{ 31ULL << 59 | 0x200, "marks" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vm vm = vm_with_slot();

		host(&vm, cases[i].entry);
		verdict_is(&vm, SPT_VERDICT_UNMAPPED, cases[i].reason);
	}

	struct vm vm = vm_with_slot();

	verdict_is(&vm, SPT_VERDICT_UNMAPPED, "no SPTE yet");
	vm = vm_with_slot();
	mkimage_host(vm.mk, GPA, HVA + GPA, 0, 0, ESRCH);
	verdict_is(&vm, SPT_VERDICT_UNMAPPED, "could not be read");
}

static void swapped(void **state)
{
	struct vm vm = vm_with_slot();

	host(&vm, SWAPPED);
	verdict_is(&vm, SPT_VERDICT_SWAPPED, "on swap");
}

static void stale(void **state)
{
	static const struct {
		const char *perm;
		uint64_t entry;
		const char *reason;
	} cases[] = {
		{ "rwx", (HPA + 0x1000) | RW, "maps 0x9000000, the host 0x9001000" },
		{ "rwx", 0, "no page there (none)" },
		{ "rwx", SWAPPED, "no page there (swapped)" },
		{ "rwx", MOVING, "no page there (migration)" },
		{ "rwx", PROTNONE(HPA + 0x1000), "the host 0x9001000" },
		{ "rwx", HPA | RO, "allows writes" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vm vm = vm_with_slot();

		map(&vm, HPA, cases[i].perm);
		host(&vm, cases[i].entry);
		verdict_is(&vm, SPT_VERDICT_STALE, cases[i].reason);
	}
}

static void one_root_of_two_may_be_stale(void **state)
{
	struct vm vm = vm_with_slot();
	unsigned int second = mkimage_tdp_root(vm.mk, 4);

	map(&vm, HPA, "rwx");
	mkimage_map(vm.mk, second, GPA, 1, mkimage_leaf(vm.mk, HPA + 0x3000, 1, "rwx"));
	host(&vm, HPA | RW);
	verdict_is(&vm, SPT_VERDICT_STALE, "maps 0x9003000");
}

static void an_invalid_root_counts_for_nothing(void **state)
{
	struct vm vm = vm_with_slot();
	unsigned int old = mkimage_tdp_root(vm.mk, 4);
	struct spt_page *page = mkimage_page(vm.mk, old);

	page->role = mkimage_role(vm.mk, page->role, SPT_ROLE_INVALID, 1);
	map(&vm, HPA, "rwx");
	mkimage_map(vm.mk, old, GPA, 1, mkimage_leaf(vm.mk, 0x1000, 1, "rwx"));
	host(&vm, HPA | RW);
	verdict_is(&vm, SPT_VERDICT_COHERENT, "same page");
}

static void a_disagreement_seen_in_passing_is_torn(void **state)
{
	struct vm vm = vm_with_slot();

	map(&vm, HPA, "rwx");
	host(&vm, 0);
	mkimage_end(vm.mk)->seq_end = 101;
	verdict_is(&vm, SPT_VERDICT_TORN, "invalidated");

	vm = vm_with_slot();
	map(&vm, HPA, "rwx");
	host(&vm, 0);
	mkimage_end(vm.mk)->in_progress_end = 1;
	verdict_is(&vm, SPT_VERDICT_TORN, "is invalidating");

	vm = vm_with_slot();
	map(&vm, HPA, "rwx");
	host(&vm, 0);
	mkimage_note(vm.mk, SPT_NOTE_PATH_CHANGED, 5, 1);
	verdict_is(&vm, SPT_VERDICT_TORN, "a table was replaced");

	/* What agrees is not torn, whatever went on elsewhere. */
	vm = vm_with_slot();
	map(&vm, HPA, "rwx");
	host(&vm, HPA | RW);
	mkimage_end(vm.mk)->seq_end = 105;
	verdict_is(&vm, SPT_VERDICT_COHERENT, "same page");
}

static void an_invalidation_elsewhere_is_no_excuse(void **state)
{
	struct vm vm = vm_with_slot();

	map(&vm, HPA, "rwx");
	host(&vm, 0);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 1);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_RANGE_START, 0x100);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_RANGE_END, 0x200);
	verdict_is(&vm, SPT_VERDICT_STALE, "no page there");

	vm = vm_with_slot();
	map(&vm, HPA, "rwx");
	host(&vm, 0);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 1);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_RANGE_START, HVA);
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_RANGE_END, HVA + 0x10000);
	verdict_is(&vm, SPT_VERDICT_TORN, "is invalidating");
}

static void an_entry_in_change_is_torn(void **state)
{
	struct vm vm = vm_with_slot();

	mkimage_map(vm.mk, vm.root, GPA, 1, mkimage_format(vm.mk)->frozen);
	host(&vm, HPA | RW);
	verdict_is(&vm, SPT_VERDICT_TORN, "being changed");

	vm = vm_with_slot();
	mkimage_map(vm.mk, vm.root, 0, 2, mkimage_nonleaf(vm.mk, 0x99000000));
	host(&vm, HPA | RW);
	verdict_is(&vm, SPT_VERDICT_TORN, "its table is not in the image");

	vm = vm_new("npt-6.12");
	mkimage_slot(vm.mk, 0, 0, 0, 16 * MK_MB, HVA)->flags = SPT_SLOT_INVALID;
	map(&vm, HPA, "rwx");
	verdict_is(&vm, SPT_VERDICT_TORN, "deleted or moved");
}

static void no_slot_and_mmio(void **state)
{
	struct vm vm = vm_new("npt-6.12");

	verdict_is(&vm, SPT_VERDICT_NO_SLOT, "no memslot");

	vm = vm_new("npt-6.12");
	mkimage_map(vm.mk, vm.root, GPA, 1, mkimage_mmio(vm.mk, GPA, 8));
	verdict_is(&vm, SPT_VERDICT_MMIO, "emulated");

	vm = vm_new("npt-6.12");
	map(&vm, HPA, "rwx");
	verdict_is(&vm, SPT_VERDICT_STALE, "no memslot has this address");
}

static void mmio_entries_age_by_generation(void **state)
{
	static const char *const formats[] = { "ept-6.1", "ept-6.12", "ept-7.3", "npt-7.3" };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		/* More bits than an entry holds, and both pieces in use. */
		uint64_t now = 0x7ffff0000ULL + 0x1a5c8;
		struct vm vm = vm_new(formats[i]);

		mkimage_vm(vm.mk, SPT_VM_GENERATION_0, now);
		mkimage_slot(vm.mk, 0, 0, 0, 16 * MK_MB, HVA);
		mkimage_map(vm.mk, vm.root, GPA, 1, mkimage_mmio(vm.mk, GPA, (now - 2) & 0x3ffff));
		verdict_is(&vm, SPT_VERDICT_UNMAPPED, "older memslot generation");
	}

	struct vm vm = vm_with_slot();

	mkimage_map(vm.mk, vm.root, GPA, 1, mkimage_mmio(vm.mk, GPA, 8));
	verdict_is(&vm, SPT_VERDICT_STALE, "valid MMIO entry");

	vm = vm_new("npt-6.12");
	mkimage_vm(vm.mk, SPT_VM_GENERATION_0, 8);
	mkimage_slot(vm.mk, 32764, 0, 0, 16 * MK_MB, HVA);
	mkimage_map(vm.mk, vm.root, GPA, 1, mkimage_mmio(vm.mk, GPA, 8));
	verdict_is(&vm, SPT_VERDICT_MMIO, "KVM's own memslot");
}

static void private_memory(void **state)
{
	struct vm vm = vm_with_slot();

	mkimage_run(vm.mk, SPT_RUN_ATTRS, 0, 16, 8);
	verdict_is(&vm, SPT_VERDICT_PRIVATE, "not mapped yet");

	vm = vm_with_slot();
	mkimage_run(vm.mk, SPT_RUN_ATTRS, 0, 16, 8);
	map(&vm, HPA, "rwx");
	host(&vm, 0);
	verdict_is(&vm, SPT_VERDICT_PRIVATE, "mapped at 0x9000000");

	/* The shared half of a TD must not map what is private. */
	vm = vm_new("npt-7.3");
	mkimage_vm(vm.mk, SPT_VM_GFN_DIRECT_BITS, 1ULL << 35);
	mkimage_slot(vm.mk, 0, 0, 0, 16 * MK_MB, HVA);
	mkimage_run(vm.mk, SPT_RUN_ATTRS, 0, 16, 8);
	unsigned int l1 = mkimage_map(vm.mk, vm.root, (1ULL << 47) + GPA, 1,
				      mkimage_leaf(vm.mk, HPA, 1, "rwx"));
	for (unsigned int t = l1; t > l1 - 3; t--)
		mkimage_page(vm.mk, t)->gfn &= ~(1ULL << 35);
	verdict_is(&vm, SPT_VERDICT_STALE, "the shared root maps it");
}

/* A slot with pages of a guest_memfd from @hpa on; 0: it has none there. */
static struct vm vm_with_gmem(uint32_t flags, uint64_t hpa)
{
	struct vm vm = vm_new("npt-7.3");
	struct spt_slot *slot = mkimage_slot(vm.mk, 0, 0, 0, 16 * MK_MB, HVA);

	slot->flags = flags;
	slot->gmem_file = 1;
	slot->known |= SPT_SLOT_KNOWN_GMEM | SPT_SLOT_KNOWN_GMEM_PAGES;
	mkimage_head(vm.mk)->req_parts |= SPT_PART_GMEM;
	if (hpa)
		mkimage_gmem_run(vm.mk, GPA >> 12, 1, hpa);
	mkimage_gmem_run(vm.mk, 1024, 1, HPA + 0x100000);
	return vm;
}

/* guest_memfd that is not private: what the VMM has mapped is no other page, or none. */
static void memory_of_guest_memfd_alone(void **state)
{
	static const struct {
		uint64_t hpa;
		const char *perm; /* of the SPTE, "" none */
		enum spt_verdict verdict;
		const char *reason;
	} cases[] = {
		{ HPA, "rwx", SPT_VERDICT_COHERENT, "that guest_memfd has" },
		{ HPA + 0x1000, "rwx", SPT_VERDICT_STALE, "guest_memfd has 0x9001000" },
		{ 0, "rwx", SPT_VERDICT_STALE, "guest_memfd has no page" },
		{ HPA, "", SPT_VERDICT_UNMAPPED, "guest_memfd has the page" },
		{ 0, "", SPT_VERDICT_UNMAPPED, "has no page there yet" },
	};
	struct vm vm;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		vm = vm_with_gmem(SPT_SLOT_GMEM_ONLY, cases[i].hpa);
		if (cases[i].perm[0])
			map(&vm, HPA, cases[i].perm);
		verdict_is(&vm, cases[i].verdict, cases[i].reason);
	}
	vm = vm_new("npt-7.3");
	mkimage_slot(vm.mk, 0, 0, 0, 16 * MK_MB, 0)->flags = SPT_SLOT_GMEM_ONLY;
	map(&vm, HPA, "rwx");
	verdict_is(&vm, SPT_VERDICT_UNKNOWN, "does not say what guest_memfd has");
}

/* Private memory of a VM without a mirror is in the one root, and guest_memfd's. */
static void private_memory_is_that_of_guest_memfd(void **state)
{
	struct vm vm = vm_with_gmem(0, HPA);

	mkimage_run(vm.mk, SPT_RUN_ATTRS, 0, 16, 8);
	map(&vm, HPA, "rwx");
	verdict_is(&vm, SPT_VERDICT_PRIVATE, "mapped at 0x9000000");

	vm = vm_with_gmem(0, HPA + 0x2000);
	mkimage_run(vm.mk, SPT_RUN_ATTRS, 0, 16, 8);
	map(&vm, HPA, "rwx");
	verdict_is(&vm, SPT_VERDICT_STALE, "the SPTE maps 0x9000000, guest_memfd has 0x9002000");
}

/* On a host with SME the C-bit is in the VMM's entries as in KVM's. */
static void the_c_bit_is_no_address(void **state)
{
	const uint64_t c_bit = 1ULL << 47;
	struct vm vm = vm_with_slot();

	mkimage_mask(vm.mk, SPT_MASK_ME_MASK, c_bit);
	mkimage_mask(vm.mk, SPT_MASK_ME_VALUE, c_bit);
	mkimage_map(vm.mk, vm.root, GPA, 1, mkimage_leaf(vm.mk, HPA, 1, "rwx") | c_bit);
	host(&vm, HPA | RW | c_bit);
	verdict_is(&vm, SPT_VERDICT_COHERENT, "same page");
}

static unsigned int smm_root(struct vm *vm)
{
	unsigned int root = mkimage_tdp_root(vm->mk, 4);
	struct spt_page *page = mkimage_page(vm->mk, root);

	page->role = mkimage_role(vm->mk, page->role, SPT_ROLE_SMM, 1);
	mkimage_vm(vm->mk, SPT_VM_GENERATION_1, 8);
	return root;
}

/* Where SMM has another slot than the other modes, or one of the two has none. */
static void smm_has_slots_of_its_own(void **state)
{
	struct vm vm = vm_with_slot();

	/* Another page by right: of the page that was walked there is no SPTE yet. */
	mkimage_slot(vm.mk, 1, 1, 0, 16 * MK_MB, HVA + MK_GB);
	mkimage_map(vm.mk, smm_root(&vm), GPA, 1, mkimage_leaf(vm.mk, HPA + 0x3000, 1, "rwx"));
	host(&vm, HPA | RW);
	verdict_is(&vm, SPT_VERDICT_UNMAPPED, "the host has the page");

	vm = vm_with_slot();
	mkimage_slot(vm.mk, 1, 1, 0, 16 * MK_MB, HVA + MK_GB);
	mkimage_map(vm.mk, smm_root(&vm), GPA, 1, mkimage_leaf(vm.mk, HPA + 0x3000, 1, "rwx"));
	host(&vm, 0);
	verdict_is(&vm, SPT_VERDICT_UNMAPPED, "no page there yet");

	/* Memory in SMM, a device otherwise: as PCs have at 0xa0000. */
	vm = vm_new("npt-6.12");
	mkimage_vm(vm.mk, SPT_VM_GENERATION_0, 8);
	smm_root(&vm);
	mkimage_slot(vm.mk, 1, 1, 0, 16 * MK_MB, HVA);
	mkimage_map(vm.mk, vm.root, GPA, 1, mkimage_mmio(vm.mk, GPA, 8));
	verdict_is(&vm, SPT_VERDICT_MMIO, "no memslot but SMM's");

	vm = vm_new("npt-6.12");
	mkimage_vm(vm.mk, SPT_VM_GENERATION_0, 8);
	mkimage_slot(vm.mk, 1, 1, 0, 16 * MK_MB, HVA);
	mkimage_host_run(vm.mk, GPA >> 12, 1, HPA, 1, SPT_HOST_RUN_WRITABLE);
	mkimage_map(vm.mk, vm.root, GPA, 1, mkimage_mmio(vm.mk, GPA, 8));
	mkimage_map(vm.mk, smm_root(&vm), GPA, 1, mkimage_leaf(vm.mk, HPA, 1, "rwx"));
	verdict_is(&vm, SPT_VERDICT_COHERENT, "same page");

	/* The other way round. */
	vm = vm_with_slot();
	mkimage_map(vm.mk, smm_root(&vm), GPA, 1, mkimage_mmio(vm.mk, GPA, 8));
	host(&vm, HPA | RW);
	verdict_is(&vm, SPT_VERDICT_UNMAPPED, "the host has the page");

	vm = vm_with_slot();
	mkimage_map(vm.mk, smm_root(&vm), GPA, 1, mkimage_leaf(vm.mk, HPA, 1, "rwx"));
	host(&vm, HPA | RW);
	verdict_is(&vm, SPT_VERDICT_STALE, "an address space that has no memslot");
}

/* A saved image has no walk of each page, but what the host maps of the whole slot. */
static void host_runs_speak_where_there_is_no_walk(void **state)
{
	static const struct {
		uint64_t hpa; /* of the run that begins a page below; 0: there is no run */
		uint32_t flags;
		const char *perm; /* of the SPTE, "" none */
		enum spt_verdict verdict;
		const char *reason;
	} cases[] = {
		{ HPA - 0x1000, SPT_HOST_RUN_WRITABLE, "rwx", SPT_VERDICT_COHERENT, "same page" },
		{ HPA, SPT_HOST_RUN_WRITABLE, "rwx", SPT_VERDICT_STALE, "the host" },
		{ HPA - 0x1000, 0, "rwx", SPT_VERDICT_STALE, "allows writes" },
		{ HPA - 0x1000, 0, "rx", SPT_VERDICT_COHERENT, "same page" },
		{ HPA - 0x1000, SPT_HOST_RUN_PROTNONE, "rx", SPT_VERDICT_COHERENT, "traps" },
		{ SPT_NO_HPA, SPT_HOST_RUN_SWAP, "rwx", SPT_VERDICT_STALE, "no page there" },
		{ SPT_NO_HPA, SPT_HOST_RUN_SWAP, "", SPT_VERDICT_SWAPPED, "swap" },
		{ SPT_NO_HPA, SPT_HOST_RUN_MIGRATION, "", SPT_VERDICT_UNMAPPED, "moving" },
		{ SPT_NO_HPA, SPT_HOST_RUN_SWAP | SPT_HOST_RUN_SPECIAL, "", SPT_VERDICT_UNMAPPED,
		  "marks the page" },
		{ HPA - 0x1000, 0, "", SPT_VERDICT_UNMAPPED, "the host has the page" },
		{ 0, 0, "", SPT_VERDICT_UNMAPPED, "no page there yet" },
		{ 0, 0, "rwx", SPT_VERDICT_STALE, "no page there" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vm vm = vm_with_slot();

		/* Another one far behind, so that the slot has some in any case. */
		if (cases[i].hpa)
			mkimage_host_run(vm.mk, (GPA >> 12) - 1, 3, cases[i].hpa, 1,
					 cases[i].flags);
		mkimage_host_run(vm.mk, 1024, 3, HPA + 0x100000, 1, SPT_HOST_RUN_WRITABLE);
		if (cases[i].perm[0])
			map(&vm, HPA, cases[i].perm);
		verdict_is(&vm, cases[i].verdict, cases[i].reason);
	}
}

static void what_cannot_be_compared_is_said_to_be_so(void **state)
{
	struct vm vm = vm_with_slot();

	map(&vm, HPA, "rwx");
	verdict_is(&vm, SPT_VERDICT_UNKNOWN, "no walk of the VMM's");

	vm = vm_with_slot();
	map(&vm, HPA, "rwx");
	mkimage_host(vm.mk, GPA, HVA + GPA, 0, 0, ESRCH);
	verdict_is(&vm, SPT_VERDICT_UNKNOWN, "No such process");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coherent),
		cmocka_unit_test(coherent_across_page_sizes),
		cmocka_unit_test(unmapped),
		cmocka_unit_test(swapped),
		cmocka_unit_test(stale),
		cmocka_unit_test(one_root_of_two_may_be_stale),
		cmocka_unit_test(an_invalid_root_counts_for_nothing),
		cmocka_unit_test(a_disagreement_seen_in_passing_is_torn),
		cmocka_unit_test(an_invalidation_elsewhere_is_no_excuse),
		cmocka_unit_test(an_entry_in_change_is_torn),
		cmocka_unit_test(no_slot_and_mmio),
		cmocka_unit_test(mmio_entries_age_by_generation),
		cmocka_unit_test(private_memory),
		cmocka_unit_test(memory_of_guest_memfd_alone),
		cmocka_unit_test(private_memory_is_that_of_guest_memfd),
		cmocka_unit_test(the_c_bit_is_no_address),
		cmocka_unit_test(smm_has_slots_of_its_own),
		cmocka_unit_test(host_runs_speak_where_there_is_no_walk),
		cmocka_unit_test(what_cannot_be_compared_is_said_to_be_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
