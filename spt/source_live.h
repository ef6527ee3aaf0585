/* SPDX-License-Identifier: GPL-2.0 */
/* The agent's side of a source: opening a VM, asking, and saying what went wrong. */
#ifndef SPT_SOURCE_LIVE_H
#define SPT_SOURCE_LIVE_H

#include "spt/source.h"

/* Descriptor of the VM's image file, or -errno with the remedy in the text. */
int spt_live_open(const char *id, struct spt_error *err);

/* Write the request line. */
int spt_live_request(int fd, const char *id, const struct spt_request *req, struct spt_error *err);

/* Value of @key in the agent's status; false: no such file, or no such line. */
bool spt_live_status(const char *key, char *ret, size_t size);

/* Bytes that the longest request line has: every part, two numbers, their keys. */
#define SPT_REQUEST_LINE 160

/* "gpa=START+LEN parts=..." into @line, SPT_REQUEST_LINE bytes; returns its length. */
int spt_live_request_line(const struct spt_request *req, char *line);

/* Explain errno @code of an operation on the VM's image file; returns -@code. */
int spt_live_fail(const char *id, int code, struct spt_error *err);

#endif
