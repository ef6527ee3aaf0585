/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A mirror's entries against those of the table behind it, which the hardware walks.
 *
 * KVM writes both: the external one through a callback while the mirror's is frozen, so
 * that outside a frozen entry they say the same. What the hardware itself sets (accessed,
 * dirty) and what only KVM reads (its software bits) is not compared.
 */
#ifndef SPT_EXTERNAL_H
#define SPT_EXTERNAL_H

#include "spt/model.h"

/*
 * Whether @external, at the place of the mirror's entry @spte, is what that one stands
 * for. SPT_NA: the mirror's is being changed, or the image lacks the table it names.
 * *@expected: the hardware's bits that the external entry should have, 0: not present.
 */
enum spt_known spt_external_agrees(const struct spt_model *model, const struct spt_node *mirror,
				   uint64_t spte, uint64_t external, uint64_t *expected);

/* The bits of an external entry that are compared. */
uint64_t spt_external_mask(const struct spt_format *format);

#endif
