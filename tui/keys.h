/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one table of keys: it is what a key does, what the help shows and what the manual says.
 */
#ifndef SPT_TUI_KEYS_H
#define SPT_TUI_KEYS_H

#include <stddef.h>

#include "tui/term.h"

/* The views in the order of their digits: id, name, what it shows. */
#define TUI_VIEWS(V)                                                                               \
	V(VMS, vms, "the VMs of this host, what is mapped of them and how fast it changes")        \
	V(MAP, map, "an address space as blocks, at any zoom from a terabyte to a page")           \
	V(TREE, tree, "the page tables, opened entry by entry, raw or decoded")                    \
	V(RANGES, ranges, "what is mapped, neighbours of equal meaning merged")                    \
	V(MEMSLOTS, memslots, "the VMM's memory as KVM was told of it")                            \
	V(VCPUS, vcpus, "registers, root and state of each vCPU, and the code at RIP")             \
	V(EVENTS, events, "page faults and what KVM did about them, as it happens")                \
	V(AUDIT, audit, "rules that the tables break")                                             \
	V(WALK, walk, "the whole way of the current address, explained")

enum tui_view_id {
#define V(id, name, help) TUI_VIEW_##id,
	TUI_VIEWS(V)
#undef V
		TUI_VIEW_COUNT,
};

#define TUI_IN(id)     (1U << TUI_VIEW_##id)
#define TUI_EVERYWHERE ((1U << TUI_VIEW_COUNT) - 1)
#define TUI_IN_LISTS   (TUI_IN(TREE) | TUI_IN(RANGES) | TUI_IN(MEMSLOTS) | TUI_IN(EVENTS))

/* What keys do: id, up to three keys, where, help. In the order of the help. */
#define TUI_COMMANDS(C)                                                                            \
	C(QUIT, 'q', TUI_CTRL('c'), 0, TUI_EVERYWHERE, "quit")                                     \
	C(HELP, '?', 0, 0, TUI_EVERYWHERE, "this help")                                            \
	C(NEXT_VIEW, TUI_KEY_TAB, 0, 0, TUI_EVERYWHERE, "the next view; 1 to 9: that view")        \
	C(PREV_VIEW, TUI_KEY_BACK_TAB, 0, 0, TUI_EVERYWHERE, "the view before")                    \
	C(UP, TUI_KEY_UP, 'k', 0, TUI_EVERYWHERE, "one row up")                                    \
	C(DOWN, TUI_KEY_DOWN, 'j', 0, TUI_EVERYWHERE, "one row down")                              \
	C(PAGE_UP, TUI_KEY_PAGE_UP, TUI_CTRL('b'), 0, TUI_EVERYWHERE, "one screen up")             \
	C(PAGE_DOWN, TUI_KEY_PAGE_DOWN, TUI_CTRL('f'), 0, TUI_EVERYWHERE, "one screen down")       \
	C(HOME, TUI_KEY_HOME, 'g', 0, TUI_EVERYWHERE, "to the beginning")                          \
	C(END, TUI_KEY_END, 'G', 0, TUI_EVERYWHERE, "to the end")                                  \
	C(LEFT, TUI_KEY_LEFT, 'h', 0, TUI_EVERYWHERE, "left; in the tree: close the table")        \
	C(RIGHT, TUI_KEY_RIGHT, 'l', 0, TUI_EVERYWHERE, "right; in the tree: open the table")      \
	C(ENTER, TUI_KEY_ENTER, 0, 0, TUI_EVERYWHERE,                                              \
	  "map: zoom in; tree: open or close; lists: choose the VM, show the address in the map")  \
	C(ZOOM_IN, '+', '=', 0, TUI_IN(MAP), "twice the zoom")                                     \
	C(ZOOM_OUT, '-', TUI_KEY_BACKSPACE, 0, TUI_IN(MAP), "half the zoom")                       \
	C(COLOUR, 'c', 0, 0, TUI_IN(MAP), "colour by the next attribute")                          \
	C(COLOUR_BACK, 'C', 0, 0, TUI_IN(MAP), "colour by the attribute before")                   \
	C(LETTERS, 'a', 0, 0, TUI_IN(MAP), "letters or blocks")                                    \
	C(NEXT, 'n', 0, 0, TUI_IN(MAP), "to the next block that shows something else")             \
	C(PREV, 'N', 0, 0, TUI_IN(MAP), "to the one before")                                       \
	C(ROOT, 'r', 0, 0, TUI_IN(MAP) | TUI_IN(RANGES), "another root, or all of GPAs")           \
	C(RAW, 'x', 0, 0, TUI_IN(TREE), "raw entries or decoded ones")                             \
	C(GOTO, '/', 0, 0, TUI_EVERYWHERE,                                                         \
	  "go to an address of the root's, or gpa, hva, hpa ADDR")                                 \
	C(FILTER, '&', 0, 0, TUI_IN_LISTS, "only lines with this text")                            \
	C(WALK, 'w', 0, 0, TUI_EVERYWHERE, "walk the current address")                             \
	C(FREEZE, ' ', 0, 0, TUI_EVERYWHERE, "freeze the picture, or go on")                       \
	C(REREAD, TUI_CTRL('r'), 0, 0, TUI_EVERYWHERE, "read the VM again now")                    \
	C(SAVE, 'S', 0, 0, TUI_EVERYWHERE, "save an image of what is shown")                       \
	C(ACT, '!', 0, 0, TUI_EVERYWHERE, "act on the current address: zap, fault w, split, ...")  \
	C(REDRAW, TUI_CTRL('l'), 0, 0, TUI_EVERYWHERE, "draw the screen anew")                     \
	C(SUSPEND, TUI_CTRL('z'), 0, 0, TUI_EVERYWHERE, "back to the shell, until 'fg'")           \
	C(CLOSE, TUI_KEY_ESCAPE, 0, 0, TUI_EVERYWHERE, "close what is open above the view")

enum tui_command {
	TUI_CMD_NONE,
#define C(id, a, b, c, views, help) TUI_CMD_##id,
	TUI_COMMANDS(C)
#undef C
		TUI_CMD_COUNT,
};

#define TUI_BINDING_KEYS 3

struct tui_binding {
	enum tui_command command;
	int key[TUI_BINDING_KEYS]; /* 0: none */
	unsigned int views;	   /* TUI_IN(), or-ed */
	const char *help;
};

extern const struct tui_binding tui_bindings[];
extern const size_t tui_nr_bindings;

/* What @key does in @view; TUI_CMD_NONE: nothing. */
enum tui_command tui_key_command(int key, enum tui_view_id view);

#define TUI_KEYS_TEXT 48
/* "q, ^C". Returns @text. */
const char *tui_binding_keys(const struct tui_binding *b, char text[TUI_KEYS_TEXT]);

#endif
