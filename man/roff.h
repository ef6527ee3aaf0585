/* SPDX-License-Identifier: GPL-2.0 */
/* Text as man(7) wants it: escaped, filled, one paragraph after the other. */
#ifndef MAN_ROFF_H
#define MAN_ROFF_H

#include <stdio.h>

/*
 * Fill @text into lines, with what roff would take as its own escaped. Indented lines stand by
 * themselves, everything else is filled.
 */
void roff_text(FILE *out, const char *text);

/* The same, printf-like, within a line: bold and italic are \001bold\003 and \002italic\003. */
void roff_line(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define BOLD(text)   "\001" text "\003"
#define ITALIC(text) "\002" text "\003"

/* Head of a tagged paragraph; what follows is its body. */
void roff_tag(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
