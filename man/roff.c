// SPDX-License-Identifier: GPL-2.0
#include "man/roff.h"

#include <stdarg.h>
#include <string.h>

/* Lines of the source that are longer are hard to read, and lint says so. */
#define WIDTH 72

static int put_char(FILE *out, char c)
{
	static const struct {
		char c;
		const char *roff;
	} special[] = {
		{ '\\', "\\e" },    { '-', "\\-" },	{ '\001', "\\fB" },
		{ '\002', "\\fI" }, { '\003', "\\fR" }, { '~', "\\(ti" },
		{ '^', "\\(ha" },   { '`', "\\(ga" },	{ '\'', "\\(aq" },
	};

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (special[i].c == c)
			return fprintf(out, "%s", special[i].roff);
	putc(c, out);
	return 1;
}

/* One word; at a line's begin, no character of it may be taken for a request. */
static int put_word(FILE *out, const char *word, size_t len, int column)
{
	if (!column && len && word[0] == '.')
		column += fprintf(out, "\\&");
	for (size_t i = 0; i < len; i++) {
		column += put_char(out, word[i]);
		/* JSON has no blanks to break a line at. */
		if (word[i] == ',' && i + 1 < len)
			column += fprintf(out, "\\:");
	}
	return column;
}

static void fill(FILE *out, const char *text, size_t len)
{
	const char *end = text + len;
	int column = 0;

	while (text < end) {
		size_t blanks = strspn(text, " \t\n"), word;

		text += blanks;
		if (text >= end || !*text)
			break;
		word = strcspn(text, " \t\n");
		if (text + word > end)
			word = (size_t)(end - text);
		if (column && column + (int)word + 1 > WIDTH) {
			putc('\n', out);
			column = 0;
		} else if (column) {
			putc(' ', out);
			column++;
		}
		column = put_word(out, text, word, column);
		text += word;
	}
	if (column)
		putc('\n', out);
}

/* An indented line of the help: '  WORD  what it is', or one that stands by itself. */
static void indented_line(FILE *out, const char *line, size_t len)
{
	size_t blanks = strspn(line, " ");
	const char *word = line + blanks;
	const char *gap = memmem(word, len - blanks, "  ", 2);

	if (!gap) {
		fprintf(out, ".br\n");
		fill(out, word, len - blanks);
		return;
	}
	fprintf(out, ".TP\n\\fB");
	put_word(out, word, (size_t)(gap - word), 1);
	fprintf(out, "\\fR\n");
	fill(out, gap, (size_t)(line + len - gap));
}

/* Lines that are indented by more than this go on with what the one before says. */
#define CONTINUED 6

void roff_text(FILE *out, const char *text)
{
	const char *paragraph = text;
	int list = 0;

	while (*text) {
		size_t line = strcspn(text, "\n"), blanks = strspn(text, " ");
		const char *next = text + line + (text[line] == '\n');

		if (blanks) {
			fill(out, paragraph, (size_t)(text - paragraph));
			if (list && blanks > CONTINUED)
				fill(out, text, line);
			else
				indented_line(out, text, line);
			paragraph = next;
		} else if (list) {
			fprintf(out, ".PP\n");
		}
		list = blanks > 0;
		text = next;
	}
	fill(out, paragraph, strlen(paragraph));
}

static void put_line(FILE *out, const char *fmt, va_list ap)
{
	char line[4096];

	vsnprintf(line, sizeof(line), fmt, ap);
	fill(out, line, strlen(line));
}

void roff_line(FILE *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(out, fmt, ap);
	va_end(ap);
}

void roff_tag(FILE *out, const char *fmt, ...)
{
	char line[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* The tag is one line, however long. */
	fprintf(out, ".TP\n");
	put_word(out, line, strlen(line), 0);
	putc('\n', out);
}
