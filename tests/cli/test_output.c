// SPDX-License-Identifier: GPL-2.0
/* Tables and JSON: what is printed is aligned, countable or valid, whatever happens. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/run.h"
#include "cli/stream.h"
#include "cli/table.h"

enum { COL_NAME, COL_ADDRESS, COL_SIZE, COL_NOTE };

static const struct cli_column columns[] = {
	[COL_NAME] = { "name", 6, 0, "" },
	[COL_ADDRESS] = { "address", 18, 0, "" },
	[COL_SIZE] = { "size", 5, CLI_COL_RIGHT, "" },
	[COL_NOTE] = { "note", 5, CLI_COL_EXTRA, "" },
	{ NULL },
};

/* What a command prints into memory. */
struct capture {
	struct cli cli;
	char *text;
	size_t size;
};

static void capture_begin(struct capture *c, struct cli_globals opt)
{
	memset(c, 0, sizeof(*c));
	c->cli.opt = opt;
	c->cli.out = open_memstream(&c->text, &c->size);
	assert_non_null(c->cli.out);
	if (opt.json)
		c->cli.json_out = cli_stream_create(c->cli.out);
}

static void capture_end(struct capture *c, const struct spt_error *error)
{
	if (c->cli.json_out)
		cli_stream_finish(c->cli.json_out, error);
	fclose(c->cli.out);
}

static void fill(struct cli_table *t)
{
	cli_table_row(t);
	cli_cell_text(t, COL_NAME, "%s", "a b");
	cli_cell_address(t, COL_ADDRESS, 0x1000);
	cli_cell_size(t, COL_SIZE, 2 << 20);
	cli_table_row(t);
	cli_cell_text(t, COL_NAME, "%s", "");
	cli_cell_na(t, COL_ADDRESS);
	cli_cell_size(t, COL_SIZE, 4097);
	cli_cell_bool(t, COL_NOTE, true);
}

static void check_table(struct cli_globals opt, unsigned int flags, const char *expected)
{
	struct capture c;
	struct cli_table *t;

	capture_begin(&c, opt);
	t = cli_table_begin(&c.cli, columns, "things", flags);
	assert_non_null(t);
	fill(t);
	assert_int_equal(cli_table_end(t), 0);
	capture_end(&c, NULL);
	assert_string_equal(c.text, expected);
	free(c.text);
}

static void aligns_tables(void **state)
{
	const char *expected = "NAME ADDRESS             SIZE\n"
			       "a b  0x0000000000001000    2M\n"
			       "     n/a                 4097\n";

	check_table((struct cli_globals){ 0 }, 0, expected);
}

static void aligns_streams(void **state)
{
	check_table((struct cli_globals){ 0 }, CLI_TABLE_STREAM,
		    "NAME   ADDRESS             SIZE\n"
		    "a b    0x0000000000001000    2M\n"
		    "       n/a                 4097\n");
}

static void raw_words_can_be_counted(void **state)
{
	check_table((struct cli_globals){ .raw = true, .no_headings = true }, 0,
		    "a\\x20b 0x0000000000001000 2M\n- n/a 4097\n");
}

/* Put together by hand, and exactly what printf would have made of them. */
static void numbers_are_as_printf_writes_them(void **state)
{
	static const uint64_t values[] = { 0,	      9,	  10,	 4095,	    1ULL << 40,
					   INT64_MAX, 1ULL << 63, ~0ULL, 1000000007 };
	char text[CLI_NUMBER_TEXT], expected[CLI_NUMBER_TEXT];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(expected, sizeof(expected), "%" PRIu64, values[i]);
		assert_int_equal(cli_put_decimal(text, values[i]), strlen(expected));
		assert_string_equal(text, expected);
		snprintf(expected, sizeof(expected), "0x%016" PRIx64, values[i]);
		assert_int_equal(cli_put_hex(text, values[i], 16), strlen(expected));
		assert_string_equal(text, expected);
	}
	assert_string_equal(cli_size(0).text, "0");
	assert_string_equal(cli_size(1023).text, "1023");
	assert_string_equal(cli_size(1536 << 10).text, "1536K");
	assert_string_equal(cli_size(1ULL << 30).text, "1G");
	assert_string_equal(cli_size(1ULL << 63).text, "8E");
}

static void negative_numbers(void **state)
{
	struct capture c;
	struct cli_table *t;

	capture_begin(&c, (struct cli_globals){ .raw = true, .no_headings = true });
	t = cli_table_begin(&c.cli, columns, "things", 0);
	cli_table_row(t);
	cli_cell_number(t, COL_NAME, -1);
	cli_cell_number(t, COL_ADDRESS, INT64_MIN);
	cli_cell_number(t, COL_SIZE, INT64_MAX);
	cli_table_end(t);
	capture_end(&c, NULL);
	assert_string_equal(c.text, "-1 -9223372036854775808 9223372036854775807\n");
	free(c.text);
}

