// SPDX-License-Identifier: GPL-2.0
/* The whole list of fields on kernels that differ: names, absence, contradiction. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "decoders/layout.h"
#include "decoders/layout_history.h"
#include "layout_compile.h"

/* Raw BTF of a kernel in directory @out: vmlinux, kvm, kvm_amd, each with its flags. */
static void make_btf(const char *out, const char *vmlinux, const char *kvm, const char *amd)
{
	layout_run("mkdir -p %s && "
		   "gcc -c -gdwarf-4 %s -o v.o $SRC/layout_kvm.c && "
		   "gcc -c -gdwarf-4 %s -o k.o $SRC/layout_kvm.c && "
		   "gcc -c -gdwarf-4 -DVENDOR %s -o a.o $SRC/layout_kvm.c && "
		   "pahole --btf_encode_detached=%s/vmlinux v.o && "
		   "pahole --btf_base=%s/vmlinux --btf_encode_detached=%s/kvm k.o && "
		   "pahole --btf_base=%s/vmlinux --btf_encode_detached=%s/kvm_amd a.o",
		   out, vmlinux, kvm, amd, out, out, out, out, out);
}

static struct spt_layout layout;

static int from_btf(const char *dir)
{
	return spt_layout_from_btf(layout_path(dir), SPT_VENDOR_SVM, &layout);
}

static const struct spt_layout_field *field(enum spt_field_id id)
{
	if (layout.field[id].state != SPT_FIELD_FOUND)
		fail_msg("%s is not found", spt_field_names[id].id);
	return &layout.field[id].field;
}

static bool needs_pahole(void)
{
	return !layout_have("pahole");
}

static void newest_names(void **state)
{
	if (needs_pahole())
		skip();
	make_btf("new", "", "", "");
	if (from_btf("new"))
		fail_msg("%s%s", layout.missing.text, layout.doubt.text);
	assert_int_equal(field(SPT_F_KVM_INVALIDATE_SEQ)->alternative, 0);
	assert_int_equal(field(SPT_F_SP_TRANSLATION)->alternative, 0);
	assert_int_equal(field(SPT_F_SP_EXTERNAL_SPT)->alternative, 0);
	assert_int_equal(field(SPT_F_SLOT_WRITE_TRACK)->alternative, 0);
	assert_int_equal(field(SPT_F_KVM_STAT_PAGES_2M)->alternative, 1);
	assert_int_equal(field(SPT_F_KVM_STAT_PAGES_2M)->bit_offset -
				 field(SPT_F_KVM_STAT_PAGES_4K)->bit_offset,
			 64);
	assert_int_equal(field(SPT_F_KVM_MMU_PAGE_HASH)->flags,
			 SPT_FIELD_PRESENT | SPT_FIELD_POINTER);
	assert_int_equal(field(SPT_F_ROLE_SMM)->bit_offset, 24);
	assert_int_equal(field(SPT_F_ROLE_SMM)->bit_size, 8);
	assert_int_equal(field(SPT_F_VMCB_CR3)->bit_offset, 8 * (0xb0 + 8 + 0x150));
	/* What this kernel lacks is not an error, and is not 0 either. */
	assert_int_equal(layout.field[SPT_F_KVM_GFN_DIRECT_BITS].state, SPT_FIELD_NO_MEMBER);
	assert_int_equal(layout.field[SPT_F_HOST_MAXPHYADDR].state, SPT_FIELD_NO_TYPE);
	assert_int_equal(layout.field[SPT_F_VMX_LOADED_VMCS].state, SPT_FIELD_OTHER_VENDOR);
	assert_int_equal(layout.field[SPT_F_KVM_GFN_DIRECT_BITS].field.flags, 0);
	spt_layout_deinit(&layout);
}

