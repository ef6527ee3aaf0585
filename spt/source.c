// SPDX-License-Identifier: GPL-2.0
/* Sources of images: an open VM, a file, memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spt/compressed.h"
#include "spt/narrow.h"
#include "spt/source.h"
#include "spt/source_live.h"
#include "spt/temporary.h"

/* Where the first read goes: a point query fits, so that it costs one read. */
#define SPT_FIRST_READ	 (256U << 10)
#define SPT_STREAM_PIECE (1U << 20)

/* Up to here reading a file in full costs nothing, and all of it is checked. */
#define SPT_NARROW_FLOOR (4U << 20)
/* A raw file that has no index gets one where making it is cheaper than reading all. */
#define SPT_SCAN_FLOOR (64U << 20)

enum indexed { SPT_INDEX_UNTRIED, SPT_INDEX_NONE, SPT_INDEX_USED };

struct spt_source {
	int fd; /* live: the VM's image file; else -1 */
	char *name;
	char *bytes; /* live: the last image; else all of it */
	size_t len;  /* bytes that are valid */
	size_t room; /* bytes allocated or mapped */
	bool mapped;
	bool compressed; /* bytes are still compressed */

	/* File: what a narrower request is answered with. */
	enum indexed indexed;
	struct spt_index index;
	struct spt_pieces pieces;
	void *answer; /* the last one */

	struct spt_progress progress;
};

void spt_source_set_progress(struct spt_source *src,
			     int (*progress)(void *arg, uint64_t done, uint64_t total), void *arg)
{
	src->progress.step = progress;
	src->progress.arg = arg;
}

bool spt_source_is_live(const struct spt_source *src)
{
	return src->fd >= 0;
}

const char *spt_source_name(const struct spt_source *src)
{
	return src->name;
}

static void release_index(struct spt_source *src)
{
	if (src->indexed == SPT_INDEX_USED)
		spt_pieces_deinit(&src->pieces);
	spt_index_deinit(&src->index);
	src->indexed = SPT_INDEX_UNTRIED;
}

static void release_bytes(struct spt_source *src)
{
	release_index(src);
	if (src->mapped)
		munmap(src->bytes, src->room);
	else
		free(src->bytes);
	src->bytes = NULL;
	src->len = src->room = 0;
	src->mapped = src->compressed = false;
}

void spt_source_close(struct spt_source *src)
{
	if (!src)
		return;
	release_bytes(src);
	if (src->fd >= 0)
		close(src->fd);
	free(src->answer);
	free(src->name);
	free(src);
}

/* The source's progress, in work of several parts: @before are done, @behind come later. */
static struct spt_progress part_of(const struct spt_source *src, unsigned int before,
				   unsigned int behind)
{
	return (struct spt_progress){ src->progress.step, src->progress.arg, before, behind };
}

static void free_piece(char **piece)
{
	free(*piece);
}

static void close_source(struct spt_source **src)
{
	spt_source_close(*src);
}

static struct spt_source *new_source(const char *name)
{
	struct spt_source *src = calloc(1, sizeof(*src));

	if (!src)
		return NULL;
	src->fd = -1;
	src->name = strdup(name);
	if (!src->name) {
		free(src);
		return NULL;
	}
	return src;
}

static int make_room(struct spt_source *src, struct spt_error *err)
{
	size_t room = src->room ? src->room * 2 : SPT_FIRST_READ;
	char *more = realloc(src->bytes, room);

	if (!more)
		return spt_fail(err, ENOMEM, "%s: out of memory for an image of %zu bytes and more",
				src->name, src->len);
	src->bytes = more;
	src->room = room;
	return 0;
}

/*
 * Whether the bytes end with an END record. One that looks so by chance is found
 * out by the checks; a longer END record of a later agent only costs a read().
 */
static bool ends_with_end(const void *bytes, size_t len)
{
	struct spt_rec rec;

	if (len < sizeof(struct spt_end))
		return false;
	memcpy(&rec, (const char *)bytes + len - sizeof(struct spt_end), sizeof(rec));
	return rec.type == SPT_REC_END && rec.len == sizeof(struct spt_end);
}

/* Read @fd to its end into src->bytes. @image: an END record is the end, too. */
static int read_all(struct spt_source *src, int fd, bool image, struct spt_error *err)
{
	src->len = 0;
	for (;;) {
		if (src->room - src->len < 4096) {
			int ret = make_room(src, err);

			if (ret)
				return ret;
		}

		size_t want = src->room - src->len;
		ssize_t n = read(fd, src->bytes + src->len, want);

		bool interrupted = n < 0 && errno == EINTR;

		if (n < 0 && !interrupted)
			return image ? spt_live_fail(src->name, errno, err)
				     : spt_fail(err, errno, "%s: cannot read: %s", src->name,
						strerror(errno));
		src->len += interrupted ? 0 : n;
		if (spt_progress_step(&src->progress, src->len, 0))
			return spt_fail(err, EINTR, "%s: interrupted", src->name);
		if (interrupted)
			continue;
		if (!n || (image && (size_t)n < want && ends_with_end(src->bytes, src->len)))
			return 0;
	}
}

