/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SPT_TESTS_GOLDEN_L2_H
#define SPT_TESTS_GOLDEN_L2_H

#include "tests/unit/mkimage.h"

/* Registers of vCPUs 0 and 1, of which the first is in L2, and events of a VM with these roots, as
 * records. */
void golden_l2(struct mkimage *mk, uint64_t direct, uint64_t nested);

#endif
