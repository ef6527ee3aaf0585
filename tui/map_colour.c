// SPDX-License-Identifier: GPL-2.0
#include "tui/map_colour.h"

#include "spt/page_node.h"
#include "spt/verdict.h"

static const struct map_class size_classes[] = {
	{ "4K", '4', TUI_ORANGE },    { "2M", '2', TUI_SKY }, { "1G", '1', TUI_BLUE },
	{ "mixed", 'x', TUI_YELLOW }, { NULL, 0, 0 },
};

static int classify_size(const struct map_block *b)
{
	const struct spt_cover *c = b->cover;
	int sizes = 0, one = -1;

	for (int i = 0; i < SPT_COVER_LEVELS; i++) {
		if (!c->bytes[i])
			continue;
		sizes++;
		one = i;
	}
	return sizes > 1 ? 3 : one;
}

static const struct map_class perm_classes[] = {
	{ "rwx", 'w', TUI_GREEN },    { "rw-", 'd', TUI_SKY },	{ "r-x", 'r', TUI_ORANGE },
	{ "r--", 'o', TUI_YELLOW },   { "--x", 'e', TUI_BLUE }, { "none", 'n', TUI_VERMILION },
	{ "mixed", 'x', TUI_PURPLE }, { NULL, 0, 0 },
};

static int classify_perm(const struct map_block *b)
{
	/* By read, write, execute; user-execute alone counts as execute. */
	static const signed char by_bits[8] = { 5, 3, 5, 1, 4, 2, 4, 0 };
	const struct spt_cover *c = b->cover;
	unsigned int any = c->any;

	if (!spt_cover_mapped(c))
		return -1;
	if (c->any != c->all)
		return 6;
	if (any & SPT_PERM_USER_EXEC)
		any |= SPT_PERM_EXEC;
	return by_bits[any & 7];
}

static const struct map_class dirty_classes[] = {
	{ "clean", 'c', TUI_SKY },
	{ "some dirty", 's', TUI_YELLOW },
	{ "dirty", 'd', TUI_VERMILION },
	{ "not recorded", '?', TUI_GREY },
	{ NULL, 0, 0 },
};

static int share_of(uint64_t set, uint64_t unknown, uint64_t mapped)
{
	if (!mapped)
		return -1;
	if (unknown == mapped)
		return 3;
	return !set ? 0 : set + unknown >= mapped ? 2 : 1;
}

static int classify_dirty(const struct map_block *b)
{
	return share_of(b->cover->dirty, b->cover->no_dirty, spt_cover_mapped(b->cover));
}

static const struct map_class accessed_classes[] = {
	{ "idle", 'i', TUI_SKY },
	{ "some accessed", 's', TUI_YELLOW },
	{ "accessed", 'a', TUI_VERMILION },
	{ "not recorded", '?', TUI_GREY },
	{ NULL, 0, 0 },
};

static int classify_accessed(const struct map_block *b)
{
	return share_of(b->cover->accessed, b->cover->no_accessed, spt_cover_mapped(b->cover));
}

static const struct map_class half_classes[] = {
	{ "private", 'p', TUI_PURPLE },
	{ "shared", 's', TUI_GREEN },
	{ "both", 'x', TUI_YELLOW },
	{ "not known", '?', TUI_GREY },
	{ NULL, 0, 0 },
};

/* What the VM's memory attributes say of frames @first .. @last: bit 0 some private, 1 some shared.
 */
static unsigned int halves_of(const struct spt_model *m, uint64_t first, uint64_t last)
{
	uint64_t next = first;
	unsigned int halves = 0;

	for (uint32_t r = 0; r < m->nr_attrs; r++) {
		const struct spt_runs *runs = m->attrs[r];

		for (uint32_t i = 0; i < runs->count; i++) {
			const struct spt_run *run = &runs->run[i];
			uint64_t run_last = run->gfn + run->npages - 1;

			if (run_last < first || run->gfn > last)
				continue;
			/* Frames between runs have no attribute: they are shared. */
			if (run->gfn > next)
				halves |= 2;
			halves |= run->value & SPT_ATTR_PRIVATE ? 1 : 2;
			next = run_last + 1;
		}
	}
	return next <= last ? halves | 2 : halves;
}

