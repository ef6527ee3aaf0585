// SPDX-License-Identifier: GPL-2.0
/* `diff`: what changed from one image to another, or to the live VM. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/address.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/show_change.h"
#include "cli/target.h"

static const struct cli_option options[] = {
	{ .name = "range", .letter = 'g', .arg = "RANGE", .help = "compare only these addresses" },
	{ .name = "bits",
	  .letter = 'b',
	  .help = "accessed and dirty bits, too, and whatever else an entry says" },
	{ .name = "all", .letter = 'a', .help = "invalid roots, too, which no vCPU can enter" },
	{ .name = "count", .letter = 'c', .help = "print how many changes there are of each kind" },
	{ NULL },
};

enum { COUNT_KIND, COUNT_CHANGES, COUNT_SIZE };

static const struct cli_column count_columns[] = {
	[COUNT_KIND] = { "kind", 10, 0, "of change" },
	[COUNT_CHANGES] = { "changes", 10, CLI_COL_RIGHT, "merged ranges" },
	[COUNT_SIZE] = { "size", 12, CLI_COL_RIGHT, "bytes in them" },
	{ NULL },
};

/* What is being compared, and where its changes go. */
struct comparison {
	struct cli *cli;
	struct spt_diff diff;
	struct cli_table *table; /* NULL: only counted */
	uint64_t changes[SPT_CHANGE_KINDS], bytes[SPT_CHANGE_KINDS];
};

static int take_change(void *arg, const struct spt_change *c)
{
	struct comparison *cmp = arg;

	cmp->changes[c->kind]++;
	cmp->bytes[c->kind] += c->size;
	if (cmp->table)
		cli_change_row(cmp->cli, cmp->table, &cmp->diff, c, 0);
	return cli_interrupted ? -EINTR : 0;
}

static int print_counts(struct cli *cli, const struct comparison *cmp)
{
	struct cli_table *t = cli_table_begin(cli, count_columns, "counts", 0);

	if (!t)
		return -cli->error.code;
	for (int i = 0; i < SPT_CHANGE_KINDS; i++) {
		cli_table_row(t);
		cli_cell_string(t, COUNT_KIND, spt_change_name(i));
		cli_cell_number(t, COUNT_CHANGES, (int64_t)cmp->changes[i]);
		cli_cell_size(t, COUNT_SIZE, cmp->bytes[i]);
	}
	return cli_table_end(t);
}

/* What makes the answer less than certain, on stderr and in JSON. */
static void note_doubts(struct cli *cli, const struct spt_diff *diff)
{
	const struct spt_model *models[] = { diff->before, diff->after };
	bool torn = false;
	char text[256];

	for (int i = 0; i < 2; i++) {
		if (spt_model_torn(models[i], text, sizeof(text))) {
			torn = true;
			cli_warn(cli, "%s: torn: %s", models[i]->image.name, text);
		}
		if (models[i]->image.missing[0])
			cli_warn(cli, "%s: incomplete: %s", models[i]->image.name,
				 models[i]->image.missing);
	}
	if (spt_diff_strange(diff->before, diff->after, text, sizeof(text)))
		cli_warn(cli, "these are images of %s", text);
	if (cli->opt.json)
		cli_json_put(cli, "torn", json_object_new_boolean(torn));
}

static int compare(struct comparison *cmp, bool count)
{
	struct cli *cli = cmp->cli;
	struct spt_diff_totals totals;
	int rc;

	note_doubts(cli, &cmp->diff);
	if (!count) {
		if (cli->opt.json)
			cli_json_array_begin(cli, "changes");
		cmp->table = cli_table_begin(cli, cli_change_columns, NULL, CLI_TABLE_STREAM);
		if (!cmp->table)
			return -cli->error.code;
	}
	rc = spt_diff_run(&cmp->diff, take_change, cmp, &totals, &cli->error);
	if (cmp->table)
		cli_table_end(cmp->table);
	if (cmp->table && cli->opt.json)
		cli_json_array_end(cli);
	if (rc)
		return rc;
	if (count)
		rc = print_counts(cli, cmp);
	if (totals.unknown)
		cli_warn(cli,
			 "%" PRIu64 " entries lead to tables that an image lacks: not compared",
			 totals.unknown);
	if (cli->opt.json)
		cli_json_put(cli, "unknown", cli_json_uint(totals.unknown));
	return rc ? rc : totals.changes != 0;
}

