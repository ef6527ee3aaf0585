// SPDX-License-Identifier: GPL-2.0
/* `watch`: diff in a loop, one line for each change as it is seen. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "cli/address.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/show_change.h"
#include "cli/target.h"

#define DEFAULT_INTERVAL_MS 1000

static const struct cli_option options[] = {
	{ .name = "interval", .letter = 't', .arg = "SECONDS", .help = "between two looks (1)" },
	{ .name = "count", .letter = 'c', .arg = "N", .help = "end after so many looks" },
	{ .name = "range", .letter = 'g', .arg = "RANGE", .help = "watch only these addresses" },
	{ .name = "bits",
	  .letter = 'b',
	  .help = "accessed and dirty bits, too, and whatever else an entry says" },
	{ .name = "all", .letter = 'a', .help = "invalid roots, too, which no vCPU can enter" },
	{ NULL },
};

/* The VM twice: what one source gave stays while the other is read. */
struct watch {
	struct cli *cli;
	struct spt_request request;
	struct spt_source *source[2];
	struct spt_model model[2];
	struct spt_diff diff;
	struct cli_table *table;
	uint64_t time_ns;	       /* of the later look */
	uint64_t looks, torn, unknown; /* of all looks together, see note_doubts() */
};

static int take_change(void *arg, const struct spt_change *c)
{
	struct watch *w = arg;

	cli_change_row(w->cli, w->table, &w->diff, c, w->time_ns);
	return cli_interrupted ? -EINTR : 0;
}

static int look(struct watch *w, int which)
{
	struct timespec now;
	int rc = spt_model_read(&w->model[which], w->source[which], &w->request, 0, &w->cli->error);

	clock_gettime(CLOCK_REALTIME, &now);
	w->time_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	return rc;
}

