// SPDX-License-Identifier: GPL-2.0
/* Help on a narrow terminal: lines fit, lists stay lists, and without a terminal nothing changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/command.h"
#include "cli/fold.h"
#include "cli/help.h"

static char *folded(const char *text, size_t width)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	assert_non_null(out);
	cli_fold(out, text, width);
	fclose(out);
	return result;
}

static void folds_to(const char *text, size_t width, const char *want)
{
	char *found = folded(text, width);

	assert_string_equal(found, want);
	free(found);
}

static void a_paragraph_is_filled_anew(void **state)
{
	folds_to(
		"one two three four five six seven eight nine ten eleven twelve\n"
		"thirteen\n\nnext\n",
		40,
		"one two three four five six seven eight\nnine ten eleven twelve thirteen\n\nnext\n");
	/* Where it fits it is left alone. */
	folds_to("one two three four five six seven eight nine ten eleven twelve\n"
		 "thirteen\n",
		 70,
		 "one two three four five six seven eight nine ten eleven twelve\n"
		 "thirteen\n");
	/* Short lines are lines. */
	folds_to("walk gpa ADDR\nOptions:\n", 40, "walk gpa ADDR\nOptions:\n");
	folds_to("A sentence that is long enough to have been broken for its length.\n"
		 "Exit status 1: no.\n",
		 80,
		 "A sentence that is long enough to have been broken for its length.\n"
		 "Exit status 1: no.\n");
}

static void lists_keep_their_columns(void **state)
{
	folds_to("  -a, --all       everything that there is\n", 34,
		 "  -a, --all       everything that\n                  there is\n");
	/* No room for two columns. */
	folds_to("  -a, --all       everything that there is\n", 20,
		 "  -a, --all\n      everything\n      that there is\n");
	folds_to("  * gpa   first address\n", 80, "  * gpa   first address\n");
	folds_to("  words that are in no list at all\n", 20,
		 "  words that are in\n  no list at all\n");
}

static void a_word_is_not_broken(void **state)
{
	folds_to("  level,perm,hpa,slot,type,nx,dirty,node\n", 20,
		 "  level,perm,hpa,slot,type,nx,dirty,node\n");
}

static void without_a_terminal_it_is_as_it_was(void **state)
{
	const char *text = "a line of more than sixty columns, and of some more than that, too\n"
			   "and another\n  * list    of one\n\nend";

	folds_to(text, 0, text);
}

/* All that there is fits where its words do. */
static void every_command_fits(void **state)
{
	for (int i = 0; cli_commands[i]; i++) {
		struct cli cli = { 0 };
		char *text = NULL, *found, *rest;
		size_t size;

		cli.out = open_memstream(&text, &size);
		assert_int_equal(cli_help_command(&cli, cli_commands[i]), 0);
		fclose(cli.out);
		found = folded(text, 80);
		for (char *line = strtok_r(found, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
			if (strlen(line) > 80)
				fail_msg("%s: %s", cli_commands[i]->name, line);
		free(found);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_paragraph_is_filled_anew),
		cmocka_unit_test(lists_keep_their_columns),
		cmocka_unit_test(a_word_is_not_broken),
		cmocka_unit_test(without_a_terminal_it_is_as_it_was),
		cmocka_unit_test(every_command_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
