// SPDX-License-Identifier: GPL-2.0
#include "cli/table.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols/libsmartcols.h>

#include "cli/cli.h"
#include "cli/json.h"

#define MAX_COLUMNS 80
#define CELL_TEXT   512

struct cell {
	char text[CELL_TEXT];
	struct json_object *json;
	bool set;
};

struct cli_table {
	struct cli *cli;
	const struct cli_column *columns;
	int nr_columns;
	int shown[MAX_COLUMNS]; /* column numbers in the order of the output */
	int nr_shown;
	bool wanted[MAX_COLUMNS]; /* is shown: cells of others cost nothing */
	bool json, raw, streamed;
	bool own_array; /* this table opened the JSON array and closes it */
	bool in_row;
	bool begun;			  /* the headings are out */
	const char *heading[MAX_COLUMNS]; /* where it is not the column's name */
	struct json_object *row;	  /* of cli_row_json(), else NULL */
	bool failed;			  /* out of memory on the way */
	struct libscols_table *scols;	  /* neither JSON nor streamed */
	struct cell cell[MAX_COLUMNS];
};

static int find_column(const struct cli_column *columns, const char *name, size_t len)
{
	for (int i = 0; columns[i].name; i++)
		if (strlen(columns[i].name) == len && !strncasecmp(columns[i].name, name, len))
			return i;
	return -1;
}

static int fail_column(struct cli *cli, const struct cli_column *columns, const char *name,
		       size_t len)
{
	static const char more[] = ", ...: its help has all";
	char list[160 + sizeof(more)] = "";
	size_t at = 0;

	for (int i = 0; columns[i].name; i++) {
		if (at + strlen(columns[i].name) + sizeof(more) >= sizeof(list)) {
			strcpy(list + at, more);
			break;
		}
		at += sprintf(list + at, "%s%s", i ? "," : "", columns[i].name);
	}
	return cli_fail(cli, EINVAL, "unknown column '%.*s': choose from %s", (int)len, name, list);
}

static bool is_default(const struct cli_table *t, unsigned int flags)
{
	if (t->json)
		return !(flags & CLI_COL_TEXT);
	return !(flags & CLI_COL_EXTRA) || (t->raw && flags & CLI_COL_RAW);
}

static void show_column(struct cli_table *t, int col)
{
	t->shown[t->nr_shown++] = col;
	t->wanted[col] = true;
}

/* The columns that -o names, those after a '+' besides the default ones; or these alone. */
static int choose_columns(struct cli_table *t)
{
	const char *list = t->cli->opt.columns;
	const bool besides = list && *list == '+';

	for (int i = 0; i < t->nr_columns && (!list || besides); i++)
		if (is_default(t, t->columns[i].flags))
			show_column(t, i);
	if (!list)
		return 0;
	list += besides;
	while (true) {
		size_t len = strcspn(list, ",");
		int i = find_column(t->columns, list, len);

		if (i < 0)
			return fail_column(t->cli, t->columns, list, len);
		if (t->wanted[i] && !(besides && is_default(t, t->columns[i].flags)))
			return cli_fail(t->cli, EINVAL, "--output names '%s' twice",
					t->columns[i].name);
		if (!t->wanted[i])
			show_column(t, i);
		if (!list[len])
			return 0;
		list += len + 1;
	}
}

static void heading_of(const struct cli_table *t, int col, char *text, size_t size)
{
	const char *name = t->heading[col] ? t->heading[col] : t->columns[col].name;
	size_t i = 0;

	for (; name[i] && i + 1 < size; i++)
		text[i] = (char)toupper((unsigned char)name[i]);
	text[i] = '\0';
}

/* A line being put together, so that it is written at once. */
struct line {
	FILE *out;
	size_t len;
	char text[4096];
};

