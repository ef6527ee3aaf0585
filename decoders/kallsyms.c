// SPDX-License-Identifier: GPL-2.0
#include "decoders/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE (256 << 10)
#define MODULES_MAX 8 /* distinct ones that are asked for */

/* Lines are 'ADDRESS TYPE NAME[\t[MODULE]]'. */
struct line {
	const char *name, *module; /* module NULL: the kernel's own */
	size_t name_len, module_len;
	uint64_t address;
};

struct search {
	const char *path;
	struct spt_kallsym *symbol;
	size_t n;
	const char *module[MODULES_MAX];
	unsigned int modules, open; /* open: modules whose lines have not ended */
	bool kernel;		    /* symbols of the kernel itself are asked for */
	int current;		    /* module of the last line, -1 none of ours */
};

static bool is_kernel(const char *module)
{
	return !strcmp(module, "vmlinux");
}

static bool equal(const char *text, const char *p, size_t len)
{
	return !strncmp(text, p, len) && !text[len];
}

static bool parse_address(const char *p, const char *end, uint64_t *ret, const char **after)
{
	const char *start = p;

	for (*ret = 0; p < end && *p != ' '; p++) {
		unsigned int c = (unsigned char)*p;
		unsigned int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;

		if (digit > 15)
			return false;
		*ret = *ret << 4 | digit;
	}
	*after = p;
	return p > start;
}

static bool parse_line(const char *p, const char *end, struct line *ret)
{
	const char *tab;

	if (!parse_address(p, end, &ret->address, &p) || end - p < 4 || p[2] != ' ')
		return false;
	ret->name = p + 3;
	tab = memchr(ret->name, '\t', (size_t)(end - ret->name));
	ret->name_len = (size_t)((tab ? tab : end) - ret->name);
	ret->module = NULL;
	if (tab && end - tab > 3 && tab[1] == '[' && end[-1] == ']') {
		ret->module = tab + 2;
		ret->module_len = (size_t)(end - 1 - ret->module);
	}
	return true;
}

/* Number of the line's module in the search, -1 for one that is not asked for. */
static int module_of(const struct search *s, const struct line *line)
{
	for (unsigned int m = 0; m < s->modules; m++)
		if (line->module ? equal(s->module[m], line->module, line->module_len)
				 : is_kernel(s->module[m]))
			return (int)m;
	return -1;
}

static int take(struct search *s, const struct line *line, const char *module, struct spt_error *e)
{
	for (size_t i = 0; i < s->n; i++) {
		struct spt_kallsym *symbol = &s->symbol[i];

		if (strcmp(symbol->module, module) ||
		    !equal(symbol->name, line->name, line->name_len))
			continue;
		if (!line->address)
			return spt_fail(e, EPERM,
					"%s: the kernel hides its addresses: be root, and "
					"'sysctl -w kernel.kptr_restrict=1' where it is 2",
					s->path);
		if (symbol->address && symbol->address != line->address)
			return spt_fail(e, ENOTUNIQ, "%s: two symbols are called %s:%s", s->path,
					module, symbol->name);
		symbol->address = line->address;
	}
	return 0;
}

/* One line, without its newline. A module's lines are together. */
static int read_line(struct search *s, const char *p, const char *end, struct spt_error *e)
{
	struct line line;
	int module;

	/* Most lines are the kernel's, and most often nothing is wanted of it. */
	if (end == p || (end[-1] != ']' && !s->kernel))
		return 0;
	if (!parse_line(p, end, &line))
		return spt_fail(e, EINVAL, "%s: a line is no symbol: %.*s", s->path,
				(int)(end - p > 64 ? 64 : end - p), p);
	module = module_of(s, &line);
	if (module != s->current && s->current >= 0)
		s->open--;
	s->current = module;
	return module < 0 ? 0 : take(s, &line, s->module[module], e);
}

/* Distinct modules of the symbols. */
static int collect_modules(struct search *s, struct spt_error *e)
{
	for (size_t i = 0; i < s->n; i++) {
		const char *module = s->symbol[i].module;
		unsigned int m = 0;

		s->symbol[i].address = 0;
		while (m < s->modules && strcmp(s->module[m], module))
			m++;
		if (m == MODULES_MAX)
			return spt_fail(e, E2BIG, "symbols of more than %d modules", MODULES_MAX);
		if (m == s->modules)
			s->module[s->modules++] = module;
		s->kernel |= is_kernel(module);
	}
	s->open = s->modules;
	return 0;
}

static int read_all(struct search *s, int fd, char *buffer, struct spt_error *e)
{
	size_t have = 0;

	while (s->open) {
		ssize_t got = read(fd, buffer + have, BUFFER_SIZE - have);
		char *p = buffer, *newline;

		if (got < 0)
			return spt_fail(e, errno, "%s: %s", s->path, strerror(errno));
		if (!got)
			return have ? read_line(s, buffer, buffer + have, e) : 0;
		have += (size_t)got;
		while ((newline = memchr(p, '\n', have - (size_t)(p - buffer)))) {
			int err = read_line(s, p, newline, e);

			if (err)
				return err;
			p = newline + 1;
		}
		have -= (size_t)(p - buffer);
		if (have == BUFFER_SIZE)
			return spt_fail(e, EINVAL, "%s: a line has no end", s->path);
		memmove(buffer, p, have);
	}
	return 0;
}

int spt_kallsyms_read(const char *path, struct spt_kallsym *symbol, size_t n, struct spt_error *e)
{
	struct search s = { .path = path, .symbol = symbol, .n = n, .current = -1 };
	int fd, err = collect_modules(&s, e);
	char *buffer;

	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return spt_fail(e, errno, "%s: %s", path, strerror(errno));
	buffer = malloc(BUFFER_SIZE);
	err = buffer ? read_all(&s, fd, buffer, e) : spt_fail(e, ENOMEM, "out of memory");
	free(buffer);
	close(fd);
	return err;
}
