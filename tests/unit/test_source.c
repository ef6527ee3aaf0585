// SPDX-License-Identifier: GPL-2.0
/* Where images come from, and what is said when there is none to be had. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include <cmocka.h>

#include "fake_agent.h"
#include "spt/source.h"
#include "spt/source_live.h"
#include "spt/walk.h"
#include "vm.h"

#define HVA 0x7f0000000000ULL
#define GPA 0x5000ULL
#define HPA 0x9000000ULL

static struct mkimage *some_vm(uint64_t seq, uint64_t host)
{
	struct mkimage *mk = mkimage_new("npt-6.12");
	unsigned int root = mkimage_tdp_root(mk, 4);

	mkimage_vm(mk, SPT_VM_GENERATION_0, 6);
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_SEQ, seq);
	mkimage_slot(mk, 0, 0, 0, 16 * MK_MB, HVA);
	mkimage_map(mk, root, GPA, 1, mkimage_leaf(mk, HPA, 1, "rwx"));
	mkimage_host(mk, GPA, HVA + GPA, 1, host ? host | 0x67 : 0, 0);
	return mk;
}

static void put(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static char path[64];

static int setup(void **state)
{
	strcpy(path, "/tmp/spt-source.XXXXXX");
	return close(mkstemp(path));
}

static int teardown(void **state)
{
	return unlink(path);
}

/* Open and read; the text of the error if it failed. */
static int read_file(unsigned int flags, struct spt_error *err)
{
	struct spt_source *src = NULL;
	struct spt_image img;
	int ret = spt_source_open_file(path, &src, err);

	if (!ret)
		ret = spt_source_read(src, NULL, flags, &img, err);
	if (!ret)
		assert_int_equal(img.count[SPT_REC_TABLE], 4);
	spt_source_close(src);
	return ret;
}

static void a_file_is_read_plain_or_compressed(void **state)
{
	struct mkimage *mk = some_vm(1, HPA);
	struct spt_error err;
	size_t len, small;
	uint8_t *image = mkimage_finish(mk, &len), packed[65536];

	put(path, image, len);
	assert_int_equal(read_file(0, &err), 0);
	small = ZSTD_compress(packed, sizeof(packed), image, len, 3);
	put(path, packed, small);
	assert_int_equal(read_file(0, &err), 0);
	mkimage_free(mk);
}

static void a_bad_file_gets_one_clear_line(void **state)
{
	struct mkimage *mk = some_vm(1, HPA);
	struct spt_error err = { 0 };
	size_t len, small;
	uint8_t *image = mkimage_finish(mk, &len), packed[65536];

	put(path, "", 0);
	assert_int_equal(read_file(0, &err), -EINVAL);
	assert_non_null(strstr(err.text, "empty file"));
	put(path, image, len / 2);
	assert_int_equal(read_file(0, &err), -EINVAL);
	assert_non_null(strstr(err.text, "--salvage"));

	small = ZSTD_compress(packed, sizeof(packed), image, len, 3);
	for (size_t cut = 4; cut < small; cut++) {
		put(path, packed, cut);
		assert_int_equal(read_file(0, &err), -EINVAL);
		assert_non_null(strstr(err.text, path));
	}
	for (size_t bit = 0; bit < small * 8; bit += 7) {
		packed[bit / 8] ^= 1 << bit % 8;
		put(path, packed, small);
		/* A bit of the frame's header may mean nothing. */
		if (read_file(0, &err))
			assert_non_null(strstr(err.text, path));
		packed[bit / 8] ^= 1 << bit % 8;
	}
	mkimage_free(mk);
}

static void a_bomb_does_not_go_off(void **state)
{
	/* 2 GiB of zeros in 64 KiB. */
	static uint8_t zeros[1 << 20], packed[1 << 20];
	ZSTD_CCtx *z = ZSTD_createCCtx();
	ZSTD_outBuffer out = { packed, sizeof(packed), 0 };
	struct spt_error err = { 0 };

	for (int i = 0; i < 2048; i++) {
		ZSTD_inBuffer in = { zeros, sizeof(zeros), 0 };

		while (in.pos < in.size)
			assert_false(
				ZSTD_isError(ZSTD_compressStream2(z, &out, &in, ZSTD_e_continue)));
	}
	ZSTD_inBuffer none = { NULL, 0, 0 };

	while (ZSTD_compressStream2(z, &out, &none, ZSTD_e_end))
		;
	ZSTD_freeCCtx(z);
	put(path, packed, out.pos);
	assert_int_equal(read_file(0, &err), -EINVAL);
	assert_non_null(strstr(err.text, "not an spt image"));
}

