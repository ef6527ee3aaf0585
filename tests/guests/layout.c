// SPDX-License-Identifier: GPL-2.0
/* The slots, and the accesses made before READY: the single source of both. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "pages.h"

#define SPARSE_GPA 0x100000000ULL /* above everything that has a place of its own */

/*
 * Slot ids are also the index here. The sizes of 'sparse' and 'dense' come from
 * the options; a slot of size 0 is left out.
 */
/* clang-format off */
static const struct slot slot_table[] = {
	{ .id = 0, .name = "system", .gpa = 0, .size = 4 * SIZE_2M,
	  .backing = BACKING_ANON, .guest_page = SIZE_4K },
	{ .id = 1, .name = "anon", .gpa = 0x10000000, .size = 2 * SIZE_2M,
	  .backing = BACKING_ANON, .guest_page = SIZE_4K },
	{ .id = 2, .name = "thp", .gpa = 0x20000000, .size = 4 * SIZE_2M,
	  .backing = BACKING_THP, .guest_page = SIZE_2M },
	{ .id = 3, .name = "hugetlb-2m", .gpa = 0x30000000, .size = 2 * SIZE_2M,
	  .backing = BACKING_HUGETLB_2M, .guest_page = SIZE_2M, .guest_nx = true },
	{ .id = 4, .name = "hugetlb-1g", .gpa = 0x80000000, .size = SIZE_1G,
	  .backing = BACKING_HUGETLB_1G, .guest_page = SIZE_1G },
	{ .id = 5, .name = "readonly", .gpa = 0x40000000, .size = 0x40000,
	  .backing = BACKING_ANON, .guest_page = SIZE_4K, .flags = KVM_MEM_READONLY },
	{ .id = 6, .name = "alias-a", .gpa = 0x50000000, .size = 0x100000,
	  .backing = BACKING_ANON, .guest_page = SIZE_4K },
	{ .id = 7, .name = "alias-b", .gpa = 0x58000000, .size = 0x100000,
	  .backing = BACKING_ALIAS, .alias_of = 6, .guest_page = SIZE_4K },
	{ .id = 8, .name = "dirty", .gpa = 0x60000000, .size = 2 * SIZE_2M,
	  .backing = BACKING_THP, .guest_page = SIZE_2M, .flags = KVM_MEM_LOG_DIRTY_PAGES },
	{ .id = 9, .name = "skewed", .gpa = 0x68000000, .size = 2 * SIZE_2M,
	  .backing = BACKING_THP, .skew = SIZE_4K, .guest_page = SIZE_2M },
	{ .id = 10, .name = "mmio", .gpa = 0x70000000, .size = 0x10000,
	  .backing = BACKING_NONE, .guest_page = SIZE_4K },
	{ .id = 11, .name = "churn", .gpa = 0x78000000, .size = 2 * SIZE_2M,
	  .backing = BACKING_THP, .guest_page = SIZE_4K },
	{ .id = 12, .name = "sparse", .gpa = SPARSE_GPA, .size = 0,
	  .backing = BACKING_ANON, .guest_page = SIZE_2M },
	{ .id = 13, .name = "dense", .gpa = SPARSE_GPA, .size = 0,
	  .backing = BACKING_ANON, .guest_page = SIZE_2M },
	/* Two huge pages, but for their first and last 4K. */
	{ .id = 14, .name = "edge", .gpa = 0x48001000, .size = 2 * SIZE_2M - 2 * SIZE_4K,
	  .backing = BACKING_THP, .room = SIZE_4K, .guest_page = SIZE_4K, .extra = true },
	{ .id = 15, .name = "device", .gpa = 0x4c0f0000, .size = 0x10000,
	  .backing = BACKING_DEVICE, .guest_page = SIZE_4K, .extra = true },
	{ .id = 16, .name = "gmem", .gpa = 0x54000000, .size = 2 * SIZE_2M,
	  .backing = BACKING_GMEM, .guest_page = SIZE_2M, .extra = true },
	{ .id = 17, .name = "file", .gpa = 0x5c000000, .size = 2 * SIZE_2M,
	  .backing = BACKING_FILE, .guest_page = SIZE_4K },
};

