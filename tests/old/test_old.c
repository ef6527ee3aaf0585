// SPDX-License-Identifier: GPL-2.0
/*
 * The first TDX trees: their structures found by name in DWARF and in BTF, a VM in them read by
 * what was found, and its image understood.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "agent.h"
#include "decoders/role_layouts.h"
#include "kvm.h"
#include "reader.h"
#include "spt/model.h"
#include "spt/walk.h"
#include "tests/unit/layout_compile.h"
#include "vm.h"

#define OBJECTS                                                                                                    \
	"mkdir -p %s && gcc -c -g -ffile-prefix-map=$SRC/../old=tests/old %s -o %s/kvm.ko $SRC/../old/types.c && " \
	"gcc -c -g -ffile-prefix-map=$SRC/../old=tests/old -DVENDOR %s -o %s/kvm-intel.ko $SRC/../old/types.c"

static struct spt_layout layout;

/* The debug files of a kernel in directory @dir, and what is found in them. */
static void from_dwarf(const char *dir, const char *flags)
{
	const struct spt_host host = { .vendor = SPT_VENDOR_VMX };
	const char *dirs[] = { layout_path(dir), NULL };
	const struct spt_debug_search search = { .dirs = dirs, .release = "0.0-no-such-release" };

	layout_run(OBJECTS, dir, flags, dir, flags, dir);
	if (spt_layout_from_dwarf(&search, &host, &layout))
		fail_msg("%s%s", layout.missing.text, layout.doubt.text);
}

/* One member that must be found: by which of its names, and where the compiler has it. */
struct expected {
	enum spt_field_id id;
	const char *name;
	size_t offset, size;
};

#define MEMBER(id, type, path)                                                                     \
	{                                                                                          \
		SPT_F_##id, #path, offsetof(type, path), sizeof(((type *)0)->path)                 \
	}

static void assert_fields(const struct expected *e, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct spt_field_found *found = &layout.field[e[i].id];
		char name[64];

		if (found->state != SPT_FIELD_FOUND)
			fail_msg("%s is not found", spt_field_names[e[i].id].id);
		spt_field_alternative(&spt_field_names[e[i].id], found->field.alternative, name,
				      sizeof(name));
		assert_string_equal(name, e[i].name);
		assert_int_equal(found->field.bit_offset, e[i].offset * 8);
		assert_int_equal(found->field.bit_size, e[i].size * 8);
	}
}

static void every_old_name_is_found(void **state)
{
	static const struct expected expected[] = {
		MEMBER(KVM_VCPU_ARRAY, struct kvm, vcpus),
		MEMBER(KVM_INVALIDATE_SEQ, struct kvm, mmu_notifier_seq),
		MEMBER(KVM_INVALIDATE_IN_PROGRESS, struct kvm, mmu_notifier_count),
		MEMBER(KVM_INVALIDATE_START, struct kvm, mmu_notifier_range_start),
		MEMBER(KVM_GFN_DIRECT_BITS, struct kvm, arch.gfn_shared_mask),
		MEMBER(KVM_PRIVATE_MMU_PAGES, struct kvm, arch.private_mmu_pages),
		MEMBER(KVM_TDP_MMU_ENABLED, struct kvm, arch.tdp_mmu_enabled),
		MEMBER(KVM_N_USED_MMU_PAGES, struct kvm, arch.n_used_mmu_pages),
		MEMBER(SLOTS_USED, struct kvm_memslots, used_slots),
		MEMBER(SLOTS_ID_TO_INDEX, struct kvm_memslots, id_to_index),
		MEMBER(SLOT_GMEM_FILE, struct kvm_memory_slot, private_file),
		MEMBER(SLOT_GMEM_PGOFF, struct kvm_memory_slot, private_offset),
		MEMBER(SLOT_WRITE_TRACK, struct kvm_memory_slot, arch.gfn_track[0]),
		MEMBER(MMU_ROOT_HPA, struct kvm_mmu, root_hpa),
		MEMBER(MMU_ROOT_PGD, struct kvm_mmu, root_pgd),
		MEMBER(MMU_ROOT_ROLE, struct kvm_mmu, mmu_role.base),
		MEMBER(MMU_MIRROR_ROOT_HPA, struct kvm_mmu, private_root_hpa),
		MEMBER(SP_NX_DISALLOWED, struct kvm_mmu_page, lpage_disallowed),
		MEMBER(SP_NX_LINK, struct kvm_mmu_page, lpage_disallowed_link),
		MEMBER(SP_TRANSLATION, struct kvm_mmu_page, gfns),
		MEMBER(SP_GFN_STOLEN_BITS, struct kvm_mmu_page, gfn_stolen_bits),
		MEMBER(SP_EXTERNAL_SPT, struct kvm_mmu_page, private_sp),
	};

	from_dwarf("first", "");
	assert_fields(expected, sizeof(expected) / sizeof(expected[0]));
	assert_int_equal(layout.slots_form, SPT_SLOTS_ARRAY);
	assert_int_equal(layout.field[SPT_F_SLOTS_ARRAY].field.bit_offset,
			 8 * offsetof(struct kvm_memslots, memslots));
	assert_int_equal(layout.field[SPT_F_SLOTS_GFN_TREE].state, SPT_FIELD_NO_MEMBER);
	assert_int_equal(layout.field[SPT_F_ROLE_HAS_4_BYTE_GPTE].state, SPT_FIELD_NO_MEMBER);
	assert_int_equal(layout.field[SPT_F_ROLE_IS_MIRROR].state, SPT_FIELD_NO_MEMBER);
	spt_layout_deinit(&layout);
}

