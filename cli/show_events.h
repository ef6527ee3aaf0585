/* SPDX-License-Identifier: GPL-2.0 */
/* Events as lines of a table, and their summary. */
#ifndef SPT_CLI_SHOW_EVENTS_H
#define SPT_CLI_SHOW_EVENTS_H

#include "cli/cli.h"
#include "cli/table.h"
#include "spt/events.h"

extern const struct cli_column cli_event_columns[];

/* Times count from @begin_ns on. */
void cli_event_row(struct cli *cli, struct cli_table *t, const struct spt_model *model,
		   const struct spt_event *event, uint64_t begin_ns);

/* At most @top lines a list. */
void cli_events_summary(struct cli *cli, const struct spt_model *model,
			const struct spt_events_summary *summary, const struct spt_trace *trace,
			uint64_t top);

/* How many there were, what was lost, whose they are. @shown of them were printed. */
void cli_events_totals(struct cli *cli, const struct spt_trace *trace, uint64_t shown);

#endif