static void oldest_names(void **state)
{
	if (needs_pahole())
		skip();
	make_btf("old", "-DOLD", "-DOLD", "-DOLD");
	if (from_btf("old"))
		fail_msg("%s%s", layout.missing.text, layout.doubt.text);
	assert_int_equal(field(SPT_F_KVM_INVALIDATE_SEQ)->alternative, 1);
	assert_int_equal(field(SPT_F_SP_NX_DISALLOWED)->alternative, 1);
	assert_int_equal(field(SPT_F_SP_TRANSLATION)->alternative, 1);
	assert_int_equal(field(SPT_F_SP_EXTERNAL_SPT)->alternative, 2);
	assert_int_equal(field(SPT_F_SLOT_WRITE_TRACK)->alternative, 1);
	assert_int_equal(field(SPT_F_KVM_N_USED_MMU_PAGES)->alternative, 1);
	assert_int_equal(field(SPT_F_KVM_MMU_PAGE_HASH)->flags,
			 SPT_FIELD_PRESENT | SPT_FIELD_ARRAY);
	assert_int_equal(field(SPT_F_ROLE_GPTE_IS_8_BYTES)->bit_offset, 4);
	assert_int_equal(layout.field[SPT_F_ROLE_HAS_4_BYTE_GPTE].state, SPT_FIELD_NO_MEMBER);
	spt_layout_deinit(&layout);
}

static void a_required_member_that_is_missing_is_named(void **state)
{
	if (needs_pahole())
		skip();
	make_btf("nogfn", "-DNO_GFN", "-DNO_GFN", "-DNO_GFN");
	assert_int_equal(from_btf("nogfn"), -ENOKEY);
	assert_non_null(strstr(layout.doubt.text, "kvm_mmu_page.gfn"));
	/* The others are there for a diagnosis. */
	assert_int_equal(layout.field[SPT_F_SP_SPT].state, SPT_FIELD_FOUND);
	assert_int_equal(layout.field[SPT_F_SP_GFN].state, SPT_FIELD_NO_MEMBER);
	spt_layout_deinit(&layout);
}

static void candidates_that_disagree_are_refused(void **state)
{
	if (needs_pahole())
		skip();
	make_btf("moved", "", "-DMOVED", "");
	assert_int_equal(from_btf("moved"), -EUCLEAN);
	assert_non_null(strstr(layout.doubt.text, "kvm_mmu_page"));
	assert_non_null(strstr(layout.doubt.text, "moved/kvm"));
	assert_non_null(strstr(layout.doubt.text, "moved/vmlinux"));
	assert_int_equal(layout.field[SPT_F_SP_SPT].state, SPT_FIELD_DISAGREE);
	assert_int_equal(layout.field[SPT_F_SP_LINK].state, SPT_FIELD_FOUND);
	assert_int_equal(layout.field[SPT_F_KVM_MM].state, SPT_FIELD_FOUND);
	spt_layout_deinit(&layout);
}

static void a_kernel_without_btf_says_which_file_is_missing(void **state)
{
	assert_int_equal(from_btf("nothing"), -ENOENT);
	assert_non_null(strstr(layout.missing.text, "nothing/vmlinux"));
	spt_layout_deinit(&layout);
}

static void make_debug_files(const char *dir, const char *flags)
{
	layout_run("mkdir -p %s && gcc -c -g %s -o %s/kvm.ko $SRC/layout_kvm.c && "
		   "gcc -c -g -DVENDOR %s -o %s/kvm-amd.ko $SRC/layout_kvm.c",
		   dir, flags, dir, flags, dir);
}

static int from_dwarf(const char *dir, const struct spt_host *host)
{
	const char *dirs[] = { layout_path(dir), NULL };
	const struct spt_debug_search search = { .dirs = dirs, .release = "0.0-no-such-release" };

	return spt_layout_from_dwarf(&search, host, &layout);
}

static void dwarf_and_btf_say_the_same(void **state)
{
	const struct spt_host host = { .vendor = SPT_VENDOR_SVM };
	static struct spt_layout btf;
	bool differs[SPT_F_COUNT];

	if (needs_pahole())
		skip();
	make_btf("both", "-DOLD", "-DOLD", "-DOLD");
	assert_int_equal(from_btf("both"), 0);
	btf = layout;
	make_debug_files("same", "-DOLD");
	if (from_dwarf("same", &host))
		fail_msg("%s%s", layout.missing.text, layout.doubt.text);
	assert_int_equal(spt_layout_compare(&btf, &layout, differs), 0);
	spt_layout_deinit(&layout);

	make_debug_files("other", "-DOLD -DMOVED");
	assert_int_equal(from_dwarf("other", &host), 0);
	assert_true(spt_layout_compare(&btf, &layout, differs) > 0);
	assert_true(differs[SPT_F_SP_SPT]);
	assert_false(differs[SPT_F_SP_GFN]);
	spt_layout_deinit(&layout);
	spt_layout_deinit(&btf);
}

