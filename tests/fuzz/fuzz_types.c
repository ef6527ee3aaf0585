// SPDX-License-Identifier: GPL-2.0
/*
 * Hostile type information, BTF (-DFUZZ_OPEN=open_btf) or an ELF file with DWARF
 * (open_dwarf): everything that the tool asks of a kernel's own. Answers may be
 * nonsense; memory and time may not suffer.
 */
#include <bpf/libbpf.h>
#include <string.h>

#include "decoders/btf.h"
#include "decoders/dwarf.h"
#include "decoders/layout.h"
#include "decoders/layout_listing.h"
#include "decoders/layout_path.h"
#include "tests/fuzz/fuzz.h"

static int __attribute__((unused))
open_btf(const char *path, struct spt_typegraph **ret, struct spt_error *e)
{
	return spt_btf_open(path, NULL, ret, e);
}

static int __attribute__((unused))
open_dwarf(const char *path, struct spt_typegraph **ret, struct spt_error *e)
{
	struct spt_build_id id;
	struct spt_elf *elf;
	const char *name;
	uint32_t crc;

	if (!spt_elf_open(path, &elf, e)) {
		spt_elf_build_id(elf, &id, e);
		spt_elf_debuglink(elf, &name, &crc, e);
		spt_elf_close(elf);
	}
	return spt_dwarf_open(path, ret, e);
}

/* Names that the corpus has, so that what lies behind a name is reached. */
static void ask(struct spt_layout *layout, struct spt_typegraph *graph)
{
	static const char *const types[] = { "sample", "sample_typedef", "kvm" };
	static const char *const paths[] = { "",       "role.smm",    "inner[2].high[1]",
					     "deeper", "typed.whole", "none|mmu_lock",
					     "vm_list" };

	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		struct spt_type_query query = { .name = types[t] };
		struct spt_listing listing;
		struct spt_error err = { 0 };

		if (!spt_types_find(graph, &query, 1, &err))
			for (unsigned int h = 0; h < query.hits; h++)
				for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
					struct spt_layout_field field;

					spt_path_find(graph, query.hit[h], paths[p], &field, &err);
				}
		if (!spt_listing_of(layout, types[t], &listing, &err))
			spt_listing_deinit(&listing);
	}
}

static int silent(enum libbpf_print_level level, const char *format, va_list ap)
{
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct spt_layout layout = { .source = SPT_LAYOUT_BTF, .vendor = SPT_VENDOR_SVM };
	struct spt_error err = { 0 };

	libbpf_set_print(silent);
	if (!FUZZ_OPEN(fuzz_file(bytes, len), &layout.graph[SPT_MODULE_KVM], &err)) {
		ask(&layout, layout.graph[SPT_MODULE_KVM]);
		spt_layout_resolve(&layout);
	}
	spt_layout_deinit(&layout);
	return 0;
}