static void a_path_that_is_no_image_is_said_to_be_none(void **state)
{
	struct spt_source *src;
	struct spt_error err = { 0 };

	assert_int_equal(spt_source_open_file("/nowhere/x.spt", &src, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/x.spt"));
	assert_int_equal(spt_source_open_file("/tmp", &src, &err), -EISDIR);
}

static void without_an_agent_the_remedy_is_named(void **state)
{
	struct spt_vm_name *vms;
	struct spt_error err = { 0 };
	size_t count;

	setenv("SPT_DEBUGFS", "/nowhere/spt", 1);
	assert_int_equal(spt_vms_list(&vms, &count, &err), -ENODEV);
	assert_non_null(strstr(err.text, "spt agent load"));
	unsetenv("SPT_DEBUGFS");
}

static void vms_are_found_by_id_pid_or_because_there_is_one(void **state)
{
	static const struct fake_answer none = { (const uint8_t *)"", 0 };
	struct fake_agent agent;
	struct spt_vm_name vm, *vms;
	struct spt_error err = { 0 };
	char second[96], status[96];
	size_t count;

	fake_agent_start(&agent, &none, 1);
	assert_int_equal(spt_vms_list(&vms, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_string_equal(vms[0].id, "1234-11");
	assert_int_equal(vms[0].pid, 1234);
	assert_int_equal(vms[0].fd, 11);
	free(vms);
	assert_int_equal(spt_vm_find(NULL, &vm, &err), 0);
	assert_int_equal(spt_vm_find("1234", &vm, &err), 0);
	assert_int_equal(spt_vm_find("1234-11", &vm, &err), 0);
	assert_int_equal(spt_vm_find("1234-1", &vm, &err), -ENOENT);
	assert_non_null(strstr(err.text, "1234-11"));

	snprintf(second, sizeof(second), "%s/1234-9", agent.dir);
	assert_int_equal(mkdir(second, 0700), 0);
	assert_int_equal(spt_vm_find(NULL, &vm, &err), -ENOTUNIQ);
	assert_non_null(strstr(err.text, "1234-9, 1234-11"));
	assert_int_equal(spt_vm_find("1234", &vm, &err), -ENOTUNIQ);
	assert_int_equal(spt_vm_find("1234-9", &vm, &err), 0);
	rmdir(second);

	snprintf(status, sizeof(status), "%s/status", agent.dir);
	put(status, "abi: 1\nlayout: none\n", 20);
	assert_int_equal(spt_vm_find(NULL, &vm, &err), -ENOKEY);
	assert_non_null(strstr(err.text, "spt agent load"));
	fake_agent_stop(&agent);
}

static void a_vm_that_is_gone_is_said_to_be_gone(void **state)
{
	static const struct fake_answer none = { (const uint8_t *)"", 0 };
	struct fake_agent agent;
	struct spt_source *src;
	struct spt_error err = { 0 };

	fake_agent_start(&agent, &none, 1);
	assert_int_equal(spt_source_open_vm("99-1", &src, &err), -ENOENT);
	assert_non_null(strstr(err.text, "VM 99-1 is gone"));
	fake_agent_stop(&agent);
}

static void requests_are_written_as_the_agent_reads_them(void **state)
{
	struct mkimage *mk = some_vm(1, HPA);
	struct fake_answer answer;
	struct fake_agent agent;
	struct spt_source *src;
	struct spt_image img;
	struct spt_error err = { 0 };
	struct spt_request req = { .parts = SPT_PART_VM | SPT_PART_TABLES,
				   .start = GPA,
				   .len = 0x1000 };

	answer.bytes = mkimage_finish(mk, &answer.len);
	fake_agent_start(&agent, &answer, 1);
	assert_int_equal(spt_source_open_vm("1234-11", &src, &err), 0);
	assert_true(spt_source_is_live(src));
	assert_int_equal(spt_source_read(src, &req, 0, &img, &err), 0);
	assert_string_equal(agent.last_request, "gpa=0x5000+0x1000 parts=vm,tables\n");
	assert_int_equal(img.len, answer.len);
	assert_int_equal(spt_source_read(src, NULL, 0, &img, &err), 0);
	assert_string_equal(agent.last_request,
			    "parts=vm,vcpus,memslots,lpage,attrs,roots,tables,gmem,regs\n");
	assert_int_equal(agent.requests, 2);
	spt_source_close(src);
	fake_agent_stop(&agent);
	mkimage_free(mk);
}

static void the_longest_request_fits_its_line(void **state)
{
	char line[SPT_REQUEST_LINE + 64];
	struct spt_request req = { .parts = (1U << SPT_PART_COUNT) - 1,
				   .start = ~0xfffULL,
				   .len = ~0ULL };

	memset(line, '#', sizeof(line));
	assert_true(spt_live_request_line(&req, line) <= SPT_REQUEST_LINE);
	assert_int_equal(line[SPT_REQUEST_LINE], '#');
	/* A range is cut at the end of the address space; numbers have no leading zeros. */
	assert_memory_equal(line, "gpa=0xfffffffffffff000+0xfff parts=vm,", 38);
	req = (struct spt_request){ .parts = SPT_PART_VM, .len = 0x10 };
	line[spt_live_request_line(&req, line)] = 0;
	assert_string_equal(line, "gpa=0x0+0x10 parts=vm\n");
}

/* Roots of a VM without the TDP MMU are shadow pages, and its addresses are no GPAs. */
static void a_vm_with_shadow_tables_is_asked_again(void **state)
{
	struct mkimage *mk = mkimage_new("shadow-6.12");
	struct spt_request roots = { .parts = SPT_PART_VM | SPT_PART_ROOTS };
	struct spt_request range = { .parts = SPT_PART_TABLES, .start = GPA, .len = 0x1000 };
	struct fake_answer answer;
	struct fake_agent agent;
	struct spt_source *src;
	struct spt_model model;
	struct spt_error err = { 0 };

	mkimage_shadow_root(mk, 4, 0x1000);
	mkimage_vm(mk, SPT_VM_N_USED_MMU_PAGES, 1);
	answer.bytes = mkimage_finish(mk, &answer.len);
	fake_agent_start(&agent, &answer, 1);
	spt_model_init(&model);
	assert_int_equal(spt_source_open_vm("1234-11", &src, &err), 0);
	assert_int_equal(spt_model_read(&model, src, &roots, 0, &err), 0);
	assert_string_equal(agent.last_request, "gpa=0x0+0x1000 parts=vm,roots,tables\n");
	assert_int_equal(model.nr_roots, 1);
	assert_int_equal(spt_model_read(&model, src, &range, 0, &err), 0);
	assert_string_equal(agent.last_request, "parts=tables\n");
	assert_int_equal(agent.requests, 4);
	spt_source_close(src);
	spt_model_deinit(&model);
	fake_agent_stop(&agent);
	mkimage_free(mk);
}

/* Answers in turn, then what the walk makes of them. */
static void live_walk(const uint64_t (*seen)[2], unsigned int n, enum spt_verdict verdict,
		      unsigned int tries)
{
	struct fake_answer answers[8];
	struct mkimage *mk[8];
	struct fake_agent agent;
	struct spt_source *src;
	struct spt_model model;
	struct spt_walk walk;
	struct spt_error err = { 0 };

	for (unsigned int i = 0; i < n; i++) {
		mk[i] = some_vm(seen[i][0], seen[i][1]);
		answers[i].bytes = mkimage_finish(mk[i], &answers[i].len);
	}
	fake_agent_start(&agent, answers, n);
	spt_model_init(&model);
	assert_int_equal(spt_source_open_vm("1234-11", &src, &err), 0);
	assert_int_equal(spt_walk_gpa_from(src, &model, GPA + 0x123, 0, &walk, &err), 0);
	assert_int_equal(walk.verdict, verdict);
	assert_int_equal(walk.tries, tries);
	assert_int_equal(agent.requests, tries);
	assert_int_equal(walk.path[0].hpa, HPA + 0x123);
	spt_source_close(src);
	spt_model_deinit(&model);
	fake_agent_stop(&agent);
	for (unsigned int i = 0; i < n; i++)
		mkimage_free(mk[i]);
}

static void stale_is_believed_after_looking_again(void **state)
{
	/* {mmu_invalidate_seq, frame that the host has} of each look. */
	static const uint64_t fine[][2] = { { 5, HPA } };
	static const uint64_t stale[][2] = { { 5, HPA + 0x1000 } };
	static const uint64_t settles[][2] = { { 5, 0 }, { 7, HPA } };
	static const uint64_t moves[][2] = { { 5, 0 }, { 6, 0 }, { 7, 0 }, { 8, 0 } };

	live_walk(fine, 1, SPT_VERDICT_COHERENT, 1);
	live_walk(stale, 1, SPT_VERDICT_STALE, 4);
	live_walk(settles, 2, SPT_VERDICT_COHERENT, 2);
	live_walk(moves, 4, SPT_VERDICT_TORN, 4);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_file_is_read_plain_or_compressed),
		T(a_bad_file_gets_one_clear_line),
		T(a_bomb_does_not_go_off),
		cmocka_unit_test(a_path_that_is_no_image_is_said_to_be_none),
		cmocka_unit_test(without_an_agent_the_remedy_is_named),
		cmocka_unit_test(vms_are_found_by_id_pid_or_because_there_is_one),
		cmocka_unit_test(a_vm_that_is_gone_is_said_to_be_gone),
		cmocka_unit_test(requests_are_written_as_the_agent_reads_them),
		cmocka_unit_test(the_longest_request_fits_its_line),
		cmocka_unit_test(a_vm_with_shadow_tables_is_asked_again),
		cmocka_unit_test(stale_is_believed_after_looking_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