static void no_debug_file_names_the_package(void **state)
{
	const struct spt_host host = { .vendor = SPT_VENDOR_SVM };

	layout_run("mkdir -p empty");
	assert_int_equal(from_dwarf("empty", &host), -ENOENT);
	assert_non_null(strstr(layout.missing.text, "linux-image-0.0-no-such-release-dbg"));
	spt_layout_deinit(&layout);
}

static void a_debug_file_of_another_build_is_refused(void **state)
{
	struct spt_host host = { .vendor = SPT_VENDOR_SVM };

	make_debug_files("plain", "");
	layout_run("mkdir -p build && for m in kvm kvm-amd; do "
		   "ld -r --build-id=0x0102030405060708090a0b0c0d0e0f1011121314 -o build/$m.ko "
		   "plain/$m.ko; done");
	for (unsigned int i = 0; i < 20; i++) {
		host.build_id[SPT_MODULE_KVM].id[i] = (uint8_t)(i + 1);
		host.build_id[SPT_MODULE_AMD].id[i] = (uint8_t)(i + 1);
	}
	host.build_id[SPT_MODULE_KVM].len = 20;
	host.build_id[SPT_MODULE_AMD].len = 20;
	if (from_dwarf("build", &host))
		fail_msg("%s%s", layout.missing.text, layout.doubt.text);
	spt_layout_deinit(&layout);

	host.build_id[SPT_MODULE_AMD].id[7] ^= 1;
	assert_int_equal(from_dwarf("build", &host), -ENOENT);
	assert_non_null(strstr(layout.missing.text, "build/kvm-amd.ko is of another build"));
	spt_layout_deinit(&layout);
}

/* As debug packages and debuginfod lay files out. */
static void a_debug_file_is_found_by_build_id(void **state)
{
	struct spt_host host = { .vendor = SPT_VENDOR_SVM };

	make_debug_files("plain", "");
	layout_run("mkdir -p tree/.build-id/ab tree/.build-id/cd && "
		   "ld -r --build-id=0xabcd01 -o tree/.build-id/ab/cd01.debug plain/kvm.ko && "
		   "ld -r --build-id=0xcdef02 -o tree/.build-id/cd/ef02.debug plain/kvm-amd.ko");
	host.build_id[SPT_MODULE_KVM] = (struct spt_build_id){ { 0xab, 0xcd, 0x01 }, 3 };
	host.build_id[SPT_MODULE_AMD] = (struct spt_build_id){ { 0xcd, 0xef, 0x02 }, 3 };
	if (from_dwarf("tree", &host))
		fail_msg("%s%s", layout.missing.text, layout.doubt.text);
	assert_non_null(strstr(layout.graph[SPT_MODULE_KVM]->path, "ab/cd01.debug"));
	spt_layout_deinit(&layout);
}

/* As it is on a host: modules stripped into files that .gnu_debuglink names. */
static void a_debug_file_is_found_by_debuglink(void **state)
{
	const struct spt_host host = { .vendor = SPT_VENDOR_SVM };
	const struct spt_debug_search search = { .release = "1.2.3", .root = layout_path("root") };

	make_debug_files("plain", "");
	layout_run("d=lib/modules/1.2.3/updates/kvm && mkdir -p root/$d root/usr/lib/debug/$d && "
		   "printf 'x/y.ko:\\nupdates/kvm/kvm.ko:\\nupdates/kvm/kvm-amd.ko.xz: a.ko\\n' "
		   ">root/lib/modules/1.2.3/modules.dep && for m in kvm kvm-amd; do "
		   "cp plain/$m.ko root/usr/lib/debug/$d/$m.dbg && objcopy --strip-debug "
		   "--add-gnu-debuglink=root/usr/lib/debug/$d/$m.dbg plain/$m.ko root/$d/$m.ko; "
		   "done; cp root/usr/lib/debug/$d/kvm-amd.dbg root/$d/; "
		   "rm root/usr/lib/debug/$d/kvm-amd.dbg");
	if (spt_layout_from_dwarf(&search, &host, &layout))
		fail_msg("%s%s", layout.missing.text, layout.doubt.text);
	assert_non_null(strstr(layout.graph[SPT_MODULE_KVM]->path, "debug/lib/modules/1.2.3"));
	assert_non_null(strstr(layout.graph[SPT_MODULE_AMD]->path, "root/lib/modules/1.2.3"));
	spt_layout_deinit(&layout);
}

