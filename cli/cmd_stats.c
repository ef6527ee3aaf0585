// SPDX-License-Identifier: GPL-2.0
/* `stats`: what the tables hold, and what they cost. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/address.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "cli/show_halves.h"
#include "cli/table.h"
#include "cli/target.h"
#include "spt/stats.h"

/* The lists that `stats` is made of: name, title. */
#define STATS_LISTS(L)                                                                             \
	L(TABLES, tables, "page tables")                                                           \
	L(ENTRIES, entries, "entries by type")                                                     \
	L(LEAVES, leaves, "leaves by page size and permission")                                    \
	L(SLOTS, slots, "memory slots by root")                                                    \
	L(HALVES, halves, "private and shared memory")                                             \
	L(CAUSES, causes, "why no larger pages: the cause that decides, and where it holds")       \
	L(NODES, nodes, "NUMA nodes of the host's pages")

enum stats_list {
#define L(id, name, title) LIST_##id,
	STATS_LISTS(L)
#undef L
		NR_LISTS,
};

static const char *const list_names[] = {
#define L(id, name, title) #name,
	STATS_LISTS(L)
#undef L
		NULL,
};

static const char *const list_titles[] = {
#define L(id, name, title) title,
	STATS_LISTS(L)
#undef L
};

enum { TABLES_LEVEL, TABLES_TABLES, TABLES_LINKS, TABLES_DETACHED, TABLES_RAW, TABLES_BYTES };
static const struct cli_column tables_columns[] = {
	[TABLES_LEVEL] = { "level", 5, CLI_COL_RIGHT, "1: its entries map 4K" },
	[TABLES_TABLES] = { "tables", 8, CLI_COL_RIGHT, "each counted once" },
	[TABLES_LINKS] = { "links", 8, CLI_COL_RIGHT, "places where they hang" },
	[TABLES_DETACHED] = { "detached", 8, CLI_COL_RIGHT, "no root leads to them" },
	[TABLES_RAW] = { "raw", 5, CLI_COL_RIGHT, "root tables without a kvm_mmu_page" },
	[TABLES_BYTES] = { "bytes", 9, CLI_COL_RIGHT,
			   "memory: tables, shadowed translations, external tables" },
	{ NULL },
};

enum { ENTRIES_LEVEL, ENTRIES_TABLE, ENTRIES_LEAF, ENTRIES_MMIO, ENTRIES_FROZEN, ENTRIES_LEFTOVER };
static const struct cli_column entries_columns[] = {
	[ENTRIES_LEVEL] = { "level", 5, CLI_COL_RIGHT, "of the table that holds them" },
	[ENTRIES_TABLE] = { "table", 10, CLI_COL_RIGHT, "lead to a table" },
	[ENTRIES_LEAF] = { "leaf", 10, CLI_COL_RIGHT, "map a page" },
	[ENTRIES_MMIO] = { "mmio", 8, CLI_COL_RIGHT, "cached MMIO" },
	[ENTRIES_FROZEN] = { "frozen", 8, CLI_COL_RIGHT, "being changed" },
	[ENTRIES_LEFTOVER] = { "leftover", 8, CLI_COL_RIGHT, "not present, but not empty" },
	{ NULL },
};

enum {
	LEAVES_SIZE,
	LEAVES_PERM,
	LEAVES_LEAVES,
	LEAVES_BYTES,
	LEAVES_ACCESSED,
	LEAVES_DIRTY,
	LEAVES_TRACKED
};
static const struct cli_column leaves_columns[] = {
	[LEAVES_SIZE] = { "page_size", 9, CLI_COL_RIGHT, "of the leaf" },
	[LEAVES_PERM] = { "perm", 4, 0, "what the hardware allows" },
	[LEAVES_LEAVES] = { "leaves", 10, CLI_COL_RIGHT, "entries" },
	[LEAVES_BYTES] = { "bytes", 9, CLI_COL_RIGHT, "that they map" },
	[LEAVES_ACCESSED] = { "accessed", 10, CLI_COL_RIGHT, "leaves with A set" },
	[LEAVES_DIRTY] = { "dirty", 10, CLI_COL_RIGHT, "leaves with D set" },
	[LEAVES_TRACKED] = { "access_tracked", 14, CLI_COL_RIGHT,
			     "permissions taken to see the next access" },
	{ NULL },
};

