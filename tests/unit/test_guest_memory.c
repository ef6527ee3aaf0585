// SPDX-License-Identifier: GPL-2.0
/* Guest memory: through a VMM's mapping (here the test's own), and all tables of a guest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "guest.h"
#include "spt/guest_tables.h"

#define RAM (4 * MK_MB)

/* The test as the VMM of a live VM whose memory is @ram. */
static struct vm vm_over(uint8_t *ram, int pid, int fd)
{
	struct vm vm = vm_new("npt-6.12");

	mkimage_head(vm.mk)->pid = pid;
	mkimage_head(vm.mk)->fd = fd;
	mkimage_slot(vm.mk, 0, 0, 0x10000, RAM, (uintptr_t)ram);
	vm_load(&vm);
	return vm;
}

static uint8_t *map_ram(void)
{
	/* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
	uint8_t *ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(ram != MAP_FAILED);
	/* So that a page that is touched brings no neighbours. */
	madvise(ram, RAM, MADV_NOHUGEPAGE);
	return ram;
}

static bool present(const void *at)
{
	unsigned char in_core = 0;

	assert_int_equal(mincore((void *)((uintptr_t)at & ~4095UL), 4096, &in_core), 0);
	return in_core & 1;
}

static void a_page_that_is_there_is_read(void **state)
{
	uint8_t *ram = map_ram();
	struct vm vm = vm_over(ram, getpid(), -1);
	struct spt_guest_memory memory;
	uint64_t word = 0;

	spt_guest_memory_init(&memory, NULL);
	memory.live = true;
	memcpy(ram + 0x2008, "guestmem", 8);
	assert_int_equal(spt_guest_memory_read(&memory, &vm.model, 0, 0x12008, &word, 8),
			 SPT_GUEST_READ);
	assert_memory_equal(&word, "guestmem", 8);
	assert_int_equal(spt_guest_memory_read(&memory, &vm.model, 0, 0x10000 + RAM, &word, 8),
			 SPT_GUEST_NO_SLOT);
	assert_int_equal(spt_guest_memory_read(&memory, &vm.model, 1, 0x12008, &word, 8),
			 SPT_GUEST_NO_SLOT);
	spt_guest_memory_deinit(&memory);
	vm_free(&vm);
	munmap(ram, RAM);
}

static void a_page_that_is_not_there_is_left_alone(void **state)
{
	uint8_t *ram = map_ram();
	struct vm vm = vm_over(ram, getpid(), -1);
	struct spt_guest_memory memory;
	uint64_t word = 77;

	spt_guest_memory_init(&memory, NULL);
	memory.live = true;
	ram[0x3000] = 1;
	assert_true(present(ram + 0x3000));
	assert_false(present(ram + 0x2000));
	assert_int_equal(spt_guest_memory_read(&memory, &vm.model, 0, 0x12000, &word, 8),
			 SPT_GUEST_ABSENT);
	assert_int_equal(word, 77);
	assert_false(present(ram + 0x2000));
	munmap(ram, RAM);
	assert_int_equal(spt_guest_memory_read(&memory, &vm.model, 0, 0x13000, &word, 8),
			 SPT_GUEST_ABSENT);
	spt_guest_memory_deinit(&memory);
	vm_free(&vm);
}

static void a_process_that_is_not_the_vmm_is_not_read(void **state)
{
	uint8_t *ram = map_ram();
	struct spt_guest_memory memory;
	uint64_t word;
	struct vm vm;
	pid_t child;

	/* A descriptor of this process, but no VM. */
	ram[0] = 1;
	vm = vm_over(ram, getpid(), 0);
	spt_guest_memory_init(&memory, NULL);
	memory.live = true;
	assert_int_equal(spt_guest_memory_read(&memory, &vm.model, 0, 0x10000, &word, 8),
			 SPT_GUEST_UNREADABLE);
	assert_int_equal(memory.error, ESRCH);
	vm_free(&vm);

	/* A process that is gone. */
	child = fork();
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	vm = vm_over(ram, child, -1);
	assert_int_equal(spt_guest_memory_read(&memory, &vm.model, 0, 0x10000, &word, 8),
			 SPT_GUEST_UNREADABLE);
	assert_int_equal(memory.error, ENOENT);
	spt_guest_memory_deinit(&memory);
	vm_free(&vm);
	munmap(ram, RAM);
}

