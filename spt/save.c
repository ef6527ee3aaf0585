// SPDX-License-Identifier: GPL-2.0
/*
 * Saving: the image goes to a file beside the one asked for, is checked there,
 * synced, and takes its name only when all of that went well.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "spt/save.h"

#define SPT_SAVE_PIECE	(4U << 20)	/* bytes between two looks at progress and Ctrl-C */
#define SPT_SAVE_LEVEL	3		/* zstd: faster than most disks, and factor 5 to 50 */
#define SPT_SAVE_WORKERS 4

/* The file beside; removed unless it was renamed. */
struct beside {
	char path[4096];
	const char *target;
	int fd;
};

static void drop_beside(struct beside *b)
{
	if (b->fd < 0)
		return;
	close(b->fd);
	unlink(b->path);
}

static int open_beside(struct beside *b, const char *path, struct spt_error *err)
{
	b->target = path;
	b->fd = -1;
	if (snprintf(b->path, sizeof(b->path), "%s.XXXXXX", path) >= (int)sizeof(b->path))
		return spt_fail(err, ENAMETOOLONG, "%s: name too long", path);
	b->fd = mkostemp(b->path, O_CLOEXEC);
	if (b->fd < 0)
		return spt_fail(err, errno, "%s: cannot create: %s", b->path, strerror(errno));
	return 0;
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

static int commit_beside(struct beside *b, struct spt_error *err)
{
	mode_t mask = umask(0);

	umask(mask);
	/* As any new file: mkostemp() alone would leave 0600. */
	if (fchmod(b->fd, 0666 & ~mask) || fsync(b->fd))
		return spt_fail(err, errno, "%s: cannot write: %s", b->path, strerror(errno));
	if (rename(b->path, b->target))
		return spt_fail(err, errno, "%s: cannot rename to %s: %s", b->path, b->target,
				strerror(errno));
	close(b->fd);
	b->fd = -1;
	sync_directory(b->target);
	return 0;
}

static int write_all(const struct beside *b, const void *bytes, size_t len, struct spt_error *err)
{
	const char *p = bytes;

	while (len) {
		ssize_t n = write(b->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return spt_fail(err, n ? errno : EIO, "%s: cannot write: %s", b->target,
					n ? strerror(errno) : "nothing was written");
		p += n;
		len -= n;
	}
	return 0;
}

static int report(const struct spt_save *how, uint64_t bytes, const char *path,
		  struct spt_error *err)
{
	if (how->progress && how->progress(how->arg, bytes))
		return spt_fail(err, EINTR, "%s: interrupted, nothing saved", path);
	return 0;
}

static int write_plain(const struct beside *b, const struct spt_image *img,
		       const struct spt_save *how, struct spt_error *err)
{
	for (size_t off = 0; off < img->len; off += SPT_SAVE_PIECE) {
		size_t piece = img->len - off < SPT_SAVE_PIECE ? img->len - off : SPT_SAVE_PIECE;
		int ret = write_all(b, (const char *)img->base + off, piece, err);

		if (!ret)
			ret = report(how, off + piece, b->target, err);
		if (ret)
			return ret;
	}
	return 0;
}

static void free_stream(ZSTD_CCtx **z)
{
	ZSTD_freeCCtx(*z);
}

static void free_bytes(void *p)
{
	free(*(void **)p);
}

static int write_compressed(const struct beside *b, const struct spt_image *img,
			    const struct spt_save *how, struct spt_error *err)
{
	ZSTD_CCtx *z __attribute__((cleanup(free_stream))) = ZSTD_createCCtx();
	size_t room = ZSTD_CStreamOutSize();
	void *out __attribute__((cleanup(free_bytes))) = malloc(room);
	size_t off = 0, left;

	if (!z || !out)
		return spt_fail(err, ENOMEM, "%s: out of memory", b->target);
	ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, SPT_SAVE_LEVEL);
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	/* Fails where libzstd was built without threads: then there is one. */
	ZSTD_CCtx_setParameter(z, ZSTD_c_nbWorkers, SPT_SAVE_WORKERS);
	ZSTD_CCtx_setPledgedSrcSize(z, img->len);
	do {
		size_t piece = img->len - off < SPT_SAVE_PIECE ? img->len - off : SPT_SAVE_PIECE;
		bool last = off + piece == img->len;
		ZSTD_inBuffer in = { (const char *)img->base + off, piece, 0 };
		int ret = 0;

		do {
			ZSTD_outBuffer to = { out, room, 0 };

			left = ZSTD_compressStream2(z, &to, &in, last ? ZSTD_e_end : ZSTD_e_continue);
			if (ZSTD_isError(left))
				return spt_fail(err, EIO, "%s: cannot compress: %s", b->target,
						ZSTD_getErrorName(left));
			ret = write_all(b, out, to.pos, err);
		} while (!ret && (last ? left : in.pos < in.size));
		off += piece;
		if (!ret)
			ret = report(how, off, b->target, err);
		if (ret)
			return ret;
	} while (off < img->len);
	return 0;
}

int spt_save(struct spt_source *src, const char *path, const struct spt_save *how,
	     struct spt_saved *ret, struct spt_error *err)
{
	struct beside b __attribute__((cleanup(drop_beside))) = { .fd = -1 };
	struct spt_image img;
	struct stat st;
	int code;

	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return spt_fail(err, EISDIR, "%s: is a directory", path);
	code = open_beside(&b, path, err);
	if (!code)
		code = report(how, 0, path, err);
	if (!code)
		code = spt_source_read(src, &how->req, 0, &img, err);
	if (!code)
		code = how->compress ? write_compressed(&b, &img, how, err) :
				       write_plain(&b, &img, how, err);
	if (!code && fstat(b.fd, &st))
		code = spt_fail(err, errno, "%s: %s", path, strerror(errno));
	if (!code)
		code = commit_beside(&b, err);
	if (code || !ret)
		return code;
	*ret = (struct spt_saved){
		.bytes = img.len,
		.file_bytes = st.st_size,
		.records = img.end.records,
		.tables = img.end.tables,
		.torn = img.torn,
	};
	return 0;
}
