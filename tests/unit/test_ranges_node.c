// SPDX-License-Identifier: GPL-2.0
/* NUMA nodes of pages, and ranges that they keep apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spt/ranges_node.h"
#include "vm.h"

#define HPA  0x40000000ULL
#define HUGE 0x80000000ULL
#define HVA  0x7f0000000000ULL
#define PAGE 0x1000ULL

/* A host with node 0 below @border, node 1 from there on. */
static void two_nodes(struct spt_numa *numa, struct spt_numa_span span[2], uint64_t border)
{
	span[0] = (struct spt_numa_span){ 0, border, 0 };
	span[1] = (struct spt_numa_span){ border, 0x100000000, 1 };
	*numa = (struct spt_numa){ .span = span, .count = 2 };
}

static unsigned int map(struct mkimage *mk, unsigned int root, uint64_t gpa, uint64_t hpa)
{
	return mkimage_map(mk, root, gpa, 1, mkimage_leaf(mk, hpa, 1, "rwx"));
}

struct want {
	uint64_t gpa, size;
	int node;
};

static void check_ranges(struct vm *vm, const struct spt_numa *numa, unsigned int splits,
			 const struct want *want, size_t count)
{
	const struct spt_nodes nodes = { &vm->model, numa };
	struct spt_node_ranges ranges;
	struct spt_node_range found;

	spt_node_ranges_begin(&ranges, &nodes, &vm->model.roots[0], 0, ~0ULL, splits);
	for (size_t i = 0; i < count; i++) {
		assert_true(spt_node_ranges_next(&ranges, &found));
		assert_int_equal(found.range.gpa, want[i].gpa);
		assert_int_equal(found.range.size, want[i].size);
		assert_int_equal(found.range.pages * found.range.page_size, want[i].size);
		assert_int_equal(found.node, want[i].node);
	}
	assert_false(spt_node_ranges_next(&ranges, &found));
}

#define CHECK(vm, numa, splits, ...)                                                               \
	check_ranges(vm, numa, splits, (const struct want[]){ __VA_ARGS__ },                       \
		     sizeof((const struct want[]){ __VA_ARGS__ }) / sizeof(struct want))

/* Contiguous memory is cut where the node changes; scattered memory of one node is one range. */
static void where_the_node_changes(void **state)
{
	struct spt_numa_span span[2];
	struct spt_numa numa;
	struct vm vm = vm_new("npt-6.12");
	unsigned int root = vm.root;

	for (unsigned int i = 0; i < 8; i++)
		map(vm.mk, root, i * PAGE, HPA + i * PAGE);
	map(vm.mk, root, 8 * PAGE, HPA + 64 * PAGE);
	map(vm.mk, root, 9 * PAGE, HPA + 32 * PAGE);
	map(vm.mk, root, 10 * PAGE, HPA - 32 * PAGE);
	mkimage_slot(vm.mk, 0, 0, 0, 64 * PAGE, HVA);
	vm_load(&vm);
	two_nodes(&numa, span, HPA + 3 * PAGE);
	CHECK(&vm, &numa, SPT_SPLIT_LEVEL, { 0, 3 * PAGE, 0 }, { 3 * PAGE, 7 * PAGE, 1 },
	      { 10 * PAGE, PAGE, 0 });
	CHECK(&vm, &numa, 0, { 0, 3 * PAGE, 0 }, { 3 * PAGE, 5 * PAGE, 1 }, { 8 * PAGE, PAGE, 1 },
	      { 9 * PAGE, PAGE, 1 }, { 10 * PAGE, PAGE, 0 });
	two_nodes(&numa, span, HPA + 65 * PAGE);
	CHECK(&vm, &numa, SPT_SPLIT_LEVEL, { 0, 11 * PAGE, 0 });
	vm_free(&vm);
}

/* What the pieces of a cut range say of themselves is what their entries say. */
static void pieces_know_their_frames(void **state)
{
	struct spt_nodes nodes;
	struct spt_numa_span span[2];
	struct spt_node_ranges ranges;
	struct spt_node_range found;
	struct spt_numa numa;
	struct vm vm = vm_new("npt-6.12");
	unsigned int root = vm.root;

	for (unsigned int i = 0; i < 4; i++)
		map(vm.mk, root, i * PAGE, HPA + i * PAGE);
	vm_load(&vm);
	two_nodes(&numa, span, HPA + PAGE);
	nodes = (struct spt_nodes){ &vm.model, &numa };
	spt_node_ranges_begin(&ranges, &nodes, &vm.model.roots[0], 0, ~0ULL, 0);
	assert_true(spt_node_ranges_next(&ranges, &found));
	assert_int_equal(found.range.hpa_end, HPA + PAGE);
	assert_true(spt_node_ranges_next(&ranges, &found));
	assert_int_equal(found.range.hpa, HPA + PAGE);
	assert_int_equal(found.range.hpa_end, HPA + 4 * PAGE);
	assert_int_equal(found.range.first_spte, mkimage_leaf(vm.mk, HPA + PAGE, 1, "rwx"));
	assert_int_equal(found.range.last_spte, mkimage_leaf(vm.mk, HPA + 3 * PAGE, 1, "rwx"));
	assert_true(found.range.hpa_contiguous);
	vm_free(&vm);
}