/* Bits have no offsetof(): set one at a time, the compiler says which it is. */
static void every_bit_of_the_old_role_is_found(void **state)
{
#define BIT_OF(id, member)                                                                         \
	{                                                                                          \
		SPT_F_ROLE_##id, ({                                                                \
			union kvm_mmu_page_role all = { .word = 0 };                               \
			all.member--;                                                              \
			all.word;                                                                  \
		})                                                                                 \
	}
	const struct {
		enum spt_field_id id;
		uint32_t mask;
	} bits[] = {
		BIT_OF(LEVEL, level),
		BIT_OF(GPTE_IS_8_BYTES, gpte_is_8_bytes),
		BIT_OF(QUADRANT, quadrant),
		BIT_OF(DIRECT, direct),
		BIT_OF(ACCESS, access),
		BIT_OF(INVALID, invalid),
		BIT_OF(EFER_NX, efer_nx),
		BIT_OF(CR0_WP, cr0_wp),
		BIT_OF(SMEP_ANDNOT_WP, smep_andnot_wp),
		BIT_OF(SMAP_ANDNOT_WP, smap_andnot_wp),
		BIT_OF(AD_DISABLED, ad_disabled),
		BIT_OF(GUEST_MODE, guest_mode),
		BIT_OF(SMM, smm),
	};

	from_dwarf("first", "");
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		const struct spt_layout_field *f = &layout.field[bits[i].id].field;

		assert_int_equal(f->flags, SPT_FIELD_PRESENT | SPT_FIELD_BITS);
		assert_int_equal(((1ULL << f->bit_size) - 1) << f->bit_offset, bits[i].mask);
	}
	spt_layout_deinit(&layout);
}

/* 'decode role --layout' reads the file, or has the layout itself. */
static void its_role_is_also_known_by_name(void **state)
{
	static const char *const names[][2] = { { "tdx-2021", "first/kvm.ko" },
						{ "tdx-2022", "later/kvm.ko" } };
	struct spt_role_layout file, known;
	struct spt_error e = { 0 };

	from_dwarf("first", "");
	spt_layout_deinit(&layout);
	from_dwarf("later", "-DKVM_LATER");
	spt_layout_deinit(&layout);
	for (int i = 0; i < 2; i++) {
		assert_true(spt_role_layout_by_name(names[i][0], &known));
		if (spt_role_layout_from_file(layout_path(names[i][1]), &file, &e))
			fail_msg("%s", e.text);
		assert_memory_equal(&file, &known, sizeof(file));
	}
	assert_string_equal(known.name[SPT_ROLE_IS_MIRROR], "private");
	assert_int_equal(spt_role_layout_from_file(layout_path("none"), &file, &e), -ENOENT);
	layout_run("echo 'int x;' >x.c && gcc -c -g -o x.o x.c");
	assert_int_equal(spt_role_layout_from_file(layout_path("x.o"), &file, &e), -ENOKEY);
	assert_non_null(strstr(e.text, "kvm_mmu_page_role"));
}

