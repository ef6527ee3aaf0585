/* SPDX-License-Identifier: GPL-2.0 */
/* The life of one JSON document; the runner of commands owns it, commands write with cli/json.h. */
#ifndef SPT_CLI_STREAM_H
#define SPT_CLI_STREAM_H

#include <stdio.h>

#include "decoders/error.h"

struct cli_stream;

/* Nothing is written before the first member is. NULL: no memory. */
struct cli_stream *cli_stream_create(FILE *out);

/*
 * Close what is still open, add an "error" member when @error is not NULL, end
 * the document and free @s: whatever happens half-way, the output is valid JSON.
 */
void cli_stream_finish(struct cli_stream *s, const struct spt_error *error);

#endif
