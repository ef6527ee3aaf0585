// SPDX-License-Identifier: GPL-2.0
/* `audit`: rules that must hold of the tables, and where they do not. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/address.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/target.h"
#include "spt/audit.h"

enum { RULE_NAME, RULE_CHECKED, RULE_VIOLATIONS, RULE_IN_FLUX, RULE_WHY };

static const struct cli_column rule_columns[] = {
	[RULE_NAME] = { "name", 18, 0, "of the rule" },
	[RULE_CHECKED] = { "checked", 10, CLI_COL_RIGHT,
			   "entries, tables, ... that it was checked on" },
	[RULE_VIOLATIONS] = { "violations", 10, CLI_COL_RIGHT, "found" },
	[RULE_IN_FLUX] = { "in_flux", 8, CLI_COL_RIGHT,
			   "seen once and then no more: changes under way" },
	[RULE_WHY] = { "why", 40, 0, "why nothing could be judged" },
	{ NULL },
};

enum { LIST_NAME, LIST_SCOPE, LIST_SAYS, LIST_REASON, LIST_SOURCE };

static const struct cli_column list_columns[] = {
	[LIST_NAME] = { "name", 18, 0, "of the rule, for --rule" },
	[LIST_SCOPE] = { "scope", 8, 0, "what it is checked on" },
	[LIST_SAYS] = { "says", 60, 0, "what must be true" },
	[LIST_REASON] = { "reason", 60, 0, "what happens otherwise" },
	[LIST_SOURCE] = { "source", 60, 0, "where KVM, a manual or a CVE says so" },
	{ NULL },
};

enum {
	COL_RULE,
	COL_ROOT,
	COL_GPA,
	COL_LEVEL,
	COL_TABLE,
	COL_INDEX,
	COL_SPTE,
	COL_EXPECTED,
	COL_FOUND,
	COL_TEXT
};

static const struct cli_column columns[] = {
	[COL_RULE] = { "rule", 18, 0, "that is broken" },
	[COL_ROOT] = { "root", 18, CLI_COL_EXTRA, "physical address of the root" },
	[COL_GPA] = { "gpa", 18, 0, "that the entry translates" },
	[COL_LEVEL] = { "level", 5, CLI_COL_RIGHT, "of the entry's table" },
	[COL_TABLE] = { "table_hpa", 18, CLI_COL_EXTRA, "physical address of the table" },
	[COL_INDEX] = { "index", 5, CLI_COL_RIGHT | CLI_COL_EXTRA, "of the entry in its table" },
	[COL_SPTE] = { "spte", 18, 0, "raw value of the entry" },
	[COL_EXPECTED] = { "expected", 16, CLI_COL_EXTRA, "what the rule wants" },
	[COL_FOUND] = { "found", 16, CLI_COL_EXTRA, "what is there" },
	[COL_TEXT] = { "text", 60, 0, "the whole in words" },
	{ NULL },
};

static const struct cli_option options[] = {
	{ .name = "rule",
	  .arg = "NAMES",
	  .help = "these rules alone, separated by commas",
	  .words = spt_audit_names,
	  .list = true },
	{ .name = "list",
	  .letter = 'l',
	  .help = "print the rules, why they matter and where they come from" },
	{ .name = "max",
	  .letter = 'm',
	  .arg = "N",
	  .help = "violations of one rule that are printed (default 64)" },
	{ NULL },
};

static const char *scope_name(enum spt_audit_scope scope)
{
	static const char *const names[] = {
		[SPT_AUDIT_PER_TABLE] = "table",       [SPT_AUDIT_PER_ENTRY] = "entry",
		[SPT_AUDIT_PER_LEAF] = "leaf",	       [SPT_AUDIT_PER_CLASS] = "entry",
		[SPT_AUDIT_PER_SPECIAL] = "special",   [SPT_AUDIT_PER_RMAP] = "rmap",
		[SPT_AUDIT_PER_EXTERNAL] = "external", [SPT_AUDIT_PER_ROOT] = "root",
		[SPT_AUDIT_PER_VCPU] = "vcpu",	       [SPT_AUDIT_PER_VM] = "vm",
	};

	return names[scope];
}

static int list_rules(struct cli *cli, uint64_t rules)
{
	struct cli_table *t = cli_table_begin(cli, list_columns, "rules", 0);

	if (!t)
		return -cli->error.code;
	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++) {
		const struct spt_audit_rule *r = &spt_audit_rules[i];

		if (rules && !(rules >> i & 1))
			continue;
		cli_table_row(t);
		cli_cell_string(t, LIST_NAME, r->name);
		cli_cell_string(t, LIST_SCOPE, scope_name(r->scope));
		cli_cell_string(t, LIST_SAYS, r->says);
		cli_cell_string(t, LIST_REASON, r->reason);
		cli_cell_string(t, LIST_SOURCE, r->source);
	}
	return cli_table_end(t);
}

static void add_rule(struct cli_table *t, int nr, const struct spt_audit_result *r)
{
	cli_table_row(t);
	cli_cell_string(t, RULE_NAME, spt_audit_rules[nr].name);
	if (r->na) {
		cli_cell_na(t, RULE_CHECKED);
		cli_cell_na(t, RULE_VIOLATIONS);
		cli_cell_na(t, RULE_IN_FLUX);
		cli_cell_string(t, RULE_WHY, r->na);
		return;
	}
	cli_cell_number(t, RULE_CHECKED, (int64_t)r->checked);
	cli_cell_number(t, RULE_VIOLATIONS, (int64_t)r->violations);
	cli_cell_number(t, RULE_IN_FLUX, (int64_t)r->in_flux);
}

static int show_rules(struct cli *cli, const struct spt_audit *audit)
{
	uint64_t rules = audit->request.rules;
	struct cli_table *t;

	if (!cli->opt.json && cli->opt.columns)
		return 0; /* -o is about the violations */
	t = cli_table_begin(cli, rule_columns, "rules", 0);
	if (!t)
		return -cli->error.code;
	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++)
		if (!rules || rules >> i & 1)
			add_rule(t, i, &audit->result[i]);
	return cli_table_end(t);
}

