// SPDX-License-Identifier: GPL-2.0
/* `save`: keep this moment in a file. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/target.h"
#include "spt/save.h"

static const struct cli_option options[] = {
	{ .name = "zstd", .letter = 'z', .help = "compress the file" },
	{ NULL },
};

/* Shown on a terminal only; asked also whether Ctrl-C was pressed. */
static int show_progress(void *arg, uint64_t bytes)
{
	bool show = *(const bool *)arg;

	if (show)
		fprintf(stderr, "\r%" PRIu64 " KiB", bytes >> 10);
	return cli_interrupted;
}

static int save_run(struct cli *cli, const struct cli_call *call)
{
	bool show = isatty(STDERR_FILENO) && !cli->opt.json;
	struct spt_save how = {
		.compress = cli_has_option(call, "zstd"),
		.progress = show_progress,
		.arg = &show,
	};
	struct spt_source *source;
	struct spt_saved saved;
	int rc;

	rc = cli_source(cli, &source);
	if (rc)
		return rc;
	rc = spt_save(source, call->argv[0], &how, &saved, &cli->error);
	if (show)
		fputs("\r              \r", stderr);
	if (rc)
		return rc;
	if (saved.torn)
		cli_warn(cli,
			 "%s: torn: the VM changed while it was read, and the image says where",
			 call->argv[0]);
	if (cli->opt.json) {
		cli_json_put(cli, "file", json_object_new_string(call->argv[0]));
		cli_json_put(cli, "bytes", cli_json_uint(saved.bytes));
		cli_json_put(cli, "file_bytes", cli_json_uint(saved.file_bytes));
		cli_json_put(cli, "records", cli_json_uint(saved.records));
		cli_json_put(cli, "tables", cli_json_uint(saved.tables));
		cli_json_put(cli, "torn", json_object_new_boolean(saved.torn));
	} else {
		fprintf(cli->out, "%s: %" PRIu64 " tables, %" PRIu64 " records, %" PRIu64 " bytes",
			call->argv[0], saved.tables, saved.records, saved.bytes);
		if (saved.file_bytes != saved.bytes)
			fprintf(cli->out, " in a file of %" PRIu64, saved.file_bytes);
		fputc('\n', cli->out);
	}
	return 0;
}

const struct cli_command cli_cmd_save = {
	.name = "save",
	.args = "FILE",
	.help = "save the VM's image, for --image on any machine",
	.details = "The file is written beside FILE and renamed when it is complete.",
	.example = "save vm.spt --zstd",
	.min_args = 1,
	.max_args = 1,
	.complete = CLI_COMPLETE_FILE,
	.options = options,
	.run = save_run,
};
