// SPDX-License-Identifier: GPL-2.0
/*
 * The request line: what part of an image the reader wants.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "reader.h"

static const struct spt_name spt_part_names[] = {
#define P(id, name) { SPT_PART_##id, #name },
	SPT_PARTS(P)
#undef P
};

/* Hexadecimal with 0x, else decimal: a leading zero is no octal. */
static int spt_parse_number(const char *text, u64 *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	return kstrtoull(text, hex ? 16 : 10, value) ? -EINVAL : 0;
}

static int spt_parse_range(char *text, struct spt_request *request)
{
	char *len = strchr(text, '+');
	u64 end;

	if (!len)
		return -EINVAL;
	*len++ = '\0';
	if (spt_parse_number(text, &request->start) || spt_parse_number(len, &request->len) ||
	    !request->len || check_add_overflow(request->start, request->len - 1, &end))
		return -EINVAL;
	return 0;
}

/* The part of that name, 0: there is none. */
static u32 spt_parse_part(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(spt_part_names); i++)
		if (!strcmp(spt_part_names[i].name, name))
			return spt_part_names[i].id;
	return 0;
}

static int spt_parse_parts(char *text, struct spt_request *request)
{
	char *name;

	while ((name = strsep(&text, ","))) {
		u32 part = spt_parse_part(name);

		if (!part)
			return -EINVAL;
		request->parts |= part;
	}
	return 0;
}

static int spt_parse_word(char *word, struct spt_request *request)
{
	if (!strncmp(word, "gpa=", 4) && !request->len)
		return spt_parse_range(word + 4, request);
	if (!strncmp(word, "parts=", 6) && !request->parts)
		return spt_parse_parts(word + 6, request);
	return -EINVAL;
}

int spt_request_parse(char *line, struct spt_request *request)
{
	char *rest = strim(line);
	char *word;
	int error;

	memset(request, 0, sizeof(*request));
	while ((word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		error = spt_parse_word(word, request);
		if (error)
			return error;
	}
	if (!request->parts)
		request->parts = SPT_PARTS_DEFAULT;
	if (request->parts & SPT_PART_HOST) {
		if (!request->len)
			return -EINVAL;
		if (request->len > SPT_HOST_WALK_MAX)
			return -E2BIG;
	}
	return 0;
}
