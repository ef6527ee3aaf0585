// SPDX-License-Identifier: GPL-2.0
/* What a script expects of the screen and of the program. */
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/screen/picture.h"
#include "tests/screen/script.h"

#define STILL_MS 700 /* without output, when golden files are written */

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* /REGEX/, compiled. */
static void compile(struct script *s, char *text, regex_t *regex, int flags)
{
	size_t len = strlen(text);
	char why[128];
	int rc;

	if (len < 3 || text[0] != '/' || text[len - 1] != '/')
		script_stop(s, "no /REGEX/: %s", text);
	text[len - 1] = '\0';
	rc = regcomp(regex, text + 1, REG_EXTENDED | REG_NEWLINE | flags);
	text[len - 1] = '/';
	if (!rc)
		return;
	regerror(rc, regex, why, sizeof(why));
	script_stop(s, "%s: %s", text, why);
}

static bool shows(struct script *s, const regex_t *regex)
{
	char *shown = picture_of(script_terminal(s), false);
	bool found = !regexec(regex, shown, 0, NULL, 0);

	free(shown);
	return found;
}

void script_wait(struct script *s, char *text)
{
	long end = now_ms() + s->patience_ms;
	regex_t regex;

	compile(s, text, &regex, REG_NOSUB);
	while (!shows(s, &regex)) {
		long left = end - now_ms();

		if (left <= 0)
			script_stop(s, "in vain: %s", text);
		if (terminal_read(&s->terminal, (int)left) < 0)
			script_stop(s, "the program ended: %s", text);
	}
	regfree(&regex);
}

static void expect_no(struct script *s, char *text)
{
	regex_t regex;

	compile(s, text, &regex, REG_NOSUB);
	if (shows(s, &regex))
		script_stop(s, "there is %s", text);
	regfree(&regex);
}

void script_hide(struct script *s, char *text)
{
	if (s->nr_hidden == MAX_HIDDEN)
		script_stop(s, "more than %d things to hide", MAX_HIDDEN);
	compile(s, text, &s->hidden[s->nr_hidden++], 0);
}

/* @text, which is freed, with a '~' for each part of it that the regex matches. */
static char *hide(char *text, const regex_t *regex)
{
	const char *from = text;
	regmatch_t match;
	char *hidden;
	size_t size;
	FILE *out = open_memstream(&hidden, &size);

	while (out && *from) {
		int flags = from > text && from[-1] != '\n' ? REG_NOTBOL : 0;

		if (regexec(regex, from, 1, &match, flags) || match.rm_eo == match.rm_so)
			break;
		fprintf(out, "%.*s~", (int)match.rm_so, from);
		from += match.rm_eo;
	}
	if (!out || fputs(from, out) < 0 || fclose(out)) {
		perror("open_memstream");
		exit(2);
	}
	free(text);
	return hidden;
}

/* The screen as it is compared. */
static char *picture(struct script *s, bool painted)
{
	char *text = picture_of(script_terminal(s), painted);

	for (int i = 0; i < s->nr_hidden; i++)
		text = hide(text, &s->hidden[i]);
	return text;
}

static char *read_golden(struct script *s, const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (!in || getdelim(&text, &room, '\0', in) < 0)
		script_stop(s, "%s: %s", path, strerror(errno));
	fclose(in);
	return text;
}

static void write_golden(struct script *s, const char *path, bool painted)
{
	char *text;
	FILE *out;

	while (terminal_read(script_terminal(s), STILL_MS) > 0)
		;
	text = picture(s, painted);
	out = fopen(path, "we");
	if (!out || fputs(text, out) < 0 || fclose(out))
		script_stop(s, "%s: %s", path, strerror(errno));
	free(text);
}

static void print_difference(const char *wanted, const char *shown)
{
	while (*wanted || *shown) {
		size_t w = strcspn(wanted, "\n"), n = strcspn(shown, "\n");

		if (w == n && !memcmp(wanted, shown, n))
			printf("  %.*s\n", (int)n, shown);
		else
			printf("- %.*s\n+ %.*s\n", (int)w, wanted, (int)n, shown);
		wanted += w + (wanted[w] == '\n');
		shown += n + (shown[n] == '\n');
	}
}

/* A screen that differs fails the script, which goes on: later ones may tell why. */
static void compare(struct script *s, const char *name, bool painted)
{
	struct terminal *t = script_terminal(s);
	long end = now_ms() + s->patience_ms;
	char path[4096];
	char *wanted, *shown;

	snprintf(path, sizeof(path), "%s/%s", s->golden, name);
	if (s->update) {
		write_golden(s, path, painted);
		return;
	}
	wanted = read_golden(s, path);
	shown = picture(s, painted);
	while (strcmp(wanted, shown)) {
		long left = end - now_ms();

		if (left <= 0 || terminal_read(t, (int)left) < 0) {
			printf("not ok %s:%d: %s differs: - wanted, + shown\n", s->name, s->line,
			       name);
			print_difference(wanted, shown);
			s->failed = true;
			break;
		}
		free(shown);
		shown = picture(s, painted);
	}
	free(shown);
	free(wanted);
}

static void expect_screen(struct script *s, char *name)
{
	compare(s, name, false);
}

static void expect_painted(struct script *s, char *name)
{
	compare(s, name, true);
}

static void expect_bytes(struct script *s, char *text)
{
	size_t bytes = script_terminal(s)->bytes;

	if (bytes > strtoul(text, NULL, 0))
		script_stop(s, "%zu bytes were written", bytes);
}

static void expect_quiet(struct script *s, char *text)
{
	if (terminal_read(script_terminal(s), atoi(text)) != 0)
		script_stop(s, "it is not quiet");
}

static void expect_exit(struct script *s, char *text)
{
	struct terminal *t = script_terminal(s);
	long end = now_ms() + s->patience_ms;
	int status;

	while (terminal_read(t, 1000) >= 0)
		if (now_ms() > end)
			script_stop(s, "the program does not end");
	status = terminal_wait(t);
	if (status != atoi(text))
		script_stop(s, "exit status %d", status);
}

const struct statement script_expectations[] = {
	{ "screen", expect_screen },
	{ "painted", expect_painted },
	{ "no", expect_no },
	{ "bytes", expect_bytes },
	{ "quiet", expect_quiet },
	{ "exit", expect_exit },
	{ NULL, NULL },
};