/* A file may be mapped; what has no size (pipes, debugfs) is read. */
static int load_file(struct spt_source *src, int fd, struct spt_error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return spt_fail(err, errno, "%s: %s", src->name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return spt_fail(err, EISDIR, "%s: is a directory, not an image", src->name);
	if (S_ISREG(st.st_mode) && st.st_size > 0) {
		void *map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		if (map != MAP_FAILED) {
			src->bytes = map;
			src->len = src->room = st.st_size;
			src->mapped = true;
			return 0;
		}
	}
	return read_all(src, fd, false, err);
}

int spt_source_open_file(const char *path, struct spt_source **ret, struct spt_error *err)
{
	struct spt_source *src __attribute__((cleanup(close_source))) = new_source(path);
	int fd, failed;

	if (!src)
		return spt_fail(err, ENOMEM, "%s: out of memory", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return spt_fail(err, errno, "%s: %s", path, strerror(errno));
	failed = load_file(src, fd, err);
	close(fd);
	if (failed)
		return failed;
	src->compressed = spt_zstd_recognise(src->bytes, src->len);
	*ret = src;
	src = NULL;
	return 0;
}

int spt_source_open_memory(const void *bytes, size_t len, const char *name, struct spt_source **ret,
			   struct spt_error *err)
{
	struct spt_source *src __attribute__((cleanup(close_source))) = new_source(name);

	if (!src)
		return spt_fail(err, ENOMEM, "%s: out of memory", name);
	src->bytes = malloc(len ? len : 1);
	if (!src->bytes)
		return spt_fail(err, ENOMEM, "%s: out of memory", name);
	memcpy(src->bytes, bytes, len);
	src->len = src->room = len;
	src->compressed = spt_zstd_recognise(bytes, len);
	*ret = src;
	src = NULL;
	return 0;
}

int spt_source_open_vm(const char *id, struct spt_source **ret, struct spt_error *err)
{
	struct spt_source *src __attribute__((cleanup(close_source))) = new_source(id);

	if (!src)
		return spt_fail(err, ENOMEM, "VM %s: out of memory", id);
	src->fd = spt_live_open(id, err);
	if (src->fd < 0)
		return src->fd;
	*ret = src;
	src = NULL;
	return 0;
}

/* The index at the file's end; a raw one is a record, with only the end record behind it. */
static int open_stored_index(struct spt_source *src, const struct spt_rec **end)
{
	size_t len = src->len, begin;
	struct spt_rec rec;
	int ret;

	*end = NULL;
	if (src->compressed)
		return spt_index_open(&src->index, src->bytes, len, &begin);
	if (!ends_with_end(src->bytes, len))
		return -ENOENT;
	len -= sizeof(struct spt_end);
	*end = (const void *)(src->bytes + len);
	ret = spt_index_open(&src->index, src->bytes, len, &begin);
	if (ret)
		return ret;
	memcpy(&rec, src->bytes + begin - sizeof(rec), sizeof(rec));
	if (begin >= sizeof(rec) && rec.type == SPT_REC_INDEX &&
	    rec.len == len - begin + sizeof(rec) && src->index.image_len == begin - sizeof(rec))
		return 0;
	spt_index_deinit(&src->index);
	return -EINVAL;
}

/* Make the file ready for narrower requests; false: it is read in full. */
static bool use_index(struct spt_source *src)
{
	const struct spt_rec *end = NULL;

	if (src->indexed != SPT_INDEX_UNTRIED)
		return src->indexed == SPT_INDEX_USED;
	src->indexed = SPT_INDEX_NONE;
	if (src->len % 8 && !src->compressed)
		return false;
	if (open_stored_index(src, &end)) {
		int ret = -ENOENT;

		end = NULL;
		if (!src->compressed && src->len >= SPT_SCAN_FLOOR)
			ret = spt_index_scan(&src->index, src->bytes, src->len, 0, false,
					     &src->progress);
		if (ret == -EINTR) /* which the plain way will see, too */
			src->indexed = SPT_INDEX_UNTRIED;
		if (ret) {
			spt_index_deinit(&src->index);
			return false;
		}
		spt_index_sort(&src->index);
	}
	if (src->index.image_len < SPT_NARROW_FLOOR ||
	    spt_pieces_init(&src->pieces, &src->index, src->bytes, src->len, src->compressed)) {
		spt_index_deinit(&src->index);
		return false;
	}
	src->pieces.end = end;
	src->indexed = SPT_INDEX_USED;
	return true;
}

/* Every frame of the index, into a file without a name that is then what is read. */
static int expand_indexed(struct spt_source *src, struct spt_error *err)
{
	struct spt_progress progress = part_of(src, 0, 1);
	struct spt_temporary temporary;
	int ret;

	if (src->index.image_len > spt_zstd_limit(src->len))
		return -EINVAL;
	ret = spt_temporary_get(&temporary, src->index.image_len, src->name, err);

	if (ret)
		return ret;
	ret = spt_pieces_expand_all(&src->pieces, temporary.at, &progress);
	if (ret) {
		spt_temporary_put(&temporary);
		return ret;
	}
	release_bytes(src);
	src->bytes = temporary.at;
	src->len = src->room = temporary.len;
	src->mapped = true;
	return 0;
}

/* A compressed file's image, which is then to be checked: half of the work. */
static int expand(struct spt_source *src, bool partial, struct spt_error *err)
{
	struct spt_progress progress = part_of(src, 0, 1);
	void *plain;
	size_t len;
	int ret;

	/* What the index cannot give, damage for instance, is said by the plain way. */
	if (!partial && use_index(src)) {
		ret = expand_indexed(src, NULL);
		if (ret == -EINTR)
			return spt_fail(err, EINTR, "%s: interrupted", src->name);
		if (!ret)
			return 0;
	}
	ret = spt_zstd_expand(src->bytes, src->len, src->name, partial, &progress, &plain, &len,
			      err);
	if (ret)
		return ret;
	release_bytes(src);
	src->bytes = plain;
	src->len = src->room = len;
	return 0;
}

/* A live image without keeping it. What ends it may arrive in two pieces: keep a tail. */
static int stream_live(struct spt_source *src,
		       int (*sink)(void *arg, const void *bytes, size_t len), void *arg,
		       struct spt_error *err)
{
	const size_t tail = sizeof(struct spt_end), room = SPT_STREAM_PIECE;
	char *piece __attribute__((cleanup(free_piece))) = malloc(tail + room);
	size_t kept = 0;

	if (!piece)
		return spt_fail(err, ENOMEM, "VM %s: out of memory", src->name);
	for (;;) {
		ssize_t n = read(src->fd, piece + kept, room);
		bool interrupted = n < 0 && errno == EINTR;
		int ret;

		if (n < 0 && !interrupted)
			return spt_live_fail(src->name, errno, err);
		ret = sink(arg, piece + kept, interrupted ? 0 : n);
		if (ret || !n)
			return ret;
		if (interrupted)
			continue;
		kept += n;
		if ((size_t)n < room && ends_with_end(piece, kept))
			return 0;
		if (kept > tail) {
			memmove(piece, piece + kept - tail, tail);
			kept = tail;
		}
	}
}

int spt_source_stream(struct spt_source *src, const struct spt_request *req,
		      int (*sink)(void *arg, const void *bytes, size_t len), void *arg,
		      struct spt_error *err)
{
	int ret = 0;

	if (src->fd >= 0) {
		ret = spt_live_request(src->fd, src->name, req, err);
		return ret ? ret : stream_live(src, sink, arg, err);
	}
	if (src->compressed)
		ret = expand(src, false, err);
	for (size_t off = 0; !ret && off < src->len; off += SPT_STREAM_PIECE)
		ret = sink(arg, src->bytes + off,
			   src->len - off < SPT_STREAM_PIECE ? src->len - off : SPT_STREAM_PIECE);
	return ret;
}

/* A file's answer to a narrower request; false: all of it is the answer. */
static bool read_narrowed(struct spt_source *src, const struct spt_request *req, unsigned int flags,
			  struct spt_image *img)
{
	void *answer;
	size_t len;

	if (flags & SPT_IMAGE_SALVAGE || !spt_narrow_pays(req) || !use_index(src) ||
	    spt_narrow(&src->pieces, req, &answer, &len))
		return false;
	free(src->answer);
	src->answer = answer;
	return !spt_image_open(img, answer, len, src->name, SPT_IMAGE_TRUST, NULL);
}

int spt_source_read(struct spt_source *src, const struct spt_request *req, unsigned int flags,
		    struct spt_image *img, struct spt_error *err)
{
	struct spt_progress progress = src->progress;
	int ret = 0;

	if (src->fd < 0 && read_narrowed(src, req, flags, img))
		return 0;
	if (src->fd >= 0) {
		ret = spt_live_request(src->fd, src->name, req, err);
		if (!ret)
			ret = read_all(src, src->fd, true, err);
	} else if (src->compressed) {
		ret = expand(src, flags & SPT_IMAGE_SALVAGE, err);
		progress = part_of(src, 1, 0);
	}
	if (ret)
		return ret;
	if (!src->len)
		return src->fd >= 0
			       ? spt_live_fail(src->name, ENODATA, err)
			       : spt_fail(err, EINVAL, "%s: empty file, not an image", src->name);
	return spt_image_open_slow(img, src->bytes, src->len, src->name, flags, &progress, err);
}
