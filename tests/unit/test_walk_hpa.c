// SPDX-License-Identifier: GPL-2.0
/* From a host page back to the guest's addresses, and to the entry that leads to a table. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "spt/walk_hpa.h"
#include "vm.h"

#define HVA 0x7f0000000000ULL

struct found {
	struct spt_source *src;
	struct spt_reverse reverse;
	struct spt_error err;
};

static int find(struct vm *vm, struct found *f, uint64_t hpa)
{
	struct spt_sweep sweep = { .threads = 1 };
	uint8_t *image;
	size_t len;

	if (!f->src) {
		image = mkimage_finish(vm->mk, &len);
		assert_int_equal(spt_source_open_memory(image, len, "test", &f->src, &f->err), 0);
	}
	spt_reverse_free(&f->reverse);
	return spt_walk_hpa_from(f->src, &vm->model, hpa, &sweep, 0, &f->reverse, &f->err);
}

static void done(struct vm *vm, struct found *f)
{
	spt_reverse_free(&f->reverse);
	spt_source_close(f->src);
	vm_free(vm);
}

static size_t count(const struct found *f, enum spt_reverse_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < f->reverse.count; i++)
		n += f->reverse.hit[i].kind == kind;
	return n;
}

static void every_gpa_once(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	unsigned int smm = mkimage_tdp_root(vm.mk, 4);
	struct found f = { 0 };
	uint64_t gpa[4];

	mkimage_slot(vm.mk, 0, 0, 0, MK_GB, HVA);
	mkimage_map(vm.mk, vm.root, 0x7000, 1, mkimage_leaf(vm.mk, 0x40005000, 1, "rwx"));
	mkimage_map(vm.mk, vm.root, 0x3000, 1, mkimage_leaf(vm.mk, 0x40005000, 1, "r"));
	mkimage_map(vm.mk, vm.root, 4 * MK_MB, 2, mkimage_leaf(vm.mk, 0x40000000, 2, "rwx"));
	mkimage_map(vm.mk, smm, 0x3000, 1, mkimage_leaf(vm.mk, 0x40005000, 1, "rwx"));

	assert_int_equal(find(&vm, &f, 0x40005123), 0);
	assert_int_equal(f.reverse.count, 4);
	assert_int_equal(spt_reverse_gpas(&vm.model, &f.reverse, 0x40005123, gpa, 4), 3);
	assert_int_equal(gpa[0], 0x3123);
	assert_int_equal(gpa[1], 0x7123);
	assert_int_equal(gpa[2], 4 * MK_MB + 0x5123);
	/* More than there is room for are counted. */
	gpa[1] = 77;
	assert_int_equal(spt_reverse_gpas(&vm.model, &f.reverse, 0x40005123, gpa, 1), 3);
	assert_int_equal(gpa[1], 77);
	assert_int_equal(find(&vm, &f, 0x40006000), 0);
	assert_int_equal(spt_reverse_gpas(&vm.model, &f.reverse, 0x40006000, gpa, 4), 1);
	assert_int_equal(gpa[0], 4 * MK_MB + 0x6000);
	done(&vm, &f);
}

static void a_page_of_nobody(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct found f = { 0 };
	uint64_t gpa;

	assert_int_equal(find(&vm, &f, 0x40005000), 0);
	assert_int_equal(f.reverse.count, 0);
	assert_int_equal(spt_reverse_gpas(&vm.model, &f.reverse, 0x40005000, &gpa, 1), 0);
	assert_int_equal(find(&vm, &f, 1ULL << 52), -ERANGE);
	done(&vm, &f);
}

/* Shadow tables translate other addresses: the GPA is what the entry was made from. */
static void shadow_entries_say_what_they_were_made_from(void **state)
{
	struct vm vm = vm_new("shadow-6.12");
	unsigned int root = mkimage_shadow_root(vm.mk, 4, 0x1000);
	unsigned int l3 = mkimage_table(vm.mk, 3, 0x1001, false);
	unsigned int l2 = mkimage_table(vm.mk, 2, 0x1002, false);
	unsigned int l1 = mkimage_table(vm.mk, 1, 0x1003, false);
	struct spt_entry parent;
	struct found f = { 0 };
	uint64_t gpa;

	mkimage_link(vm.mk, root, 256, l3);
	mkimage_link(vm.mk, l3, 0, l2);
	mkimage_link(vm.mk, l2, 9, l1);
	mkimage_set(vm.mk, l1, 5, mkimage_leaf(vm.mk, 0x40005000, 1, "rw"));
	mkimage_translate(vm.mk, l1, 5, 0x77000, 7);

	assert_int_equal(find(&vm, &f, 0x40005008), 0);
	assert_int_equal(f.reverse.count, 1);
	assert_int_equal(f.reverse.hit[0].address, 0xffff800001205008);
	assert_true(spt_reverse_gpa(&vm.model, &f.reverse.hit[0], 0x40005008, &gpa));
	assert_int_equal(gpa, 0x77008);

	assert_int_equal(find(&vm, &f, mkimage_table_hpa(vm.mk, l1) + 8), 0);
	assert_int_equal(count(&f, SPT_REVERSE_TABLE), 1);
	assert_false(spt_reverse_gpa(&vm.model, &f.reverse.hit[0], 0, &gpa));
	assert_true(spt_reverse_parent(&vm.model, &f.reverse.hit[0], &parent));
	assert_int_equal(parent.level, 2);
	assert_int_equal(parent.index, 9);
	assert_int_equal(parent.node->hpa, mkimage_table_hpa(vm.mk, l2));
	done(&vm, &f);
}

static void the_entry_that_leads_to_a_table(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	uint64_t gpa = 5 * MK_GB + 6 * MK_MB;
	unsigned int leaf_table =
		mkimage_map(vm.mk, vm.root, gpa, 1, mkimage_leaf(vm.mk, 0x40005000, 1, "rwx"));
	unsigned int orphan = mkimage_table(vm.mk, 1, 0x123, true);
	struct spt_entry parent;
	struct found f = { 0 };

	assert_int_equal(find(&vm, &f, mkimage_table_hpa(vm.mk, leaf_table)), 0);
	assert_int_equal(count(&f, SPT_REVERSE_TABLE), 1);
	assert_int_equal(f.reverse.hit[0].address, gpa);
	assert_true(spt_reverse_parent(&vm.model, &f.reverse.hit[0], &parent));
	assert_int_equal(parent.level, 2);
	assert_int_equal(parent.index, 3);
	assert_int_equal(parent.hpa, mkimage_table_hpa(vm.mk, leaf_table));

	assert_int_equal(find(&vm, &f, mkimage_table_hpa(vm.mk, vm.root)), 0);
	assert_int_equal(count(&f, SPT_REVERSE_TABLE), 1);
	assert_false(spt_reverse_parent(&vm.model, &f.reverse.hit[0], &parent));

	assert_int_equal(find(&vm, &f, mkimage_table_hpa(vm.mk, orphan)), 0);
	assert_int_equal(count(&f, SPT_REVERSE_DETACHED), 1);
	assert_false(spt_reverse_parent(&vm.model, &f.reverse.hit[0], &parent));
	done(&vm, &f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_gpa_once),
		cmocka_unit_test(a_page_of_nobody),
		cmocka_unit_test(shadow_entries_say_what_they_were_made_from),
		cmocka_unit_test(the_entry_that_leads_to_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
