// SPDX-License-Identifier: GPL-2.0
/* `decode role --layout`: a role word of another kernel, in its names and in today's. */
#include "cli/cmd_decode.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/table.h"
#include "decoders/role_layouts.h"

enum { COL_BITS, COL_NAME, COL_VALUE, COL_TODAY, COL_TODAY_VALUE, COL_MEANING };

static const struct cli_column columns[] = {
	[COL_BITS] = { "bits", 6, 0, "bit numbers of the field in that layout" },
	[COL_NAME] = { "name", 16, 0, "what that kernel calls it" },
	[COL_VALUE] = { "value", 5, 0, "what it holds" },
	[COL_TODAY] = { "today", 16, 0, "what it is called today" },
	[COL_TODAY_VALUE] = { "today_value", 11, 0, "what it would hold today" },
	[COL_MEANING] = { "meaning", 40, 0, "what that says" },
	{ NULL },
};

/* A layout that is known by name, or a file that has one. */
static int find_layout(struct cli *cli, const char *name, struct spt_role_layout *ret)
{
	char names[128] = "";
	size_t len = 0;

	if (spt_role_layout_by_name(name, ret))
		return 0;
	if (!access(name, F_OK) || strchr(name, '/'))
		return spt_role_layout_from_file(name, ret, &cli->error);
	for (size_t i = 0; spt_role_layout_name(i, NULL) && len < sizeof(names); i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
					spt_role_layout_name(i, NULL));
	return cli_fail(
		cli, EINVAL,
		"decode role: --layout %s is neither a file with DWARF or BTF nor one of %s", name,
		names);
}

static void put_header(struct cli *cli, const char *name, const struct spt_role_layout *layout,
		       uint32_t word)
{
	uint32_t unknown, today = spt_role_word_today(layout, word, &unknown);
	uint32_t unused = word & ~spt_role_bits(layout->bits);
	char then[160], now[160];

	spt_role_text(layout->bits, word, then, sizeof(then));
	spt_role_text(spt_role_access4, today, now, sizeof(now));
	if (cli->opt.json) {
		cli_json_put(cli, "kind", json_object_new_string("role"));
		cli_json_put(cli, "value", cli_json_hex(word));
		cli_json_put(cli, "text", json_object_new_string(then));
		cli_json_put(cli, "layout", json_object_new_string(name));
		cli_json_put(cli, "today", cli_json_hex(today));
		cli_json_put(cli, "today_unknown", cli_json_hex(unknown));
		cli_json_put(cli, "today_text", json_object_new_string(now));
		cli_json_put(cli, "unused", cli_json_hex(unused));
	} else if (!cli->opt.raw && !cli->opt.columns) {
		fprintf(cli->out, "%s\nlayout %s\n", then, name);
		fprintf(cli->out, "today 0x%08x: %s\n", today, now);
		if (unknown)
			fprintf(cli->out, "of today's bits, 0x%08x had no counterpart then\n",
				unknown);
		if (unused)
			fprintf(cli->out, "0x%08x is set, but not used in that layout\n", unused);
	}
}

/* The row's meaning is the old bit's; a note says what has changed beyond its name. */
static void put_row(struct cli_table *t, const struct spt_role_layout *layout, uint32_t word,
		    enum spt_role_bit bit, const struct spt_bit *row)
{
	struct spt_role_today today = spt_role_today(layout, word, bit);
	struct spt_bit_value value;
	char text[64];

	spt_bits_decode(row, 1, word, &value);
	cli_table_row(t);
	spt_bit_range_text(row->mask, text, sizeof(text));
	cli_cell_text(t, COL_BITS, "%s", text);
	cli_cell_text(t, COL_NAME, "%s", layout->name[bit]);
	cli_cell_text(t, COL_VALUE, "%" PRIu64, (uint64_t)value.number);
	if (today.bit == SPT_ROLE_COUNT) {
		cli_cell_na(t, COL_TODAY);
		cli_cell_na(t, COL_TODAY_VALUE);
	} else {
		cli_cell_text(t, COL_TODAY, "%s", spt_role_name(today.bit));
		cli_cell_text(t, COL_TODAY_VALUE, "%u", today.value);
	}
	cli_cell_text(t, COL_MEANING, "%s%s%s%s", value.text ? value.text : "",
		      value.text && today.note ? " (" : "", today.note ? today.note : "",
		      value.text && today.note ? ")" : "");
}

int cli_decode_role_layout(struct cli *cli, const char *name, uint64_t value)
{
	struct spt_role_layout layout;
	struct spt_bit rows[SPT_BITS_MAX];
	struct cli_table *t;
	unsigned int row[SPT_ROLE_COUNT], n = 0;
	int rc = find_layout(cli, name, &layout);

	if (rc)
		return rc;
	if (value > UINT32_MAX)
		return cli_fail(cli, ERANGE, "decode role: 0x%" PRIx64 " has more than 32 bits",
				value);
	put_header(cli, name, &layout, (uint32_t)value);
	t = cli_table_begin(cli, columns, "fields", 0);
	if (!t)
		return -cli->error.code;
	/* One row a field that the layout has, in the order of their names; shown by position. */
	spt_role_rows(layout.bits, rows);
	for (unsigned int bit = 0; bit < SPT_ROLE_COUNT; bit++)
		if (spt_role_has(layout.bits, bit))
			row[bit] = n++;
	for (unsigned int at = 0; at < 32; at++)
		for (unsigned int bit = 0; bit < SPT_ROLE_COUNT; bit++)
			if (spt_role_has(layout.bits, bit) && layout.bits[bit].shift == at)
				put_row(t, &layout, (uint32_t)value, bit, &rows[row[bit]]);
	return cli_table_end(t);
}
