// SPDX-License-Identifier: GPL-2.0
/* The tree: roots, and below them the entries of the tables that were opened. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/number.h"
#include "spt/entry.h"
#include "spt/walk.h"
#include "tui/list.h"

#define MOST_LINES (1 << 20)

/* A table that is open: the child of an entry, or a root's own (level above all). */
struct open_table {
	uint64_t root; /* HPA */
	uint64_t address;
	int level; /* of the entry */
};

struct tree_line {
	struct spt_entry entry; /* of a root's line: .root alone */
	uint64_t address;	/* as the tables count */
	int depth;		/* 0: a root */
	bool open;
};

struct tree {
	struct tui_list list;
	struct tree_line *line;
	size_t room;
	struct open_table *open;
	size_t nr_open, open_room;
	uint64_t gpa;	/* that was gone to last */
	uint64_t reads; /* of the model that the lines are of */
	bool raw, gone; /* went to the current address once */
	bool stale;
};

static struct open_table key_of(const struct tree_line *l)
{
	return (struct open_table){ l->entry.root->hpa, l->address,
				    l->depth ? l->entry.level : l->entry.root->level + 1 };
}

static struct open_table *find_open(const struct tree *tr, struct open_table key)
{
	for (size_t i = 0; i < tr->nr_open; i++)
		if (tr->open[i].root == key.root && tr->open[i].address == key.address &&
		    tr->open[i].level == key.level)
			return &tr->open[i];
	return NULL;
}

static void open_table(struct tree *tr, struct open_table key)
{
	if (find_open(tr, key))
		return;
	if (tr->nr_open == tr->open_room) {
		size_t room = tr->open_room ? 2 * tr->open_room : 16;
		struct open_table *more = realloc(tr->open, room * sizeof(*more));

		if (!more)
			return;
		tr->open = more;
		tr->open_room = room;
	}
	tr->open[tr->nr_open++] = key;
}

static void close_table(struct tree *tr, struct open_table key)
{
	struct open_table *o = find_open(tr, key);

	if (o)
		*o = tr->open[--tr->nr_open];
}

static struct tree_line *add_line(struct tree *tr)
{
	if ((size_t)tr->list.count == tr->room) {
		size_t room = tr->room ? 2 * tr->room : 1024;
		struct tree_line *more =
			room > MOST_LINES ? NULL : realloc(tr->line, room * sizeof(*more));

		if (!more)
			return NULL;
		tr->line = more;
		tr->room = room;
	}
	return &tr->line[tr->list.count++];
}

static void describe(const struct tui *t, const struct tree *tr, const struct tree_line *l,
		     char *text, size_t size);

static void add_table(const struct tui *t, struct tree *tr, const struct spt_root_ref *root,
		      const struct spt_node *node, uint64_t base, int depth)
{
	const struct spt_model *m = tui_model(t);
	struct spt_tree_frame at = { .node = node, .end = SPT_TABLE_ENTRIES };
	char text[512];
	uint64_t spte;

	while (spt_tree_step(&at, m->format.empty, &spte)) {
		struct tree_line *l = add_line(tr);
		const struct spt_node *child;

		if (!l)
			return;
		memset(l, 0, sizeof(*l));
		l->address = base + ((uint64_t)(at.index - 1) << spt_level_shift(node->level));
		l->depth = depth;
		spt_entry_fill(m, root, node, at.index - 1, l->address, spte, &l->entry);
		child = l->entry.child;
		l->open = child && find_open(tr, key_of(l));
		describe(t, tr, l, text, sizeof(text));
		if (!l->open && !tui_matches(t, text)) {
			tr->list.count--;
			continue;
		}
		if (l->open)
			add_table(t, tr, root, child, l->address, depth + 1);
	}
}

static void build(const struct tui *t, struct tree *tr)
{
	const struct spt_model *m = tui_model(t);

	tr->list.count = 0;
	for (uint32_t i = 0; i < m->nr_roots; i++) {
		const struct spt_root_ref *root = &m->roots[i];
		struct tree_line *l = add_line(tr);

		if (!l)
			break;
		memset(l, 0, sizeof(*l));
		l->entry.root = root;
		l->entry.child = root->node;
		l->address = root->node ? spt_root_base(root) : 0;
		l->open = root->node && find_open(tr, key_of(l));
		if (l->open)
			add_table(t, tr, root, root->node, l->address, 1);
	}
	tui_list_set(&tr->list, tr->list.count);
	tr->stale = false;
	tr->reads = t->subject.reads;
}

/* The first root that translates the current address's kind. */
static const struct spt_root_ref *root_of(const struct tui *t)
{
	const struct spt_model *m = tui_model(t);

	for (uint32_t i = 0; i < m->nr_roots; i++)
		if (tui_root_shown(t, &m->roots[i]))
			return &m->roots[i];
	return m->nr_roots ? &m->roots[0] : NULL;
}

/* Open all tables on the way to the current address, and choose the last entry. */
static void go(const struct tui *t, struct tree *tr)
{
	const struct spt_root_ref *root = root_of(t);
	struct spt_walk_path path;

	tr->gone = true;
	tr->gpa = t->gpa;
	if (!root)
		return;
	spt_walk_root(tui_model(t), root, t->gpa, &path);
	open_table(tr, (struct open_table){ root->hpa, root->node ? spt_root_base(root) : 0,
					    root->level + 1 });
	for (unsigned int i = 0; i + 1 < path.nr_levels; i++) {
		uint64_t address = (path.level[i].gpa | root->gpa_bits);

		open_table(tr, (struct open_table){ root->hpa, address, path.level[i].level });
	}
	build(t, tr);
	if (!path.nr_levels)
		return;
	for (int i = 0; i < tr->list.count; i++) {
		const struct spt_entry *e = &tr->line[i].entry,
				       *last = &path.level[path.nr_levels - 1];

		if (tr->line[i].depth && e->root == root && e->node == last->node &&
		    e->index == last->index)
			tr->list.at = i;
	}
}

