// SPDX-License-Identifier: GPL-2.0
/* `ranges`: neighbouring leaves of equal meaning, merged. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/pick.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/target.h"
#include "spt/ranges_node.h"

enum {
	COL_ROOT,
	COL_KIND,
	COL_GPA,
	COL_END,
	COL_SIZE,
	COL_HPA,
	COL_PAGE_SIZE,
	COL_PERM,
	COL_TYPE,
	COL_SLOT,
	COL_HALF,
	COL_AS_ID,
	COL_PAGES,
	COL_NODE,
	COL_FLAGS
};

static const struct cli_column columns[] = {
	[COL_ROOT] = { "root", 18, CLI_COL_EXTRA | CLI_COL_RAW, "physical address of the root" },
	[COL_KIND] = { "kind", 8, CLI_COL_EXTRA,
		       "of the root: direct, shadow, nested, mirror, external" },
	[COL_GPA] = { "gpa", 18, 0, "first address translated" },
	[COL_END] = { "end_gpa", 18, CLI_COL_TEXT, "last address translated" },
	[COL_SIZE] = { "size", 9, CLI_COL_RIGHT, "bytes" },
	[COL_HPA] = { "hpa", 18, 0, "of the first page" },
	[COL_PAGE_SIZE] = { "page_size", 9, CLI_COL_RIGHT, "of the pages that it is made of" },
	[COL_PERM] = { "perm", 4, 0, "what the hardware allows" },
	[COL_TYPE] = { "type", 6, 0, "leaf, mmio or frozen" },
	[COL_SLOT] = { "slot", 5, CLI_COL_RIGHT, "id of the memory slot" },
	[COL_HALF] = { "half", 7, CLI_COL_EXTRA,
		       "of a TD's memory: private or shared; n/a where there is one" },
	[COL_AS_ID] = { "as_id", 5, CLI_COL_RIGHT | CLI_COL_EXTRA, "address space of the root" },
	[COL_PAGES] = { "pages", 8, CLI_COL_RIGHT, "entries merged" },
	[COL_NODE] = { "node", 4, CLI_COL_RIGHT | CLI_COL_EXTRA,
		       "NUMA node of all its pages; n/a: not known, or several" },
	[COL_FLAGS] = { "flags", 24, 0, "what else the first entry says, and what differs within" },
	{ NULL },
};

static const char *const split_words[] = {
#define S(id, name) #name,
	SPT_SPLITS(S)
#undef S
		NULL,
};

static const struct cli_option options[] = {
	{ "split-by", 's', "KEYS",
	  "what keeps neighbours apart: level,perm,hpa,slot,type (default),nx,dirty,node",
	  .words = split_words, .list = true },
	{ .name = "count", .letter = 'c', .help = "print only how many there are" },
	CLI_PICK_OPTIONS,
	{ NULL },
};

enum { COUNT_ROOT, COUNT_KIND, COUNT_RANGES };
static const struct cli_column count_columns[] = {
	[COUNT_ROOT] = { "root", 18, 0, "physical address of the root" },
	[COUNT_KIND] = { "kind", 8, 0, "of the root: direct, shadow, nested, mirror, external" },
	[COUNT_RANGES] = { "ranges", 10, CLI_COL_RIGHT, "that it is merged into" },
	{ NULL },
};

/* What is not the same throughout a range, as flags. */
static unsigned int mixed_names(const struct spt_range *r, const char *names[8])
{
	unsigned int n = 0;

	if (r->nx_disallowed)
		names[n++] = "nx-huge-disallowed";
	if (!r->hpa_contiguous && r->hpa != SPT_NO_HPA)
		names[n++] = "mixed-hpa";
	if (r->mixed_level)
		names[n++] = "mixed-level";
	if (r->mixed_perm)
		names[n++] = "mixed-perm";
	if (r->mixed_dirty)
		names[n++] = "mixed-dirty";
	if (r->mixed_accessed)
		names[n++] = "mixed-accessed";
	return n;
}

