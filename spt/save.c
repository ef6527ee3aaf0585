// SPDX-License-Identifier: GPL-2.0
/*
 * Saving: a live image goes to a file beside the one asked for as it comes, so
 * that memory does not grow with the guest; what is on disk is then checked as
 * any image is, added to, given an index, compressed from there if asked for,
 * and only then gets its name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "spt/guest_tables.h"
#include "spt/save_code.h"
#include "spt/save_file.h"

/* What the stream's sink needs. */
struct stream {
	const struct spt_beside *to;
	const struct spt_save *how;
	struct spt_error *err;
	uint64_t bytes;
};

static int take_piece(void *arg, const void *bytes, size_t len)
{
	struct stream *s = arg;
	int ret = spt_beside_write(s->to, bytes, len, s->err);

	s->bytes += len;
	return ret ? ret : spt_save_report(s->how, s->to->target, s->bytes, 0, s->err);
}

struct mapping {
	void *at;
	size_t len;
};

static void unmap(struct mapping *map)
{
	if (map->at)
		munmap(map->at, map->len);
}

static int map_file(const struct spt_beside *b, struct mapping *map, struct spt_error *err)
{
	struct stat st;
	void *at;

	if (fstat(b->fd, &st))
		return spt_fail(err, errno, "%s: %s", b->target, strerror(errno));
	if (!st.st_size)
		return spt_fail(err, ENODATA, "%s: the source gave nothing", b->target);
	at = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, b->fd, 0);
	if (at == MAP_FAILED)
		return spt_fail(err, errno, "%s: cannot map what was written: %s", b->target,
				strerror(errno));
	map->at = at;
	map->len = st.st_size;
	return 0;
}

/* Records to be added, in memory. */
struct added {
	char *bytes;
	size_t len, room;
};

static void free_added(struct added *added)
{
	free(added->bytes);
}

static int add_guest_table(void *arg, uint64_t gpa, const uint64_t *page)
{
	struct added *added = arg;

	if (added->room - added->len < SPT_GUEST_TABLE_RECORD) {
		size_t room = added->room * 2 + 64 * SPT_GUEST_TABLE_RECORD;
		char *more = realloc(added->bytes, room);

		if (!more)
			return -ENOMEM;
		added->bytes = more;
		added->room = room;
	}
	added->len += spt_guest_table_record((void *)(added->bytes + added->len), gpa, page);
	return 0;
}

/* The guest goes on while its tables are read: they are of a moment later than the image. */
static int read_guest_tables(struct spt_source *src, const struct spt_image *img,
			     struct added *added, struct spt_saved *saved, struct spt_error *err)
{
	struct spt_guest_tables tables;
	struct spt_guest_memory memory;
	struct spt_model model;
	int ret;

	spt_model_init(&model);
	spt_guest_memory_init(&memory, src);
	spt_guest_tables_init(&tables, SPT_GUEST_TABLES_MAX);
	ret = spt_model_load(&model, img, err);
	if (!ret)
		ret = spt_guest_tables_vcpus(&tables, &memory, &model, add_guest_table, added, err);
	if (ret == -ENOMEM)
		ret = spt_fail(err, ENOMEM, "%s: out of memory for guest tables", img->name);
	saved->guest_tables = tables.given;
	saved->guest_unread = tables.unread;
	saved->guest_limited = tables.limited;
	spt_guest_tables_deinit(&tables);
	spt_guest_memory_deinit(&memory);
	spt_model_deinit(&model);
	return ret;
}

static int read_code(struct spt_source *src, const struct spt_image *img, struct added *added,
		     struct spt_saved *saved, struct spt_error *err)
{
	struct spt_model model;
	int ret;

	spt_model_init(&model);
	ret = spt_model_load(&model, img, err);
	if (!ret)
		ret = spt_save_code(src, &model, add_guest_table, added, &saved->code_pages);
	if (ret == -ENOMEM)
		ret = spt_fail(err, ENOMEM, "%s: out of memory for code", img->name);
	spt_model_deinit(&model);
	return ret;
}

/* The whole image: a live one by way of @spool, a file's where it is. */
static int take_image(struct spt_source *src, struct spt_beside *spool, struct mapping *map,
		      const struct spt_save *how, struct spt_image *img, struct spt_error *err)
{
	struct stream stream = { .to = spool, .how = how, .err = err };
	int ret;

	if (!spt_source_is_live(src))
		return spt_source_read(src, NULL, 0, img, err);
	ret = spt_source_stream(src, &how->req, take_piece, &stream, err);
	if (!ret)
		ret = map_file(spool, map, err);
	return ret ? ret : spt_image_open(img, map->at, map->len, spt_source_name(src), 0, err);
}

/* Commit the spool with what it lacks, or another file made of it. */
static int finish(struct spt_beside *spool, const struct spt_save_parts *parts, bool spooled,
		  const struct spt_save *how, struct spt_saved *saved, struct spt_error *err)
{
	struct spt_beside small __attribute__((cleanup(spt_beside_drop))) = { .fd = -1 };
	struct spt_beside *b = how->compress && spooled ? &small : spool;
	struct stat st;
	int code = 0;

	if (b == &small)
		code = spt_beside_open(b, spool->target, err);
	if (!code)
		code = how->compress ? spt_save_compressed(b, parts, how, err)
				     : spt_save_raw(b, parts, spooled, how, err);
	if (!code && fstat(b->fd, &st))
		code = spt_fail(err, errno, "%s: %s", b->target, strerror(errno));
	if (!code)
		code = spt_beside_commit(b, err);
	if (!code)
		saved->file_bytes = st.st_size;
	return code;
}

int spt_save(struct spt_source *src, const char *path, const struct spt_save *how,
	     struct spt_saved *ret, struct spt_error *err)
{
	struct spt_beside b __attribute__((cleanup(spt_beside_drop))) = { .fd = -1 };
	struct mapping map __attribute__((cleanup(unmap))) = { 0 };
	struct added added __attribute__((cleanup(free_added))) = { 0 };
	struct spt_save_parts parts;
	struct spt_saved saved = { 0 };
	struct spt_image img;
	struct stat st;
	int code;

	if (!stat(path, &st) && !S_ISREG(st.st_mode)) /* rename() would replace even /dev/null */
		return spt_fail(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
				"%s: is not a regular file", path);
	code = spt_beside_open(&b, path, err);
	if (!code)
		code = spt_save_report(how, path, 0, 0, err);
	if (!code)
		code = take_image(src, &b, &map, how, &img, err);
	if (!code && how->guest_tables && spt_source_is_live(src))
		code = read_guest_tables(src, &img, &added, &saved, err);
	if (!code && how->code && spt_source_is_live(src))
		code = read_code(src, &img, &added, &saved, err);
	if (code)
		return code;
	spt_save_parts_of(&parts, &img, added.bytes, added.len);
	code = finish(&b, &parts, spt_source_is_live(src), how, &saved, err);
	if (code || !ret)
		return code;
	*ret = saved;
	ret->bytes = parts.len + parts.added_len + sizeof(parts.end);
	ret->records = parts.end.records;
	ret->tables = parts.end.tables;
	ret->torn = img.torn;
	return 0;
}
