/* SPDX-License-Identifier: GPL-2.0 */
/* x86 instructions as text, by libcapstone, which is loaded when the first one is asked for. */
#ifndef SPT_INSTRUCTION_H
#define SPT_INSTRUCTION_H

#include <stddef.h>
#include <stdint.h>

#define SPT_INSTRUCTION_TEXT 192 /* bytes that hold any of them */

/*
 * The instruction at @address, of code of @bits (16, 32 or 64) a segment, as in
 * "mov qword ptr [rdi], rsi". Returns its length in bytes, 0 when the bytes are
 * none or end too early, -EINVAL for other bits, -ELIBACC without the library; *text
 * is then "".
 */
int spt_instruction_text(const uint8_t *bytes, size_t len, uint64_t address, unsigned int bits,
			 char text[SPT_INSTRUCTION_TEXT]);

#endif
