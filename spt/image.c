// SPDX-License-Identifier: GPL-2.0
/* An image as a whole: order of records, totals, checksum, and what is left of a damaged one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "spt/image.h"
#include "spt/record.h"

#define RECORDS_AHEAD 8		 /* to fetch while one is checked */
#define LOOK_EVERY    (4U << 20) /* bytes between two looks at progress */

/* Copy a record that may be shorter or longer than we know it; the rest is 0. */
static void copy_record(void *to, size_t size, const struct spt_rec *rec)
{
	if (rec->len >= size) {
		memcpy(to, rec, size);
		return;
	}
	memset(to, 0, size);
	memcpy(to, rec, rec->len);
}

/* Strings of an image end up on terminals and in JSON: plain ASCII only. */
static void clean_string(char *s, size_t size)
{
	s[size - 1] = 0;
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

static void take_head(struct spt_image *img, const struct spt_rec *rec)
{
	copy_record(&img->head, sizeof(img->head), rec);
	clean_string(img->head.release, sizeof(img->head.release));
	clean_string(img->head.agent, sizeof(img->head.agent));
	clean_string(img->head.id, sizeof(img->head.id));
	clean_string(img->head.comm, sizeof(img->head.comm));
}

static void take_masks(struct spt_image *img, const struct spt_rec *rec)
{
	size_t values = (rec->len - offsetof(struct spt_masks, value)) / sizeof(uint64_t);

	copy_record(&img->masks, sizeof(img->masks), rec);
	if (values < SPT_MASK_COUNT)
		img->masks.known &= (1ULL << values) - 1;
}

static void take_record(struct spt_image *img, const struct spt_rec *rec)
{
	switch (rec->type) {
	case SPT_REC_HEAD:
		take_head(img, rec);
		break;
	case SPT_REC_MASKS:
		take_masks(img, rec);
		break;
	case SPT_REC_NOTE:
		img->notes |= 1U << (((const struct spt_note *)rec)->kind & 31);
		break;
	case SPT_REC_END:
		copy_record(&img->end, sizeof(img->end), rec);
		img->ended = true;
		break;
	}
	img->records++;
	img->entries += spt_record_entries(rec);
	if (rec->type < SPT_IMAGE_TYPES)
		img->count[rec->type]++;
}

/* What damage of a kind means depends on the mode: refuse, or write it down and go on. */
static int damage(struct spt_image *img, unsigned int flags, struct spt_error *err, size_t off,
		  const char *what)
{
	if (!(flags & SPT_IMAGE_SALVAGE))
		return spt_fail(
			err, EINVAL,
			"%s: damaged image: %s at offset %zu; --salvage reads what is intact",
			img->name, what, off);
	if (!img->missing[0])
		snprintf(img->missing, sizeof(img->missing), "%s at offset %zu", what, off);
	return 0;
}

static const char *record_at(const struct spt_image *img, size_t off, size_t end)
{
	const struct spt_rec *rec = (const void *)((const char *)img->base + off);

	if (end - off < sizeof(*rec))
		return "cut off record";
	if (rec->len < sizeof(*rec) || rec->len % 8)
		return "record of impossible length";
	if (rec->len > end - off)
		return "cut off record";
	return spt_record_check(rec);
}

/*
 * After damage at @off: the next offset from which records make sense again.
 * Three sound records of known type in a row, or sound ones up to the end of
 * the file, are taken for a new beginning; page table entries do not look so.
 */
static size_t resync(const struct spt_image *img, size_t off, size_t end)
{
	for (off += 8; off + sizeof(struct spt_rec) <= end; off += 8) {
		size_t at = off;
		int sound = 0;

		while (sound < 3 && at < end && !record_at(img, at, end)) {
			const struct spt_rec *rec = (const void *)((const char *)img->base + at);

			if (!spt_record_known(rec))
				break;
			at += rec->len;
			sound++;
		}
		if (sound == 3 || (sound && at == end))
			return off;
	}
	return end;
}

/* Walk all records up to @end. Salvage: img->len and the gaps say what is usable. */
static int check_records(struct spt_image *img, size_t end, unsigned int flags,
			 const struct spt_progress *progress, size_t *end_rec,
			 struct spt_error *err)
{
	size_t off = 0, look = LOOK_EVERY;

	*end_rec = end;
	while (off < end) {
		const struct spt_rec *rec = (const void *)((const char *)img->base + off);
		const char *wrong = record_at(img, off, end);

		if (!wrong && (rec->type == SPT_REC_HEAD) != (off == 0))
			wrong = "second head";
		if (!wrong && *end_rec != end)
			wrong = "record behind the end record";
		if (!wrong) {
			/* Big images are tables of one length: have the head of one to come. */
			__builtin_prefetch((const char *)rec + RECORDS_AHEAD * (size_t)rec->len);
			take_record(img, rec);
			if (rec->type == SPT_REC_END)
				*end_rec = off;
			off += rec->len;
			if (off < look)
				continue;
			look = off + LOOK_EVERY;
			if (spt_progress_step(progress, off, end))
				return spt_fail(err, EINTR, "%s: interrupted", img->name);
			continue;
		}

		int ret = damage(img, flags, err, off, wrong);

		if (ret)
			return ret;

		size_t next = img->nr_gaps < SPT_IMAGE_GAPS ? resync(img, off, end) : end;

		if (next == end) {
			img->len = off;
			return 0;
		}
		img->gap[img->nr_gaps++] = (struct spt_gap){ off, next };
		off = next;
	}
	return 0;
}

/* Words that the checksum speaks for, if END is the last record as it should be. */
static size_t summed_words(size_t len)
{
	const size_t behind = sizeof(struct spt_end) - offsetof(struct spt_end, checksum);

	return len > behind ? (len - behind) / 8 : 0;
}

static int check_totals(struct spt_image *img, size_t end_rec, struct spt_checksum *sum,
			unsigned int flags, struct spt_error *err)
{
	size_t words = (end_rec + offsetof(struct spt_end, checksum)) / 8;
	const char *wrong = NULL;

	if (img->end.records != img->records)
		wrong = "number of records differs from the end record's";
	else if (img->end.tables != img->count[SPT_REC_TABLE])
		wrong = "number of tables differs from the end record's";
	else if (img->end.entries != img->entries)
		wrong = "number of entries differs from the end record's";
	else if (!(flags & SPT_IMAGE_TRUST) &&
		 (sum && words == sum->words
			  ? spt_checksum_end(sum)
			  : spt_image_checksum(img->base, words)) != img->end.checksum)
		wrong = "checksum differs";
	return wrong ? damage(img, flags, err, end_rec, wrong) : 0;
}

static int check_head(struct spt_image *img, size_t len, struct spt_error *err)
{
	const struct spt_head *head = img->base;

	if (len < offsetof(struct spt_head, abi) + sizeof(head->abi) ||
	    head->rec.type != SPT_REC_HEAD || head->magic != SPT_IMAGE_MAGIC)
		return spt_fail(err, EINVAL, "%s: not an spt image", img->name);
	if (head->abi != SPT_IMAGE_ABI)
		return spt_fail(
			err, EPROTO,
			"%s: image format %u, this spt reads %u: use the spt that fits the agent",
			img->name, head->abi, SPT_IMAGE_ABI);

	const char *wrong = record_at(img, 0, len);

	if (wrong)
		return spt_fail(err, EINVAL, "%s: damaged image: %s at offset 0", img->name, wrong);
	return 0;
}

/* The records of an image whose head is sound, and what END says of them. */
static int check_all(struct spt_image *img, size_t len, struct spt_checksum *sum,
		     unsigned int flags, const struct spt_progress *progress, struct spt_error *err)
{
	size_t end_rec;
	int ret = check_records(img, img->len, flags, progress, &end_rec, err);

	if (!ret && len % 8)
		ret = damage(img, flags, err, len - len % 8, "cut off record");
	if (ret)
		return ret;
	if (!img->ended)
		ret = damage(img, flags, err, img->len, "no end record: the image is cut off");
	else if (!img->nr_gaps)
		ret = check_totals(img, end_rec, sum, flags, err);
	img->complete = !ret && !img->missing[0];
	return ret;
}

int spt_image_open_slow(struct spt_image *img, const void *base, size_t len, const char *name,
			unsigned int flags, const struct spt_progress *progress,
			struct spt_error *err)
{
	size_t whole = len & ~(size_t)7;
	struct spt_checksum sum;
	int ret;

	/* Not all of it: the rest is copied over, or counted by nr_gaps. */
	memset(img, 0, offsetof(struct spt_image, head));
	memset(&img->end, 0, sizeof(img->end));
	img->masks.known = 0;
	img->missing[0] = 0;
	img->base = base;
	img->len = whole;
	img->name = name;
	ret = check_head(img, whole, err);
	if (ret)
		return ret;
	if (!(flags & SPT_IMAGE_TRUST)) {
		spt_checksum_begin(&sum, base, summed_words(whole));
		ret = check_all(img, len, &sum, flags, progress, err);
		spt_checksum_cancel(&sum);
	} else {
		ret = check_all(img, len, NULL, flags, progress, err);
	}
	img->torn = img->end.flags & SPT_END_TORN;
	return ret;
}

int spt_image_open(struct spt_image *img, const void *base, size_t len, const char *name,
		   unsigned int flags, struct spt_error *err)
{
	return spt_image_open_slow(img, base, len, name, flags, NULL, err);
}
