// SPDX-License-Identifier: GPL-2.0
/* SPTEs of every built-in format, against KVM's rules stated a second time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "decoders/spte.h"
#include "tests/unit/kvm_rules.h"

static struct spt_format format_of(const char *name)
{
	struct spt_format format;

	assert_int_equal(spt_format_by_name(&format, name, NULL), 0);
	return format;
}

static const struct kvm_rules *each;
static struct spt_format format;

static struct spt_format format_by(const struct kvm_rules *rules)
{
	struct spt_format f = format_of(rules->format);

	if (rules->mbec)
		spt_format_use_role(&f, 1 << 20); /* cr4_smep */
	return f;
}

/* The test body, for every format in turn. */
#define FOR_EACH_FORMAT                                                                            \
	for (each = kvm_rules; each < kvm_rules + KVM_RULES && (format = format_by(each), true);   \
	     each++)

static bool has_flag(const struct spt_spte *s, const char *name)
{
	for (unsigned int i = 0; i < SPT_SPTE_FLAG_COUNT; i++)
		if (!strcmp(spt_spte_flag_name(i), name))
			return s->flags >> i & 1;
	fail_msg("no flag is called %s", name);
	return false;
}

static const char *perm_of(const struct spt_spte *s)
{
	static char text[SPT_PERM_TEXT];

	return spt_perm_text(&format, s->perm, text);
}

