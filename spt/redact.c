// SPDX-License-Identifier: GPL-2.0
/*
 * Both passes over an image, learning and rewriting, are the same walk over a copy of its
 * records (redact_records.c): 'address' names the piece of memory in the first one, and gives
 * its new place in the second.
 */
#include "spt/redact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/format.h"
#include "spt/redact_records.h"

struct spt_redaction *spt_redaction_create(void)
{
	return calloc(1, sizeof(struct spt_redaction));
}

void spt_redaction_free(struct spt_redaction *r)
{
	if (!r)
		return;
	spt_frames_deinit(&r->frames);
	spt_frames_deinit(&r->kernel);
	free(r);
}

uint64_t spt_redact_address(struct spt_redact_pass *pass, uint64_t hpa, uint64_t len,
			    uint64_t align)
{
	if (hpa == SPT_NO_HPA || !hpa)
		return hpa;
	if (pass->rewrites)
		return spt_frames_moved(&pass->r->frames, hpa);
	if (!pass->failed && spt_frames_add(&pass->r->frames, hpa, len, align))
		pass->failed = -ENOMEM;
	return hpa;
}

#define KERNEL_BASE 0xffff888000000000ULL /* what a direct map's address looks like */

uint64_t spt_redact_kernel(struct spt_redact_pass *pass, uint64_t address)
{
	if (!address)
		return 0;
	if (pass->rewrites)
		return spt_frames_moved(&pass->r->kernel, address) | KERNEL_BASE;
	if (!pass->failed && spt_frames_add(&pass->r->kernel, address, 8, 8))
		pass->failed = -ENOMEM;
	return address;
}

static int begin(struct spt_redact_pass *pass, struct spt_redaction *r, const struct spt_image *img,
		 struct spt_error *err)
{
	bool masks = img->count[SPT_REC_MASKS] != 0;

	*pass = (struct spt_redact_pass){ .r = r, .head = &img->head };
	r->bits = img->head.maxphyaddr;
	return spt_format_init(&pass->format, &img->head, masks ? &img->masks : NULL, err);
}

/* The walk writes to the records; what it writes when learning is what was there. */
int spt_redaction_learn(struct spt_redaction *r, const struct spt_image *img, struct spt_error *err)
{
	struct spt_redact_pass pass;
	const struct spt_rec *rec;
	int rc = begin(&pass, r, img, err);
	void *copy = NULL;
	size_t room = 0;

	spt_image_for_each(img, rec)
	{
		if (rc || pass.failed)
			break;
		if (rec->len > room) {
			free(copy);
			room = rec->len;
			copy = malloc(room);
			if (!copy)
				pass.failed = -ENOMEM;
		}
		if (!pass.failed) {
			memcpy(copy, rec, rec->len);
			spt_redact_record(&pass, copy);
		}
	}
	free(copy);
	if (pass.failed)
		rc = spt_fail(err, -pass.failed, "%s: %s", img->name, strerror(-pass.failed));
	return rc;
}

int spt_redaction_learn_hpa(struct spt_redaction *r, uint64_t hpa, struct spt_error *err)
{
	uint64_t frame = hpa & ~(SPT_REDACT_PAGE - 1);
	int rc = frame ? spt_frames_add(&r->frames, frame, SPT_REDACT_PAGE, SPT_REDACT_PAGE) : 0;

	return rc ? spt_fail(err, -rc, "%s", strerror(-rc)) : 0;
}

static int settle(struct spt_redaction *r, const char *name, struct spt_error *err)
{
	int rc;

	if (r->settled)
		return 0;
	r->settled = true;
	rc = spt_frames_settle(&r->kernel, 0);
	if (!rc)
		rc = spt_frames_settle(&r->frames, r->bits);
	if (rc == -ERANGE)
		return spt_fail(
			err, ERANGE,
			"%s: its pages cannot be kept apart in %u address bits: cannot redact",
			name, r->bits);
	return rc ? spt_fail(err, -rc, "%s: %s", name, strerror(-rc)) : 0;
}

/* Records are counted as they are now: some may have been left out. */
static void seal(char *image, size_t len, uint64_t records, uint64_t tables, uint64_t entries)
{
	struct spt_end *end = (struct spt_end *)(image + len - sizeof(*end));
	size_t sum = offsetof(struct spt_end, checksum);

	end->records = records;
	end->tables = tables;
	end->entries = entries;
	end->checksum = spt_image_checksum(image, (len - sizeof(*end) + sum) / 8);
}

int spt_redaction_apply(struct spt_redaction *r, const struct spt_image *img,
			struct spt_temporary *ret, size_t *ret_len, struct spt_redact_lost *lost,
			struct spt_error *err)
{
	uint64_t records = 0, tables = 0, entries = 0;
	struct spt_redact_pass pass;
	const struct spt_rec *rec;
	size_t len = 0;
	int rc = begin(&pass, r, img, err);

	pass.rewrites = true;
	if (!rc)
		rc = settle(r, img->name, err);
	if (!rc)
		rc = spt_temporary_get(ret, img->len + sizeof(struct spt_end), img->name, err);
	if (rc)
		return rc;
	spt_image_for_each(img, rec)
	{
		struct spt_rec *copy = (struct spt_rec *)((char *)ret->at + len);

		if (rec->type == SPT_REC_INDEX || rec->type == SPT_REC_END)
			continue;
		memcpy(copy, rec, rec->len);
		if (!spt_redact_record(&pass, copy))
			continue;
		len += rec->len;
		records++;
		tables += rec->type == SPT_REC_TABLE;
		entries += spt_record_entries(rec);
	}
	memcpy((char *)ret->at + len, &img->end, sizeof(img->end));
	((struct spt_end *)((char *)ret->at + len))->rec =
		(struct spt_rec){ .type = SPT_REC_END, .len = sizeof(struct spt_end) };
	len += sizeof(struct spt_end);
	seal(ret->at, len, records + 1, tables, entries);
	*ret_len = len;
	lost->unknown += pass.lost.unknown;
	lost->parents += pass.lost.parents;
	lost->transits += pass.lost.transits;
	lost->notes += pass.lost.notes;
	return 0;
}

uint64_t spt_redaction_hpa(struct spt_redaction *r, uint64_t hpa)
{
	return spt_frames_moved(&r->frames, hpa);
}