enum {
	SLOTS_ROOT,
	SLOTS_KIND,
	SLOTS_AS_ID,
	SLOTS_SLOT,
	SLOTS_GPA,
	SLOTS_SIZE,
	SLOTS_MAPPED,
	SLOTS_HOLES,
	SLOTS_4K,
	SLOTS_2M,
	SLOTS_1G,
	SLOTS_SHARE
};
static const struct cli_column slots_columns[] = {
	[SLOTS_ROOT] = { "root", 18, 0, "physical address of the root" },
	[SLOTS_KIND] = { "kind", 8, 0, "of the root: direct, shadow, nested, mirror, external" },
	[SLOTS_AS_ID] = { "as_id", 5, CLI_COL_RIGHT, "address space: 0, or 1 for SMM" },
	[SLOTS_SLOT] = { "slot", 5, CLI_COL_RIGHT, "id of the memory slot" },
	[SLOTS_GPA] = { "base_gpa", 18, 0, "first address of the slot" },
	[SLOTS_SIZE] = { "size", 9, CLI_COL_RIGHT, "bytes of the slot" },
	[SLOTS_MAPPED] = { "mapped", 9, CLI_COL_RIGHT, "bytes of it that are mapped" },
	[SLOTS_HOLES] = { "holes", 9, CLI_COL_RIGHT, "bytes of it that are not" },
	[SLOTS_4K] = { "mapped_4k", 9, CLI_COL_RIGHT, "bytes mapped by 4K pages" },
	[SLOTS_2M] = { "mapped_2m", 9, CLI_COL_RIGHT, "bytes mapped by 2M pages" },
	[SLOTS_1G] = { "mapped_1g", 9, CLI_COL_RIGHT, "bytes mapped by 1G pages" },
	[SLOTS_SHARE] = { "huge_share", 10, CLI_COL_RIGHT,
			  "of what is mapped, by 2M and 1G pages" },
	{ NULL },
};

enum {
	CAUSES_ROOT,
	CAUSES_AS_ID,
	CAUSES_SLOT,
	CAUSES_SIZE,
	CAUSES_CAUSE,
	CAUSES_BYTES,
	CAUSES_SHARE,
	CAUSES_HOLDS
};
static const struct cli_column causes_columns[] = {
	[CAUSES_ROOT] = { "root", 18, 0, "physical address of the root" },
	[CAUSES_AS_ID] = { "as_id", 5, CLI_COL_RIGHT, "address space: 0, or 1 for SMM" },
	[CAUSES_SLOT] = { "slot", 5, CLI_COL_RIGHT, "id of the memory slot" },
	[CAUSES_SIZE] = { "page_size", 9, CLI_COL_RIGHT, "that it is mapped by" },
	[CAUSES_CAUSE] = { "cause", 18, 0, "as `why` names it" },
	[CAUSES_BYTES] = { "bytes", 9, CLI_COL_RIGHT, "where it is the one that decides" },
	[CAUSES_SHARE] = { "share", 6, CLI_COL_RIGHT, "of the slot's bytes mapped by this size" },
	[CAUSES_HOLDS] = { "holds", 9, CLI_COL_RIGHT, "bytes where it is true, whatever decides" },
	{ NULL },
};

enum { NODES_NODE, NODES_BYTES };
static const struct cli_column nodes_columns[] = {
	[NODES_NODE] = { "node", 5, CLI_COL_RIGHT, "NUMA node" },
	[NODES_BYTES] = { "bytes", 9, CLI_COL_RIGHT, "mapped" },
	{ NULL },
};

static const struct cli_option options[] = {
	{ .name = "only",
	  .letter = 'l',
	  .arg = "LISTS",
	  .help = "print these lists alone",
	  .words = list_names,
	  .list = true },
	{ .name = "threads",
	  .letter = 't',
	  .arg = "N",
	  .help = "count on so many threads (default: as many as pay)" },
	{ NULL },
};

