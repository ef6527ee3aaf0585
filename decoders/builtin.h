/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the masks are on kernels that are known, for values that come without an
 * image and for images without masks. Private to the format decoder.
 */
#ifndef SPT_DECODERS_BUILTIN_H
#define SPT_DECODERS_BUILTIN_H

#include "decoders/format.h"

/*
 * What an image of that format would have as head and masks; false: no such
 * name. The masks are static.
 */
bool spt_builtin(const char *name, struct spt_head *head, const struct spt_masks **masks);

/* Masks that go with an MMU, a layout and an empty value; never NULL. */
const struct spt_masks *spt_builtin_masks(enum spt_mmu mmu, enum spt_spte_layout layout,
					  __u64 empty);

/* REMOVED_SPTE or FROZEN_SPTE: a constant of KVM's source that no variable exposes. */
__u64 spt_builtin_frozen(enum spt_spte_layout layout, __u64 empty);

#endif
