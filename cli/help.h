/* SPDX-License-Identifier: GPL-2.0 */
/* Help from the tables: the same words as the completion and the man page. */
#ifndef SPT_CLI_HELP_H
#define SPT_CLI_HELP_H

#include "cli/cli.h"

/* Both return 0; under --json they write the same facts as members of the document. */
int cli_help_command(struct cli *cli, const struct cli_command *command);
int cli_help_all(struct cli *cli);

#endif
