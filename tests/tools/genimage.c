// SPDX-License-Identifier: GPL-2.0
/*
 * Writes images of guests of any size up to 4 TiB, piece by piece, faster than most
 * disks take them. Everything is a function of the seed and of the address, so that a
 * second image may differ from a first one in a known share of its pages.
 *
 *	genimage [--kind 4k|random|thp|fragmented|shadow] [--size 1T] [--format NAME]
 *		 [--seed N] [--changes PERCENT [--change-seed N] [--change-run PAGES]]
 *		 [--list] FILE
 *
 * 4k: contiguous frames; random: each page has any frame; thp: 2M pages; fragmented:
 * half of the memory as 2M pages, half as scattered 4K pages with gaps; shadow: the
 * tables of a guest's own 4K direct mapping. --list prints every change.
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decoders/builtin.h"
#include "tests/tools/guest.h"

#define BUFFER_BYTES (1U << 20)

/* The file being written. */
struct output {
	const char *path;
	int fd;
	uint64_t *buffer;
	size_t used;	/* words in the buffer */
	uint64_t words; /* before the buffer */
	uint64_t sum;
	uint64_t records, tables, entries;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "genimage: %s: %s\n", what, why);
	exit(2);
}

static void flush(struct output *o)
{
	const char *at = (const char *)o->buffer;
	size_t left = o->used * 8;

	for (size_t i = 0; i < o->used; i++)
		o->sum += o->buffer[i] * (2 * (o->words + i) + 1);
	while (left) {
		ssize_t n = write(o->fd, at, left);

		if (n <= 0)
			die(o->path, "cannot write: is the disk full?");
		at += n;
		left -= n;
	}
	o->words += o->used;
	o->used = 0;
}

static void put(struct output *o, const void *what, size_t bytes)
{
	if (o->used * 8 + bytes > BUFFER_BYTES)
		flush(o);
	memcpy(o->buffer + o->used, what, bytes);
	o->used += bytes / 8;
}

static void put_record(struct output *o, const void *rec)
{
	put(o, rec, ((const struct spt_rec *)rec)->len);
	o->records++;
}

static uint64_t used_chunks(const uint64_t *entry, uint64_t empty)
{
	uint64_t chunks = 0;

	for (int c = 0; c < SPT_TABLE_CHUNKS; c++)
		for (int i = 0; i < SPT_CHUNK_ENTRIES; i++)
			if (entry[c * SPT_CHUNK_ENTRIES + i] != empty) {
				chunks |= 1ULL << c;
				break;
			}
	return chunks;
}

static void put_chunks(struct output *o, const uint64_t *entry, uint64_t chunks)
{
	if (chunks == ~0ULL) {
		put(o, entry, SPT_TABLE_ENTRIES * 8);
		return;
	}
	for (int c = 0; c < SPT_TABLE_CHUNKS; c++)
		if (chunks >> c & 1)
			put(o, entry + c * SPT_CHUNK_ENTRIES, SPT_CHUNK_ENTRIES * 8);
}

static uint32_t chunks_bytes(uint64_t chunks)
{
	return __builtin_popcountll(chunks) * SPT_CHUNK_ENTRIES * 8;
}

static void put_translations(struct output *o, const struct guest *g, uint64_t sp, uint64_t gpa)
{
	uint64_t frame[SPT_TABLE_ENTRIES];
	struct spt_array array = {
		.rec = { SPT_REC_TRANSLATIONS, sizeof(array) + sizeof(frame) },
		.sp = sp,
		.chunks = ~0ULL,
	};

	for (int i = 0; i < SPT_TABLE_ENTRIES; i++)
		frame[i] = (gpa + i * 4096ULL) | 7;
	put(o, &array, sizeof(array));
	put(o, frame, sizeof(frame));
	o->records++;
}

/* The table of @level that holds @gpa, and what is below it. */
static void put_table(struct output *o, struct guest *g, int level, uint64_t gpa, uint64_t ptep)
{
	uint64_t entry[SPT_TABLE_ENTRIES], span = guest_span(level), chunks;
	struct spt_table table = {
		.page = guest_page(g, level, gpa, ptep),
		.empty = g->head.empty_spte,
	};

	guest_entries(g, level, gpa, entry);
	chunks = used_chunks(entry, table.empty);
	table.rec = (struct spt_rec){ SPT_REC_TABLE, sizeof(table) + chunks_bytes(chunks) };
	table.chunks = chunks;
	table.root = g->shadow ? 0 : guest_page(g, 4, 0, 0).sp;
	put(o, &table, sizeof(table));
	put_chunks(o, entry, chunks);
	o->records++;
	o->tables++;
	o->entries += chunks_bytes(chunks) / 8;
	if (g->shadow && level == 1)
		put_translations(o, g, table.page.sp, gpa);
	for (int i = 0; level > 1 && i < SPT_TABLE_ENTRIES; i++)
		if (guest_has_table(g, level - 1, gpa + i * span))
			put_table(o, g, level - 1, gpa + i * span,
				  table.page.hpa + (i + guest_first_index(g, level)) * 8);
}

static void put_values(struct output *o, enum spt_rec_type type, const uint64_t *value,
		       const uint64_t known[2], size_t count)
{
	struct spt_values head = { .rec = { type, sizeof(head) + count * 8 } };

	memcpy(head.known, known, sizeof(head.known));
	put(o, &head, sizeof(head));
	put(o, value, count * 8);
	o->records++;
}

