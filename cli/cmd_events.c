// SPDX-License-Identifier: GPL-2.0
/* `events`: what happens to the VM's page tables, as it happens or as it was recorded. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/address.h"
#include "cli/cli.h"
#include "cli/ends.h"
#include "cli/json.h"
#include "cli/show_events.h"
#include "cli/target.h"

/* Events are taken from the kernel this often at least. */
#define READ_MS 100
/* Events that --record keeps in memory. */
#define KEEP_MAX 4000000

struct events {
	struct cli *cli;
	struct spt_events_ask ask;
	const struct spt_model *model;
	const char *record; /* NULL: do not */
	bool summarize;
	uint64_t count, seconds, top; /* 0: no limit */
	uint64_t begin_ns, shown;
	struct cli_table *table;
	struct spt_events_summary summary;
	struct spt_event *kept;
	size_t nr_kept, room, unkept;
};

static const char *const kind_words[] = {
#define E(id, name) #name,
	SPT_EVENT_KINDS(E)
#undef E
		NULL,
};

static const struct cli_option options[] = {
	{ .name = "summary", .letter = 's', .help = "counts, top pages and instructions, storms" },
	{ .name = "count", .letter = 'c', .arg = "N", .help = "end after so many events" },
	{ .name = "seconds", .letter = 't', .arg = "S", .help = "end after so many seconds" },
	{ .name = "range",
	  .letter = 'g',
	  .arg = "RANGE",
	  .help = "events of these addresses only" },
	{ .name = "kind",
	  .letter = 'k',
	  .arg = "KIND",
	  .help = "only these kinds of events",
	  .words = kind_words,
	  .list = true },
	{ .name = "record",
	  .letter = 'R',
	  .arg = "FILE",
	  .help = "keep them in an image that 'events' reads with -i",
	  .complete = CLI_COMPLETE_FILE },
	{ .name = "top", .arg = "N", .help = "lines of each list of --summary (10)" },
	{ .name = "vmm-only",
	  .help = "leave out what other threads do, as on a host with more VMs" },
	{ .name = "no-code", .help = "do not read the instructions from the guest's memory" },
	{ .name = "buffer", .arg = "SIZE", .help = "trace buffer of each CPU (8M)" },
	{ NULL },
};

static int keep(struct events *ev, const struct spt_event *e)
{
	if (!ev->record)
		return 0;
	if (ev->nr_kept == KEEP_MAX) {
		ev->unkept++;
		return 0;
	}
	if (ev->nr_kept == ev->room) {
		size_t room = ev->room * 2 + 4096;
		struct spt_event *more = realloc(ev->kept, room * sizeof(*more));

		if (!more)
			return cli_fail(ev->cli, ENOMEM, "out of memory for %zu events", room);
		ev->kept = more;
		ev->room = room;
	}
	ev->kept[ev->nr_kept++] = *e;
	return 0;
}

static int take_event(void *arg, const struct spt_event *e)
{
	struct events *ev = arg;
	int rc;

	if (ev->count && ev->shown == ev->count)
		return 0; /* what came with the last one is left out */
	ev->shown++;
	rc = keep(ev, e);
	if (rc)
		return rc;
	if (ev->summarize)
		return spt_summary_add(&ev->summary, ev->model, e);
	cli_event_row(ev->cli, ev->table, ev->model, e, ev->begin_ns);
	return ferror(ev->cli->out) ? cli_fail(ev->cli, EIO, "cannot write the events") : 0;
}

static int begin(struct events *ev)
{
	struct cli *cli = ev->cli;

	if (ev->summarize) {
		if (spt_summary_init(&ev->summary))
			return cli_fail(cli, ENOMEM, "out of memory for a summary");
		return 0;
	}
	ev->table = cli_table_begin(cli, cli_event_columns, "events", CLI_TABLE_STREAM);
	return ev->table ? 0 : -cli->error.code;
}

