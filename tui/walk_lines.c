// SPDX-License-Identifier: GPL-2.0
#include "tui/walk_lines.h"

#include <inttypes.h>

#include "decoders/number.h"
#include "spt/walk.h"

static void put_slot(struct tui *t, int row, const struct spt_walk *w)
{
	int col = tui_put(&t->canvas, row, 0, TUI_HEADING, "GPA 0x%013" PRIx64, w->gpa);

	if (!w->slot) {
		tui_put(&t->canvas, row, col, TUI_DIM, "  no memslot: MMIO to the VMM");
		return;
	}
	col = tui_put(&t->canvas, row, col, TUI_PLAIN, "  slot %d + 0x%" PRIx64, w->slot->slot->id,
		      w->gpa - ((uint64_t)w->slot->slot->base_gfn << SPT_PAGE_SHIFT));
	if (w->hva != SPT_NO_HVA)
		col = tui_put(&t->canvas, row, col, TUI_PLAIN, "  HVA 0x%" PRIx64, w->hva);
	if (w->knows_attrs)
		tui_put(&t->canvas, row, col, TUI_PLAIN, "  %s",
			w->private_gpa ? "private" : "shared");
}

/* "direct 4[0] 3[1] 2[0] 1[17] 0x... rwx 4K -> 0x..." */
static void put_path(struct tui *t, int row, const struct spt_walk_path *path)
{
	const struct spt_model *m = tui_model(t);
	const struct spt_entry *e;
	char perm[SPT_PERM_TEXT], flags[128];
	struct spt_spte spte;
	int col = tui_put(&t->canvas, row, 0, TUI_TITLE, "%s%s ",
			  path->root ? spt_root_kind_name(path->root->kind) : "shadow",
			  path->root && path->root->as_id ? ", SMM" : "");

	if (!path->nr_levels) {
		tui_put(&t->canvas, row, col, TUI_DIM, "%s", spt_walk_why_empty(path));
		return;
	}
	for (unsigned int i = 0; i < path->nr_levels; i++)
		col = tui_put(&t->canvas, row, col, TUI_DIM, "%d[%u] ", path->level[i].level,
			      path->level[i].index);
	e = &path->level[path->nr_levels - 1];
	spte = spt_entry_decode(m, e);
	col = tui_put(&t->canvas, row, col, TUI_PLAIN, "0x%016" PRIx64 " ", e->spte);
	if (e->type != SPT_SPTE_LEAF) {
		tui_put(&t->canvas, row, col, TUI_KEY, "%s", spt_spte_type_name(e->type));
		return;
	}
	spt_spte_flags_text(spte.flags, " ", flags, sizeof(flags));
	col = tui_put(&t->canvas, row, col, TUI_GOOD, "%s %s",
		      spt_perm_text(&m->format, spte.perm, perm), spt_size(e->size).text);
	col = tui_put(&t->canvas, row, col, TUI_PLAIN, " \342\206\222 0x%" PRIx64 " ", path->hpa);
	tui_put(&t->canvas, row, col, TUI_DIM, "%s", flags);
}

void tui_walk_lines(struct tui *t, int row, int rows)
{
	const struct spt_root_ref *root = tui_chosen_root(t);
	const struct spt_model *m = tui_model(t);
	static struct spt_walk walk; /* 20 KiB: too much for every frame's stack */
	int used = 1;

	if (root && !spt_root_maps_gpa(root)) {
		struct spt_walk_path path;

		spt_walk_root(m, root, t->gpa, &path);
		tui_put(&t->canvas, row, 0, TUI_HEADING, "%s 0x%" PRIx64, tui_root_space(root),
			t->gpa);
		if (rows > 1)
			put_path(t, row + 1, &path);
		return;
	}
	spt_walk_gpa(m, t->gpa, &walk);
	put_slot(t, row, &walk);
	for (unsigned int i = 0; i < walk.nr_paths && used < rows; i++)
		put_path(t, row + used++, &walk.path[i]);
	if (!walk.nr_paths && rows > 1)
		tui_put(&t->canvas, row + 1, 0, TUI_DIM, "%s",
			m->nr_roots ? "no table maps it"
				    : "no root: no vCPU has entered the guest");
}
