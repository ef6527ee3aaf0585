/* SPDX-License-Identifier: GPL-2.0 */
/* The blocks of the map: what each stretch of equal size is covered by, made when first shown. */
#ifndef SPT_TUI_MAP_CELLS_H
#define SPT_TUI_MAP_CELLS_H

#include "spt/cover.h"
#include "tui/screen.h"

struct map_cell {
	struct spt_cover cover;
	int64_t changed_ms; /* when it was seen to change; 0 never */
	bool known;
};

/* A window of blocks over the shown roots of a model. */
struct map_cells {
	struct spt_covers covers;
	bool have_covers;
	uint64_t reads; /* of the model that they are of */
	struct tui_root_id root;
	struct map_cell *cell;
	size_t count, room;
	uint64_t start;	    /* address of the first */
	unsigned int shift; /* bytes of each: 1 << shift */
	struct spt_numa numa;
	bool want_nodes; /* look at NUMA nodes, too */
	bool numa_read;
};

void map_cells_init(struct map_cells *w);
void map_cells_deinit(struct map_cells *w);

/*
 * Move the window to @count blocks of 1 << @shift bytes from @start on. Those that were
 * in it already stay; of another model their values are kept to tell what changed. 0, -ENOMEM.
 */
int map_cells_place(struct map_cells *w, struct tui *t, uint64_t start, unsigned int shift,
		    size_t count);

/* Make what is not known yet, for about @ms milliseconds; true: all is known. */
bool map_cells_make(struct map_cells *w, struct tui *t, int ms);

/* The cover of one stretch by the shown roots; false: not all of it was looked at. */
bool map_cells_cover(struct map_cells *w, struct tui *t, uint64_t start, uint64_t len,
		     uint64_t *budget, struct spt_cover *ret);

/* Where the addresses that are worth showing end: behind the last slot or mapping. */
uint64_t map_extent(const struct tui *t);

#endif
