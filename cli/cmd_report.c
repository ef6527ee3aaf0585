// SPDX-License-Identifier: GPL-2.0
/* `report`: one file for a bug report. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/address.h"
#include "cli/capture.h"
#include "cli/json.h"
#include "cli/report.h"
#include "cli/target.h"

/* More tables than this make texts that nobody reads: the image has them. */
#define MOST_TABLES 2000

/* The decoded texts: what each command says of the image. */
static const struct text {
	const char *name, *what;
	const char *words[3];
	bool grows; /* with the number of tables */
} texts[] = {
	{ "vm.txt", "the VM: counters, generations, masks", { "vm" }, false },
	{ "vcpus.txt", "registers and roots of the vCPUs", { "vcpus" }, false },
	{ "regs.txt", "the same, decoded", { "regs" }, false },
	{ "memslots.txt", "memory slots", { "memslots" }, false },
	{ "roots.txt", "roots, and who uses them", { "roots" }, false },
	{ "tables.txt", "page table pages", { "tables" }, true },
	{ "tree.txt", "the whole hierarchy, entry by entry", { "tree" }, true },
	{ "ranges.txt", "what is mapped, merged", { "ranges" }, true },
	{ "stats.txt", "counts by type, level and cause", { "stats" }, false },
	{ "audit.txt", "broken invariants", { "audit" }, false },
	{ "audit.json", "the same for programs", { "audit", "--json" }, false },
};

static int append_line(char **text, const char *line)
{
	size_t len = *text ? strlen(*text) : 0;
	char *more = realloc(*text, len + strlen(line) + 2);

	if (!more)
		return -ENOMEM;
	*text = more;
	sprintf(more + len, "%s\n", line);
	return 0;
}

static int note_member(struct report *r, const char *name, const char *what)
{
	char line[256];

	r->members++;
	snprintf(line, sizeof(line), "  %-18s %s", name, what);
	return append_line(&r->contents, line) ? cli_fail(r->cli, ENOMEM, "out of memory") : 0;
}

int report_add(struct report *r, const char *name, const char *what, const void *bytes, size_t len)
{
	int rc = spt_bundle_add(&r->bundle, name, bytes, len, &r->cli->error);

	return rc ? rc : note_member(r, name, what);
}

int report_add_file(struct report *r, const char *name, const char *what, const char *path)
{
	int rc = spt_bundle_add_file(&r->bundle, name, path, &r->cli->error);

	return rc ? rc : note_member(r, name, what);
}

int report_leave_out(struct report *r, const char *fmt, ...)
{
	char line[256] = "  ";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + 2, sizeof(line) - 2, fmt, ap);
	va_end(ap);
	r->nr_left_out++;
	return append_line(&r->left_out, line) ? cli_fail(r->cli, ENOMEM, "out of memory") : 0;
}

/* What a command says, under the line that makes it. @target: words of an option. */
static int add_answer(struct report *r, const char *name, const char *what,
		      const char *const *target, const char *const *words)
{
	const char *argv[16];
	char *answer = NULL, *text = NULL;
	size_t answer_size, size;
	int argc = 0, status, rc;
	FILE *out;

	if (cli_interrupted)
		return cli_fail(r->cli, EINTR, "%s: interrupted, nothing written", r->file);
	for (; *words; words++)
		argv[argc++] = *words;
	for (; *target; target++)
		argv[argc++] = *target;
	argv[argc] = NULL;
	out = open_memstream(&text, &size);
	if (!out)
		return cli_fail(r->cli, ENOMEM, "out of memory");
	if (!strstr(name, ".json")) {
		fprintf(out, "$ spt");
		for (int i = 0; i < argc; i++)
			fprintf(out, " %s", argv[i]);
		fprintf(out, "\n");
	}
	status = cli_capture(r->cli, argc, argv,
			     strstr(name, ".json") ? CLI_WARNINGS_DROPPED : CLI_WARNINGS_WITHIN,
			     &answer, &answer_size);
	if (answer)
		fwrite(answer, 1, answer_size, out);
	free(answer);
	fclose(out);
	rc = cli_interrupted || status < 0 ? cli_fail(r->cli, status < 0 ? ENOMEM : EINTR,
						      "%s: interrupted, nothing written", r->file)
					   : report_add(r, name, what, text, size);
	free(text);
	return rc;
}

