// SPDX-License-Identifier: GPL-2.0
/*
 * Directories kept alike on both sides of the link. A frame is a piece of one file: at offset 0
 * it replaces the file (a reader sees the old or the new one, never none), else it continues it.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bochs-link.h"

#define FRAME_NAME    128
#define FRAME_PIECE   (64u << 10)
#define FRAME_REMOVED UINT64_MAX /* as offset: the file is gone */
#define HEAD_SIZE     1024
#define TEMPORARY     ".link-new"

struct frame {
	uint64_t offset;
	uint32_t size;
	uint32_t mode;
	char name[FRAME_NAME]; /* relative to the mirror's directory */
};

/* What the other side has of a file. */
struct mirrored {
	char name[FRAME_NAME];
	ino_t inode;
	struct timespec changed;
	uint64_t size;
	unsigned int round;   /* when it was last seen here */
	char head[HEAD_SIZE]; /* its beginning: tells a rewritten file from a longer one */
};

struct changed {
	char name[FRAME_NAME];
	struct timespec when;
};

struct mirror {
	const struct link *link;
	mirror_arrival *arrival;
	int dir;
	unsigned int round;
	size_t count, room; /* of files */
	struct mirrored *files;
	size_t changed_count, changed_room;
	struct changed *changed;
	char piece[sizeof(struct frame) + FRAME_PIECE];
};

struct mirror *mirror_create(const struct link *link, const char *dir, mirror_arrival *arrival)
{
	struct mirror *mirror = calloc(1, sizeof(*mirror));

	if (!mirror)
		err(2, "%s", dir);
	mirror->link = link;
	mirror->arrival = arrival;
	mirror->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mirror->dir < 0)
		err(2, "%s", dir);
	return mirror;
}

/* Room for one more element of SIZE bytes. */
static void *array_grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 64;
	array = reallocarray(array, *room, size);
	if (!array)
		err(2, "the mirrored directory");
	return array;
}

static struct mirrored *mirrored_find(struct mirror *mirror, const char *name)
{
	struct mirrored *file;

	for (size_t i = 0; i < mirror->count; i++)
		if (!strcmp(mirror->files[i].name, name))
			return &mirror->files[i];
	mirror->files = array_grow(mirror->files, mirror->count, &mirror->room, sizeof(*file));
	file = &mirror->files[mirror->count++];
	memset(file, 0, sizeof(*file));
	snprintf(file->name, sizeof(file->name), "%s", name);
	return file;
}

/* Rings are used by bytes that wrap; BYTES is where the ring's own begin. */
static void ring_copy_in(const struct link *link, uint32_t at, const char *from, uint32_t size)
{
	uint32_t first = LINK_RING_SIZE - at % LINK_RING_SIZE;

	first = first < size ? first : size;
	link->write(link, link->send_bytes + at % LINK_RING_SIZE, from, first);
	if (first < size)
		link->write(link, link->send_bytes, from + first, size - first);
}

static void ring_copy_out(const struct link *link, uint32_t at, char *to, uint32_t size)
{
	uint32_t first = LINK_RING_SIZE - at % LINK_RING_SIZE;

	first = first < size ? first : size;
	link->read(link, link->receive_bytes + at % LINK_RING_SIZE, to, first);
	if (first < size)
		link->read(link, link->receive_bytes, to + first, size - first);
}

/* False: no room now. */
static bool frame_send(const struct link *link, const char *piece, uint32_t size)
{
	struct link_ring ring;

	link->read(link, link->send_ring, &ring, sizeof(ring));
	if (LINK_RING_SIZE - (ring.produced - ring.consumed) < size)
		return false;
	ring_copy_in(link, ring.produced, piece, size);
	ring.produced += size;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	link->write(link, link->send_ring + offsetof(struct link_ring, produced), &ring.produced,
		    sizeof(ring.produced));
	return true;
}

