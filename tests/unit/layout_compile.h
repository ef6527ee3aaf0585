/* SPDX-License-Identifier: GPL-2.0 */
/* Objects with debug information, made by the compiler and pahole while a test runs. */
#ifndef LAYOUT_COMPILE_H
#define LAYOUT_COMPILE_H

#include <stdbool.h>

/* A fresh directory for this program's files, removed at its end. */
const char *layout_dir(void);

/* Path of @name in it; valid until the eighth next call. */
const char *layout_path(const char *name);

/* Run a shell command in the directory; a failure fails the test. $SRC is tests/unit. */
void layout_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Whether @program can be run, for tests to skip what needs it. */
bool layout_have(const char *program);

/* Overwrite, cut or read files of the directory. */
void layout_write(const char *name, const void *bytes, unsigned long size);
unsigned char *layout_read(const char *name, unsigned long *size);

#endif
