// SPDX-License-Identifier: GPL-2.0
/* Guest page table entries of every paging mode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "decoders/gpte.h"

#define PG   SPT_BIT(31)
#define WP   SPT_BIT(16)
#define PSE  SPT_BIT(4)
#define PAE  SPT_BIT(5)
#define LA57 SPT_BIT(12)
#define LMA  SPT_BIT(10)
#define NXE  SPT_BIT(11)

static struct spt_guest_mmu mmu_of(__u64 cr0, __u64 cr4, __u64 efer)
{
	struct spt_guest_mmu mmu;

	spt_guest_mmu_init(&mmu, cr0, cr4, efer, 40);
	return mmu;
}

static void control_registers_choose_the_mode(void **state)
{
	static const struct {
		__u64 cr0, cr4, efer;
		enum spt_guest_paging paging;
		int levels;
		unsigned int entry_size;
	} cases[] = {
		{ 0, PAE, LMA, SPT_GUEST_NO_PAGING, 0, 8 },
		{ PG, 0, 0, SPT_GUEST_32BIT, 2, 4 },
		{ PG, PSE, NXE, SPT_GUEST_32BIT, 2, 4 },
		{ PG, PAE, NXE, SPT_GUEST_PAE, 3, 8 },
		{ PG, PAE, LMA | NXE, SPT_GUEST_4LEVEL, 4, 8 },
		{ PG, PAE | LA57, LMA, SPT_GUEST_5LEVEL, 5, 8 },
		{ PG, PAE | LA57, 0, SPT_GUEST_PAE, 3, 8 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spt_guest_mmu mmu = mmu_of(cases[i].cr0, cases[i].cr4, cases[i].efer);

		assert_int_equal(mmu.paging, cases[i].paging);
		assert_int_equal(spt_guest_levels(&mmu), cases[i].levels);
		assert_int_equal(spt_guest_entry_size(&mmu), cases[i].entry_size);
	}
	assert_true(mmu_of(PG | WP, 0, 0).wp);
	assert_false(mmu_of(PG, 0, 0).wp);
}

static void a_walk_by_index_gives_back_the_address(void **state)
{
	static const struct {
		__u64 cr4, efer, gva;
	} cases[] = {
		{ 0, 0, 0xfedcb000 },
		{ PAE, 0, 0xfedcb000 },
		{ PAE, LMA, 0xffff888123456000ULL },
		{ PAE | LA57, LMA, 0xff11000123456000ULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spt_guest_mmu mmu = mmu_of(PG, cases[i].cr4, cases[i].efer);
		__u64 gva = 0, top = spt_guest_level_size(&mmu, spt_guest_levels(&mmu) + 1);

		for (int level = spt_guest_levels(&mmu); level; level--)
			gva += spt_guest_index(&mmu, cases[i].gva, level) *
			       spt_guest_level_size(&mmu, level);
		assert_int_equal(gva, cases[i].gva & SPT_BITS(63, 12) &
					      (mmu.paging < SPT_GUEST_4LEVEL ? ~0ULL : top - 1));
		assert_true(spt_guest_gva_valid(&mmu, cases[i].gva));
	}
}

static void addresses_must_be_canonical(void **state)
{
	struct spt_guest_mmu four = mmu_of(PG, PAE, LMA), five = mmu_of(PG, PAE | LA57, LMA);
	struct spt_guest_mmu pae = mmu_of(PG, PAE, 0);

	assert_true(spt_guest_gva_valid(&four, 0x00007fffffffffffULL));
	assert_false(spt_guest_gva_valid(&four, 0x0000800000000000ULL));
	assert_false(spt_guest_gva_valid(&four, 0xffff7fffffffffffULL));
	assert_true(spt_guest_gva_valid(&four, 0xffff800000000000ULL));
	assert_true(spt_guest_gva_valid(&five, 0x0000800000000000ULL));
	assert_false(spt_guest_gva_valid(&five, 0x0100000000000000ULL));
	assert_true(spt_guest_gva_valid(&pae, 0xffffffff));
	assert_false(spt_guest_gva_valid(&pae, 0x100000000ULL));
}

static void cr3_names_the_top_table(void **state)
{
	struct spt_guest_mmu mmu = mmu_of(PG, PAE, LMA);

	/* PCID in the low bits, 'no flush' in the top one */
	assert_int_equal(spt_guest_top_table(&mmu, 0x8000000012345fffULL), 0x12345000);
	mmu = mmu_of(PG, PAE, 0);
	assert_int_equal(spt_guest_top_table(&mmu, 0x12345fff), 0x12345fe0);
	mmu = mmu_of(PG, 0, 0);
	assert_int_equal(spt_guest_top_table(&mmu, 0xffff123412345018ULL), 0x12345000);
}