static inline void put_text(struct line *line, const char *text, size_t len)
{
	if (len > sizeof(line->text) - line->len) {
		fwrite_unlocked(line->text, 1, line->len, line->out);
		line->len = 0;
	}
	if (len > sizeof(line->text)) {
		fwrite_unlocked(text, 1, len, line->out);
		return;
	}
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void put_blanks(struct line *line, int count)
{
	static const char blanks[] = "                                ";
	const int most = sizeof(blanks) - 1;

	for (; count > most; count -= most)
		put_text(line, blanks, most);
	if (count > 0)
		put_text(line, blanks, (size_t)count);
}

/* Words are separated by blanks in raw output: none may be empty or hold one. */
static void put_raw(struct line *line, const char *text)
{
	if (!*text)
		text = "-";
	while (*text) {
		size_t plain = strcspn(text, " \t\n\\");
		char escaped[8];

		put_text(line, text, plain);
		text += plain;
		if (*text)
			put_text(line, escaped,
				 (size_t)snprintf(escaped, sizeof(escaped), "\\x%02x",
						  (unsigned char)*text++));
	}
}

/* Print one line, without blanks at its end. */
static void print_line(struct cli_table *t, const char *(*text_of)(struct cli_table *t, int col))
{
	struct line line;
	int pad = 0; /* blanks before the next text */

	line.out = t->cli->out;
	line.len = 0;
	for (int i = 0; i < t->nr_shown; i++, pad++) {
		const struct cli_column *c = &t->columns[t->shown[i]];
		const char *text = text_of(t, t->shown[i]);
		size_t len = strlen(text);
		int room = c->width > (int)len ? c->width - (int)len : 0;

		if (t->raw) {
			put_blanks(&line, pad);
			put_raw(&line, text);
			pad = 0;
			continue;
		}
		if (c->flags & CLI_COL_RIGHT)
			pad += room;
		if (len) {
			put_blanks(&line, pad);
			put_text(&line, text, len);
			pad = 0;
		}
		if (!(c->flags & CLI_COL_RIGHT))
			pad += room;
	}
	put_text(&line, "\n", 1);
	fwrite_unlocked(line.text, 1, line.len, line.out);
}

static const char *cell_text(struct cli_table *t, int col)
{
	return t->cell[col].set ? t->cell[col].text : "";
}

static const char *heading_text(struct cli_table *t, int col)
{
	static char text[64];

	heading_of(t, col, text, sizeof(text));
	return text;
}

static int begin_scols(struct cli_table *t)
{
	t->scols = scols_new_table();
	if (!t->scols)
		return -ENOMEM;
	scols_table_enable_noheadings(t->scols, t->cli->opt.no_headings);
	scols_table_set_stream(t->scols, t->cli->out);
	for (int i = 0; i < t->nr_shown; i++) {
		const struct cli_column *c = &t->columns[t->shown[i]];
		char heading[64];
		int flags = 0;

		heading_of(t, t->shown[i], heading, sizeof(heading));
		if (c->flags & CLI_COL_RIGHT)
			flags |= SCOLS_FL_RIGHT;
		if (c->flags & CLI_COL_TRUNC)
			flags |= SCOLS_FL_TRUNC;
		if (!scols_table_new_column(t->scols, heading, c->width, flags))
			return -ENOMEM;
	}
	return 0;
}

static void free_cells(struct cli_table *t)
{
	for (int i = 0; i < t->nr_columns; i++) {
		json_object_put(t->cell[i].json);
		t->cell[i].json = NULL;
		t->cell[i].set = false;
	}
}

static void table_free(struct cli_table *t)
{
	free_cells(t);
	json_object_put(t->row);
	scols_unref_table(t->scols);
	free(t);
}

struct cli_table *cli_table_begin(struct cli *cli, const struct cli_column *columns,
				  const char *key, unsigned int flags)
{
	struct cli_table *t = calloc(1, sizeof(*t));

	if (!t) {
		cli_fail(cli, ENOMEM, "out of memory");
		return NULL;
	}
	t->cli = cli;
	t->columns = columns;
	while (columns[t->nr_columns].name)
		t->nr_columns++;
	t->json = cli->opt.json;
	t->raw = cli->opt.raw;
	t->streamed = t->raw || flags & CLI_TABLE_STREAM;
	if (choose_columns(t))
		goto fail;

	if (t->json) {
		if (key) {
			cli_json_array_begin(cli, key);
			t->own_array = true;
		}
	}
	return t;
fail:
	table_free(t);
	return NULL;
}

/* Only the members of the row that are shown, in the order of the columns. */
static struct json_object *select_members(struct cli_table *t, struct json_object *row)
{
	struct json_object *selected = json_object_new_object();

	for (int i = 0; i < t->nr_shown; i++) {
		const char *name = t->columns[t->shown[i]].name;

		json_object_object_add(selected, name,
				       json_object_get(json_object_object_get(row, name)));
	}
	json_object_put(row);
	return selected;
}

static void row_to_json(struct cli_table *t)
{
	struct json_object *row = t->row;

	t->row = NULL;
	if (row) {
		cli_json_put(t->cli, NULL, t->cli->opt.columns ? select_members(t, row) : row);
		return;
	}
	row = json_object_new_object();
	for (int i = 0; i < t->nr_shown; i++) {
		struct cell *cell = &t->cell[t->shown[i]];

		cli_json_set(row, t->columns[t->shown[i]].name, cell->json);
		cell->json = NULL;
	}
	cli_json_put(t->cli, NULL, row);
}

static void row_to_scols(struct cli_table *t)
{
	struct libscols_line *line = t->failed ? NULL : scols_table_new_line(t->scols, NULL);

	for (int i = 0; line && i < t->nr_shown; i++)
		if (scols_line_set_data(line, i, cell_text(t, t->shown[i])))
			line = NULL;
	if (!line)
		t->failed = true;
}

static void finish_row(struct cli_table *t)
{
	if (!t->in_row)
		return;
	if (t->json)
		row_to_json(t);
	else if (t->streamed)
		print_line(t, cell_text);
	else
		row_to_scols(t);
	free_cells(t);
	t->in_row = false;
}

void cli_table_heading(struct cli_table *t, int col, const char *heading)
{
	t->heading[col] = heading;
}

/* The headings are known for good when the first row begins, or there is none. */
static void begin_rows(struct cli_table *t)
{
	if (t->begun)
		return;
	t->begun = true;
	if (t->json)
		return;
	if (!t->streamed && begin_scols(t))
		t->failed = true;
	if (t->streamed && !t->cli->opt.no_headings)
		print_line(t, heading_text);
}

void cli_table_row(struct cli_table *t)
{
	begin_rows(t);
	finish_row(t);
	t->in_row = true;
}

void cli_table_flush(struct cli_table *t)
{
	begin_rows(t);
	finish_row(t);
	fflush(t->cli->out);
}

void cli_row_json(struct cli_table *t, struct json_object *row)
{
	json_object_put(t->row);
	t->row = row;
}

int cli_table_end(struct cli_table *t)
{
	struct cli *cli = t->cli;
	bool failed;

	begin_rows(t);
	finish_row(t);
	if (t->own_array)
		cli_json_array_end(cli);
	/* A table without a line would print nothing at all, not even its heading. */
	if (t->scols && !scols_table_is_empty(t->scols) && scols_print_table(t->scols))
		t->failed = true;
	else if (t->scols && scols_table_is_empty(t->scols) && !cli->opt.no_headings)
		print_line(t, heading_text);
	failed = t->failed;
	table_free(t);
	return failed ? cli_fail(cli, ENOMEM, "out of memory") : 0;
}

static void set_cell(struct cli_table *t, int col, struct json_object *json, const char *fmt,
		     va_list ap)
{
	struct cell *cell = &t->cell[col];

	cell->set = true;
	vsnprintf(cell->text, sizeof(cell->text), fmt, ap);
	json_object_put(cell->json);
	cell->json = json;
}

void cli_cell_both(struct cli_table *t, int col, struct json_object *json, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_cell(t, col, json, fmt, ap);
	va_end(ap);
}

void cli_cell_text(struct cli_table *t, int col, const char *fmt, ...)
{
	va_list ap;

	if (!t->wanted[col])
		return;
	va_start(ap, fmt);
	set_cell(t, col, NULL, fmt, ap);
	va_end(ap);
	if (t->json)
		t->cell[col].json = json_object_new_string(t->cell[col].text);
}

/* What fills the long lists: without printf, see cli/number.h. */
static struct cell *set_plain(struct cli_table *t, int col, struct json_object *json)
{
	struct cell *cell = &t->cell[col];

	cell->set = true;
	json_object_put(cell->json);
	cell->json = json;
	return cell;
}

void cli_cell_string(struct cli_table *t, int col, const char *text)
{
	struct cell *cell;
	size_t len;

	if (!t->wanted[col])
		return;
	cell = set_plain(t, col, t->json ? json_object_new_string(text) : NULL);
	len = strnlen(text, sizeof(cell->text) - 1);
	memcpy(cell->text, text, len);
	cell->text[len] = '\0';
}

static void set_hex(struct cli_table *t, int col, uint64_t value, unsigned int digits)
{
	cli_put_hex(set_plain(t, col, t->json ? cli_json_hex(value) : NULL)->text, value, digits);
}

void cli_cell_address(struct cli_table *t, int col, uint64_t address)
{
	if (t->wanted[col])
		set_hex(t, col, address, 16);
}

void cli_cell_hex(struct cli_table *t, int col, uint64_t value)
{
	if (t->wanted[col])
		set_hex(t, col, value, value ? (67 - __builtin_clzll(value)) / 4 : 1);
}

void cli_cell_number(struct cli_table *t, int col, int64_t value)
{
	char *text;

	if (!t->wanted[col])
		return;
	text = set_plain(t, col, t->json ? json_object_new_int64(value) : NULL)->text;
	if (value < 0)
		*text++ = '-';
	cli_put_decimal(text, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void cli_cell_size(struct cli_table *t, int col, uint64_t bytes)
{
	struct cli_size_text size = cli_size(bytes);

	if (t->wanted[col])
		memcpy(set_plain(t, col, t->json ? cli_json_uint(bytes) : NULL)->text, size.text,
		       sizeof(size.text));
}

void cli_cell_bool(struct cli_table *t, int col, bool value)
{
	if (t->wanted[col])
		cli_cell_both(t, col, t->json ? json_object_new_boolean(value) : NULL, "%s",
			      value ? "yes" : "no");
}

void cli_cell_na(struct cli_table *t, int col)
{
	cli_cell_both(t, col, NULL, "n/a");
}
