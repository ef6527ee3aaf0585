/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MAN_COMPLETION_H
#define MAN_COMPLETION_H

#include <stdio.h>

/* Completion of spt's command line for a shell; 0, or 1 when @out cannot be written. */
int completion_bash(FILE *out);
int completion_zsh(FILE *out);

#endif
