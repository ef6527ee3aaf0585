/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses and ranges as people type them. */
#ifndef SPT_DECODERS_ADDRESS_H
#define SPT_DECODERS_ADDRESS_H

#include <stdint.h>

#include "decoders/error.h"

/*
 * A number: decimal or 0x hex, with a suffix K, M, G or T (powers of 1024).
 * @what names it in the error ("ADDR", "VALUE"). Returns 0, -EINVAL for what is
 * no number, -ERANGE for what does not fit into 64 bits.
 */
int spt_parse_address(const char *text, const char *what, uint64_t *address, struct spt_error *e);

/*
 * START+LEN, START-END (END is the first address behind it) or ADDR alone, which
 * is the 4K page that holds it. @len is never 0; the last byte may be the last
 * of the 64-bit space. Errors as above; -EINVAL also for an empty range.
 */
int spt_parse_range(const char *text, uint64_t *start, uint64_t *len, struct spt_error *e);

#endif