/* A line is put together in one piece; what does not fit loses nothing. */
static void long_lines_are_whole(void **state)
{
	enum { LONG_COLUMNS = 20, LONG_CELL = 500 };
	struct cli_column many[LONG_COLUMNS + 1] = { 0 };
	struct capture c;
	struct cli_table *t;
	char cell[LONG_CELL + 1];

	for (int i = 0; i < LONG_COLUMNS; i++)
		many[i].name = "x";
	memset(cell, 'y', LONG_CELL);
	cell[LONG_CELL] = '\0';
	capture_begin(&c, (struct cli_globals){ .raw = true, .no_headings = true });
	t = cli_table_begin(&c.cli, many, "things", 0);
	cli_table_row(t);
	for (int i = 0; i < LONG_COLUMNS; i++)
		cli_cell_string(t, i, cell);
	cli_table_end(t);
	capture_end(&c, NULL);
	assert_int_equal(c.size, LONG_COLUMNS * (LONG_CELL + 1));
	for (int i = 0; i < LONG_COLUMNS; i++) {
		assert_memory_equal(c.text + i * (LONG_CELL + 1), cell, LONG_CELL);
		assert_int_equal(c.text[i * (LONG_CELL + 1) + LONG_CELL],
				 i + 1 < LONG_COLUMNS ? ' ' : '\n');
	}
	free(c.text);
}

static void chooses_columns(void **state)
{
	check_table((struct cli_globals){ .raw = true, .columns = "note,NAME" }, 0,
		    "NOTE NAME\n- a\\x20b\nyes -\n");
	check_table((struct cli_globals){ .json = true, .columns = "note,name" }, 0,
		    "{\"things\":[\n{\"note\":null,\"name\":\"a b\"},\n"
		    "{\"note\":true,\"name\":\"\"}\n]}\n");
}

static void writes_every_column_as_json(void **state)
{
	check_table((struct cli_globals){ .json = true }, 0,
		    "{\"things\":[\n"
		    "{\"name\":\"a b\",\"address\":\"0x1000\",\"size\":2097152,\"note\":null},\n"
		    "{\"name\":\"\",\"address\":null,\"size\":4097,\"note\":true}\n]}\n");
}

static void lists_valid_columns(void **state)
{
	struct capture c;

	capture_begin(&c, (struct cli_globals){ .columns = "name,frob" });
	assert_null(cli_table_begin(&c.cli, columns, "things", 0));
	assert_string_equal(c.cli.error.text,
			    "unknown column 'frob': choose from name,address,size,note");
	capture_end(&c, NULL);
	free(c.text);
}

/* A failure inside nested arrays must not leave them open. */
static void closes_json_after_errors(void **state)
{
	struct spt_error error = { 0 };
	struct json_object *root, *o;
	struct capture c;

	spt_fail(&error, EIO, "lost \"it\"");
	capture_begin(&c, (struct cli_globals){ .json = true });
	cli_json_array_begin(&c.cli, "roots");
	cli_json_object_begin(&c.cli, NULL);
	cli_json_array_begin(&c.cli, "entries");
	cli_json_put(&c.cli, NULL, json_object_new_int(1));
	capture_end(&c, &error);
	root = json_tokener_parse(c.text);
	assert_non_null(root);
	o = json_object_object_get(root, "error");
	assert_int_equal(json_object_get_int(json_object_object_get(o, "code")), EIO);
	assert_string_equal(json_object_get_string(json_object_object_get(o, "message")),
			    "lost \"it\"");
	json_object_put(root);
	free(c.text);
}

static void writes_something_valid_when_there_is_nothing(void **state)
{
	struct capture c;

	capture_begin(&c, (struct cli_globals){ .json = true });
	capture_end(&c, NULL);
	assert_string_equal(c.text, "{}\n");
	free(c.text);
}

/* The status of a line, and what it printed; stderr goes where it goes. */
static int run_line(const char *line, char **text)
{
	char *copy = strdup(line);
	struct capture c;
	int status;

	capture_begin(&c, (struct cli_globals){ 0 });
	c.cli.shell = true;
	status = cli_run_line(&c.cli, copy, NULL);
	capture_end(&c, NULL);
	free(copy);
	*text = c.text;
	return status;
}

static void splits_lines(void **state)
{
	static const struct {
		const char *line;
		int status, helps; /* how many 'help quit' were run */
	} cases[] = {
		{ "", CLI_DONE, 0 },
		{ "  # help quit", CLI_DONE, 0 },
		{ "help quit", CLI_DONE, 1 },
		{ "help quit;help quit", CLI_DONE, 2 },
		{ ";; help 'quit' ; \"help\" qu\\it;", CLI_DONE, 2 },
		{ "help quit # ; help quit", CLI_DONE, 1 },
		{ "help 'quit; help quit", CLI_ERROR, 0 },
		{ "help \"qu;it\"; help quit", CLI_ERROR, 0 },
		{ "quit; help quit", CLI_DONE, 0 },
		{ "frob; help quit", CLI_ERROR, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text, *at;
		int helps = 0;
		int status = run_line(cases[i].line, &text);

		for (at = text; (at = strstr(at, "leave the shell")); at++)
			helps++;
		if (status != cases[i].status || helps != cases[i].helps)
			fail_msg("'%s': status %d, %d helps", cases[i].line, status, helps);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aligns_tables),
		cmocka_unit_test(aligns_streams),
		cmocka_unit_test(raw_words_can_be_counted),
		cmocka_unit_test(numbers_are_as_printf_writes_them),
		cmocka_unit_test(negative_numbers),
		cmocka_unit_test(long_lines_are_whole),
		cmocka_unit_test(chooses_columns),
		cmocka_unit_test(writes_every_column_as_json),
		cmocka_unit_test(lists_valid_columns),
		cmocka_unit_test(closes_json_after_errors),
		cmocka_unit_test(writes_something_valid_when_there_is_nothing),
		cmocka_unit_test(splits_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