enum { SLOT_SPARSE = 12, SLOT_DENSE = 13 };

/* gpa is relative to the slot's; count 0: set by the options. */
static const struct touch touch_table[] = {
	{ .slot = 1, .gpa = 0, .count = 256, .stride = SIZE_4K, .access = 'w',
	  .page_size = SIZE_4K, .perm = "rwx" },
	{ .slot = 1, .gpa = 0x180000, .count = 1, .stride = SIZE_4K, .access = 'x',
	  .page_size = SIZE_4K, .perm = "rwx" },
	/* A read of memory that was never written maps the host's zero page. */
	{ .slot = 1, .gpa = 0x200000, .count = 4, .stride = SIZE_4K, .access = 'r',
	  .page_size = SIZE_4K, .perm = "r-x" },
	{ .slot = 2, .gpa = 0, .count = 3, .stride = SIZE_2M, .access = 'w',
	  .page_size = SIZE_2M, .perm = "rwx" },
	{ .slot = 3, .gpa = 0x5000, .count = 1, .stride = SIZE_2M, .access = 'w',
	  .page_size = SIZE_2M, .perm = "rwx" },
	{ .slot = 4, .gpa = 0x12345000, .count = 1, .stride = SIZE_1G, .access = 'w',
	  .page_size = SIZE_1G, .perm = "rwx" },
	{ .slot = 5, .gpa = 0, .count = 16, .stride = SIZE_4K, .access = 'r',
	  .page_size = SIZE_4K, .perm = "r-x" },
	{ .slot = 6, .gpa = 0, .count = 8, .stride = SIZE_4K, .access = 'w',
	  .page_size = SIZE_4K, .perm = "rwx" },
	{ .slot = 7, .gpa = 0, .count = 8, .stride = SIZE_4K, .access = 'r',
	  .page_size = SIZE_4K, .perm = "rwx" },
	/*
	 * Logged: 4K though the memory behind is huge. All 16 pages are written, fetching
	 * the log makes them read-only, and 8 are written again.
	 */
	{ .slot = 8, .gpa = 0, .count = 16, .stride = SIZE_4K, .access = 'w' },
	{ .slot = 8, .gpa = 0x8000, .count = 8, .stride = SIZE_4K, .access = ACCESS_LOG,
	  .page_size = SIZE_4K, .perm = "r-x" },
	{ .slot = 8, .gpa = 0, .count = 8, .stride = SIZE_4K, .access = 'w',
	  .page_size = SIZE_4K, .perm = "rwx" },
	{ .slot = 9, .gpa = 0x100000, .count = 16, .stride = SIZE_4K, .access = 'w',
	  .page_size = SIZE_4K, .perm = "rwx" },
	{ .slot = 10, .gpa = 0, .count = 2, .stride = SIZE_4K, .access = 'r' },
	{ .slot = 10, .gpa = 0x4000, .count = 1, .stride = SIZE_4K, .access = 'w' },
	{ .slot = SLOT_SPARSE, .gpa = 0x7000, .count = 0, .stride = SIZE_2M, .access = 'w',
	  .page_size = SIZE_4K, .perm = "rwx" },
	{ .slot = SLOT_DENSE, .gpa = 0, .count = 0, .stride = SIZE_4K, .access = 'w',
	  .page_size = SIZE_4K, .perm = "rwx" },
};
/* clang-format on */

static const char *const backing_name[] = {
	[BACKING_ANON] = "anon-4k",
	[BACKING_THP] = "thp",
	[BACKING_HUGETLB_2M] = "hugetlb-2m",
	[BACKING_HUGETLB_1G] = "hugetlb-1g",
	[BACKING_DEVICE] = "device",
	[BACKING_GMEM] = "guest-memfd",
	[BACKING_FILE] = "file",
	[BACKING_ALIAS] = "alias",
	[BACKING_NONE] = "none",
};