/* A role as today's kernel would write it, and which of today's bits nobody can know. */
static void an_old_role_is_put_in_todays_words(void **state)
{
	struct spt_role_layout old;
	uint32_t unknown;

	assert_true(spt_role_layout_by_name("tdx-2021", &old));
	/* l1 8-byte direct, access X and W, efer_nx, smep_andnot_wp */
	assert_int_equal(spt_role_word_today(&old, 1 | 1 << 4 | 1 << 7 | 3 << 8 | 1 << 12 | 1 << 14,
					     &unknown),
			 1 | 1 << 7 | (1 | 2 | 8) << 8 | 1 << 13);
	assert_int_equal(unknown, 1 << 18 | 1 << 19 | 1 << 20);
	/* A guest's 32-bit table, no access, of SMM */
	assert_int_equal(spt_role_word_today(&old, 2 | 1 << 24, &unknown),
			 2 | 1 << 4 | 1 << 8 | 1 << 24);
	assert_true(spt_role_layout_by_name("7.3", &old));
	assert_int_equal(spt_role_word_today(&old, 0x001fff95, &unknown), 0x001fff95);
	assert_int_equal(unknown, 0);
}

/* Memslots in a tree already, the private half a bit of the role. */
static void the_later_tree_is_told_from_the_first(void **state)
{
	from_dwarf("later", "-DKVM_LATER");
	assert_int_equal(layout.slots_form, SPT_SLOTS_TREE);
	assert_int_equal(layout.field[SPT_F_SLOTS_ARRAY].state, SPT_FIELD_NO_MEMBER);
	assert_int_equal(layout.field[SPT_F_KVM_VCPU_ARRAY].field.alternative, 0);
	assert_int_equal(layout.field[SPT_F_MMU_ROOT_HPA].field.alternative, 0);
	assert_int_equal(layout.field[SPT_F_ROLE_IS_MIRROR].field.alternative, 2);
	assert_int_equal(layout.field[SPT_F_ROLE_IS_MIRROR].field.bit_offset, 19);
	assert_int_equal(layout.field[SPT_F_SP_GFN_STOLEN_BITS].state, SPT_FIELD_NO_MEMBER);
	assert_int_equal(layout.field[SPT_F_SP_EXTERNAL_SPT].field.alternative, 2);
	spt_layout_deinit(&layout);
}

static void btf_says_the_same(void **state)
{
	static struct spt_layout btf;
	bool differs[SPT_F_COUNT];

	if (!layout_have("pahole"))
		skip();
	from_dwarf("first", "");
	layout_run("gcc -c -gdwarf-4 -o k.o $SRC/../old/types.c && "
		   "gcc -c -gdwarf-4 -DVENDOR -o i.o $SRC/../old/types.c && mkdir -p btf && "
		   "pahole --btf_encode_detached=btf/vmlinux k.o && "
		   "pahole --btf_base=btf/vmlinux --btf_encode_detached=btf/kvm k.o && "
		   "pahole --btf_base=btf/vmlinux --btf_encode_detached=btf/kvm_intel i.o");
	if (spt_layout_from_btf(layout_path("btf"), SPT_VENDOR_VMX, &btf))
		fail_msg("%s%s", btf.missing.text, btf.doubt.text);
	assert_int_equal(spt_layout_compare(&btf, &layout, differs), 0);
	assert_int_equal(btf.slots_form, SPT_SLOTS_ARRAY);
	spt_layout_deinit(&btf);
	spt_layout_deinit(&layout);
}

/* What the agent answers when it is given this layout. */
static void assert_agent_refuses(const char *reason)
{
	static struct spt_layout_blob blob;
	struct spt_kallsym symbol[SPT_S_COUNT] = { 0 };
	struct spt_host host = { .vendor = SPT_VENDOR_VMX, .release = "5.13.0-tdx" };
	char text[200];

	for (unsigned int s = 0; s < SPT_S_COUNT; s++)
		symbol[s].address = 0xffffffff81000000ULL + s * 8;
	spt_layout_blob_fill(&layout, &host, symbol, &blob);
	assert_int_equal(old_agent_check(&blob, text, sizeof(text)), -EOPNOTSUPP);
	if (!strstr(text, reason))
		fail_msg("'%s' does not say '%s'", text, reason);
}

