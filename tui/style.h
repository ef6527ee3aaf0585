/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The styles that views draw with. The colours of what is told apart are those of Okabe and
 * Ito (Color Universal Design, 2002), which people with any kind of colour blindness can
 * tell apart; without colours letters do it, and attributes where the terminal has them.
 */
#ifndef SPT_TUI_STYLE_H
#define SPT_TUI_STYLE_H

/* id, colour of 256, of 8 (-1: the terminal's own), without colours: 'b'old, 'u'nderlined, 'd'im */
#define TUI_STYLES(S)                                                                              \
	S(PLAIN, -1, -1, 0)                                                                        \
	S(TITLE, 75, 6, 'b')                                                                       \
	S(HEADING, 250, 7, 'u')                                                                    \
	S(DIM, 244, -1, 'd')                                                                       \
	S(KEY, 179, 3, 'b')                                                                        \
	S(GOOD, 36, 2, 0)                                                                          \
	S(BAD, 202, 1, 'b')                                                                        \
	S(ORANGE, 214, 3, 0)                                                                       \
	S(SKY, 74, 6, 0)                                                                           \
	S(GREEN, 36, 2, 0)                                                                         \
	S(YELLOW, 227, 3, 'b')                                                                     \
	S(BLUE, 32, 4, 0)                                                                          \
	S(VERMILION, 166, 1, 'b')                                                                  \
	S(PURPLE, 175, 5, 0)                                                                       \
	S(GREY, 240, 7, 'd')

enum tui_style {
#define S(id, c256, c8, mono) TUI_##id,
	TUI_STYLES(S)
#undef S
		TUI_STYLE_COUNT,
};

/* Flags beside a style. */
#define TUI_REVERSE   (1U << 8)
#define TUI_BOLD      (1U << 9)
#define TUI_UNDERLINE (1U << 10)

#endif
