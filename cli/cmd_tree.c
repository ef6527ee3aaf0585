// SPDX-License-Identifier: GPL-2.0
/* `tree`: the page tables entry by entry, every level. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/pick.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/target.h"

enum {
	COL_LEVEL,
	COL_GPA,
	COL_INDEX,
	COL_TABLE,
	COL_SPTE,
	COL_TYPE,
	COL_HPA,
	COL_PERM,
	COL_SIZE,
	COL_FLAGS,
	COL_ROOT,
	COL_GUEST_GPA
};

static const struct cli_column columns[] = {
	[COL_LEVEL] = { "level", 8, 0, "of the table that holds the entry, deeper ones indented" },
	[COL_GPA] = { "gpa", 18, 0, "first address it translates" },
	[COL_INDEX] = { "index", 5, CLI_COL_RIGHT, "of the entry in its table" },
	[COL_TABLE] = { "table_hpa", 18, 0, "physical address of its table" },
	[COL_SPTE] = { "spte", 18, 0, "the raw entry" },
	[COL_TYPE] = { "type", 10, 0, "table, leaf, mmio, frozen or nonpresent" },
	[COL_HPA] = { "hpa", 18, 0, "table or page that it points to" },
	[COL_PERM] = { "perm", 4, 0, "what the hardware allows" },
	[COL_SIZE] = { "size", 4, CLI_COL_RIGHT, "of what it translates" },
	[COL_FLAGS] = { "flags", 24, 0, "what else its bits say" },
	[COL_ROOT] = { "root", 18, CLI_COL_EXTRA | CLI_COL_RAW, "physical address of its root" },
	[COL_GUEST_GPA] = { "guest_gpa", 18, CLI_COL_EXTRA,
			    "shadow tables: the guest-physical address that a leaf was made for" },
	{ NULL },
};

static const struct cli_option options[] = {
	{ .name = "leaves", .help = "leaf, MMIO and frozen entries only, no tables" },
	{ .name = "leftover", .help = "also entries that map nothing and still hold a value" },
	CLI_PICK_OPTIONS,
	{ NULL },
};

static void add_row(struct cli *cli, struct cli_table *t, const struct spt_model *model,
		    const struct spt_entry *entry)
{
	struct spt_spte spte = spt_entry_decode(model, entry);
	char text[CLI_FLAGS_TEXT];
	char perm[SPT_PERM_TEXT];
	unsigned int access;
	uint64_t guest_gpa;

	cli_table_row(t);
	if (cli->opt.json) {
		struct json_object *o = json_object_new_object();

		cli_entry_to_json(o, model, entry, &spte);
		cli_row_json(t, o);
		return;
	}
	cli_cell_text(t, COL_LEVEL, "%*s%d", cli->opt.raw ? 0 : entry->root->level - entry->level,
		      "", entry->level);
	cli_cell_address(t, COL_GPA, entry->gpa);
	cli_cell_number(t, COL_INDEX, entry->index);
	cli_cell_address(t, COL_TABLE, entry->node->hpa);
	cli_cell_address(t, COL_SPTE, entry->spte);
	cli_cell_string(t, COL_TYPE, spt_spte_type_name(entry->type));
	if (entry->hpa == SPT_NO_HPA)
		cli_cell_string(t, COL_HPA, "-");
	else
		cli_cell_address(t, COL_HPA, entry->hpa);
	cli_cell_string(t, COL_PERM, spt_perm_text(&model->format, spte.perm, perm));
	cli_cell_size(t, COL_SIZE, entry->size);
	cli_cell_string(t, COL_FLAGS, cli_entry_flags(&spte, entry, text));
	cli_cell_address(t, COL_ROOT, entry->root->hpa);
	if (cli_entry_translation(entry, &guest_gpa, &access))
		cli_cell_address(t, COL_GUEST_GPA, guest_gpa);
}

static void begin_json(struct cli *cli, const struct spt_root_ref *root)
{
	cli_json_object_begin(cli, NULL);
	cli_json_put(cli, "hpa", cli_json_hex(root->hpa));
	cli_json_put(cli, "kind", json_object_new_string(spt_root_kind_name(root->kind)));
	cli_json_put(cli, "level", json_object_new_int(root->level));
	cli_json_put(cli, "as_id", cli_json_uint(root->as_id));
	cli_json_put(cli, "valid", json_object_new_boolean(root->valid));
}

/* Where a shadow table's entries lead in guest-physical memory is worth a column. */
#define SHADOW_COLUMNS "level,gpa,index,table_hpa,spte,type,hpa,perm,size,guest_gpa,flags"

static struct cli_table *begin_table(struct cli *cli, const struct spt_root_ref *root)
{
	bool shadow = !spt_root_maps_gpa(root) && !cli->opt.json && !cli->opt.raw;
	const char *chosen = cli->opt.columns;
	struct cli_table *t;

	if (shadow && !chosen)
		cli->opt.columns = SHADOW_COLUMNS;
	t = cli_table_begin(cli, columns, "entries", CLI_TABLE_STREAM);
	cli->opt.columns = chosen;
	if (t && shadow)
		cli_table_heading(t, COL_GPA, cli_root_space(root));
	return t;
}

static int show_root(struct cli *cli, const struct spt_model *model,
		     const struct spt_root_ref *root, struct spt_tree *tree)
{
	const struct spt_entry *entry;
	struct cli_table *t;
	int rc;

	if (cli->opt.json)
		begin_json(cli, root);
	t = begin_table(cli, root);
	if (!t)
		return -cli->error.code;
	if (!cli->opt.json)
		cli_print_root_title(cli, model, root);
	while (!cli_interrupted && (entry = spt_tree_next(tree)))
		add_row(cli, t, model, entry);
	rc = cli_table_end(t);
	if (cli->opt.json)
		cli_json_object_end(cli);
	return rc;
}

static int tree_run(struct cli *cli, const struct cli_call *call)
{
	struct spt_request request = {
		.parts = SPT_PART_VM | SPT_PART_MEMSLOTS | SPT_PART_ROOTS | SPT_PART_TABLES,
	};
	unsigned int flags = 0;
	struct spt_model *model;
	struct spt_tree tree;
	int rc = cli_pick(cli, call, &request, &model);

	if (rc)
		return rc;
	if (cli_has_option(call, "leaves"))
		flags |= SPT_TREE_LEAVES;
	if (cli_has_option(call, "leftover"))
		flags |= SPT_TREE_LEFTOVER;

	if (cli->opt.json)
		cli_json_array_begin(cli, "roots");
	for (uint32_t i = 0; i < model->nr_roots && !rc && !cli_interrupted; i++) {
		if (!cli_picked(call, &model->roots[i]))
			continue;
		spt_tree_begin(&tree, model, &model->roots[i], request.start, request.len, flags);
		rc = show_root(cli, model, &model->roots[i], &tree);
	}
	if (cli->opt.json)
		cli_json_array_end(cli);
	return rc ? rc : cli_interrupted ? -EINTR : 0;
}

const struct cli_command cli_cmd_tree = {
	.name = "tree",
	.args = "[RANGE]",
	.help = "print the page tables, every entry of every level",
	.details =
		"RANGE: guest-physical; for shadow roots guest-virtual, as their tables translate.",
	.example = "tree 1M+64K",
	.max_args = 1,
	.options = options,
	.columns = columns,
	.run = tree_run,
};
