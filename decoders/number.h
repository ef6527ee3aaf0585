/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers as text, put together by hand: in long lists printf would take most of the time. */
#ifndef SPT_DECODERS_NUMBER_H
#define SPT_DECODERS_NUMBER_H

#include <stdint.h>

#define SPT_NUMBER_TEXT 24 /* bytes that fit any of them, its end included */

/* Each writes to @at, ends it with 0 and returns the length. */
unsigned int spt_put_decimal(char *at, uint64_t value);
unsigned int spt_put_hex(char *at, uint64_t value, unsigned int digits); /* 0x, leading zeros */

/* A number of bytes for people: "4K", "2M", "1536K", "1G"; exact, in the largest unit that is. */
struct spt_size_text {
	char text[SPT_NUMBER_TEXT];
};
struct spt_size_text spt_size(uint64_t bytes);

#endif
