// SPDX-License-Identifier: GPL-2.0
/* Events in a file of their own: an image that has them behind everything else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spt/events.h"
#include "spt/save_file.h"

#define PER_RECORD 1024

static size_t added_bytes(size_t count)
{
	size_t records = (count + PER_RECORD - 1) / PER_RECORD;

	return sizeof(struct spt_trace) + records * sizeof(struct spt_events) +
	       count * sizeof(struct spt_event);
}

static void put_all(char *to, const struct spt_event *events, size_t count,
		    const struct spt_trace *trace)
{
	struct spt_trace totals = *trace;

	totals.rec = (struct spt_rec){ SPT_REC_TRACE, sizeof(totals) };
	memcpy(to, &totals, sizeof(totals));
	to += sizeof(totals);
	while (count) {
		size_t n = count < PER_RECORD ? count : PER_RECORD;
		struct spt_events head = {
			.rec = { SPT_REC_EVENTS, sizeof(head) + n * sizeof(*events) },
			.count = n,
			.size = sizeof(*events),
		};

		memcpy(to, &head, sizeof(head));
		memcpy(to + sizeof(head), events, n * sizeof(*events));
		to += head.rec.len;
		events += n;
		count -= n;
	}
}

static bool is_compressed(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && !strcmp(path + len - 4, ".zst");
}

int spt_events_save(struct spt_source *src, const char *path, const struct spt_event *events,
		    size_t count, const struct spt_trace *trace, struct spt_error *err)
{
	const struct spt_request request = { .parts = SPT_PART_VM | SPT_PART_VCPUS |
						      SPT_PART_MEMSLOTS | SPT_PART_ATTRS |
						      SPT_PART_ROOTS | SPT_PART_REGS };
	struct spt_beside b __attribute__((cleanup(spt_beside_drop))) = { .fd = -1 };
	const struct spt_save how = { .compress = is_compressed(path) };
	size_t len = added_bytes(count);
	struct spt_save_parts parts;
	struct spt_image img;
	char *added;
	int ret;

	added = malloc(len);
	if (!added)
		return spt_fail(err, ENOMEM, "%s: out of memory for %zu events", path, count);
	put_all(added, events, count, trace);
	ret = spt_source_read(src, &request, 0, &img, err);
	if (!ret)
		ret = spt_beside_open(&b, path, err);
	if (!ret) {
		spt_save_parts_of(&parts, &img, added, len);
		ret = how.compress ? spt_save_compressed(&b, &parts, &how, err)
				   : spt_save_raw(&b, &parts, false, &how, err);
	}
	if (!ret)
		ret = spt_beside_commit(&b, err);
	free(added);
	return ret;
}