/*
 * What an entry says besides its address, as text. Neighbours that are kept apart by their
 * addresses mostly say the same, and then this is not made again.
 */
struct meaning {
	uint64_t bits; /* of the entry, without its address */
	int level;
	enum spt_spte_kind kind;
	unsigned int nr_mixed;
	const char *mixed[8];
	char perm[SPT_PERM_TEXT];
	char flags[CLI_FLAGS_TEXT];
	struct spt_spte spte; /* decoded; its address is that of the first such entry */
};

static bool is_meaning(const struct meaning *m, uint64_t bits, const struct spt_range *r,
		       enum spt_spte_kind kind, const char *const *mixed, unsigned int nr_mixed)
{
	return m->level == r->level && m->bits == bits && m->kind == kind &&
	       m->nr_mixed == nr_mixed && !memcmp(m->mixed, mixed, nr_mixed * sizeof(*mixed));
}

static void make_meaning(struct meaning *m, const struct spt_model *model,
			 const struct spt_range *r)
{
	enum spt_spte_kind kind = spt_node_kind(model, r->node);
	uint64_t bits = r->first_spte;
	const char *mixed[8];
	unsigned int nr_mixed = mixed_names(r, mixed);
	struct spt_spte spte;
	size_t at;

	if (r->type == SPT_SPTE_LEAF)
		bits &= ~model->format.leaf_addr[r->level];
	if (is_meaning(m, bits, r, kind, mixed, nr_mixed))
		return;
	spte = spt_spte_decode(&model->format, r->first_spte, r->level, kind);
	m->bits = bits;
	m->level = r->level;
	m->kind = kind;
	m->nr_mixed = nr_mixed;
	memcpy(m->mixed, mixed, sizeof(mixed));
	m->spte = spte;
	spt_perm_text(&model->format, spte.perm, m->perm);
	cli_entry_flags(&spte, NULL, m->flags);
	at = strlen(m->flags);
	for (unsigned int i = 0; i < nr_mixed && at < sizeof(m->flags); i++)
		at += snprintf(m->flags + at, sizeof(m->flags) - at, "%s%s", at ? "," : "",
			       mixed[i]);
}

static void set_flags(struct cli *cli, struct cli_table *t, const struct meaning *m)
{
	struct json_object *list;

	if (!cli->opt.json) {
		cli_cell_string(t, COL_FLAGS, m->flags);
		return;
	}
	list = cli_entry_flags_json(&m->spte, NULL);
	for (unsigned int i = 0; i < m->nr_mixed; i++)
		json_object_array_add(list, json_object_new_string(m->mixed[i]));
	cli_cell_both(t, COL_FLAGS, list, "%s", "");
}

static void add_row(struct cli *cli, struct cli_table *t, const struct meaning *m,
		    const struct spt_range *r, int node)
{
	const char *half = spt_half_name(spt_root_half(r->root));

	cli_table_row(t);
	cli_cell_address(t, COL_ROOT, r->root->hpa);
	cli_cell_string(t, COL_KIND, spt_root_kind_name(r->root->kind));
	cli_cell_address(t, COL_GPA, r->gpa);
	cli_cell_address(t, COL_END, r->gpa + r->size - 1);
	cli_cell_size(t, COL_SIZE, r->size);
	if (r->hpa == SPT_NO_HPA)
		cli_cell_both(t, COL_HPA, NULL, "-");
	else
		cli_cell_address(t, COL_HPA, r->hpa);
	cli_cell_size(t, COL_PAGE_SIZE, r->page_size);
	cli_cell_string(t, COL_PERM, m->perm);
	cli_cell_string(t, COL_TYPE, spt_spte_type_name(r->type));
	if (r->slot)
		cli_cell_number(t, COL_SLOT, r->slot->slot->id);
	else
		cli_cell_both(t, COL_SLOT, NULL, "-");
	if (half)
		cli_cell_string(t, COL_HALF, half);
	else
		cli_cell_na(t, COL_HALF);
	cli_cell_number(t, COL_AS_ID, r->root->as_id);
	cli_cell_number(t, COL_PAGES, (int64_t)r->pages);
	if (node == SPT_NO_NODE)
		cli_cell_na(t, COL_NODE);
	else
		cli_cell_number(t, COL_NODE, node);
	set_flags(cli, t, m);
}