/* False: there is none. Frames are produced whole, so what is there is complete. */
static bool frame_receive(const struct link *link, char *piece)
{
	struct frame *frame = (struct frame *)piece;
	struct link_ring ring;

	link->read(link, link->receive_ring, &ring, sizeof(ring));
	if (ring.produced == ring.consumed)
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ring_copy_out(link, ring.consumed, piece, sizeof(*frame));
	frame->name[FRAME_NAME - 1] = 0;
	if (frame->size > FRAME_PIECE || frame->name[0] == '/' || strstr(frame->name, ".."))
		errx(2, "the link carries no frame where one should begin");
	ring_copy_out(link, ring.consumed + sizeof(*frame), piece + sizeof(*frame), frame->size);
	ring.consumed += sizeof(*frame) + frame->size;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	link->write(link, link->receive_ring + offsetof(struct link_ring, consumed), &ring.consumed,
		    sizeof(ring.consumed));
	return true;
}

static void write_all(int fd, const char *from, size_t size, off_t offset, const char *name)
{
	while (size) {
		ssize_t done = pwrite(fd, from, size, offset);

		if (done <= 0)
			err(2, "writing %s", name);
		from += done;
		size -= done;
		offset += done;
	}
}

/* Makes the directories above a file. */
static void parents_make(int dir, const char *name)
{
	char path[FRAME_NAME];

	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(path, sizeof(path), "%.*s", (int)(slash - name), name);
		mkdirat(dir, path, 0755);
	}
}

/* Removes a file and the directory that thereby becomes empty, but none of the mirror's own. */
static void file_remove(struct mirror *mirror, struct mirrored *file)
{
	char *slash = strrchr(file->name, '/');

	unlinkat(mirror->dir, file->name, 0);
	if (slash && strchr(file->name, '/') != slash) {
		*slash = 0;
		unlinkat(mirror->dir, file->name, AT_REMOVEDIR);
	}
	*file = mirror->files[--mirror->count];
}

/* Puts a received piece in place and remembers it as known, so that it is not sent back. */
static void piece_store(struct mirror *mirror, const struct frame *frame, const char *bytes)
{
	struct mirrored *file = mirrored_find(mirror, frame->name);
	const char *name = frame->name;
	struct stat stat;
	int fd;

	if (frame->offset == FRAME_REMOVED) {
		file_remove(mirror, file);
		return;
	}
	if (mirror->arrival)
		mirror->arrival(frame->name);
	parents_make(mirror->dir, frame->name);
	/* An empty file is filled in place: someone may follow it. */
	if (!frame->offset && !fstatat(mirror->dir, name, &stat, AT_SYMLINK_NOFOLLOW) &&
	    stat.st_size)
		name = TEMPORARY;
	fd = openat(mirror->dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, frame->mode);
	if (fd < 0)
		err(2, "%s", frame->name);
	write_all(fd, bytes, frame->size, frame->offset, frame->name);
	if (fchmod(fd, frame->mode) || fstat(fd, &stat))
		err(2, "%s", frame->name);
	close(fd);
	if (name != frame->name && renameat(mirror->dir, name, mirror->dir, frame->name))
		err(2, "%s", frame->name);
	if (frame->offset < HEAD_SIZE) {
		size_t room = HEAD_SIZE - frame->offset;

		memcpy(file->head + frame->offset, bytes, frame->size < room ? frame->size : room);
	}
	file->inode = stat.st_ino;
	file->changed = stat.st_mtim;
	file->size = frame->offset + frame->size;
	file->round = mirror->round;
}

/* Where the other side's copy stops being right: 0 for a file that was rewritten. */
static uint64_t known_size(const struct mirrored *file, int fd, const struct stat *stat)
{
	char head[HEAD_SIZE];
	size_t known = file->size < HEAD_SIZE ? file->size : HEAD_SIZE;

	if (file->inode != stat->st_ino || file->size > (uint64_t)stat->st_size)
		return 0;
	if (pread(fd, head, known, 0) != (ssize_t)known || memcmp(head, file->head, known))
		return 0;
	return file->size;
}

