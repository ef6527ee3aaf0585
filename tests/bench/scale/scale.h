/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whole-image queries, measured against one thread that sums the same mapped bytes with
 * plain 64-bit adds. A figure is one small file here and one line in SCALE_FIGURES.
 */
#ifndef SPT_BENCH_SCALE_H
#define SPT_BENCH_SCALE_H

#include <stddef.h>
#include <stdint.h>

#include <stdbool.h>

#include "spt/model.h"
#include "tests/bench/ratio.h"

#define SCALE_IMAGES 2

/* A mapped image file, its pages in memory. */
struct scale_image {
	const char *path;
	const uint64_t *bytes;
	size_t len;
	struct spt_image image;
	struct spt_model model; /* loaded, unless the figure loads it itself */
};

struct scale_figure {
	const char *name;
	const char *ours;    /* what is measured */
	unsigned int images; /* that it wants on the command line */
	bool unloaded;	     /* opens and loads the images itself, and maps them anew */
	/* Once over all of them. 0 or -errno with @err filled in. */
	int (*run)(struct scale_image *image, struct spt_error *err);
};

/* In the order of the help. */
#define SCALE_FIGURES(F)                                                                           \
	F(stats)                                                                                   \
	F(ranges)                                                                                  \
	F(ranges_random)                                                                           \
	F(reverse)                                                                                 \
	F(audit)                                                                                   \
	F(diff)                                                                                    \
	F(open)                                                                                    \
	F(whole)

#define F(name) extern const struct scale_figure scale_##name;
SCALE_FIGURES(F)
#undef F

/* Map a file; @populate: with all of its pages. Ends the bench on failure. */
void scale_map(struct scale_image *image, bool populate);
void scale_unmap(struct scale_image *image);

/* Check and load a mapped image. */
int scale_load(struct scale_image *image, struct spt_error *err);

#endif
