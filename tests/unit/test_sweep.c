// SPDX-License-Identifier: GPL-2.0
/* A sweep sees what the tree gives, in its order, on any number of threads. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "spt/entry.h"
#include "spt/sweep.h"
#include "vm.h"

/* What was seen, in order. */
struct seen {
	const struct spt_root_ref *root;
	const struct spt_node *node;
	uint64_t gpa, spte;
};

struct list {
	struct seen *at;
	size_t count, room;
};

static int append(struct list *list, struct seen what)
{
	if (list->count == list->room) {
		list->room = list->room ? list->room * 2 : 64;
		list->at = realloc(list->at, list->room * sizeof(*list->at));
		assert_non_null(list->at);
	}
	list->at[list->count++] = what;
	return 0;
}

struct state {
	struct list leaves, tables;
};

static int see_table(void *arg, void *state, const struct spt_sweep_table *t)
{
	struct state *s = state;

	if (t->parent) {
		uint64_t from = spt_sweep_address(t->parent, t->parent_index);

		if (t->base != from || t->parent->node->level != t->node->level + 1 ||
		    spt_node_entry(t->parent->node, t->parent_index) != t->parent_spte)
			return -EPROTO;
	}
	return append(&s->tables, (struct seen){ t->root, t->node, t->base, t->again });
}

static int see_entries(void *arg, void *state, const struct spt_sweep_table *t, unsigned int first,
		       unsigned int end)
{
	const struct spt_model *m = arg;
	struct spt_tree_frame at = { .node = t->node, .index = first, .end = end };
	struct state *s = state;
	uint64_t spte;

	while (spt_tree_step(&at, m->format.empty, &spte)) {
		uint64_t address = spt_sweep_address(t, at.index - 1);

		if (spt_entry_type(m, t->node, spte) == SPT_SPTE_NONPRESENT)
			continue;
		append(&s->leaves,
		       (struct seen){ t->root, t->node, spt_root_address(t->root, address), spte });
	}
	return 0;
}

static struct state merged;

static int merge(void *arg, void *state)
{
	struct state *s = state;

	for (size_t i = 0; i < s->leaves.count; i++)
		append(&merged.leaves, s->leaves.at[i]);
	for (size_t i = 0; i < s->tables.count; i++)
		append(&merged.tables, s->tables.at[i]);
	return 0;
}

static void drop(void *state)
{
	struct state *s = state;

	free(s->leaves.at);
	free(s->tables.at);
}

static const struct spt_sweep_ops ops = {
	.state_size = sizeof(struct state),
	.table = see_table,
	.entries = see_entries,
	.merge = merge,
	.drop = drop,
};

static int compare_seen(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct seen));
}

/* Sweep with @threads and compare with what the iterator gives. Returns entries seen. */
static size_t compare(const struct spt_model *m, const struct spt_root_ref *root, uint64_t start,
		      uint64_t len, unsigned int threads)
{
	struct spt_sweep sweep = {
		.model = m, .root = root, .start = start, .len = len, .threads = threads
	};
	struct spt_error err = { 0 };
	const struct spt_entry *e;
	struct spt_tree tree;
	struct list tables = { 0 };
	size_t leaves = 0, count;

	memset(&merged, 0, sizeof(merged));
	assert_int_equal(spt_sweep(&sweep, &ops, (void *)m, &err), 0);
	spt_tree_begin(&tree, m, root, start, len, 0);
	for (; (e = spt_tree_next(&tree));) {
		if (e->type == SPT_SPTE_TABLE && e->child) {
			append(&tables, (struct seen){ e->root, e->child, e->gpa, 0 });
			continue;
		}
		assert_true(leaves < merged.leaves.count);

		const struct seen *s = &merged.leaves.at[leaves++];

		assert_ptr_equal(s->root, e->root);
		assert_ptr_equal(s->node, e->node);
		assert_int_equal(s->gpa, e->gpa);
		assert_int_equal(s->spte, e->spte);
	}
	assert_int_equal(leaves, merged.leaves.count);

	/* The same tables, pre-order, and the roots' own. */
	count = 0;
	for (size_t i = 0; i < merged.tables.count; i++) {
		const struct seen *s = &merged.tables.at[i];

		if (s->node == s->root->node)
			continue;
		assert_true(count < tables.count);
		assert_ptr_equal(s->node, tables.at[count].node);
		assert_int_equal(spt_root_address(s->root, s->gpa), tables.at[count].gpa);
		count++;
	}
	assert_int_equal(count, tables.count);

	/* The first time of a table is where 'again' is false, once for each. */
	if (merged.tables.count)
		qsort(merged.tables.at, merged.tables.count, sizeof(struct seen), compare_seen);
	for (uint32_t n = 0; n < m->nr_nodes; n++) {
		unsigned int places = 0, firsts = 0;

		for (size_t i = 0; i < merged.tables.count; i++) {
			places += merged.tables.at[i].node == &m->nodes[n];
			firsts += merged.tables.at[i].node == &m->nodes[n] &&
				  !merged.tables.at[i].spte;
		}
		assert_int_equal(firsts, places ? 1 : 0);
	}
	free(tables.at);
	drop(&merged);
	return leaves;
}