/* What is shown of a root, and how. */
struct asked {
	struct spt_request request;
	unsigned int splits;
	bool nodes; /* are looked at */
	struct spt_nodes by;
};

static void show_rows(struct cli *cli, struct cli_table *t, const struct asked *asked,
		      const struct spt_root_ref *root)
{
	struct meaning meaning = { .level = 0 };
	struct spt_ranges ranges;
	struct spt_range range;

	spt_ranges_begin(&ranges, asked->by.model, root, asked->request.start, asked->request.len,
			 asked->splits);
	while (!cli_interrupted && spt_ranges_next(&ranges, &range)) {
		make_meaning(&meaning, asked->by.model, &range);
		add_row(cli, t, &meaning, &range,
			asked->nodes ? spt_range_node(&asked->by, &range) : SPT_NO_NODE);
	}
}

static void show_rows_by_node(struct cli *cli, struct cli_table *t, const struct asked *asked,
			      const struct spt_root_ref *root)
{
	struct meaning meaning = { .level = 0 };
	struct spt_node_ranges ranges;
	struct spt_node_range found;

	spt_node_ranges_begin(&ranges, &asked->by, root, asked->request.start, asked->request.len,
			      asked->splits);
	while (!cli_interrupted && spt_node_ranges_next(&ranges, &found)) {
		make_meaning(&meaning, asked->by.model, &found.range);
		add_row(cli, t, &meaning, &found.range, found.node);
	}
}

static int show_root(struct cli *cli, const struct asked *asked, const struct spt_root_ref *root)
{
	struct cli_column shown[sizeof(columns) / sizeof(columns[0])];
	struct cli_table *t;

	/* What keeps them apart is seen. */
	memcpy(shown, columns, sizeof(columns));
	if (asked->splits & SPT_SPLIT_NODE)
		shown[COL_NODE].flags &= ~CLI_COL_EXTRA;
	t = cli_table_begin(cli, shown, NULL, CLI_TABLE_STREAM);
	if (!t)
		return -cli->error.code;
	cli_print_root_title(cli, asked->by.model, root);
	if (!spt_root_maps_gpa(root)) {
		cli_table_heading(t, COL_GPA, cli_root_space(root));
		cli_table_heading(t, COL_END, "END");
	}
	if (asked->splits & SPT_SPLIT_NODE)
		show_rows_by_node(cli, t, asked, root);
	else
		show_rows(cli, t, asked, root);
	return cli_table_end(t);
}

/* Nodes are in no entry: such ranges are made to be counted. */
static int count_by_node(struct cli *cli, const struct asked *asked,
			 const struct spt_root_ref *root, uint64_t *ret)
{
	struct spt_node_ranges ranges;
	struct spt_node_range found;

	*ret = 0;
	spt_node_ranges_begin(&ranges, &asked->by, root, asked->request.start, asked->request.len,
			      asked->splits);
	while (!cli_interrupted && spt_node_ranges_next(&ranges, &found))
		++*ret;
	return cli_interrupted ? cli_fail(cli, EINTR, "interrupted") : 0;
}

