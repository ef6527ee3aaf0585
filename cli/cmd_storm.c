// SPDX-License-Identifier: GPL-2.0
/* `storm`: random actions, the same for the same seed, with audits in between. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/act.h"
#include "cli/address.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/target.h"
#include "spt/storm.h"

static const struct cli_option options[] = {
	{ .name = "rate", .letter = 'R', .arg = "N", .help = "actions a second, at most (50)" },
	{ .name = "seconds", .letter = 's', .arg = "S", .help = "how long (10)" },
	{ .name = "count", .letter = 'c', .arg = "N", .help = "end after so many actions" },
	{ .name = "mix",
	  .letter = 'm',
	  .arg = "LIST",
	  .help = "actions by name, each with :WEIGHT if not 1",
	  .words = spt_storm_names,
	  .list = true },
	{ .name = "seed",
	  .letter = 'S',
	  .arg = "N",
	  .help = "the same one gives the same actions (default: the time)" },
	{ .name = "audit-every",
	  .letter = 'a',
	  .arg = "N",
	  .help = "actions between two audits (250); 0: only at the end" },
	CLI_ACT_VCPU,
	{ .name = "verbose", .letter = 'v', .help = "print each action before it is done" },
	{ .name = "dry-run", .help = "print the actions, do none" },
	{ NULL },
};

enum {
	COL_ACTION,
	COL_DONE,
	COL_NO_EFFECT,
	COL_REFUSED,
	COL_FAILED,
	COL_MEDIAN,
	COL_MOST,
	COL_REASONS
};

static const struct cli_column columns[] = {
	[COL_ACTION] = { "action", 11, 0, "kind of action" },
	[COL_DONE] = { "done", 7, CLI_COL_RIGHT, "with the effect, verified" },
	[COL_NO_EFFECT] = { "no_effect", 9, CLI_COL_RIGHT, "tried, and nothing was different" },
	[COL_REFUSED] = { "refused", 7, CLI_COL_RIGHT, "not tried" },
	[COL_FAILED] = { "failed", 6, CLI_COL_RIGHT, "KVM or the host said no" },
	[COL_MEDIAN] = { "median_us", 9, CLI_COL_RIGHT, "half of those done took less, us" },
	[COL_MOST] = { "most_us", 9, CLI_COL_RIGHT, "the longest of all took, us" },
	[COL_REASONS] = { "reasons", 30, 0, "why what was not done was not, and how often" },
	{ NULL },
};

static const struct number_option {
	const char *name;
	size_t offset; /* in struct spt_storm_request */
	uint64_t least, most;
	bool wide; /* 64 bits */
} numbers[] = {
#define NUMBER(name, member, least, most)                                                          \
	{                                                                                          \
		name, offsetof(struct spt_storm_request, member), least, most,                     \
			sizeof(((struct spt_storm_request *)0)->member) == 8                       \
	}
	NUMBER("rate", rate, 1, SPT_ACTION_RATE),
	NUMBER("seconds", seconds, 1, 7 * 86400),
	NUMBER("count", count, 1, ~0ULL),
	NUMBER("seed", seed, 0, ~0ULL),
	NUMBER("audit-every", audit_every, 0, 1000000),
	NUMBER("vcpu", vcpu, 0, CLI_ACT_VCPU_MAX),
#undef NUMBER
};

static int parse_numbers(struct cli *cli, const struct cli_call *call,
			 struct spt_storm_request *request)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct number_option *o = &numbers[i];
		const char *value = cli_option(call, o->name);
		char *member = (char *)request + o->offset;
		uint64_t n;
		int rc;

		if (!value)
			continue;
		rc = cli_parse_address(value, o->name, &n, &cli->error);
		if (rc)
			return rc;
		if (n < o->least || n > o->most)
			return cli_fail(cli, EINVAL, "--%s %s: not from %" PRIu64 " to %" PRIu64,
					o->name, value, o->least, o->most);
		if (o->wide)
			memcpy(member, &n, sizeof(n));
		else
			*(unsigned int *)member = (unsigned int)n;
	}
	return 0;
}

static int parse_call(struct cli *cli, const struct cli_call *call,
		      struct spt_storm_request *request)
{
	const char *mix = cli_option(call, "mix");
	struct timespec now;
	int rc;