static int add_texts(struct report *r)
{
	static const char *const image[] = { "-i", REPORT_IMAGE, NULL };
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].grows && r->saved.tables > MOST_TABLES)
			rc = report_leave_out(
				r, "%s: %" PRIu64 " tables; spt -i " REPORT_IMAGE " %s makes it",
				texts[i].name, r->saved.tables, texts[i].words[0]);
		else
			rc = add_answer(r, texts[i].name, texts[i].what, image, texts[i].words);
	}
	return rc;
}

/* The walk that fails: of the images, and as the live VM gives it. */
static int add_walk(struct report *r)
{
	static const char *const image[] = { "-i", REPORT_IMAGE, NULL };
	static const char *const page[] = { "-i", REPORT_PAGE, NULL };
	const char *live[] = { "-V", r->head.id, NULL };
	const char *words[] = { "walk", r->walk[0], r->walk[1], "--explain", NULL };
	char hpa[32];
	uint64_t address;
	int rc = 0;

	if (!r->walk[0])
		return report_leave_out(r, "walk.txt: no address was given with --walk");
	if (r->redact && !strcmp(r->walk[0], "hpa")) {
		rc = cli_parse_address(r->walk[1], "--walk", &address, &r->cli->error);
		snprintf(hpa, sizeof(hpa), "0x%" PRIx64, spt_redaction_hpa(r->redaction, address));
		words[2] = hpa;
	}
	if (!rc && r->live && !r->redact)
		rc = add_answer(r, "walk-live.txt", "the walk that was asked for, live", live,
				words);
	if (!rc && r->have_page)
		rc = add_answer(r, "walk-page.txt", "the walk that was asked for, of " REPORT_PAGE,
				page, words);
	if (!rc)
		rc = add_answer(r, "walk.txt", "the walk that was asked for, of " REPORT_IMAGE,
				image, words);
	return rc;
}

/* The recording, and what it says; run where the images are. */
static int add_events(struct report *r)
{
	static const char *const image[] = { "-i", REPORT_EVENTS, NULL };
	static const char *const words[] = { "events", NULL };
	int rc;

	if (!r->events)
		return report_leave_out(r, "events: none were given with --events");
	rc = report_add_file(r, REPORT_EVENTS, "recorded events", REPORT_EVENTS);
	return rc ? rc : add_answer(r, "events.txt", "what happened", image, words);
}

static int add_images(struct report *r)
{
	char path[128];
	int rc;

	snprintf(path, sizeof(path), "%s/" REPORT_IMAGE, r->work);
	rc = report_add_file(r, REPORT_IMAGE, "the image: everything below is from it", path);
	snprintf(path, sizeof(path), "%s/" REPORT_PAGE, r->work);
	if (!rc && r->have_page)
		rc = report_add_file(r, REPORT_PAGE, "the image of one page", path);
	return rc;
}

/* The texts name the images as they are in the report: they are made where the images are. */
static int add_members(struct report *r)
{
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (here < 0 || chdir(r->work))
		rc = cli_fail(r->cli, errno, "%s: %s", r->work, strerror(errno));
	if (!rc)
		rc = add_texts(r);
	if (!rc)
		rc = add_walk(r);
	if (!rc)
		rc = add_events(r);
	if (here >= 0 && fchdir(here) && !rc)
		rc = cli_fail(r->cli, errno, "cannot go back: %s", strerror(errno));
	if (here >= 0)
		close(here);
	return rc ? rc : report_host(r);
}

