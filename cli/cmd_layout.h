/* SPDX-License-Identifier: GPL-2.0 */
/* Options that 'layout' and 'agent load' share: where type information comes from. */
#ifndef SPT_CLI_CMD_LAYOUT_H
#define SPT_CLI_CMD_LAYOUT_H

#include "cli/cli.h"
#include "spt/agent_load.h"

extern const char *const cli_from_words[];

#define CLI_LAYOUT_OPTIONS                                                                         \
	{ .name = "from",                                                                          \
	  .arg = "SOURCE",                                                                         \
	  .help = "only BTF, or only DWARF",                                                       \
	  .words = cli_from_words },                                                               \
		{ .name = "btf-dir",                                                               \
		  .arg = "DIR",                                                                    \
		  .help = "files vmlinux, kvm, kvm_amd, kvm_intel (default /sys/kernel/btf)",      \
		  .complete = CLI_COMPLETE_FILE },                                                 \
	{                                                                                          \
		.name = "dwarf-dir", .arg = "DIR",                                                 \
		.help = "debug files, searched before /usr/lib/debug",                             \
		.complete = CLI_COMPLETE_FILE                                                      \
	}

/* What the options say; @dirs holds the list that *ret points to. */
void cli_layout_from(const struct cli_call *call, const char *dirs[2], struct spt_layout_from *ret);

#endif
