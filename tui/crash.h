/* SPDX-License-Identifier: GPL-2.0 */
/* A program that crashes leaves the terminal to whoever sits there: as it was before. */
#ifndef SPT_TUI_CRASH_H
#define SPT_TUI_CRASH_H

#include <stddef.h>
#include <termios.h>

/* From now on a fatal signal puts @modes back and writes the @len bytes of @leave first. */
void tui_crash_prepare(const struct termios *modes, const char *leave, size_t len);
void tui_crash_forget(void);

#endif