/* How many ranges each root has, where it can be had without making them. */
static int show_counts(struct cli *cli, const struct cli_call *call, const struct asked *asked)
{
	const struct spt_model *model = asked->by.model;
	struct cli_progress progress = cli_progress_begin(cli, "counting");
	struct spt_sweep sweep = {
		.model = model,
		.start = asked->request.start,
		.len = asked->request.len,
		.progress = cli_progress_step,
		.progress_arg = &progress,
	};
	struct cli_table *t = cli_table_begin(cli, count_columns, "counts", 0);
	uint64_t total = 0;
	int rc = 0, ended;

	if (!t)
		return -cli->error.code;
	for (uint32_t i = 0; i < model->nr_roots && !rc; i++) {
		uint64_t count;

		if (model->roots[i].kind == SPT_ROOT_EXTERNAL ||
		    !cli_picked(call, &model->roots[i]))
			continue;
		sweep.root = &model->roots[i];
		if (asked->splits & SPT_SPLIT_NODE)
			rc = count_by_node(cli, asked, sweep.root, &count);
		else
			rc = spt_ranges_count(&sweep, asked->splits, &count, &cli->error);
		if (rc)
			break;
		cli_table_row(t);
		cli_cell_address(t, COUNT_ROOT, sweep.root->hpa);
		cli_cell_string(t, COUNT_KIND, spt_root_kind_name(sweep.root->kind));
		cli_cell_number(t, COUNT_RANGES, (int64_t)count);
		total += count;
	}
	cli_progress_end(&progress);
	ended = cli_table_end(t);
	if (cli->opt.json)
		cli_json_put(cli, "count", cli_json_uint(total));
	return rc ? rc : ended;
}

/*
 * Whether nodes are asked for. They are no part of a plain image: all else is the same live and
 * saved.
 */
static bool wants_nodes(const struct cli *cli, const struct cli_call *call, unsigned int splits)
{
	if (splits & SPT_SPLIT_NODE)
		return true;
	if (cli_has_option(call, "count"))
		return false;
	return cli->opt.columns && strstr(cli->opt.columns, columns[COL_NODE].name);
}

static int ranges_run(struct cli *cli, const struct cli_call *call)
{
	struct asked asked = {
		.request.parts = SPT_PART_VM | SPT_PART_MEMSLOTS | SPT_PART_ROOTS | SPT_PART_TABLES,
	};
	const char *split_by = cli_option(call, "split-by");
	struct spt_model *model;
	int rc = 0;

	if (cli_has_option(call, "count") && cli->opt.columns)
		return cli_fail(cli, EINVAL, "--count has columns of its own: leave out -o");
	if (split_by)
		rc = spt_split_parse(split_by, &asked.splits, &cli->error);
	asked.nodes = wants_nodes(cli, call, asked.splits);
	if (asked.nodes && cli->opt.image)
		asked.request.parts |= SPT_PART_HOST_RUNS;
	if (!rc)
		rc = cli_pick(cli, call, &asked.request, &model);
	if (rc)
		return rc;
	asked.by = (struct spt_nodes){ model, asked.nodes ? cli_numa(cli) : NULL };
	if (cli_has_option(call, "count"))
		return show_counts(cli, call, &asked);
	if (cli->opt.json)
		cli_json_array_begin(cli, "ranges");
	for (uint32_t i = 0; i < model->nr_roots && !rc && !cli_interrupted; i++) {
		/* What is behind a mirror maps the same again. */
		if (model->roots[i].kind == SPT_ROOT_EXTERNAL ||
		    !cli_picked(call, &model->roots[i]))
			continue;
		rc = show_root(cli, &asked, &model->roots[i]);
	}
	if (cli->opt.json)
		cli_json_array_end(cli);
	return rc ? rc : cli_interrupted ? -EINTR : 0;
}

const struct cli_command cli_cmd_ranges = {
	.name = "ranges",
	.args = "[RANGE]",
	.help = "list what is mapped, neighbours of equal meaning merged",
	.details =
		"RANGE: guest-physical; for shadow roots guest-virtual, as their tables translate.\n"
		"A TD's private half is listed once, as its mirror root has it; -o half names it.",
	.example = "ranges --split-by level,perm",
	.max_args = 1,
	.options = options,
	.columns = columns,
	.run = ranges_run,
};