static void the_agent_refuses_both_and_says_why(void **state)
{
	from_dwarf("first", "");
	assert_agent_refuses("too old: it keeps memslots in a sorted array");
	spt_layout_deinit(&layout);
	from_dwarf("later", "-DKVM_LATER");
	assert_agent_refuses("too old: it keeps private memory in files of its own kind");
	/* Each of the reasons by itself. */
	layout.field[SPT_F_SLOT_GMEM_PGOFF].field.flags = 0;
	assert_agent_refuses("guest frames without their access bits");
	layout.field[SPT_F_SP_TRANSLATION].field.flags = 0;
	assert_agent_refuses("private_sp");
	layout.field[SPT_F_KVM_VCPU_ARRAY].field.alternative = 1;
	assert_agent_refuses("vCPUs in an array");
	spt_layout_deinit(&layout);
}

/* A VM of this program, read by the layout and loaded. */
struct old_vm {
	struct mkimage *mk;
	struct spt_model model;
};

static void load_from(struct old_vm *vm, const char *dir, const char *flags, const void *kvm,
		      uint64_t (*hpa_of)(const void *va))
{
	struct spt_error err = { 0 };
	struct spt_image img;
	uint8_t *image;
	size_t len;

	from_dwarf(dir, flags);
	vm->mk = old_read(&layout, kvm, hpa_of);
	spt_layout_deinit(&layout);
	image = mkimage_finish(vm->mk, &len);
	spt_model_init(&vm->model);
	if (spt_image_open(&img, image, len, "old", 0, &err) ||
	    spt_model_load(&vm->model, &img, &err))
		fail_msg("%s", err.text);
}

static void load(struct old_vm *vm, const void *kvm)
{
	load_from(vm, "first", "", kvm, old_vm_hpa);
}

static void load_later(struct old_vm *vm)
{
	load_from(vm, "later", "-DKVM_LATER", later_vm_td(), later_vm_hpa);
}

static void unload(struct old_vm *vm)
{
	spt_model_deinit(&vm->model);
	mkimage_free(vm->mk);
}

static const struct spt_root_ref *root_of(const struct old_vm *vm, enum spt_root_kind kind)
{
	for (uint32_t i = 0; i < vm->model.nr_roots; i++)
		if (vm->model.roots[i].kind == kind)
			return &vm->model.roots[i];
	fail_msg("no %s root", spt_root_kind_name(kind));
	return NULL;
}

static uint64_t leaf_hpa(const struct old_vm *vm, const struct spt_root_ref *root, uint64_t gpa)
{
	struct spt_walk walk;

	spt_walk_gpa(&vm->model, gpa, &walk);
	for (unsigned int i = 0; i < walk.nr_paths; i++)
		if (walk.path[i].root == root)
			return walk.path[i].hpa;
	return SPT_NO_HPA;
}

/* Two roots, what they map, and by what private tables are known. */
static void assert_td(const struct old_vm *vm)
{
	const struct spt_root_ref *shared, *private;

	assert_string_equal(spt_model_vm_type(&vm->model), "tdx");
	assert_int_equal(vm->model.nr_roots, 2);
	shared = root_of(vm, SPT_ROOT_DIRECT);
	private = root_of(vm, SPT_ROOT_MIRROR);
	assert_int_equal(shared->gpa_bits, OLD_SHARED);
	assert_int_equal(private->gpa_bits, 0);
	assert_int_equal(shared->level, 4);
	assert_int_equal(spt_vcpu_uses(&vm->model.vcpus[0], shared), SPT_USE_CURRENT);
	assert_int_equal(spt_vcpu_uses(&vm->model.vcpus[0], private), SPT_USE_MIRROR);

	assert_int_equal(leaf_hpa(vm, private, OLD_PRIVATE_GPA), OLD_PRIVATE_HPA);
	assert_int_equal(leaf_hpa(vm, private, OLD_PRIVATE2M_GPA + 0x5123),
			 OLD_PRIVATE2M_HPA + 0x5123);
	assert_int_equal(leaf_hpa(vm, shared, OLD_SHARED | OLD_SHARED_GPA), OLD_SHARED_HPA);
	assert_int_equal(leaf_hpa(vm, shared, OLD_SHARED | OLD_PRIVATE_GPA), SPT_NO_HPA);
	/* The root's marker is no page; the tables below have pages. */
	for (uint32_t i = 0; i < vm->model.nr_nodes; i++) {
		const struct spt_node *node = &vm->model.nodes[i];

		assert_int_equal(node->page->external != 0, node->mirror && node->level < 4);
	}
}

