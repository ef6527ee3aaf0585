// SPDX-License-Identifier: GPL-2.0
/* Making an index: one pass over the heads of the records. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spt/image.h"
#include "spt/index.h"
#include "spt/record.h"

/* One record costs the decompression of a piece: larger ones hardly shrink better. */
#define SPT_PIECE_BYTES (128U << 10)
#define SPT_RUN_BYTES	(64U << 10)
#define LOOK_EVERY	(4U << 20) /* bytes between two looks at progress */

/* Room for one more element at the end of *@array. */
static void *grow(void *array, uint64_t count, uint64_t *room, size_t size)
{
	void **p = array;
	void *more;

	if (count < *room)
		return (char *)*p + count * size;
	more = realloc(*p, (*room * 2 + 64) * size);
	if (!more)
		return NULL;
	*room = *room * 2 + 64;
	*p = more;
	return (char *)more + count * size;
}

/* Slots are kept apart: what follows one belongs to it. */
static bool joins(const struct spt_index_run *run, uint32_t type, uint64_t off, uint32_t len)
{
	return run->type == type && type != SPT_REC_SLOT && run->off + run->len == off &&
	       (uint64_t)run->len + len <= SPT_RUN_BYTES;
}

static int add_run(struct spt_index *idx, const struct spt_rec *rec, uint32_t type, uint64_t off)
{
	struct spt_index_run *last =
		idx->nr_runs ? (struct spt_index_run *)&idx->run[idx->nr_runs - 1] : NULL;
	struct spt_gfns gfns = spt_record_gfns(rec);

	if (last && joins(last, type, off, rec->len)) {
		last->len += rec->len;
		if (gfns.first < last->first_gfn)
			last->first_gfn = gfns.first;
		if (gfns.last > last->last_gfn)
			last->last_gfn = gfns.last;
		return 0;
	}
	last = grow(&idx->run, idx->nr_runs, &idx->room_runs, sizeof(*last));
	if (!last)
		return -ENOMEM;
	*last = (struct spt_index_run){ off, rec->len, type, gfns.first, gfns.last };
	idx->nr_runs++;
	return 0;
}

static int add_table(struct spt_index *idx, uint64_t hpa, uint64_t off)
{
	struct spt_index_table *table =
		grow(&idx->table, idx->nr_tables, &idx->room_tables, sizeof(*table));

	if (!table)
		return -ENOMEM;
	*table = (struct spt_index_table){ hpa, off };
	idx->nr_tables++;
	return 0;
}

/* Whether a table is found from one above it and by its gfn, and from nowhere else. */
static bool hangs(const struct spt_index *idx, const struct spt_table *table)
{
	if (table->root)
		return true; /* of the TDP MMU, whose roots have records */
	return !table->page.root_count &&
	       table->page.role >> idx->direct.shift & ((1U << idx->direct.width) - 1);
}

static int add_record(struct spt_index *idx, const struct spt_rec *rec, uint64_t off)
{
	const struct spt_table *table = (const void *)rec;

	switch (rec->type) {
	case SPT_REC_HEAD:
		idx->direct = ((const struct spt_head *)rec)->role[SPT_ROLE_DIRECT];
		if (idx->direct.width > 1 || idx->direct.shift > 31)
			return -EINVAL;
		break;
	case SPT_REC_TABLE:
		idx->in_run = !hangs(idx, table);
		if (!idx->in_run)
			return add_table(idx, table->page.hpa, off);
		return add_run(idx, rec, SPT_REC_TABLE, off);
	case SPT_REC_TRANSLATIONS:
		return idx->in_run ? add_run(idx, rec, SPT_REC_TABLE, off) : 0;
	case SPT_REC_INDEX:
		return 0;
	}
	return add_run(idx, rec, rec->type, off);
}

/* A piece ends before the record that would make it too long. */
static int add_to_piece(struct spt_index *idx, uint64_t off, uint32_t len)
{
	struct spt_index_piece *last =
		idx->nr_pieces ? (struct spt_index_piece *)&idx->piece[idx->nr_pieces - 1] : NULL;

	if (last && !idx->new_part && last->image_off + last->image_len == off &&
	    (uint64_t)last->image_len + len <= SPT_PIECE_BYTES) {
		last->image_len += len;
		return 0;
	}
	last = grow(&idx->piece, idx->nr_pieces, &idx->room_pieces, sizeof(*last));
	if (!last)
		return -ENOMEM;
	*last = (struct spt_index_piece){ .image_off = off, .file_off = off, .image_len = len };
	idx->nr_pieces++;
	idx->new_part = false;
	return 0;
}

int spt_index_scan(struct spt_index *idx, const void *bytes, size_t len, uint64_t image_off,
		   bool sums, const struct spt_progress *progress)
{
	uint64_t first_piece = idx->nr_pieces;
	size_t look = LOOK_EVERY;

	idx->new_part = true;
	for (size_t at = 0; at < len;) {
		const struct spt_rec *rec = (const void *)((const char *)bytes + at);
		int ret;

		if (len - at < sizeof(*rec) || rec->len < sizeof(*rec) || rec->len % 8 ||
		    rec->len > len - at || spt_record_check(rec))
			return -EINVAL;
		ret = add_to_piece(idx, image_off + at, rec->len);
		if (!ret)
			ret = add_record(idx, rec, image_off + at);
		if (ret)
			return ret;
		at += rec->len;
		if (at < look)
			continue;
		look = at + LOOK_EVERY;
		if (spt_progress_step(progress, at, len))
			return -EINTR;
	}
	for (uint64_t i = first_piece; i < idx->nr_pieces; i++) {
		struct spt_index_piece *piece = (struct spt_index_piece *)&idx->piece[i];

		piece->file_len = piece->image_len;
		if (sums)
			piece->sum = spt_image_checksum((const char *)bytes + piece->image_off -
								image_off,
							piece->image_len / sizeof(uint64_t));
	}
	idx->image_len = image_off + len;
	idx->sums_known = sums;
	return 0;
}

static int by_hpa(const void *a, const void *b)
{
	const struct spt_index_table *x = a, *y = b;

	if (x->hpa != y->hpa)
		return x->hpa < y->hpa ? -1 : 1;
	return (x->off > y->off) - (x->off < y->off);
}

void spt_index_sort(struct spt_index *idx)
{
	for (uint64_t i = 1; i < idx->nr_tables; i++)
		if (by_hpa(&idx->table[i - 1], &idx->table[i]) > 0) {
			qsort((void *)idx->table, idx->nr_tables, sizeof(*idx->table), by_hpa);
			return;
		}
}
