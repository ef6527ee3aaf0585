// SPDX-License-Identifier: GPL-2.0
/* What of the live view needs no terminal: cells, the table of keys, wrapped text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tui/canvas.h"
#include "tui/keys.h"
#include "tui/text.h"

/* A row as text, '?' for what is no ASCII. */
static const char *row_of(const struct tui_canvas *c, int row)
{
	static char text[256];

	for (int i = 0; i < c->cols; i++)
		text[i] = c->cell[row * c->cols + i].ch < 0x7f ? (char)c->cell[row * c->cols + i].ch
							       : '?';
	text[c->cols] = '\0';
	return text;
}

static void test_put(void **state)
{
	struct tui_canvas c = { 0 };

	assert_int_equal(tui_canvas_resize(&c, 3, 10), 0);
	assert_int_equal(tui_put(&c, 0, 2, TUI_TITLE, "%d-%s", 12, "ab"), 7);
	assert_string_equal(row_of(&c, 0), "  12-ab   ");
	assert_int_equal(c.cell[2].style, TUI_TITLE);
	assert_int_equal(c.cell[1].style, TUI_PLAIN);
	/* Cut at the edge, never in the next row, and to be seen; nothing outside. */
	assert_int_equal(tui_put(&c, 1, 8, TUI_PLAIN, "xy"), 10);
	assert_string_equal(row_of(&c, 1), "        xy");
	assert_int_equal(tui_put(&c, 1, 10, TUI_PLAIN, "  "), 10);
	assert_string_equal(row_of(&c, 1), "        xy");
	assert_int_equal(tui_put(&c, 1, 8, TUI_PLAIN, "xyz"), 10);
	assert_int_equal(c.cell[18].ch, 'x');
	assert_int_equal(c.cell[19].ch, 0x2026);
	assert_string_equal(row_of(&c, 2), "          ");
	tui_put_char(&c, 3, 0, TUI_PLAIN, 'x');
	tui_put_char(&c, -1, 0, TUI_PLAIN, 'x');
	tui_mark(&c, 0, 9, 5, TUI_REVERSE);
	assert_true(c.cell[9].style & TUI_REVERSE);
	assert_false(c.cell[10].style & TUI_REVERSE);
	/* What could move the terminal's cursor is not put there. */
	tui_put(&c, 2, 0, TUI_PLAIN, "a\033[2Jb");
	assert_string_equal(row_of(&c, 2), "a?[2Jb    ");
	tui_canvas_deinit(&c);
}

static void test_characters(void **state)
{
	struct tui_canvas c = { 0 };

	assert_int_equal(tui_canvas_resize(&c, 2, 8), 0);
	tui_put(&c, 0, 0, TUI_PLAIN, "\342\226\210\302\267\377a");
	assert_int_equal(c.cell[0].ch, 0x2588);
	assert_int_equal(c.cell[1].ch, 0xb7);
	assert_int_equal(c.cell[2].ch, '?');
	assert_int_equal(c.cell[3].ch, 'a');
	c.ascii = true;
	tui_put(&c, 1, 0, TUI_PLAIN, "\342\226\210\302\267\303\266");
	assert_string_equal(row_of(&c, 1), "#.?     ");
	tui_canvas_deinit(&c);
}

/* No key means two things in one view, and every command has one and a help. */
static void test_keys(void **state)
{
	for (size_t i = 0; i < tui_nr_bindings; i++) {
		const struct tui_binding *b = &tui_bindings[i];

		assert_true(b->key[0] && b->help[0] && b->views);
		for (size_t k = i + 1; k < tui_nr_bindings; k++)
			for (int n = 0; n < TUI_BINDING_KEYS * TUI_BINDING_KEYS; n++) {
				int key = b->key[n / TUI_BINDING_KEYS];

				if (key && key == tui_bindings[k].key[n % TUI_BINDING_KEYS])
					assert_int_equal(b->views & tui_bindings[k].views, 0);
			}
	}
	assert_int_equal(tui_key_command('q', TUI_VIEW_MAP), TUI_CMD_QUIT);
	assert_int_equal(tui_key_command('x', TUI_VIEW_TREE), TUI_CMD_RAW);
	assert_int_equal(tui_key_command('x', TUI_VIEW_MAP), TUI_CMD_NONE);
	assert_int_equal(tui_key_command(0, TUI_VIEW_MAP), TUI_CMD_NONE);
}

static void test_wrap(void **state)
{
	static const char text[] = "one two three\n\n  four five six\nsevenandeight";
	static const struct {
		const char *text;
		int indent;
	} wanted[] = { { "one two", 0 }, { "three", 2 }, { "", 0 },	     { "four", 2 },
		       { "five", 2 },	 { "six", 2 },	 { "sevenande", 0 }, { "ight", 2 } };
	struct tui_text t = { 0 };

	assert_int_equal(tui_text_set(&t, strdup(text), strlen(text), 9), 0);
	assert_int_equal(t.lines, sizeof(wanted) / sizeof(wanted[0]));
	for (int i = 0; i < t.lines; i++) {
		assert_int_equal(t.line[i].len, strlen(wanted[i].text));
		assert_memory_equal(t.line[i].text, wanted[i].text, (size_t)t.line[i].len);
		assert_int_equal(t.line[i].indent, wanted[i].indent);
	}
	assert_true(tui_text_key(&t, TUI_CMD_END, 0, 3));
	assert_int_equal(t.top, 5);
	assert_true(tui_text_key(&t, TUI_CMD_DOWN, 0, 3));
	assert_int_equal(t.top, 5);
	assert_false(tui_text_key(&t, TUI_CMD_ENTER, 0, 3));
	tui_text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
