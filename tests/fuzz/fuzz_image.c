// SPDX-License-Identifier: GPL-2.0
/*
 * Damaged and hostile images through all that the tool does with one: reader,
 * model, tree, ranges, walks, decoders. What comes out does not matter; that
 * nothing is read or written out of bounds, and nothing runs away, does. Says
 * something under sanitizers only.
 *
 *   fuzz_image ROUNDS [SEED]	mutate synthetic images that often
 *   fuzz_image FILE		one input, as it is
 *
 * Built with -fsanitize=fuzzer and -DFUZZ_ENGINE it is a libFuzzer target.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/role.h"
#include "decoders/spte.h"
#include "spt/explain.h"
#include "spt/guest_tables.h"
#include "spt/guest_walk.h"
#include "spt/model.h"
#include "spt/ranges_node.h"
#include "spt/tree.h"
#include "spt/walk.h"
#include "tests/fuzz/queries.h"
#include "tests/unit/mkimage.h"

/* Inputs that got as far as a model: a fuzzer that is refused at the door proves little. */
static uint64_t loaded;

/* A small image can describe a huge tree: each table many times over. */
#define MAX_ENTRIES 20000

static void use_entry(const struct spt_model *model, const struct spt_entry *entry)
{
	struct spt_spte spte = spt_entry_decode(model, entry);
	struct spt_bit rows[SPT_BITS_MAX];
	struct spt_bit_value values[SPT_BITS_MAX];
	uint64_t gpa;
	unsigned int access;
	char text[64];
	size_t n;

	spt_spte_sentence(&model->format, &spte, text, sizeof(text));
	spt_spte_flags_text(spte.flags, ",", text, sizeof(text));
	n = spt_spte_rows(&model->format, &spte, rows);
	spt_bits_decode(rows, n, spte.raw, values);
	spt_bits_text(rows, n, spte.raw, text, sizeof(text));
	spt_node_translation(entry->node, entry->index, &gpa, &access);
	spt_root_address(entry->root, entry->gpa);
}

static void use_roots(const struct spt_model *model)
{
	for (uint32_t i = 0; i < model->nr_roots; i++) {
		const struct spt_root_ref *root = &model->roots[i];
		struct spt_tree tree;
		const struct spt_entry *entry;
		char text[64];

		spt_role_text(model->format.role, root->role, text, sizeof(text));
		spt_tree_begin(&tree, model, root, 0, 0, i % 2 ? SPT_TREE_LEFTOVER : 0);
		for (int n = 0; n < MAX_ENTRIES && (entry = spt_tree_next(&tree)); n++)
			use_entry(model, entry);
		for (uint32_t vcpu = 0; vcpu < model->nr_vcpus; vcpu++)
			spt_vcpu_uses(&model->vcpus[vcpu], root);
	}
}

static void use_addresses(const struct spt_model *model)
{
	static const uint64_t addresses[] = {
		0, 0x3000, 0x1fffff, 0x200000, 0x40000000, 0x7fffffffff, 1ULL << 47, ~0ULL,
	};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct spt_walk_path path;
		struct spt_walk walk;
		uint64_t gpas[4], attrs;

		spt_walk_gpa(model, addresses[i], &walk);
		spt_walk_hva(model, addresses[i], gpas, 4);
		spt_model_attrs(model, addresses[i] >> 12, &attrs);
		spt_node_find(model, addresses[i]);
		for (uint32_t r = 0; r < model->nr_roots; r++)
			spt_walk_root(model, &model->roots[r], addresses[i], &path);
	}
}