static __u64 random_u64(void)
{
	static __u64 seed = 88172645463325252ULL;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Everything that one value of one entry must obey. */
static void check_entry(__u64 raw, int level)
{
	struct spt_spte s = spt_spte_decode(&format, raw, level, SPT_SPTE_WALKED);
	enum spt_spte_type type = SPT_SPTE_NONPRESENT;
	struct spt_bit rows[SPT_BITS_MAX];
	__u64 twice;
	size_t n;

	if (kvm_present(raw))
		type = kvm_last(raw, level) ? SPT_SPTE_LEAF : SPT_SPTE_TABLE;
	else if (raw == each->frozen)
		type = SPT_SPTE_FROZEN;
	else if (kvm_mmio(each, raw))
		type = SPT_SPTE_MMIO;
	assert_int_equal(s.type, type);
	assert_int_equal(spt_spte_type(&format, raw, level), type);
	assert_int_equal(s.present_kvm, kvm_present(raw));
	assert_int_equal(s.present_hw, (raw & (!each->ept ? 1 : each->mbec ? 0x407 : 7)) != 0);
	assert_int_equal(s.empty, raw == each->empty);
	assert_int_equal(s.size, 1ULL << (12 + 9 * (level - 1)));
	assert_int_equal(s.hpa, spt_spte_hpa(&format, raw, level));
	if (kvm_present(raw)) {
		assert_int_equal(s.access_tracked,
				 type == SPT_SPTE_LEAF && kvm_access_tracked(each, raw));
		assert_int_equal(s.perm, spt_spte_perm(&format, raw));
	} else {
		assert_int_equal(s.perm, 0);
		assert_int_equal(s.hpa, 0);
	}
	n = spt_spte_rows(&format, &s, rows);
	assert_int_equal(spt_bits_covered(rows, n, &twice), ~0ULL);
	assert_int_equal(twice, 0);
}

static void single_bits_and_their_complements(void **state)
{
	FOR_EACH_FORMAT
	{
		for (int level = 1; level <= 5; level++) {
			check_entry(0, level);
			check_entry(~0ULL, level);
			check_entry(each->empty, level);
			check_entry(each->frozen, level);
			for (int bit = 0; bit < 64; bit++) {
				check_entry(1ULL << bit, level);
				check_entry(~(1ULL << bit), level);
				check_entry(each->empty ^ 1ULL << bit, level);
				check_entry(each->frozen ^ 1ULL << bit, level);
				for (int second = 0; second < bit; second++)
					check_entry(1ULL << bit | 1ULL << second, level);
			}
		}
	}
}

static void random_values(void **state)
{
	FOR_EACH_FORMAT
	for (int i = 0; i < 20000; i++) {
		__u64 raw = random_u64();

		check_entry(raw, 1 + i % 5);
		check_entry(raw & ~MMU_PRESENT, 1 + i % 5);
		check_entry((raw & ~each->mmio_mask & ~MMU_PRESENT) | each->mmio_value, 1 + i % 5);
	}
}

static void a_leaf_as_kvm_makes_it(void **state)
{
	FOR_EACH_FORMAT
	{
		for (int level = 1; level <= 3; level++) {
			__u64 hpa = 0x2ac0000000ULL, raw = kvm_make_leaf(each, hpa, level);
			struct spt_spte s = spt_spte_decode(&format, raw, level, SPT_SPTE_WALKED);

			assert_int_equal(s.type, SPT_SPTE_LEAF);
			assert_int_equal(s.hpa, hpa);
			assert_string_equal(perm_of(&s), format.user_exec ? "rwxX" : "rwx");
			assert_int_equal(s.accessed, SPT_YES);
			assert_int_equal(s.dirty, SPT_YES);
			assert_int_equal(s.memtype, each->ept ? 6 : -1);
			assert_int_equal(s.restored_perm, s.perm);
			assert_true(has_flag(&s, "accessed") && has_flag(&s, "dirty") &&
				    has_flag(&s, "host-writable") && has_flag(&s, "mmu-writable"));
			assert_int_equal(has_flag(&s, "huge"), level > 1);
			assert_int_equal(has_flag(&s, "user"), !each->ept);
			assert_int_equal(has_flag(&s, "ipat"), each->ept);
			assert_false(has_flag(&s, "reserved") || has_flag(&s, "hw-nonpresent") ||
				     has_flag(&s, "ad-disabled") || has_flag(&s, "nx"));
		}
	}
}

static void a_table_as_kvm_makes_it(void **state)
{
	FOR_EACH_FORMAT
	{
		for (int level = 2; level <= 5; level++) {
			__u64 raw = kvm_make_table(each, 0x10a2000);
			struct spt_spte s = spt_spte_decode(&format, raw, level, SPT_SPTE_WALKED);

			assert_int_equal(s.type, SPT_SPTE_TABLE);
			assert_int_equal(s.hpa, 0x10a2000);
			assert_string_equal(perm_of(&s), format.user_exec ? "rwxX" : "rwx");
			assert_int_equal(s.dirty, SPT_NA);
			assert_int_equal(s.memtype, -1);
			assert_false(has_flag(&s, "reserved") || has_flag(&s, "huge") ||
				     has_flag(&s, "host-writable"));
		}
	}
}

static void mmio_keeps_gfn_access_and_generation(void **state)
{
	FOR_EACH_FORMAT
	{
		unsigned int gen_bits = each->gen_low_bits + 11;
		char text[200];

		for (int i = 0; i < 2000; i++) {
			__u64 gen = random_u64() & ((1ULL << gen_bits) - 1);
			__u64 gfn = random_u64() & ((1ULL << (each->addr_bits - 12)) - 1);
			__u64 raw = kvm_make_mmio(each, gfn, (unsigned int)i, gen);
			struct spt_spte s = spt_spte_decode(&format, raw, 1, SPT_SPTE_WALKED);

			assert_int_equal(s.type, SPT_SPTE_MMIO);
			assert_int_equal(s.mmio_gfn, gfn);
			assert_int_equal(s.mmio_gen, gen);
			assert_int_equal(s.mmio_access, (unsigned int)i & each->mmio_access);
		}
		struct spt_spte s = spt_spte_decode(&format, kvm_make_mmio(each, 0xfec00, 6, 14), 1,
						    SPT_SPTE_WALKED);

		spt_spte_sentence(&format, &s, text, sizeof(text));
		assert_non_null(strstr(text, "gfn 0xfec00"));
		assert_non_null(strstr(text, "generation 14"));
	}
}

/* shadow_nonpresent_or_rsvd_mask: the gfn's upper bits move up by five. */
static void mmio_under_l1tf_finds_the_whole_gfn(void **state)
{
	const __u64 l1tf = SPT_BITS(43, 39);
	struct spt_spte seen;

	format = format_of("ept-7.3");
	assert_int_equal(spt_format_l1tf(&format, 44, NULL), 0);
	assert_int_equal(format.l1tf, l1tf);
	/* as a Haswell had it: the third page of a hole at 0x70000000 */
	seen = spt_spte_decode(&format, 0x00000f80700010a6ULL, 1, SPT_SPTE_WALKED);
	assert_int_equal(seen.type, SPT_SPTE_MMIO);
	assert_int_equal(seen.mmio_gfn, 0x70001);
	assert_int_equal(seen.mmio_gen, 20);

	format = format_of("ept-6.12");
	assert_true(spt_format_l1tf(&format, 47, NULL) < 0);
	assert_true(spt_format_l1tf(&format, 20, NULL) < 0);
	assert_int_equal(spt_format_l1tf(&format, 44, NULL), 0);
	for (int i = 0; i < 1000; i++) {
		__u64 gpa = random_u64() & SPT_BITS(43, 12);
		__u64 raw = 6 | gpa | l1tf | (gpa & l1tf) << 5;
		struct spt_spte s = spt_spte_decode(&format, raw, 1, SPT_SPTE_WALKED);

		assert_int_equal(s.mmio_gfn, gpa >> 12);
	}
}

static void access_tracking_saves_what_comes_back(void **state)
{
	FOR_EACH_FORMAT
	{
		__u64 leaf = kvm_make_leaf(each, 0x7000, 1) & ~(each->accessed | each->dirty);
		struct spt_spte s;

		if (!each->ept)
			continue;
		leaf |= 1ULL << each->ad_shift;
		s = spt_spte_decode(&format, leaf, 1, SPT_SPTE_WALKED);
		assert_false(s.access_tracked);
		assert_true(has_flag(&s, "ad-disabled"));
		assert_int_equal(s.dirty, format.layout == SPT_LAYOUT_ACCESS3 ? SPT_NA : SPT_NO);

		s = spt_spte_decode(&format, kvm_track_access(each, leaf), 1, SPT_SPTE_WALKED);
		assert_true(s.access_tracked && has_flag(&s, "acc-track"));
		assert_true(has_flag(&s, "hw-nonpresent"));
		assert_false(s.present_hw);
		assert_int_equal(s.perm, 0);
		assert_int_equal(s.hpa, 0x7000);
		assert_int_equal(s.restored_perm,
				 SPT_PERM_READ | SPT_PERM_WRITE | SPT_PERM_EXEC |
					 (format.user_exec ? SPT_PERM_USER_EXEC : 0));

		/* Without MMU-writable, a write does not come back by itself. */
		s = spt_spte_decode(&format, kvm_track_access(each, leaf & ~each->mmu_writable), 1,
				    SPT_SPTE_WALKED);
		assert_false(s.restored_perm & SPT_PERM_WRITE);
	}
}

static void write_protection_only_is_told_apart(void **state)
{
	FOR_EACH_FORMAT
	{
		__u64 raw = kvm_make_leaf(each, 0x7000, 1) | 2ULL << each->ad_shift;
		struct spt_spte s;

		if (!each->ept)
			continue;
		s = spt_spte_decode(&format, raw, 1, SPT_SPTE_WALKED);
		assert_int_equal(s.ad_type, SPT_AD_WRPROT_ONLY);
		assert_true(has_flag(&s, "wrprot-ad"));
		assert_false(has_flag(&s, "ad-disabled"));
		assert_int_equal(s.accessed, SPT_YES);
	}
}

static void nx_removes_execution(void **state)
{
	FOR_EACH_FORMAT
	{
		__u64 raw = kvm_make_leaf(each, 0x40000000, 2);
		struct spt_spte s;

		raw = each->ept ? raw & ~each->exec : raw | each->nx;
		s = spt_spte_decode(&format, raw, 2, SPT_SPTE_WALKED);
		assert_string_equal(perm_of(&s), format.user_exec ? "rw--" : "rw-");
		assert_int_equal(has_flag(&s, "nx"), !each->ept);
	}
}

static void bits_that_are_no_address_are_reserved(void **state)
{
	FOR_EACH_FORMAT
	{
		for (int bit = 12; bit < 52; bit++) {
			__u64 raw = kvm_make_leaf(each, 0, 2) | 1ULL << bit;
			struct spt_spte s = spt_spte_decode(&format, raw, 2, SPT_SPTE_WALKED);
			bool pat = bit == 12 && !each->ept;
			bool address = bit >= 21 && bit < (int)each->addr_bits;

			assert_int_equal(has_flag(&s, "reserved"), !pat && !address);
		}
		for (int level = 4; level <= 5; level++) {
			struct spt_spte s = spt_spte_decode(&format, kvm_make_leaf(each, 0, level),
							    level, SPT_SPTE_WALKED);

			assert_true(has_flag(&s, "reserved"));
		}
		for (int bit = 3; bit < 7; bit++) {
			__u64 raw = kvm_make_table(each, 0x1000) | 1ULL << bit;
			struct spt_spte s = spt_spte_decode(&format, raw, 3, SPT_SPTE_WALKED);

			assert_int_equal(has_flag(&s, "reserved"), each->ept);
		}
	}
}

static void leftovers_and_hardware_only_entries_say_so(void **state)
{
	FOR_EACH_FORMAT
	{
		struct spt_spte s;

		s = spt_spte_decode(&format, each->empty | 0x12345000, 1, SPT_SPTE_WALKED);
		assert_int_equal(s.type, SPT_SPTE_NONPRESENT);
		assert_true(has_flag(&s, "leftover"));
		assert_false(has_flag(&s, "hw-present"));
		/* A table that only the hardware knows of. */
		s = spt_spte_decode(&format, 0x12345007, 4, SPT_SPTE_WALKED);
		assert_int_equal(s.type, SPT_SPTE_NONPRESENT);
		assert_true(has_flag(&s, "hw-present"));
		s = spt_spte_decode(&format, each->empty, 4, SPT_SPTE_WALKED);
		assert_int_equal(s.flags, 0);
	}
}

static void a_mirror_is_not_what_the_hardware_walks(void **state)
{
	FOR_EACH_FORMAT
	{
		struct spt_spte s = spt_spte_decode(&format, kvm_make_leaf(each, 0x9000, 1), 1,
						    SPT_SPTE_MIRROR);

		assert_int_equal(s.type, SPT_SPTE_LEAF);
		assert_true(s.present_kvm && !s.present_hw && has_flag(&s, "mirror"));
		assert_false(has_flag(&s, "hw-nonpresent") || has_flag(&s, "accessed"));
		assert_int_equal(s.accessed, SPT_NA);
	}
}

static void tables_without_a_page_header_go_by_the_hardware(void **state)
{
	FOR_EACH_FORMAT
	{
		/* pml4_root: PRESENT | ACCESSED | WRITE | USER, no bit 11 */
		struct spt_spte s = spt_spte_decode(&format, 0x5027, 4, SPT_SPTE_RAW);

		assert_int_equal(s.type, SPT_SPTE_TABLE);
		assert_int_equal(s.hpa, 0x5000);
		assert_false(s.present_kvm);
		assert_true(s.present_hw);
		assert_true(s.perm & SPT_PERM_WRITE);
		s = spt_spte_decode(&format, 0, 4, SPT_SPTE_RAW);
		assert_int_equal(s.type, SPT_SPTE_NONPRESENT);
		assert_true(s.empty);
		/* pae_root: only PRESENT, and that allows everything */
		s = spt_spte_decode(&format, 0x6001, 3, SPT_SPTE_PAE_ROOT);
		assert_int_equal(s.type, SPT_SPTE_TABLE);
		assert_int_equal(s.perm, SPT_PERM_READ | SPT_PERM_WRITE | SPT_PERM_EXEC);
		assert_int_equal(s.hpa, 0x6000);
	}
}

static void every_row_of_every_kind_is_there_once(void **state)
{
	FOR_EACH_FORMAT
	for (int kind = SPT_SPTE_WALKED; kind <= SPT_SPTE_PAE_ROOT; kind++)
		for (int level = 1; level <= 5; level++)
			for (int i = 0; i < 64; i++) {
				struct spt_spte s = spt_spte_decode(&format, random_u64(), level,
								    (enum spt_spte_kind)kind);
				struct spt_bit rows[SPT_BITS_MAX];
				__u64 twice;
				size_t n = spt_spte_rows(&format, &s, rows);

				assert_int_equal(spt_bits_covered(rows, n, &twice), ~0ULL);
				assert_int_equal(twice, 0);
			}
}

/* What nobody gives a meaning: to add a bit to KVM's format is to change this list. */
static void only_these_bits_are_ignored(void **state)
{
	static const struct {
		const char *format;
		__u64 leaf, table, mmio;
	} expected[] = {
		{ "ept-6.1", SPT_BIT(7) | SPT_BIT(10) | SPT_BIT(55) | SPT_BITS(62, 59),
		  SPT_BITS(10, 9) | SPT_BITS(62, 54), SPT_BITS(51, 46) | SPT_BIT(63) },
		{ "ept-6.12", SPT_BIT(7) | SPT_BIT(10) | SPT_BIT(55) | SPT_BITS(62, 59),
		  SPT_BITS(10, 9) | SPT_BITS(62, 54), SPT_BITS(51, 46) },
		{ "ept-7.3", SPT_BIT(7) | SPT_BITS(59, 56),
		  SPT_BIT(9) | SPT_BITS(59, 52) | SPT_BIT(62), SPT_BIT(10) | SPT_BITS(51, 46) },
		{ "npt-6.1", SPT_BITS(62, 52), SPT_BITS(62, 52) | SPT_BITS(10, 8) | SPT_BIT(6),
		  SPT_BITS(50, 48) | SPT_BIT(63) },
		{ "npt-7.3", SPT_BITS(62, 52), SPT_BITS(62, 52) | SPT_BITS(10, 8) | SPT_BIT(6),
		  SPT_BIT(10) | SPT_BITS(50, 48) | SPT_BIT(63) },
	};

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct {
			enum spt_spte_type type;
			int level;
			__u64 ignored;
		} kinds[] = {
			{ SPT_SPTE_LEAF, 1, expected[i].leaf },
			{ SPT_SPTE_TABLE, 2, expected[i].table },
			{ SPT_SPTE_MMIO, 1, expected[i].mmio },
		};

		format = format_of(expected[i].format);
		for (size_t k = 0; k < 3; k++) {
			struct spt_spte s = { .type = kinds[k].type, .level = kinds[k].level };
			struct spt_bit rows[SPT_BITS_MAX];
			__u64 ignored = 0;

			for (size_t n = spt_spte_rows(&format, &s, rows); n--;)
				if (rows[n].kind == SPT_BIT_IGNORED)
					ignored |= rows[n].mask;
			assert_int_equal(ignored, kinds[k].ignored);
		}
	}
}