/* Sends what the other side does not have of one file; the number of frames, -1: no more room. */
static int file_send(struct mirror *mirror, const char *name)
{
	struct mirrored *file = mirrored_find(mirror, name);
	struct frame *frame = (struct frame *)mirror->piece;
	char *bytes = mirror->piece + sizeof(*frame);
	struct stat stat;
	int fd = openat(mirror->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int frames = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &stat))
		err(2, "%s", name);
	for (uint64_t offset = known_size(file, fd, &stat);;) {
		ssize_t size = pread(fd, bytes, FRAME_PIECE, offset);

		if (size < 0)
			err(2, "%s", name);
		if (!size && (offset || file->inode == stat.st_ino) && offset == file->size)
			break;
		*frame = (struct frame){ .offset = offset,
					 .size = size,
					 .mode = stat.st_mode & 0777 };
		memcpy(frame->name, file->name, sizeof(frame->name));
		if (!frame_send(mirror->link, mirror->piece, sizeof(*frame) + size)) {
			close(fd);
			return -1;
		}
		if (offset < HEAD_SIZE) {
			size_t room = HEAD_SIZE - offset;

			memcpy(file->head + offset, bytes,
			       (size_t)size < room ? (size_t)size : room);
		}
		offset += size;
		file->inode = stat.st_ino;
		file->size = offset;
		frames++;
	}
	file->changed = stat.st_mtim;
	close(fd);
	return frames;
}

/*
 * The oldest first. A kernel's file times are those of its last tick, so that what is written to
 * announce other files is often as old as they are: it has the name that sorts behind theirs.
 */
static int changed_order(const void *left, const void *right)
{
	const struct changed *a = left, *b = right;

	if (a->when.tv_sec != b->when.tv_sec)
		return a->when.tv_sec < b->when.tv_sec ? -1 : 1;
	if (a->when.tv_nsec != b->when.tv_nsec)
		return a->when.tv_nsec < b->when.tv_nsec ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool file_changed(const struct mirrored *file, const struct stat *stat)
{
	return file->inode != stat->st_ino || file->size != (uint64_t)stat->st_size ||
	       memcmp(&file->changed, &stat->st_mtim, sizeof(stat->st_mtim));
}

/* Adds what changed in one directory to the mirror's list. */
static void changed_find(struct mirror *mirror, const char *path)
{
	struct dirent *entry;
	DIR *dir = fdopendir(openat(mirror->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (!dir)
		return;
	/* cppcheck-suppress readdirCalled */
	while ((entry = readdir(dir))) {
		char name[FRAME_NAME];
		struct mirrored *file;
		struct changed *changed;
		struct stat stat;

		if (entry->d_name[0] == '.' ||
		    snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >= FRAME_NAME ||
		    fstatat(mirror->dir, name, &stat, AT_SYMLINK_NOFOLLOW))
			continue;
		if (S_ISDIR(stat.st_mode))
			changed_find(mirror, name);
		if (!S_ISREG(stat.st_mode))
			continue;
		file = mirrored_find(mirror, name);
		file->round = mirror->round;
		if (!file_changed(file, &stat))
			continue;
		mirror->changed = array_grow(mirror->changed, mirror->changed_count,
					     &mirror->changed_room, sizeof(*changed));
		changed = &mirror->changed[mirror->changed_count++];
		memcpy(changed->name, file->name, sizeof(changed->name));
		changed->when = stat.st_mtim;
	}
	closedir(dir);
}

/* Tells the other side of known files that are no longer here. */
static int removals_send(struct mirror *mirror)
{
	int frames = 0;

	for (size_t i = 0; i < mirror->count;) {
		struct mirrored *file = &mirror->files[i];
		struct frame frame = { .offset = FRAME_REMOVED };

		if (file->round == mirror->round) {
			i++;
			continue;
		}
		memcpy(frame.name, file->name, sizeof(frame.name));
		if (!frame_send(mirror->link, (const char *)&frame, sizeof(frame)))
			break;
		*file = mirror->files[--mirror->count];
		frames++;
	}
	return frames;
}

int mirror_step(struct mirror *mirror)
{
	static const char *const parts[] = { LINK_PARTS };
	int frames = 0;

	for (; frame_receive(mirror->link, mirror->piece); frames++)
		piece_store(mirror, (struct frame *)mirror->piece,
			    mirror->piece + sizeof(struct frame));
	mirror->round++;
	mirror->changed_count = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		changed_find(mirror, parts[i]);
	qsort(mirror->changed, mirror->changed_count, sizeof(*mirror->changed), changed_order);
	for (size_t i = 0; i < mirror->changed_count; i++) {
		int sent = file_send(mirror, mirror->changed[i].name);

		if (sent < 0)
			return frames;
		frames += sent;
	}
	return frames + removals_send(mirror);
}
