/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands that read the guest's memory share. */
#ifndef SPT_CLI_GUEST_H
#define SPT_CLI_GUEST_H

#include "cli/cli.h"
#include "spt/guest_bytes.h"

/* --vcpu and --cr3, and nothing else. */
extern const struct cli_option cli_guest_options[];

/*
 * Take --vcpu and --cr3 of the call into @what->by, and what the global options mean for an
 * image. --cr3 without @virtual is refused.
 */
int cli_guest_by(struct cli *cli, const struct cli_call *call, bool virtual,
		 struct spt_guest_bytes *what);

#endif
