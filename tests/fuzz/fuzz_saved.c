// SPDX-License-Identifier: GPL-2.0
/*
 * Files that 'save' might have written: frames, index, image. Asked as the tool
 * asks, for single pages by way of the index and for everything. Checksums keep
 * most damage out, so an index and an image that fit each other are found by
 * corpus only; what is left is the way there.
 */
#include <string.h>

#include "spt/model.h"
#include "spt/tree.h"
#include "spt/walk.h"
#include "tests/fuzz/fuzz.h"

/* What a small file may unpack to is bounded by the reader; entries by this. */
#define MAX_ENTRIES 20000

static void walk_pages(struct spt_source *src, struct spt_model *model, unsigned int flags)
{
	static const uint64_t addresses[] = { 0,	  0x3000,     0x200000,
					      0xfee00000, 0x40000000, 1ULL << 47 };
	struct spt_error err = { 0 };

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct spt_walk walk;

		spt_walk_gpa_from(src, model, addresses[i], flags, &walk, &err);
	}
}

static void read_all(struct spt_source *src, struct spt_model *model, unsigned int flags)
{
	struct spt_error err = { 0 };
	struct spt_tree tree;

	if (spt_model_read(model, src, NULL, flags, &err))
		return;
	spt_tree_begin(&tree, model, NULL, 0, 0, 0);
	for (int n = 0; n < MAX_ENTRIES && spt_tree_next(&tree); n++)
		;
}

static void use(const char *path, unsigned int flags)
{
	struct spt_error err = { 0 };
	struct spt_source *src;
	struct spt_model model;

	if (spt_source_open_file(path, &src, &err))
		return;
	spt_model_init(&model);
	walk_pages(src, &model, flags);
	read_all(src, &model, flags);
	spt_model_deinit(&model);
	spt_source_close(src);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *path = fuzz_file(bytes, len);

	use(path, 0);
	use(path, SPT_IMAGE_SALVAGE);
	return 0;
}
