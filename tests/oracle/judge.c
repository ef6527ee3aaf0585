// SPDX-License-Identifier: GPL-2.0
/*
 * Takes images of a VM that changes all the time and looks for one wrong entry:
 * a leaf whose HPA is no memory, or the kernel's, or another VM's; a table that
 * is another VM's; a link to a table that is not there or is of another place.
 * Every so often the VMM is stopped: then the image must be whole, and every
 * leaf must be what the host's pagemap says.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "index.h"
#include "oracle.h"

#define PAGE	    4096UL
#define MOST_SHOWN  20
#define MMU_PRESENT (1UL << 11) /* SPTE_MMU_PRESENT: what makes an entry present for KVM */

struct judge {
	struct host host;
	struct index image;
	const struct format *format;
	int pagemap; /* of the VMM */
	int pid;
	uint8_t *foreign; /* bit per frame: belongs to the other VM */
	uint64_t frames;
	int nr; /* image being judged */
	uint64_t leaves, tables, torn, proved, wrong;
};

static void __attribute__((format(printf, 2, 3))) wrong(struct judge *j, const char *fmt, ...)
{
	va_list args;

	if (j->wrong++ >= MOST_SHOWN)
		return;
	printf("    image %d: ", j->nr);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

static bool is_foreign(const struct judge *j, uint64_t hpa)
{
	uint64_t frame = hpa / PAGE;

	return frame < j->frames && j->foreign[frame / 8] >> (frame % 8) & 1;
}

static void mark_foreign(struct judge *j, uint64_t hpa, uint64_t size)
{
	for (uint64_t frame = hpa / PAGE; frame < (hpa + size) / PAGE && frame < j->frames; frame++)
		j->foreign[frame / 8] |= 1 << (frame % 8);
}

static uint64_t level_size(int level)
{
	return PAGE << 9 * (level - 1);
}

/* The guest frame of a leaf; false: the image does not say. */
static bool leaf_gfn(const struct table *t, unsigned int i, uint64_t *gfn)
{
	if (t->root || t->direct) {
		*gfn = t->page->gfn + (uint64_t)i * (level_size(t->level) / PAGE);
		return true;
	}
	if (!t->translations)
		return false;
	struct table array = {
		.entry = (const uint64_t *)t->translations->entry,
		.chunks = t->translations->chunks,
	};

	*gfn = table_entry(&array, i) >> 12;
	return true;
}

static void judge_proof(struct judge *j, const struct table *t, uint64_t gfn, uint64_t hpa,
			uint64_t size, uint64_t value)
{
	const struct spt_slot *slot = index_slot(&j->image, gfn);

	if (!slot) {
		wrong(j, "stopped, 0x%" PRIx64 " maps gfn 0x%" PRIx64 ", which is in no slot",
		      value, gfn);
		return;
	}
	for (uint64_t at = 0; at < size; at += PAGE) {
		uint64_t hva = slot->hva + (gfn - slot->base_gfn) * PAGE + at, host = 0;
		int err = host_pagemap(j->pagemap, hva, &host);

		if (err || host != hpa + at) {
			wrong(j,
			      "stopped, table 0x%" PRIx64 " level %d: gfn 0x%" PRIx64
			      " is mapped to 0x%" PRIx64 ", the host has 0x%" PRIx64,
			      t->hpa, t->level, gfn + at / PAGE, hpa + at, host);
			return;
		}
	}
	j->proved++;
}

static void judge_leaf(struct judge *j, const struct table *t, unsigned int i, uint64_t value,
		       uint64_t hpa, bool stopped)
{
	uint64_t size = level_size(t->level), gfn;

	j->leaves++;
	if (!host_is_ram(&j->host, hpa, size))
		wrong(j, "leaf 0x%" PRIx64 " in table 0x%" PRIx64 "[%u]: no memory there", value,
		      t->hpa, i);
	else if (hpa != j->host.zero_page && host_is_kernel(&j->host, hpa, size))
		wrong(j, "leaf 0x%" PRIx64 " in table 0x%" PRIx64 "[%u]: the kernel is there",
		      value, t->hpa, i);
	else if (is_foreign(j, hpa))
		wrong(j, "leaf 0x%" PRIx64 " in table 0x%" PRIx64 "[%u]: another VM's page", value,
		      t->hpa, i);
	else if (stopped && leaf_gfn(t, i, &gfn))
		judge_proof(j, t, gfn, hpa, size, value);
}

static void judge_link(struct judge *j, const struct table *t, unsigned int i, uint64_t value,
		       uint64_t hpa, bool torn)
{
	if (!host_is_ram(&j->host, hpa, PAGE) || host_is_kernel(&j->host, hpa, PAGE)) {
		wrong(j, "link 0x%" PRIx64 " in table 0x%" PRIx64 "[%u]: no table can be there",
		      value, t->hpa, i);
		return;
	}
	if (is_foreign(j, hpa)) {
		wrong(j, "link 0x%" PRIx64 " in table 0x%" PRIx64 "[%u]: another VM's page", value,
		      t->hpa, i);
		return;
	}
	if (torn)
		return;
	const struct table *child = index_find(&j->image, hpa, t->level - 1);

	if (!child) {
		wrong(j,
		      "link 0x%" PRIx64 " in table 0x%" PRIx64
		      "[%u]: a whole image without that table",
		      value, t->hpa, i);
		return;
	}
	if (!t->root)
		return;
	if (child->page->gfn != t->page->gfn + (uint64_t)i * (level_size(t->level) / PAGE))
		wrong(j, "table 0x%" PRIx64 " has gfn 0x%" PRIx64 ", its place is another", hpa,
		      (uint64_t)child->page->gfn);
	if (child->page->parent != t->hpa + i * 8UL)
		wrong(j, "table 0x%" PRIx64 " names parent entry 0x%" PRIx64 ", not 0x%" PRIx64,
		      hpa, (uint64_t)child->page->parent, t->hpa + i * 8UL);
}

static void judge_table(struct judge *j, const struct table *t, bool torn, bool stopped)
{
	j->tables++;
	if (!host_is_ram(&j->host, t->hpa, PAGE) || is_foreign(j, t->hpa))
		wrong(j, "table 0x%" PRIx64 ": not this VM's memory", t->hpa);
	if (!t->page)
		return;
	if (t->page->flags & SPT_PAGE_BACKLINK_BAD && !torn)
		wrong(j, "table 0x%" PRIx64 ": a whole image with a table that is none any more",
		      t->hpa);
	for (unsigned int i = 0; i < SPT_TABLE_ENTRIES; i++) {
		uint64_t value = table_entry(t, i);

		if (!(value & MMU_PRESENT))
			continue;
		struct entry e = j->format->decode(value, t->level, j->image.head->maxphyaddr);

		if (e.type == ENTRY_LEAF)
			judge_leaf(j, t, i, value, e.hpa, stopped);
		else if (e.type == ENTRY_TABLE)
			judge_link(j, t, i, value, e.hpa, torn);
		else if (e.type == ENTRY_OTHER && !strcmp(e.why, "reserved"))
			wrong(j,
			      "0x%" PRIx64 " in table 0x%" PRIx64
			      "[%u], level %d: no SPTE looks so",
			      value, t->hpa, i, t->level);
	}
}

/* Every table hangs under its root, and a whole image has no table twice. */
static void judge_whole(struct judge *j)
{
	const struct index *x = &j->image;

	for (size_t i = 0; i < x->tables; i++)
		for (size_t k = 0; k < i; k++)
			if (x->table[i].hpa == x->table[k].hpa)
				wrong(j, "table 0x%" PRIx64 " is there twice", x->table[i].hpa);
}

static void judge_image(struct judge *j, bool stopped)
{
	bool torn = index_torn(&j->image);

	j->torn += torn;
	if (stopped && torn)
		wrong(j,
		      "the VMM was stopped, the image says that it is torn (flags 0x%x, %zu notes)",
		      j->image.end->flags, j->image.notes);
	for (size_t i = 0; i < j->image.tables; i++)
		judge_table(j, &j->image.table[i], torn, stopped);
	if (!torn)
		judge_whole(j);
}

static const struct format *format_of(const struct spt_head *head)
{
	return format_find(head->mmu == SPT_MMU_EPT   ? "ept"
			   : head->mmu == SPT_MMU_NPT ? "npt"
						      : "host");
}

/* Each image is one opening of the file: that is what a user does. */
static int read_image(struct index *x, const char *path)
{
	int fd = open(path, O_RDONLY);
	int err;

	if (fd < 0) {
		err = -errno;
		snprintf(x->error, sizeof(x->error), "%s", strerror(errno));
		return err;
	}
	err = index_read(x, fd);
	close(fd);
	return err;
}

static int take_image(struct judge *j, const char *path, bool stop)
{
	int err = stop ? host_stop(j->pid) : 0;

	if (err) {
		fprintf(stderr, "judge: the VMM %d cannot be stopped: %s\n", j->pid,
			strerror(-err));
		return err;
	}
	if (read_image(&j->image, path)) {
		wrong(j, "%s", j->image.error);
	} else {
		j->format = format_of(j->image.head);
		judge_image(j, stop);
	}
	if (stop)
		host_continue(j->pid);
	return 0;
}

/* All frames of a VM that does not change are foreign to the one that does. */
static int read_foreign(struct judge *j, const char *path)
{
	struct index x = { 0 };
	int err = read_image(&x, path);

	if (err) {
		fprintf(stderr, "judge: %s: %s\n", path, x.error);
		return err;
	}
	j->frames = (j->host.ram[j->host.rams - 1].last + 1) / PAGE;
	j->foreign = calloc(j->frames / 8 + 1, 1);
	for (size_t i = 0; j->foreign && i < x.tables; i++) {
		const struct table *t = &x.table[i];

		mark_foreign(j, t->hpa, PAGE);
		for (unsigned int n = 0; t->page && n < SPT_TABLE_ENTRIES; n++) {
			uint64_t value = table_entry(t, n);
			struct entry e =
				format_of(x.head)->decode(value, t->level, x.head->maxphyaddr);

			if (value & MMU_PRESENT && e.type == ENTRY_LEAF &&
			    e.hpa != j->host.zero_page)
				mark_foreign(j, e.hpa, level_size(t->level));
		}
	}
	index_free(&x);
	return j->foreign ? 0 : -ENOMEM;
}

static int usage(void)
{
	fprintf(stderr,
		"Usage: judge --image FILE --pid PID --foreign FILE [--count N] [--stop-every K]\n"
		"  --image FILE     the agent's image file of the VM that changes\n"
		"  --pid PID        of its VMM\n"
		"  --foreign FILE   the image of another VM, one that does not change\n"
		"  --count N        images to take (default 1000)\n"
		"  --stop-every K   stop the VMM for one image in K (default 10)\n");
	return 2;
}

static int report(const struct judge *j, int count, int stops)
{
	bool good = !j->wrong && j->leaves && j->tables && j->proved;

	printf("%s no-wrong-entry: %d images, %" PRIu64 " tables, %" PRIu64 " leaves; %" PRIu64
	       " images torn and said so; %" PRIu64
	       " leaves of %d images of the stopped guest are what "
	       "the host's pagemap says; %" PRIu64 " wrong\n",
	       good ? "ok" : "not ok", count, j->tables, j->leaves, j->torn, j->proved, stops,
	       j->wrong);
	return good ? 0 : 1;
}

static const struct option long_options[] = {
	{ "image", required_argument, NULL, 'i' },	{ "pid", required_argument, NULL, 'p' },
	{ "foreign", required_argument, NULL, 'f' },	{ "count", required_argument, NULL, 'c' },
	{ "stop-every", required_argument, NULL, 's' }, { 0 },
};

int main(int argc, char **argv)
{
	const char *image = NULL, *foreign = NULL;
	struct judge j = { 0 };
	int count = 1000, every = 10, stops = 0;

	for (int opt; (opt = getopt_long(argc, argv, "", long_options, NULL)) >= 0;) {
		switch (opt) {
		case 'i':
			image = optarg;
			break;
		case 'f':
			foreign = optarg;
			break;
		case 'p':
			j.pid = atoi(optarg);
			break;
		case 'c':
			count = atoi(optarg);
			break;
		case 's':
			every = atoi(optarg);
			break;
		default:
			return usage();
		}
	}
	if (!image || !foreign || j.pid <= 1 || count < 1 || every < 1)
		return usage();
	int err = host_read(&j.host);

	if (err) {
		fprintf(stderr, "judge: /proc/iomem, pagemap: %s (be root)\n", strerror(-err));
		return 2;
	}
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", j.pid);
	int fd = open(path, O_RDONLY);

	if (fd < 0) {
		fprintf(stderr, "judge: %s: %s\n", path, strerror(errno));
		return 2;
	}
	j.pagemap = fd;
	err = read_foreign(&j, foreign);
	for (j.nr = 1; !err && j.nr <= count; j.nr++) {
		bool stop = j.nr % every == 0;

		err = take_image(&j, image, stop);
		stops += stop;
	}
	close(fd);
	return err ? 2 : report(&j, count, stops);
}
