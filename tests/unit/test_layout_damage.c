// SPDX-License-Identifier: GPL-2.0
/*
 * Damaged type information gives errors, never a crash or an endless loop: cut
 * off at every length, and with bytes changed at random (a fixed sequence).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "decoders/btf.h"
#include "decoders/dwarf.h"
#include "decoders/layout_listing.h"
#include "decoders/layout_path.h"
#include "layout_compile.h"

#define FLIPS 600
#define CUTS  120

typedef int (*opener)(const char *path, struct spt_typegraph **ret, struct spt_error *e);

static int open_btf(const char *path, struct spt_typegraph **ret, struct spt_error *e)
{
	return spt_btf_open(path, NULL, ret, e);
}

/* Everything that can be asked; 0 when all answers were right, else what was wrong is said. */
static int ask(opener open_graph, const char *path)
{
	static const char *const paths[] = { "", "role.smm", "inner[2].high[1]", "deeper",
					     "typed.whole" };
	struct spt_layout layout = { .source = SPT_LAYOUT_DWARF };
	struct spt_type_query query = { .name = "sample" };
	struct spt_listing listing;
	struct spt_error error = { 0 };
	struct spt_layout_field field;
	int wrong = 0;

	if (open_graph(path, &layout.graph[SPT_MODULE_KVM], &error)) {
		assert_true(error.code > 0 && *error.text);
		return 1;
	}
	wrong = spt_types_find(layout.graph[SPT_MODULE_KVM], &query, 1, &error) || !query.hits;
	for (unsigned int h = 0; h < query.hits; h++) {
		for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
			int found = spt_path_find(layout.graph[SPT_MODULE_KVM], query.hit[h],
						  paths[i], &field, &error);

			assert_true(found >= 0 || error.code > 0);
			wrong |= found != 1;
		}
	}
	if (spt_listing_of(&layout, "sample", &listing, &error))
		wrong = 1;
	else
		spt_listing_deinit(&listing);
	spt_layout_deinit(&layout);
	return wrong;
}

/* A generator of our own: the same damage on every machine. */
static uint32_t next(void)
{
	static uint64_t seed = 42;

	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(seed >> 33);
}

static void damage(opener open_graph, const char *name)
{
	unsigned long size;
	unsigned char *good = layout_read(name, &size), *bad = malloc(size);
	unsigned int refused = 0;

	assert_non_null(bad);
	assert_int_equal(ask(open_graph, layout_path(name)), 0);
	for (unsigned int i = 0; i < CUTS; i++) {
		layout_write("bad", good, size * i / CUTS);
		refused += ask(open_graph, layout_path("bad"));
	}
	/* A file that lost its end is noticed nearly always: the rest is not needed. */
	assert_true(refused > CUTS / 2);
	for (unsigned int i = 0; i < FLIPS; i++) {
		memcpy(bad, good, size);
		for (unsigned int n = 0; n <= i % 4; n++)
			bad[next() % size] ^= (unsigned char)(1 + next() % 255);
		layout_write("bad", bad, size);
		ask(open_graph, layout_path("bad"));
	}
	free(bad);
	free(good);
}

static void damaged_btf(void **state)
{
	if (!layout_have("pahole"))
		skip();
	layout_run("gcc -c -gdwarf-4 -o s.o $SRC/layout_sample.c && "
		   "pahole --btf_encode_detached=s.btf s.o");
	damage(open_btf, "s.btf");
}

static void damaged_dwarf_of_a_module(void **state)
{
	layout_run("gcc -c -gdwarf-5 -o s.ko $SRC/layout_sample.c");
	damage(spt_dwarf_open, "s.ko");
}

static void damaged_dwarf_of_a_linked_file(void **state)
{
	layout_run("gcc -gdwarf-5 -fPIC -shared -nostdlib -o s.so $SRC/layout_sample.c");
	damage(spt_dwarf_open, "s.so");
}

static void damaged_compressed_dwarf(void **state)
{
	layout_run("gcc -c -gdwarf-5 -gz=zlib -o z.ko $SRC/layout_sample.c");
	damage(spt_dwarf_open, "z.ko");
}

static void what_is_no_elf_or_btf_is_named(void **state)
{
	struct spt_typegraph *graph;
	struct spt_error error = { 0 };

	layout_write("text", "hello, world\n", 13);
	assert_int_equal(spt_dwarf_open(layout_path("text"), &graph, &error), -ENOEXEC);
	assert_non_null(strstr(error.text, "text"));
	assert_int_equal(spt_btf_open(layout_path("text"), NULL, &graph, &error), -EINVAL);
	assert_non_null(strstr(error.text, "text"));
	assert_int_equal(spt_dwarf_open(layout_path("absent"), &graph, &error), -ENOENT);
	assert_int_equal(spt_btf_open(layout_path("absent"), NULL, &graph, &error), -ENOENT);
	layout_run("gcc -c -o nodebug.o $SRC/layout_sample.c");
	assert_int_equal(spt_dwarf_open(layout_path("nodebug.o"), &graph, &error), -ENODATA);
}

#define LEVELS	8
#define BREADTH 100

/* Structs 1 to LEVELS, of which each is in the one before as many anonymous members; then ints. */
static int broad_find(struct spt_typegraph *graph, struct spt_type_query *query, size_t n,
		      struct spt_error *e)
{
	query->hit[query->hits++] = 1;
	return 0;
}

static int broad_get(struct spt_typegraph *graph, spt_type_id id, struct spt_type *ret,
		     struct spt_error *e)
{
	*ret = (struct spt_type){ .kind = id <= LEVELS ? SPT_TYPE_STRUCT : SPT_TYPE_INT,
				  .size = 4 };
	return 0;
}

static unsigned int broad_calls;

static int broad_members(struct spt_typegraph *graph, spt_type_id id, struct spt_member **ret,
			 size_t *n, struct spt_error *e)
{
	struct spt_member *member = calloc(BREADTH, sizeof(*member));

	assert_non_null(member);
	if (++broad_calls > 1000000)
		fail_msg("no end of it");
	for (size_t i = 0; i < BREADTH; i++) {
		member[i].type = id + 1;
		member[i].name = id == LEVELS ? "last" : NULL;
	}
	*ret = member;
	*n = BREADTH;
	return 0;
}

/* Few bytes can describe more members than anybody lives to see. */
static void a_breadth_without_end_is_damage(void **state)
{
	static const struct spt_typegraph_ops ops = {
		.find = broad_find,
		.get = broad_get,
		.members = broad_members,
	};
	struct spt_typegraph graph = { .ops = &ops, .path = (char *)"broad" };
	struct spt_layout layout = { .source = SPT_LAYOUT_BTF, .graph[SPT_MODULE_KVM] = &graph };
	struct spt_layout_field field;
	struct spt_listing listing;
	struct spt_error error = { 0 };

	assert_int_equal(spt_path_find(&graph, 1, "last", &field, &error), 1);
	broad_calls = 0;
	assert_int_equal(spt_path_find(&graph, 1, "none", &field, &error), -EINVAL);
	assert_non_null(strstr(error.text, "broad: damaged type information"));
	broad_calls = 0;
	assert_int_equal(spt_listing_of(&layout, "broad", &listing, &error), -EINVAL);
	assert_non_null(strstr(error.text, "broad: damaged type information"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_btf),
		cmocka_unit_test(damaged_dwarf_of_a_module),
		cmocka_unit_test(damaged_dwarf_of_a_linked_file),
		cmocka_unit_test(damaged_compressed_dwarf),
		cmocka_unit_test(what_is_no_elf_or_btf_is_named),
		cmocka_unit_test(a_breadth_without_end_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
