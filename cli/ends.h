/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Signals that end a program, while a command runs that leaves something behind until it is
 * over: a trace instance, actions to take back, files.
 */
#ifndef SPT_CLI_ENDS_H
#define SPT_CLI_ENDS_H

/*
 * From now on such a signal is held back, and the command stopped as by Ctrl-C. Those that
 * the program was started to ignore stay ignored. Calls may nest.
 */
void cli_hold_ends(void);

/* The last of them: the signals do again what they did. */
void cli_release_ends(void);

/* The signal that is held back, 0: none. */
int cli_held_end(void);

/* Raise it, if there is one and nobody holds them; returns where it does not end the program. */
void cli_raise_end(void);

#endif
