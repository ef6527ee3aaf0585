// SPDX-License-Identifier: GPL-2.0
#include "fake_lines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool read_more(struct fake_lines *l)
{
	ssize_t n;

	do {
		n = read(l->master, l->bytes + l->have, sizeof(l->bytes) - l->have);
		/* Nobody has it open. */
	} while (n < 0 && errno == EIO && !usleep(1000));
	if (n > 0)
		l->have += n;
	return n > 0;
}

bool fake_lines_next(struct fake_lines *l, char *line, size_t size)
{
	char *end;
	int len;

	while (!(end = memchr(l->bytes, '\n', l->have)))
		if (!read_more(l))
			return false;
	len = end + 1 - l->bytes;
	snprintf(line, size, "%.*s", len, l->bytes);
	l->have -= len;
	memmove(l->bytes, end + 1, l->have);
	return strcmp(line, "quit\n");
}
