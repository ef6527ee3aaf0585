/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of things of one kind. A column table drives the headings, -o, the help
 * and, where the JSON is flat, its keys; a row is filled cell by cell and comes
 * out as an aligned table, as --raw text or as a JSON object.
 */
#ifndef SPT_CLI_TABLE_H
#define SPT_CLI_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "cli/number.h"

struct cli;

enum cli_column_flag {
	CLI_COL_RIGHT = 1 << 0, /* align to the right */
	CLI_COL_EXTRA = 1 << 1, /* in text only when -o asks for it; always in JSON */
	CLI_COL_TEXT = 1 << 2,	/* in text only: JSON has it in another form */
	CLI_COL_RAW = 1 << 3, /* an extra one that --raw shows by itself: no title says it there */
	CLI_COL_TRUNC = 1 << 4, /* may be cut to fit the terminal */
};

/* A table of columns ends with an entry without a name. */
struct cli_column {
	const char *name;   /* JSON key, and in capitals the heading */
	int width;	    /* columns it takes when rows are printed as they come */
	unsigned int flags; /* enum cli_column_flag */
	const char *help;
};

enum cli_table_flag {
	/* Print each row as it comes, at the columns' widths: for lists without a bound. */
	CLI_TABLE_STREAM = 1 << 0,
};

struct cli_table;

/*
 * Begin a table with the given columns, or the ones that -o names. @key is the
 * array's name in JSON; NULL: the caller has opened the array in cli->json_out.
 * Returns NULL with cli->error filled, for instance for an unknown -o column.
 */
struct cli_table *cli_table_begin(struct cli *cli, const struct cli_column *columns,
				  const char *key, unsigned int flags);

/* Another heading for column @col in text, before the first row. @heading: static. */
void cli_table_heading(struct cli_table *t, int col, const char *heading);

/* Start a row; the cells that are not set print as nothing and are null in JSON. */
void cli_table_row(struct cli_table *t);

/* Print the last row now, and what the output has buffered: for lists that go on much later. */
void cli_table_flush(struct cli_table *t);

/*
 * The whole row as @row, which the table takes over: for things whose JSON is
 * not flat. -o leaves the members that it names. Only under --json, in place of cells.
 */
void cli_row_json(struct cli_table *t, struct json_object *row);

/* Set the cell of column number @col (index in the column table) in the current row. */
void cli_cell_text(struct cli_table *t, int col, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void cli_cell_string(struct cli_table *t, int col, const char *text);
void cli_cell_address(struct cli_table *t, int col, uint64_t address); /* 0x%016x, "0x..." */
void cli_cell_hex(struct cli_table *t, int col, uint64_t value);       /* as short as it is */
void cli_cell_number(struct cli_table *t, int col, int64_t value);
void cli_cell_size(struct cli_table *t, int col, uint64_t bytes); /* 4K, 2M, 1G; bytes in JSON */
void cli_cell_bool(struct cli_table *t, int col, bool value);	  /* yes, no */
void cli_cell_na(struct cli_table *t, int col);			  /* n/a, null */
/* Text for people and @json (owned by the table from now on) for programs. */
void cli_cell_both(struct cli_table *t, int col, struct json_object *json, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Print what is left, end the JSON array (if @key opened it) and free the table. */
int cli_table_end(struct cli_table *t);

#endif
