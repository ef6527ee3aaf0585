// SPDX-License-Identifier: GPL-2.0
/* Member paths through BTF and each kind of DWARF, against what the compiler says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "decoders/btf.h"
#include "decoders/dwarf.h"
#include "decoders/layout_listing.h"
#include "decoders/layout_path.h"
#include "layout_compile.h"
#include "layout_sample.h"

#define POINTER SPT_FIELD_POINTER
#define ARRAY	SPT_FIELD_ARRAY
#define BITS	SPT_FIELD_BITS

#define AT(member) 8 * offsetof(struct sample, member), 8 * sizeof(((struct sample *)0)->member)

static const struct expected {
	const char *path;
	uint32_t bit_offset, bit_size, flags, alternative;
} expected[] = {
	{ "", 0, 8 * sizeof(struct sample), 0, 0 },
	{ "role", AT(role), 0, 0 },
	{ "role.word", AT(role), 0, 0 },
	{ "role.level", 8 * offsetof(struct sample, role), 4, BITS, 0 },
	{ "role.narrow", 8 * offsetof(struct sample, role) + 4, 1, BITS, 0 },
	{ "role.access", 8 * offsetof(struct sample, role) + 8, 9, BITS, 0 },
	{ "role.smm", 8 * offsetof(struct sample, role) + 24, 8, BITS, 0 },
	{ "inner", AT(inner), ARRAY, 0 },
	{ "inner[2]", AT(inner[2]), 0, 0 },
	{ "inner[1].first", AT(inner[1].first), 0, 0 },
	{ "inner[2].wide", AT(inner[2].wide), 0, 0 },
	{ "inner[1].high", AT(inner[1].high), ARRAY, 0 },
	{ "inner[1].high[2]", AT(inner[1].high[2]), 0, 0 },
	{ "matrix", AT(matrix), ARRAY, 0 },
	{ "typed.whole", AT(typed.whole), 0, 0 },
	{ "pointer", AT(pointer), POINTER, 0 },
	{ "elsewhere", AT(elsewhere), POINTER, 0 },
	{ "function", AT(function), POINTER, 0 },
	{ "choice", AT(choice), 0, 0 },
	{ "deeper", AT(deeper), 0, 0 },
	{ "flexible", 8 * offsetof(struct sample, flexible), 0, ARRAY, 0 },
	{ "newest|role.level|pad", 8 * offsetof(struct sample, role), 4, BITS, 1 },
	{ "newest|inner[3]|pad", AT(pad), 0, 2 },
};

/* Paths that lead nowhere; -EINVAL: they break the grammar. */
static const struct {
	const char *path;
	int result;
} nowhere[] = {
	{ "absent", 0 },
	{ "rol", 0 },
	{ "role_", 0 },
	{ "inner[3]", 0 },
	{ "inner.first", 0 },
	{ "matrix[10]", 0 },
	{ "pad.deeper", 0 },
	{ "pad[0]", 0 },
	{ "pointer.first", 0 },
	{ "role.level.bit", 0 },
	{ "flexible[0]", 0 },
	{ "a|b|c", 0 },
	{ "role..level", -EINVAL },
	{ ".role", -EINVAL },
	{ "inner[", -EINVAL },
	{ "inner[x]", -EINVAL },
	{ "inner[1", -EINVAL },
	{ "role.", -EINVAL },
	{ "[0]", -EINVAL },
	{ "inner[1]first", -EINVAL },
};

static spt_type_id find(struct spt_typegraph *graph, const char *name)
{
	struct spt_type_query query = { .name = name };
	struct spt_error error = { 0 };

	if (spt_types_find(graph, &query, 1, &error))
		fail_msg("%s", error.text);
	if (query.hits < 1)
		fail_msg("%s: no %s", graph->path, name);
	return query.hit[0];
}