/* The pages that each() gives. */
struct given {
	uint64_t gpa[64];
	uint64_t first_word[64];
	unsigned int count;
	int stop_at;
};

static int take(void *arg, uint64_t gpa, const uint64_t *page)
{
	struct given *given = arg;

	assert_true(given->count < 64);
	for (unsigned int i = 0; i < given->count; i++)
		assert_int_not_equal(given->gpa[i], gpa);
	given->gpa[given->count] = gpa;
	given->first_word[given->count++] = page[0];
	return given->stop_at && (int)given->count == given->stop_at ? 42 : 0;
}

static bool has(const struct given *given, uint64_t gpa)
{
	for (unsigned int i = 0; i < given->count; i++)
		if (given->gpa[i] == gpa)
			return true;
	return false;
}

/* Two vCPUs that share a table, a loop, a large page, a table that is not there. */
static void make_guest(struct guest *g)
{
	guest_long_mode(g);
	g->vcpu = mkimage_vcpu(g->vm.mk);
	guest_reg(g, SPT_VCPU_ID, 1);
	guest_reg(g, SPT_VCPU_CR0, CR0_PE | CR0_PG);
	guest_reg(g, SPT_VCPU_CR3, 0x8000);
	guest_reg(g, SPT_VCPU_CR4, CR4_PAE);
	guest_reg(g, SPT_VCPU_EFER, EFER_LMA);
	guest_put64(g, 0x1000, 0, 0x2000 | G_T);
	guest_put64(g, 0x1000, 511, 0x1000 | G_T);
	guest_put64(g, 0x2000, 0, 0x3000 | G_T);
	guest_put64(g, 0x2000, 1, 0x40000000 | G_T | G_PS);
	guest_put64(g, 0x3000, 3, 0x4000 | G_T);
	guest_put64(g, 0x3000, 4, 0xffff0000 | G_T);
	guest_put64(g, 0x4000, 0, 0x9000 | G_T);
	guest_put64(g, 0x8000, 0, 0x2000 | G_T);
	guest_put64(g, 0x8000, 1, 0x5000 | G_T);
	guest_put64(g, 0x5000, 0, 0);
	guest_put64(g, 0x5000, 9, 0x6000);
	guest_open(g);
}

static void load(struct guest *g)
{
	if (spt_model_read(&g->vm.model, g->src, NULL, 0, &g->err))
		fail_msg("%s", g->err.text);
}

static void every_table_once(void **state)
{
	static const uint64_t want[] = { 0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x8000 };
	struct spt_guest_tables tables;
	struct spt_guest_memory memory;
	struct given given = { 0 };
	struct guest g;

	make_guest(&g);
	load(&g);
	spt_guest_memory_init(&memory, g.src);
	spt_guest_tables_init(&tables, SPT_GUEST_TABLES_MAX);
	assert_int_equal(
		spt_guest_tables_vcpus(&tables, &memory, &g.vm.model, take, &given, &g.err), 0);
	assert_int_equal(given.count, 6);
	for (unsigned int i = 0; i < 6; i++)
		assert_true(has(&given, want[i]));
	assert_int_equal(tables.given, 6);
	assert_true(tables.unread > 0); /* the one outside of all slots */
	assert_false(tables.limited);
	spt_guest_tables_deinit(&tables);
	spt_guest_memory_deinit(&memory);
	guest_free(&g);
}

