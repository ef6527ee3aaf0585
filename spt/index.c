// SPDX-License-Identifier: GPL-2.0
/* The index as it is stored: opened with distrust, searched where it lies. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spt/image.h"
#include "spt/index.h"

void spt_index_init(struct spt_index *idx)
{
	memset(idx, 0, sizeof(*idx));
}

void spt_index_deinit(struct spt_index *idx)
{
	if (!idx->base) {
		free((void *)idx->piece);
		free((void *)idx->run);
		free((void *)idx->table);
	}
	free(idx->checked);
	spt_index_init(idx);
}

/* Where the blocks begin: behind the head and the sums. */
static uint64_t first_block(const struct spt_index_head *head)
{
	return sizeof(*head) + head->blocks * sizeof(uint64_t);
}

static uint64_t head_checksum(const struct spt_index_head *head)
{
	const size_t words = offsetof(struct spt_index_head, checksum) / sizeof(uint64_t);

	/* The sums begin with an index of their own, so that none can change places with the head.
	 */
	return spt_image_checksum(head, words) * 3 +
	       spt_image_checksum(head + 1, head->blocks) * 5 + head->blocks;
}

/* Whether an array of elements of @size lies within the blocks. */
static bool array_fits(const struct spt_index_head *head, const struct spt_index_array *array,
		       uint64_t size)
{
	uint64_t room = head->blocks * SPT_INDEX_BLOCK, off = array->off - first_block(head);

	/* Arrays begin blocks, so that no element is in two of them. */
	return array->off >= first_block(head) && off <= room && !(off % SPT_INDEX_BLOCK) &&
	       array->count <= (room - off) / size;
}

static bool head_fits(const struct spt_index_head *head, uint64_t body)
{
	if (head->magic != SPT_INDEX_MAGIC || head->version != SPT_INDEX_VERSION ||
	    head->block != SPT_INDEX_BLOCK || head->body != body)
		return false;
	if (head->blocks > body / SPT_INDEX_BLOCK ||
	    first_block(head) + head->blocks * SPT_INDEX_BLOCK != body)
		return false;
	return head->checksum == head_checksum(head) &&
	       array_fits(head, &head->pieces, sizeof(struct spt_index_piece)) &&
	       array_fits(head, &head->runs, sizeof(struct spt_index_run)) &&
	       array_fits(head, &head->tables, sizeof(struct spt_index_table));
}

int spt_index_open(struct spt_index *idx, const void *bytes, size_t end, size_t *begin)
{
	const struct spt_index_head *head;
	struct spt_index_tail tail;
	const char *base;

	spt_index_init(idx);
	if (end < sizeof(*head) + sizeof(tail) || end % 8)
		return -ENOENT;
	memcpy(&tail, (const char *)bytes + end - sizeof(tail), sizeof(tail));
	if (tail.magic != SPT_INDEX_MAGIC)
		return -ENOENT;
	if (tail.body > end - sizeof(tail) || tail.body < sizeof(*head) || tail.body % 8)
		return -EINVAL;
	base = (const char *)bytes + end - sizeof(tail) - tail.body;
	head = (const void *)base;
	if (!head_fits(head, tail.body))
		return -EINVAL;
	idx->checked = calloc(head->blocks / 64 + 1, sizeof(uint64_t));
	if (!idx->checked)
		return -ENOMEM;
	idx->base = base;
	idx->sums = (const uint64_t *)(head + 1);
	idx->first_block = first_block(head);
	idx->image_len = head->image_len;
	idx->piece = (const void *)(base + head->pieces.off);
	idx->run = (const void *)(base + head->runs.off);
	idx->table = (const void *)(base + head->tables.off);
	idx->nr_pieces = head->pieces.count;
	idx->nr_runs = head->runs.count;
	idx->nr_tables = head->tables.count;
	idx->sums_known = true;
	*begin = end - sizeof(tail) - tail.body;
	return 0;
}

