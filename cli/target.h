/* SPDX-License-Identifier: GPL-2.0 */
/* What a command looks at: the VM or the image that -V and -i mean, opened when first needed. */
#ifndef SPT_CLI_TARGET_H
#define SPT_CLI_TARGET_H

#include "cli/cli.h"
#include "spt/model.h"
#include "spt/numa.h"
#include "spt/source.h"

/*
 * The source that the options in force mean. The shell keeps it open from one
 * command to the next, so that a query is one write and reads on one descriptor.
 * Owned by @cli.
 */
int cli_source(struct cli *cli, struct spt_source **ret);

/*
 * Read @req from it (NULL: everything) and load the model; what is torn or
 * missing is said on stderr and in the JSON document. Valid until the next call.
 */
int cli_model(struct cli *cli, const struct spt_request *req, struct spt_model **ret);

/* The same without a word about torn or missing things. */
int cli_read(struct cli *cli, const struct spt_request *req, struct spt_model **ret);

/* An empty model that walks load themselves; owned by @cli as above. */
struct spt_model *cli_empty_model(struct cli *cli);

/* Flags for spt_source_read() that the options mean. */
unsigned int cli_image_flags(const struct cli *cli);

/* Say of a loaded model that it is torn or incomplete. */
void cli_note_torn(struct cli *cli, const struct spt_model *model);

/*
 * NUMA nodes of the host that the VM runs on, as they are now; NULL: the target is an image, which
 * has its own. Valid until the next call, or the target is closed.
 */
const struct spt_numa *cli_numa(struct cli *cli);

/* Let go of the VM: the agent does not unload while one is held. */
void cli_target_close(struct cli *cli);

#endif
