// SPDX-License-Identifier: GPL-2.0
/* bench-scale FIGURE IMAGE [IMAGE]: one figure as a line of JSON; see scale.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/scale/scale.h"

#define ROUNDS 9

struct bench {
	const struct scale_figure *figure;
	struct scale_image image[SCALE_IMAGES];
	unsigned int repeat; /* passes a timed round, so that small images can be timed, too */
	struct spt_error err;
};

static volatile uint64_t sink;

void scale_map(struct scale_image *image, bool populate)
{
	int fd = open(image->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *at;

	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		bench_fail("%s: cannot open: %s", image->path, strerror(errno));
	at = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE | (populate ? MAP_POPULATE : 0), fd, 0);
	if (at == MAP_FAILED)
		bench_fail("%s: cannot map: %s", image->path, strerror(errno));
	close(fd);
	image->bytes = at;
	image->len = st.st_size;
}

void scale_unmap(struct scale_image *image)
{
	munmap((void *)image->bytes, image->len);
	image->bytes = NULL;
}

int scale_load(struct scale_image *image, struct spt_error *err)
{
	int ret = spt_image_open(&image->image, image->bytes, image->len, image->path, 0, err);

	return ret ? ret : spt_model_load(&image->model, &image->image, err);
}

static uint64_t sum(const uint64_t *word, size_t words)
{
	uint64_t total = 0;

	for (size_t i = 0; i < words; i++)
		total += word[i];
	return total;
}

static int run_sum(void *ctx)
{
	struct bench *b = ctx;

	for (unsigned int r = 0; r < b->repeat; r++)
		for (unsigned int i = 0; i < b->figure->images; i++) {
			struct scale_image *image = &b->image[i];

			if (b->figure->unloaded)
				scale_map(image, false);
			sink = sum(image->bytes, image->len / 8);
			if (b->figure->unloaded)
				scale_unmap(image);
		}
	return 0;
}

static int run_ours(void *ctx)
{
	struct bench *b = ctx;
	int ret = 0;

	for (unsigned int r = 0; r < b->repeat && !ret; r++)
		ret = b->figure->run(b->image, &b->err);
	return ret;
}

/* What this process has in memory beside the mapped files. */
static uint64_t anonymous_kib(void)
{
	unsigned long long kib = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %llu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

static const struct scale_figure *find_figure(const char *name)
{
	static const struct scale_figure *const figures[] = {
#define F(id) &scale_##id,
		SCALE_FIGURES(F)
#undef F
	};

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		if (!strcmp(figures[i]->name, name))
			return figures[i];
	bench_fail("no figure %s", name);
}

static void prepare(struct bench *b, char **paths)
{
	const size_t enough = 256U << 20;
	size_t bytes = 0;

	for (unsigned int i = 0; i < b->figure->images; i++) {
		struct scale_image *image = &b->image[i];

		image->path = paths[i];
		spt_model_init(&image->model);
		scale_map(image, true);
		bytes += image->len;
		if (b->figure->unloaded)
			scale_unmap(image);
		else if (scale_load(image, &b->err))
			bench_fail("%s", b->err.text);
	}
	b->repeat = bytes && bytes < enough ? enough / bytes : 1;
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };
	struct bench_side reference = { "one thread of 64-bit adds", run_sum, &b, 0 };
	struct bench_side ours = { NULL, run_ours, &b, 0 };
	uint64_t tables = 0;
	int ret;

	if (argc < 3)
		bench_fail("usage: bench-scale FIGURE IMAGE...");
	b.figure = find_figure(argv[1]);
	if ((unsigned int)argc != 2 + b.figure->images)
		bench_fail("%s wants %u image files", b.figure->name, b.figure->images);
	prepare(&b, argv + 2);
	ours.name = b.figure->ours;
	ret = bench_alternate(&ours, &reference, ROUNDS);
	if (ret)
		bench_fail("%s", b.err.text[0] ? b.err.text : strerror(-ret));
	for (unsigned int i = 0; i < b.figure->images; i++)
		tables += b.image[i].model.nr_nodes;
	printf("{\"name\":\"%s_ratio\",\"value\":%.3f,\"ours\":\"%s\",\"ours_ns\":%llu,"
	       "\"reference\":\"%s\",\"reference_ns\":%llu,\"tables\":%llu,"
	       "\"ns_per_table\":%.1f,\"anonymous_kib\":%llu}\n",
	       b.figure->name, (double)reference.median_ns / ours.median_ns, ours.name,
	       (unsigned long long)(ours.median_ns / b.repeat), reference.name,
	       (unsigned long long)(reference.median_ns / b.repeat), (unsigned long long)tables,
	       (double)ours.median_ns / b.repeat / (tables ? tables : 1),
	       (unsigned long long)anonymous_kib());
	for (unsigned int i = 0; i < b.figure->images; i++)
		spt_model_deinit(&b.image[i].model);
	return 0;
}
