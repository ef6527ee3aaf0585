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

bool tui_in_gpas(const struct tui *t)
{
	const struct spt_root_ref root = { .kind = t->chosen.kind };

	return !t->chosen.one || spt_root_maps_gpa(&root);
}

const struct spt_root_ref *tui_chosen_root(const struct tui *t)
{
	return t->root >= 0 ? &tui_model(t)->roots[t->root] : NULL;
}

bool tui_same_root(const struct tui_root_id *a, const struct tui_root_id *b)
{
	return a->one == b->one &&
	       (!a->one || (a->hpa == b->hpa && a->kind == b->kind && a->as_id == b->as_id));
}

static struct tui_root_id id_of(const struct spt_root_ref *root)
{
	return (struct tui_root_id){ true, root->hpa, root->kind, root->as_id };
}

/* -1: all that map GPAs. */
static void choose_root(struct tui *t, int nr)
{
	t->root = nr;
	t->chosen = nr >= 0 ? id_of(&tui_model(t)->roots[nr]) : (struct tui_root_id){ 0 };
}

void tui_go(struct tui *t, uint64_t address)
{
	t->gpa = address;
}

void tui_go_gpa(struct tui *t, uint64_t gpa)
{
	if (!tui_in_gpas(t))
		choose_root(t, -1);
	t->gpa = gpa;
}

void tui_next_root(struct tui *t)
{
	const struct spt_model *m = tui_model(t);

	if (m)
		choose_root(t, t->root + 1 < (int)m->nr_roots ? t->root + 1 : -1);
}

void tui_first_root(struct tui *t)
{
	const struct spt_model *m = tui_model(t);

	choose_root(t, -1);
	for (uint32_t i = 0; m && i < m->nr_roots; i++)
		if (tui_root_shown(t, &m->roots[i]))
			return;
	for (uint32_t i = 0; m && i < m->nr_roots; i++)
		if (!spt_root_maps_gpa(&m->roots[i])) {
			choose_root(t, (int)i);
			return;
		}
}

void tui_find_root(struct tui *t)
{
	const struct spt_model *m = tui_model(t);
	const struct tui_root_id was = t->chosen;
	char now[96];

	t->root = -1;
	for (uint32_t i = 0; m && was.one && i < m->nr_roots; i++) {
		const struct tui_root_id id = id_of(&m->roots[i]);

		if (tui_same_root(&id, &was)) {
			t->root = (int)i;
			return;
		}
	}
	if (!m || !was.one || tui_subject_unread(&t->subject, SPT_PART_ROOTS))
		return;
	tui_first_root(t);
	tui_root_title(t, now, sizeof(now));
	tui_say(t, true, "%s root 0x%" PRIx64 " is gone; shown now: %s",
		spt_root_kind_name(was.kind), was.hpa, now);
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

	if (tui_table_bytes(t) <= TUI_MOST_TABLES || !tui_in_gpas(t))
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