/* What the options make of the slots. */
static void layout_sizes(struct guest *g)
{
	struct slot *sparse = &g->slot[SLOT_SPARSE];
	struct slot *dense = &g->slot[SLOT_DENSE];

	sparse->size = g->opt.sparse_gib * SIZE_1G;
	dense->size = g->opt.dense_tables * SIZE_2M;
	dense->gpa = sparse->gpa + sparse->size;
	if (!sparse->size)
		sparse->skipped = "not asked for (--sparse-gib)";
	if (!dense->size)
		dense->skipped = "not asked for (--dense-tables)";

	for (int i = 0; i < g->slot_count; i++)
		if (g->slot[i].extra && !g->opt.extra)
			g->slot[i].skipped = "not asked for (--extra)";
		else if (g->slot[i].backing == BACKING_FILE && !g->opt.file)
			g->slot[i].skipped = "not asked for (--file)";
}

int layout_init(struct guest *g)
{
	const struct touch *touches = g->opt.tdx ? tdx_touch_table : touch_table;
	int count =
		g->opt.tdx ? tdx_touch_count : (int)(sizeof(touch_table) / sizeof(touch_table[0]));

	g->slot_count =
		g->opt.tdx ? tdx_slot_count : (int)(sizeof(slot_table) / sizeof(slot_table[0]));
	memcpy(g->slot, g->opt.tdx ? tdx_slot_table : slot_table,
	       g->slot_count * sizeof(g->slot[0]));
	for (int i = 0; i < g->slot_count; i++)
		g->slot[i].shared_mask = g->shared_mask;
	if (!g->opt.tdx)
		layout_sizes(g);

	g->touch_count = 0;
	for (int i = 0; i < count; i++) {
		struct touch t = touches[i];

		if (!g->opt.tdx && t.slot == SLOT_SPARSE)
			t.count = g->slot[SLOT_SPARSE].size / SIZE_2M;
		else if (!g->opt.tdx && t.slot == SLOT_DENSE)
			t.count = g->slot[SLOT_DENSE].size / SIZE_4K;
		t.gpa += g->slot[t.slot].gpa + (t.shared ? g->shared_mask : 0);
		g->touch[g->touch_count++] = t;
	}
	return 0;
}

/* Why the options cannot be met by this processor, or NULL. */
const char *layout_check(const struct guest *g)
{
	const struct slot *last = &g->slot[SLOT_DENSE];
	uint64_t end = last->gpa + last->size;

	if (g->opt.pae && (g->opt.sparse_gib || g->opt.dense_tables || g->opt.tdx))
		return "--pae: the guest's addresses end at 4 GiB, without --sparse-gib, --dense-tables, --tdx";
	if (end > 512 * SIZE_1G)
		return "--sparse-gib and --dense-tables reach past 512 GiB, the reach of one PDPT";
	if (g->maxphyaddr < 64 && end > 1ULL << g->maxphyaddr)
		return "--sparse-gib and --dense-tables reach past the guest's physical addresses";
	return NULL;
}

struct slot *layout_slot(struct guest *g, int id)
{
	if (id < 0 || id >= g->slot_count)
		return NULL;
	return &g->slot[id];
}

struct slot *layout_find(struct guest *g, uint64_t gpa, uint64_t len)
{
	gpa &= ~g->shared_mask;
	for (int i = 0; i < g->slot_count; i++) {
		struct slot *s = &g->slot[i];

		if (s->size && gpa >= s->gpa && gpa - s->gpa < s->size &&
		    len <= s->size - (gpa - s->gpa))
			return s;
	}
	return NULL;
}

bool layout_promises(const struct guest *g, const struct touch *t)
{
	const struct slot *s = &g->slot[t->slot];

	if (s->skipped || !t->count)
		return false;
	return t->page_size || s->backing == BACKING_NONE;
}

