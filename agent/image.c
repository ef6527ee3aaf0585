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

/* A chunk that cannot be read counts as filled: storing it will tell. */
u64 spt_table_chunks(const u64 *spt, u64 allowed, u64 empty)
{
	u64 chunks = 0;
	unsigned int c;

	for (c = 0; c < SPT_TABLE_CHUNKS; c++, spt += SPT_CHUNK_ENTRIES) {
		u64 a, b, d, e, f, g, h, i;

		__get_kernel_nofault(&a, spt + 0, u64, filled);
		__get_kernel_nofault(&b, spt + 1, u64, filled);
		__get_kernel_nofault(&d, spt + 2, u64, filled);
		__get_kernel_nofault(&e, spt + 3, u64, filled);
		__get_kernel_nofault(&f, spt + 4, u64, filled);
		__get_kernel_nofault(&g, spt + 5, u64, filled);
		__get_kernel_nofault(&h, spt + 6, u64, filled);
		__get_kernel_nofault(&i, spt + 7, u64, filled);
		if (likely(!((a ^ empty) | (b ^ empty) | (d ^ empty) | (e ^ empty) |
			     (f ^ empty) | (g ^ empty) | (h ^ empty) | (i ^ empty))))
			continue;
filled:
		chunks |= BIT_ULL(c);
	}
	return chunks & allowed;
}

static u64 spt_sum_words(const u64 *words, size_t count, u64 index)
{
	u64 sum = 0;
	size_t i;

	for (i = 0; i < count; i++)
		sum += spt_checksum_word(index + i, words[i]);
	return sum;
}

bool spt_out_pending(const struct spt_reader *reader)
{
	if (reader->sink == &spt_image_sink)
		return reader->out.filled;
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

/* What is stored of one array of entries behind a record's fixed part. */
struct spt_stored {
	const u64 *head;	/* the record's fixed part */
	u64 head_words;
	const u64 *array;
	u64 chunks;
};

/* Stores one word: for the user between user_access_begin() and _end(). */
static __always_inline int spt_store_word(u64 __user *to, u64 word, bool user)
{
	if (!user) {
		*(u64 __force *)to = word;
		return 0;
	}
	unsafe_put_user(word, to, fault);
	return 0;
fault:
	return -EFAULT;
}

/* Word n of a chunk, n counting down: adds it to the sum, and the sum to that of the sums. */
static __always_inline int spt_store_entry(const u64 *from, u64 __user *to, unsigned int n,
					   bool user, u64 *total, u64 *weighted)
{
	u64 word;

	__get_kernel_nofault(&word, from + n, u64, fault);
	*total += word;
	if (n)
		*weighted += *total;
	return spt_store_word(to + n, word, user);
fault:
	return -EFAULT;
}

/*
 * Stores head and chunks at @to. @user is a constant, so that this is two
 * functions. The sum of eight words w0..w7 from index b on is
 * (2b + 1) * (w0 + ... + w7) + 2 * (1 * w1 + ... + 7 * w7), the second one
 * being made of partial sums.
 */
static __always_inline int spt_store(const struct spt_stored *stored, u64 __user *to, u64 index,
				     bool user, u64 *sum)
{
	u64 chunks = stored->chunks;
	u64 acc = 0;
	u64 i;

	for (i = 0; i < stored->head_words; i++) {
		u64 word = stored->head[i];

		if (spt_store_word(to + i, word, user))
			return -EFAULT;
		acc += spt_checksum_word(index + i, word);
	}
	to += i;
	index += i;
	for (; chunks; chunks &= chunks - 1) {
		const u64 *from = stored->array + __ffs64(chunks) * SPT_CHUNK_ENTRIES;
		u64 total = 0;
		u64 weighted = 0;

		if (spt_store_entry(from, to, 7, user, &total, &weighted) ||
		    spt_store_entry(from, to, 6, user, &total, &weighted) ||
		    spt_store_entry(from, to, 5, user, &total, &weighted) ||
		    spt_store_entry(from, to, 4, user, &total, &weighted) ||
		    spt_store_entry(from, to, 3, user, &total, &weighted) ||
		    spt_store_entry(from, to, 2, user, &total, &weighted) ||
		    spt_store_entry(from, to, 1, user, &total, &weighted) ||
		    spt_store_entry(from, to, 0, user, &total, &weighted))
			return -EFAULT;
		acc += (2 * index + 1) * total + 2 * weighted;
		to += SPT_CHUNK_ENTRIES;
		index += SPT_CHUNK_ENTRIES;
	}
	*sum = acc;
	return 0;
}

static int spt_store_user(const struct spt_stored *stored, struct spt_out *out, size_t bytes)
{
	u64 sum;
	int error;

	if (!user_access_begin(out->to, bytes))
		return -EFAULT;
	error = spt_store(stored, (u64 __user *)out->to, out->word, true, &sum);
	user_access_end();
	if (error)
		return error;
	out->sum += sum;
	out->to += bytes;
	out->room -= bytes;
	return 0;
}

static int spt_store_batch(const struct spt_stored *stored, struct spt_out *out, size_t bytes)
{
	u64 sum;
	int error;

	if (WARN_ON_ONCE(out->filled + bytes > out->batch_size))
		return -ENOSPC;
	error = spt_store(stored, (u64 __user __force *)(out->batch + out->filled), out->word,
			  false, &sum);
	if (error)
		return -EIO;
	out->sum += sum;
	out->filled += bytes;
	return 0;
}

/* The record @head of @head_bytes with its length, then the chunks. */
static int spt_image_array(struct spt_out *out, struct spt_rec *head, size_t head_bytes,
			   const u64 *array, u64 chunks)
{
	size_t bytes = head_bytes + hweight64(chunks) * SPT_CHUNK_ENTRIES * sizeof(u64);
	struct spt_stored stored = {
		.head = (const u64 *)head,
		.head_words = head_bytes / sizeof(u64),
		.array = array,
		.chunks = chunks,
	};
	int error;

	head->len = bytes;
	if (!out->filled && out->room >= bytes)
		error = spt_store_user(&stored, out, bytes);
	else
		error = spt_store_batch(&stored, out, bytes);
	if (error)
		return error;
	out->word += bytes / sizeof(u64);
	out->records++;
	return 0;
}

static int spt_image_translations(struct spt_out *out, const struct spt_found_table *table)
{
	struct spt_array head = {
		.rec = { SPT_REC_TRANSLATIONS },
		.sp = (unsigned long)table->sp->sp,
	};

	head.chunks = spt_table_chunks(table->translations, table->allowed, 0);
	return spt_image_array(out, &head.rec, sizeof(head), table->translations, head.chunks);
}

static int spt_image_table(struct spt_reader *reader, const struct spt_found_table *table)
{
	struct spt_out *out = &reader->out;
	struct spt_out before = *out;
	struct spt_table head;
	int error;

	head.rec.type = SPT_REC_TABLE;
	spt_sp_describe(table->sp, &head.page);
	head.root = table->root_sp;
	head.empty = spt_layout.empty_spte;
	head.chunks = table->chunks;
	error = spt_image_array(out, &head.rec, sizeof(head), table->sp->spt, table->chunks);
	if (error)
		return error;
	if (table->translations) {
		error = spt_image_translations(out, table);
		if (error) {
			*out = before;	/* both or none: the table comes again */
			return error;
		}
	}
	out->tables++;
	out->entries += hweight64(table->chunks) * SPT_CHUNK_ENTRIES;
	return 0;
}

const struct spt_sink spt_image_sink = {
	.record = spt_image_record,
	.table = spt_image_table,
	.batch = SZ_16K,
};