static void use_model(const struct spt_model *model)
{
	const struct spt_nodes nodes = { model, NULL };
	struct spt_node_ranges by_node;
	struct spt_node_range found;
	struct spt_ranges ranges;
	struct spt_range range;
	uint64_t start, end;
	char text[64];

	for (unsigned int splits = 0; splits < 1U << SPT_SPLIT_COUNT; splits += 21) {
		spt_ranges_begin(&ranges, model, NULL, splits << 12, splits << 20, splits);
		spt_node_ranges_begin(&by_node, &nodes, NULL, splits << 12, splits << 20, splits);
		for (int n = 0; n < MAX_ENTRIES && spt_node_ranges_next(&by_node, &found); n++)
			;
		for (int n = 0; n < MAX_ENTRIES && spt_ranges_next(&ranges, &range); n++)
			;
	}
	use_roots(model);
	use_addresses(model);
	fuzz_queries(model);
	spt_model_torn(model, text, sizeof(text));
	spt_model_vm_type(model);
	spt_model_seq(model, &start, &end);
}

static void use_image(const uint8_t *bytes, size_t len, unsigned int flags)
{
	struct spt_error err = { 0 };
	struct spt_model model;
	struct spt_image img;

	if (spt_image_open(&img, bytes, len, "fuzz", flags, &err))
		return;
	spt_model_init(&model);
	if (!spt_model_load(&model, &img, &err)) {
		loaded++;
		use_model(&model);
	}
	spt_model_deinit(&model);
}

static int ignore_table(void *arg, uint64_t gpa, const uint64_t *page)
{
	return 0;
}

static void walk_guest(struct spt_source *src, struct spt_model *model, uint64_t gva, int64_t vcpu)
{
	const struct spt_guest_ask ask = { .gva = gva, .vcpu = vcpu };
	struct spt_error err = { 0 };
	char text[SPT_EXPLAIN_TEXT];
	struct spt_guest_walk w;

	if (spt_guest_walk_from(src, model, &ask, SPT_IMAGE_TRUST, &w, &err))
		return;
	for (unsigned int i = 0; i < w.nr_levels; i++)
		spt_explain_guest(&w, &w.level[i], text);
	for (unsigned int i = 0; i < w.nested.nr_levels; i++)
		spt_explain_nested(&w.nested.level[i]);
	spt_guest_walk_verdict(&w);
}

/* The guest's own page tables that came with the image. */
static void use_guest(struct spt_source *src)
{
	static const uint64_t addresses[] = { 0x5123, 0x400000, ~0ULL };
	struct spt_error err = { 0 };
	struct spt_guest_tables tables;
	struct spt_guest_memory memory;
	struct spt_model model;

	spt_model_init(&model);
	if (!spt_model_read(&model, src, NULL, SPT_IMAGE_TRUST, &err) && model.nr_guest_tables) {
		spt_guest_memory_init(&memory, src);
		spt_guest_tables_init(&tables, 64);
		spt_guest_tables_vcpus(&tables, &memory, &model, ignore_table, NULL, &err);
		spt_guest_tables_deinit(&tables);
		spt_guest_memory_deinit(&memory);
		for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
			for (int64_t vcpu = SPT_ANY_VCPU; vcpu <= 1; vcpu++)
				walk_guest(src, &model, addresses[i], vcpu);
	}
	spt_model_deinit(&model);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	/* Exactly as long as it is: a byte too far is seen. malloc() aligns it. */
	uint8_t *copy = malloc(len ? len : 1);
	struct spt_error err = { 0 };
	struct spt_source *src;

	if (!copy)
		return 0;
	memcpy(copy, bytes, len);
	use_image(copy, len, SPT_IMAGE_TRUST);
	use_image(copy, len, SPT_IMAGE_SALVAGE);
	if (!spt_source_open_memory(copy, len, "fuzz", &src, &err)) {
		use_guest(src);
		spt_source_close(src);
	}
	free(copy);
	return 0;
}

#ifndef FUZZ_ENGINE

