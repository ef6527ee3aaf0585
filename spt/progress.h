/* SPDX-License-Identifier: GPL-2.0 */
/* Who is told how far long work is, and may end it. */
#ifndef SPT_PROGRESS_H
#define SPT_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

/* What a part counts, where work has several: they need not be of one unit. */
#define SPT_PROGRESS_PART 1000000

struct spt_progress {
	/* @done of @total bytes, 0: unknown; other than 0 ends the work. NULL: nobody is told. */
	int (*step)(void *arg, uint64_t done, uint64_t total);
	void *arg;
	unsigned int before, behind; /* parts of the work that are done, that are to come */
};

static inline int spt_progress_step(const struct spt_progress *p, uint64_t done, uint64_t total)
{
	if (!p || !p->step)
		return 0;
	if (total && (p->before || p->behind)) {
		done = (uint64_t)((double)done / (double)total * SPT_PROGRESS_PART) +
		       (uint64_t)p->before * SPT_PROGRESS_PART;
		total = (uint64_t)(p->before + 1 + p->behind) * SPT_PROGRESS_PART;
	}
	return p->step(p->arg, done, total);
}

#endif
