// SPDX-License-Identifier: GPL-2.0
#include "layout_compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[64];

static void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		fprintf(stderr, "%s is left behind\n", dir);
}

const char *layout_dir(void)
{
	if (!*dir) {
		strcpy(dir, "/tmp/spt-layout-XXXXXX");
		assert_non_null(mkdtemp(dir));
		atexit(remove_dir);
	}
	return dir;
}

const char *layout_path(const char *name)
{
	static char paths[8][256];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", layout_dir(), name);
	return path;
}

void layout_run(const char *fmt, ...)
{
	char line[1024], command[1280];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "SRC=" LAYOUT_SOURCES "; cd %s && { %s; }", layout_dir(),
		 line);
	if (system(command))
		fail_msg("failed: %s", command);
}

bool layout_have(const char *program)
{
	char command[128];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", program);
	return !system(command);
}

void layout_write(const char *name, const void *bytes, unsigned long size)
{
	FILE *file = fopen(layout_path(name), "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

unsigned char *layout_read(const char *name, unsigned long *size)
{
	FILE *file = fopen(layout_path(name), "re");
	unsigned char *bytes;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*size = (unsigned long)ftell(file);
	rewind(file);
	bytes = malloc(*size + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, *size, file), *size);
	fclose(file);
	return bytes;
}