static int end(struct events *ev, const struct spt_trace *trace, int rc)
{
	if (ev->table)
		cli_table_end(ev->table);
	if (!rc && ev->summarize) {
		spt_summary_finish(&ev->summary);
		cli_events_summary(ev->cli, ev->model, &ev->summary, trace, ev->top);
	}
	if (!rc)
		cli_events_totals(ev->cli, trace, ev->shown);
	spt_summary_deinit(&ev->summary);
	free(ev->kept);
	return rc;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Until a limit is reached, Ctrl-C, or the VM is gone. */
static int follow(struct events *ev, struct spt_recorder *rec)
{
	uint64_t until = ev->seconds ? now_ns() + ev->seconds * 1000000000ULL : ~0ULL;
	int rc = 0;

	while (!rc && !cli_interrupted && (!ev->count || ev->shown < ev->count) &&
	       now_ns() < until) {
		uint64_t left = (until - now_ns()) / 1000000 + 1;

		rc = spt_recorder_read(rec, left < READ_MS ? (int)left : READ_MS, take_event, ev,
				       &ev->cli->error);
		if (ev->table)
			cli_table_flush(ev->table);
		if (!rc && spt_recorder_gone(rec)) {
			cli_warn(ev->cli, "the VM is gone");
			break;
		}
	}
	/* Nobody reads any more: of what is not kept there is nothing more to say. */
	if (!rc && cli_held_end() == SIGPIPE && !ev->record)
		rc = cli_fail(ev->cli, EIO, "cannot write the events");
	if (!rc)
		rc = spt_recorder_stop(rec, take_event, ev, &ev->cli->error);
	return rc;
}

static int save(struct events *ev, const struct spt_recorder *rec)
{
	struct spt_trace totals = *spt_recorder_trace(rec);

	totals.events = ev->nr_kept;
	totals.unkept = ev->unkept;
	return spt_events_save(spt_recorder_source(rec), ev->record, ev->kept, ev->nr_kept, &totals,
			       &ev->cli->error);
}

static int live(struct events *ev)
{
	struct cli *cli = ev->cli;
	struct spt_recorder *rec = NULL;
	struct spt_vm_name vm;
	int rc;

	spt_debugfs_set(cli->opt.debug_dir);
	rc = spt_agent_check(&cli->error);
	if (!rc)
		rc = spt_vm_find(cli->opt.vm, &vm, &cli->error);
	if (rc)
		return rc;
	rc = spt_recorder_start(vm.id, &ev->ask, &rec, &cli->error);
	if (!rc) {
		ev->model = spt_recorder_model(rec);
		ev->begin_ns = spt_recorder_trace(rec)->begin_ns;
		rc = begin(ev);
	}
	if (!rc)
		rc = follow(ev, rec);
	if (!rc && ev->record)
		rc = save(ev, rec);
	if (rec)
		rc = end(ev, spt_recorder_trace(rec), rc);
	spt_recorder_close(rec);
	return rc;
}

static int replay(struct events *ev)
{
	const struct spt_request request = { .parts = SPT_PART_VM | SPT_PART_VCPUS |
						      SPT_PART_MEMSLOTS | SPT_PART_ROOTS };
	struct spt_trace trace = { 0 };
	struct spt_model *model;
	int rc = cli_read(ev->cli, &request, &model);

	if (rc)
		return rc;
	rc = spt_events_check(&model->image, &ev->cli->error);
	if (rc)
		return rc;
	spt_events_trace(&model->image, &trace);
	ev->model = model;
	ev->begin_ns = trace.begin_ns;
	rc = begin(ev);
	if (!rc)
		rc = spt_events_each(&model->image, take_event, ev, &ev->cli->error);
	return end(ev, &trace, rc);
}

static int parse_number(struct cli *cli, const struct cli_call *call, const char *option,
			uint64_t *ret)
{
	const char *text = cli_option(call, option);
	char what[32];
	int rc;

	if (!text)
		return 0;
	snprintf(what, sizeof(what), "--%s", option);
	rc = cli_parse_address(text, what, ret, &cli->error);
	if (!rc && (!*ret || *ret > UINT32_MAX))
		rc = cli_fail(cli, EINVAL, "%s: 1 or more", what);
	return rc;
}

static uint32_t parse_kinds(const char *text)
{
	uint32_t kinds = 0;

	while (text && *text) {
		size_t len = strcspn(text, ",");

		for (unsigned int i = 0; i < SPT_EVENT_KINDS_COUNT; i++)
			if (strlen(kind_words[i]) == len && !memcmp(kind_words[i], text, len))
				kinds |= 1U << i;
		text += len + (text[len] == ',');
	}
	return kinds;
}

/* What decides what is recorded cannot be asked of a recording. */
static int refuse_offline(struct cli *cli, const struct cli_call *call)
{
	static const char *const live_only[] = { "seconds",  "range",	"kind",	 "record",
						 "vmm-only", "no-code", "buffer" };

	for (size_t i = 0; i < sizeof(live_only) / sizeof(live_only[0]); i++)
		if (cli_has_option(call, live_only[i]))
			return cli_fail(cli, EINVAL, "events --%s needs a live VM", live_only[i]);
	return 0;
}

static int events_run(struct cli *cli, const struct cli_call *call)
{
	struct events ev = {
		.cli = cli,
		.record = cli_option(call, "record"),
		.summarize = cli_has_option(call, "summary"),
		.ask.vmm_only = cli_has_option(call, "vmm-only"),
		.ask.no_code = cli_has_option(call, "no-code"),
		.ask.kinds = parse_kinds(cli_option(call, "kind")),
		.top = 10,
	};
	const char *range = cli_option(call, "range");
	uint64_t buffer = 0;
	int rc = parse_number(cli, call, "count", &ev.count);

	if (!rc)
		rc = parse_number(cli, call, "seconds", &ev.seconds);
	if (!rc)
		rc = parse_number(cli, call, "top", &ev.top);
	if (!rc)
		rc = parse_number(cli, call, "buffer", &buffer);
	if (!rc && range)
		rc = cli_parse_range(range, &ev.ask.start, &ev.ask.len, &cli->error);
	if (!rc && cli->opt.image)
		rc = refuse_offline(cli, call);
	if (rc)
		return rc;
	ev.ask.buffer_kib = (buffer + 1023) / 1024;
	return cli->opt.image ? replay(&ev) : live(&ev);
}

static void print_kinds(FILE *out)
{
	fprintf(out, "\nKinds (those marked with * are recorded without --kind):\n");
	for (unsigned int i = 0; i < SPT_EVENT_KINDS_COUNT; i++)
		fprintf(out, "  %c %-20s %s\n", SPT_EVENTS_DEFAULT >> i & 1 ? '*' : ' ',
			spt_event_kind_name(i), spt_event_kind_help(i));
}

const struct cli_command cli_cmd_events = {
	.name = "events",
	.help = "follow faults and changes of page tables as they happen",
	.details =
		"From KVM's tracepoints, by a trace instance of its own, each event with what the agent\n"
		"knows: slot, root, vCPU, the instruction at RIP (of an entry that changed: of the fault\n"
		"that changed it). Tracepoints do not say which VM they speak of: on a host with one VM\n"
		"all threads' events are taken, else those of the VMM's threads, and what the host's own\n"
		"threads did is missing. Lost events are counted exactly and said. Ctrl-C ends it.\n"
		"A fault of the guest's own guest (L2) is marked so: 'l2-gpa' is its address, the guest's\n"
		"own tables say where it is in the VM ('walk gva', 'roots'). KVM maps it ('set'), or gives\n"
		"it to the guest's hypervisor ('reflect'). Its instruction is read by L2's tables, which\n"
		"are known only while the vCPU runs it; if it has left, that is said instead.\n"
		"--summary points out storms: spinning (faults on a page that change no entry), circle\n"
		"(mapped and taken away, again and again), mmio (a device, no error).",
	.more = print_kinds,
	.example = "events --seconds 10 --summary",
	.flags = CLI_ENDLESS | CLI_TIDIES,
	.options = options,
	.columns = cli_event_columns,
	.run = events_run,
};
