// SPDX-License-Identifier: GPL-2.0
/*
 * Lines that nobody would type, through the parser of the shell and of scripts,
 * and on to the commands, which look at a synthetic image. Commands that would
 * touch this machine are parsed and not run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/complete.h"
#include "cli/run.h"
#include "cli/target.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/mkimage.h"

/* Lines longer than that find nothing that shorter ones do not. */
#define MAX_LINE 4096

static const char *const outside[] = { "agent", "layout", "save", "use", "vms", "watch" };

static int parsed_only(struct cli *cli, const struct cli_call *call)
{
	return 0;
}

/* The linker sends the parser's calls of cli_find_command() here (--wrap). */
const struct cli_command *__wrap_cli_find_command(const char *name);
const struct cli_command *__real_cli_find_command(const char *name);

const struct cli_command *__wrap_cli_find_command(const char *name)
{
	const struct cli_command *found = __real_cli_find_command(name);
	static struct cli_command harmless;

	for (size_t i = 0; found && i < sizeof(outside) / sizeof(outside[0]); i++) {
		if (strcmp(found->name, outside[i]))
			continue;
		harmless = *found;
		harmless.run = parsed_only;
		return &harmless;
	}
	return found;
}

static char image[] = "/tmp/fuzz-command.XXXXXX";

static void remove_image(void)
{
	unlink(image);
}

static void make_image(void)
{
	struct mkimage *mk = mkimage_new("npt-6.12");
	unsigned int root = mkimage_tdp_root(mk, 4);
	size_t len;
	uint8_t *bytes;
	int fd = mkstemp(image);

	mkimage_vm(mk, SPT_VM_GENERATION_0, 6);
	mkimage_vcpu_value(mk, mkimage_vcpu(mk), SPT_VCPU_ROOT_HPA, mkimage_table_hpa(mk, root));
	mkimage_slot(mk, 0, 0, 0, 4 * MK_MB, 0x7f0000000000);
	mkimage_map(mk, root, 0x3000, 1, mkimage_leaf(mk, 0x5000000, 1, "rw"));
	mkimage_map(mk, root, 0x200000, 2, mkimage_leaf(mk, 0x40000000, 2, "rwx"));
	mkimage_map(mk, root, 0xfee00000, 1, mkimage_mmio(mk, 0xfee00000, 6));
	bytes = mkimage_finish(mk, &len);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd)) {
		perror(image);
		abort();
	}
	mkimage_free(mk);
	atexit(remove_image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct cli cli;
	size_t start;
	char **words, *line;
	bool file;

	if (len > MAX_LINE)
		return 0;
	if (!cli.out) {
		make_image();
		cli.out = fopen("/dev/null", "we");
		if (!cli.out)
			abort();
	}
	line = strndup((const char *)bytes, len);
	if (!line)
		return 0;
	len = strlen(line);
	for (start = len; start && line[start - 1] != ' '; start--)
		;
	words = cli_complete(NULL, line, start, len, &file);
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
	cli.opt = (struct cli_globals){ .image = image };
	cli.shell = true;
	cli_run_line(&cli, line, "fuzz");
	cli_target_close(&cli);
	free(line);
	return 0;
}
