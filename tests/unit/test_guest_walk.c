// SPDX-License-Identifier: GPL-2.0
/* Guest-virtual addresses through the guest's own tables: every mode, every way to end. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "guest.h"

static void mapped(struct guest *g, uint64_t gva, uint64_t gpa, uint64_t size, unsigned int levels)
{
	struct spt_guest_walk w;

	guest_walk(g, gva, &w);
	assert_int_equal(w.end, SPT_GUEST_END_MAPPED);
	assert_int_equal(w.gpa, gpa);
	assert_int_equal(w.page_size, size);
	assert_int_equal(w.nr_levels, levels);
	assert_int_equal(w.tries, 1);
}

static void ends(struct guest *g, uint64_t gva, enum spt_guest_end end, unsigned int levels)
{
	struct spt_guest_walk w;

	guest_walk(g, gva, &w);
	assert_int_equal(w.end, end);
	assert_int_equal(w.nr_levels, levels);
	assert_true(*w.reason);
}

static void four_levels_and_all_page_sizes(void **state)
{
	struct guest g;

	guest_long_mode(&g);
	guest_put64(&g, 0x1000, 0, 0x2000 | G_T);
	guest_put64(&g, 0x1000, 511, 0x2000 | G_T);
	guest_put64(&g, 0x2000, 0, 0x3000 | G_T);
	guest_put64(&g, 0x2000, 5, 0x40000000 | G_T | G_PS);
	guest_put64(&g, 0x3000, 0, 0x4000 | G_T);
	guest_put64(&g, 0x3000, 2, 0x600000 | G_T | G_PS);
	guest_put64(&g, 0x4000, 7, 0x9000 | G_T);
	guest_open(&g);
	mapped(&g, 0x7123, 0x9123, 4096, 4);
	mapped(&g, 0x456789, 0x656789, 2 * MK_MB, 3);
	mapped(&g, 5 * MK_GB + 0x1234567, 0x41234567, MK_GB, 2);
	mapped(&g, 0xffffff8000007123, 0x9123, 4096, 4);
	ends(&g, 0x8000, SPT_GUEST_END_NOT_PRESENT, 4);
	ends(&g, 0x200000, SPT_GUEST_END_NOT_PRESENT, 3);
	ends(&g, MK_GB, SPT_GUEST_END_NOT_PRESENT, 2);
	ends(&g, 512 * MK_GB, SPT_GUEST_END_NOT_PRESENT, 1);
	ends(&g, 1ULL << 47, SPT_GUEST_END_NOT_CANONICAL, 0);
	guest_free(&g);
}

static void five_levels(void **state)
{
	struct guest g;

	guest_new(&g, CR0_PE | CR0_PG, CR4_PAE | CR4_LA57, EFER_LMA, 0x1000);
	guest_put64(&g, 0x1000, 3, 0x2000 | G_T);
	guest_put64(&g, 0x2000, 0, 0x3000 | G_T);
	guest_put64(&g, 0x3000, 0, 0x4000 | G_T);
	guest_put64(&g, 0x4000, 0, 0x5000 | G_T);
	guest_put64(&g, 0x5000, 1, 0x9000 | G_T);
	guest_open(&g);
	mapped(&g, (3ULL << 48) + 0x1abc, 0x9abc, 4096, 5);
	ends(&g, 1ULL << 56, SPT_GUEST_END_NOT_CANONICAL, 0);
	guest_free(&g);
}

/* CR3 is aligned to 32 bytes there, and the top table has four entries. */
static void pae(void **state)
{
	struct guest g;

	guest_new(&g, CR0_PE | CR0_PG, CR4_PAE, EFER_NXE, 0x1020);
	guest_put64(&g, 0x1020, 3, 0x2000 | G_P);
	guest_put64(&g, 0x2000, 0, 0x3000 | G_T);
	guest_put64(&g, 0x2000, 1, 0x200000 | G_T | G_PS);
	guest_put64(&g, 0x3000, 4, 0x9000 | G_T | G_NX);
	guest_open(&g);
	mapped(&g, 0xc0004321, 0x9321, 4096, 3);
	mapped(&g, 0xc0212345, 0x212345, 2 * MK_MB, 2);
	ends(&g, 0x1000, SPT_GUEST_END_NOT_PRESENT, 1);
	ends(&g, 1ULL << 32, SPT_GUEST_END_NOT_CANONICAL, 0);
	guest_free(&g);
}