static void long_mode_entries(void **state)
{
	struct spt_guest_mmu mmu = mmu_of(PG, PAE, LMA | NXE);
	struct spt_gpte g = spt_gpte_decode(&mmu, 0x8000000012345967ULL, 1);

	assert_true(g.present && g.leaf && g.write && g.user && g.nx && g.accessed && g.dirty &&
		    g.global);
	assert_int_equal(g.gpa, 0x12345000);
	assert_int_equal(g.size, 4096);
	assert_int_equal(g.reserved, 0);

	g = spt_gpte_decode(&mmu, 0x40000083, 2);
	assert_true(g.leaf && !g.user && !g.nx && !g.global);
	assert_int_equal(g.gpa, 0x40000000);
	assert_int_equal(g.size, 2 << 20);

	g = spt_gpte_decode(&mmu, 0x40000083, 3);
	assert_true(g.leaf);
	assert_int_equal(g.size, 1 << 30);

	/* no pages at level 4 */
	g = spt_gpte_decode(&mmu, 0x40000083, 4);
	assert_false(g.leaf);
	assert_int_equal(g.reserved, SPT_BIT(7));

	g = spt_gpte_decode(&mmu, 0x12345063, 4);
	assert_false(g.leaf || g.dirty);
	assert_int_equal(g.gpa, 0x12345000);

	g = spt_gpte_decode(&mmu, 0x1234567890abcdeULL & ~1ULL, 2);
	assert_false(g.present || g.leaf || g.write);
	assert_int_equal(g.gpa, 0);
	assert_int_equal(g.reserved, 0);
}

static void reserved_bits_depend_on_the_cpu(void **state)
{
	struct spt_guest_mmu mmu = mmu_of(PG, PAE, LMA);

	/* 40 address bits, no NXE */
	assert_int_equal(spt_gpte_decode(&mmu, SPT_BIT(40) | 1, 1).reserved, SPT_BIT(40));
	assert_int_equal(spt_gpte_decode(&mmu, SPT_BIT(39) | 1, 1).reserved, 0);
	assert_int_equal(spt_gpte_decode(&mmu, SPT_BIT(63) | 1, 1).reserved, SPT_BIT(63));
	assert_int_equal(spt_gpte_decode(&mmu, SPT_BIT(13) | 0x81, 2).reserved, SPT_BIT(13));
	/* bit 12 of a large page is its PAT bit, and no part of the address */
	assert_int_equal(spt_gpte_decode(&mmu, SPT_BIT(12) | 0x81, 2).reserved, 0);
	assert_int_equal(spt_gpte_decode(&mmu, SPT_BIT(12) | 0x81, 2).gpa, 0);
	mmu.gbpages = false;
	assert_int_equal(spt_gpte_decode(&mmu, 0x81, 3).reserved, SPT_BIT(7));
	mmu = mmu_of(PG, PAE, LMA | NXE);
	assert_int_equal(spt_gpte_decode(&mmu, SPT_BIT(63) | 1, 1).reserved, 0);
}