static void put_vm(struct output *o, const struct guest *g)
{
	uint64_t value[SPT_VM_COUNT] = { 0 }, known[2] = { 0 };
	const struct {
		enum spt_vm_value nr;
		uint64_t value;
	} has[] = {
		{ SPT_VM_USERS_COUNT, 3 },
		{ SPT_VM_CREATED_VCPUS, 1 },
		{ SPT_VM_ONLINE_VCPUS, 1 },
		{ SPT_VM_N_USED_MMU_PAGES, g->shadow ? g->tables : 0 },
		{ SPT_VM_INDIRECT_SHADOW_PAGES, g->shadow ? g->tables : 0 },
		{ SPT_VM_TDP_MMU_PAGES, g->shadow ? 0 : g->tables - 1 },
		{ SPT_VM_MMU_INVALIDATE_SEQ, 12 },
		{ SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 0 },
		{ SPT_VM_PAGES_4K, g->pages_4k },
		{ SPT_VM_PAGES_2M, g->pages_2m },
		{ SPT_VM_PAGES_1G, 0 },
		{ SPT_VM_NX_LPAGE_SPLITS, 0 },
		{ SPT_VM_GENERATION_0, GUEST_GENERATION },
	};

	for (size_t i = 0; i < sizeof(has) / sizeof(has[0]); i++) {
		value[has[i].nr] = has[i].value;
		known[has[i].nr / 64] |= 1ULL << has[i].nr % 64;
	}
	put_values(o, SPT_REC_VM, value, known, SPT_VM_COUNT);
}

static void put_vcpu(struct output *o, const struct guest *g)
{
	uint64_t value[SPT_VCPU_COUNT] = { 0 }, known[2] = { 0 };
	const struct spt_page root = guest_page(g, 4, 0, 0);

	value[SPT_VCPU_CPU] = -1ULL;
	value[SPT_VCPU_ROOT_HPA] = root.hpa;
	value[SPT_VCPU_ROOT_ROLE] = root.role;
	known[0] = 1ULL << SPT_VCPU_ID | 1ULL << SPT_VCPU_IDX | 1ULL << SPT_VCPU_CPU |
		   1ULL << SPT_VCPU_ROOT_HPA | 1ULL << SPT_VCPU_ROOT_ROLE;
	put_values(o, SPT_REC_VCPU, value, known, SPT_VCPU_COUNT);
}

static void put_slots(struct output *o, const struct guest *g)
{
	for (int i = 0; i < g->slots; i++) {
		struct spt_slot slot = {
			.rec = { SPT_REC_SLOT, sizeof(slot) },
			.base_gfn = g->slot[i].gpa >> 12,
			.npages = g->slot[i].bytes >> 12,
			.hva = g->slot[i].hva,
			.generation = GUEST_GENERATION,
			.id = i,
			.known = SPT_SLOT_KNOWN_GMEM,
			.has_rmap = g->shadow,
		};

		put_record(o, &slot);
	}
}

static void put_end(struct output *o, const struct guest *g)
{
	struct spt_end end = {
		.rec = { SPT_REC_END, sizeof(end) },
		.records = o->records + 1,
		.tables = o->tables,
		.entries = o->entries,
		.seq_end = 12,
		.generation_end = { GUEST_GENERATION, 0 },
		.time_ns = g->head.time_ns,
	};

	put(o, &end, offsetof(struct spt_end, checksum));
	flush(o);
	put(o, &o->sum, sizeof(o->sum));
	o->sum = 0;
	flush(o);
}

static void put_image(struct output *o, struct guest *g)
{
	put_record(o, &g->head);
	put_record(o, &g->masks);
	put_vm(o, g);
	put_vcpu(o, g);
	put_slots(o, g);
	if (!g->shadow) {
		struct spt_root root = {
			.rec = { SPT_REC_ROOT, sizeof(root) },
			.page = guest_page(g, 4, 0, 0),
		};

		put_record(o, &root);
	}
	put_table(o, g, 4, 0, 0);
	put_vm(o, g);
	put_end(o, g);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);
	const char *suffix = *end ? strchr("KMGT", *end) : NULL;

	if (end == text || (*end && (!suffix || end[1])))
		die(text, "no number");
	return suffix ? value << 10 * (suffix - "KMGT" + 1) : value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "kind", 1, NULL, 'k' },
		{ "size", 1, NULL, 's' },
		{ "format", 1, NULL, 'f' },
		{ "seed", 1, NULL, 'r' },
		{ "changes", 1, NULL, 'c' },
		{ "change-seed", 1, NULL, 'd' },
		{ "change-run", 1, NULL, 'n' },
		{ "list", 0, NULL, 'l' },
		{ 0 },
	};
	struct guest_wish wish = {
		.kind = "4k", .size = 1ULL << 40, .seed = 1, .change_seed = 1, .change_run = 16
	};
	struct output o = { .fd = -1 };
	const char *wrong;
	struct guest g;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'k':
			wish.kind = optarg;
			break;
		case 's':
			wish.size = number(optarg);
			break;
		case 'f':
			wish.format = optarg;
			break;
		case 'r':
			wish.seed = number(optarg);
			break;
		case 'c':
			wish.changes = strtod(optarg, NULL);
			break;
		case 'd':
			wish.change_seed = number(optarg);
			break;
		case 'n':
			wish.change_run = number(optarg);
			break;
		case 'l':
			wish.list = true;
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc)
		die("FILE", "exactly one is needed");
	wrong = guest_init(&g, &wish);
	if (wrong)
		die(wish.kind, wrong);
	o.path = argv[optind];
	o.fd = open(o.path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	o.buffer = malloc(BUFFER_BYTES);
	if (o.fd < 0 || !o.buffer)
		die(o.path, "cannot create");
	put_image(&o, &g);
	free(o.buffer);
	if (close(o.fd))
		die(o.path, "cannot write");
	return 0;
}
