/* SPDX-License-Identifier: GPL-2.0 */
/* Which root of one image is which of the other, and which slots; for spt_diff_run(). */
#ifndef SPT_DIFF_PAIRS_H
#define SPT_DIFF_PAIRS_H

#include "spt/diff.h"

struct spt_diff_pair {
	const struct spt_root_ref *root[2]; /* before, after; one may be NULL */
};

struct spt_diff_pairs {
	struct spt_diff_pair *pair;
	size_t count;
};

/* Returns 0 or -ENOMEM. */
int spt_diff_pairs_find(struct spt_diff_pairs *pairs, const struct spt_diff *diff);
void spt_diff_pairs_deinit(struct spt_diff_pairs *pairs);

/* Whether the pair itself is a change: a root came, went, or was made anew. */
bool spt_diff_pair_changed(const struct spt_diff_pair *pair);

/* Hand every slot that changed to @emit; counts them. Returns what @emit returned. */
int spt_diff_slots(const struct spt_diff *diff, int (*emit)(void *arg, const struct spt_change *c),
		   void *arg, uint64_t *count);

#endif
