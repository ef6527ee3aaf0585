// SPDX-License-Identifier: GPL-2.0
#include "cli/capture.h"

#include <stdlib.h>

#include "cli/run.h"

int cli_capture(struct cli *cli, int argc, const char **argv, enum cli_capture_warnings warnings,
		char **output, size_t *size)
{
	struct cli_stream *json = cli->json_out;
	FILE *out = cli->out, *err = cli->err, *memory, *dropped = NULL;
	bool shell = cli->shell, tty = cli->tty;
	size_t dropped_size;
	char *nothing = NULL;
	int status = -1;

	*output = NULL;
	memory = open_memstream(output, size);
	if (warnings == CLI_WARNINGS_DROPPED)
		dropped = open_memstream(&nothing, &dropped_size);
	if (memory && (dropped || warnings != CLI_WARNINGS_DROPPED)) {
		cli->out = memory;
		if (warnings != CLI_WARNINGS_STDERR)
			cli->err = dropped ? dropped : memory;
		cli->json_out = NULL;
		cli->tty = false;
		status = cli_run(cli, argc, argv, cli->where);
	}
	if (memory)
		fclose(memory);
	if (dropped)
		fclose(dropped);
	free(nothing);
	cli->out = out;
	cli->err = err;
	cli->json_out = json;
	cli->shell = shell;
	cli->tty = tty;
	return *output ? status : -1;
}