	clock_gettime(CLOCK_REALTIME, &now);
	request->seed = (uint64_t)now.tv_sec;
	request->rate = SPT_STORM_RATE;
	request->seconds = SPT_STORM_SECONDS;
	request->audit_every = SPT_STORM_AUDIT_EVERY;
	request->dry_run = cli_has_option(call, "dry-run");
	request->have_vcpu = cli_has_option(call, "vcpu");
	spt_storm_default_mix(request->weight);
	rc = parse_numbers(cli, call, request);
	if (!rc && mix)
		rc = spt_storm_parse(mix, request->weight, &cli->error);
	if (!rc && strcmp(call->argv[0], "all"))
		rc = cli_parse_range(call->argv[0], &request->start, &request->len, &cli->error);
	/* A rehearsal that nobody interrupts is to end. */
	if (request->dry_run && !request->count)
		request->count = (uint64_t)request->rate * request->seconds;
	return rc;
}

static bool interrupted(void *arg)
{
	return cli_interrupted;
}

static void tell(void *arg, uint64_t nr, const struct spt_action_request *request)
{
	struct cli *cli = arg;
	char line[SPT_ACTION_LINE_MAX + 1];

	if (spt_action_line(request, line, NULL) < 0)
		return;
	line[strcspn(line, "\n")] = '\0';
	if (cli->opt.json) {
		struct json_object *o = json_object_new_object();

		cli_json_set_uint(o, "nr", nr);
		cli_json_set_text(o, "line", line);
		cli_json_put(cli, NULL, o);
	} else {
		fprintf(cli->out, "%6" PRIu64 "  %s\n", nr, line);
	}
}

static const char *end_name(enum spt_storm_end end)
{
	static const char *const names[] = {
		[SPT_STORM_BY_TIME] = "time",	 [SPT_STORM_BY_COUNT] = "count",
		[SPT_STORM_STOPPED] = "stopped", [SPT_STORM_VIOLATION] = "violation",
		[SPT_STORM_GONE] = "gone",	 [SPT_STORM_ERROR] = "error",
	};

	return names[end];
}

static void cell_reasons(struct cli_table *t, const struct spt_storm_tally *tally)
{
	struct json_object *o = json_object_new_object();
	char text[256] = "";
	size_t at = 0;

	for (unsigned int i = SPT_WHY_NONE + 1; i < SPT_WHY_COUNT; i++) {
		if (!tally->reasons[i])
			continue;
		cli_json_set_uint(o, spt_reason_name(i), tally->reasons[i]);
		if (at < sizeof(text))
			at += snprintf(text + at, sizeof(text) - at, "%s%s %" PRIu64,
				       at ? ", " : "", spt_reason_name(i), tally->reasons[i]);
	}
	cli_cell_both(t, COL_REASONS, o, "%s", text);
}

static int show_tallies(struct cli *cli, struct spt_storm *storm)
{
	struct cli_table *t = cli_table_begin(cli, columns, "tally", 0);

	if (!t)
		return -cli->error.code;
	for (int i = 0; i < SPT_STORM_ACTION_COUNT; i++) {
		struct spt_storm_tally *tally = &storm->tally[i];

		if (!storm->request.weight[i])
			continue;
		cli_table_row(t);
		cli_cell_string(t, COL_ACTION, spt_storm_names[i]);
		cli_cell_number(t, COL_DONE, (int64_t)tally->results[SPT_RESULT_DONE]);
		cli_cell_number(t, COL_NO_EFFECT, (int64_t)tally->results[SPT_RESULT_NO_EFFECT]);
		cli_cell_number(t, COL_REFUSED, (int64_t)tally->results[SPT_RESULT_REFUSED]);
		cli_cell_number(t, COL_FAILED, (int64_t)tally->results[SPT_RESULT_FAILED]);
		cli_cell_number(t, COL_MEDIAN, spt_storm_median(tally));
		cli_cell_number(t, COL_MOST, (int64_t)(tally->most_ns / 1000));
		cell_reasons(t, tally);
	}
	return cli_table_end(t);
}

static void show_violations(struct cli *cli, const struct spt_storm *storm)
{
	if (cli->opt.json)
		cli_json_array_begin(cli, "violations");
	for (size_t i = 0; storm->have_audit && i < storm->audit.nr_findings; i++) {
		const struct spt_audit_finding *f = &storm->audit.findings[i];
		const char *rule = spt_audit_rules[f->rule].name;
		struct json_object *o;

		if (f->hint)
			continue;
		if (!cli->opt.json) {
			fprintf(cli->out, "violation  %s: %s\n", rule, f->text);
			continue;
		}
		o = json_object_new_object();
		cli_json_set_text(o, "rule", rule);
		cli_json_set(o, "gpa", f->gpa == ~0ULL ? NULL : cli_json_hex(f->gpa));
		cli_json_set(o, "spte", f->have_spte ? cli_json_hex(f->spte) : NULL);
		cli_json_set_text(o, "text", f->text);
		cli_json_put(cli, NULL, o);
	}
	if (cli->opt.json)
		cli_json_array_end(cli);
}

