// SPDX-License-Identifier: GPL-2.0
/* Walks in words: the right words for each kind of entry, and some for every one there can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "guest.h"
#include "spt/explain.h"

/* What is said of the last entry of the walk of @gpa, by a VM in which @change was made. */
static void last_entry(const char *format, uint64_t spte, int level, const char *const *with,
		       const char *const *without)
{
	struct vm vm = vm_new(format);
	char text[SPT_EXPLAIN_TEXT];
	struct spt_walk walk;
	const struct spt_walk_path *path = &walk.path[0];

	mkimage_slot(vm.mk, 0, 0, 0, MK_GB, GUEST_HVA);
	mkimage_map(vm.mk, vm.root, 2 * MK_MB, level, spte);
	vm_load(&vm);
	spt_walk_gpa(&vm.model, 2 * MK_MB, &walk);
	spt_explain_entry(&vm.model, &path->level[path->nr_levels - 1], text);
	for (; *with; with++)
		if (!strstr(text, *with))
			fail_msg("'%s' does not say '%s'", text, *with);
	for (; *without; without++)
		if (strstr(text, *without))
			fail_msg("'%s' says '%s'", text, *without);
	vm_free(&vm);
}

#define SAYS(...)                                                                                  \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static void what_a_leaf_allows(void **state)
{
	struct mkimage *mk = mkimage_new("ept-6.12");
	const struct spt_format *f = mkimage_format(mk);
	uint64_t rwx = mkimage_leaf(mk, 0x40000000, 1, "rwx");

	last_entry("ept-6.12", rwx, 1,
		   SAYS("4K from 0x200000", "4K page", "run without KVM", "nothing is watched"),
		   SAYS("exits", "large"));
	last_entry("ept-6.12", rwx & ~f->write, 1,
		   SAYS("a write exits", "took W away", "without mmu_lock"), SAYS("not let it be"));
	last_entry("ept-6.12", rwx & ~f->write & ~f->mmu_writable, 1,
		   SAYS("a write exits", "page tables is watched"), SAYS("took W away"));
	last_entry("ept-6.12", rwx & ~(f->write | f->mmu_writable | f->host_writable), 1,
		   SAYS("a write exits", "host does not let it be written"), SAYS("watched"));
	last_entry("ept-6.12", rwx & ~f->exec, 1, SAYS("a fetch exits"), SAYS("a write"));
	last_entry("ept-6.12", mkimage_leaf(mk, 0x40000000, 2, "rwx"), 2, SAYS("large page"),
		   SAYS("4K page"));
	mkimage_free(mk);
}

static void entries_without_a_page(void **state)
{
	struct mkimage *mk = mkimage_new("ept-6.12");
	uint64_t frozen = mkimage_head(mk)->frozen_spte;
	uint64_t mmio = mkimage_mmio(mk, 2 * MK_MB, 3);
	uint64_t empty = mkimage_head(mk)->empty_spte;

	last_entry("ept-6.12", mmio, 1, SAYS("misconfiguration", "emulated"), SAYS("reserved"));
	last_entry("ept-6.12", frozen, 1, SAYS("try again", "replace or remove"), SAYS("emulated"));
	last_entry("ept-6.12", empty, 1, SAYS("exits to KVM", "never mapped"), SAYS("whole range"));
	last_entry("ept-6.12", empty, 2, SAYS("2M from", "no table for the whole range"),
		   SAYS("emulated"));
	mkimage_free(mk);
	mk = mkimage_new("npt-6.12");
	last_entry("npt-6.12", mkimage_mmio(mk, 2 * MK_MB, 3), 1, SAYS("reserved bits", "emulated"),
		   SAYS("misconfiguration", "instead"));
	mkimage_free(mk);
}

static void an_nx_split_and_a_lost_table(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_walk walk;
	char text[SPT_EXPLAIN_TEXT];
	unsigned int table;

	table = mkimage_map(vm.mk, vm.root, 0, 1, mkimage_leaf(vm.mk, 0x1000, 1, "rwx"));
	mkimage_page(vm.mk, table)->flags |= SPT_PAGE_NX_DISALLOWED;
	mkimage_map(vm.mk, vm.root, MK_GB, 2, mkimage_nonleaf(vm.mk, 0x7777000));
	vm_load(&vm);
	spt_walk_gpa(&vm.model, 0, &walk);
	assert_non_null(strstr(spt_explain_entry(&vm.model, &walk.path[0].level[2], text),
			       "fetched code (NX huge pages)"));
	assert_null(strstr(spt_explain_entry(&vm.model, &walk.path[0].level[1], text), "NX"));
	spt_walk_gpa(&vm.model, MK_GB, &walk);
	assert_non_null(strstr(spt_explain_entry(&vm.model, &walk.path[0].level[2], text),
			       "does not have that table"));
	vm_free(&vm);
}

