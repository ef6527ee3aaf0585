// SPDX-License-Identifier: GPL-2.0
#include "cli/show_change.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/json.h"
#include "cli/show.h"

enum {
	COL_TIME,
	COL_KIND,
	COL_ROOT,
	COL_ROOT_KIND,
	COL_AS_ID,
	COL_GPA,
	COL_END,
	COL_SIZE,
	COL_BEFORE,
	COL_AFTER,
	COL_ALSO,
	COL_CONVERSION,
	COL_PAGES
};

const struct cli_column cli_change_columns[] = {
	[COL_TIME] = { "time", 12, CLI_COL_EXTRA, "when it was seen, of the day" },
	[COL_KIND] = { "kind", 10, 0,
		       "added, removed, remapped, permission, split, collapsed, slot, root" },
	[COL_ROOT] = { "root", 18, CLI_COL_EXTRA, "physical address of the root" },
	[COL_ROOT_KIND] = { "root_kind", 9, 0, "direct, shadow, nested, mirror, external" },
	[COL_AS_ID] = { "as_id", 5, CLI_COL_RIGHT, "address space: 1 is SMM's" },
	[COL_GPA] = { "gpa", 18, 0,
		      "first address; of a shadow root a virtual one, of a nested one L2's" },
	[COL_END] = { "end_gpa", 18, CLI_COL_TEXT, "last address" },
	[COL_SIZE] = { "size", 9, CLI_COL_RIGHT, "bytes" },
	[COL_BEFORE] = { "before", 32, 0, "what was there" },
	[COL_AFTER] = { "after", 32, 0, "what is there" },
	[COL_ALSO] = { "also", 10, 0, "what else changed with it" },
	[COL_CONVERSION] = { "conversion", 10, CLI_COL_EXTRA,
			     "of memory that became shared or private: to-shared, to-private" },
	[COL_PAGES] = { "pages", 8, CLI_COL_RIGHT | CLI_COL_EXTRA, "entries merged" },
	{ NULL },
};

#define SIDE_TEXT (CLI_FLAGS_TEXT + 96)

/* @with_flags: say them, too; where only the page changed they are the same on both sides. */
static void mapped_text(const struct spt_model *model, const struct spt_mapped *m, bool with_flags,
			char text[SIDE_TEXT])
{
	char perm[SPT_PERM_TEXT], flags[CLI_FLAGS_TEXT] = "";
	struct spt_spte spte;

	if (!m->level) {
		snprintf(text, SIDE_TEXT, "-");
		return;
	}
	spte = spt_spte_decode(&model->format, m->spte, m->level, m->kind);
	if (m->type != SPT_SPTE_LEAF) {
		snprintf(text, SIDE_TEXT, "%s", spt_spte_type_name(m->type));
		return;
	}
	if (with_flags)
		cli_entry_flags(&spte, NULL, flags);
	snprintf(text, SIDE_TEXT, "%s %s 0x%" PRIx64 "%s%s%s",
		 spt_perm_text(&model->format, spte.perm, perm), cli_size(spte.size).text, m->hpa,
		 m->scattered ? "..." : "", flags[0] ? " " : "", flags);
}

static struct json_object *mapped_json(const struct spt_model *model, const struct spt_mapped *m)
{
	struct json_object *o;
	char perm[SPT_PERM_TEXT];
	struct spt_spte spte;

	if (!m->level)
		return NULL;
	o = json_object_new_object();
	spte = spt_spte_decode(&model->format, m->spte, m->level, m->kind);
	cli_json_set_text(o, "type", spt_spte_type_name(m->type));
	cli_json_set(o, "hpa", m->hpa == SPT_NO_HPA ? NULL : cli_json_hex(m->hpa));
	cli_json_set_bool(o, "contiguous", m->hpa != SPT_NO_HPA && !m->scattered);
	cli_json_set_uint(o, "page_size", spt_level_size(m->level));
	cli_json_set_text(o, "perm", spt_perm_text(&model->format, spte.perm, perm));
	cli_json_set(o, "flags", cli_entry_flags_json(&spte, NULL));
	cli_json_set_hex(o, "spte", m->spte);
	return o;
}

static struct json_object *root_json(const struct spt_root_ref *root)
{
	struct json_object *o;

	if (!root)
		return NULL;
	o = json_object_new_object();
	cli_json_set_hex(o, "hpa", root->hpa);
	cli_json_set_int(o, "level", root->level);
	cli_json_set_bool(o, "valid", root->valid);
	cli_json_set_hex(o, "role_word", root->role);
	return o;
}

static void root_side(struct cli_table *t, int col, const struct spt_root_ref *root)
{
	if (root)
		cli_cell_both(t, col, root_json(root), "0x%" PRIx64 "%s", root->hpa,
			      root->valid ? "" : " invalid");
	else
		cli_cell_both(t, col, NULL, "-");
}

static void slot_side(struct cli_table *t, int col, const struct spt_memslot *memslot)
{
	const struct spt_slot *slot = memslot ? memslot->slot : NULL;
	char flags[CLI_FLAGS_TEXT];

	if (!slot) {
		cli_cell_both(t, col, NULL, "-");
		return;
	}
	cli_cell_both(t, col, cli_slot_json(memslot),
		      "slot %d 0x%" PRIx64 "+%s HVA 0x%" PRIx64 " %s", slot->id,
		      (uint64_t)slot->base_gfn << SPT_PAGE_SHIFT,
		      cli_size(slot->npages << SPT_PAGE_SHIFT).text, (uint64_t)slot->hva,
		      cli_slot_flags(slot->flags, flags));
}

