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

/* The chunks from the first of @left on that follow one another: which, and how many. */
static __always_inline unsigned int spt_chunk_run(u64 left, unsigned int *first)
{
	u64 rest;

	*first = __ffs64(left);
	rest = ~(left >> *first);	/* its top bits are ones but for *first 0 */
	return rest ? __ffs64(rest) : SPT_TABLE_ENTRIES / SPT_CHUNK_ENTRIES;
}

/* @count chunks from @first on; @count may be 0. */
static __always_inline u64 spt_chunk_bits(unsigned int first, unsigned int count)
{
	return count ? GENMASK_ULL(first + count - 1, first) : 0;
}

u64 spt_table_chunks(const u64 *spt, u64 allowed, u64 empty)
{
	u64 left = allowed;
	u64 chunks = 0;

	while (left) {
		unsigned int first;
		unsigned int run = spt_chunk_run(left, &first);
		unsigned int none = spt_empty_chunks(spt + first * SPT_CHUNK_ENTRIES, run, empty);

		left &= ~spt_chunk_bits(first, none);
		if (none < run) {
			chunks |= left & -left;
			left &= left - 1;
		}
	}
	return chunks;
}

/*
 * The checksum of @count words of which the first has @index. Word k of them,
 * from 1 on, counts 2 * (index + k) - 1 times; the sum of the sums after each word
 * has it count + 1 - k times.
 */
static __always_inline u64 spt_sums_checksum(const struct spt_sums *sums, u64 index, u64 count)
{
	return (2 * (index + count) + 1) * sums->sum - 2 * sums->sums;
}

static u64 spt_sum_words(const u64 *words, size_t count, u64 index)
{
	struct spt_sums sums = { };
	size_t n;

	for (n = 0; n < count; n++) {
		sums.sum += words[n];
		sums.sums += sums.sum;
	}
	return spt_sums_checksum(&sums, index, count);
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
 * The chunks of one array of entries behind a record's fixed part, how many bytes
 * they take, and the sum of what was stored.
 */
struct spt_stored {
	u64 chunks;
	u64 sum;
	size_t bytes;
};

/*
 * Stores at @to, ours or the user's, those of the @allowed chunks that hold
 * something else than @empty. The first word has @index in the image.
 *
 * Empty chunks are compared, the others copied at once, until one adds up to
 * what an empty one does; whether it is one is looked at then.
 */
static __always_inline bool spt_store_chunks(const u64 *array, u64 allowed, u64 empty,
					     void *to, u64 index, struct spt_stored *stored)
{
	const u64 empty_sum = SPT_CHUNK_ENTRIES * empty;
	struct spt_sums sums = { };
	u64 left = allowed;
	u64 chunks = 0;
	void *at = to;

	while (left) {
		unsigned int first;
		unsigned int run = spt_chunk_run(left, &first);
		const u64 *from = array + first * SPT_CHUNK_ENTRIES;
		unsigned int n = spt_empty_chunks(from, run, empty);

		left &= ~spt_chunk_bits(first, n);
		if (n == run)
			continue;
		first += n;
		from += n * SPT_CHUNK_ENTRIES;
		n = spt_copy_chunks(from, at, run - n, empty_sum, &sums);
		if (!n) {	/* no empty one: it could not be copied, or the sum is a chance */
			if (!spt_copy_chunk(from, at, &sums))
				return false;
			n = 1;
		}
		at += n * SPT_CHUNK_ENTRIES * sizeof(u64);
		chunks |= spt_chunk_bits(first, n);
		left &= ~spt_chunk_bits(first, n);
	}
	stored->bytes = at - to;
	stored->chunks = chunks;
	stored->sum = spt_sums_checksum(&sums, index, stored->bytes / sizeof(u64));
	return true;
}

/* The record's fixed part goes before its chunks, but is known after them. */
struct spt_head_part {
	struct spt_rec *rec;
	u64 *chunks;		/* the member that says which follow */
	size_t bytes;
};

static __always_inline void spt_head_finish(const struct spt_head_part *head,
					    const struct spt_stored *stored)
{
	*head->chunks = stored->chunks;
	head->rec->len = head->bytes + stored->bytes;
}

/* To the user between user_access_begin() and user_access_end(). */
static __always_inline bool spt_store_head(const struct spt_head_part *head, void __user *to)
{
	const u64 *words = (const u64 *)head->rec;
	u64 __user *at = to;
	const u64 __user *end = to + head->bytes;

	while (at < end)
		unsafe_put_user(*words++, at++, fault);
	return true;
fault:
	return false;
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
	if (done) {
		spt_head_finish(head, &stored);
		done = spt_store_head(head, out->to);
	}
	user_access_end();
	if (!done)
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
	spt_head_finish(head, &stored);
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

static int spt_image_external(struct spt_out *out, const struct spt_found_table *table, u8 level)
{
	struct spt_external rec = {
		.rec = { SPT_REC_EXTERNAL },
		.hpa = __pa(table->external),
		.mirror = __pa(table->sp->spt),
		.sp = (unsigned long)table->sp->sp,
		.root = table->root_sp,
		.gfn = table->sp->gfn,
		.level = level,
	};
	struct spt_head_part head = { &rec.rec, &rec.chunks, sizeof(rec) };

	return spt_image_array(out, &head, table->external, table->allowed, 0);
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
	if (table->translations)
		error = spt_image_translations(out, table);
	else if (table->external)
		error = spt_image_external(out, table, table->sp->level);
	if (error) {
		*out = before;	/* both or none: the table comes again */
		return error;
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
