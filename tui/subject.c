// SPDX-License-Identifier: GPL-2.0
#include "tui/subject.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tui/term.h"

#define LOOK_MS	 500  /* between two looks at the counters: a kilobyte each */
#define WHOLE_MS 2000 /* between two readings for what no counter tells: A and D, permissions */
#define DUTY	 20   /* reading takes at most one part in so many of the time */

int64_t tui_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void tui_subject_init(struct tui_subject *s, unsigned int image_flags)
{
	memset(s, 0, sizeof(*s));
	s->image_flags = image_flags;
	for (int i = 0; i < 2; i++)
		spt_model_init(&s->model[i]);
	spt_model_init(&s->glance);
}

/* A key ends a long reading: it is done again afterwards. */
static int reading(void *arg, uint64_t done, uint64_t total)
{
	return tui_term_waiting();
}

int tui_subject_open(struct tui_subject *s, const char *id, const char *image,
		     struct spt_error *err)
{
	unsigned int flags = s->image_flags;
	int rc;

	tui_subject_close(s);
	tui_subject_init(s, flags);
	s->live = !image;
	snprintf(s->name, sizeof(s->name), "%s", image ? image : id);
	if (image)
		return spt_source_open_file(image, &s->source[0], err);
	s->pid = atoi(id);
	rc = spt_source_open_vm(id, &s->source[0], err);
	if (!rc)
		rc = spt_source_open_vm(id, &s->source[1], err);
	for (int i = 0; i < 2 && !rc; i++)
		spt_source_set_progress(s->source[i], reading, NULL);
	return rc;
}

void tui_subject_close(struct tui_subject *s)
{
	for (int i = 0; i < 2; i++) {
		spt_model_deinit(&s->model[i]);
		if (s->source[i])
			spt_source_close(s->source[i]);
		s->source[i] = NULL;
	}
	spt_model_deinit(&s->glance);
	s->loaded = false;
}

const struct spt_model *tui_subject_model(const struct tui_subject *s)
{
	return s->loaded ? &s->model[s->now] : NULL;
}

bool tui_subject_has(const struct tui_subject *s, const struct spt_request *req)
{
	const struct spt_request *have = &s->have;

	if (!s->loaded)
		return false;
	if (!s->live || s->gone)
		return true;
	if (req->parts & ~have->parts)
		return false;
	if (!have->len)
		return true;
	return req->len && req->start >= have->start &&
	       req->start - have->start + req->len <= have->len;
}

uint32_t tui_subject_unread(const struct tui_subject *s, uint32_t parts)
{
	return s->live && s->loaded ? parts & ~s->have.parts : 0;
}

bool tui_subject_range(const struct tui_subject *s, uint64_t *start, uint64_t *len)
{
	*start = s->have.start;
	*len = s->have.len;
	return s->live && s->loaded && s->have.len;
}

static void keep_counters(struct tui_subject *s, const struct spt_model *m)
{
	for (unsigned int i = 0; i < SPT_VM_COUNT; i++)
		if (!spt_value(&m->vm, i, &s->counters[i]))
			s->counters[i] = 0;
}

static bool counters_moved(const struct tui_subject *s, const struct spt_model *m)
{
	for (unsigned int i = 0; i < SPT_VM_COUNT; i++) {
		uint64_t value = 0;

		spt_value(&m->vm, i, &value);
		/* Our own references. */
		if (i != SPT_VM_USERS_COUNT && value != s->counters[i])
			return true;
	}
	return false;
}

static void plan(struct tui_subject *s, int64_t began)
{
	int64_t now = tui_now_ms(), cost = (now - began) * DUTY;

	s->due_ms = now + (cost > LOOK_MS ? cost : LOOK_MS);
	s->whole_ms = now + (cost > WHOLE_MS ? cost : WHOLE_MS);
}

int tui_subject_read(struct tui_subject *s, const struct spt_request *req, struct spt_error *err)
{
	int next = s->live && s->loaded ? !s->now : s->now, rc;
	int64_t began = tui_now_ms();

	if (s->gone || (!s->live && s->loaded))
		return 0;
	rc = spt_model_read(&s->model[next], s->source[next], s->live ? req : NULL, s->image_flags,
			    err);
	if (rc)
		return rc;
	s->now = next;
	s->loaded = true;
	s->have = *req;
	s->reads++;
	if (s->live) {
		keep_counters(s, &s->model[next]);
		plan(s, began);
	}
	return 0;
}

int tui_subject_snapshot(const struct tui_subject *s, struct spt_source **ret,
			 struct spt_error *err)
{
	const struct spt_image *img = &s->model[s->now].image;

	return spt_source_open_memory(img->base, img->len, s->name, ret, err);
}

/* The VMM has ended. Whoever holds the VM keeps its memory: let go, but keep what was read. */
static int end(struct tui_subject *s, struct spt_error *err)
{
	struct spt_source *kept = NULL;

	if (s->loaded && tui_subject_snapshot(s, &kept, NULL))
		s->loaded = false;
	if (kept && spt_model_read(&s->model[!s->now], kept, NULL, s->image_flags, NULL))
		s->loaded = false;
	for (int i = 0; i < 2; i++)
		spt_source_close(s->source[i]);
	s->now = !s->now;
	s->source[s->now] = kept;
	s->source[!s->now] = NULL;
	s->gone = true;
	s->reads++;
	return spt_fail(err, ESRCH, "VM %s has ended; this is what was seen of it last", s->name);
}

static bool vmm_is_gone(const struct tui_subject *s)
{
	return kill(s->pid, 0) && errno == ESRCH;
}

static bool says_gone(int rc)
{
	return rc == -ENODEV || rc == -ESTALE || rc == -ENOENT || rc == -ESRCH;
}

int tui_subject_look(struct tui_subject *s, const struct spt_request *req, struct spt_error *err)
{
	const struct spt_request vm = { .parts = SPT_PART_VM };
	int other = s->loaded ? !s->now : s->now, rc;
	int64_t now = tui_now_ms();

	if (!s->live || s->gone || now < s->due_ms)
		return 0;
	if (vmm_is_gone(s))
		return end(s, err);
	s->due_ms = now + LOOK_MS;
	if (!req->parts)
		return 0;
	if (now < s->whole_ms) {
		rc = spt_model_read(&s->glance, s->source[other], &vm, 0, err);
		if (says_gone(rc))
			return end(s, err);
		if (rc || !counters_moved(s, &s->glance))
			return rc;
	}
	rc = tui_subject_read(s, req, err);
	if (says_gone(rc))
		return end(s, err);
	return rc ? rc : 1;
}

int tui_subject_wait(const struct tui_subject *s)
{
	int64_t left = s->due_ms - tui_now_ms();

	if (!s->live || s->gone)
		return -1;
	return left > 0 ? (int)left : 0;
}