static int classify_half(const struct map_block *b)
{
	unsigned int halves;

	if (!b->slot)
		return spt_cover_mapped(b->cover) ? 1 : -1;
	if (!b->model->nr_attrs && !b->model->no_attrs &&
	    !(b->model->image.head.req_parts & SPT_PART_ATTRS))
		return 3;
	halves = halves_of(b->model, b->start >> SPT_PAGE_SHIFT,
			   (b->start + b->len - 1) >> SPT_PAGE_SHIFT);
	return halves == 3 ? 2 : halves == 1 ? 0 : 1;
}

static const struct map_class node_classes[] = {
	{ "0", '0', TUI_SKY },	      { "1", '1', TUI_ORANGE },
	{ "2", '2', TUI_GREEN },      { "3", '3', TUI_PURPLE },
	{ "4", '4', TUI_BLUE },	      { "5", '5', TUI_VERMILION },
	{ "6..", '6', TUI_YELLOW },   { "several", 'x', TUI_TITLE },
	{ "unknown", '?', TUI_GREY }, { NULL, 0, 0 },
};

/* An image has the nodes of what the host maps, by slot. */
static int node_of_runs(const struct map_block *b)
{
	uint64_t gfn = b->start >> SPT_PAGE_SHIFT, end = (b->start + b->len) >> SPT_PAGE_SHIFT;
	int node = -1;

	while (gfn < end) {
		const struct spt_host_run *run =
			spt_memslot_host_run_from(&b->model->memslots, b->slot, gfn);
		int one;

		if (!run || run->gfn >= end)
			break;
		one = spt_host_run_node(run);
		if (one >= 0 && node >= 0 && one != node)
			return SPT_COVER_NODES;
		if (one >= 0)
			node = one;
		gfn = run->gfn + run->npages;
	}
	return node < 0 ? SPT_COVER_NO_NODE : node;
}

static int classify_node(const struct map_block *b)
{
	int node = b->cover->node;

	if (!spt_cover_mapped(b->cover))
		return -1;
	if (node == SPT_COVER_NO_NODE && b->slot && b->slot->nr_host)
		node = node_of_runs(b);
	if (node == SPT_COVER_NO_NODE)
		return 8;
	return node == SPT_COVER_NODES ? 7 : node < 6 ? node : 6;
}

/* Letters and colours of slots come from their ids. */
static const struct map_class slot_classes[] = {
	{ "0", '0', TUI_SKY },	  { "1", '1', TUI_ORANGE },
	{ "2", '2', TUI_GREEN },  { "3", '3', TUI_PURPLE },
	{ "4", '4', TUI_BLUE },	  { "5", '5', TUI_VERMILION },
	{ "6", '6', TUI_YELLOW }, { "7, and so on", '7', TUI_TITLE },
	{ NULL, 0, 0 },
};

static int classify_slot(const struct map_block *b)
{
	return b->slot ? (uint16_t)b->slot->slot->id % 8 : -1;
}

const struct map_attribute map_attributes[] = {
	{ "page size", size_classes, classify_size, false },
	{ "permission", perm_classes, classify_perm, false },
	{ "dirty", dirty_classes, classify_dirty, false },
	{ "accessed", accessed_classes, classify_accessed, false },
	{ "private or shared", half_classes, classify_half, true },
	[MAP_NUMA] = { "NUMA node", node_classes, classify_node, false },
	{ "slot", slot_classes, classify_slot, true },
};
const unsigned int map_nr_attributes = sizeof(map_attributes) / sizeof(map_attributes[0]);