/* On Intel's processors the four entries are registers, loaded with CR3. */
static void pae_by_the_processors_copies(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	for (int vmx = 0; vmx < 2; vmx++) {
		guest_new(&g, CR0_PE | CR0_PG, CR4_PAE, 0, 0x1000);
		mkimage_head(g.vm.mk)->vendor = vmx ? SPT_VENDOR_VMX : SPT_VENDOR_SVM;
		for (int i = 0; i < 4; i++)
			guest_reg(&g, SPT_VCPU_PDPTR0 + i, i ? 0 : 0x2000 | G_P);
		guest_put64(&g, 0x1000, 0, 0x3000 | G_P);
		guest_put64(&g, 0x2000, 0, 0x200000 | G_T | G_PS);
		guest_put64(&g, 0x3000, 0, 0x400000 | G_T | G_PS);
		guest_open(&g);
		guest_walk(&g, 0x10, &w);
		assert_int_equal(w.gpa, vmx ? 0x200010 : 0x400010);
		assert_int_equal(w.level[0].from_register, vmx);
		assert_int_equal(w.level[0].memory, 0x3000 | G_P);
		guest_free(&g);
	}
}

static void thirty_two_bits(void **state)
{
	struct guest g;

	for (int pse = 0; pse < 2; pse++) {
		guest_new(&g, CR0_PE | CR0_PG, pse ? CR4_PSE : 0, 0, 0x1000);
		guest_put32(&g, 0x1000, 1, 0x2000 | G_T);
		guest_put32(&g, 0x1000, 1023, 0x2000 | G_T);
		/* 4M at 5 GiB: bits 39-32 of the address stand in bits 20-13. */
		guest_put32(&g, 0x1000, 2, 0x40000000 | 1 << 13 | G_T | G_PS);
		guest_put32(&g, 0x2000, 3, 0x9000 | G_T);
		guest_put32(&g, 0x40002000, 0x3ff, 0x7000 | G_T);
		guest_open(&g);
		mapped(&g, 0x403456, 0x9456, 4096, 2);
		mapped(&g, 0xffc03000, 0x9000, 4096, 2);
		if (pse)
			mapped(&g, 0xbff123, 0x1403ff123, 4 * MK_MB, 1);
		else /* the bit is ignored: a table, outside of all slots */
			ends(&g, 0xbff123, SPT_GUEST_END_UNREADABLE, 2);
		guest_free(&g);
	}
}

static void paging_off(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	guest_new(&g, CR0_PE, 0, 0, 0x1000);
	guest_open(&g);
	mapped(&g, 0x12345, 0x12345, 0, 0);
	guest_walk(&g, 0x12345, &w);
	assert_int_equal(w.user, SPT_PERM_READ | SPT_PERM_WRITE | SPT_PERM_EXEC);
	ends(&g, 1ULL << 32, SPT_GUEST_END_NOT_CANONICAL, 0);
	guest_free(&g);
}