/* No zone border can be there; if one is, the page has no node, and its neighbours have theirs. */
static void a_page_across_the_border(void **state)
{
	struct spt_numa_span span[2];
	struct spt_numa numa;
	struct vm vm = vm_new("npt-6.12");
	unsigned int root = vm.root;

	for (unsigned int i = 0; i < 3; i++)
		mkimage_map(vm.mk, root, i * 2 * MK_MB, 2,
			    mkimage_leaf(vm.mk, HUGE + i * 2 * MK_MB, 2, "rwx"));
	vm_load(&vm);
	two_nodes(&numa, span, HUGE + 3 * MK_MB);
	CHECK(&vm, &numa, 0, { 0, 2 * MK_MB, 0 }, { 2 * MK_MB, 2 * MK_MB, SPT_NO_NODE },
	      { 4 * MK_MB, 2 * MK_MB, 1 });
	vm_free(&vm);
}

static uint32_t on_node(int node)
{
	return SPT_HOST_RUN_WRITABLE | (uint32_t)(node + 1) << SPT_HOST_RUN_NODE_SHIFT;
}

/* An image says it of what the host had there; of frames that KVM alone has it says nothing. */
static void nodes_of_an_image(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	unsigned int root = vm.root;
	struct spt_nodes nodes;
	struct spt_frames frames = { .gpa = PAGE, .hpa = HPA + PAGE, .size = PAGE };

	for (unsigned int i = 0; i < 6; i++)
		map(vm.mk, root, i * PAGE, HPA + i * PAGE);
	map(vm.mk, root, 6 * PAGE, HUGE);
	mkimage_slot(vm.mk, 0, 0, 0, 64 * PAGE, HVA);
	mkimage_host_run(vm.mk, 0, 2, HPA, 1, on_node(1));
	/* The same node, and another run for another reason. */
	mkimage_host_run(vm.mk, 2, 1, HPA + 2 * PAGE, 1, on_node(1) & ~SPT_HOST_RUN_WRITABLE);
	mkimage_host_run(vm.mk, 3, 1, HPA + 3 * PAGE, 1, on_node(0));
	mkimage_host_run(vm.mk, 5, 1, HPA + 5 * PAGE, 1, on_node(0));
	mkimage_host_run(vm.mk, 6, 1, HUGE + PAGE, 1, on_node(0));
	vm_load(&vm);
	CHECK(&vm, NULL, SPT_SPLIT_LEVEL, { 0, 3 * PAGE, 1 }, { 3 * PAGE, PAGE, 0 },
	      { 4 * PAGE, PAGE, SPT_NO_NODE }, { 5 * PAGE, PAGE, 0 },
	      { 6 * PAGE, PAGE, SPT_NO_NODE });
	nodes = (struct spt_nodes){ &vm.model, NULL };
	frames.slot = &vm.model.memslots.slots[0];
	assert_int_equal(spt_node_of(&nodes, &frames), 1);
	frames.size = 3 * PAGE; /* to the one on node 0 */
	assert_int_equal(spt_node_of(&nodes, &frames), SPT_NO_NODE);
	frames.slot = NULL;
	assert_int_equal(spt_node_of(&nodes, &frames), SPT_NO_NODE);
	vm_free(&vm);
}

static void what_maps_nothing_has_no_node(void **state)
{
	struct spt_numa_span span[2];
	struct spt_numa numa;
	struct vm vm = vm_new("npt-6.12");
	unsigned int root = vm.root;

	map(vm.mk, root, 0, HPA);
	mkimage_map(vm.mk, root, PAGE, 1, mkimage_mmio(vm.mk, PAGE, 3));
	vm_load(&vm);
	two_nodes(&numa, span, PAGE);
	CHECK(&vm, &numa, SPT_SPLIT_LEVEL, { 0, PAGE, 1 }, { PAGE, PAGE, SPT_NO_NODE });
	vm_free(&vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_the_node_changes),
		cmocka_unit_test(pieces_know_their_frames),
		cmocka_unit_test(a_page_across_the_border),
		cmocka_unit_test(nodes_of_an_image),
		cmocka_unit_test(what_maps_nothing_has_no_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