/* The last entry of the walk of @gpa below the first root of @kind. */
static const char *last_below(const struct vm *vm, enum spt_root_kind kind, uint64_t gpa,
			      char text[SPT_EXPLAIN_TEXT])
{
	struct spt_walk walk;

	spt_walk_gpa(&vm->model, gpa, &walk);
	for (unsigned int i = 0; i < walk.nr_paths; i++) {
		const struct spt_walk_path *path = &walk.path[i];

		if (path->root && path->root->kind == kind)
			return spt_explain_entry(&vm->model, &path->level[path->nr_levels - 1],
						 text);
	}
	fail_msg("no way below a root of kind %d", kind);
	return NULL;
}

/* A TDX module's entries have none of KVM's bits, and nobody records accesses in their mirrors. */
static void the_two_of_a_private_page(void **state)
{
	struct vm vm = vm_new("ept-7.3");
	unsigned int mirror = mkimage_mirror_root(vm.mk, 4);
	char text[SPT_EXPLAIN_TEXT];

	mkimage_slot(vm.mk, 0, 0, 0, MK_GB, GUEST_HVA);
	mkimage_map(vm.mk, mirror, 0x1000, 1, mkimage_leaf(vm.mk, 0x40001000, 1, "rwx"));
	mkimage_externals(vm.mk, mirror);
	vm_load(&vm);
	last_below(&vm, SPT_ROOT_MIRROR, 0x1000, text);
	assert_non_null(strstr(text, "the host lets the page be written"));
	assert_null(strstr(text, "used since"));
	last_below(&vm, SPT_ROOT_EXTERNAL, 0x1000, text);
	assert_non_null(strstr(text, "4K page: reads, writes and fetches run without KVM"));
	assert_null(strstr(text, "KVM:"));
	vm_free(&vm);
}

/* Below a guest's large page the tables are direct, and what the guest allows is in their role. */
static void a_large_page_of_the_guest(void **state)
{
	static const struct {
		enum spt_root_kind kind;
		unsigned int access;
		const char *says, *lacks;
	} cases[] = {
		{ SPT_ROOT_SHADOW, 5, "the guest's own entry does not", "watched" },
		{ SPT_ROOT_SHADOW, 7, "page tables is watched", "own entry" },
		{ SPT_ROOT_NESTED, 5, "the guest's own entry does not", "watched" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vm vm = vm_new("shadow-6.12");
		unsigned int root = mkimage_shadow_root(vm.mk, 2, 0x801);
		unsigned int table = mkimage_table(vm.mk, 1, 0, true);
		const struct spt_format *f = mkimage_format(vm.mk);
		uint64_t spte = mkimage_leaf(vm.mk, 0x40005000, 1, "rx") & ~f->mmu_writable;
		struct spt_page *page = mkimage_page(vm.mk, table);
		char text[SPT_EXPLAIN_TEXT];

		page->role = mkimage_role(vm.mk, page->role, SPT_ROLE_ACCESS, cases[i].access);
		page = mkimage_page(vm.mk, root);
		page->role = mkimage_role(vm.mk, page->role, SPT_ROLE_GUEST_MODE,
					  cases[i].kind == SPT_ROOT_NESTED);
		mkimage_slot(vm.mk, 0, 0, 0, MK_GB, GUEST_HVA);
		mkimage_set(vm.mk, table, 5, spte | f->host_writable);
		mkimage_link(vm.mk, root, 0, table);
		vm_load(&vm);
		last_below(&vm, cases[i].kind, 0x5000, text);
		if (!strstr(text, cases[i].says) || strstr(text, cases[i].lacks))
			fail_msg("case %zu: %s", i, text);
		vm_free(&vm);
	}
}

/* No value of an entry, at no level and in no format, leaves one speechless. */
static void something_is_said_of_everything(void **state)
{
	static const char *const formats[] = { "ept-6.1", "ept-7.3",	"npt-6.1",
					       "npt-7.3", "shadow-6.1", "shadow-7.3" };
	char text[SPT_EXPLAIN_TEXT];

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct vm vm = vm_new(formats[i]);
		struct spt_node *node;
		uint64_t spte = 1;

		mkimage_table(vm.mk, 1, 0, true);
		vm_load(&vm);
		node = &vm.model.nodes[vm.model.nr_nodes - 1];
		for (unsigned int n = 0; n < 4096; n++) {
			struct spt_entry e = { .node = node, .spte = spte, .level = n % 5 + 1 };

			spte = spte * 6364136223846793005ULL + 1442695040888963407ULL;
			e.type = spt_spte_type(&vm.model.format, e.spte, e.level);
			spt_explain_entry(&vm.model, &e, text);
			assert_true(strlen(text) > 20 && strlen(text) < SPT_EXPLAIN_TEXT - 1);
		}
		vm_free(&vm);
	}
}