/* Whether the block that @at points into is what its sum says. */
static bool block_is_sound(struct spt_index *idx, const void *at)
{
	uint64_t nr;

	if (!idx->base)
		return true;
	nr = ((const char *)at - idx->base - idx->first_block) / SPT_INDEX_BLOCK;
	if (idx->checked[nr / 64] >> (nr % 64) & 1)
		return true;
	if (spt_image_checksum(idx->base + idx->first_block + nr * SPT_INDEX_BLOCK,
			       SPT_INDEX_BLOCK / sizeof(uint64_t)) != idx->sums[nr])
		return false;
	idx->checked[nr / 64] |= 1ULL << nr % 64;
	return true;
}

const struct spt_index_piece *spt_index_piece(struct spt_index *idx, uint64_t nr)
{
	return block_is_sound(idx, &idx->piece[nr]) ? &idx->piece[nr] : NULL;
}

const struct spt_index_run *spt_index_run(struct spt_index *idx, uint64_t nr)
{
	return block_is_sound(idx, &idx->run[nr]) ? &idx->run[nr] : NULL;
}

const struct spt_index_table *spt_index_table(struct spt_index *idx, uint64_t nr)
{
	return block_is_sound(idx, &idx->table[nr]) ? &idx->table[nr] : NULL;
}

const struct spt_index_piece *spt_index_piece_at(struct spt_index *idx, uint64_t off)
{
	uint64_t low = 0, high = idx->nr_pieces;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		const struct spt_index_piece *piece = spt_index_piece(idx, mid);

		if (!piece)
			return NULL;
		if (off >= piece->image_off && off - piece->image_off < piece->image_len)
			return piece;
		if (piece->image_off > off)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

uint64_t spt_index_find(struct spt_index *idx, uint64_t hpa)
{
	uint64_t low = 0, high = idx->nr_tables;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		const struct spt_index_table *table = spt_index_table(idx, mid);

		if (!table)
			return UINT64_MAX;
		if (table->hpa < hpa)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static size_t whole_blocks(size_t bytes)
{
	return (bytes + SPT_INDEX_BLOCK - 1) / SPT_INDEX_BLOCK * SPT_INDEX_BLOCK;
}

static void put_array(char *base, uint64_t *at, struct spt_index_array *array, const void *from,
		      uint64_t count, size_t size)
{
	*array = (struct spt_index_array){ *at, count };
	if (count)
		memcpy(base + *at, from, count * size);
	*at += whole_blocks(count * size);
}

int spt_index_store(const struct spt_index *idx, void **ret, size_t *len)
{
	uint64_t blocks = (whole_blocks(idx->nr_pieces * sizeof(*idx->piece)) +
			   whole_blocks(idx->nr_runs * sizeof(*idx->run)) +
			   whole_blocks(idx->nr_tables * sizeof(*idx->table))) /
			  SPT_INDEX_BLOCK;
	struct spt_index_head head = {
		.magic = SPT_INDEX_MAGIC,
		.version = SPT_INDEX_VERSION,
		.block = SPT_INDEX_BLOCK,
		.image_len = idx->image_len,
		.blocks = blocks,
	};
	struct spt_index_tail tail = { .magic = SPT_INDEX_MAGIC };
	uint64_t at = first_block(&head);
	uint64_t *sums;
	char *base;

	head.body = tail.body = at + blocks * SPT_INDEX_BLOCK;
	*len = head.body + sizeof(tail);
	base = calloc(1, *len);
	if (!base)
		return -ENOMEM;
	put_array(base, &at, &head.pieces, idx->piece, idx->nr_pieces, sizeof(*idx->piece));
	put_array(base, &at, &head.runs, idx->run, idx->nr_runs, sizeof(*idx->run));
	put_array(base, &at, &head.tables, idx->table, idx->nr_tables, sizeof(*idx->table));
	memcpy(base, &head, sizeof(head));
	sums = (uint64_t *)(base + sizeof(head));
	for (uint64_t i = 0; i < blocks; i++)
		sums[i] = spt_image_checksum(base + first_block(&head) + i * SPT_INDEX_BLOCK,
					     SPT_INDEX_BLOCK / sizeof(uint64_t));
	((struct spt_index_head *)base)->checksum = head_checksum((void *)base);
	memcpy(base + head.body, &tail, sizeof(tail));
	*ret = base;
	return 0;
}