static void pdptes_of_pae_have_no_permissions(void **state)
{
	struct spt_guest_mmu mmu = mmu_of(PG, PAE, NXE);
	struct spt_gpte g = spt_gpte_decode(&mmu, 0x12345001, 3);

	assert_true(g.present && g.write && g.user && !g.leaf && !g.accessed);
	assert_int_equal(g.gpa, 0x12345000);
	assert_int_equal(g.reserved, 0);
	assert_int_equal(spt_gpte_decode(&mmu, 0x12345007, 3).reserved, 6);
	assert_int_equal(spt_gpte_decode(&mmu, SPT_BIT(63) | 1, 3).reserved, SPT_BIT(63));
	assert_true(spt_gpte_decode(&mmu, SPT_BIT(63) | 1, 2).nx);
}

static void pse36_reaches_above_4g(void **state)
{
	struct spt_guest_mmu mmu = mmu_of(PG, PSE, 0);
	struct spt_gpte g = spt_gpte_decode(&mmu, 0x00c02083, 2);

	assert_true(g.leaf);
	assert_int_equal(g.gpa, 0x100c00000ULL);
	assert_int_equal(g.size, 4 << 20);
	assert_int_equal(g.reserved, 0);
	assert_int_equal(spt_gpte_decode(&mmu, 0x00e00083, 2).reserved, SPT_BIT(21));
	mmu = mmu_of(PG, 0, 0);
	g = spt_gpte_decode(&mmu, 0x00c02083, 2);
	assert_false(g.leaf);
	assert_int_equal(g.gpa, 0x00c02000);
}

static void every_bit_is_in_one_row(void **state)
{
	for (int paging = SPT_GUEST_32BIT; paging <= SPT_GUEST_5LEVEL; paging++) {
		for (int features = 0; features < 8; features++) {
			struct spt_guest_mmu mmu = {
				.paging = (enum spt_guest_paging)paging,
				.pse = features & 1,
				.nxe = features & 2,
				.gbpages = features & 4,
				.maxphyaddr = features & 1 ? 52 : 39,
			};

			for (int level = 1; level <= spt_guest_levels(&mmu); level++)
				for (int bit = 0; bit < 64; bit++) {
					struct spt_gpte g = spt_gpte_decode(
						&mmu, SPT_BIT(bit) | (bit & 1) | (bit & 2) << 6,
						level);
					struct spt_bit rows[SPT_BITS_MAX];
					size_t n = spt_gpte_rows(&mmu, &g, rows);
					__u64 twice;

					assert_int_equal(spt_bits_covered(rows, n, &twice),
							 paging == SPT_GUEST_32BIT ? SPT_BITS(31, 0)
										   : ~0ULL);
					assert_int_equal(twice, 0);
				}
		}
	}
}

static void flags_are_named(void **state)
{
	struct spt_guest_mmu mmu = mmu_of(PG, PAE, LMA | NXE);
	struct spt_gpte g = spt_gpte_decode(&mmu, 0x80000000400000e3ULL, 2);
	char text[80];

	spt_gpte_flags_text(&g, ",", text, sizeof(text));
	assert_string_equal(text, "present,write,nx,accessed,dirty,huge");
	g = spt_gpte_decode(&mmu, 0, 2);
	assert_int_equal(spt_gpte_flags_text(&g, ",", text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_registers_choose_the_mode),
		cmocka_unit_test(a_walk_by_index_gives_back_the_address),
		cmocka_unit_test(addresses_must_be_canonical),
		cmocka_unit_test(cr3_names_the_top_table),
		cmocka_unit_test(long_mode_entries),
		cmocka_unit_test(reserved_bits_depend_on_the_cpu),
		cmocka_unit_test(pdptes_of_pae_have_no_permissions),
		cmocka_unit_test(pse36_reaches_above_4g),
		cmocka_unit_test(every_bit_is_in_one_row),
		cmocka_unit_test(flags_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
