// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that changes its page tables, or those of a guest of its own, while they are walked: the
 * walk is made again, and one that never comes to rest says so. The guest's memory is this
 * process's own; what reads it is wrapped (meson.build), so that entries change between two reads
 * and not by chance.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_agent.h"
#include "guest.h"

#define TABLES 0x1000 /* four of them, from the top downwards */
#define LEAF   (TABLES + 0x3000)
#define MAPPED 0x9000ULL /* by the lowest entry */
#define TWIN   0xb000	 /* a copy of the lowest table */
/* Nested tables of a guest that runs one of its own: the same addresses, of the first 16 pages. */
#define NESTED	  0x10000
#define OF(page)  (NESTED + 0x3000 + (page) / 0x1000 * 8)
#define GUEST_LEN 0x20000
#define EPT_RWX	  7ULL

static uint64_t *ram;

/* The format of the nested tables. */
enum nested { NO_L2, NPT, EPT };

/* What the guest does to an entry after each of the first reads of it. */
static struct {
	uint64_t entry; /* its GPA */
	uint64_t flip;	/* bits */
	unsigned int times, reads;
} guest_does;

static bool without_paging;

static void put(uint64_t gpa, uint64_t value)
{
	ram[gpa / sizeof(*ram)] = value;
}

enum spt_guest_read __real_spt_guest_memory_read(struct spt_guest_memory *memory,
						 const struct spt_model *model, unsigned int as_id,
						 uint64_t gpa, void *buf, size_t len);
enum spt_guest_read __wrap_spt_guest_memory_read(struct spt_guest_memory *memory,
						 const struct spt_model *model, unsigned int as_id,
						 uint64_t gpa, void *buf, size_t len);

enum spt_guest_read __wrap_spt_guest_memory_read(struct spt_guest_memory *memory,
						 const struct spt_model *model, unsigned int as_id,
						 uint64_t gpa, void *buf, size_t len)
{
	enum spt_guest_read read =
		__real_spt_guest_memory_read(memory, model, as_id, gpa, buf, len);

	if (gpa == guest_does.entry && guest_does.reads++ < guest_does.times)
		ram[gpa / sizeof(*ram)] ^= guest_does.flip;
	return read;
}

static int setup(void **state)
{
	ram = aligned_alloc(4096, GUEST_LEN);
	return ram ? 0 : -1;
}

static int teardown(void **state)
{
	free(ram);
	return 0;
}

static void put_tables(enum nested nested)
{
	const uint64_t table = nested == EPT ? EPT_RWX : G_T;

	memset(ram, 0, GUEST_LEN);
	for (unsigned int l = 0; l < 3; l++) {
		put(TABLES + l * 0x1000, (TABLES + (l + 1) * 0x1000) | G_T);
		put(NESTED + l * 0x1000, (NESTED + (l + 1) * 0x1000) | table);
	}
	put(LEAF, MAPPED | G_T);
	put(TWIN, MAPPED | G_T);
	for (uint64_t page = 0; page < 0x10000; page += 0x1000)
		put(OF(page), page | table);
}

/* Walk address 0 of a guest that does @flip to @entry after the first @times reads of it. */
static void walk_guest(enum nested nested, uint64_t entry, uint64_t flip, unsigned int times,
		       struct spt_guest_walk *w)
{
	const struct spt_guest_ask ask = { .vcpu = SPT_ANY_VCPU };
	struct spt_error err = { 0 };
	struct fake_answer answer;
	const uint8_t *image;
	uint8_t *bytes;
	struct fake_agent agent;
	struct guest g;

	put_tables(nested);
	guest_does.entry = entry;
	guest_does.flip = flip;
	guest_does.times = times;
	guest_does.reads = 0;

	memset(&g, 0, sizeof(g));
	g.vm = vm_new("npt-6.12");
	g.vcpu = mkimage_vcpu(g.vm.mk);
	mkimage_slot(g.vm.mk, 0, 0, 0, GUEST_LEN, (uintptr_t)ram);
	guest_reg(&g, SPT_VCPU_ID, 0);
	guest_reg(&g, SPT_VCPU_CR0, CR0_PE | CR0_WP | (without_paging ? 0 : CR0_PG));
	guest_reg(&g, SPT_VCPU_CR3, TABLES);
	guest_reg(&g, SPT_VCPU_CR4, CR4_PAE);
	guest_reg(&g, SPT_VCPU_EFER, EFER_LMA | EFER_NXE);
	guest_reg(&g, SPT_VCPU_CR3_FRESH, 1);
	guest_reg(&g, SPT_VCPU_REGS_FRESH, 1);
	if (nested != NO_L2) {
		mkimage_head(g.vm.mk)->vendor = nested == EPT ? SPT_VENDOR_VMX : SPT_VENDOR_SVM;
		guest_reg(&g, SPT_VCPU_IN_GUEST_MMU, 1);
		guest_reg(&g, SPT_VCPU_CPU_ROLE, mkimage_role(g.vm.mk, 0, SPT_ROLE_LEVEL, 4));
		guest_reg(&g, SPT_VCPU_ROOT_PGD, nested == EPT ? NESTED | 0x1e : NESTED);
	}
	mkimage_head(g.vm.mk)->pid = getpid();
	mkimage_head(g.vm.mk)->fd = -1;
	image = mkimage_finish(g.vm.mk, &answer.len);
	bytes = malloc(answer.len); /* the agent may still be sending when the guest is gone */
	assert_non_null(bytes);
	memcpy(bytes, image, answer.len);
	answer.bytes = bytes;
	fake_agent_start(&agent, &answer, 1);
	assert_int_equal(spt_source_open_vm("1234-11", &g.src, &err), 0);
	assert_int_equal(spt_guest_walk_from(g.src, &g.vm.model, &ask, 0, w, &err), 0);
	guest_free(&g);
	fake_agent_stop(&agent);
	free(bytes);
}

