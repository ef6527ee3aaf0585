// SPDX-License-Identifier: GPL-2.0
/* Options from tables: what is taken, what is left, what is refused and in which words. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cli/command.h"
#include "cli/options.h"

static const struct cli_option own[] = {
	{ .name = "split-by", .letter = 's', .arg = "KEYS" },
	{ .name = "leaves" },
	{ NULL },
};

struct parsed {
	int rc, argc;
	const char *argv[16];
	const char *global[CLI_OPT_GLOBALS];
	const char *value[2];
	struct spt_error error;
};

/* Parse the words of @line, which are separated by one blank each. */
static struct parsed parse(const char *line, bool stop)
{
	static char words[256];
	struct parsed p = { 0 };
	struct cli_option_set sets[] = { { cli_global_options, p.global }, { own, p.value } };

	strcpy(words, line);
	for (char *save, *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		p.argv[p.argc++] = w;
	p.rc = cli_parse_options(p.argv, &p.argc, sets, 2, stop, &p.error);
	return p;
}

static void takes_options_anywhere(void **state)
{
	struct parsed p = parse("gpa --json 0x1000 -V 12-3 --split-by=level", false);

	assert_int_equal(p.rc, 0);
	assert_int_equal(p.argc, 2);
	assert_string_equal(p.argv[0], "gpa");
	assert_string_equal(p.argv[1], "0x1000");
	assert_non_null(p.global[CLI_OPT_JSON]);
	assert_string_equal(p.global[CLI_OPT_VM], "12-3");
	assert_string_equal(p.value[0], "level");
	assert_null(p.value[1]);
}

static void takes_short_options_together(void **state)
{
	struct parsed p = parse("-rno id,pid -slevel -V7", false);

	assert_int_equal(p.rc, 0);
	assert_int_equal(p.argc, 0);
	assert_non_null(p.global[CLI_OPT_RAW]);
	assert_non_null(p.global[CLI_OPT_NO_HEADINGS]);
	assert_string_equal(p.global[CLI_OPT_OUTPUT], "id,pid");
	assert_string_equal(p.value[0], "level");
	assert_string_equal(p.global[CLI_OPT_VM], "7");
}

static void stops_at_the_command(void **state)
{
	struct parsed p = parse("-J vms --unknown", true);

	assert_int_equal(p.rc, 0);
	assert_int_equal(p.argc, 2);
	assert_string_equal(p.argv[1], "--unknown");
}

static void ends_at_two_dashes(void **state)
{
	struct parsed p = parse("-J -- --leaves -", false);

	assert_int_equal(p.rc, 0);
	assert_int_equal(p.argc, 2);
	assert_string_equal(p.argv[0], "--leaves");
	assert_null(p.value[1]);
}

static void names_the_wrong_option(void **state)
{
	static const struct {
		const char *line, *names;
	} wrong[] = {
		{ "--frob", "--frob" }, { "-x", "-x" }, { "-Jx", "-x" },
		{ "--vm", "--vm" },	{ "-V", "-V" }, { "--json=1", "--json" },
		{ "--js", "--js" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct parsed p = parse(wrong[i].line, false);

		assert_int_equal(p.rc, -EINVAL);
		if (!strstr(p.error.text, wrong[i].names))
			fail_msg("'%s' gave '%s'", wrong[i].line, p.error.text);
	}
}

static void refuses_contradictions(void **state)
{
	struct cli_globals globals = { 0 };
	struct parsed p = parse("--vm 1 --image f", false);

	assert_int_equal(cli_apply_globals(&globals, p.global, &p.error), -EINVAL);
	p = parse("-J -r", false);
	assert_int_equal(cli_apply_globals(&globals, p.global, &p.error), -EINVAL);
}

/* A line's own -i replaces the session's VM, and the other way round. */
static void replaces_the_target(void **state)
{
	struct cli_globals globals = { .vm = "1-2" };
	struct parsed p = parse("-i f", false);

	assert_int_equal(cli_apply_globals(&globals, p.global, &p.error), 0);
	assert_string_equal(globals.image, "f");
	assert_null(globals.vm);
}

/* Names and letters of one table of options that another one, or itself, has too. */
static void differ(const char *command, const struct cli_option *a, const struct cli_option *b)
{
	for (int i = 0; a && a[i].name; i++) {
		for (int k = a == b ? i + 1 : 0; b && b[k].name; k++)
			if (!strcmp(a[i].name, b[k].name) ||
			    (a[i].letter && a[i].letter == b[k].letter))
				fail_msg("%s: --%s (-%c) and --%s (-%c)", command, a[i].name,
					 a[i].letter, b[k].name, b[k].letter);
	}
}

/* An option that the global ones hide is never seen by its command. */
static void no_option_hides_another(void **state)
{
	differ("spt", cli_global_options, cli_global_options);
	differ("spt", cli_global_options, cli_program_options);
	for (int i = 0; cli_commands[i]; i++) {
		differ(cli_commands[i]->name, cli_commands[i]->options, cli_commands[i]->options);
		differ(cli_commands[i]->name, cli_commands[i]->options, cli_global_options);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_options_anywhere),
		cmocka_unit_test(takes_short_options_together),
		cmocka_unit_test(stops_at_the_command),
		cmocka_unit_test(ends_at_two_dashes),
		cmocka_unit_test(names_the_wrong_option),
		cmocka_unit_test(refuses_contradictions),
		cmocka_unit_test(replaces_the_target),
		cmocka_unit_test(no_option_hides_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