static void a_bound_and_a_wish_to_stop(void **state)
{
	struct spt_guest_tables tables;
	struct spt_guest_memory memory;
	struct given given = { 0 };
	struct guest g;

	make_guest(&g);
	load(&g);
	spt_guest_memory_init(&memory, g.src);
	spt_guest_tables_init(&tables, 3);
	assert_int_equal(
		spt_guest_tables_vcpus(&tables, &memory, &g.vm.model, take, &given, &g.err), 0);
	assert_int_equal(given.count, 3);
	assert_true(tables.limited);
	spt_guest_tables_deinit(&tables);

	given = (struct given){ .stop_at = 2 };
	spt_guest_tables_init(&tables, SPT_GUEST_TABLES_MAX);
	assert_int_equal(
		spt_guest_tables_vcpus(&tables, &memory, &g.vm.model, take, &given, &g.err), 42);
	assert_int_equal(given.count, 2);
	spt_guest_tables_deinit(&tables);
	spt_guest_memory_deinit(&memory);
	guest_free(&g);
}

/* A page whose every entry is its own: 512 ways a level, each followed once. */
static void tables_without_an_end(void **state)
{
	struct spt_guest_tables tables;
	struct spt_guest_memory memory;
	struct given given = { 0 };
	struct guest g;

	guest_long_mode(&g);
	for (unsigned int i = 0; i < 512; i++)
		guest_put64(&g, 0x1000, i, 0x1000 | G_T);
	guest_open(&g);
	load(&g);
	spt_guest_memory_init(&memory, g.src);
	spt_guest_tables_init(&tables, SPT_GUEST_TABLES_MAX);
	assert_int_equal(
		spt_guest_tables_vcpus(&tables, &memory, &g.vm.model, take, &given, &g.err), 0);
	assert_int_equal(given.count, 1);
	spt_guest_tables_deinit(&tables);
	spt_guest_memory_deinit(&memory);
	guest_free(&g);
}

static void tables_of_narrow_entries(void **state)
{
	struct spt_guest_tables tables;
	struct spt_guest_memory memory;
	struct given given = { 0 };
	struct guest g;

	guest_new(&g, CR0_PE | CR0_PG, 0, 0, 0x1000);
	guest_put32(&g, 0x1000, 1023, 0x2000 | G_T);
	guest_put32(&g, 0x1000, 1, 0x3000 | G_T);
	guest_put32(&g, 0x2000, 0, 0);
	guest_put32(&g, 0x3000, 0, 0x7000 | G_T);
	guest_put32(&g, 0x2000, 9, 0x7000 | G_T);
	guest_open(&g);
	load(&g);
	spt_guest_memory_init(&memory, g.src);
	spt_guest_tables_init(&tables, SPT_GUEST_TABLES_MAX);
	assert_int_equal(
		spt_guest_tables_vcpus(&tables, &memory, &g.vm.model, take, &given, &g.err), 0);
	assert_int_equal(given.count, 3);
	assert_true(has(&given, 0x2000) && has(&given, 0x3000));
	spt_guest_tables_deinit(&tables);
	spt_guest_memory_deinit(&memory);
	guest_free(&g);
}

static void a_record_keeps_the_page(void **state)
{
	struct spt_guest_table *rec = calloc(1, SPT_GUEST_TABLE_RECORD);
	uint64_t page[SPT_TABLE_ENTRIES] = { 0 };

	assert_non_null(rec);
	assert_int_equal(spt_guest_table_record(rec, 0x5000, page), sizeof(*rec));
	page[9] = 1;
	page[511] = 2;
	assert_int_equal(spt_guest_table_record(rec, 0x5000, page), sizeof(*rec) + 2 * 64);
	assert_int_equal(rec->chunks, 1ULL << 63 | 2);
	assert_int_equal(rec->entry[1], 1);
	assert_int_equal(rec->entry[15], 2);
	memset(page, 0xff, sizeof(page));
	assert_int_equal(spt_guest_table_record(rec, 0x5000, page), SPT_GUEST_TABLE_RECORD);
	free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_that_is_there_is_read),
		cmocka_unit_test(a_page_that_is_not_there_is_left_alone),
		cmocka_unit_test(a_process_that_is_not_the_vmm_is_not_read),
		cmocka_unit_test(every_table_once),
		cmocka_unit_test(a_bound_and_a_wish_to_stop),
		cmocka_unit_test(tables_without_an_end),
		cmocka_unit_test(tables_of_narrow_entries),
		cmocka_unit_test(a_record_keeps_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
