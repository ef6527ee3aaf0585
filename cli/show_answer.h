/* SPDX-License-Identifier: GPL-2.0 */
/* What became of an action, for people and as JSON. */
#ifndef SPT_CLI_SHOW_ANSWER_H
#define SPT_CLI_SHOW_ANSWER_H

#include "cli/cli.h"
#include "decoders/format.h"
#include "spt/action.h"

#define CLI_SPTE_TEXT 384 /* bytes that hold an entry in words */

/* "L1 0x… rwx 4K page 0x… accessed,dirty"; of one that is not known "n/a". Returns text. */
const char *cli_act_spte(const struct spt_format *format, const struct spt_act_spte *spte,
			 char text[CLI_SPTE_TEXT]);
struct json_object *cli_act_spte_json(const struct spt_format *format,
				      const struct spt_act_spte *spte);

/*
 * The answer: under --json as members of the current object, else as lines. One line on
 * stderr where the action was not done. Returns 0 done, 1 for any other result, or
 * -EINVAL where the line itself was refused.
 */
int cli_show_answer(struct cli *cli, const struct spt_format *format,
		    const struct spt_answer *answer);

/* The JSON alone: members of the current object. */
void cli_put_answer(struct cli *cli, const struct spt_format *format,
		    const struct spt_answer *answer);

/* A hit as it comes: a line or two, or an item of the JSON array 'hits', flushed at once. */
void cli_show_hit(struct cli *cli, const struct spt_format *format, const struct spt_act_hit *hit,
		  const char *slot);

#endif