static void optional_address(struct cli_table *t, int col, bool known, uint64_t value)
{
	if (known)
		cli_cell_address(t, col, value);
	else
		cli_cell_both(t, col, NULL, "-");
}

static void add_finding(struct cli_table *t, const struct spt_audit_finding *f)
{
	cli_table_row(t);
	cli_cell_string(t, COL_RULE, spt_audit_rules[f->rule].name);
	optional_address(t, COL_ROOT, f->root != SPT_NO_HPA, f->root);
	optional_address(t, COL_GPA, f->gpa != ~0ULL, f->gpa);
	optional_address(t, COL_TABLE, f->table != SPT_NO_HPA, f->table);
	optional_address(t, COL_SPTE, f->have_spte, f->spte);
	if (f->have_spte) {
		cli_cell_number(t, COL_LEVEL, f->level);
		cli_cell_number(t, COL_INDEX, f->index);
	} else {
		cli_cell_both(t, COL_LEVEL, NULL, "-");
		cli_cell_both(t, COL_INDEX, NULL, "-");
	}
	cli_cell_string(t, COL_EXPECTED, f->expected);
	cli_cell_string(t, COL_FOUND, f->found);
	cli_cell_string(t, COL_TEXT, f->text);
}

static size_t count_findings(const struct spt_audit *audit, bool hints)
{
	size_t count = 0;

	for (size_t i = 0; i < audit->nr_findings; i++)
		count += audit->findings[i].hint == hints;
	return count;
}

