// SPDX-License-Identifier: GPL-2.0
/*
 * bench-image FIGURE IMAGE: page-table bytes per second through the agent's
 * image file, against read() of a tmpfs file that is as large as the tables,
 * with the same buffer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/spt_image.h"
#include "ratio.h"

#define BUFFER_BYTES (256 << 10)
#define PAGE_BYTES   4096
#define ROUNDS	     41
#define ROUNDS_MOST  1001
#define SPAN_NS	     2000000000ull /* so long that a burst of other load is not most of it */

struct reader {
	int fd;
	char *buffer;
	char tail[sizeof(struct spt_end)]; /* the last bytes read */
};

static void keep_tail(struct reader *r, const char *p, size_t n)
{
	size_t keep = sizeof(r->tail);

	if (n >= keep) {
		memcpy(r->tail, p + n - keep, keep);
		return;
	}
	memmove(r->tail, r->tail + n, keep - n);
	memcpy(r->tail + keep - n, p, n);
}

static int read_all(void *ctx)
{
	struct reader *r = ctx;
	ssize_t n;

	if (lseek(r->fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = read(r->fd, r->buffer, BUFFER_BYTES)) > 0)
		keep_tail(r, r->buffer, n);
	return n < 0 ? -errno : 0;
}

/* A tmpfs file of 'bytes' bytes whose pages all exist. */
static int tmpfs_file(size_t bytes)
{
	char page[PAGE_BYTES];
	int fd = memfd_create("tables", 0);

	if (fd < 0)
		return -errno;
	memset(page, 0x5a, sizeof(page));
	for (size_t done = 0; done < bytes; done += sizeof(page))
		if (write(fd, page, sizeof(page)) != sizeof(page)) {
			close(fd);
			return -ENOSPC;
		}
	return fd;
}

/* More rounds of what is short. */
static unsigned int rounds_of(struct reader *ours, struct reader *theirs)
{
	uint64_t begin = bench_now(), rounds;

	read_all(ours);
	read_all(theirs);
	rounds = SPAN_NS / (bench_now() - begin);
	return rounds < ROUNDS ? ROUNDS : rounds > ROUNDS_MOST ? ROUNDS_MOST : (unsigned int)rounds;
}

int main(int argc, char **argv)
{
	struct reader ours = { 0 }, theirs = { 0 };
	struct bench_side a = { "image", read_all, &ours, 0 };
	struct bench_side b = { "read of tmpfs", read_all, &theirs, 0 };
	struct spt_end end;
	int err;

	if (argc != 3)
		bench_fail("usage: bench-image FIGURE IMAGE");
	ours.fd = open(argv[2], O_RDWR);
	ours.buffer = malloc(BUFFER_BYTES);
	theirs.buffer = malloc(BUFFER_BYTES);
	if (ours.fd < 0 || !ours.buffer || !theirs.buffer)
		bench_fail("%s: %s", argv[2], strerror(errno));
	memset(ours.buffer, 0, BUFFER_BYTES);
	memset(theirs.buffer, 0, BUFFER_BYTES);
	err = read_all(&ours);
	memcpy(&end, ours.tail, sizeof(end));
	if (err || end.rec.type != SPT_REC_END || !end.tables)
		bench_fail("%s: no complete image with tables", argv[2]);
	theirs.fd = tmpfs_file(end.tables * PAGE_BYTES);
	if (theirs.fd < 0)
		bench_fail("tmpfs file: %s", strerror(-theirs.fd));
	err = bench_alternate(&a, &b, rounds_of(&ours, &theirs));
	if (err)
		bench_fail("%s", strerror(-err));
	fprintf(stderr, "%s: %llu tables\n", argv[1], (unsigned long long)end.tables);
	bench_print(argv[1], (double)b.median_ns / a.median_ns, &a, &b);
	free(ours.buffer);
	free(theirs.buffer);
	close(ours.fd);
	close(theirs.fd);
	return 0;
}
