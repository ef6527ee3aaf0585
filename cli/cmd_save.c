// SPDX-License-Identifier: GPL-2.0
/* `save`: keep this moment in a file. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/target.h"
#include "spt/save.h"

static const char *const with_words[] = { "guest-tables", "host", "code", NULL };

static const struct cli_option options[] = {
	{ .name = "zstd",
	  .letter = 'z',
	  .help = "compress the file; a FILE called .zst always is" },
	{ .name = "with",
	  .letter = 'w',
	  .arg = "WHAT",
	  .help = "save also: guest-tables (for 'walk gva'), host (its mapping of every slot), "
		  "code (the pages at each RIP)",
	  .words = with_words,
	  .list = true },
	{ NULL },
};

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(text, word, len);
}

static int parse_with(struct cli *cli, const char *text, struct spt_save *how)
{
	while (text && *text) {
		size_t len = strcspn(text, ",");

		if (is_word(text, len, "guest-tables"))
			how->guest_tables = true;
		else if (is_word(text, len, "host"))
			how->req.parts = SPT_PARTS_DEFAULT | SPT_PART_HOST_RUNS;
		else if (is_word(text, len, "code"))
			how->code = true;
		else
			return cli_fail(cli, EINVAL,
					"--with: no '%.*s'; there are guest-tables, host, code",
					(int)(len < 32 ? len : 32), text);
		text += len + (text[len] == ',');
	}
	return 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && !strcmp(text + len - n, end);
}

static void print_saved(struct cli *cli, const char *file, const struct spt_saved *saved,
			const struct spt_save *how)
{
	if (saved->torn)
		cli_warn(cli,
			 "%s: torn: the VM changed while it was read, and the image says where",
			 file);
	if (saved->guest_limited)
		cli_warn(cli, "%s: the guest's page tables have no end: %" PRIu64 " pages saved",
			 file, saved->guest_tables);
	if (cli->opt.json) {
		cli_json_put(cli, "file", json_object_new_string(file));
		cli_json_put(cli, "bytes", cli_json_uint(saved->bytes));
		cli_json_put(cli, "file_bytes", cli_json_uint(saved->file_bytes));
		cli_json_put(cli, "records", cli_json_uint(saved->records));
		cli_json_put(cli, "tables", cli_json_uint(saved->tables));
		if (how->guest_tables) {
			cli_json_put(cli, "guest_tables", cli_json_uint(saved->guest_tables));
			cli_json_put(cli, "guest_tables_unread",
				     cli_json_uint(saved->guest_unread));
		}
		if (how->code)
			cli_json_put(cli, "code_pages", cli_json_uint(saved->code_pages));
		cli_json_put(cli, "torn", json_object_new_boolean(saved->torn));
		return;
	}
	fprintf(cli->out, "%s: %" PRIu64 " tables, %" PRIu64 " records, %" PRIu64 " bytes", file,
		saved->tables, saved->records, saved->bytes);
	if (how->guest_tables)
		fprintf(cli->out, ", %" PRIu64 " guest tables", saved->guest_tables);
	if (how->code)
		fprintf(cli->out, ", %" PRIu64 " pages of code and its tables", saved->code_pages);
	if (saved->guest_unread)
		fprintf(cli->out, " (%" PRIu64 " could not be read)", saved->guest_unread);
	fprintf(cli->out, " in a file of %" PRIu64 "%s", saved->file_bytes,
		how->compress ? ", compressed" : ", with its index");
	fputc('\n', cli->out);
}

static int save_run(struct cli *cli, const struct cli_call *call)
{
	const char *file = call->argv[0];
	struct spt_save how = {
		.compress = cli_has_option(call, "zstd") || ends_with(file, ".zst"),
		.progress = cli_progress_step,
	};
	struct cli_progress progress;
	struct spt_source *source;
	struct spt_saved saved;
	int rc = parse_with(cli, cli_option(call, "with"), &how);

	if (rc)
		return rc;
	rc = cli_source(cli, &source);
	if (rc)
		return rc;
	if (!spt_source_is_live(source) && cli_option(call, "with"))
		return cli_fail(
			cli, EINVAL,
			"save --with needs a live VM: an image cannot be given what it lacks");
	progress = cli_progress_begin(cli, "saving");
	how.arg = &progress;
	spt_source_set_progress(source, cli_progress_step, &progress);
	rc = spt_save(source, file, &how, &saved, &cli->error);
	spt_source_set_progress(source, NULL, NULL);
	cli_progress_end(&progress);
	if (rc)
		return rc;
	print_saved(cli, file, &saved, &how);
	return 0;
}

const struct cli_command cli_cmd_save = {
	.name = "save",
	.args = "FILE",
	.help = "save the VM's image, for --image on any machine",
	.details =
		"The file is written beside FILE and renamed when it is complete. It has an index,\n"
		"by which a question about one page reads a few tables of it. What --zstd compresses\n"
		"any zstd decompresses, into the image without the index. Nothing of the guest's memory\n"
		"is in it but what --with names: its page tables, or the code where its vCPUs stand.",
	.example = "save vm.spt.zst --with guest-tables,host",
	.min_args = 1,
	.max_args = 1,
	.complete = CLI_COMPLETE_FILE,
	.options = options,
	.run = save_run,
};
