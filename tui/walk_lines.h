/* SPDX-License-Identifier: GPL-2.0 */
/* A walk in a few lines, for the foot of the map: one line for each root. */
#ifndef SPT_TUI_WALK_LINES_H
#define SPT_TUI_WALK_LINES_H

#include "tui/screen.h"

/* Draw the walk of the current address into the rows; what does not fit is left out. */
void tui_walk_lines(struct tui *t, int row, int rows);

#endif
