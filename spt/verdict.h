/* SPDX-License-Identifier: GPL-2.0 */
/* Judging a walk: do the memslots, the SPTEs and the host's tables tell the same story? */
#ifndef SPT_VERDICT_H
#define SPT_VERDICT_H

#include "spt/walk.h"

#define SPT_ATTR_PRIVATE (1ULL << 3) /* KVM_MEMORY_ATTRIBUTE_PRIVATE */
#define SPT_WALK_RETRIES 3	     /* further looks at a live VM before 'stale' */

/* KVM_USER_MEM_SLOTS: from here on ids are KVM's own slots (APIC access page, ...). */
#define SPT_FIRST_INTERNAL_SLOT 32764

/* Whether an invalidation is under way that may be about the page of @walk. */
bool spt_walk_invalidating(const struct spt_model *model, const struct spt_walk *walk);

/* Fill in verdict and reason from the rest of @walk. */
void spt_verdict_find(const struct spt_model *model, struct spt_walk *walk);

/* Make the verdict 'torn' because of @why. */
void spt_verdict_torn(struct spt_walk *walk, const char *why);

#endif
