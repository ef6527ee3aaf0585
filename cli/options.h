/* SPDX-License-Identifier: GPL-2.0 */
/* Option parsing from tables; used for spt's own options and for each command's. */
#ifndef SPT_CLI_OPTIONS_H
#define SPT_CLI_OPTIONS_H

#include <stdbool.h>

#include "cli/cli.h"

/* Options that work before and after any command. */
enum cli_global_option {
	CLI_OPT_VM,
	CLI_OPT_IMAGE,
	CLI_OPT_JSON,
	CLI_OPT_RAW,
	CLI_OPT_OUTPUT,
	CLI_OPT_NO_HEADINGS,
	CLI_OPT_UNSAFE,
	CLI_OPT_SALVAGE,
	CLI_OPT_DEBUG_DIR,
	CLI_OPT_HELP,
	CLI_OPT_GLOBALS,
};

/* Options that only the program's own line has. */
enum cli_program_option {
	CLI_OPT_COMMANDS, /* -c */
	CLI_OPT_SCRIPT,	  /* -f */
	CLI_OPT_VERSION,
	CLI_OPT_PROGRAM,
};

extern const struct cli_option cli_global_options[];
extern const struct cli_option cli_program_options[];

/* A table of options and where the values go: by index, NULL where not given, "" without one. */
struct cli_option_set {
	const struct cli_option *options;
	const char **value;
};

/*
 * Take the options of the @nsets tables out of argv[0..*argc): what is left, in
 * order, are the arguments. '--' ends the options, and so does the first
 * argument if @stop_at_argument. Values point into argv. Returns 0 or -EINVAL
 * with *@e saying which option is wrong.
 */
int cli_parse_options(const char **argv, int *argc, const struct cli_option_set *sets, int nsets,
		      bool stop_at_argument, struct spt_error *e);

/* Override @globals by the global options that were given. */
int cli_apply_globals(struct cli_globals *globals, const char *const *value, struct spt_error *e);

#endif