static void set_share(struct cli_table *t, int col, uint64_t part, uint64_t whole)
{
	if (whole)
		cli_cell_both(t, col, json_object_new_double((double)part / whole), "%.1f%%",
			      (double)part * 100 / whole);
	else
		cli_cell_na(t, col);
}

static void add_tables(struct cli_table *t, const struct spt_stats *s)
{
	for (int level = SPT_MAX_LEVEL; level >= 1; level--) {
		const struct spt_table_count *c = &s->table[level];

		if (!c->tables)
			continue;
		cli_table_row(t);
		cli_cell_number(t, TABLES_LEVEL, level);
		cli_cell_number(t, TABLES_TABLES, c->tables);
		cli_cell_number(t, TABLES_LINKS, c->links);
		cli_cell_number(t, TABLES_DETACHED, c->detached);
		cli_cell_number(t, TABLES_RAW, c->raw);
		cli_cell_size(t, TABLES_BYTES, c->pages << SPT_PAGE_SHIFT);
	}
}

static void add_entries(struct cli_table *t, const struct spt_stats *s)
{
	static const enum spt_spte_type types[] = {
		[ENTRIES_TABLE] = SPT_SPTE_TABLE,	  [ENTRIES_LEAF] = SPT_SPTE_LEAF,
		[ENTRIES_MMIO] = SPT_SPTE_MMIO,		  [ENTRIES_FROZEN] = SPT_SPTE_FROZEN,
		[ENTRIES_LEFTOVER] = SPT_SPTE_NONPRESENT,
	};

	for (int level = SPT_MAX_LEVEL; level >= 1; level--) {
		if (!s->table[level].tables)
			continue;
		cli_table_row(t);
		cli_cell_number(t, ENTRIES_LEVEL, level);
		for (int col = ENTRIES_TABLE; col <= ENTRIES_LEFTOVER; col++)
			cli_cell_number(t, col, s->entries[level][types[col]]);
	}
}

static void set_known(struct cli_table *t, int col, uint64_t count, bool known)
{
	if (known)
		cli_cell_number(t, col, count);
	else
		cli_cell_na(t, col);
}

static void add_leaves(struct cli_table *t, const struct spt_model *model,
		       const struct spt_stats *s)
{
	char perm[SPT_PERM_TEXT];

	for (int level = SPT_MAX_LEVEL; level >= 1; level--)
		for (int i = SPT_STATS_PERMS - 1; i >= 0; i--) {
			const struct spt_leaf_count *c = &s->leaf[level][i];

			if (!c->leaves)
				continue;
			cli_table_row(t);
			cli_cell_size(t, LEAVES_SIZE, spt_level_size(level));
			cli_cell_string(t, LEAVES_PERM, spt_perm_text(&model->format, i, perm));
			cli_cell_number(t, LEAVES_LEAVES, c->leaves);
			cli_cell_size(t, LEAVES_BYTES, c->leaves * spt_level_size(level));
			set_known(t, LEAVES_ACCESSED, c->accessed, c->no_accessed < c->leaves);
			set_known(t, LEAVES_DIRTY, c->dirty, c->no_dirty < c->leaves);
			cli_cell_number(t, LEAVES_TRACKED, c->access_tracked);
		}
}

static void set_slot(struct cli_table *t, int root, int as_id, int slot,
		     const struct spt_slot_count *row)
{
	if (row->root)
		cli_cell_address(t, root, row->root->hpa);
	else
		cli_cell_both(t, root, NULL, "-");
	if (row->slot)
		cli_cell_number(t, as_id, row->slot->slot->as_id);
	else if (row->root)
		cli_cell_number(t, as_id, row->root->as_id);
	if (row->slot)
		cli_cell_number(t, slot, row->slot->slot->id);
	else
		cli_cell_both(t, slot, NULL, "-");
}

