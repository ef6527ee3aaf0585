/* SPDX-License-Identifier: GPL-2.0 */
/* The interactive shell. */
#ifndef SPT_CLI_SHELL_H
#define SPT_CLI_SHELL_H

#include "cli/cli.h"

/*
 * Read commands until 'quit' or the end of the input: with line editing, history
 * and completion on a terminal, plainly and without a prompt elsewhere. Returns
 * the worst status of a script on stdin; CLI_DONE after a dialogue.
 */
int cli_shell(struct cli *cli);

/*
 * Look at this VM or at this image from now on, if it can be opened; neither: at the only VM that
 * there is. The text is copied. Returns 0 or -errno with cli->error saying why.
 */
int cli_use(struct cli *cli, const char *vm, const char *image);

#endif