static uint64_t state;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Memory of two halves: a mirror with external tables, guest_memfd, what KVM keeps of a TD. */
static void add_private(struct mkimage *mk, unsigned int root)
{
	const uint64_t bit = 1ULL << 39;
	unsigned int mirror;

	mkimage_vm(mk, SPT_VM_HAS_PRIVATE_MEM, 1);
	mkimage_vm(mk, SPT_VM_VM_TYPE, SPT_VM_TYPE_TDX);
	mkimage_vm(mk, SPT_VM_GFN_DIRECT_BITS, bit >> 12);
	mkimage_vm(mk, SPT_VM_TDX_STATE, 2);
	mkimage_tdx_pages(mk, SPT_TDX_TDCS, 0, 3, 0x9000000);
	mirror = mkimage_mirror_root(mk, 4);
	for (uint64_t gpa = 0; gpa < 0x4000; gpa += 0x1000)
		mkimage_map(mk, mirror, gpa, 1, mkimage_leaf(mk, 0x6000000 + gpa, 1, "rwx"));
	mkimage_map(mk, root, bit + 0x100000, 1, mkimage_leaf(mk, 0x7000000, 1, "rw"));
	mkimage_externals(mk, mirror);
}

/* Page tables of the guest; of every other one the vCPU runs a guest of its own on them. */
static void add_guest(struct mkimage *mk, unsigned int vcpu)
{
	enum { TABLE = 0x27, TOP = 0x10000 };
	uint64_t page[512] = { 0 };

	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_ID, 0);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CR0, 1ULL << 31 | 1);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CR3, 0x1000);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CR4, 1ULL << 5);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_EFER, next_random() % 8 ? 1ULL << 10 : 0);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_IN_GUEST_MMU, next_random() % 2);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_ROOT_PGD, TOP);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CPU_ROLE,
			   mkimage_role(mk, 0, SPT_ROLE_LEVEL, 3 + next_random() % 3));
	for (uint64_t gpa = 0x1000; gpa < 0x5000; gpa += 0x1000) {
		page[0] = (gpa + 0x1000) | TABLE;
		page[5] = next_random() % 2 ? 0x1000 | TABLE : 0;
		mkimage_guest_table(mk, gpa, page);
		page[0] = (gpa + TOP) | TABLE;
		for (uint64_t i = 1; i < 8; i++)
			page[i] = i << 12 | TABLE;
		mkimage_guest_table(mk, gpa - 0x1000 + TOP, page);
		memset(page, 0, sizeof(page));
	}
}

/* One of each kind of record and entry. */
static struct mkimage *a_vm(const char *format)
{
	struct mkimage *mk = mkimage_new(format);
	bool direct = mkimage_head(mk)->tdp_mmu;
	unsigned int root = direct ? mkimage_tdp_root(mk, 4) : mkimage_shadow_root(mk, 4, 0);
	uint64_t dirty[2] = { 5, 9 };
	unsigned int table, vcpu;

	mkimage_vm(mk, SPT_VM_GENERATION_0, 6);
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_SEQ, 40);
	vcpu = mkimage_vcpu(mk);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_ROOT_HPA, mkimage_table_hpa(mk, root));
	add_guest(mk, vcpu);
	mkimage_slot(mk, 0, 0, 0, 4 * MK_MB, 0x7f0000000000);
	mkimage_gmem_run(mk, 0, 4, 0x6000000);
	mkimage_run(mk, SPT_RUN_LPAGE_2M, 0, 512, 1);
	mkimage_run(mk, SPT_RUN_WRITE_TRACK, 3, 1, 2);
	mkimage_dirty(mk, 0, 70, dirty);
	mkimage_slot(mk, 1, 1, 0x40000000, 2 * MK_MB, 0x7f0040000000);
	mkimage_run(mk, SPT_RUN_ATTRS, 0x100, 4, 8);
	mkimage_note(mk, SPT_NOTE_ROOT_CHANGED, 1, 0);
	mkimage_host(mk, 0x3000, 0x7f0000003000, 1, 0x5000067, 0);
	if (direct && mkimage_head(mk)->role[SPT_ROLE_IS_MIRROR].width && next_random() % 2)
		add_private(mk, root);
	if (direct) {
		mkimage_map(mk, root, 0x3000, 1, mkimage_leaf(mk, 0x5000000, 1, "rw"));
		mkimage_map(mk, root, 0x200000, 2, mkimage_leaf(mk, 0x40000000, 2, "rwx"));
		mkimage_map(mk, root, 0xfee00000, 1, mkimage_mmio(mk, 0xfee00000, 6));
		return mk;
	}
	table = mkimage_table(mk, 3, 0x100, false);
	mkimage_link(mk, root, 3, table);
	mkimage_set(mk, table, 7, mkimage_leaf(mk, 0x40000000, 3, "r"));
	mkimage_translate(mk, table, 7, 0x40000000, 1);
	mkimage_raw(mk, SPT_RAW_PAE_ROOT, 0);
	return mk;
}