static void reserved_bits_end_the_walk(void **state)
{
	static const struct {
		uint64_t entry[4]; /* of level 4 to 1 */
		uint64_t efer;
		uint64_t reserved;
		unsigned int levels;
	} cases[] = {
		/* A page size bit where there are no pages. */
		{ { 0x2000 | G_T | G_PS }, EFER_NXE, G_PS, 1 },
		/* NX without EFER.NXE. */
		{ { 0x2000 | G_T, 0x3000 | G_T | G_NX }, 0, G_NX, 2 },
		/* A large page that is not aligned. */
		{ { 0x2000 | G_T, 0x3000 | G_T, 0x202000 | G_T | G_PS }, EFER_NXE, 0x2000, 3 },
		/* An address that no processor of this kind has. */
		{ { 0x2000 | G_T, 0x3000 | G_T, 0x4000 | G_T, (1ULL << 50) | G_T },
		  EFER_NXE,
		  1ULL << 50,
		  4 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spt_guest_walk w;
		struct guest g;

		guest_new(&g, CR0_PE | CR0_PG, CR4_PAE, EFER_LMA | cases[i].efer, 0x1000);
		for (unsigned int l = 0; l < 4; l++)
			guest_put64(&g, 0x1000 * (l + 1), 0, cases[i].entry[l]);
		guest_open(&g);
		guest_walk(&g, 0, &w);
		assert_int_equal(w.end, SPT_GUEST_END_RESERVED);
		assert_int_equal(w.nr_levels, cases[i].levels);
		assert_int_equal(w.level[w.nr_levels - 1].gpte.reserved, cases[i].reserved);
		assert_int_equal(spt_guest_walk_verdict(&w), SPT_VERDICT_UNMAPPED);
		guest_free(&g);
	}
}

/* The top table's first entry is @entry; the walk must end with that read of the second. */
static void second_table(struct guest *g, uint64_t entry, enum spt_guest_read read,
			 enum spt_verdict verdict)
{
	struct spt_guest_walk w;

	guest_put64(g, 0x1000, 0, entry);
	guest_open(g);
	guest_walk(g, 0, &w);
	assert_int_equal(w.end, SPT_GUEST_END_UNREADABLE);
	assert_int_equal(w.nr_levels, 2);
	assert_int_equal(w.level[1].read, read);
	assert_int_equal(spt_guest_walk_verdict(&w), verdict);
	guest_free(g);
}

static void tables_that_cannot_be_read(void **state)
{
	struct guest g;

	guest_long_mode(&g);
	second_table(&g, 0xfffff000 | G_T, SPT_GUEST_NO_SLOT, SPT_VERDICT_NO_SLOT);
	guest_long_mode(&g);
	second_table(&g, 0x8000 | G_T, SPT_GUEST_NOT_SAVED, SPT_VERDICT_UNKNOWN);
	guest_long_mode(&g);
	mkimage_vm(g.vm.mk, SPT_VM_HAS_PRIVATE_MEM, 1);
	mkimage_run(g.vm.mk, SPT_RUN_ATTRS, 8, 1, 8);
	second_table(&g, 0x8000 | G_T, SPT_GUEST_PRIVATE, SPT_VERDICT_PRIVATE);
	guest_long_mode(&g);
	mkimage_slot(g.vm.mk, 1, 0, GUEST_RAM, MK_MB, GUEST_HVA)->flags = SPT_SLOT_GMEM_ONLY;
	second_table(&g, GUEST_RAM | G_T, SPT_GUEST_PRIVATE, SPT_VERDICT_PRIVATE);
}

static void encrypted_memory(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	guest_long_mode(&g);
	mkimage_vm(g.vm.mk, SPT_VM_VM_TYPE, 2); /* SEV */
	guest_put64(&g, 0x1000, 0, 0x2000 | G_T);
	guest_open(&g);
	guest_walk(&g, 0, &w);
	assert_int_equal(w.level[0].read, SPT_GUEST_ENCRYPTED);
	assert_int_equal(spt_guest_walk_verdict(&w), SPT_VERDICT_PRIVATE);
	guest_free(&g);
}

static void an_image_without_guest_tables_is_refused(void **state)
{
	const struct spt_guest_ask ask = { .vcpu = SPT_ANY_VCPU };
	struct spt_guest_walk w;
	struct guest g;

	guest_long_mode(&g);
	guest_open(&g);
	assert_int_equal(guest_ask(&g, &ask, &w), -ENODATA);
	assert_non_null(strstr(g.err.text, "--with guest-tables"));
	guest_free(&g);
}

/* A table that is its own next one, as guests do to reach their tables by address. */
static void a_table_that_leads_to_itself(void **state)
{
	struct guest g;

	guest_long_mode(&g);
	guest_put64(&g, 0x1000, 511, 0x1000 | G_T);
	guest_open(&g);
	mapped(&g, 0xfffffffffffff000 | 8, 0x1008, 4096, 4);
	ends(&g, 0xffffffffffe00000, SPT_GUEST_END_NOT_PRESENT, 4);
	guest_free(&g);
}

static void who_may_do_what(void **state)
{
	enum { R = SPT_PERM_READ, W = SPT_PERM_WRITE, X = SPT_PERM_EXEC };
	static const struct {
		uint64_t leaf;
		uint64_t cr0, cr4;
		uint32_t pkru;
		unsigned int supervisor, user, flags;
	} cases[] = {
		{ G_W, CR0_WP, 0, 0, R | W | X, 0, 0 },
		{ 0, CR0_WP, 0, 0, R | X, 0, 0 },
		{ 0, 0, 0, 0, R | W | X, 0, SPT_GUEST_NO_WP },
		{ G_W | G_NX, CR0_WP, 0, 0, R | W, 0, 0 },
		{ G_W | G_U, CR0_WP, 0, 0, R | W | X, R | W | X, 0 },
		{ G_W | G_U, CR0_WP, CR4_SMEP | CR4_SMAP, 0, R | W, R | W | X,
		  SPT_GUEST_SMEP | SPT_GUEST_SMAP },
		{ G_W, CR0_WP, CR4_SMEP | CR4_SMAP, 0, R | W | X, 0, 0 },
		/* Key 3: access disabled, then write disabled, with and without CR0.WP. */
		{ G_W | G_U | 3ULL << 59, CR0_WP, CR4_PKE, 1 << 6, X, X, SPT_GUEST_PKEY },
		{ G_W | G_U | 3ULL << 59, CR0_WP, CR4_PKE, 2 << 6, R | X, R | X, SPT_GUEST_PKEY },
		{ G_W | G_U | 3ULL << 59, 0, CR4_PKE, 2 << 6, R | W | X, R | X, SPT_GUEST_PKEY },
		{ G_W | G_U | 2ULL << 59, CR0_WP, CR4_PKE, 3 << 6, R | W | X, R | W | X,
		  SPT_GUEST_PKEY },
		/* Keys are of user pages only. */
		{ G_W | 3ULL << 59, CR0_WP, CR4_PKE, 3 << 6, R | W | X, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spt_guest_walk w;
		struct guest g;

		guest_new(&g, CR0_PE | CR0_PG | cases[i].cr0, CR4_PAE | cases[i].cr4,
			  EFER_LMA | EFER_NXE, 0x1000);
		guest_reg(&g, SPT_VCPU_PKRU, cases[i].pkru);
		guest_put64(&g, 0x1000, 0, 0x2000 | G_T);
		guest_put64(&g, 0x2000, 0, 0x3000 | G_T);
		guest_put64(&g, 0x3000, 0, G_P | G_A | G_PS | cases[i].leaf);
		guest_open(&g);
		guest_walk(&g, 0, &w);
		assert_int_equal(w.supervisor, cases[i].supervisor);
		assert_int_equal(w.user, cases[i].user);
		assert_int_equal(w.flags, cases[i].flags);
		guest_free(&g);
	}
}

static void upper_entries_restrict(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	guest_long_mode(&g);
	guest_put64(&g, 0x1000, 0, 0x2000 | G_P | G_W | G_A);
	guest_put64(&g, 0x2000, 0, 0x3000 | G_P | G_U | G_A | G_NX);
	guest_put64(&g, 0x3000, 0, G_T | G_PS);
	guest_open(&g);
	guest_walk(&g, 0, &w);
	assert_int_equal(w.supervisor, SPT_PERM_READ);
	assert_int_equal(w.user, 0);
	guest_free(&g);
}

/* Each table is a page of the guest, which KVM maps like any other. */
static void where_the_tables_are(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	guest_long_mode(&g);
	guest_put64(&g, 0x1000, 0, 0x2000 | G_T);
	guest_put64(&g, 0x2000, 1, G_T | G_PS);
	mkimage_map(g.vm.mk, g.vm.root, 0x1000, 1, mkimage_leaf(g.vm.mk, 0xabc000, 1, "rw"));
	mkimage_host(g.vm.mk, 0x1000, GUEST_HVA + 0x1000, 1, 0xabc067, 0);
	guest_open(&g);
	guest_walk(&g, MK_GB + 0x10, &w);
	assert_int_equal(w.nr_levels, 2);
	assert_int_equal(w.level[0].table_gpa, 0x1000);
	assert_int_equal(w.level[0].table.hpa, 0xabc000);
	assert_int_equal(w.level[0].table.host_hpa, 0xabc000);
	assert_int_equal(w.level[0].table.hva, GUEST_HVA + 0x1000);
	assert_int_equal(w.level[0].table.slot, 0);
	assert_int_equal(w.level[0].table.verdict, SPT_VERDICT_COHERENT);
	assert_int_equal(w.level[1].entry_gpa, 0x2008);
	assert_int_equal(w.level[1].table.hpa, SPT_NO_HPA);
	assert_int_equal(w.level[1].table.verdict, SPT_VERDICT_UNMAPPED);
	guest_free(&g);
}

static void registers_that_may_be_old(void **state)
{
	static const struct {
		uint64_t cr3_fresh, regs_fresh;
		unsigned int flags;
		const char *doubt;
	} cases[] = {
		{ 1, 1, 0, NULL },
		{ 0, 1, SPT_REGS_CR3_OLD, "copy that KVM made" },
		{ 1, 0, SPT_REGS_RUNNING, "was running" },
		{ 0, 0, SPT_REGS_CR3_OLD | SPT_REGS_RUNNING, "copy that KVM made" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spt_guest_walk w;
		const char *doubt;
		struct guest g;

		guest_long_mode(&g);
		guest_reg(&g, SPT_VCPU_CR3_FRESH, cases[i].cr3_fresh);
		guest_reg(&g, SPT_VCPU_REGS_FRESH, cases[i].regs_fresh);
		guest_put64(&g, 0x1000, 0, 0);
		guest_put64(&g, 0x1000, 1, 1);
		guest_open(&g);
		guest_walk(&g, 0, &w);
		assert_int_equal(w.regs.flags, cases[i].flags);
		doubt = spt_guest_regs_doubt(&w.regs);
		assert_int_equal(doubt != NULL, cases[i].doubt != NULL);
		if (doubt)
			assert_non_null(strstr(doubt, cases[i].doubt));
		guest_free(&g);
	}
}

static void which_vcpu(void **state)
{
	struct spt_guest_ask ask = { .gva = 0x10, .vcpu = SPT_ANY_VCPU };
	struct spt_guest_walk w;
	struct guest g;

	guest_long_mode(&g);
	guest_put64(&g, 0x1000, 0, 0x2000 | G_T);
	guest_put64(&g, 0x2000, 0, G_T | G_PS);
	guest_put64(&g, 0x5000, 0, 0x6000 | G_T);
	guest_put64(&g, 0x6000, 0, 0x40000000 | G_T | G_PS);
	/* The first vCPU runs L2 on tables that are not known; the second does not. */
	guest_reg(&g, SPT_VCPU_IN_GUEST_MMU, 1);
	g.vcpu = mkimage_vcpu(g.vm.mk);
	guest_reg(&g, SPT_VCPU_ID, 7);
	guest_reg(&g, SPT_VCPU_CR0, CR0_PE | CR0_PG);
	guest_reg(&g, SPT_VCPU_CR3, 0x5000);
	guest_reg(&g, SPT_VCPU_CR4, CR4_PAE);
	guest_reg(&g, SPT_VCPU_EFER, EFER_LMA);
	guest_open(&g);

	assert_int_equal(guest_ask(&g, &ask, &w), 0);
	assert_int_equal(w.regs.vcpu, 7);
	assert_int_equal(w.gpa, 0x40000010);
	ask.vcpu = 7;
	assert_int_equal(guest_ask(&g, &ask, &w), 0);
	ask.vcpu = 1;
	assert_int_equal(guest_ask(&g, &ask, &w), -ENOENT);
	ask.vcpu = 0;
	assert_int_equal(guest_ask(&g, &ask, &w), -ENODATA);
	assert_non_null(strstr(g.err.text, "runs its own guest"));
	ask.have_cr3 = true;
	ask.cr3 = 0x1000;
	assert_int_equal(guest_ask(&g, &ask, &w), 0);
	assert_int_equal(w.gpa, 0x10);
	assert_int_equal(w.regs.flags, SPT_REGS_GIVEN | SPT_REGS_ASSUMED);
	assert_non_null(strstr(spt_guest_regs_doubt(&w.regs), "assumed"));
	guest_free(&g);
}

static void registers_that_the_host_does_not_have(void **state)
{
	static const struct {
		enum spt_vm_value value;
		uint64_t set;
		const char *text;
	} cases[] = {
		{ SPT_VM_HAS_PROTECTED_STATE, 1, "protected" },
		{ SPT_VM_VM_TYPE, 3, "protected" }, /* SEV-ES */
		{ SPT_VM_VM_TYPE, 5, "protected" }, /* TDX */
	};
	const struct spt_guest_ask ask = { .vcpu = SPT_ANY_VCPU };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spt_guest_walk w;
		struct guest g;

		guest_long_mode(&g);
		mkimage_vm(g.vm.mk, cases[i].value, cases[i].set);
		guest_open(&g);
		assert_int_equal(guest_ask(&g, &ask, &w), -ENODATA);
		assert_non_null(strstr(g.err.text, cases[i].text));
		guest_free(&g);
	}
}

/* Kernels before 6.10 say it of the vCPU alone. */
static void registers_of_a_protected_vcpu(void **state)
{
	const struct spt_guest_ask ask = { .vcpu = SPT_ANY_VCPU };
	struct spt_guest_walk w;
	struct guest g;

	guest_long_mode(&g);
	guest_reg(&g, SPT_VCPU_STATE_PROTECTED, 1);
	guest_open(&g);
	assert_int_equal(guest_ask(&g, &ask, &w), -ENODATA);
	assert_non_null(strstr(g.err.text, "protected"));
	guest_free(&g);
}

/* In SMM the slots of the other address space hold the tables. */
static void tables_in_smm(void **state)
{
	struct spt_guest_walk w;
	struct guest g;

	guest_new(&g, CR0_PE | CR0_PG, CR4_PAE, EFER_LMA, GUEST_RAM);
	guest_reg(&g, SPT_VCPU_ROOT_ROLE, mkimage_role(g.vm.mk, 0, SPT_ROLE_SMM, 1));
	mkimage_slot(g.vm.mk, 1, 1, GUEST_RAM, MK_MB, GUEST_HVA);
	guest_put64(&g, GUEST_RAM, 0, 0x2000 | G_T);
	guest_open(&g);
	guest_walk(&g, 0, &w);
	assert_int_equal(w.level[0].read, SPT_GUEST_READ);
	assert_int_equal(w.level[1].read, SPT_GUEST_NO_SLOT);
	guest_free(&g);
}

/* What a GPA alone leads to is the other address space's page; where SMM has another, it is said.
 */
static void page_in_smm(void **state)
{
	static const struct {
		uint64_t gva;
		bool in_smm, differs;
	} asked[] = {
		{ 0x5000, true, false }, /* the same memory */
		{ 0x6000, true, true },	 /* other memory */
		{ 0x7000, true, true },	 /* none */
		{ 0x8000, true, false }, /* memory that SMM alone has */
		{ 0x6000, false, false },
	};
	struct spt_guest_walk w;
	struct guest g;

	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		guest_long_mode(&g);
		guest_reg(&g, SPT_VCPU_ROOT_ROLE,
			  mkimage_role(g.vm.mk, 0, SPT_ROLE_SMM, asked[i].in_smm));
		mkimage_slot(g.vm.mk, 1, 1, 0, 0x6000, GUEST_HVA);
		mkimage_slot(g.vm.mk, 2, 1, 0x6000, 0x1000, GUEST_HVA + 0x100000);
		mkimage_slot(g.vm.mk, 3, 1, GUEST_RAM, 0x1000, GUEST_HVA);
		guest_put64(&g, 0x1000, 0, 0x2000 | G_T);
		guest_put64(&g, 0x2000, 0, 0x3000 | G_T);
		guest_put64(&g, 0x3000, 0, 0x4000 | G_T);
		for (unsigned int k = 5; k < 8; k++)
			guest_put64(&g, 0x4000, k, k << 12 | G_T);
		guest_put64(&g, 0x4000, 8, GUEST_RAM | G_T);
		guest_open(&g);
		guest_walk(&g, asked[i].gva, &w);
		assert_int_equal(w.end, SPT_GUEST_END_MAPPED);
		assert_int_equal(!!(w.flags & SPT_GUEST_SMM_SLOT), asked[i].differs);
		guest_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_levels_and_all_page_sizes),
		cmocka_unit_test(five_levels),
		cmocka_unit_test(pae),
		cmocka_unit_test(pae_by_the_processors_copies),
		cmocka_unit_test(thirty_two_bits),
		cmocka_unit_test(paging_off),
		cmocka_unit_test(reserved_bits_end_the_walk),
		cmocka_unit_test(tables_that_cannot_be_read),
		cmocka_unit_test(encrypted_memory),
		cmocka_unit_test(an_image_without_guest_tables_is_refused),
		cmocka_unit_test(a_table_that_leads_to_itself),
		cmocka_unit_test(who_may_do_what),
		cmocka_unit_test(upper_entries_restrict),
		cmocka_unit_test(where_the_tables_are),
		cmocka_unit_test(registers_that_may_be_old),
		cmocka_unit_test(which_vcpu),
		cmocka_unit_test(registers_that_the_host_does_not_have),
		cmocka_unit_test(registers_of_a_protected_vcpu),
		cmocka_unit_test(tables_in_smm),
		cmocka_unit_test(page_in_smm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