/* A file and its model, apart from what -i or -V mean. */
struct opened {
	struct spt_source *source;
	struct spt_model model;
};

static int open_image(struct cli *cli, const char *path, const struct spt_request *request,
		      struct opened *ret)
{
	struct cli_progress progress = cli_progress_begin(cli, "reading");
	int rc = spt_source_open_file(path, &ret->source, &cli->error);

	if (rc)
		return rc;
	spt_source_set_progress(ret->source, cli_progress_step, &progress);
	rc = spt_model_read(&ret->model, ret->source, request, cli_image_flags(cli), &cli->error);
	spt_source_set_progress(ret->source, NULL, NULL);
	cli_progress_end(&progress);
	return rc;
}

static int diff_run(struct cli *cli, const struct cli_call *call)
{
	struct spt_request request = {
		.parts = SPT_PART_VM | SPT_PART_VCPUS | SPT_PART_MEMSLOTS | SPT_PART_ROOTS |
			 SPT_PART_TABLES | SPT_PART_ATTRS,
	};
	struct comparison cmp = { .cli = cli };
	struct cli_progress progress;
	const char *range = cli_option(call, "range");
	struct opened a = { 0 }, b = { 0 };
	struct spt_model *model;
	int rc = 0;

	if (range)
		rc = cli_parse_range(range, &request.start, &request.len, &cli->error);
	if (rc)
		return rc;
	spt_model_init(&a.model);
	spt_model_init(&b.model);
	rc = open_image(cli, call->argv[0], &request, &a);
	cmp.diff.before = &a.model;
	if (!rc && call->argc > 1) {
		rc = open_image(cli, call->argv[1], &request, &b);
		cmp.diff.after = &b.model;
	} else if (!rc) {
		rc = cli_read(cli, &request, &model);
		cmp.diff.after = model;
	}
	if (!rc) {
		cmp.diff.start = request.start;
		cmp.diff.len = request.len;
		cmp.diff.flags = (cli_has_option(call, "bits") ? SPT_DIFF_BITS : 0) |
				 (cli_has_option(call, "all") ? SPT_DIFF_ALL : 0);
		progress = cli_progress_begin(cli, "comparing");
		/* The changes themselves show how far it is, where they go to the terminal. */
		progress.tty &= !cli->tty || cli_has_option(call, "count");
		cmp.diff.progress = cli_progress_step;
		cmp.diff.progress_arg = &progress;
		rc = compare(&cmp, cli_has_option(call, "count"));
		cli_progress_end(&progress);
	}
	spt_model_deinit(&a.model);
	spt_model_deinit(&b.model);
	spt_source_close(a.source);
	spt_source_close(b.source);
	return rc;
}

const struct cli_command cli_cmd_diff = {
	.name = "diff",
	.args = "A [B]",
	.help = "what changed from image A to image B, or to the VM as it is",
	.details =
		"Slots, roots, and what each root maps; neighbours with the same change are merged.\n"
		"  added, removed    mapped only afterwards, only before\n"
		"  split, collapsed  in smaller pages than before, in larger ones\n"
		"  remapped          to another page, or MMIO where a page was\n"
		"  permission        the same page with other rights\n"
		"  slot, root        came, went, or was made anew (its content is compared)\n"
		"Private memory that became shared, and the other way round, is of kind slot, with\n"
		"to-shared or to-private beside it; so are the mappings that came and went with it.\n"
		"Roots are matched by what they are for. Tables that moved, accessed and dirty bits\n"
		"are no changes. Without B, A is compared with what -i or -V mean.\n"
		"Exit status 1: there are changes. Entries that lead to tables which an image lacks are\n"
		"not compared; a warning counts them.",
	.example = "diff before.spt after.spt",
	.min_args = 1,
	.max_args = 2,
	.complete = CLI_COMPLETE_FILE,
	.options = options,
	.columns = cli_change_columns,
	.run = diff_run,
};
