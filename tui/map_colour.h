/* SPDX-License-Identifier: GPL-2.0 */
/* What a block of the map can be coloured by: attributes, their classes, letters and colours. */
#ifndef SPT_TUI_MAP_COLOUR_H
#define SPT_TUI_MAP_COLOUR_H

#include "tui/map_cells.h"

/* One thing that a block can be. */
struct map_class {
	const char *name; /* for the legend */
	char letter;	  /* without colours */
	unsigned char style;
};

/* A block to be judged. */
struct map_block {
	const struct tui *tui;
	const struct spt_model *model;
	uint64_t start, len; /* as users write it */
	const struct spt_cover *cover;
	const struct spt_memslot
		*slot; /* that holds its first byte, or the first in it; NULL none */
};

struct map_attribute {
	const char *name;
	const struct map_class *classes; /* ended by one without a name */
	/* Index of its class, -1: of what is not mapped. */
	int (*classify)(const struct map_block *b);
	bool unmapped; /* means something where nothing is mapped, too */
};

extern const struct map_attribute map_attributes[];
extern const unsigned int map_nr_attributes;

#define MAP_NUMA 5 /* index of the one that needs NUMA nodes */

#endif