static void walk(uint64_t flip, unsigned int times, struct spt_guest_walk *w)
{
	walk_guest(NO_L2, LEAF, flip, times, w);
}

static void at_rest(void **state)
{
	struct spt_guest_walk w;

	walk(0, 0, &w);
	assert_int_equal(w.end, SPT_GUEST_END_MAPPED);
	assert_int_equal(w.gpa, MAPPED);
	assert_int_equal(w.tries, 1);
	assert_false(w.flags & SPT_GUEST_CHANGED);
	/* Read to be followed, and read again. */
	assert_int_equal(guest_does.reads, 2);
}

/* The processor sets A and D whenever it likes: the translation is the same. */
static void accessed_and_dirty_are_no_change(void **state)
{
	struct spt_guest_walk w;

	walk(G_A | G_D, 1000, &w);
	assert_int_equal(w.tries, 1);
	assert_false(w.flags & SPT_GUEST_CHANGED);
}

static void one_change_is_walked_again(void **state)
{
	struct spt_guest_walk w;

	walk(MAPPED ^ 0xa000, 1, &w);
	assert_int_equal(w.tries, 2);
	assert_int_equal(w.gpa, 0xa000); /* as it is now */
	assert_false(w.flags & SPT_GUEST_CHANGED);
}

static void a_page_that_goes_away(void **state)
{
	struct spt_guest_walk w;

	walk(G_P, 1, &w);
	assert_int_equal(w.tries, 2);
	assert_int_equal(w.end, SPT_GUEST_END_NOT_PRESENT);
	assert_false(w.flags & SPT_GUEST_CHANGED);
}

static void without_rest_it_is_one_moment_of_many(void **state)
{
	struct spt_guest_walk w;

	walk(MAPPED ^ 0xa000, 1000, &w);
	assert_int_equal(w.tries, 4);
	assert_true(w.flags & SPT_GUEST_CHANGED);
	assert_int_equal(spt_guest_walk_verdict(&w), SPT_VERDICT_TORN);
}

/* The entry by which the guest's hypervisor gave L2 the page, and not one of a table. */
static void the_last_nested_entry(void **state)
{
	struct spt_guest_walk w;

	for (enum nested n = NPT; n <= EPT; n++) {
		walk_guest(n, OF(MAPPED), 0, 0, &w);
		assert_int_equal(w.gpa, MAPPED);
		assert_int_equal(w.tries, 1);
		assert_int_equal(guest_does.reads, 2);

		walk_guest(n, OF(MAPPED), MAPPED ^ 0xa000, 1, &w);
		assert_int_equal(w.end, SPT_GUEST_END_MAPPED);
		assert_int_equal(w.tries, 2);
		assert_int_equal(w.nested.from, MAPPED);
		assert_int_equal(w.gpa, 0xa000);
		assert_false(w.flags & SPT_GUEST_CHANGED);

		walk_guest(n, OF(MAPPED), n == EPT ? EPT_RWX : G_P, 1, &w);
		assert_int_equal(w.tries, 2);
		assert_int_equal(w.end, SPT_GUEST_END_NOT_NESTED);

		walk_guest(n, OF(MAPPED), MAPPED ^ 0xa000, 1000, &w);
		assert_int_equal(w.tries, 4);
		assert_true(w.flags & SPT_GUEST_CHANGED);
		assert_int_equal(spt_guest_walk_verdict(&w), SPT_VERDICT_TORN);
	}
}

/* What each format has as accessed and dirty; the other's bits are a change. */
static void accessed_and_dirty_of_nested_tables(void **state)
{
	const uint64_t npt_ad = G_A | G_D, ept_ad = 3 << 8;
	struct spt_guest_walk w;

	walk_guest(NPT, OF(MAPPED), npt_ad, 1000, &w);
	assert_int_equal(w.tries, 1);
	walk_guest(EPT, OF(MAPPED), ept_ad, 1000, &w);
	assert_int_equal(w.tries, 1);
	walk_guest(EPT, OF(MAPPED), 1 << 6, 1, &w); /* ignore PAT */
	assert_int_equal(w.tries, 2);
}

/* L2's table goes to another page of the VM, with what it had: it is there from now on. */
static void a_table_of_l2_that_moves(void **state)
{
	struct spt_guest_walk w;

	walk_guest(NPT, OF(LEAF), LEAF ^ TWIN, 1, &w);
	assert_int_equal(w.tries, 2);
	assert_int_equal(w.level[3].entry_gpa, LEAF);
	assert_int_equal(w.level[3].vm_gpa, TWIN);
}

/* Without paging the nested tables are all there are. */
static void no_tables_of_l2_itself(void **state)
{
	struct spt_guest_walk w;

	without_paging = true;
	walk_guest(NPT, OF(0), 0xa000, 1, &w);
	without_paging = false;
	assert_int_equal(w.nr_levels, 0);
	assert_int_equal(w.tries, 2);
	assert_int_equal(w.gpa, 0xa000);
	assert_int_equal(w.supervisor, SPT_PERM_READ | SPT_PERM_WRITE | SPT_PERM_EXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_rest),
		cmocka_unit_test(accessed_and_dirty_are_no_change),
		cmocka_unit_test(one_change_is_walked_again),
		cmocka_unit_test(a_page_that_goes_away),
		cmocka_unit_test(without_rest_it_is_one_moment_of_many),
		cmocka_unit_test(the_last_nested_entry),
		cmocka_unit_test(accessed_and_dirty_of_nested_tables),
		cmocka_unit_test(a_table_of_l2_that_moves),
		cmocka_unit_test(no_tables_of_l2_itself),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
