// SPDX-License-Identifier: GPL-2.0
/* Blocks of a guest, and why they are not mapped by huge pages: the bulk question. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "spt/huge_share.h"
#include "spt/lpage.h"
#include "vm.h"

#define HVA	   0x7f0000000000ULL
#define HPA	   0x40000000ULL
#define BIT(cause) SPT_CAUSE_BIT(SPT_CAUSE_##cause)

static void causes_are(struct spt_huge *h, uint64_t gpa, int level, uint64_t expected)
{
	uint64_t causes = spt_huge_causes(h, gpa, level, NULL);

	for (int i = 0; causes != expected && i < SPT_CAUSE_COUNT; i++)
		if ((causes ^ expected) >> i & 1)
			fail_msg("GPA 0x%lx: %s '%s'", (unsigned long)gpa,
				 causes >> i & 1 ? "falsely" : "not", spt_causes[i].name);
}

/* 16 slots' worth of blocks in one: each block of 2M has one thing against it. */
static struct vm vm_of_blocks(void)
{
	struct vm vm = vm_new("npt-6.12");

	mkimage_slot(vm.mk, 0, 0, 0x1000, 32 * MK_MB - 0x1000, HVA + 0x1000);
	mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 0, 512, 1);		      /* edge */
	mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 512, 512, SPT_LPAGE_MIXED_FLAG); /* 2M */
	mkimage_run(vm.mk, SPT_RUN_LPAGE_2M, 1024, 1024, 1);		      /* 4M, 6M */
	mkimage_run(vm.mk, SPT_RUN_WRITE_TRACK, 1030, 1, 1);
	mkimage_run(vm.mk, SPT_RUN_ATTRS, 600, 8, 8);
	mkimage_host_run(vm.mk, 1, 2047, HPA + 0x1000, 2, 0);
	mkimage_host_run(vm.mk, 2048, 512, HPA + 8 * MK_MB, 1, 0);	   /* 8M: one piece */
	mkimage_host_run(vm.mk, 2560, 512, HPA + 10 * MK_MB + 4096, 1, 0); /* 10M */
	mkimage_host_run(vm.mk, 3072, 100, HPA + 12 * MK_MB, 1, 0);	   /* 12M: parts */
	mkimage_host_run(vm.mk, 3172, 412, HPA + 32 * MK_MB, 1, 0);
	mkimage_host_run(vm.mk, 3584, 512, HPA + 14 * MK_MB, 1, SPT_HOST_RUN_ZERO);
	mkimage_host_run(vm.mk, 4608, 512, HPA + 18 * MK_MB, 2, 0); /* 18M; 16M: nothing */
	vm_load(&vm);
	return vm;
}

static const struct {
	uint64_t gpa, causes;
} blocks[] = {
	{ 0x1000, BIT(SLOT_EDGE) },
	{ 2 * MK_MB, BIT(MIXED_ATTRS) },
	{ 4 * MK_MB, BIT(WRITE_TRACK_SIZE) },
	{ 6 * MK_MB, BIT(DISALLOW) },
	{ 8 * MK_MB, BIT(HOST_SPLIT) },
	{ 10 * MK_MB, BIT(HOST_SMALLER) },
	{ 12 * MK_MB, BIT(HOST_SMALLER) },
	{ 14 * MK_MB, BIT(HOST_SPECIAL) },
	{ 16 * MK_MB, BIT(HOST_GONE) },
	{ 18 * MK_MB, BIT(STALE_SIZE) },
	{ 64 * MK_MB, 0 },
};

#define BLOCKS (sizeof(blocks) / sizeof(blocks[0]))

static void in_any_order(void **state)
{
	struct vm vm = vm_of_blocks();
	struct spt_huge huge;

	spt_huge_begin(&huge, &vm.model, 0);
	for (size_t i = 0; i < BLOCKS; i++)
		causes_are(&huge, blocks[i].gpa, 2, blocks[i].causes);
	for (size_t i = BLOCKS; i-- > 0;)
		causes_are(&huge, blocks[i].gpa + 0x3000, 2, blocks[i].causes);
	for (size_t i = 0; i < BLOCKS * 7; i++)
		causes_are(&huge, blocks[i * 5 % BLOCKS].gpa, 2, blocks[i * 5 % BLOCKS].causes);
	/* Nothing of it makes 1G, and the slot does not have that much. */
	assert_true(spt_huge_causes(&huge, 18 * MK_MB, 3, NULL) & BIT(SLOT_EDGE));
	vm_free(&vm);
}