/* What makes the changes that a look shows less than certain; of the first one there are none. */
static void note_doubts(struct watch *w, const struct spt_model *model, uint64_t unknown)
{
	char time[CLI_DAYTIME_TEXT], text[256];

	cli_daytime_text(w->time_ns, time);
	w->looks++;
	w->unknown += unknown;
	if (spt_model_torn(model, text, sizeof(text))) {
		w->torn++;
		cli_warn(w->cli, "look of %s: torn: %s", time, text);
	}
	if (unknown)
		cli_warn(w->cli,
			 "look of %s: %" PRIu64
			 " entries lead to tables that it or the one before lacks: not compared",
			 time, unknown);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Until the next look is due; a look that took longer than the interval is followed at once. */
static void wait_until(int64_t due)
{
	int64_t left;

	/* poll() ends at a signal, whatever SA_RESTART says. */
	while (!cli_interrupted && (left = due - now_ms()) > 0)
		poll(NULL, 0, left < 1000 ? (int)left : 1000);
}

static int watch_loop(struct watch *w, int64_t interval, uint64_t count)
{
	struct spt_diff_totals totals;
	int64_t due = now_ms();
	int which = 0, rc = look(w, which);

	if (!rc)
		note_doubts(w, &w->model[which], 0);
	cli_table_flush(w->table);
	for (uint64_t n = 0; !rc && !cli_interrupted && (!count || n < count); n++) {
		due += interval;
		if (due < now_ms())
			due = now_ms();
		wait_until(due);
		if (cli_interrupted)
			break;
		which = !which;
		rc = look(w, which);
		if (rc)
			break;
		w->diff.before = &w->model[!which];
		w->diff.after = &w->model[which];
		rc = spt_diff_run(&w->diff, take_change, w, &totals, &w->cli->error);
		cli_table_flush(w->table);
		if (!rc)
			note_doubts(w, &w->model[which], totals.unknown);
		if (!rc && ferror(w->cli->out))
			rc = cli_fail(w->cli, EIO, "cannot write the changes");
	}
	/* Ctrl-C is how a watch ends. */
	return cli_interrupted ? 0 : rc;
}

static int open_twice(struct watch *w)
{
	struct spt_vm_name vm;
	int rc = spt_agent_check(&w->cli->error);

	if (!rc)
		rc = spt_vm_find(w->cli->opt.vm, &vm, &w->cli->error);
	for (int i = 0; !rc && i < 2; i++)
		rc = spt_source_open_vm(vm.id, &w->source[i], &w->cli->error);
	return rc;
}

/* "2", "0.5": milliseconds. */
static int parse_interval(struct cli *cli, const char *text, int64_t *ret)
{
	char *end;
	double seconds;

	*ret = DEFAULT_INTERVAL_MS;
	if (!text)
		return 0;
	seconds = strtod(text, &end);
	if (*end || end == text || !(seconds >= 0.001 && seconds <= 86400))
		return cli_fail(cli, EINVAL, "--interval '%s' is not 0.001 to 86400 seconds", text);
	*ret = (int64_t)(seconds * 1000);
	return 0;
}

static int parse_options(struct watch *w, const struct cli_call *call, int64_t *interval,
			 uint64_t *count)
{
	const char *range = cli_option(call, "range"), *times = cli_option(call, "count");
	struct cli *cli = w->cli;
	int rc = parse_interval(cli, cli_option(call, "interval"), interval);

	*count = 0;
	if (!rc && times)
		rc = cli_parse_address(times, "--count", count, &cli->error);
	if (!rc && times && !*count)
		rc = cli_fail(cli, EINVAL, "--count: not 0 looks");
	if (!rc && range)
		rc = cli_parse_range(range, &w->request.start, &w->request.len, &cli->error);
	w->diff.start = w->request.start;
	w->diff.len = w->request.len;
	w->diff.flags = (cli_has_option(call, "bits") ? SPT_DIFF_BITS : 0) |
			(cli_has_option(call, "all") ? SPT_DIFF_ALL : 0);
	return rc;
}

static int watch_run(struct cli *cli, const struct cli_call *call)
{
	struct watch w = {
		.cli = cli,
		.request.parts = SPT_PART_VM | SPT_PART_VCPUS | SPT_PART_MEMSLOTS | SPT_PART_ROOTS |
				 SPT_PART_TABLES | SPT_PART_ATTRS,
	};
	const char *columns = cli->opt.columns;
	int64_t interval;
	uint64_t count;
	int rc;

	spt_debugfs_set(cli->opt.debug_dir);
	for (int i = 0; i < 2; i++)
		spt_model_init(&w.model[i]);
	rc = parse_options(&w, call, &interval, &count);
	if (!rc)
		rc = open_twice(&w);
	if (!rc) {
		if (cli->opt.json)
			cli_json_array_begin(cli, "changes");
		else if (!columns)
			cli->opt.columns = "time,kind,gpa,size,before,after,also";
		w.table = cli_table_begin(cli, cli_change_columns, NULL, CLI_TABLE_STREAM);
		if (!w.table)
			rc = -cli->error.code;
	}
	if (!rc)
		rc = watch_loop(&w, interval, count);
	if (w.table)
		cli_table_end(w.table);
	if (!rc && cli->opt.json) {
		cli_json_array_end(cli);
		cli_json_put(cli, "looks", cli_json_uint(w.looks));
		cli_json_put(cli, "torn_looks", cli_json_uint(w.torn));
		cli_json_put(cli, "unknown", cli_json_uint(w.unknown));
	}
	cli->opt.columns = columns;
	for (int i = 0; i < 2; i++) {
		spt_model_deinit(&w.model[i]);
		spt_source_close(w.source[i]);
	}
	return rc;
}

const struct cli_command cli_cmd_watch = {
	.name = "watch",
	.help = "follow a VM: one line for each change as it is seen",
	.details =
		"The changes are those of 'diff', between one look and the next. What came and went\n"
		"between two looks is not seen. Ctrl-C ends it. A look that the VM's changes tore, and\n"
		"entries that lead to tables which a look lacks, are warned of with the look's time;\n"
		"--json has at its end how many there were in all: looks, torn_looks, unknown.",
	.example = "watch --interval 0.2 --range 0+1G",
	.flags = CLI_LIVE_ONLY | CLI_ENDLESS,
	.options = options,
	.columns = cli_change_columns,
	.run = watch_run,
};