/* A kernel built by hand, not stripped: the module itself has everything. */
static void an_installed_file_with_debug_information_is_taken(void **state)
{
	const struct spt_host host = { .vendor = SPT_VENDOR_SVM };
	const struct spt_debug_search search = { .release = "1.2.3", .root = layout_path("own") };

	make_debug_files("own/lib/modules/1.2.3/kernel/arch/x86/kvm", "");
	if (spt_layout_from_dwarf(&search, &host, &layout))
		fail_msg("%s%s", layout.missing.text, layout.doubt.text);
	spt_layout_deinit(&layout);
}

static void every_field_has_a_well_formed_path(void **state)
{
	for (unsigned int f = 0; f < SPT_F_COUNT; f++) {
		const char *path = spt_field_names[f].path;
		char name[128];

		assert_non_null(strchr("ROAITL", spt_field_names[f].need));
		assert_int_equal(strspn(path, "abcdefghijklmnopqrstuvwxyz_0123456789.|[]"),
				 strlen(path));
		spt_field_alternative(&spt_field_names[f], 0, name, sizeof(name));
		assert_null(strchr(name, '|'));
	}
	for (unsigned int s = 0; s < SPT_S_COUNT; s++)
		assert_true(spt_symbol_names[s].module < SPT_MODULE_COUNT);
}

/* The manual maps every old name to today's: none may be missing, none may be invented. */
static void every_old_name_has_its_history(void **state)
{
	for (unsigned int f = 0; f < SPT_F_COUNT; f++) {
		const struct spt_field_name *field = &spt_field_names[f];
		char today[128], name[128];
		unsigned int alternatives = 1;

		for (const char *p = field->path; *p; p++)
			alternatives += *p == '|';
		spt_field_alternative(field, 0, today, sizeof(today));
		for (unsigned int a = 1; a < alternatives; a++) {
			const struct spt_old_name *old;

			spt_field_alternative(field, a, name, sizeof(name));
			old = spt_old_name_find(field->type, name);
			if (!old || !old->today || strcmp(old->today, today) != 0)
				fail_msg(
					"struct %s: '%s' is '%s' today, and the history does not say so",
					field->type, name, today);
		}
	}
	for (size_t i = 0; spt_old_name(i); i++) {
		const struct spt_old_name *old = spt_old_name(i);

		assert_ptr_equal(spt_old_name_find(old->type, old->old), old);
		assert_true(!old->commit || strspn(old->commit, "0123456789abcdef") == 12);
		assert_true(!old->commit || strlen(old->commit) == 12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_names),
		cmocka_unit_test(oldest_names),
		cmocka_unit_test(a_required_member_that_is_missing_is_named),
		cmocka_unit_test(candidates_that_disagree_are_refused),
		cmocka_unit_test(a_kernel_without_btf_says_which_file_is_missing),
		cmocka_unit_test(dwarf_and_btf_say_the_same),
		cmocka_unit_test(no_debug_file_names_the_package),
		cmocka_unit_test(a_debug_file_of_another_build_is_refused),
		cmocka_unit_test(a_debug_file_is_found_by_build_id),
		cmocka_unit_test(a_debug_file_is_found_by_debuglink),
		cmocka_unit_test(an_installed_file_with_debug_information_is_taken),
		cmocka_unit_test(every_field_has_a_well_formed_path),
		cmocka_unit_test(every_old_name_has_its_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