static void by_slot_and_table(void **state)
{
	struct vm vm = vm_new("ept-6.12");
	const struct spt_node *table;
	struct spt_huge huge;
	unsigned int nr;

	mkimage_slot(vm.mk, 0, 0, 0, 4 * MK_MB, HVA)->flags = SPT_SLOT_LOG_DIRTY;
	mkimage_host_run(vm.mk, 0, 1024, HPA, 2, 0);
	mkimage_slot(vm.mk, 1, 0, 4 * MK_MB, 4 * MK_MB, HVA + 0x5000);
	mkimage_host_run(vm.mk, 1024, 1024, HPA, 2, 0);
	mkimage_slot(vm.mk, 2, 0, 8 * MK_MB, 4 * MK_MB, HVA);
	mkimage_host_run(vm.mk, 2048, 1024, HPA, 2, 0);
	mkimage_slot(vm.mk, 3, 0, 16 * MK_MB, 4 * MK_MB, HVA)->flags = SPT_SLOT_GMEM_ONLY;
	mkimage_slot(vm.mk, 9, 1, 0, 4 * MK_MB, HVA);
	nr = mkimage_map(vm.mk, vm.root, 8 * MK_MB, 1, mkimage_leaf(vm.mk, HPA, 1, "rwx"));
	mkimage_page(vm.mk, nr)->flags |= SPT_PAGE_NX_DISALLOWED;
	vm_load(&vm);
	table = spt_node_find(&vm.model, mkimage_table_hpa(vm.mk, nr));
	assert_non_null(table);

	spt_huge_begin(&huge, &vm.model, 0);
	causes_are(&huge, 0, 2, BIT(DIRTY_LOG));
	causes_are(&huge, 4 * MK_MB, 2, BIT(MISALIGNED));
	causes_are(&huge, 8 * MK_MB, 2, BIT(STALE_SIZE));
	assert_int_equal(spt_huge_causes(&huge, 8 * MK_MB, 2, table), BIT(NX_SPLIT));
	causes_are(&huge, 16 * MK_MB, 2, BIT(GMEM_ORDER));
	causes_are(&huge, 12 * MK_MB, 2, 0);
	/* SMM's slot of the same addresses is another one, and the host's runs know nothing of it.
	 */
	spt_huge_begin(&huge, &vm.model, 1);
	causes_are(&huge, 0, 2, BIT(HOST_GONE));
	vm_free(&vm);
}

static void without_host(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_huge huge;

	mkimage_slot(vm.mk, 0, 0, 0, 4 * MK_MB, HVA);
	mkimage_slot(vm.mk, 1, 0, 4 * MK_MB, 4 * MK_MB, HVA)->flags = SPT_SLOT_LOG_DIRTY;
	vm_load(&vm);
	spt_huge_begin(&huge, &vm.model, 0);
	causes_are(&huge, 0, 2, BIT(HOST_UNKNOWN));
	causes_are(&huge, 4 * MK_MB, 2, BIT(DIRTY_LOG));
	vm_free(&vm);
}

static void shares(void **state)
{
	static struct spt_huge_share one, all;

	spt_huge_share_add(&one, 1, 8192, BIT(DIRTY_LOG) | BIT(HOST_SMALLER));
	spt_huge_share_add(&one, 2, MK_MB, BIT(SLOT_EDGE));
	spt_huge_share_add(&one, 3, MK_GB, 0);
	spt_huge_share_merge(&all, &one);
	spt_huge_share_merge(&all, &one);
	assert_int_equal(all.bytes[1], 16384);
	assert_int_equal(all.bytes[3], 2 * MK_GB);
	assert_int_equal(all.decided[1][SPT_CAUSE_DIRTY_LOG], 16384);
	assert_int_equal(all.decided[1][SPT_CAUSE_HOST_SMALLER], 0);
	assert_int_equal(all.held[1][SPT_CAUSE_HOST_SMALLER], 16384);
	assert_int_equal(all.decided[2][SPT_CAUSE_SLOT_EDGE], 2 * MK_MB);
	assert_int_equal(spt_huge_decides(0), SPT_CAUSE_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_any_order),
		cmocka_unit_test(by_slot_and_table),
		cmocka_unit_test(without_host),
		cmocka_unit_test(shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
