// SPDX-License-Identifier: GPL-2.0
/*
 * layout-without FROM TO ID...: copies a layout blob, without what is named: a field or a symbol by
 * its id in agent/spt_layout.h (SLOT_GFN_WRITE_PROTECT, KVM_SLOTS_LOCK), as a kernel that has no
 * such thing would have it. The checksum is right again. 'layout-without --ids' prints the ids of
 * what is optional.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/spt_image.h"
#include "agent/spt_layout.h"

static const struct entry {
	const char *id, *need;
} fields[] = {
#define F(id, need, type, path) { #id, #need },
	SPT_FIELDS(F)
#undef F
}, symbols[] = {
#define S(id, need, module, name) { #id, #need },
	SPT_SYMBOLS(S)
#undef S
};

static void print_optional(const struct entry *entry, int n)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(entry[i].need, "O"))
			puts(entry[i].id);
}

static void leave_out(struct spt_layout_blob *blob, const char *id)
{
	bool found = false;

	for (int i = 0; i < SPT_F_COUNT; i++)
		if (!strcmp(fields[i].id, id)) {
			memset(&blob->field[i], 0, sizeof(blob->field[i]));
			found = true;
		}
	for (int i = 0; i < SPT_S_COUNT; i++)
		if (!strcmp(symbols[i].id, id)) {
			memset(&blob->symbol[i], 0, sizeof(blob->symbol[i]));
			found = true;
		}
	if (!found)
		errx(2, "no field and no symbol '%s'", id);
}

static void sum(struct spt_layout_blob *blob)
{
	const __u64 *word = (const __u64 *)blob;

	blob->checksum = 0;
	for (size_t i = 0; i < offsetof(struct spt_layout_blob, checksum) / sizeof(*word); i++)
		blob->checksum += spt_checksum_word(i, word[i]);
}

static bool read_blob(const char *path, struct spt_layout_blob *blob)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool whole;

	if (fd < 0)
		return false;
	whole = read(fd, blob, sizeof(*blob)) == sizeof(*blob);
	close(fd);
	return whole && blob->magic == SPT_LAYOUT_MAGIC && blob->size == sizeof(*blob);
}

static bool write_blob(const char *path, const struct spt_layout_blob *blob)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool whole;

	if (fd < 0)
		return false;
	whole = write(fd, blob, sizeof(*blob)) == sizeof(*blob);
	return !close(fd) && whole;
}

int main(int argc, char **argv)
{
	static struct spt_layout_blob blob;

	if (argc == 2 && !strcmp(argv[1], "--ids")) {
		print_optional(fields, SPT_F_COUNT);
		print_optional(symbols, SPT_S_COUNT);
		return 0;
	}
	if (argc < 4)
		errx(2, "usage: layout-without FROM TO ID...");
	if (!read_blob(argv[1], &blob))
		errx(2, "%s: no layout blob", argv[1]);
	for (int i = 3; i < argc; i++)
		leave_out(&blob, argv[i]);
	sum(&blob);
	if (!write_blob(argv[2], &blob))
		err(2, "%s", argv[2]);
	return 0;
}