static void add_slots(struct cli_table *t, const struct spt_stats *s)
{
	for (size_t i = 0; i < s->nr_slots; i++) {
		const struct spt_slot_count *row = &s->slot[i];
		uint64_t mapped = spt_slot_count_mapped(row);

		cli_table_row(t);
		set_slot(t, SLOTS_ROOT, SLOTS_AS_ID, SLOTS_SLOT, row);
		cli_cell_string(t, SLOTS_KIND,
				row->root ? spt_root_kind_name(row->root->kind) : "shadow");
		if (row->slot) {
			cli_cell_address(t, SLOTS_GPA, row->slot->slot->base_gfn << SPT_PAGE_SHIFT);
			cli_cell_size(t, SLOTS_SIZE, row->bytes);
		}
		cli_cell_size(t, SLOTS_MAPPED, mapped);
		/* Virtual addresses may map one page many times: what is left cannot be told. */
		if (row->root && row->slot)
			cli_cell_size(t, SLOTS_HOLES, spt_slot_count_holes(row));
		else
			cli_cell_na(t, SLOTS_HOLES);
		cli_cell_size(t, SLOTS_4K, row->share.bytes[1]);
		cli_cell_size(t, SLOTS_2M, row->share.bytes[2]);
		cli_cell_size(t, SLOTS_1G, row->share.bytes[3]);
		set_share(t, SLOTS_SHARE, mapped - row->share.bytes[1], mapped);
	}
}

static void add_causes(struct cli_table *t, const struct spt_stats *s)
{
	for (size_t i = 0; i < s->nr_slots; i++)
		for (int level = 1; level <= 2; level++)
			for (int cause = 0; cause < SPT_CAUSE_COUNT; cause++) {
				const struct spt_slot_count *row = &s->slot[i];

				if (!row->share.held[level][cause])
					continue;
				cli_table_row(t);
				set_slot(t, CAUSES_ROOT, CAUSES_AS_ID, CAUSES_SLOT, row);
				cli_cell_size(t, CAUSES_SIZE, spt_level_size(level));
				cli_cell_string(t, CAUSES_CAUSE, spt_causes[cause].name);
				cli_cell_size(t, CAUSES_BYTES, row->share.decided[level][cause]);
				set_share(t, CAUSES_SHARE, row->share.decided[level][cause],
					  row->share.bytes[level]);
				cli_cell_size(t, CAUSES_HOLDS, row->share.held[level][cause]);
			}
}

static void add_nodes(struct cli_table *t, const struct spt_stats *s)
{
	for (int node = 0; node < SPT_NUMA_NODES; node++) {
		if (!s->node_bytes[node])
			continue;
		cli_table_row(t);
		cli_cell_number(t, NODES_NODE, node);
		cli_cell_size(t, NODES_BYTES, s->node_bytes[node]);
	}
	if (s->no_node_bytes) {
		cli_table_row(t);
		cli_cell_na(t, NODES_NODE);
		cli_cell_size(t, NODES_BYTES, s->no_node_bytes);
	}
}

static int show_list(struct cli *cli, enum stats_list list, const struct spt_sweep *sweep,
		     const struct spt_stats *s)
{
	const struct spt_model *model = sweep->model;
	struct spt_half_count halves[2];
	bool have_halves = list == LIST_HALVES && spt_halves_count(sweep, s, halves);
	static const struct cli_column *const columns[] = {
		[LIST_TABLES] = tables_columns,	    [LIST_ENTRIES] = entries_columns,
		[LIST_LEAVES] = leaves_columns,	    [LIST_SLOTS] = slots_columns,
		[LIST_CAUSES] = causes_columns,	    [LIST_NODES] = nodes_columns,
		[LIST_HALVES] = cli_halves_columns,
	};
	struct cli_table *t;

	if (!cli->opt.json && !cli->opt.raw)
		fprintf(cli->out, "%s\n", list_titles[list]);
	if ((list == LIST_NODES && !s->have_nodes) || (list == LIST_HALVES && !have_halves)) {
		if (cli->opt.json)
			cli_json_put(cli, list_names[list], NULL);
		else
			fputs("n/a\n", cli->out);
		return 0;
	}
	t = cli_table_begin(cli, columns[list], list_names[list], 0);
	if (!t)
		return -cli->error.code;
	switch (list) {
	case LIST_TABLES:
		add_tables(t, s);
		break;
	case LIST_ENTRIES:
		add_entries(t, s);
		break;
	case LIST_LEAVES:
		add_leaves(t, model, s);
		break;
	case LIST_SLOTS:
		add_slots(t, s);
		break;
	case LIST_HALVES:
		cli_add_halves(t, model, halves);
		break;
	case LIST_CAUSES:
		add_causes(t, s);
		break;
	case LIST_NODES:
		add_nodes(t, s);
		break;
	case NR_LISTS:
		break;
	}
	return cli_table_end(t);
}

