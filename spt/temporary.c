// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "spt/temporary.h"

#define SPT_TEMPORARY_FLOOR (64U << 20) /* less is no burden on memory */

/* A descriptor of @len bytes that are really there: a full disk must not end in SIGBUS. */
static int unnamed_file(size_t len)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir && *dir ? dir : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 && posix_fallocate(fd, 0, len)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int spt_temporary_get(struct spt_temporary *t, size_t len, const char *name, struct spt_error *err)
{
	int fd = len >= SPT_TEMPORARY_FLOOR ? unnamed_file(len) : -1;
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;

	t->len = len ? len : 1;
	/* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
	t->at = mmap(NULL, t->len, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (fd >= 0)
		close(fd);
	if (t->at != MAP_FAILED)
		return 0;
	t->at = NULL;
	return spt_fail(err, ENOMEM, "%s: out of memory for %zu bytes", name, len);
}

void spt_temporary_put(struct spt_temporary *t)
{
	if (t->at)
		munmap(t->at, t->len);
	t->at = NULL;
}
