// SPDX-License-Identifier: GPL-2.0
/*
 * A raw file is the image with an index record before its end. A compressed one
 * is a zstd frame for each piece of the index, and the index behind them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "spt/index.h"
#include "spt/record.h"
#include "spt/save_file.h"
#include "spt/workers.h"

#define SPT_SAVE_LEVEL	3  /* zstd: higher ones gain nothing on page tables */
#define SPT_SAVE_WINDOW 64 /* pieces compressed between two looks at progress and Ctrl-C */
#define SPT_SAVE_STEP	(4U << 20)
#define SPT_ZSTD_SKIP	0x184d2a5fU /* RFC 8878, 3.1.2: the last of sixteen */

int spt_save_report(const struct spt_save *how, const char *path, uint64_t bytes, uint64_t total,
		    struct spt_error *err)
{
	if (how->progress && how->progress(how->arg, bytes, total))
		return spt_fail(err, EINTR, "%s: interrupted, nothing saved", path);
	return 0;
}

static uint64_t sum_at(const void *bytes, size_t len, uint64_t word)
{
	const uint64_t *w = bytes;
	uint64_t sum = 0;

	for (size_t i = 0; i < len / sizeof(*w); i++)
		sum += spt_checksum_word(word + i, w[i]);
	return sum;
}

/* Count records behind @end's, which are @word words into the image. */
static void end_add(struct spt_end *end, const char *bytes, size_t len, uint64_t word)
{
	for (size_t at = 0; at < len; at += ((const struct spt_rec *)(bytes + at))->len)
		end->records++;
	end->checksum += sum_at(bytes, len, word);
}

/* Turn the sum of what is before the end record into that record's checksum. */
static void end_seal(struct spt_end *end, uint64_t word)
{
	end->checksum += sum_at(end, offsetof(struct spt_end, checksum), word);
}

void spt_save_parts_of(struct spt_save_parts *parts, const struct spt_image *img, const void *added,
		       size_t added_len)
{
	const struct spt_rec *rec, *end = img->base, *before = NULL, *stop;
	const uint64_t *words = img->base;

	spt_image_for_each(img, rec)
	{
		if (rec->type == SPT_REC_END)
			end = rec;
		else
			before = rec;
	}
	stop = before && before->type == SPT_REC_INDEX ? before : end;
	parts->base = img->base;
	parts->len = (const char *)stop - parts->base;
	parts->added = added;
	parts->added_len = added_len;
	parts->end = img->end;
	parts->end.rec.len = sizeof(parts->end);
	parts->end.records -= 1 + (stop != end);
	/* What the checksum counts behind the first part is taken out of it again. */
	parts->end.checksum -= sum_at(
		stop, (const char *)end - (const char *)stop + offsetof(struct spt_end, checksum),
		(const uint64_t *)stop - words);
	end_add(&parts->end, added, added_len, parts->len / 8);
	parts->end.records++;
}

static int make_index(struct spt_index *idx, const struct spt_save_parts *parts, const char *name,
		      struct spt_error *err)
{
	int ret = spt_index_scan(idx, parts->base, parts->len, 0, true, NULL);

	if (!ret && parts->added_len)
		ret = spt_index_scan(idx, parts->added, parts->added_len, parts->len, true, NULL);
	if (ret)
		return spt_fail(err, -ret, "%s: cannot make an index: %s", name, strerror(-ret));
	return 0;
}

static void free_bytes(void *p)
{
	free(*(void **)p);
}

static int store_index(const struct spt_index *idx, const char *name, void **ret, size_t *len,
		       struct spt_error *err)
{
	return spt_index_store(idx, ret, len) ? spt_fail(err, ENOMEM, "%s: out of memory", name)
					      : 0;
}

static int write_all(const struct spt_beside *to, const char *bytes, size_t len,
		     const struct spt_save *how, struct spt_error *err)
{
	int ret = 0;

	for (size_t off = 0; !ret && off < len; off += SPT_SAVE_STEP) {
		size_t step = len - off < SPT_SAVE_STEP ? len - off : SPT_SAVE_STEP;

		ret = spt_beside_write(to, bytes + off, step, err);
		if (!ret)
			ret = spt_save_report(how, to->target, off + step, len, err);
	}
	return ret;
}

int spt_save_raw(const struct spt_beside *to, const struct spt_save_parts *parts, bool spooled,
		 const struct spt_save *how, struct spt_error *err)
{
	struct spt_index idx __attribute__((cleanup(spt_index_deinit))) = { 0 };
	void *index __attribute__((cleanup(free_bytes))) = NULL;
	struct spt_rec rec = { .type = SPT_REC_INDEX };
	uint64_t word = (parts->len + parts->added_len) / 8;
	struct spt_end end = parts->end;
	size_t len = 0;
	int ret;

	ret = make_index(&idx, parts, to->target, err);
	spt_index_sort(&idx);
	if (!ret)
		ret = store_index(&idx, to->target, &index, &len, err);
	if (ret)
		return ret;
	/* An index that no record can hold is left out: a reader makes its own. */
	if (len + sizeof(rec) <= UINT32_MAX) {
		rec.len = len + sizeof(rec);
		end.records++;
		end.checksum += sum_at(&rec, sizeof(rec), word) + sum_at(index, len, word + 1);
		word += rec.len / 8;
	}
	end_seal(&end, word);
	if (spooled && (ftruncate(to->fd, parts->len) || lseek(to->fd, 0, SEEK_END) < 0))
		return spt_fail(err, errno, "%s: cannot write: %s", to->target, strerror(errno));
	if (!spooled)
		ret = write_all(to, parts->base, parts->len, how, err);
	if (!ret)
		ret = spt_beside_write(to, parts->added, parts->added_len, err);
	if (!ret && rec.len)
		ret = spt_beside_write(to, &rec, sizeof(rec), err);
	if (!ret && rec.len)
		ret = spt_beside_write(to, index, len, err);
	return ret ? ret : spt_beside_write(to, &end, sizeof(end), err);
}

