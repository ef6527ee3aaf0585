/* SPDX-License-Identifier: GPL-2.0 */
/* One walk, for people and as JSON. */
#ifndef SPT_CLI_SHOW_WALK_H
#define SPT_CLI_SHOW_WALK_H

#include <string.h>

#include "cli/cli.h"
#include "spt/guest_walk.h"
#include "spt/page_node.h"
#include "spt/walk.h"

/* The address that was asked for. */
struct cli_walk_from {
	const char *kind; /* "gpa", "gva", "hva", "hpa" */
	uint64_t address;
	const struct spt_guest_walk *guest; /* gva: how the guest translates it; else NULL */
	bool explain;			    /* say every step in words, too */
	bool nodes;			    /* say each page's NUMA node, too */
};

/* Whether the walk got as far as a guest-physical address. */
static inline bool cli_walk_has_gpa(const struct cli_walk_from *from, const struct spt_walk *walk)
{
	if (from->guest)
		return from->guest->end == SPT_GUEST_END_MAPPED;
	return walk->slot || walk->nr_paths || !strcmp(from->kind, "gpa");
}

/* NUMA node of the page that @hpa, which the walk found for its GPA, is in; @nodes NULL: not asked.
 */
int cli_walk_node(const struct spt_nodes *nodes, const struct spt_walk *walk, uint64_t hpa);

/* Members of the JSON object that is open. */
void cli_walk_to_json(struct cli *cli, const struct spt_model *model,
		      const struct cli_walk_from *from, const struct spt_walk *walk);

/* The last lines of a walk; also of one that found nothing to walk. */
void cli_print_verdict(struct cli *cli, const struct spt_model *model,
		       const struct cli_walk_from *from, const struct spt_walk *walk);

void cli_print_walk(struct cli *cli, const struct spt_model *model,
		    const struct cli_walk_from *from, const struct spt_walk *walk);

#endif
