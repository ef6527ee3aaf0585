// SPDX-License-Identifier: GPL-2.0
/* The images of a report. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/address.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/target.h"
#include "spt/events.h"
#include "spt/walk.h"

/* What a page's image has besides what its walk needs. */
#define PAGE_PARTS (SPT_WALK_PARTS | SPT_PART_VCPUS | SPT_PART_LPAGE)

/* Dirty bitmaps and reverse maps are in for the audit, the host's mapping for walks. */
#define IMAGE_PARTS (SPT_PARTS_DEFAULT | SPT_PART_HOST_RUNS | SPT_PART_DIRTY | SPT_PART_RMAPS)

static void path_of(const struct report *r, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", r->work, name);
}

static int save(struct report *r, struct spt_source *source, const char *name,
		const struct spt_save *what, struct spt_saved *saved)
{
	struct cli_progress progress = cli_progress_begin(r->cli, "saving");
	struct spt_save how = *what;
	char path[128];
	int rc;

	path_of(r, name, path, sizeof(path));
	how.compress = true;
	how.progress = cli_progress_step;
	how.arg = &progress;
	spt_source_set_progress(source, cli_progress_step, &progress);
	rc = spt_save(source, path, &how, saved, &r->cli->error);
	spt_source_set_progress(source, NULL, NULL);
	cli_progress_end(&progress);
	return rc;
}

/* The page that a walk of a live VM is about, a moment later than the image. */
static int save_page(struct report *r, struct spt_source *source)
{
	struct spt_save how = { .req = { .parts = PAGE_PARTS, .len = 1ULL << SPT_PAGE_SHIFT } };
	uint64_t gpa;
	int rc;

	if (!r->walk[0] || strcmp(r->walk[0], "gpa") != 0 || !r->live)
		return 0;
	rc = cli_parse_address(r->walk[1], "--walk", &gpa, &r->cli->error);
	if (rc)
		return rc;
	how.req.start = gpa & ~(how.req.len - 1);
	rc = save(r, source, REPORT_PAGE, &how, NULL);
	r->have_page = !rc;
	return rc;
}

typedef int (*image_fn)(struct report *r, const char *path, const struct spt_image *img);

static int with_image(struct report *r, const char *name, image_fn fn)
{
	struct spt_source *source;
	struct spt_image img;
	char path[128];
	int rc;

	path_of(r, name, path, sizeof(path));
	rc = spt_source_open_file(path, &source, &r->cli->error);
	if (rc)
		return rc;
	rc = spt_source_read(source, NULL, cli_image_flags(r->cli), &img, &r->cli->error);
	if (!rc)
		rc = fn(r, path, &img);
	spt_source_close(source);
	return rc;
}

static int take_head(struct report *r, const char *path, const struct spt_image *img)
{
	r->head = img->head;
	return 0;
}

static int count_code(void *arg, const struct spt_event *event)
{
	struct report *r = arg;

	r->guest_code += event->code_len != 0;
	return 0;
}

static int count_guest(struct report *r, const char *path, const struct spt_image *img)
{
	r->guest_pages += img->count[SPT_REC_GUEST_TABLE];
	spt_events_each(img, count_code, r, NULL);
	return 0;
}

static int learn(struct report *r, const char *path, const struct spt_image *img)
{
	return spt_redaction_learn(r->redaction, img, &r->cli->error);
}

static int rewrite(struct report *r, const char *path, const struct spt_image *img)
{
	struct spt_save how = { .compress = true };
	struct spt_source *source = NULL;
	struct spt_temporary copy = { 0 };
	size_t len;
	int rc = spt_redaction_apply(r->redaction, img, &copy, &len, &r->lost, &r->cli->error);

	if (!rc)
		rc = spt_source_open_memory(copy.at, len, path, &source, &r->cli->error);
	spt_temporary_put(&copy);
	/* The recording is its maker's: what stands here for it is no more than its name. */
	if (!rc && unlink(path))
		rc = cli_fail(r->cli, errno, "%s: %s", path, strerror(errno));
	if (!rc)
		rc = spt_save(source, path, &how, NULL, &r->cli->error);
	if (source)
		spt_source_close(source);
	return rc;
}

static int with_images(struct report *r, image_fn fn)
{
	int rc = with_image(r, REPORT_IMAGE, fn);

	if (!rc && r->have_page)
		rc = with_image(r, REPORT_PAGE, fn);
	if (!rc && r->events)
		rc = with_image(r, REPORT_EVENTS, fn);
	return rc;
}

static int redact(struct report *r)
{
	uint64_t hpa;
	int rc;

	r->redaction = spt_redaction_create();
	if (!r->redaction)
		return cli_fail(r->cli, ENOMEM, "out of memory");
	rc = with_images(r, learn);
	/* The page that --walk asks for may be nobody's. */
	if (!rc && r->walk[0] && !strcmp(r->walk[0], "hpa")) {
		rc = cli_parse_address(r->walk[1], "--walk", &hpa, &r->cli->error);
		if (!rc)
			rc = spt_redaction_learn_hpa(r->redaction, hpa, &r->cli->error);
	}
	return rc ? rc : with_images(r, rewrite);
}

/* The recording that was given, by the name that it has in the report. */
static int name_events(struct report *r)
{
	char path[128];

	if (!r->events)
		return 0;
	path_of(r, REPORT_EVENTS, path, sizeof(path));
	return symlink(r->events, path) ? cli_fail(r->cli, errno, "%s: %s", path, strerror(errno))
					: 0;
}

int report_images(struct report *r)
{
	struct spt_save how = { .guest_tables = r->guest_tables };
	struct spt_source *source;
	int rc = cli_source(r->cli, &source);

	if (rc)
		return rc;
	r->live = spt_source_is_live(source);
	if (r->live)
		how.req.parts = IMAGE_PARTS;
	else if (r->guest_tables)
		return cli_fail(r->cli, EINVAL,
				"report --with needs a live VM: an image has what it has");
	rc = save(r, source, REPORT_IMAGE, &how, &r->saved);
	if (!rc)
		rc = save_page(r, source);
	if (!rc)
		rc = with_image(r, REPORT_IMAGE, take_head);
	if (!rc)
		rc = name_events(r);
	if (!rc)
		rc = with_images(r, count_guest);
	r->pid = r->head.pid;
	if (!rc && r->redact)
		rc = redact(r);
	return rc;
}