static void check_paths(struct spt_typegraph *graph)
{
	spt_type_id sample = find(graph, "sample");
	struct spt_error error = { 0 };
	struct spt_layout_field field;

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct expected *x = &expected[i];

		if (spt_path_find(graph, sample, x->path, &field, &error) != 1)
			fail_msg("%s: '%s': %s", graph->path, x->path, error.text);
		if (field.bit_offset != x->bit_offset || field.bit_size != x->bit_size ||
		    field.flags != (x->flags | SPT_FIELD_PRESENT) ||
		    field.alternative != x->alternative)
			fail_msg("%s: '%s' is %u+%u flags %x alternative %u, not %u+%u %x %u",
				 graph->path, x->path, field.bit_offset, field.bit_size,
				 field.flags, field.alternative, x->bit_offset, x->bit_size,
				 x->flags | SPT_FIELD_PRESENT, x->alternative);
	}
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		int result = spt_path_find(graph, sample, nowhere[i].path, &field, &error);

		if (result != nowhere[i].result)
			fail_msg("%s: '%s' gives %d", graph->path, nowhere[i].path, result);
		assert_int_equal(field.flags, 0);
	}
}

static void check_wide_bits(struct spt_typegraph *graph)
{
	struct spt_layout_field field, choice;
	spt_type_id sample = find(graph, "sample");

	assert_int_equal(spt_path_find(graph, sample, "wide_bits", &field, NULL), 1);
	assert_int_equal(spt_path_find(graph, sample, "choice", &choice, NULL), 1);
	assert_int_equal(field.bit_size, 40);
	assert_int_equal(field.flags, SPT_FIELD_PRESENT | BITS);
	/* x86-64: it does not fit behind 'choice' within its own 8 bytes. */
	assert_int_equal(field.bit_offset, (choice.bit_offset + 32 + 63) / 64 * 64);
}

/* BTF has one flat array, DWARF the dimensions. */
static void check_matrix(struct spt_typegraph *graph, const char *path)
{
	struct spt_layout_field field;

	assert_int_equal(spt_path_find(graph, find(graph, "sample"), path, &field, NULL), 1);
	assert_int_equal(field.bit_offset, 8 * offsetof(struct sample, matrix[1][3]));
	assert_int_equal(field.bit_size, 8 * sizeof(int));
}

static void check_spelling(struct spt_typegraph *graph)
{
	static const struct {
		const char *member, *type;
	} spelled[] = {
		{ "pad", "char" },
		{ "inner", "struct sample_inner[3]" },
		{ "typed", "sample_typedef" },
		{ "pointer", "sample_pointer" },
		{ "elsewhere", "struct sample_elsewhere *" },
		{ "choice", "enum sample_enum" },
		{ "function", "function *" },
	};
	struct spt_layout layout = { .source = SPT_LAYOUT_BTF };
	struct spt_listing listing;
	struct spt_error error = { 0 };
	size_t found = 0;

	layout.graph[SPT_MODULE_KVM] = graph;
	if (spt_listing_of(&layout, "sample", &listing, &error))
		fail_msg("%s", error.text);
	assert_int_equal(listing.size, sizeof(struct sample));
	assert_false(listing.is_union);
	for (size_t i = 0; i < listing.count; i++) {
		const struct spt_listed *m = &listing.member[i];

		for (size_t s = 0; m->name && s < sizeof(spelled) / sizeof(spelled[0]); s++) {
			if (m->depth || strcmp(m->name, spelled[s].member))
				continue;
			assert_string_equal(m->type, spelled[s].type);
			found++;
		}
		if (m->name && !strcmp(m->name, "deeper"))
			assert_int_equal(m->depth, 2);
	}
	assert_int_equal(found, sizeof(spelled) / sizeof(spelled[0]));
	spt_listing_deinit(&listing);
	assert_int_equal(spt_listing_of(&layout, "no_such", &listing, &error), -ENOENT);
}

static void check_typedef_and_elsewhere(struct spt_typegraph *graph)
{
	struct spt_layout_field field;

	assert_int_equal(spt_path_find(graph, find(graph, "sample_typedef"), "whole", &field, NULL),
			 1);
	assert_int_equal(field.bit_offset, 32);
	assert_int_equal(
		spt_path_find(graph, find(graph, "sample_elsewhere"), "found", &field, NULL), 1);
	assert_int_equal(field.bit_offset, 64);
}

static void check_graph(struct spt_typegraph *graph)
{
	check_paths(graph);
	check_wide_bits(graph);
	check_spelling(graph);
	check_typedef_and_elsewhere(graph);
	spt_typegraph_destroy(graph);
}

