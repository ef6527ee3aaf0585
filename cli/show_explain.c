// SPDX-License-Identifier: GPL-2.0
#include "cli/show_explain.h"

#include <string.h>

#define TEXT_WIDTH  96 /* columns of text beside the indentation */
#define LEAST_WIDTH 24

static int terminal_columns;

void cli_explain_width(int columns)
{
	terminal_columns = columns;
}

static size_t text_width(size_t indent)
{
	int width = terminal_columns - (int)indent;

	if (!terminal_columns || width > TEXT_WIDTH)
		return TEXT_WIDTH;
	return width > LEAST_WIDTH ? (size_t)width : LEAST_WIDTH;
}

/* @first before the first line, as many blanks before the others. */
static void print_wrapped(FILE *out, const char *first, const char *text)
{
	const size_t width = text_width(strlen(first));
	const char *lead = first;

	while (*text) {
		size_t len = strlen(text);

		if (len > width) {
			len = width;
			while (len && text[len] != ' ')
				len--;
			len = len ? len : width;
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
