/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's own walk, for people and as JSON. */
#ifndef SPT_CLI_SHOW_GUEST_H
#define SPT_CLI_SHOW_GUEST_H

#include <json-c/json.h>

#include "cli/cli.h"
#include "spt/guest_walk.h"

/* @explain: say every step in words, too. */
void cli_print_guest(struct cli *cli, const struct spt_guest_walk *guest, bool explain);
struct json_object *cli_guest_json(const struct spt_guest_walk *guest, bool explain);

#endif