/* Pieces of a window being compressed. */
struct squeeze {
	const struct spt_save_parts *parts;
	const struct spt_end *end;
	struct spt_index *idx;
	ZSTD_CCtx *z[SPT_WORKERS_MAX];
	void *out[SPT_SAVE_WINDOW];
	size_t out_len[SPT_SAVE_WINDOW];
};

static void squeeze_free(struct squeeze *s)
{
	for (int i = 0; i < SPT_WORKERS_MAX; i++)
		ZSTD_freeCCtx(s->z[i]);
	for (int i = 0; i < SPT_SAVE_WINDOW; i++)
		free(s->out[i]);
}

static const void *piece_bytes(const struct squeeze *s, const struct spt_index_piece *piece)
{
	uint64_t off = piece->image_off;

	if (off < s->parts->len)
		return s->parts->base + off;
	off -= s->parts->len;
	if (off < s->parts->added_len)
		return s->parts->added + off;
	return s->end;
}

static int squeeze_piece(void *arg, uint64_t nr, unsigned int thread)
{
	struct squeeze *s = arg;
	struct spt_index_piece *piece = (struct spt_index_piece *)&s->idx->piece[nr];
	const void *bytes = piece_bytes(s, piece);
	size_t room = ZSTD_compressBound(piece->image_len), len;
	void **out = &s->out[nr % SPT_SAVE_WINDOW];

	free(*out);
	*out = malloc(room);
	if (!*out)
		return ENOMEM;
	if (!s->z[thread]) {
		s->z[thread] = ZSTD_createCCtx();
		if (!s->z[thread])
			return ENOMEM;
		ZSTD_CCtx_setParameter(s->z[thread], ZSTD_c_compressionLevel, SPT_SAVE_LEVEL);
		ZSTD_CCtx_setParameter(s->z[thread], ZSTD_c_checksumFlag, 1);
	}
	len = ZSTD_compress2(s->z[thread], *out, room, bytes, piece->image_len);
	if (ZSTD_isError(len) || len > UINT32_MAX)
		return EIO;
	piece->sum = spt_image_checksum(bytes, piece->image_len / 8);
	piece->file_len = s->out_len[nr % SPT_SAVE_WINDOW] = len;
	return 0;
}

static int write_pieces(const struct spt_beside *to, struct squeeze *s, uint64_t *at,
			const struct spt_save *how, struct spt_error *err)
{
	struct spt_workers workers = { .job = squeeze_piece, .arg = s };
	uint64_t done = 0, total = s->parts->len + s->parts->added_len;
	int ret = 0;

	for (uint64_t first = 0; !ret && first < s->idx->nr_pieces; first += SPT_SAVE_WINDOW) {
		uint64_t end = first + SPT_SAVE_WINDOW < s->idx->nr_pieces ? first + SPT_SAVE_WINDOW
									   : s->idx->nr_pieces;

		ret = spt_workers_run(&workers, first, end);
		if (ret)
			return spt_fail(err, ret, "%s: cannot compress: %s", to->target,
					strerror(ret));
		for (uint64_t i = first; !ret && i < end; i++) {
			struct spt_index_piece *piece = (struct spt_index_piece *)&s->idx->piece[i];

			piece->file_off = *at;
			*at += piece->file_len;
			done += piece->image_len;
			ret = spt_beside_write(to, s->out[i % SPT_SAVE_WINDOW], piece->file_len,
					       err);
		}
		if (!ret)
			ret = spt_save_report(how, to->target, done, total, err);
	}
	return ret;
}

/* Behind the frames, at an address that is a multiple of 8: to be used where it lies. */
static int write_index(const struct spt_beside *to, const struct spt_index *idx, uint64_t at,
		       struct spt_error *err)
{
	void *index __attribute__((cleanup(free_bytes))) = NULL;
	struct {
		uint32_t magic, len;
		uint64_t pad;
	} skip = { .magic = SPT_ZSTD_SKIP };
	size_t pad = -at & 7, len;
	int ret = store_index(idx, to->target, &index, &len, err);

	if (ret)
		return ret;
	if (len + pad > UINT32_MAX)
		return 0; /* no frame can hold it: the file is read in full */
	skip.len = len + pad;
	ret = spt_beside_write(to, &skip, 8 + pad, err);
	return ret ? ret : spt_beside_write(to, index, len, err);
}

int spt_save_compressed(const struct spt_beside *to, const struct spt_save_parts *parts,
			const struct spt_save *how, struct spt_error *err)
{
	struct spt_index idx __attribute__((cleanup(spt_index_deinit))) = { 0 };
	struct spt_end end = parts->end;
	uint64_t end_off = parts->len + parts->added_len, at = 0;
	struct squeeze s = { .parts = parts, .end = &end, .idx = &idx };
	int ret;

	end_seal(&end, end_off / 8);
	ret = spt_index_scan(&idx, parts->base, parts->len, 0, false, NULL);
	if (!ret && parts->added_len)
		ret = spt_index_scan(&idx, parts->added, parts->added_len, parts->len, false, NULL);
	/* A piece of its own: it is no neighbour of the others in memory. */
	if (!ret)
		ret = spt_index_scan(&idx, &end, sizeof(end), end_off, false, NULL);
	if (ret)
		return spt_fail(err, -ret, "%s: cannot make an index: %s", to->target,
				strerror(-ret));
	spt_index_sort(&idx);
	ret = write_pieces(to, &s, &at, how, err);
	squeeze_free(&s);
	return ret ? ret : write_index(to, &idx, at, err);
}
