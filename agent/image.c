// SPDX-License-Identifier: GPL-2.0
/*
 * The sink that stores an image.
 *
 * Tables make up nearly all of it, so they go from KVM's page straight into the
 * reader's buffer, one pass over the entries, the checksum taken on the way.
 * Everything else, and a table that the buffer has no room for, goes through
 * the batch.
 */
#include <linux/uaccess.h>

#include "reader.h"

u64 spt_table_range(u64 base, u8 level, u64 first, u64 end, u16 *from, u16 *to)
{
	unsigned int shift = spt_level_shift(level);
	u64 a = first > base ? (first - base) >> shift : 0;
	u64 b = end > base ? ((end - base - 1) >> shift) + 1 : 0;

	a = min_t(u64, a, SPT_TABLE_ENTRIES);
	b = min_t(u64, b, SPT_TABLE_ENTRIES);
	*from = a;
	*to = b;
	if (a >= b)
		return 0;
	return GENMASK_ULL((b - 1) / SPT_CHUNK_ENTRIES, a / SPT_CHUNK_ENTRIES);
}

u64 spt_table_chunks(const u64 *spt, u64 allowed, u64 empty)
{
	u64 chunks = 0;
	u64 left;

	for (left = allowed; left; left &= left - 1)
		if (spt_chunk_filled(spt + __ffs64(left) * SPT_CHUNK_ENTRIES, empty))
			chunks |= left & -left;
	return chunks;
}

/*
 * The checksum of words w0..w7 from index b on is
 * (2b - 1) * (w0 + ... + w7) + 2 * (1 * w0 + 2 * w1 + ... + 8 * w7),
 * and the latter sum is the sum of the sums on the way from w7 to w0.
 */
static u64 spt_sum_chunk(const u64 *words, u64 index)
{
	u64 total = 0;
	u64 weighted = 0;
	int n;

#pragma GCC unroll 8
	for (n = SPT_CHUNK_ENTRIES - 1; n >= 0; n--) {
		total += words[n];
		weighted += total;
	}
	return (2 * index - 1) * total + 2 * weighted;
}

static u64 spt_sum_words(const u64 *words, size_t count, u64 index)
{
	u64 sum = 0;

	for (; count >= SPT_CHUNK_ENTRIES; count -= SPT_CHUNK_ENTRIES) {
		sum += spt_sum_chunk(words, index);
		words += SPT_CHUNK_ENTRIES;
		index += SPT_CHUNK_ENTRIES;
	}
	for (; count; count--)
		sum += spt_checksum_word(index++, *words++);
	return sum;
}

bool spt_out_pending(const struct spt_reader *reader)
{
	return reader->out.filled > reader->out.batch_size / 4;
}

static int spt_image_words(struct spt_out *out, const void *words, size_t bytes)
{
	if (WARN_ON_ONCE(out->filled + bytes > out->batch_size))
		return -ENOSPC;
	memcpy(out->batch + out->filled, words, bytes);
	out->sum += spt_sum_words(words, bytes / sizeof(u64), out->word);
	out->word += bytes / sizeof(u64);
	out->filled += bytes;
	return 0;
}

static int spt_image_record(struct spt_reader *reader, const struct spt_rec *rec)
{
	reader->out.records++;
	return spt_image_words(&reader->out, rec, rec->len);
}

/*
 * The chunks of one array of entries behind a record's fixed part, and the sum
 * of what was stored.
 */
struct spt_stored {
	u64 chunks;
	u64 sum;
};

/*
 * Stores at @to, ours or the user's, those of the @allowed chunks that hold
 * something else than @empty. The first word has @index in the image; the sum is
 * made as in spt_sum_chunk().
 *
 * Two branches a chunk are all there is: empty chunks are compared; from one on
 * that is not, they are copied at once, until the sums of one are those of an
 * empty one, or of one that could not be copied.
 */
static __always_inline bool spt_store_chunks(const u64 *array, u64 allowed, u64 empty,
					     void *to, u64 index, struct spt_stored *stored)
{
	const u64 empty_total = 8 * empty;
	const u64 empty_weighted = 36 * empty;
	u64 factor = 2 * index - 1;
	u64 left = allowed;
	u64 chunks = 0;
	u64 sum = 0;

	while (left) {
		if (!spt_chunk_filled(array + __ffs64(left) * SPT_CHUNK_ENTRIES, empty)) {
			left &= left - 1;
			continue;
		}
		do {
			const u64 *from = array + __ffs64(left) * SPT_CHUNK_ENTRIES;
			u64 weighted = empty_weighted;
			u64 total = empty_total;
			bool copied = spt_copy_chunk(from, to, &total, &weighted);

			if (unlikely(!((total ^ empty_total) | (weighted ^ empty_weighted)))) {
				if (!copied)
					return false;
				if (!spt_chunk_filled(from, empty))
					break;
			}
			sum += factor * total + 2 * weighted;
			factor += 2 * SPT_CHUNK_ENTRIES;
			to += SPT_CHUNK_ENTRIES * sizeof(u64);
			chunks |= left & -left;
			left &= left - 1;
		} while (left);
	}
	stored->chunks = chunks;
	stored->sum = sum;
	return true;
}