static void add(void *arg, const char *line)
{
	char *all = arg;

	assert_true(*line && !strchr(line, '\n'));
	strncat(all, line, 4095 - strlen(all));
	strncat(all, "|", 4095 - strlen(all));
}

static void the_evidence_of_a_verdict(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	char text[4096] = "";
	struct spt_walk walk;

	mkimage_slot(vm.mk, 3, 0, 0, MK_GB, GUEST_HVA)->flags = 2; /* read-only */
	mkimage_vm(vm.mk, SPT_VM_MMU_INVALIDATE_SEQ, 41);
	mkimage_end(vm.mk)->seq_end = 41;
	mkimage_map(vm.mk, vm.root, 0x5000, 1, mkimage_leaf(vm.mk, 0x40000000, 1, "r"));
	mkimage_host(vm.mk, 0x5000, GUEST_HVA + 0x5000, 1, 0x50000067, 0);
	vm_load(&vm);
	spt_walk_gpa(&vm.model, 0x5000, &walk);
	assert_int_equal(walk.verdict, SPT_VERDICT_STALE);
	spt_explain_walk(&vm.model, &walk, add, text);
	assert_non_null(strstr(text, "memslot 3"));
	assert_non_null(strstr(text, "read-only"));
	assert_non_null(strstr(text, "HPA 0x40000000"));
	assert_non_null(strstr(text, "HPA 0x50000000"));
	assert_non_null(strstr(text, "mmu_invalidate_seq 41"));
	assert_non_null(strstr(text, "a zap was missed"));
	vm_free(&vm);
}

static void every_verdict_has_a_meaning(void **state)
{
	char first[4096] = "";

	for (int v = SPT_VERDICT_COHERENT; v <= SPT_VERDICT_UNKNOWN; v++) {
		char text[4096] = "";

		spt_explain_verdict(v, add, text);
		assert_true(strlen(text) > 40);
		if (v == SPT_VERDICT_COHERENT)
			strcpy(first, text);
		else
			assert_string_not_equal(text, first);
	}
}

static void every_way_not_to_read_a_guest_table(void **state)
{
	struct spt_guest_walk w = { 0 };

	for (int read = 0; read < SPT_GUEST_READS; read++) {
		struct spt_guest_level l = { .read = read, .level = 2 };
		char text[SPT_EXPLAIN_TEXT];

		assert_true(strlen(spt_explain_guest(&w, &l, text)) > 20);
		assert_true(*spt_guest_read_name(read) && *spt_guest_read_text(read));
	}
}

static void who_raises_the_page_fault(void **state)
{
	struct spt_guest_level l = { .read = SPT_GUEST_READ, .level = 1 };
	struct spt_guest_walk w = { 0 };
	char text[SPT_EXPLAIN_TEXT];

	assert_non_null(strstr(spt_explain_guest(&w, &l, text), "KVM does not see it"));
	w.flags = SPT_GUEST_SHADOW;
	assert_non_null(strstr(spt_explain_guest(&w, &l, text), "passes the #PF on"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_leaf_allows),
		cmocka_unit_test(entries_without_a_page),
		cmocka_unit_test(an_nx_split_and_a_lost_table),
		cmocka_unit_test(the_two_of_a_private_page),
		cmocka_unit_test(a_large_page_of_the_guest),
		cmocka_unit_test(something_is_said_of_everything),
		cmocka_unit_test(the_evidence_of_a_verdict),
		cmocka_unit_test(every_verdict_has_a_meaning),
		cmocka_unit_test(every_way_not_to_read_a_guest_table),
		cmocka_unit_test(who_raises_the_page_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