/* Values that sit on somebody's edge. */
static uint64_t an_edge(void)
{
	static const uint64_t edges[] = { 0,	      1,	  7,	      8,
					  16,	      511,	  512,	      513,
					  4096,	      0x7fffffff, 0x80000000, 0xffffffff,
					  1ULL << 32, 1ULL << 52, 1ULL << 63, ~0ULL };
	uint64_t r = next_random();

	return r & 1 ? edges[r / 2 % (sizeof(edges) / sizeof(edges[0]))] : r >> (r / 2 % 64);
}

static void mutate(uint8_t *image, size_t *len)
{
	size_t at = next_random() % *len, from = next_random() % *len, n;
	uint64_t edge = an_edge();

	switch (next_random() % 8) {
	case 0:
		image[at] ^= (uint8_t)(1U << next_random() % 8);
		break;
	case 1: /* a word */
		if (*len >= 8)
			memcpy(image + at % (*len / 8) * 8, &edge, 8);
		break;
	case 2: /* half a word: types, lengths, counts */
		if (*len >= 4)
			memcpy(image + at % (*len / 4) * 4, &edge, 4);
		break;
	case 3: /* one word is another's: tables that are their own children */
		if (*len >= 8)
			memmove(image + at % (*len / 8) * 8, image + from % (*len / 8) * 8, 8);
		break;
	case 4: /* a stretch is another's: records twice, out of order */
		n = next_random() % 512 & ~7ULL;
		at &= ~7ULL;
		from &= ~7ULL;
		if (at + n <= *len && from + n <= *len)
			memmove(image + at, image + from, n);
		break;
	case 5:
		if (next_random() % 16 == 0)
			*len = at;
		break;
	default:
		image[at] = (uint8_t)edge;
		break;
	}
}

static void run(uint64_t rounds)
{
	for (uint64_t round = 0; round < rounds; round++) {
		const char *format = spt_format_name(round % 9);
		struct mkimage *mk = a_vm(format);
		size_t len, whole;
		uint8_t *image = mkimage_finish(mk, &whole);

		len = whole;
		for (uint64_t n = next_random() % 12 + 1; n && len; n--)
			mutate(image, &len);
		if (len == whole)
			mkimage_seal(image, len);
		LLVMFuzzerTestOneInput(image, len);
		use_image(image, len, 0);
		mkimage_free(mk);
	}
}

static int one_file(const char *path)
{
	static uint8_t bytes[1 << 24];
	FILE *f = fopen(path, "re");

	if (!f) {
		perror(path);
		return 2;
	}
	LLVMFuzzerTestOneInput(bytes, fread(bytes, 1, sizeof(bytes), f));
	return fclose(f) ? 2 : 0;
}

int main(int argc, char **argv)
{
	char *end;
	uint64_t rounds;

	if (argc < 2)
		return 2;
	rounds = strtoull(argv[1], &end, 10);
	if (*end)
		return one_file(argv[1]);
	state = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : 88172645463325252ULL;
	run(rounds);
	printf("%" PRIu64 " damaged images did no harm, %" PRIu64 " models were made of them\n",
	       rounds, loaded);
	return loaded < rounds / 4;
}

#endif