static void compare_all(const struct spt_model *m, size_t least)
{
	static const unsigned int threads[] = { 1, 2, 7 };
	static const struct {
		uint64_t start, len;
	} range[] = { { 0x3000, 1 },
		      { 0x1ff000, 0x2000 },
		      { 0x40001000, 0x40000000 },
		      { 0x123456, 0x7654321 },
		      { ~0ULL - 0xfff, 0x1000 } };

	for (int i = 0; i < 3; i++) {
		assert_true(compare(m, NULL, 0, 0, threads[i]) >= least);
		for (size_t r = 0; r < sizeof(range) / sizeof(range[0]); r++)
			compare(m, NULL, range[r].start, range[r].len, threads[i]);
		for (uint32_t r = 0; r < m->nr_roots; r++) {
			compare(m, &m->roots[r], 0, 0, threads[i]);
			compare(m, &m->roots[r], range[2].start, range[2].len, threads[i]);
		}
	}
}

/* 4K, 2M and 1G leaves, MMIO and holes, mixed within tables. */
static void fill(struct vm *vm, unsigned int root, unsigned int seed)
{
	srand(seed);
	for (uint64_t gpa = 0; gpa < 4 * MK_GB;) {
		int level = gpa % MK_GB ? 2 : 3;
		uint64_t size;

		while (level > 1 && rand() % 4)
			level--;
		if (gpa & ((1ULL << (12 + 9 * (level - 1))) - 1))
			level = 1;
		size = 1ULL << (12 + 9 * (level - 1));
		if (rand() % 3)
			mkimage_map(
				vm->mk, root, gpa, level,
				rand() % 9 || level > 1
					? mkimage_leaf(vm->mk, 0x100000000ULL + gpa, level, "rwx")
					: mkimage_mmio(vm->mk, gpa, 1));
		gpa += level == 1 && rand() % 5 == 0 ? (2 * MK_MB) - gpa % (2 * MK_MB) : size;
	}
}

static void a_direct_tree_is_seen_as_the_iterator_gives_it(void **state)
{
	for (unsigned int seed = 0; seed < 4; seed++) {
		struct vm vm = vm_new(seed % 2 ? "ept-7.3" : "npt-6.12");

		fill(&vm, vm.root, seed);
		vm_load(&vm);
		compare_all(&vm.model, 1000);
		vm_free(&vm);
	}
}

static void several_roots_come_one_after_the_other(void **state)
{
	struct vm vm = vm_new("ept-7.3");
	unsigned int mirror = mkimage_mirror_root(vm.mk, 4);

	mkimage_vm(vm.mk, SPT_VM_GFN_DIRECT_BITS, 1ULL << (47 - 12));
	for (uint64_t gpa = 0; gpa < 64 * MK_MB; gpa += 0x5000) {
		mkimage_map(vm.mk, vm.root, gpa | 1ULL << 47, 1,
			    mkimage_leaf(vm.mk, 0x40000000 + gpa, 1, "rwx"));
		mkimage_map(vm.mk, mirror, gpa, 1, mkimage_leaf(vm.mk, 0x80000000 + gpa, 1, "rw"));
	}
	vm_load(&vm);
	assert_int_equal(vm.model.nr_roots, 2);
	compare_all(&vm.model, 1000);
	vm_free(&vm);
}

/* A table of the guest's kernel hangs below every root, a leaf table at two places of one. */
static void shadow_tables_may_hang_at_many_places(void **state)
{
	struct vm vm = vm_new("shadow-6.12");
	unsigned int leaves = mkimage_table(vm.mk, 1, 0x700, false);
	unsigned int level2 = mkimage_table(vm.mk, 2, 0x600, false);
	unsigned int level3 = mkimage_table(vm.mk, 3, 0x500, false);

	for (int i = 0; i < 512; i += 3)
		mkimage_set(vm.mk, leaves, i, mkimage_leaf(vm.mk, 0x40000000 + i * 0x1000, 1, "r"));
	mkimage_link(vm.mk, level2, 7, leaves);
	mkimage_link(vm.mk, level2, 400, leaves);
	mkimage_set(vm.mk, level2, 8, mkimage_leaf(vm.mk, 0x80000000, 2, "rwx"));
	mkimage_link(vm.mk, level3, 511, level2);
	for (int i = 0; i < 5; i++) {
		unsigned int root = mkimage_shadow_root(vm.mk, 4, 0x100 + i);

		mkimage_link(vm.mk, root, 511, level3);
		mkimage_link(vm.mk, root, i, level3);
		/* And one that leads nowhere, one that leads a level too far. */
		mkimage_set(vm.mk, root, 100, mkimage_nonleaf(vm.mk, 0x7ff000));
		mkimage_link(vm.mk, root, 101, level2);
	}
	vm_load(&vm);
	assert_int_equal(vm.model.nr_roots, 5);
	compare_all(&vm.model, 5 * 2 * (2 * 171 + 1));
	vm_free(&vm);
}

