// SPDX-License-Identifier: GPL-2.0
/* What views share: messages, filter, roots, commands. */
#include "tui/screen.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void tui_say(struct tui *t, bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->message, sizeof(t->message), fmt, ap);
	va_end(ap);
	t->bad = !good;
}

bool tui_matches(const struct tui *t, const char *text)
{
	return !t->filter[0] || strcasestr(text, t->filter);
}

const char *tui_root_space(const struct spt_root_ref *root)
{
	if (!root || spt_root_maps_gpa(root))
		return "GPA";
	return root->kind == SPT_ROOT_SHADOW ? "GVA" : "L2 GPA";
}

bool tui_root_shown(const struct tui *t, const struct spt_root_ref *root)
{
	if (t->root >= 0)
		return root - tui_model(t)->roots == t->root;
	/* External tables repeat what their mirrors say. */
	return spt_root_maps_gpa(root) && root->kind != SPT_ROOT_EXTERNAL && root->valid &&
	       !root->as_id;
}

void tui_next_root(struct tui *t)
{
	const struct spt_model *m = tui_model(t);

	if (m && ++t->root >= (int)m->nr_roots)
		t->root = -1;
}

void tui_root_title(const struct tui *t, char *text, size_t size)
{
	const struct spt_model *m = tui_model(t);
	const struct spt_root_ref *root;

	if (!m || t->root < 0 || t->root >= (int)m->nr_roots) {
		snprintf(text, size, "all roots of GPAs");
		return;
	}
	root = &m->roots[t->root];
	snprintf(text, size, "%s root 0x%" PRIx64 "%s%s", spt_root_kind_name(root->kind), root->hpa,
		 root->as_id ? ", SMM" : "", root->valid ? "" : ", invalid");
}

uint64_t tui_table_bytes(const struct tui *t)
{
	const struct spt_model *m = tui_model(t);
	uint64_t pages = 0;

	if (m && t->subject.live)
		spt_value(&m->vm, SPT_VM_PAGES_4K, &pages);
	return pages * sizeof(uint64_t);
}

void tui_limit(const struct tui *t, struct spt_request *req)
{
	/* Even where all of it is mapped by 4K pages. */
	const uint64_t span = TUI_MOST_TABLES / sizeof(uint64_t) << SPT_PAGE_SHIFT;

	if (tui_table_bytes(t) <= TUI_MOST_TABLES ||
	    (t->root >= 0 && !spt_root_maps_gpa(&tui_model(t)->roots[t->root])))
		return;
	req->start = t->gpa & ~(span - 1);
	req->len = span;
}

int tui_command(struct tui *t, const char *line, struct tui_text *ret)
{
	char *bytes = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&bytes, &len);
	int status;

	if (!out)
		return -ENOMEM;
	status = t->opt->command(t->opt->arg, t->subject.live ? t->subject.name : NULL, line,
				 t->canvas.cols, out);
	if (fclose(out)) {
		free(bytes);
		return -ENOMEM;
	}
	return tui_text_set(ret, bytes, len, t->canvas.cols) ? -ENOMEM : status;
}
