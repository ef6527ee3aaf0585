// SPDX-License-Identifier: GPL-2.0
#include "cli/show_halves.h"

enum { HALVES_HALF, HALVES_BYTES, HALVES_MAPPED, HALVES_GMEM, HALVES_TABLES };
const struct cli_column cli_halves_columns[] = {
	[HALVES_HALF] = { "half", 7, 0, "private or shared" },
	[HALVES_BYTES] = { "bytes", 9, CLI_COL_RIGHT,
			   "of the slots, that the memory attributes give to it" },
	[HALVES_MAPPED] = { "mapped", 9, CLI_COL_RIGHT, "bytes that roots of this half map" },
	[HALVES_GMEM] = { "guest_memfd", 11, CLI_COL_RIGHT, "bytes that guest_memfd has" },
	[HALVES_TABLES] = { "tables", 9, CLI_COL_RIGHT,
			    "bytes of its tables, mirror and external ones" },
	{ NULL },
};

/* A VM without mirror root maps both by one root: what is mapped of which is not told. */
void cli_add_halves(struct cli_table *t, const struct spt_model *model,
		    const struct spt_half_count halves[2])
{
	for (int i = 0; i < 2; i++) {
		const struct spt_half_count *h = &halves[i];

		cli_table_row(t);
		cli_cell_string(t, HALVES_HALF, spt_half_name(h->half));
		cli_cell_size(t, HALVES_BYTES, h->bytes);
		if (h->has_pages)
			cli_cell_size(t, HALVES_GMEM, h->pages);
		else
			cli_cell_na(t, HALVES_GMEM);
		if (model->gpa_bits) {
			cli_cell_size(t, HALVES_MAPPED, h->mapped);
			cli_cell_size(t, HALVES_TABLES, h->tables);
		} else {
			cli_cell_na(t, HALVES_MAPPED);
			cli_cell_na(t, HALVES_TABLES);
		}
	}
}
