// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spt/beside.h"

static int failed(const char *target, const char *what, struct spt_error *err)
{
	int code = errno;

	return spt_fail(err, code, "%s: cannot %s: %s", target, what, strerror(code));
}

int spt_beside_open(struct spt_beside *b, const char *target, struct spt_error *err)
{
	char copy[sizeof(b->path)];

	b->target = target;
	b->fd = -1;
	b->path[0] = 0;
	if (snprintf(copy, sizeof(copy), "%s.XXXXXX", target) >= (int)sizeof(copy))
		return spt_fail(err, ENAMETOOLONG, "%s: name too long", target);

	/* Without a name nothing is left even if the process is killed. */
	b->fd = open(dirname(copy), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	if (b->fd >= 0)
		return 0;
	snprintf(b->path, sizeof(b->path), "%s.XXXXXX", target);
	b->fd = mkostemp(b->path, O_CLOEXEC);
	if (b->fd >= 0)
		return 0;
	b->path[0] = 0;
	return failed(target, "create", err);
}

int spt_beside_write(const struct spt_beside *b, const void *bytes, size_t len,
		     struct spt_error *err)
{
	const char *p = bytes;

	while (len) {
		ssize_t n = write(b->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(b->target, "write", err);
		p += n;
		len -= n;
	}
	return 0;
}

/* Give a file without a name one, beside its target: a link replaces nothing. */
static int name_it(struct spt_beside *b)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", b->fd);
	for (unsigned int tries = 0; tries < 100; tries++) {
		snprintf(b->path, sizeof(b->path), "%s.%d-%u", b->target, (int)getpid(), tries);
		if (!linkat(AT_FDCWD, self, AT_FDCWD, b->path, AT_SYMLINK_FOLLOW))
			return 0;
		if (errno != EEXIST)
			break;
	}
	b->path[0] = 0;
	return -1;
}

/* A rename is on disk when its directory is; not every file system can say so. */
static void sync_directory(const char *path)
{
	char copy[4096];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

int spt_beside_commit(struct spt_beside *b, struct spt_error *err)
{
	mode_t mask = umask(0);

	umask(mask);
	/* As any new file: mkostemp() alone would leave 0600. */
	if (fchmod(b->fd, 0666 & ~mask) || fsync(b->fd))
		return failed(b->target, "write", err);
	if (!b->path[0] && name_it(b))
		return failed(b->target, "name", err);
	if (rename(b->path, b->target))
		return failed(b->target, "rename", err);
	close(b->fd);
	b->fd = -1;
	sync_directory(b->target);
	return 0;
}

void spt_beside_drop(struct spt_beside *b)
{
	if (b->fd < 0)
		return;
	close(b->fd);
	b->fd = -1;
	if (b->path[0])
		unlink(b->path);
}