/* The declaring unit first, so that the complete type is in a later one. */
static void compile(const char *flags, const char *link, const char *out)
{
	layout_run("gcc -c -g %s -o a.o $SRC/layout_sample.c && "
		   "gcc -c -g %s -DELSEWHERE -o b.o $SRC/layout_sample.c && %s -o %s a.o b.o",
		   flags, flags, link, out);
}

static void check_dwarf(const char *flags, const char *link)
{
	struct spt_typegraph *graph;
	struct spt_error error = { 0 };

	compile(flags, link, "dwarf.elf");
	if (spt_dwarf_open(layout_path("dwarf.elf"), &graph, &error))
		fail_msg("%s %s: %s", flags, link, error.text);
	check_matrix(graph, "matrix[1][3]");
	check_graph(graph);
}

static void dwarf_of_a_linked_file(void **state)
{
	check_dwarf("-gdwarf-5 -fPIC", "gcc -shared -nostdlib");
	check_dwarf("-gdwarf-4 -fPIC", "gcc -shared -nostdlib");
}

static void dwarf_of_a_relocatable_file_as_modules_are(void **state)
{
	check_dwarf("-gdwarf-5", "ld -r");
	check_dwarf("-gdwarf-4", "ld -r");
}

static void dwarf_with_old_bit_offsets(void **state)
{
	check_dwarf("-gdwarf-3 -gstrict-dwarf", "ld -r");
	check_dwarf("-gdwarf-2 -gstrict-dwarf", "ld -r");
}

static void dwarf_in_compressed_sections(void **state)
{
	check_dwarf("-gdwarf-5", "ld -r --compress-debug-sections=zlib");
	check_dwarf("-gdwarf-5 -fPIC", "gcc -shared -nostdlib -Wl,--compress-debug-sections=zlib");
}

static void dwarf64(void **state)
{
	check_dwarf("-gdwarf-5 -gdwarf64", "ld -r");
}

static void btf(void **state)
{
	struct spt_typegraph *graph;
	struct spt_error error = { 0 };

	if (!layout_have("pahole"))
		skip();
	compile("-gdwarf-4", "ld -r", "whole.o");
	layout_run("pahole --btf_encode_detached=whole.btf whole.o");
	if (spt_btf_open(layout_path("whole.btf"), NULL, &graph, &error))
		fail_msg("%s", error.text);
	check_matrix(graph, "matrix[8]");
	check_graph(graph);
}

/* A module's types continue the kernel's. */
static void split_btf(void **state)
{
	struct spt_typegraph *base, *module;
	struct spt_type_query query = { .name = "sample_elsewhere" };
	struct spt_error error = { 0 };

	if (!layout_have("pahole"))
		skip();
	layout_run("gcc -c -gdwarf-4 -DELSEWHERE -o base.o $SRC/layout_sample.c && "
		   "gcc -c -gdwarf-4 -o module.o $SRC/layout_sample.c && "
		   "pahole --btf_encode_detached=base.btf base.o && "
		   "pahole --btf_base=base.btf --btf_encode_detached=module.btf module.o");
	if (spt_btf_open(layout_path("base.btf"), NULL, &base, &error) ||
	    spt_btf_open(layout_path("module.btf"), base, &module, &error))
		fail_msg("%s", error.text);
	check_paths(module);
	/* Only declared in the module: that is no answer. */
	assert_int_equal(spt_types_find(module, &query, 1, &error), 0);
	assert_int_equal(query.hits, 0);
	assert_int_equal(spt_types_find(base, &query, 1, &error), 0);
	assert_int_equal(query.hits, 1);
	spt_typegraph_destroy(module);
	spt_typegraph_destroy(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dwarf_of_a_linked_file),
		cmocka_unit_test(dwarf_of_a_relocatable_file_as_modules_are),
		cmocka_unit_test(dwarf_with_old_bit_offsets),
		cmocka_unit_test(dwarf_in_compressed_sections),
		cmocka_unit_test(dwarf64),
		cmocka_unit_test(btf),
		cmocka_unit_test(split_btf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
