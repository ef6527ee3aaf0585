// SPDX-License-Identifier: GPL-2.0
#include "cli/capture.h"

#include "cli/run.h"

int cli_capture(struct cli *cli, int argc, const char **argv, bool warnings, char **output,
		size_t *size)
{
	struct cli_stream *json = cli->json_out;
	FILE *out = cli->out, *err = cli->err, *memory;
	bool shell = cli->shell, tty = cli->tty;
	int status;

	*output = NULL;
	memory = open_memstream(output, size);
	if (!memory)
		return -1;
	cli->out = memory;
	cli->err = warnings ? memory : err;
	cli->json_out = NULL;
	cli->tty = false;
	status = cli_run(cli, argc, argv, cli->where);
	fclose(memory);
	cli->out = out;
	cli->err = err;
	cli->json_out = json;
	cli->shell = shell;
	cli->tty = tty;
	return *output ? status : -1;
}