static void assert_memslots(const struct old_vm *vm)
{
	const struct spt_memslot *slot;

	assert_int_equal(vm->model.memslots.count, 2);
	slot = spt_memslot_find(&vm->model.memslots, 0, OLD_PRIVATE_GPA >> 12);
	assert_non_null(slot);
	assert_int_equal(slot->slot->id, 0);
	assert_int_equal(slot->slot->hva, OLD_SLOT0_HVA);
	assert_int_equal(slot->slot->gmem_pgoff, OLD_PRIVATE_OFF / 4096);
	assert_int_not_equal(slot->slot->gmem_file, 0);
	assert_int_equal(slot->slot->generation, 4);
	slot = spt_memslot_find(&vm->model.memslots, 0, OLD_SLOT1_GPA >> 12);
	assert_non_null(slot);
	assert_int_equal(slot->slot->id, 3);
	assert_int_equal(slot->slot->npages, OLD_SLOT1_SIZE / 4096);
	assert_int_equal(slot->slot->gmem_file, 0);
	assert_null(spt_memslot_find(&vm->model.memslots, 0, OLD_SLOT0_SIZE >> 12));
}

/* Told by gfn_stolen_bits, on lists of its own; slots in an array. */
static void a_td_has_its_two_halves(void **state)
{
	struct old_vm vm;

	load(&vm, old_vm_td());
	assert_int_equal(vm.model.image.head.tdp_mmu, 0);
	assert_td(&vm);
	assert_memslots(&vm);
	unload(&vm);
}

/* Told by a bit of the role, in the TDP MMU; slots in a tree, vCPUs in an xarray. */
static void so_has_one_of_the_later_trees(void **state)
{
	struct old_vm vm;

	load_later(&vm);
	assert_int_equal(vm.model.image.head.tdp_mmu, 1);
	assert_td(&vm);
	assert_memslots(&vm);
	for (uint32_t i = 0; i < vm.model.nr_nodes; i++) {
		const struct spt_node *node = &vm.model.nodes[i];

		assert_true(node->page->flags & SPT_PAGE_TDP_MMU);
		assert_int_equal(node->page->role >> 19 & 1, node->mirror);
		assert_int_equal(!node->page->parent, node->level == 4);
	}
	unload(&vm);
}

static void gfns_translate_without_access(void **state)
{
	const struct spt_root_ref *nested;
	struct spt_walk walk;
	struct old_vm vm;
	bool seen = false;
	uint64_t gpa;
	unsigned int access;

	load(&vm, old_vm_nested());
	assert_int_equal(vm.model.gpa_bits, 0);
	nested = root_of(&vm, SPT_ROOT_NESTED);
	assert_int_equal(leaf_hpa(&vm, root_of(&vm, SPT_ROOT_DIRECT), OLD_PLAIN_GPA),
			 OLD_PLAIN_HPA);
	spt_walk_gpa(&vm.model, OLD_PLAIN_GPA, &walk);
	for (unsigned int i = 0; i < walk.nr_paths; i++)
		seen |= walk.path[i].root == nested && walk.path[i].hpa == OLD_PLAIN_HPA;
	assert_true(seen);
	for (uint32_t i = 0; i < vm.model.nr_nodes; i++) {
		const struct spt_node *node = &vm.model.nodes[i];

		if (node->direct || node->level != 1)
			continue;
		assert_true(spt_node_translation(node, OLD_L2_GPA >> 12, &gpa, &access));
		assert_int_equal(gpa, OLD_PLAIN_GPA);
		assert_int_equal(access, ~0U);
		assert_false(spt_role_4_byte_gpte(vm.model.format.role, node->page->role));
	}
	unload(&vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_old_name_is_found),
		cmocka_unit_test(every_bit_of_the_old_role_is_found),
		cmocka_unit_test(its_role_is_also_known_by_name),
		cmocka_unit_test(an_old_role_is_put_in_todays_words),
		cmocka_unit_test(the_later_tree_is_told_from_the_first),
		cmocka_unit_test(btf_says_the_same),
		cmocka_unit_test(the_agent_refuses_both_and_says_why),
		cmocka_unit_test(a_td_has_its_two_halves),
		cmocka_unit_test(so_has_one_of_the_later_trees),
		cmocka_unit_test(gfns_translate_without_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