/* The record's fixed part goes before its chunks, but is known after them. */
struct spt_head_part {
	struct spt_rec *rec;
	u64 *chunks;		/* the member that says which follow */
	size_t bytes;
};

static void spt_head_finish(const struct spt_head_part *head, u64 chunks)
{
	*head->chunks = chunks;
	head->rec->len = head->bytes + hweight64(chunks) * SPT_CHUNK_ENTRIES * sizeof(u64);
}

static int spt_store_user(const struct spt_head_part *head, struct spt_out *out,
			  const u64 *array, u64 allowed, u64 empty)
{
	struct spt_stored stored;
	bool done;

	if (!user_access_begin(out->to, head->bytes + SPT_TABLE_ENTRIES * sizeof(u64)))
		return -EFAULT;
	done = spt_store_chunks(array, allowed, empty, (void __force *)out->to + head->bytes,
				out->word + head->bytes / sizeof(u64), &stored);
	user_access_end();
	if (!done)
		return -EFAULT;
	spt_head_finish(head, stored.chunks);
	if (__copy_to_user_inatomic(out->to, head->rec, head->bytes))
		return -EFAULT;
	out->sum += stored.sum;
	out->to += head->rec->len;
	out->room -= head->rec->len;
	return 0;
}

static int spt_store_batch(const struct spt_head_part *head, struct spt_out *out,
			   const u64 *array, u64 allowed, u64 empty)
{
	struct spt_stored stored;

	if (WARN_ON_ONCE(out->filled + SPT_TABLE_MAX > out->batch_size))
		return -ENOSPC;
	if (!spt_store_chunks(array, allowed, empty, out->batch + out->filled + head->bytes,
			      out->word + head->bytes / sizeof(u64), &stored))
		return -EIO;
	spt_head_finish(head, stored.chunks);
	memcpy(out->batch + out->filled, head->rec, head->bytes);
	out->sum += stored.sum;
	out->filled += head->rec->len;
	return 0;
}

static int spt_image_array(struct spt_out *out, const struct spt_head_part *head,
			   const u64 *array, u64 allowed, u64 empty)
{
	int error;

	if (!out->filled && out->room >= SPT_TABLE_MAX)
		error = spt_store_user(head, out, array, allowed, empty);
	else
		error = spt_store_batch(head, out, array, allowed, empty);
	if (error)
		return error;
	out->sum += spt_sum_words((const u64 *)head->rec, head->bytes / sizeof(u64), out->word);
	out->word += head->rec->len / sizeof(u64);
	out->records++;
	return 0;
}

static int spt_image_translations(struct spt_out *out, const struct spt_found_table *table)
{
	struct spt_array rec = {
		.rec = { SPT_REC_TRANSLATIONS },
		.sp = (unsigned long)table->sp->sp,
	};
	struct spt_head_part head = { &rec.rec, &rec.chunks, sizeof(rec) };

	return spt_image_array(out, &head, table->translations, table->allowed, 0);
}

static int spt_image_table(struct spt_reader *reader, struct spt_found_table *table)
{
	struct spt_out *out = &reader->out;
	struct spt_out before = *out;
	struct spt_table rec;
	struct spt_head_part head = { &rec.rec, &rec.chunks, sizeof(rec) };
	int error;

	rec.rec.type = SPT_REC_TABLE;
	spt_sp_describe(table->sp, &rec.page);
	rec.root = table->root_sp;
	rec.empty = spt_layout.empty_spte;
	error = spt_image_array(out, &head, table->sp->spt, table->allowed,
				spt_layout.empty_spte);
	if (error)
		return error;
	table->chunks = rec.chunks;
	if (table->translations) {
		error = spt_image_translations(out, table);
		if (error) {
			*out = before;	/* both or none: the table comes again */
			return error;
		}
	}
	out->tables++;
	out->entries += hweight64(rec.chunks) * SPT_CHUNK_ENTRIES;
	return 0;
}

const struct spt_sink spt_image_sink = {
	.record = spt_image_record,
	.table = spt_image_table,
	.batch = SZ_32K,
};
