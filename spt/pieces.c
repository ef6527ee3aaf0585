// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "spt/image.h"
#include "spt/pieces.h"
#include "spt/record.h"
#include "spt/workers.h"

#define SPT_PIECES_STEP 256	    /* pieces between two looks at progress */
#define SPT_PIECES_HELD (16U << 20) /* what a shell keeps from one question to the next */

int spt_pieces_init(struct spt_pieces *p, struct spt_index *idx, const void *file, size_t file_len,
		    bool compressed)
{
	*p = (struct spt_pieces){
		.index = idx,
		.file = file,
		.file_len = file_len,
		.compressed = compressed,
	};
	if (compressed) {
		p->plain = calloc(idx->nr_pieces + 1, sizeof(*p->plain));
		p->decompressor = ZSTD_createDCtx();
	} else {
		p->checked = calloc(idx->nr_pieces / 64 + 1, sizeof(*p->checked));
	}
	if (compressed ? p->plain && p->decompressor : p->checked != NULL)
		return 0;
	spt_pieces_deinit(p);
	return -ENOMEM;
}

static void drop_plain(struct spt_pieces *p)
{
	for (uint64_t i = 0; p->held && i < p->index->nr_pieces; i++) {
		free(p->plain[i]);
		p->plain[i] = NULL;
	}
	p->held = 0;
}

void spt_pieces_deinit(struct spt_pieces *p)
{
	if (p->plain)
		drop_plain(p);
	free(p->plain);
	free(p->checked);
	ZSTD_freeDCtx(p->decompressor);
	memset(p, 0, sizeof(*p));
}

void spt_pieces_trim(struct spt_pieces *p)
{
	if (p->held > SPT_PIECES_HELD)
		drop_plain(p);
}

static bool piece_fits(const struct spt_pieces *p, const struct spt_index_piece *piece)
{
	return piece->image_len && piece->image_len % 8 == 0 && piece->image_off % 8 == 0 &&
	       piece->image_len <= SPT_INDEX_PIECE_MAX && piece->file_off <= p->file_len &&
	       piece->file_len <= p->file_len - piece->file_off &&
	       (p->compressed || piece->file_len == piece->image_len);
}

static bool sum_is_right(const struct spt_index_piece *piece, const void *bytes)
{
	return spt_image_checksum(bytes, piece->image_len / sizeof(uint64_t)) == piece->sum;
}

/* Decompress a piece to @to, which has room for its image_len bytes. */
static int expand_piece(const struct spt_pieces *p, const struct spt_index_piece *piece,
			ZSTD_DCtx *decompressor, void *to)
{
	const char *from = p->file + piece->file_off;
	size_t len;

	if (!piece_fits(p, piece) ||
	    ZSTD_getFrameContentSize(from, piece->file_len) != piece->image_len)
		return -EINVAL;
	len = ZSTD_decompressDCtx(decompressor, to, piece->image_len, from, piece->file_len);
	return len == piece->image_len && sum_is_right(piece, to) ? 0 : -EINVAL;
}

static const char *expanded(struct spt_pieces *p, const struct spt_index_piece *piece, uint64_t nr)
{
	if (p->plain[nr])
		return p->plain[nr];
	if (!piece_fits(p, piece))
		return NULL;
	p->plain[nr] = malloc(piece->image_len);
	if (!p->plain[nr])
		return NULL;
	if (expand_piece(p, piece, p->decompressor, p->plain[nr])) {
		free(p->plain[nr]);
		p->plain[nr] = NULL;
		return NULL;
	}
	p->held += piece->image_len;
	return p->plain[nr];
}

static const char *in_place(struct spt_pieces *p, const struct spt_index_piece *piece, uint64_t nr)
{
	const char *bytes = p->file + piece->file_off;

	if (p->checked[nr / 64] >> (nr % 64) & 1)
		return bytes;
	if (!piece_fits(p, piece) || piece->file_off % 8)
		return NULL;
	if (p->index->sums_known && !sum_is_right(piece, bytes))
		return NULL;
	p->checked[nr / 64] |= 1ULL << nr % 64;
	return bytes;
}

const struct spt_rec *spt_pieces_record(struct spt_pieces *p, uint64_t off)
{
	const struct spt_index_piece *piece = spt_index_piece_at(p->index, off);
	const struct spt_rec *rec;
	const char *bytes;
	uint64_t at, nr;

	if (!piece || off % 8)
		return NULL;
	nr = piece - p->index->piece;
	bytes = p->compressed ? expanded(p, piece, nr) : in_place(p, piece, nr);
	at = off - piece->image_off;
	if (!bytes || piece->image_len - at < sizeof(*rec))
		return NULL;
	rec = (const void *)(bytes + at);
	if (rec->len < sizeof(*rec) || rec->len % 8 || rec->len > piece->image_len - at)
		return NULL;
	return spt_record_check(rec) ? NULL : rec;
}

/* Expanding everything: what the threads share. */
struct expansion {
	struct spt_pieces *p;
	ZSTD_DCtx *z[SPT_WORKERS_MAX];
	char *to;
};

static int expand_one(void *arg, uint64_t nr, unsigned int thread)
{
	struct expansion *e = arg;
	const struct spt_index_piece *piece = &e->p->index->piece[nr];

	if (!e->z[thread])
		e->z[thread] = ZSTD_createDCtx();
	if (!e->z[thread])
		return -ENOMEM;
	return expand_piece(e->p, piece, e->z[thread], e->to + piece->image_off);
}

int spt_pieces_expand_all(struct spt_pieces *p, void *to, const struct spt_progress *progress)
{
	struct expansion e = { .p = p, .to = to };
	struct spt_workers workers = { .job = expand_one, .arg = &e };
	uint64_t count = p->index->nr_pieces, off = 0;
	int ret = 0;

	/* Every piece is where the one before it ends, and the blocks are sound. */
	for (uint64_t i = 0; i < p->index->nr_pieces; i++) {
		const struct spt_index_piece *piece = spt_index_piece(p->index, i);

		if (!piece || piece->image_off != off)
			return -EINVAL;
		off += piece->image_len;
	}
	if (off != p->index->image_len)
		return -EINVAL;
	for (uint64_t nr = 0; !ret && nr < count; nr += SPT_PIECES_STEP) {
		uint64_t end = nr + SPT_PIECES_STEP < count ? nr + SPT_PIECES_STEP : count;
		const struct spt_index_piece *last = &p->index->piece[end - 1];

		ret = spt_workers_run(&workers, nr, end);
		if (!ret && spt_progress_step(progress, last->image_off + last->image_len,
					      p->index->image_len))
			ret = -EINTR;
	}
	for (int i = 0; i < SPT_WORKERS_MAX; i++)
		ZSTD_freeDCtx(e.z[i]);
	return ret;
}
