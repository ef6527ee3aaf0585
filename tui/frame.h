/* SPDX-License-Identifier: GPL-2.0 */
/* The whole screen, drawn into the canvas. */
#ifndef SPT_TUI_FRAME_H
#define SPT_TUI_FRAME_H

#include "tui/screen.h"

/* By enum tui_view_id. */
extern const struct tui_view *const tui_views[];

/* Draw; true: there is more to come, draw again. */
bool tui_frame_draw(struct tui *t);

/* The lines of the view, and of those the ones that the popup covers. */
struct tui_area tui_view_area(const struct tui *t);
struct tui_area tui_popup_area(const struct tui *t);

/* What the view that is shown wants of the VM. */
struct spt_request tui_wanted(struct tui *t);

#endif