static int show(struct cli *cli, unsigned int lists, const struct spt_sweep *sweep,
		const struct spt_stats *s)
{
	bool first = true;
	int rc = 0;

	for (int i = 0; i < NR_LISTS && !rc; i++) {
		if (!(lists >> i & 1))
			continue;
		if (!first && !cli->opt.json && !cli->opt.raw)
			fputc('\n', cli->out);
		first = false;
		rc = show_list(cli, i, sweep, s);
	}
	if (s->missing)
		cli_warn(cli, "%" PRIu64 " entries lead to tables that the image does not have",
			 s->missing);
	return rc;
}

static int parse_lists(struct cli *cli, const char *text, unsigned int *ret)
{
	*ret = text ? 0 : ~0U;
	while (text && *text) {
		size_t len = strcspn(text, ",");
		int i = 0;

		while (i < NR_LISTS &&
		       (strlen(list_names[i]) != len || memcmp(list_names[i], text, len)))
			i++;
		if (i == NR_LISTS)
			return cli_fail(
				cli, EINVAL,
				"--only: no '%.*s'; there are tables, entries, leaves, slots,"
				" halves, causes, nodes",
				(int)(len < 32 ? len : 32), text);
		*ret |= 1U << i;
		text += len + (text[len] == ',');
	}
	return *ret ? 0 : cli_fail(cli, EINVAL, "--only: empty list");
}

static int parse_threads(struct cli *cli, const char *text, unsigned int *ret)
{
	uint64_t threads = 0;
	int rc = text ? cli_parse_address(text, "--threads", &threads, &cli->error) : 0;

	if (!rc && text && (!threads || threads > 1024))
		return cli_fail(cli, EINVAL, "--threads: 1 to 1024");
	*ret = threads;
	return rc;
}

static int stats_run(struct cli *cli, const struct cli_call *call)
{
	struct spt_request request = {
		.parts = SPT_PART_VM | SPT_PART_MEMSLOTS | SPT_PART_LPAGE | SPT_PART_ATTRS |
			 SPT_PART_ROOTS | SPT_PART_TABLES | SPT_PART_HOST_RUNS | SPT_PART_GMEM,
	};
	struct spt_sweep sweep = { .progress = cli_progress_step };
	struct cli_progress progress;
	const struct spt_numa *numa;
	struct spt_stats *stats;
	struct spt_model *model;
	unsigned int lists;
	int rc = parse_lists(cli, cli_option(call, "only"), &lists);

	if (!rc)
		rc = parse_threads(cli, cli_option(call, "threads"), &sweep.threads);
	if (!rc && call->argc)
		rc = cli_parse_range(call->argv[0], &request.start, &request.len, &cli->error);
	if (!rc)
		rc = cli_model(cli, &request, &model);
	if (rc)
		return rc;
	stats = malloc(sizeof(*stats));
	if (!stats)
		return cli_fail(cli, ENOMEM, "out of memory");
	/* The zones are those of the VM's own host only while it is this one. */
	numa = cli_numa(cli);
	progress = cli_progress_begin(cli, "counting");
	sweep.model = model;
	sweep.start = request.start;
	sweep.len = request.len;
	sweep.progress_arg = &progress;
	rc = spt_stats_count(&sweep, numa, stats, &cli->error);
	cli_progress_end(&progress);
	if (!rc)
		rc = show(cli, lists, &sweep, stats);
	spt_stats_free(stats);
	free(stats);
	return rc;
}

const struct cli_command cli_cmd_stats = {
	.name = "stats",
	.args = "[RANGE]",
	.help = "count entries, mapped memory by slot and size, causes, tables",
	.details =
		"RANGE: as for ranges. Leaves of a table that hangs at several places count once.\n"
		"holes: bytes of a slot that a root does not map; n/a for shadow roots, whose\n"
		"addresses are no GPAs. n/a for nodes: the image does not say where its pages are.",
	.example = "stats --only slots,causes",
	.max_args = 1,
	.options = options,
	.run = stats_run,
};