static void mapped_side(struct cli_table *t, int col, const struct spt_model *model,
			const struct spt_mapped *m, bool with_flags)
{
	char text[SIDE_TEXT];

	mapped_text(model, m, with_flags, text);
	cli_cell_both(t, col, mapped_json(model, m), "%s", text);
}

void cli_daytime_text(uint64_t time_ns, char text[CLI_DAYTIME_TEXT])
{
	time_t seconds = time_ns / 1000000000;
	struct tm tm;
	size_t len;

	localtime_r(&seconds, &tm);
	len = strftime(text, CLI_DAYTIME_TEXT, "%H:%M:%S", &tm);
	snprintf(text + len, CLI_DAYTIME_TEXT - len, ".%03d", (int)(time_ns / 1000000 % 1000));
}

static void set_time(struct cli_table *t, uint64_t time_ns)
{
	char text[CLI_DAYTIME_TEXT];

	if (!time_ns)
		return;
	cli_daytime_text(time_ns, text);
	cli_cell_both(t, COL_TIME, cli_json_uint(time_ns), "%s", text);
}

/* What memory was and what it is, by its attributes. */
static void attribute_side(struct cli_table *t, int col, const struct spt_memslot *memslot,
			   bool is_private)
{
	const char *name = spt_half_name(is_private ? SPT_HALF_PRIVATE : SPT_HALF_SHARED);
	struct json_object *o = json_object_new_object();

	cli_json_set_text(o, "attributes", name);
	cli_json_set(o, "slot", memslot ? json_object_new_int(memslot->slot->id) : NULL);
	if (memslot)
		cli_cell_both(t, col, o, "slot %d %s", memslot->slot->id, name);
	else
		cli_cell_both(t, col, o, "%s", name);
}

/* The kind is one of a few that others rely on; a conversion is named beside it. */
static void set_also(struct cli_table *t, unsigned int also, enum spt_conversion conversion)
{
	struct json_object *list = json_object_new_array();
	char text[64] = "";

	for (int i = 0; i < SPT_CHANGE_KINDS; i++)
		if (also >> i & 1) {
			json_object_array_add(list, json_object_new_string(spt_change_name(i)));
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 text[0] ? "," : "", spt_change_name(i));
		}
	if (conversion) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			 text[0] ? "," : "", spt_conversion_name(conversion));
		cli_cell_string(t, COL_CONVERSION, spt_conversion_name(conversion));
	} else {
		cli_cell_both(t, COL_CONVERSION, NULL, "-");
	}
	cli_cell_both(t, COL_ALSO, list, "%s", text);
}

static void set_place(struct cli_table *t, const struct spt_change *c)
{
	if (c->kind == SPT_CHANGE_ROOT) {
		cli_cell_both(t, COL_GPA, NULL, "-");
		cli_cell_both(t, COL_END, NULL, "-");
		cli_cell_both(t, COL_SIZE, NULL, "-");
		return;
	}
	cli_cell_address(t, COL_GPA, c->gpa);
	cli_cell_address(t, COL_END, c->gpa + c->size - 1);
	cli_cell_size(t, COL_SIZE, c->size);
}

void cli_change_row(struct cli *cli, struct cli_table *t, const struct spt_diff *diff,
		    const struct spt_change *c, uint64_t time_ns)
{
	const struct spt_root_ref *root = c->root_after ? c->root_after : c->root_before;

	cli_table_row(t);
	set_time(t, time_ns);
	cli_cell_string(t, COL_KIND, spt_change_name(c->kind));
	if (root) {
		cli_cell_address(t, COL_ROOT, root->hpa);
		cli_cell_string(t, COL_ROOT_KIND, spt_root_kind_name(root->kind));
		cli_cell_number(t, COL_AS_ID, root->as_id);
	} else {
		cli_cell_both(t, COL_ROOT, NULL, "-");
		cli_cell_both(t, COL_ROOT_KIND, NULL, "-");
		const struct spt_memslot *slot = c->slot_after ? c->slot_after : c->slot_before;

		cli_cell_number(t, COL_AS_ID, slot ? slot->slot->as_id : 0);
	}
	set_place(t, c);
	if (c->kind == SPT_CHANGE_SLOT && c->conversion) {
		bool to_private = c->conversion == SPT_CONVERTED_TO_PRIVATE;

		attribute_side(t, COL_BEFORE, c->slot_before, !to_private);
		attribute_side(t, COL_AFTER, c->slot_after, to_private);
	} else if (c->kind == SPT_CHANGE_SLOT) {
		slot_side(t, COL_BEFORE, c->slot_before);
		slot_side(t, COL_AFTER, c->slot_after);
	} else if (c->kind == SPT_CHANGE_ROOT) {
		root_side(t, COL_BEFORE, c->root_before);
		root_side(t, COL_AFTER, c->root_after);
	} else {
		bool rights =
			c->kind == SPT_CHANGE_PERMISSION || c->also & 1U << SPT_CHANGE_PERMISSION;

		mapped_side(t, COL_BEFORE, diff->before, &c->before, rights);
		mapped_side(t, COL_AFTER, diff->after, &c->after, rights);
	}
	set_also(t, c->also, c->conversion);
	cli_cell_number(t, COL_PAGES, (int64_t)c->pages);
}
