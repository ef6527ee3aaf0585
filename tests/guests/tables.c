// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's page tables: 4 levels, with --pae 3, in the system slot, one page after another
 * from TABLES_GPA in the order in which they are needed. Accessed and dirty bits
 * are set from the start, so that running the guest does not change a table.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "pages.h"

#define PTE_P	 (1ULL << 0)
#define PTE_W	 (1ULL << 1)
#define PTE_A	 (1ULL << 5)
#define PTE_D	 (1ULL << 6)
#define PTE_PS	 (1ULL << 7)
#define PTE_NX	 (1ULL << 63)
#define PTE_ADDR 0x000ffffffffff000ULL
#define ENTRIES	 512

static uint64_t *table_at(const struct guest *g, uint64_t gpa)
{
	return (uint64_t *)((g->system_copy ? g->system_copy : g->slot[0].hva) + gpa);
}

static int level_of(uint64_t page_size)
{
	return page_size == SIZE_1G ? 3 : page_size == SIZE_2M ? 2 : 1;
}

static int map_page(struct guest *g, uint64_t gva, uint64_t gpa, int leaf, uint64_t flags)
{
	uint64_t *table = table_at(g, TABLES_GPA);

	for (int level = guest_levels(g);; level--) {
		uint64_t *entry = &table[gva >> (12 + 9 * (level - 1)) & (ENTRIES - 1)];

		if (level == leaf) {
			*entry = gpa | flags | (level > 1 ? PTE_PS : 0);
			return 0;
		}
		if (!*entry) {
			if (g->tables_end + SIZE_4K > g->slot[0].size)
				return -ENOSPC;
			/* The other bits are reserved in the four entries at the top of PAE. */
			*entry = g->tables_end | PTE_P |
				 (g->opt.pae && level == 3 ? 0 : PTE_W | PTE_A);
			g->tables_end += SIZE_4K;
		}
		table = table_at(g, *entry & PTE_ADDR);
	}
}

/* half: bits of every GPA. */
static int map_half(struct guest *g, const struct slot *s, uint64_t half)
{
	uint64_t flags = PTE_P | PTE_W | PTE_A | PTE_D | (s->guest_nx ? PTE_NX : 0);

	for (uint64_t at = 0; at < s->size; at += s->guest_page) {
		uint64_t gpa = s->gpa + at + half;
		int err = map_page(g, guest_base(g) + gpa, gpa, level_of(s->guest_page), flags);

		if (err)
			return err;
	}
	return 0;
}

static int map_slot(struct guest *g, const struct slot *s)
{
	int err = !g->shared_mask || s->private ? map_half(g, s, 0) : 0;

	return err || !g->shared_mask ? err : map_half(g, s, g->shared_mask);
}

/* -ENOSPC: the system slot is too small for the tables of what was asked for. */
int tables_build(struct guest *g)
{
	g->tables_end = TABLES_GPA + SIZE_4K;
	for (int i = 0; i < g->slot_count; i++) {
		if (g->slot[i].skipped)
			continue;
		int err = map_slot(g, &g->slot[i]);

		if (err)
			return err;
	}
	return 0;
}

/* Neighbours that differ by a constant are one run: index, count, first entry, step. */
static void print_runs(const uint64_t *table, FILE *out)
{
	const char *comma = "";

	for (int i = 0; i < ENTRIES;) {
		int count = 1;
		uint64_t step = 0;

		if (!table[i]) {
			i++;
			continue;
		}
		if (i + 1 < ENTRIES && table[i + 1]) {
			step = table[i + 1] - table[i];
			while (i + count < ENTRIES && table[i + count] &&
			       table[i + count] - table[i + count - 1] == step)
				count++;
		}
		fprintf(out,
			"%s{\"index\":%d,\"count\":%d,\"entry\":\"0x%" PRIx64
			"\",\"step\":\"0x%" PRIx64 "\"}",
			comma, i, count, table[i], count > 1 ? step : 0);
		comma = ",";
		i += count;
	}
}

static void print_table(const struct guest *g, uint64_t gpa, int level, uint64_t gva, FILE *out)
{
	const uint64_t *table = table_at(g, gpa);

	fprintf(out,
		"%s{\"gpa\":\"0x%" PRIx64 "\",\"level\":%d,\"gva\":\"0x%" PRIx64 "\",\"runs\":[",
		level == guest_levels(g) ? "" : ",", gpa, level, gva);
	print_runs(table, out);
	fprintf(out, "]}");
	if (level == 1)
		return;
	for (int i = 0; i < ENTRIES; i++)
		if (table[i] && !(level < guest_levels(g) && table[i] & PTE_PS))
			print_table(g, table[i] & PTE_ADDR, level - 1,
				    gva | (uint64_t)i << (12 + 9 * (level - 1)), out);
}

/* Every guest table, pre-order; gva is the first address that it translates. */
void tables_print(const struct guest *g, FILE *out)
{
	if (g->slot[0].hva)
		print_table(g, TABLES_GPA, guest_levels(g), 0, out);
}
