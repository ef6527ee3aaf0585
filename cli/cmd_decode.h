/* SPDX-License-Identifier: GPL-2.0 */
/* Parts of 'decode' that have a file of their own. */
#ifndef SPT_CLI_CMD_DECODE_H
#define SPT_CLI_CMD_DECODE_H

#include <stdint.h>

#include "cli/cli.h"

/* 'decode role VALUE --layout LAYOUT': that kernel's names beside today's. */
int cli_decode_role_layout(struct cli *cli, const char *layout, uint64_t value);

#endif