static void raw_roots_lead_to_their_tables(void **state)
{
	struct vm vm = vm_new("shadow-6.12");
	unsigned int raw = mkimage_raw(vm.mk, SPT_RAW_PAE_ROOT, 0);

	for (int i = 0; i < 4; i++) {
		unsigned int level2 = mkimage_table(vm.mk, 2, i << 18, true);
		unsigned int leaves = mkimage_table(vm.mk, 1, i << 18, true);

		mkimage_link(vm.mk, raw, i, level2);
		mkimage_link(vm.mk, level2, 0, leaves);
		for (int j = 0; j < 512; j++)
			mkimage_set(vm.mk, leaves, j,
				    mkimage_leaf(vm.mk, 0x40000000 + j * 0x1000, 1, "rwx"));
	}
	vm_load(&vm);
	assert_int_equal(vm.model.nr_roots, 1);
	compare_all(&vm.model, 4 * 512);
	vm_free(&vm);
}

static void a_missing_table_is_an_entry_of_the_one_above(void **state)
{
	struct vm vm = vm_new("npt-6.12");

	mkimage_map(vm.mk, vm.root, 0, 1, mkimage_leaf(vm.mk, 0x40000000, 1, "rwx"));
	mkimage_set(vm.mk, vm.root, 3, mkimage_nonleaf(vm.mk, 0x7ff000));
	vm_load(&vm);
	assert_int_equal(compare(&vm.model, NULL, 0, 0, 1), 2);
	assert_int_equal(compare(&vm.model, NULL, 0, 0, 3), 2);
	vm_free(&vm);
}

static int refuse(void *arg, void *state, const struct spt_sweep_table *t)
{
	return t->node->level == 1 ? 42 : 0;
}

static int cancel(void *arg, uint64_t done, uint64_t total)
{
	(*(unsigned int *)arg)++;
	return 1;
}

static void it_ends_when_it_is_told_to(void **state)
{
	static const struct spt_sweep_ops refusing = { .table = refuse }, willing = { 0 };
	struct vm vm = vm_new("npt-6.12");
	struct spt_error err = { 0 };
	unsigned int asked = 0;

	fill(&vm, vm.root, 1);
	vm_load(&vm);
	for (unsigned int threads = 1; threads < 4; threads++) {
		struct spt_sweep sweep = { .model = &vm.model, .threads = threads };

		assert_int_equal(spt_sweep(&sweep, &refusing, NULL, &err), 42);
		sweep.progress = cancel;
		sweep.progress_arg = &asked;
		assert_int_equal(spt_sweep(&sweep, &willing, NULL, &err), -EINTR);
		assert_non_null(strstr(err.text, "interrupted"));
	}
	assert_true(asked >= 3);
	vm_free(&vm);
}

/* Four tables, each in all places of the one above: a tree of 2^27 leaf tables. */
static void a_tree_without_end_is_refused(void **state)
{
	static const struct spt_sweep_ops willing = { 0 };
	struct vm vm = vm_new("shadow-6.12");
	unsigned int above = mkimage_shadow_root(vm.mk, 4, 0x100);
	struct spt_error err = { 0 };

	for (int level = 3; level; level--) {
		unsigned int table = mkimage_table(vm.mk, level, 0x200 + level, false);

		for (unsigned int i = 0; i < SPT_TABLE_ENTRIES; i++)
			mkimage_link(vm.mk, above, i, table);
		above = table;
	}
	vm_load(&vm);
	for (unsigned int threads = 1; threads < 4; threads++) {
		struct spt_sweep sweep = { .model = &vm.model, .threads = threads };

		assert_int_equal(spt_sweep(&sweep, &willing, NULL, &err), -ELOOP);
		assert_non_null(strstr(err.text, "no host has such"));
	}
	vm_free(&vm);
}

static void an_image_without_roots_is_swept_at_once(void **state)
{
	struct vm vm = { .mk = mkimage_new("npt-6.12") };

	spt_model_init(&vm.model);
	vm_load(&vm);
	assert_int_equal(compare(&vm.model, NULL, 0, 0, 2), 0);
	vm_free(&vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_direct_tree_is_seen_as_the_iterator_gives_it),
		cmocka_unit_test(several_roots_come_one_after_the_other),
		cmocka_unit_test(shadow_tables_may_hang_at_many_places),
		cmocka_unit_test(raw_roots_lead_to_their_tables),
		cmocka_unit_test(a_missing_table_is_an_entry_of_the_one_above),
		cmocka_unit_test(it_ends_when_it_is_told_to),
		cmocka_unit_test(a_tree_without_end_is_refused),
		cmocka_unit_test(an_image_without_roots_is_swept_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