static int show_findings(struct cli *cli, const struct spt_audit *audit, bool hints)
{
	const char *key = hints ? "hints" : "violations";
	struct cli_table *t;

	if (!cli->opt.json && !count_findings(audit, hints))
		return 0;
	if (!cli->opt.json && !cli->opt.raw && !cli->opt.columns && !cli->opt.no_headings)
		fprintf(cli->out, "\n%s:\n", key);
	t = cli_table_begin(cli, columns, key, 0);
	if (!t)
		return -cli->error.code;
	for (size_t i = 0; i < audit->nr_findings; i++)
		if (audit->findings[i].hint == hints)
			add_finding(t, &audit->findings[i]);
	return cli_table_end(t);
}

/* What a list that is cut, or an empty one, would not tell. */
static void show_summary(struct cli *cli, const struct spt_audit *audit)
{
	uint64_t shown = count_findings(audit, false);

	if (cli->opt.json) {
		cli_json_put(cli, "violations_count", cli_json_uint(audit->violations));
		cli_json_put(cli, "in_flux", cli_json_uint(audit->in_flux));
		cli_json_put(cli, "images", cli_json_uint(audit->reads));
		return;
	}
	if (cli->opt.raw || cli->opt.columns || cli->opt.no_headings)
		return;
	fprintf(cli->out, "\n%" PRIu64 " violations", audit->violations);
	if (audit->violations > shown)
		fprintf(cli->out, ", %" PRIu64 " of them not shown", audit->violations - shown);
	if (audit->in_flux)
		fprintf(cli->out, "; %" PRIu64 " changes under way were left alone",
			audit->in_flux);
	fputc('\n', cli->out);
}

static int show(struct cli *cli, const struct spt_audit *audit)
{
	int rc = show_rules(cli, audit);

	if (!rc)
		rc = show_findings(cli, audit, false);
	if (!rc)
		rc = show_findings(cli, audit, true);
	if (!rc)
		show_summary(cli, audit);
	return rc ? rc : audit->violations ? 1 : 0;
}

static int parse_request(struct cli *cli, const struct cli_call *call,
			 struct spt_audit_request *request)
{
	const char *rules = cli_option(call, "rule"), *max = cli_option(call, "max");
	uint64_t number;
	int rc = 0;

	if (rules)
		rc = spt_audit_parse(rules, &request->rules, &cli->error);
	if (!rc && max) {
		rc = cli_parse_address(max, "number", &number, &cli->error);
		if (!rc && (!number || number > 100000))
			rc = cli_fail(cli, EINVAL, "--max is a number from 1 to 100000, not '%s'",
				      max);
		request->max = number;
	}
	if (!rc && call->argc)
		rc = cli_parse_range(call->argv[0], &request->start, &request->len, &cli->error);
	return rc;
}

static int audit_run(struct cli *cli, const struct cli_call *call)
{
	struct cli_progress progress = cli_progress_begin(cli, "audit");
	struct spt_audit_request request = { .progress = cli_progress_step,
					     .progress_arg = &progress };
	struct spt_source *source;
	struct spt_audit audit;
	int rc = parse_request(cli, call, &request);

	if (!rc && cli_has_option(call, "list"))
		return list_rules(cli, request.rules);
	if (!rc)
		rc = cli_source(cli, &source);
	if (rc)
		return rc;
	rc = spt_audit_source(&audit, source, cli_empty_model(cli), &request, cli_image_flags(cli),
			      &cli->error);
	cli_progress_end(&progress);
	/* A live VM was looked at again; of a file what it lacks was judged by nobody. */
	if (!rc && !spt_source_is_live(source))
		cli_note_torn(cli, cli_empty_model(cli));
	if (!rc)
		rc = show(cli, &audit);
	spt_audit_free(&audit);
	return rc;
}

const struct cli_command cli_cmd_audit = {
	.name = "audit",
	.args = "[RANGE]",
	.help = "check the rules that KVM's tables must obey",
	.details =
		"Exit status 1: a rule is broken. Of a live VM, what is suspicious is looked at again, and\n"
		"only what stays is a violation; a saved image must show by itself that nothing moved.\n"
		"-o chooses columns of the violations.",
	.example = "audit --rule child-gfn,leaf-host",
	.max_args = 1,
	.options = options,
	.columns = columns,
	.run = audit_run,
};
