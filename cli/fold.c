// SPDX-License-Identifier: GPL-2.0
#include "cli/fold.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define USUAL_WIDTH 80
/* A line of at least so many columns was broken for its length, not for what it says. */
#define LONG_LINE 60

size_t cli_width(const struct cli *cli)
{
	struct winsize size;

	if (!cli->tty)
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return USUAL_WIDTH;
	return size.ws_col;
}

/* What scripts look for stands at the beginning of a line. */
static bool begins_anew(const char *line)
{
	return !strncmp(line, "Exit status", 11) || !strncmp(line, "JSON:", 5);
}

/* What is being written. */
struct fold {
	FILE *out;
	size_t width;
	size_t col;    /* where the line has come to */
	size_t indent; /* of the lines that follow it */
};

static void put_word(struct fold *f, const char *word, size_t len, size_t blanks)
{
	if (f->col > f->indent && f->col + blanks + len > f->width) {
		fprintf(f->out, "\n%*s", (int)f->indent, "");
		f->col = f->indent;
		blanks = 0;
	}
	fprintf(f->out, "%*s%.*s", (int)blanks, "", (int)len, word);
	f->col += blanks + len;
}

static void put_words(struct fold *f, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t blanks = strspn(text + at, " "), word;

		at += blanks;
		if (at >= len)
			return;
		word = strcspn(text + at, " \n");
		put_word(f, text + at, word, blanks);
		at += word;
	}
}

/* Where the second column of a list begins; 0: the line is none of a list. */
static size_t second_column(const char *line, size_t len)
{
	size_t lead = strspn(line, " ");

	for (size_t at = lead; at + 2 < len; at++)
		if (line[at] == ' ' && line[at + 1] == ' ')
			return at + strspn(line + at, " ");
	return 0;
}

static size_t indent_below(const char *line, size_t len, size_t width)
{
	size_t column = second_column(line, len), lead = strspn(line, " ");

	if (column && 3 * column <= 2 * width)
		return column;
	return column ? lead + 4 : lead;
}

/* Lines from @text on that are one paragraph; *@fits: none of them is longer than @width. */
static size_t paragraph(const char *text, size_t width, bool *fits)
{
	size_t at = 0;

	*fits = true;
	while (text[at] && text[at] != '\n' && text[at] != ' ' && !(at && begins_anew(text + at))) {
		size_t len = strcspn(text + at, "\n");

		*fits &= len <= width;
		at += len + (text[at + len] == '\n');
		if (len < LONG_LINE)
			break;
	}
	return at;
}

static void fill(struct fold *f, const char *text, size_t len)
{
	f->col = f->indent = 0;
	for (size_t at = 0; at < len;) {
		size_t line = strcspn(text + at, "\n"), word = strcspn(text + at, " \n");

		put_word(f, text + at, word, at ? 1 : 0);
		put_words(f, text + at + word, line - word);
		at += line + 1;
	}
	fputc('\n', f->out);
}

static void fold_line(struct fold *f, const char *line, size_t len)
{
	f->col = 0;
	f->indent = indent_below(line, len, f->width);
	put_words(f, line, len);
	fputc('\n', f->out);
}

void cli_fold(FILE *out, const char *text, size_t width)
{
	struct fold f = { .out = out, .width = width };

	if (!width) {
		fputs(text, out);
		return;
	}
	while (*text) {
		bool fits;
		size_t len = paragraph(text, width, &fits);

		if (len && !fits) {
			fill(&f, text, len);
		} else if (len) {
			fwrite(text, 1, len, out);
		} else {
			len = strcspn(text, "\n");
			if (len > width)
				fold_line(&f, text, len);
			else
				fprintf(out, "%.*s\n", (int)len, text);
			len += text[len] == '\n';
		}
		text += len;
	}
}
