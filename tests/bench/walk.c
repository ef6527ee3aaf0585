// SPDX-License-Identifier: GPL-2.0
/*
 * bench-walk FIGURE VM PID GPA: a live 'walk gpa' as a running shell does it
 * (request, image, model, verdict), against one pread() of the entry of the same
 * page in /proc/PID/pagemap.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ratio.h"
#include "spt/walk.h"

#define ROUNDS 31
#define BATCH  64 /* calls a timed round, so that the clock's own cost does not show */

struct live_walk {
	struct spt_source *src;
	struct spt_model model;
	struct spt_walk walk;
	struct spt_error err;
	uint64_t gpa;
};

struct pagemap {
	int fd;
	off_t offset;
};

static int walk_batch(void *ctx)
{
	struct live_walk *w = ctx;

	for (int i = 0; i < BATCH; i++) {
		int err = spt_walk_gpa_from(w->src, &w->model, w->gpa, 0, &w->walk, &w->err);

		if (err)
			return err;
	}
	return 0;
}

static int pagemap_batch(void *ctx)
{
	struct pagemap *p = ctx;
	uint64_t entry;

	for (int i = 0; i < BATCH; i++)
		if (pread(p->fd, &entry, sizeof(entry), p->offset) != sizeof(entry))
			return -EIO;
	return 0;
}

int main(int argc, char **argv)
{
	static struct live_walk live;
	struct pagemap pagemap;
	struct bench_side a = { "walk gpa", walk_batch, &live, 0 };
	struct bench_side b = { "pread of pagemap", pagemap_batch, &pagemap, 0 };
	char path[64];
	int err;

	if (argc != 5)
		bench_fail("usage: bench-walk FIGURE VM PID GPA");
	live.gpa = strtoull(argv[4], NULL, 0);
	spt_model_init(&live.model);
	if (spt_source_open_vm(argv[2], &live.src, &live.err) || walk_batch(&live))
		bench_fail("%s", live.err.text);
	if (live.walk.verdict != SPT_VERDICT_COHERENT) {
		fprintf(stderr, "bench-walk: 0x%" PRIx64 " is not mapped: %s\n", live.gpa,
			live.walk.reason);
		return 2;
	}
	snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[3]);
	pagemap.fd = open(path, O_RDONLY);
	pagemap.offset = live.walk.hva / 4096 * sizeof(uint64_t);
	if (pagemap.fd < 0)
		bench_fail("%s: %s", path, strerror(errno));
	err = bench_alternate(&a, &b, ROUNDS);
	if (err)
		bench_fail("%s", live.err.text[0] ? live.err.text : strerror(-err));
	bench_print(argv[1], (double)a.median_ns / b.median_ns, &a, &b);
	spt_model_deinit(&live.model);
	spt_source_close(live.src);
	close(pagemap.fd);
	return 0;
}
