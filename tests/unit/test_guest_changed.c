// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that changes its page tables while they are walked: the walk is made again, and one
 * that never comes to rest says so. The guest's memory is this process's own; what reads it
 * is wrapped (meson.build), so that entries change between two reads and not by chance.
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

#define TABLES	  0x1000 /* four of them, from the top downwards */
#define LEAF	  (TABLES + 0x3000)
#define GUEST_LEN 0x10000

static uint64_t *ram;

/* What the guest does to its lowest entry after each read of it. */
static struct {
	uint64_t flip; /* bits */
	unsigned int times, reads;
} guest_does;

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

	if (gpa == LEAF && guest_does.reads++ < guest_does.times)
		ram[LEAF / sizeof(*ram)] ^= guest_does.flip;
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

/* Walk address 0 of a guest that does @flip to its leaf's entry after the first @times reads. */
static void walk(uint64_t flip, unsigned int times, struct spt_guest_walk *w)
{
	const struct spt_guest_ask ask = { .vcpu = SPT_ANY_VCPU };
	struct spt_error err = { 0 };
	struct fake_answer answer;
	const uint8_t *image;
	uint8_t *bytes;
	struct fake_agent agent;
	struct guest g;

	memset(ram, 0, GUEST_LEN);
	for (unsigned int l = 0; l < 3; l++)
		ram[(TABLES + l * 0x1000) / sizeof(*ram)] = (TABLES + (l + 1) * 0x1000) | G_T;
	ram[LEAF / sizeof(*ram)] = 0x9000 | G_T;
	guest_does.flip = flip;
	guest_does.times = times;
	guest_does.reads = 0;

	memset(&g, 0, sizeof(g));
	g.vm = vm_new("npt-6.12");
	g.vcpu = mkimage_vcpu(g.vm.mk);
	mkimage_slot(g.vm.mk, 0, 0, 0, GUEST_LEN, (uintptr_t)ram);
	guest_reg(&g, SPT_VCPU_ID, 0);
	guest_reg(&g, SPT_VCPU_CR0, CR0_PE | CR0_WP | CR0_PG);
	guest_reg(&g, SPT_VCPU_CR3, TABLES);
	guest_reg(&g, SPT_VCPU_CR4, CR4_PAE);
	guest_reg(&g, SPT_VCPU_EFER, EFER_LMA | EFER_NXE);
	guest_reg(&g, SPT_VCPU_CR3_FRESH, 1);
	guest_reg(&g, SPT_VCPU_REGS_FRESH, 1);
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

static void at_rest(void **state)
{
	struct spt_guest_walk w;

	walk(0, 0, &w);
	assert_int_equal(w.end, SPT_GUEST_END_MAPPED);
	assert_int_equal(w.gpa, 0x9000);
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

	walk(0x9000 ^ 0xa000, 1, &w);
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

	walk(0x9000 ^ 0xa000, 1000, &w);
	assert_int_equal(w.tries, 4);
	assert_true(w.flags & SPT_GUEST_CHANGED);
	assert_int_equal(spt_guest_walk_verdict(&w), SPT_VERDICT_TORN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_rest),
		cmocka_unit_test(accessed_and_dirty_are_no_change),
		cmocka_unit_test(one_change_is_walked_again),
		cmocka_unit_test(a_page_that_goes_away),
		cmocka_unit_test(without_rest_it_is_one_moment_of_many),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
