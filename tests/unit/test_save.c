// SPDX-License-Identifier: GPL-2.0
/* A saved image is the image, whole, or there is none. */
#include <dirent.h>
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
#include <cmocka.h>

#include "fake_agent.h"
#include "spt/save.h"
#include "spt/tree.h"
#include "vm.h"

static char dir[64], path[96];

static int setup(void **state)
{
	strcpy(dir, "/tmp/spt-save.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/x.spt", dir);
	return 0;
}

static unsigned int files(void)
{
	DIR *d = opendir(dir);
	unsigned int n = 0;
	struct dirent *e;

	/* cppcheck-suppress readdirCalled */
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static int teardown(void **state)
{
	unlink(path);
	return rmdir(dir);
}

/* Thousands of leaves, so that the image is larger than one piece of a terminal. */
static struct mkimage *large_vm(void)
{
	struct mkimage *mk = mkimage_new("ept-7.3");
	unsigned int root = mkimage_tdp_root(mk, 4);

	mkimage_vm(mk, SPT_VM_GENERATION_0, 6);
	for (uint64_t gpa = 0; gpa < 16 * MK_MB; gpa += 0x1000)
		mkimage_map(mk, root, gpa, 1, mkimage_leaf(mk, 0x40000000 + gpa, 1, "rwx"));
	return mk;
}

/* A raw file has an index before the end; but for that it is the image. */
static void check_saved(const uint8_t *image, size_t len, bool compressed)
{
	size_t before = len - sizeof(struct spt_end);
	struct spt_error err = { 0 };
	const struct spt_rec *rec;
	struct spt_source *src;
	struct spt_image img;

	assert_int_equal(spt_source_open_file(path, &src, &err), 0);
	assert_int_equal(spt_source_read(src, NULL, 0, &img, &err), 0);
	assert_memory_equal(img.base, image, compressed ? len : before);
	assert_int_equal(img.count[SPT_REC_INDEX], !compressed);
	if (compressed)
		assert_int_equal(img.len, len);
	else {
		rec = (const void *)((const char *)img.base + before);
		assert_int_equal(rec->type, SPT_REC_INDEX);
		assert_int_equal(img.len, len + rec->len);
	}
	spt_source_close(src);
}

static void a_live_image_is_saved_byte_for_byte(void **state)
{
	struct mkimage *mk = large_vm();
	struct fake_answer answer;
	struct spt_saved saved;
	struct fake_agent agent;
	struct spt_source *src;
	struct spt_error err = { 0 };
	struct stat st;

	answer.bytes = mkimage_finish(mk, &answer.len);
	fake_agent_start(&agent, &answer, 1);
	assert_int_equal(spt_source_open_vm("1234-11", &src, &err), 0);
	for (int compress = 0; compress < 2; compress++) {
		struct spt_save how = { .compress = compress };

		assert_int_equal(spt_save(src, path, &how, &saved, &err), 0);
		assert_int_equal(saved.bytes, answer.len);
		assert_int_equal(saved.tables, 11);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(saved.file_bytes, st.st_size);
		assert_int_equal(compress, saved.file_bytes < saved.bytes / 2);
		assert_int_equal(files(), 1);
		check_saved(answer.bytes, answer.len, compress);
	}
	spt_source_close(src);
	fake_agent_stop(&agent);
	mkimage_free(mk);
}

static int stop_at_once(void *arg, uint64_t bytes, uint64_t total)
{
	return bytes > 0;
}

static void save_to(struct spt_source *src, int (*progress)(void *, uint64_t, uint64_t), int code,
		    const char *says)
{
	for (int compress = 0; compress < 2; compress++) {
		struct spt_save how = { .compress = compress, .progress = progress };
		struct spt_error err = { 0 };

		assert_int_equal(spt_save(src, path, &how, NULL, &err), -code);
		assert_non_null(strstr(err.text, says));
	}
}

static void what_fails_leaves_the_old_file_and_nothing_else(void **state)
{
	struct mkimage *mk = large_vm();
	struct spt_source *good, *bad;
	size_t len;
	uint8_t *image = mkimage_finish(mk, &len);
	FILE *old = fopen(path, "w");
	char text[8] = "";

	assert_non_null(old);
	fputs("old", old);
	fclose(old);
	assert_int_equal(spt_source_open_memory(image, len, "good", &good, NULL), 0);
	image[len / 2] ^= 1;
	assert_int_equal(spt_source_open_memory(image, len, "bad", &bad, NULL), 0);
	save_to(good, stop_at_once, EINTR, "interrupted");
	save_to(bad, NULL, EINVAL, "bad: damaged image");
	assert_int_equal(files(), 1);
	old = fopen(path, "r");
	assert_int_equal(fread(text, 1, 7, old), 3);
	assert_string_equal(text, "old");
	fclose(old);
	spt_source_close(good);
	spt_source_close(bad);
	mkimage_free(mk);
}

static void what_is_no_file_is_not_replaced(void **state)
{
	struct spt_save how = { 0 };
	struct spt_source *src;
	struct spt_error err = { 0 };
	struct stat st;

	assert_int_equal(spt_source_open_memory("", 0, "none", &src, NULL), 0);
	assert_int_equal(spt_save(src, "/dev/null", &how, NULL, &err), -EINVAL);
	assert_int_equal(spt_save(src, dir, &how, NULL, &err), -EISDIR);
	assert_int_equal(spt_save(src, "/nowhere/x.spt", &how, NULL, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/x.spt"));
	assert_int_equal(spt_save(src, path, &how, NULL, &err), -EINVAL);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(files(), 0);
	spt_source_close(src);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_live_image_is_saved_byte_for_byte),
		T(what_fails_leaves_the_old_file_and_nothing_else),
		T(what_is_no_file_is_not_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
