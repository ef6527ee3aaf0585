/* SPDX-License-Identifier: GPL-2.0 */
/* The error object of all user-space libraries: what failed, and what to do about it. */
#ifndef SPT_ERROR_H
#define SPT_ERROR_H

struct spt_error {
	int code;	/* positive errno; 0: no error */
	char text[256]; /* one line: file, VM, address or field, and the remedy */
};

/*
 * Describe a failure in @e (may be NULL) and return -@code, so that a function
 * that fails reads 'return spt_fail(e, ENOENT, ...)'. Newlines become spaces.
 */
int spt_fail(struct spt_error *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), cold));

#endif