static int make_bundle(struct report *r)
{
	int rc;

	snprintf(r->folder, sizeof(r->folder), "spt-report-%.32s", r->head.id);
	rc = spt_bundle_open(&r->bundle, r->file, r->folder, r->head.time_ns, &r->cli->error);
	if (!rc)
		rc = add_images(r);
	if (!rc)
		rc = add_members(r);
	if (!rc)
		rc = report_readme(r);
	return rc ? rc : spt_bundle_commit(&r->bundle, &r->cli->error);
}

static void recording_path(const struct report *r, char *path, size_t size)
{
	snprintf(path, size, "%s/recorded.spt", r->work);
}

/* What happens from now on for so long; a command that fails has said why. */
static int record_events(struct report *r, const char *seconds)
{
	char path[128], *answer = NULL;
	const char *argv[] = {
		"events", "--record", path, "--seconds", seconds, "--summary", NULL
	};
	size_t size;
	int status;

	if (r->cli->opt.image)
		return cli_fail(r->cli, EINVAL, "report --seconds needs a live VM");
	if (r->events)
		return cli_fail(r->cli, EINVAL,
				"report: --seconds and --events exclude each other");
	recording_path(r, path, sizeof(path));
	status = cli_capture(r->cli, 6, argv, CLI_WARNINGS_STDERR, &answer, &size);
	free(answer);
	if (cli_interrupted)
		return cli_fail(r->cli, EINTR, "%s: interrupted, nothing written", r->file);
	if (status != CLI_DONE)
		return r->cli->opt.json ? cli_fail(r->cli, ECANCELED, "report: no events recorded")
					: CLI_ERROR;
	r->events = strdup(path);
	return r->events ? 0 : cli_fail(r->cli, ENOMEM, "out of memory");
}

static int make_work(struct report *r)
{
	const char *dir = getenv("TMPDIR");

	snprintf(r->work, sizeof(r->work), "%.40s/spt-report.XXXXXX",
		 dir && *dir && strlen(dir) <= 40 ? dir : "/var/tmp");
	if (mkdtemp(r->work))
		return 0;
	r->work[0] = '\0';
	return cli_fail(r->cli, errno, "cannot make a directory for the image: %s",
			strerror(errno));
}

static void report_deinit(struct report *r)
{
	char path[128];

	spt_bundle_drop(&r->bundle);
	spt_redaction_free(r->redaction);
	free(r->contents);
	free(r->left_out);
	free(r->events);
	if (!r->work[0])
		return;
	snprintf(path, sizeof(path), "%s/" REPORT_IMAGE, r->work);
	unlink(path);
	snprintf(path, sizeof(path), "%s/" REPORT_PAGE, r->work);
	unlink(path);
	snprintf(path, sizeof(path), "%s/" REPORT_EVENTS, r->work);
	unlink(path);
	recording_path(r, path, sizeof(path));
	unlink(path);
	rmdir(r->work);
}

/* 'gpa 0x1000', as it would stand behind 'walk'; taken apart in @copy. */
static int parse_walk(struct report *r, char *copy)
{
	char *save, *more;
	uint64_t address;

	r->walk[0] = strtok_r(copy, " \t", &save);
	r->walk[1] = r->walk[0] ? strtok_r(NULL, " \t", &save) : NULL;
	more = r->walk[1] ? strtok_r(NULL, " \t", &save) : NULL;
	for (const char *const *word = cli_cmd_walk.words; r->walk[1] && !more && *word; word++)
		if (!strcmp(*word, r->walk[0]))
			return cli_parse_address(r->walk[1], "--walk", &address, &r->cli->error);
	return cli_fail(r->cli, EINVAL,
			"report: --walk takes a kind and an address: --walk 'gpa 0x1000'");
}

