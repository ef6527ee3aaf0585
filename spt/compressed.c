// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <zstd.h>

#include "agent/spt_image.h"
#include "spt/compressed.h"

#define SPT_ZSTD_MAGIC 0xfd2fb528u /* RFC 8878, 3.1.1 */

/*
 * Page tables shrink by a factor of 5 to 50. A file that wants to become more
 * than this many times its size, or a gigabyte, is a bomb and no image.
 */
#define SPT_ZSTD_MAX_RATIO 1024
#define SPT_ZSTD_MAX_FLOOR (1ULL << 30)

#define SPT_ZSTD_STEP (4U << 20) /* bytes that come out between two looks at progress */

bool spt_zstd_recognise(const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	return len >= 4 && ((uint32_t)b[3] << 24 | b[2] << 16 | b[1] << 8 | b[0]) == SPT_ZSTD_MAGIC;
}

uint64_t spt_zstd_limit(size_t len)
{
	uint64_t limit = (uint64_t)len * SPT_ZSTD_MAX_RATIO;

	return limit < SPT_ZSTD_MAX_FLOOR ? SPT_ZSTD_MAX_FLOOR : limit;
}

static void free_stream(ZSTD_DStream **stream)
{
	ZSTD_freeDStream(*stream);
}

static void free_bytes(void *p)
{
	free(*(void **)p);
}

/*
 * Look at what has come out so far: a bomb of anything but an image is stopped
 * at its first bytes. @next is the offset of the first record not yet seen.
 */
static const char *implausible(const char *out, size_t len, size_t *next, bool partial)
{
	if (!*next && len >= offsetof(struct spt_head, abi)) {
		const struct spt_head *head = (const void *)out;

		if (head->rec.type != SPT_REC_HEAD || head->magic != SPT_IMAGE_MAGIC)
			return "not an spt image";
	}
	while (!partial && *next < len && len - *next >= sizeof(struct spt_rec)) {
		const struct spt_rec *rec = (const void *)(out + *next);

		if (rec->len < sizeof(*rec) || rec->len % 8)
			return "damaged image: record of impossible length; --salvage reads what is intact";
		*next += rec->len;
	}
	return NULL;
}

int spt_zstd_expand(const void *bytes, size_t len, const char *name, bool partial,
		    const struct spt_progress *progress, void **ret, size_t *ret_len,
		    struct spt_error *err)
{
	ZSTD_DStream *stream __attribute__((cleanup(free_stream))) = ZSTD_createDStream();
	void *out __attribute__((cleanup(free_bytes))) = NULL;
	uint64_t limit = spt_zstd_limit(len);
	ZSTD_inBuffer in = { bytes, len, 0 };
	ZSTD_outBuffer to = { NULL, 0, 0 };
	size_t left = 1; /* 0: a frame is complete */
	size_t next = 0, room = 0;

	if (!stream)
		return spt_fail(err, ENOMEM, "%s: out of memory", name);

	for (;;) {
		if (to.pos == room) {
			size_t more_room = room ? room * 2 : 1 << 20;
			void *more = room < limit ? realloc(out, more_room) : NULL;

			if (!more && room < limit)
				return spt_fail(err, ENOMEM, "%s: out of memory at %zu bytes", name,
						more_room);
			if (!more)
				return spt_fail(err, EINVAL,
						"%s: compressed image grows beyond %zu bytes", name,
						room);
			out = more;
			to.dst = out;
			room = more_room;
		}
		if (spt_progress_step(progress, in.pos, len))
			return spt_fail(err, EINTR, "%s: interrupted", name);
		to.size = room - to.pos > SPT_ZSTD_STEP ? to.pos + SPT_ZSTD_STEP : room;

		size_t in_before = in.pos, out_before = to.pos;

		left = ZSTD_decompressStream(stream, &to, &in);
		if (ZSTD_isError(left)) {
			if (partial)
				break;
			return spt_fail(err, EINVAL,
					"%s: damaged compressed image at offset %zu: %s", name,
					in.pos, ZSTD_getErrorName(left));
		}

		const char *wrong = implausible(out, to.pos, &next, partial);

		if (wrong)
			return spt_fail(err, EINVAL, "%s: %s (at offset %zu)", name, wrong, next);
		/* All input is in, and the decompressor has nothing more to flush. */
		if (in.pos == in.size && to.pos < to.size)
			break;
		if (in.pos == in_before && to.pos == out_before && to.pos < to.size)
			break;
	}
	if (left && !partial)
		return spt_fail(err, EINVAL, "%s: compressed image is cut off at offset %zu", name,
				len);
	*ret = out;
	*ret_len = to.pos;
	out = NULL;
	return 0;
}