static void print_slot(const struct slot *s, FILE *out)
{
	fprintf(out,
		"{\"id\":%d,\"name\":\"%s\",\"base_gpa\":\"0x%" PRIx64 "\",\"size\":%" PRIu64
		",\"hva\":",
		s->id, s->name, s->gpa, s->size);
	if (s->hva)
		fprintf(out, "\"0x%" PRIx64 "\"", (uint64_t)(uintptr_t)s->hva);
	else
		fprintf(out, "null");
	fprintf(out, ",\"flags\":[");
	if (s->flags & KVM_MEM_LOG_DIRTY_PAGES)
		fprintf(out, "\"log-dirty\"");
	if (s->flags & KVM_MEM_READONLY)
		fprintf(out, "\"readonly\"");
	fprintf(out, "],\"backing\":\"%s\",\"alias_of\":", backing_name[s->backing]);
	if (s->backing == BACKING_ALIAS)
		fprintf(out, "%d", s->alias_of);
	else
		fprintf(out, "null");
	fprintf(out, ",\"guest_page_size\":%" PRIu64 ",\"guest_perm\":\"%s\",\"registered\":%s,",
		s->guest_page, s->guest_nx ? "rw-" : "rwx", s->registered ? "true" : "false");
	if (s->private)
		fprintf(out, "\"private\":true,\"gmem_offset\":%" PRIu64 ",", s->gmem_offset);
	if (s->skipped)
		fprintf(out, "\"skipped\":\"%s\"}", s->skipped);
	else
		fprintf(out, "\"skipped\":null}");
}

static void print_touch(const struct guest *g, const struct touch *t, FILE *out)
{
	const struct slot *s = &g->slot[t->slot];
	/* Shadow paging maps no page larger than the guest does. */
	uint64_t shadow_size = t->page_size < s->guest_page ? t->page_size : s->guest_page;

	fprintf(out,
		"{\"slot\":%d,\"gpa\":\"0x%" PRIx64 "\",\"count\":%" PRIu64 ",\"stride\":%" PRIu64
		",\"access\":\"%c\",",
		t->slot, t->gpa, t->count, t->stride, t->access);
	if (!t->page_size)
		fprintf(out, "\"type\":\"mmio\"}");
	else
		fprintf(out,
			"\"type\":\"leaf\",\"page_size\":%" PRIu64 ",\"perm\":\"%s\","
			"\"shadow_page_size\":%" PRIu64
			",\"shadow_perm\":\"%c%c%c\",\"note\":%s%s%s}",
			t->page_size, t->perm, shadow_size, t->perm[0], t->perm[1],
			s->guest_nx ? '-' : t->perm[2], t->note ? "\"" : "",
			t->note ? t->note : "null", t->note ? "\"" : "");
}

/* One line of JSON, without a newline. */
void layout_print(const struct guest *g, FILE *out)
{
	const char *comma = "";

	fprintf(out,
		"{\"name\":\"%s\",\"pid\":%d,\"vm_fd\":%d,\"vcpus\":%d,\"gdt_base\":\"0x%" PRIx64
		"\",\"maxphyaddr\":%u,\"shared_mask\":\"0x%" PRIx64 "\","
		"\"gva_base\":\"0x%" PRIx64 "\",\"cr3\":\"0x%lx\",\"guest_levels\":%d,"
		"\"code_gpa\":\"0x%lx\",\"mailbox_gpa\":\"0x%lx\",\"ready\":%s,\"slots\":[",
		g->opt.name, getpid(), g->vm_fd, g->vcpu_count, vm_identity(0), g->maxphyaddr,
		g->shared_mask, guest_base(g), TABLES_GPA, guest_levels(g), CODE_GPA, MAILBOX_GPA,
		g->touched ? "true" : "false");
	for (int i = 0; i < g->slot_count; i++) {
		if (g->slot[i].backing == BACKING_NONE)
			continue;
		fputs(comma, out);
		print_slot(&g->slot[i], out);
		comma = ",";
	}
	fprintf(out, "],\"holes\":[");
	comma = "";
	for (int i = 0; i < g->slot_count; i++) {
		if (g->slot[i].backing != BACKING_NONE)
			continue;
		fprintf(out,
			"%s{\"name\":\"%s\",\"base_gpa\":\"0x%" PRIx64 "\",\"size\":%" PRIu64 "}",
			comma, g->slot[i].name, g->slot[i].gpa, g->slot[i].size);
		comma = ",";
	}
	fprintf(out, "],\"touched\":[");
	comma = "";
	for (int i = 0; g->touched && i < g->touch_count; i++) {
		const struct touch *t = &g->touch[i];

		if (!layout_promises(g, t))
			continue;
		fputs(comma, out);
		print_touch(g, t, out);
		comma = ",";
	}
	fprintf(out, "],\"guest_tables\":[");
	tables_print(g, out);
	fprintf(out, "]}");
}
