/* SPDX-License-Identifier: GPL-2.0 */
/* A VM's memory by private and shared: what the attributes say, and what is there of it. */
#ifndef SPT_HALVES_H
#define SPT_HALVES_H

#include "spt/stats.h"

struct spt_half_count {
	enum spt_half half;
	uint64_t bytes;	 /* of the slots, that the attributes give to this half */
	uint64_t mapped; /* by the roots of this half; of VMs that have such roots */
	uint64_t pages;	 /* bytes that guest_memfd has, private; shared: not counted, 0 */
	bool has_pages;	 /* the image says which those are */
	uint64_t tables; /* bytes of its tables, external ones with their mirrors */
};

/*
 * Count both halves into ret[0], private, and ret[1], shared. @stats: of the same model
 * and range. False: this VM's memory has no halves, or the image lacks the attributes.
 */
bool spt_halves_count(const struct spt_sweep *sweep, const struct spt_stats *stats,
		      struct spt_half_count ret[2]);

#endif
