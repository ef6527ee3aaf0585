/* SPDX-License-Identifier: GPL-2.0 */
/* What the tables of the program say, as sections of the manual. */
#ifndef MAN_SECTIONS_H
#define MAN_SECTIONS_H

#include <stdio.h>

/* Write the section called @name ('@COMMANDS@' in a template); -1: there is none. */
int manual_section(FILE *out, const char *name);

/* agent/spt_image.h, whose list of records is text: where to find it. */
extern const char *manual_image_header;

#endif
