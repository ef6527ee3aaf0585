/* SPDX-License-Identifier: GPL-2.0 */
/* The help, made of the table of keys. */
#ifndef SPT_TUI_HELP_H
#define SPT_TUI_HELP_H

#include "tui/text.h"

/* What the keys do in @view, then the views, @cols wide. 0 or -ENOMEM. */
int tui_help_make(struct tui_text *ret, enum tui_view_id view, int cols);

#endif
