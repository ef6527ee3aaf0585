// SPDX-License-Identifier: GPL-2.0
#include "cli/show_explain.h"

#include <string.h>

#define TEXT_WIDTH 96 /* columns of text beside the indentation */

/* @first before the first line, as many blanks before the others. */
static void print_wrapped(FILE *out, const char *first, const char *text)
{
	const char *lead = first;

	while (*text) {
		size_t len = strlen(text);

		if (len > TEXT_WIDTH) {
			len = TEXT_WIDTH;
			while (len && text[len] != ' ')
				len--;
			len = len ? len : TEXT_WIDTH;
		}
		fprintf(out, "%*s%.*s\n", (int)strlen(first), lead, (int)len, text);
		text += len;
		text += strspn(text, " ");
		lead = "";
	}
}

void cli_print_words(FILE *out, const char *text)
{
	print_wrapped(out, "           ", text);
}

void cli_print_item(void *out, const char *line)
{
	print_wrapped(out, "  - ", line);
}

void cli_add_item(void *array, const char *line)
{
	json_object_array_add(array, json_object_new_string(line));
}
