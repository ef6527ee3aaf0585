/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An image of a VM in this program's memory, read as the agent reads one: every member by the
 * place that a layout says. Knows none of the structures.
 */
#ifndef TESTS_OLD_READER_H
#define TESTS_OLD_READER_H

#include "decoders/layout.h"
#include "tests/unit/mkimage.h"

/* @hpa_of gives the HPA of page table memory, ~0 for what is none. Free with mkimage_free(). */
struct mkimage *old_read(const struct spt_layout *layout, const void *kvm,
			 uint64_t (*hpa_of)(const void *va));

#endif
