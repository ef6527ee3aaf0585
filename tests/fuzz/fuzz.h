/* SPDX-License-Identifier: GPL-2.0 */
/* What the harnesses share. Each is one reader of bytes that nobody vouches for. */
#ifndef SPT_FUZZ_H
#define SPT_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * Use the bytes in every way that the tool would. libFuzzer calls it, or replay.c
 * with the files of a corpus. Returns 0.
 */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A path under which the bytes can be opened as a file, until the next call. */
const char *fuzz_file(const uint8_t *bytes, size_t len);

#endif
