// SPDX-License-Identifier: GPL-2.0
/* Whoever opens a large file is told how far it is, and may end it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include <cmocka.h>

#include "spt/save.h"
#include "vm.h"

/* Enough for a raw file without an index to be given one. */
#define GUEST_TABLES 20000

static char dir[64], raw[96], saved[96], indexed[96], plain[96];

static void put(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void save(const char *path, bool compress)
{
	struct spt_save how = { .compress = compress };
	struct spt_error err = { 0 };
	struct spt_source *src;

	assert_int_equal(spt_source_open_file(raw, &src, &err), 0);
	assert_int_equal(spt_save(src, path, &how, NULL, &err), 0);
	spt_source_close(src);
}

static int setup(void **state)
{
	struct mkimage *mk = mkimage_new("npt-6.12");
	unsigned int root = mkimage_tdp_root(mk, 4);
	uint64_t page[SPT_TABLE_ENTRIES];
	size_t len, room;
	uint8_t *image;
	void *small;

	strcpy(dir, "/tmp/spt-slow.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(raw, sizeof(raw), "%s/raw", dir);
	snprintf(saved, sizeof(saved), "%s/saved", dir);
	snprintf(indexed, sizeof(indexed), "%s/indexed", dir);
	snprintf(plain, sizeof(plain), "%s/plain", dir);
	mkimage_map(mk, root, 0, 1, mkimage_leaf(mk, 0x40000000, 1, "rwx"));
	for (unsigned int i = 0; i < SPT_TABLE_ENTRIES; i++)
		page[i] = i | 1;
	for (uint64_t gfn = 0; gfn < GUEST_TABLES; gfn++)
		mkimage_guest_table(mk, gfn << 12, page);
	image = mkimage_finish(mk, &len);
	put(raw, image, len);
	room = ZSTD_compressBound(len);
	small = malloc(room);
	assert_non_null(small);
	put(plain, small, ZSTD_compress(small, room, image, len, 1));
	free(small);
	mkimage_free(mk);
	save(saved, false);
	save(indexed, true);
	return 0;
}

static int teardown(void **state)
{
	unlink(raw);
	unlink(saved);
	unlink(indexed);
	unlink(plain);
	return rmdir(dir);
}

struct watcher {
	unsigned int calls, stop_at; /* 0: never */
	uint64_t done, total;
};

static int step(void *arg, uint64_t done, uint64_t total)
{
	struct watcher *w = arg;

	if (w->stop_at && w->calls >= w->stop_at)
		return 1; /* as Ctrl-C, which stays pressed */
	/* Forward only, and on one scale. */
	assert_in_range(done, w->done, total);
	if (w->calls)
		assert_int_equal(total, w->total);
	w->done = done;
	w->total = total;
	return ++w->calls == w->stop_at;
}

static int read_file(const char *path, const struct spt_request *req, struct watcher *w)
{
	struct spt_error err = { 0 };
	struct spt_source *src;
	struct spt_image img;
	int ret;

	assert_int_equal(spt_source_open_file(path, &src, &err), 0);
	spt_source_set_progress(src, step, w);
	ret = spt_source_read(src, req, 0, &img, &err);
	if (ret) {
		assert_non_null(strstr(err.text, "interrupted"));
		/* It was nobody's fault: asked again, the same source answers. */
		spt_source_set_progress(src, NULL, NULL);
		assert_int_equal(spt_source_read(src, req, 0, &img, &err), 0);
		assert_true(img.complete);
	}
	spt_source_close(src);
	return ret;
}

static void told_and_interrupted(const char *path, const struct spt_request *req)
{
	struct watcher all = { 0 };
	unsigned int calls;

	assert_int_equal(read_file(path, req, &all), 0);
	calls = all.calls;
	assert_true(calls >= 4);
	/* Nearly all of it was told of. */
	assert_true(all.done >= all.total - all.total / 8);
	for (unsigned int at = 1; at <= calls; at += calls - 1) {
		struct watcher w = { .stop_at = at };

		assert_int_equal(read_file(path, req, &w), -EINTR);
	}
}

static void a_raw_file(void **state)
{
	told_and_interrupted(raw, NULL);
	told_and_interrupted(saved, NULL);
}

static void a_raw_file_that_is_given_an_index(void **state)
{
	const struct spt_request req = { .parts = SPT_PART_TABLES | SPT_PART_ROOTS, .len = 4096 };

	told_and_interrupted(raw, &req);
}

static void a_compressed_file_with_an_index(void **state)
{
	told_and_interrupted(indexed, NULL);
}

static void a_compressed_file_without_one(void **state)
{
	told_and_interrupted(plain, NULL);
}

/* A stored index leads to the little that is asked for: nothing to tell. */
static void a_question_about_one_page(void **state)
{
	const struct spt_request req = { .parts = SPT_PART_TABLES | SPT_PART_ROOTS, .len = 4096 };
	struct watcher w = { 0 };

	assert_int_equal(read_file(saved, &req, &w), 0);
	assert_int_equal(read_file(indexed, &req, &w), 0);
	assert_int_equal(w.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_raw_file),
		cmocka_unit_test(a_raw_file_that_is_given_an_index),
		cmocka_unit_test(a_compressed_file_with_an_index),
		cmocka_unit_test(a_compressed_file_without_one),
		cmocka_unit_test(a_question_about_one_page),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
