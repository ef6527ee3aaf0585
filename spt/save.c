// SPDX-License-Identifier: GPL-2.0
/*
 * Saving: the bytes go to a file beside the one asked for as they come, so that
 * memory does not grow with the guest; what is on disk is then checked as any
 * image is, compressed from there if asked for, and only then gets its name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "spt/beside.h"
#include "spt/save.h"

#define SPT_SAVE_PIECE	 (4U << 20) /* bytes between two looks at progress and Ctrl-C */
#define SPT_SAVE_LEVEL	 3	    /* zstd: faster than most disks, and factor 5 to 50 */
#define SPT_SAVE_WORKERS 4

/* What the stream's sink needs. */
struct stream {
	const struct spt_beside *to;
	const struct spt_save *how;
	struct spt_error *err;
	uint64_t bytes;
};

static int report(const struct spt_save *how, uint64_t bytes, const char *path,
		  struct spt_error *err)
{
	if (how->progress && how->progress(how->arg, bytes))
		return spt_fail(err, EINTR, "%s: interrupted, nothing saved", path);
	return 0;
}

static int take_piece(void *arg, const void *bytes, size_t len)
{
	struct stream *s = arg;
	int ret = spt_beside_write(s->to, bytes, len, s->err);

	s->bytes += len;
	return ret ? ret : report(s->how, s->bytes, s->to->target, s->err);
}

static void free_compressor(ZSTD_CCtx **z)
{
	ZSTD_freeCCtx(*z);
}

static void free_bytes(void *p)
{
	free(*(void **)p);
}

/* One piece through the compressor into @b; the last one ends the frame. */
static int compress_piece(ZSTD_CCtx *z, const struct spt_beside *b, ZSTD_inBuffer in, bool last,
			  void *out, struct spt_error *err)
{
	size_t left;

	do {
		ZSTD_outBuffer to = { out, ZSTD_CStreamOutSize(), 0 };
		int ret;

		left = ZSTD_compressStream2(z, &to, &in, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return spt_fail(err, EIO, "%s: cannot compress: %s", b->target,
					ZSTD_getErrorName(left));
		ret = spt_beside_write(b, out, to.pos, err);
		if (ret)
			return ret;
	} while (last ? left : in.pos < in.size);
	return 0;
}

static int compress(const struct spt_beside *b, const struct spt_image *img,
		    const struct spt_save *how, struct spt_error *err)
{
	ZSTD_CCtx *z __attribute__((cleanup(free_compressor))) = ZSTD_createCCtx();
	void *out __attribute__((cleanup(free_bytes))) = malloc(ZSTD_CStreamOutSize());

	if (!z || !out)
		return spt_fail(err, ENOMEM, "%s: out of memory", b->target);
	ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, SPT_SAVE_LEVEL);
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	/* Fails where libzstd was built without threads: then there is one. */
	ZSTD_CCtx_setParameter(z, ZSTD_c_nbWorkers, SPT_SAVE_WORKERS);
	ZSTD_CCtx_setPledgedSrcSize(z, img->len);
	for (size_t off = 0; off < img->len; off += SPT_SAVE_PIECE) {
		size_t piece = img->len - off < SPT_SAVE_PIECE ? img->len - off : SPT_SAVE_PIECE;
		ZSTD_inBuffer in = { (const char *)img->base + off, piece, 0 };
		int ret = compress_piece(z, b, in, off + piece == img->len, out, err);

		if (!ret)
			ret = report(how, img->len, b->target, err);
		if (ret)
			return ret;
	}
	return 0;
}

struct mapping {
	void *at;
	size_t len;
};

static void unmap(struct mapping *map)
{
	if (map->at)
		munmap(map->at, map->len);
}

static int map_file(const struct spt_beside *b, struct mapping *map, struct spt_error *err)
{
	struct stat st;
	void *at;

	if (fstat(b->fd, &st))
		return spt_fail(err, errno, "%s: %s", b->target, strerror(errno));
	if (!st.st_size)
		return spt_fail(err, ENODATA, "%s: the source gave nothing", b->target);
	at = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, b->fd, 0);
	if (at == MAP_FAILED)
		return spt_fail(err, errno, "%s: cannot map what was written: %s", b->target,
				strerror(errno));
	map->at = at;
	map->len = st.st_size;
	return 0;
}

/* Commit @plain as it is, or what it compresses to. */
static int finish(struct spt_beside *plain, const struct spt_image *img, const struct spt_save *how,
		  struct spt_saved *ret, struct spt_error *err)
{
	struct spt_beside small __attribute__((cleanup(spt_beside_drop))) = { .fd = -1 };
	struct spt_beside *b = how->compress ? &small : plain;
	struct stat st;
	int code = 0;

	if (how->compress) {
		code = spt_beside_open(&small, plain->target, err);
		if (!code)
			code = compress(&small, img, how, err);
	}
	if (!code && fstat(b->fd, &st))
		code = spt_fail(err, errno, "%s: %s", b->target, strerror(errno));
	if (!code)
		code = spt_beside_commit(b, err);
	if (!code)
		ret->file_bytes = st.st_size;
	return code;
}

int spt_save(struct spt_source *src, const char *path, const struct spt_save *how,
	     struct spt_saved *ret, struct spt_error *err)
{
	struct spt_beside b __attribute__((cleanup(spt_beside_drop))) = { .fd = -1 };
	struct mapping map __attribute__((cleanup(unmap))) = { 0 };
	struct stream stream = { .to = &b, .how = how, .err = err };
	struct spt_saved saved = { 0 };
	struct spt_image img;
	struct stat st;
	int code;

	if (!stat(path, &st) && !S_ISREG(st.st_mode)) /* rename() would replace even /dev/null */
		return spt_fail(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
				"%s: is not a regular file", path);
	code = spt_beside_open(&b, path, err);
	if (!code)
		code = report(how, 0, path, err);
	if (!code)
		code = spt_source_stream(src, &how->req, take_piece, &stream, err);
	if (!code)
		code = map_file(&b, &map, err);
	if (!code)
		code = spt_image_open(&img, map.at, map.len, spt_source_name(src), 0, err);
	if (!code)
		code = finish(&b, &img, how, &saved, err);
	if (code || !ret)
		return code;
	*ret = saved;
	ret->bytes = img.len;
	ret->records = img.end.records;
	ret->tables = img.end.tables;
	ret->torn = img.torn;
	return 0;
}