static void equal_meaning_is_what_ranges_merge_by(void **state)
{
	FOR_EACH_FORMAT
	{
		__u64 leaf = kvm_make_leaf(each, 0x7000, 1);

		assert_int_equal(format.meaning & format.addr & ~format.reserved, 0);
		assert_int_equal(format.meaning & leaf, leaf & ~0x7000ULL);
		assert_true(format.meaning & each->host_writable);
		assert_true(format.meaning & each->mmu_writable);
	}
}

static void sentences_say_the_whole(void **state)
{
	static const struct {
		const char *format;
		__u64 raw;
		int level;
		const char *text;
	} cases[] = {
		{ "npt-6.12", 0x000000010a000e67ULL, 1, "maps 4K at HPA 0x10a000000, rwx" },
		{ "npt-6.12", 0x000000010a000e25ULL, 1,
		  "maps 4K at HPA 0x10a000000, r-x; write-protected to log the next write, KVM lifts that without mmu_lock" },
		{ "ept-6.12", 0x8610000040000bf7ULL, 2, "maps 2M at HPA 0x40000000, rwx" },
		{ "ept-7.3", 0x80000000000001a0ULL, 1,
		  "frozen: KVM is replacing or tearing down what was here" },
		{ "ept-6.1", 0, 1, "empty: nothing is mapped" },
		{ "npt-6.1", 0x80000fec0041fULL, 1,
		  "emulated: no memory behind gfn 0xfec00, access wu-, memslot generation 131" },
		{ "npt-6.12", 0x0000000105432827ULL, 3,
		  "leads to the table at HPA 0x105432000, rwx" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		struct spt_spte s;

		format = format_of(cases[i].format);
		s = spt_spte_decode(&format, cases[i].raw, cases[i].level, SPT_SPTE_WALKED);
		spt_spte_sentence(&format, &s, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void flag_names_are_listed_in_order(void **state)
{
	char text[512];
	int len = spt_spte_flags_text(SPT_SPTE_FLAG_ACCESSED | SPT_SPTE_FLAG_SVE, ",", text,
				      sizeof(text));

	assert_string_equal(text, "accessed,sve");
	assert_int_equal(len, 12);
	assert_int_equal(spt_spte_flags_text(0, ",", text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(spt_spte_flags_text(~0U, ",", text, 4),
			 spt_spte_flags_text(~0U, ",", NULL, 0));
	assert_string_equal(text, "acc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_bits_and_their_complements),
		cmocka_unit_test(random_values),
		cmocka_unit_test(a_leaf_as_kvm_makes_it),
		cmocka_unit_test(a_table_as_kvm_makes_it),
		cmocka_unit_test(mmio_keeps_gfn_access_and_generation),
		cmocka_unit_test(mmio_under_l1tf_finds_the_whole_gfn),
		cmocka_unit_test(access_tracking_saves_what_comes_back),
		cmocka_unit_test(write_protection_only_is_told_apart),
		cmocka_unit_test(nx_removes_execution),
		cmocka_unit_test(bits_that_are_no_address_are_reserved),
		cmocka_unit_test(leftovers_and_hardware_only_entries_say_so),
		cmocka_unit_test(a_mirror_is_not_what_the_hardware_walks),
		cmocka_unit_test(tables_without_a_page_header_go_by_the_hardware),
		cmocka_unit_test(every_row_of_every_kind_is_there_once),
		cmocka_unit_test(only_these_bits_are_ignored),
		cmocka_unit_test(equal_meaning_is_what_ranges_merge_by),
		cmocka_unit_test(sentences_say_the_whole),
		cmocka_unit_test(flag_names_are_listed_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