static void tree_want(struct tui *t, void *state, struct spt_request *req)
{
	req->parts =
		SPT_PART_VM | SPT_PART_MEMSLOTS | SPT_PART_ATTRS | SPT_PART_ROOTS | SPT_PART_TABLES;
	tui_limit(t, req);
}

static void tree_update(struct tui *t, void *state)
{
	((struct tree *)state)->stale = true;
}

static void describe(const struct tui *t, const struct tree *tr, const struct tree_line *l,
		     char *text, size_t size)
{
	const struct spt_model *m = tui_model(t);
	const struct spt_entry *e = &l->entry;
	struct spt_spte spte = spt_entry_decode(m, e);
	char perm[SPT_PERM_TEXT], flags[256], hpa[24] = "-";

	if (tr->raw) {
		snprintf(text, size, "[%3u] 0x%016" PRIx64 " at 0x%" PRIx64, e->index, e->spte,
			 e->node->hpa + 8 * e->index);
		return;
	}
	if (e->hpa != SPT_NO_HPA)
		snprintf(hpa, sizeof(hpa), "0x%" PRIx64, e->hpa);
	spt_spte_flags_text(spte.flags, " ", flags, sizeof(flags));
	snprintf(text, size, "[%3u] 0x%013" PRIx64 " %-5s %-5s %s %s %s%s", e->index, e->gpa,
		 spt_size(e->size).text, spt_spte_type_name(e->type),
		 spt_perm_text(&m->format, spte.perm, perm), hpa, flags,
		 e->problems ? " (its table is not there)" : "");
}

static void put_line(struct tui *t, const struct tree *tr, const struct tree_line *l, int row)
{
	const struct spt_root_ref *root = l->entry.root;
	uint32_t mark = !l->entry.child ? 0x00b7 : l->open ? 0x25be : 0x25b8;
	char text[512];

	tui_put_char(&t->canvas, row, 2 * l->depth, TUI_KEY, mark);
	if (!l->depth) {
		tui_put(&t->canvas, row, 2, TUI_TITLE, "%s root 0x%" PRIx64 ", level %d, %s%s%s",
			spt_root_kind_name(root->kind), root->hpa, root->level,
			tui_root_space(root), root->as_id ? ", SMM" : "",
			root->valid ? "" : ", invalid");
		return;
	}
	describe(t, tr, l, text, sizeof(text));
	tui_put(&t->canvas, row, 2 * l->depth + 2,
		l->entry.type == SPT_SPTE_LEAF	  ? TUI_GREEN
		: l->entry.type == SPT_SPTE_TABLE ? TUI_PLAIN
						  : TUI_ORANGE,
		"%d %s", l->entry.level, text);
}

static bool tree_draw(struct tui *t, void *state, const struct tui_area *area)
{
	struct tree *tr = state;

	if (!tr->gone || tr->gpa != t->gpa)
		go(t, tr);
	else if (tr->stale || tr->reads != t->subject.reads)
		build(t, tr);
	tui_list_fit(&tr->list, area->rows);
	for (int i = 0; i < area->rows && tr->list.top + i < tr->list.count; i++)
		put_line(t, tr, &tr->line[tr->list.top + i], area->row + i);
	if (!tr->list.count)
		tui_put(&t->canvas, area->row, 0, TUI_DIM,
			"no root: no vCPU has entered the guest since KVM last dropped its roots");
	tui_list_mark(t, &tr->list, area->row, area->rows);
	return false;
}

static void set_open(const struct tui *t, struct tree *tr, bool open)
{
	struct tree_line *l = &tr->line[tr->list.at];

	if (open && l->entry.child)
		open_table(tr, key_of(l));
	else if (l->open)
		close_table(tr, key_of(l));
	else
		/* Closed already: to the entry above it. */
		for (int i = tr->list.at; i >= 0; i--)
			if (tr->line[i].depth < l->depth) {
				tr->list.at = i;
				break;
			}
	build(t, tr);
}

static bool tree_key(struct tui *t, void *state, enum tui_command command, int key,
		     const struct tui_area *area)
{
	struct tree *tr = state;
	struct tree_line *l;

	if (command == TUI_CMD_RAW) {
		tr->raw = !tr->raw;
		return true;
	}
	if (tui_list_key(&tr->list, command, key, area->row, area->rows)) {
		l = tr->list.count ? &tr->line[tr->list.at] : NULL;
		/* The current address follows, where it is one of the same kind. */
		if (l && l->depth && tui_root_shown(t, l->entry.root))
			t->gpa = tr->gpa = l->entry.gpa;
		return true;
	}
	if (!tr->list.count)
		return false;
	l = &tr->line[tr->list.at];
	if (command == TUI_CMD_ENTER || key == TUI_KEY_DOUBLE)
		set_open(t, tr, !l->open);
	else if (command == TUI_CMD_RIGHT)
		set_open(t, tr, true);
	else if (command == TUI_CMD_LEFT)
		set_open(t, tr, false);
	else
		return false;
	return true;
}

static void tree_close(void *state)
{
	struct tree *tr = state;

	free(tr->line);
	free(tr->open);
}

const struct tui_view tui_view_tree = {
	.state_size = sizeof(struct tree),
	.want = tree_want,
	.update = tree_update,
	.draw = tree_draw,
	.key = tree_key,
	.close = tree_close,
};