static void show_summary(struct cli *cli, const char *vm, const struct spt_storm *storm)
{
	if (cli->opt.json) {
		cli_json_put(cli, "vm", json_object_new_string(vm));
		cli_json_put(cli, "seed", cli_json_uint(storm->request.seed));
		cli_json_put(cli, "dry_run", json_object_new_boolean(storm->request.dry_run));
		cli_json_put(cli, "actions", cli_json_uint(storm->actions));
		cli_json_put(cli, "elapsed_ms", cli_json_uint(storm->elapsed_ns / 1000000));
		cli_json_put(cli, "end", json_object_new_string(end_name(storm->end)));
		cli_json_put(cli, "undone", cli_json_uint(storm->undone));
		cli_json_put(cli, "undo_failed", cli_json_uint(storm->undo_failed));
		cli_json_put(cli, "audits", cli_json_uint(storm->audits));
		return;
	}
	fprintf(cli->out,
		"%" PRIu64 " actions in %.1f s, seed %" PRIu64 ", ended by %s; %" PRIu64
		" audits, %.1f s in them; %" PRIu64 " taken back",
		storm->actions, (double)storm->elapsed_ns / 1e9, storm->request.seed,
		end_name(storm->end), storm->audits, (double)storm->reads_ns / 1e9, storm->undone);
	if (storm->undo_failed)
		fprintf(cli->out, ", %" PRIu64 " could not be: see 'journal'", storm->undo_failed);
	fputc('\n', cli->out);
}

static uint64_t count_done(const struct spt_storm *storm)
{
	uint64_t done = 0;

	for (int i = 0; i < SPT_STORM_ACTION_COUNT; i++)
		done += storm->tally[i].results[SPT_RESULT_DONE];
	return done;
}

/* Exit status of a storm that ran. */
static int judge(struct cli *cli, const char *vm, const struct spt_storm *storm)
{
	if (storm->end == SPT_STORM_GONE)
		return cli_fail(cli, ENOENT, "storm: VM %s is gone", vm);
	if (storm->end == SPT_STORM_VIOLATION) {
		cli_warn(cli, "storm: the audit found %" PRIu64 " violations",
			 storm->audit.violations);
		return 1;
	}
	if (storm->request.dry_run || count_done(storm))
		return 0;
	cli_warn(cli, "storm: no action had an effect: see the reasons");
	return 1;
}

static int run_storm(struct cli *cli, const char *vm, struct spt_storm *storm)
{
	const char *list = storm->request.told ? "told" : NULL;
	int rc, shown;

	if (cli->opt.json && list)
		cli_json_array_begin(cli, list);
	rc = spt_storm_run(storm, vm, &cli->error);
	if (cli->opt.json && list)
		cli_json_array_end(cli);
	if (rc && !storm->actions)
		return rc;
	show_summary(cli, vm, storm);
	if (!storm->request.dry_run) {
		shown = show_tallies(cli, storm);
		if (!rc)
			rc = shown;
		show_violations(cli, storm);
	}
	return rc ? rc : judge(cli, vm, storm);
}

static int storm_run(struct cli *cli, const struct cli_call *call)
{
	struct spt_storm *storm = calloc(1, sizeof(*storm));
	struct spt_vm_name vm;
	int rc;

	if (!storm)
		return cli_fail(cli, ENOMEM, "out of memory");
	rc = parse_call(cli, call, &storm->request);
	storm->request.stop = interrupted;
	storm->request.arg = cli;
	if (storm->request.dry_run || cli_has_option(call, "verbose"))
		storm->request.told = tell;
	spt_debugfs_set(cli->opt.debug_dir);
	if (!rc)
		rc = spt_agent_check(&cli->error);
	if (!rc)
		rc = spt_vm_find(cli->opt.vm, &vm, &cli->error);
	if (!rc) {
		cli_target_close(cli);
		rc = run_storm(cli, vm.id, storm);
	}
	spt_storm_deinit(storm);
	free(storm);
	return rc;
}

const struct cli_command cli_cmd_storm = {
	.name = "storm",
	.args = "RANGE|all",
	.help = "random actions at a given rate, with audits in between",
	.details =
		"For stress tests of guests and VMMs. Ctrl-C and the first violation that an audit finds\n"
		"end it; what it split or tracked is taken back, and a last audit is made. The same seed\n"
		"on the same slots gives the same actions.",
	.example = "--unsafe storm all --rate 100 --seconds 60 --mix zap,remap,split --seed 1",
	.min_args = 1,
	.max_args = 1,
	.flags = CLI_ACTS | CLI_TIDIES,
	.options = options,
	.columns = columns,
	.run = storm_run,
};
