// SPDX-License-Identifier: GPL-2.0
/* Completion of the last word of a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/complete.h"
#include "cli/target.h"

static struct cli cli; /* looks at an image */

/* Candidates of @line separated by blanks; "FILE" for a file name, "" for none. */
static const char *complete(const char *line)
{
	static char text[2048];
	size_t end = strlen(line), start = end;
	bool file;
	char **list;

	text[0] = '\0';
	while (start && !strchr(" ;=,", line[start - 1]))
		start--;
	/* What a quote begins is one word. */
	if (strpbrk(line, "'\""))
		start = (size_t)(strpbrk(line, "'\"") - line) + 1;
	list = cli_complete(&cli, line, start, end, &file);
	for (int i = 0; list && list[i]; i++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 list[i]);
		free(list[i]);
	}
	free(list);
	return file ? "FILE" : text;
}

static const struct {
	const char *line, *candidates;
} cases[] = {
	{ "mem", "memslots" },
	{ "ro", "roots" },
	{ "xyz", "" },
	{ "walk ", "gpa gva hva hpa" },
	{ "walk h", "hva hpa" },
	{ "walk gpa ", "" },
	{ "help wal", "walk" },
	{ "save ", "FILE" },
	{ "--image ", "FILE" },
	{ "-i ", "FILE" },
	{ "--image=", "FILE" },
	{ "save 'my ", "FILE" },
	{ "--image \"", "FILE" },
	{ "ranges --split-by ", "level perm hpa slot type nx dirty node" },
	{ "ranges --split-by=l", "level" },
	{ "ranges --split-by level,p", "perm" },
	{ "ranges -s ", "level perm hpa slot type nx dirty node" },
	{ "ranges --sp", "--split-by" },
	{ "vms --sp", "" },
	{ "vms --no", "--no-headings" },
	{ "vms -o na", "name" },
	{ "vms -o id,na", "name" },
	{ "vms; walk g", "gpa gva" },
	{ "--json mem", "memslots" },
	{ "-i f mem", "memslots" },
	{ "walk --json h", "hva hpa" },
	{ "tree --ro", "--root" },
	{ "ranges --sl", "--slot" },
	{ "tree --root ", "0x10000000 0x10001000" },
	{ "tree --root 0x1000", "0x10000000 0x10001000" },
	{ "tree --root 0x10001", "0x10001000" },
	{ "ranges --slot ", "0 1 3 4 2 0" },
	{ "ranges --slot=4", "4" },
	{ "audit --rule child-g", "child-gfn" },
	{ "audit --rule child-gfn,froz", "frozen" },
	{ "vms | gr", "FILE" },
	{ "vms -o +na", "+name" },
	{ "vms -o +id,na", "name" },
	{ "zap --root 0x10001", "0x10001000" },
	{ "expect wal", "" },
	{ "expect x wal", "walk" },
	{ "expect x walk g", "gpa gva" },
	{ "expect x ranges --sp", "--split-by" },
	{ "expect x ranges --slot=4", "4" },
	{ "report --walk ", "" },
	{ "report --events ", "FILE" },
	{ "set ra", "raw" },
	{ "set raw ", "on off" },
	{ "set explain ", "on off" },
	{ "set image ", "FILE" },
	{ "set split-by level,p", "perm" },
	{ "set vcpu ", "" },
	{ "set raw on ", "" },
	{ "set no-such ", "" },
};

static void completes(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *candidates = complete(cases[i].line);

		if (strcmp(candidates, cases[i].candidates))
			fail_msg("'%s' gives '%s', expected '%s'", cases[i].line, candidates,
				 cases[i].candidates);
	}
}

/* A VM that cannot be read has nothing to offer, and says nothing. */
static void completes_without_a_vm(void **state)
{
	const char *image = cli.opt.image;

	cli.opt.image = "nothing.spt";
	assert_string_equal(complete("tree --root "), "");
	assert_string_equal(complete("tree --slot 1"), "");
	assert_int_equal(cli.error.code, 0);
	cli.opt.image = image;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(completes),
		cmocka_unit_test(completes_without_a_vm),
	};

	int status;

	if (argc != 2) {
		fprintf(stderr, "usage: %s IMAGE\n", argv[0]);
		return 2;
	}
	cli.opt.image = argv[1];
	status = cmocka_run_group_tests(tests, NULL, NULL);
	cli_target_close(&cli);
	return status;
}
