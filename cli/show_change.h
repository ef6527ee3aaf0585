/* SPDX-License-Identifier: GPL-2.0 */
/* The list of changes that 'diff' and 'watch' print. */
#ifndef SPT_CLI_SHOW_CHANGE_H
#define SPT_CLI_SHOW_CHANGE_H

#include "cli/cli.h"
#include "cli/table.h"
#include "spt/diff.h"

extern const struct cli_column cli_change_columns[];

/* "12:34:56.789": the time of the day, as the column 'time' has it. */
#define CLI_DAYTIME_TEXT 32
void cli_daytime_text(uint64_t time_ns, char text[CLI_DAYTIME_TEXT]);

/* One row; @time_ns: when it was seen, 0 for none. The models are those compared. */
void cli_change_row(struct cli *cli, struct cli_table *t, const struct spt_diff *diff,
		    const struct spt_change *c, uint64_t time_ns);

#endif
