/* SPDX-License-Identifier: GPL-2.0 */
/* A screen as text, to compare it with a file. */
#ifndef SPT_TESTS_SCREEN_PICTURE_H
#define SPT_TESTS_SCREEN_PICTURE_H

#include <stdbool.h>

#include "tests/screen/terminal.h"

/*
 * Every row of the screen as a line, without blanks at its end. @painted: below them, a line
 * for each run of cells that are not painted as usual ('3:1-12 bold fg 2'), and the cursor's
 * place; both count from 1. To be freed.
 */
char *picture_of(const struct terminal *t, bool painted);

#endif
