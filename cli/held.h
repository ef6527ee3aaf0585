/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options that a session holds: `set` gives one a value, and every command that has an option of
 * that name takes it where its own line has none.
 */
#ifndef SPT_CLI_HELD_H
#define SPT_CLI_HELD_H

#include "cli/cli.h"

/* By name: only such whose meaning is the same wherever it occurs, and that hide no answer. */
#define CLI_HELD_OPTIONS(X)                                                                        \
	X("vcpu")                                                                                  \
	X("split-by")                                                                              \
	X("explain")                                                                               \
	X("redact")

/* The option as the first command that has it describes it; NULL: @name is not held. */
const struct cli_option *cli_held_option(const char *name);

/* What is held for it, "" for an option without a value; NULL: nothing. */
const char *cli_held(const struct cli *cli, const char *name);

/*
 * From now on; NULL: nothing any more. The value is copied, and checked against the option's
 * words where it has some. Returns 0, -EINVAL or -ENOMEM with cli->error saying why.
 */
int cli_hold(struct cli *cli, const char *name, const char *value);

/* Give @call what is held for options that it has not. The values are the session's. */
void cli_take_held(const struct cli *cli, struct cli_call *call);

void cli_drop_held(struct cli *cli);

#endif
