/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The index of a saved image: where its records are, so that a question about
 * one page reads a few tables and not all of them.
 *
 * A compressed file is a sequence of zstd frames, each of whole records, and the
 * index behind them in a skippable frame (RFC 8878, 3.1.2), so that any zstd
 * gives the exact image. A raw file has it as SPT_REC_INDEX before the end
 * record. Either way it is not compressed and can be searched where it lies: a
 * head, one sum for each block of SPT_INDEX_BLOCK bytes, the blocks with three
 * arrays, and a tail by which it is found from the file's end.
 *
 * An index is a hint. Its head is checked when it is opened and each block when
 * it is first looked at; what it leads to must be a record that fits. A damaged
 * one is left alone and the file read in full.
 */
#ifndef SPT_INDEX_H
#define SPT_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/spt_image.h"
#include "decoders/error.h"
#include "spt/progress.h"

#define SPT_INDEX_MAGIC	  0x5845444e49545053ULL /* "SPTINDEX" in memory order */
#define SPT_INDEX_VERSION 1
#define SPT_INDEX_BLOCK	  4096U

/* No piece of an image is longer, unless a record is: such an index is not used. */
#define SPT_INDEX_PIECE_MAX (64U << 20)

/* A piece of the image: whole records. */
struct spt_index_piece {
	uint64_t image_off;
	uint64_t file_off; /* compressed: of its frame; raw: as image_off */
	uint32_t image_len;
	uint32_t file_len;
	uint64_t sum; /* spt_image_checksum() of its bytes by themselves */
};

/* A table of no run, at @off in the image; ascending by hpa, several may have one. */
struct spt_index_table {
	uint64_t hpa;
	uint64_t off;
};

/*
 * A run: neighbouring records of one type. All that are not tables, and those
 * tables that no range leaves out: of the shadow MMU such as are not direct, and
 * its roots. All other tables hang below a root or one of these.
 */
struct spt_index_run {
	uint64_t off;
	uint32_t len;
	uint32_t type;		      /* enum spt_rec_type; a table's translations count as it */
	uint64_t first_gfn, last_gfn; /* that it speaks of; 0 and ~0: no gfns, or all */
};

struct spt_index_array {
	uint64_t off; /* from the head on */
	uint64_t count;
};

struct spt_index_head {
	uint64_t magic;
	uint32_t version;
	uint32_t block;	    /* SPT_INDEX_BLOCK */
	uint64_t body;	    /* bytes of it all but the tail */
	uint64_t image_len; /* raw: up to the index record */
	uint64_t blocks;    /* sums behind the head */
	struct spt_index_array pieces, runs, tables;
	uint64_t checksum; /* of all that is before it, and of the sums */
};

struct spt_index_tail {
	uint64_t body;
	uint64_t magic;
};

struct spt_index {
	const struct spt_index_piece *piece;
	const struct spt_index_run *run;
	const struct spt_index_table *table;
	uint64_t nr_pieces, nr_runs, nr_tables;
	uint64_t image_len;
	const char *base;     /* of a stored one, borrowed; NULL: just made */
	const uint64_t *sums; /* of its blocks */
	uint64_t *checked;    /* bit i: block i is as its sum says */
	uint64_t first_block; /* offset from base */
	bool sums_known;      /* pieces have their sums */
	uint64_t room_pieces, room_runs, room_tables; /* of one that was made */
	struct spt_bits direct;			      /* of a role, in the image that is scanned */
	bool in_run;				      /* the last table was one of a run */
	bool new_part;				      /* no piece reaches into two parts */
};

/*
 * Use the index that ends at @end of @bytes, which must stay and be aligned to 8
 * there. Returns 0, -ENOENT (there is none), -EINVAL (damaged), -ENOMEM.
 */
int spt_index_open(struct spt_index *idx, const void *bytes, size_t end, size_t *begin);

/*
 * Make one of the records of an image, @len bytes up to its index or end record,
 * in one pass over their heads. @sums: take the pieces' sums, which reads all.
 * @image_off: of @bytes in the image; an index may be made of several parts in
 * turn. Returns 0, -ENOMEM, -EINVAL (no sequence of records), -EINTR (@progress,
 * which may be NULL, ended it).
 */
int spt_index_scan(struct spt_index *idx, const void *bytes, size_t len, uint64_t image_off,
		   bool sums, const struct spt_progress *progress);

/* After the last part: sort the tables. */
void spt_index_sort(struct spt_index *idx);

/* The made index as it is stored, tail included; the caller frees *@ret. */
int spt_index_store(const struct spt_index *idx, void **ret, size_t *len);

void spt_index_init(struct spt_index *idx);
void spt_index_deinit(struct spt_index *idx);

/* Elements; NULL: the block that has it is damaged. */
const struct spt_index_piece *spt_index_piece(struct spt_index *idx, uint64_t nr);
const struct spt_index_run *spt_index_run(struct spt_index *idx, uint64_t nr);
const struct spt_index_table *spt_index_table(struct spt_index *idx, uint64_t nr);

/* The piece that holds offset @off of the image; NULL: none, or damaged. */
const struct spt_index_piece *spt_index_piece_at(struct spt_index *idx, uint64_t off);

/* First table at @hpa or above: its number, nr_tables for none, UINT64_MAX damaged. */
uint64_t spt_index_find(struct spt_index *idx, uint64_t hpa);

#endif
