// SPDX-License-Identifier: GPL-2.0
/*
 * Seeds for fuzz_layout: blobs as the agent is given them, of stock kernels. They are kept as
 * text, fields by name, and made when the fuzzer is built: the lists of agent/spt_layout.h change.
 *
 *   layout_seeds DIR TEXT...		makes DIR with a blob of each
 *   layout_seeds --print BTF-DIR VENDOR	prints the text of a kernel's BTF
 *
 * A line is 'NAME BIT-OFFSET BIT-SIZE FLAGS ALTERNATIVE'; the first is 'vendor svm' or 'vendor
 * vmx'.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "decoders/layout.h"

static struct spt_layout layout;

static enum spt_vendor vendor_of(const char *name)
{
	return strcmp(name, "svm") ? SPT_VENDOR_VMX : SPT_VENDOR_SVM;
}

static int print_text(const char *dir, const char *vendor)
{
	if (spt_layout_from_btf(dir, vendor_of(vendor), &layout)) {
		fprintf(stderr, "layout_seeds: %s: %s%s\n", dir, layout.missing.text,
			layout.doubt.text);
		return 1;
	}
	printf("vendor %s\n", vendor);
	for (unsigned int f = 0; f < SPT_F_COUNT; f++) {
		const struct spt_layout_field *field = &layout.field[f].field;

		if (layout.field[f].state == SPT_FIELD_FOUND)
			printf("%s %u %u %u %u\n", spt_field_names[f].id, field->bit_offset,
			       field->bit_size, field->flags, field->alternative);
	}
	spt_layout_deinit(&layout);
	return 0;
}

/* False: not a line of the text. A field that is no more is left out. */
static bool take_line(const char *line, struct spt_host *host)
{
	struct spt_layout_field field;
	char name[64];

	if (sscanf(line, "vendor %63s", name) == 1) {
		host->vendor = vendor_of(name);
		return true;
	}
	if (sscanf(line, "%63s %u %u %u %u", name, &field.bit_offset, &field.bit_size, &field.flags,
		   &field.alternative) != 5)
		return false;
	for (unsigned int f = 0; f < SPT_F_COUNT; f++)
		if (!strcmp(spt_field_names[f].id, name))
			layout.field[f].field = field;
	return true;
}

static bool read_text(const char *path, struct spt_host *host)
{
	char line[160];
	FILE *f = fopen(path, "re");
	bool good = f;

	memset(&layout, 0, sizeof(layout));
	layout.source = SPT_LAYOUT_BTF;
	while (good && fgets(line, sizeof(line), f))
		good = take_line(line, host);
	if (!good)
		fprintf(stderr, "layout_seeds: %s: %s\n", path, f ? line : strerror(errno));
	if (f)
		fclose(f);
	return good;
}

static bool make_blob(const char *dir, const char *path)
{
	static struct spt_layout_blob blob;
	struct spt_kallsym symbol[SPT_S_COUNT] = { 0 };
	struct spt_host host = { .release = "1.0-seed" };
	const char *name = strrchr(path, '/');
	char out[4096];
	FILE *f;
	bool good;

	if (!read_text(path, &host))
		return false;
	for (unsigned int s = 0; s < SPT_S_COUNT; s++)
		symbol[s].address = 0xffffffff81000000ULL + s * 8;
	spt_layout_blob_fill(&layout, &host, symbol, &blob);
	snprintf(out, sizeof(out), "%s/%s", dir, name ? name + 1 : path);
	f = fopen(out, "we");
	good = f && fwrite(&blob, sizeof(blob), 1, f) == 1;
	if (f && fclose(f))
		good = false;
	if (!good)
		perror(out);
	return good;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--print"))
		return print_text(argv[2], argv[3]);
	if (argc < 3 || (mkdir(argv[1], 0755) && errno != EEXIST)) {
		fprintf(stderr, "layout_seeds: DIR TEXT...\n");
		return 1;
	}
	for (int i = 2; i < argc; i++)
		if (!make_blob(argv[1], argv[i]))
			return 1;
	printf("%d seeds\n", argc - 2);
	return 0;
}
