// SPDX-License-Identifier: GPL-2.0
#include "tui/help.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tui/tui.h"

static const char *const view_help[] = {
#define V(id, name, help) help,
	TUI_VIEWS(V)
#undef V
};

int tui_help_make(struct tui_text *ret, enum tui_view_id view, int cols)
{
	char *bytes = NULL, keys[TUI_KEYS_TEXT];
	size_t len = 0;
	FILE *out = open_memstream(&bytes, &len);

	if (!out)
		return -ENOMEM;
	fprintf(out, "%s: %s\n\n", tui_view_names[view], view_help[view]);
	for (size_t i = 0; i < tui_nr_bindings; i++)
		if (tui_bindings[i].views >> view & 1)
			fprintf(out, "  %-16s %s\n", tui_binding_keys(&tui_bindings[i], keys),
				tui_bindings[i].help);
	fprintf(out, "\nViews:\n");
	for (int i = 0; i < TUI_VIEW_COUNT; i++)
		fprintf(out, "  %d %-14s %s\n", i + 1, tui_view_names[i], view_help[i]);
	fprintf(out, "\nThe mouse chooses, twice opens, its wheel scrolls.\n");
	if (fclose(out)) {
		free(bytes);
		return -ENOMEM;
	}
	return tui_text_set(ret, bytes, len, cols);
}