static void print_done(const struct report *r)
{
	struct cli *cli = r->cli;

	if (r->saved.torn)
		cli_warn(cli,
			 "%s: torn: the VM changed while it was read, and the image says where",
			 r->file);
	if (cli->opt.json) {
		cli_json_put(cli, "file", json_object_new_string(r->file));
		cli_json_put(cli, "members", cli_json_uint(r->members));
		cli_json_put(cli, "left_out", cli_json_uint(r->nr_left_out));
		cli_json_put(cli, "bytes", cli_json_uint(r->bundle.bytes));
		cli_json_put(cli, "redacted", json_object_new_boolean(r->redact));
		return;
	}
	fprintf(cli->out,
		"%s: %u files, %" PRIu64
		" bytes before compression%s; its README says what is in it\n",
		r->file, r->members, r->bundle.bytes, r->redact ? ", redacted" : "");
}

static int report_run(struct cli *cli, const struct cli_call *call)
{
	const char *walk = cli_option(call, "walk"), *events = cli_option(call, "events");
	struct report r = {
		.cli = cli,
		.file = call->argv[0],
		.events = events ? realpath(events, NULL) : NULL,
		.redact = cli_has_option(call, "redact"),
		.guest_tables = cli_has_option(call, "with"),
		.bundle.file.fd = -1,
	};
	char *copy = walk ? strdup(walk) : NULL;
	int rc = walk && !copy ? cli_fail(cli, ENOMEM, "out of memory") : 0;

	if (!rc && walk)
		rc = parse_walk(&r, copy);
	if (!rc && events && (!r.events || access(r.events, R_OK)))
		rc = cli_fail(cli, errno, "%s: %s", events, strerror(errno));
	if (!rc)
		rc = make_work(&r);
	if (!rc && cli_option(call, "seconds"))
		rc = record_events(&r, cli_option(call, "seconds"));
	if (!rc)
		rc = report_images(&r);
	if (!rc)
		rc = make_bundle(&r);
	if (!rc)
		print_done(&r);
	report_deinit(&r);
	free(copy);
	return rc;
}

static const char *const with_words[] = { "guest-tables", NULL };

static const struct cli_option options[] = {
	{ .name = "walk",
	  .arg = "WALK",
	  .help = "add this walk, as 'gpa 0x1000': the one that fails" },
	{ .name = "redact", .help = "hide host-physical addresses and names, also in the image" },
	{ .name = "with",
	  .letter = 'w',
	  .arg = "WHAT",
	  .help = "save also: guest-tables (for 'walk gva'): part of the guest's memory",
	  .words = with_words },
	{ .name = "events",
	  .arg = "FILE",
	  .help = "add this recording, made by 'events --record FILE'",
	  .complete = CLI_COMPLETE_FILE },
	{ .name = "seconds",
	  .letter = 't',
	  .arg = "S",
	  .help = "record events for so long first, and add them" },
	{ NULL },
};

const struct cli_command cli_cmd_report = {
	.name = "report",
	.args = "FILE.tar.zst",
	.help = "put all that a bug report needs into one file",
	.details =
		"In it: the image, with the host's mapping of every slot and the dirty bitmaps; what\n"
		"vm, vcpus, memslots, roots, tables, tree, ranges, stats and audit say of it; versions,\n"
		"module parameters, KVM's counters, the agent's status, masks, layout and journal; and\n"
		"a README that says how to replay it. Of the guest's memory nothing is in it, unless\n"
		"--with asks for its page tables, an image was saved with some, or the events of a\n"
		"recording have instructions. --redact replaces each host address by another, equal\n"
		"ones by equal ones, so that walk and audit say the same of it. The file is written\n"
		"beside FILE and renamed when it is complete. Works on an image, too.",
	.example = "report bug.tar.zst --redact --walk 'gpa 0x1000'",
	.min_args = 1,
	.max_args = 1,
	.flags = CLI_TIDIES,
	.complete = CLI_COMPLETE_FILE,
	.options = options,
	.run = report_run,
};
