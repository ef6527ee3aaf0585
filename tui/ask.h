/* SPDX-License-Identifier: GPL-2.0 */
/* What is asked for in a line of input: an address, a filter, a file, an action. */
#ifndef SPT_TUI_ASK_H
#define SPT_TUI_ASK_H

struct tui;

void tui_ask_address(struct tui *t);
void tui_ask_filter(struct tui *t);
void tui_ask_file(struct tui *t);
void tui_ask_action(struct tui *t);

#endif
