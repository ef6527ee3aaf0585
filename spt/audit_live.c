// SPDX-License-Identifier: GPL-2.0
/*
 * A live VM is looked at again. The first image shows what is suspicious; then
 * fresh images, of the suspects' addresses alone where addresses say where they are,
 * must show the very same thing again and again, each of them without a sign that
 * something moved. One that does not show it was a change under way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spt/audit_engine.h"

#define CONFIRMATIONS 6		   /* images that must show it */
#define MAX_LOOKS     14	   /* at one place, those that moved among them */
#define NARROW_BLOCKS 8		   /* more places than that are looked at in whole images */
#define BLOCK_LEVEL   2		   /* what one narrow image is of */
#define FROZEN_NS     1000000000LL /* a frozen entry is unfrozen within one flush */
#define STUCK_NS      3000000000LL
#define NS_PER_MS     1000000LL

/* Milliseconds before each look: changes take from microseconds to a few time slices. */
static const unsigned int pauses[MAX_LOOKS] = {
	0, 1, 2, 5, 10, 20, 40, 80, 80, 80, 80, 80, 80, 80
};

struct candidate {
	struct spt_audit_finding f;
	unsigned int confirmed;
	int64_t since; /* the end of the first look that showed it */
	int64_t until; /* the start of the last one */
	bool gone;
	bool seen; /* in the image just audited */
	bool steady;
};

struct confirm {
	struct spt_audit *out;
	struct spt_source *src;
	struct spt_model *model;
	unsigned int flags;
	unsigned int parts;
	struct candidate *candidate;
	size_t count;
	uint64_t unseen[SPT_AUDIT_RULE_COUNT]; /* beyond those kept: neither confirmed nor gone */
	struct spt_error *err;
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* How long a thing must last, beside being seen often enough. */
static int64_t must_last(enum spt_audit_rule_nr rule)
{
	if (rule == SPT_AUDIT_FROZEN)
		return FROZEN_NS;
	return rule == SPT_AUDIT_INVALIDATE_STUCK ? STUCK_NS : 0;
}

/* Rules that are about something not moving: an image cannot be too restless for them. */
static bool lasts(enum spt_audit_rule_nr rule)
{
	return must_last(rule) > 0;
}

static bool is_open(const struct candidate *c)
{
	return !c->gone &&
	       (c->confirmed < CONFIRMATIONS || c->until - c->since < must_last(c->f.rule));
}

/* The same breach at the same place; the hardware's own bits may have changed. */
static bool same(const struct spt_model *m, const struct spt_audit_finding *a,
		 const struct spt_audit_finding *b)
{
	uint64_t mask = ~(m->format.accessed | m->format.dirty);

	return a->rule == b->rule && a->root == b->root && a->gpa == b->gpa &&
	       a->table == b->table && a->index == b->index && a->level == b->level &&
	       !((a->spte ^ b->spte) & mask) && !strcmp(a->found, b->found) &&
	       !strcmp(a->expected, b->expected);
}

/* Findings that an image of their address is enough for: that of a second link lacks the first. */
static bool is_narrow(const struct spt_model *m, const struct spt_audit_finding *f)
{
	const struct spt_node *node = spt_node_find(m, f->table);

	/*
	 * Attributes of all of a huge page, both entries that lead to a table or a page, and
	 * what is not where a range of addresses is looked for.
	 */
	if (f->rule == SPT_AUDIT_HUGE_ATTRS || f->rule == SPT_AUDIT_LINKED_ONCE ||
	    f->rule == SPT_AUDIT_ONE_HALF || f->rule == SPT_AUDIT_MIRROR_USER ||
	    f->rule == SPT_AUDIT_SHARED_BIT)
		return false;
	return f->level && f->gpa != ~0ULL && node && node->direct && node->page &&
	       !audit_is_shadow(node);
}

static uint64_t block_of(const struct spt_audit_finding *f)
{
	return f->gpa & ~(spt_level_size(BLOCK_LEVEL) - 1);
}

static void match(struct confirm *c, const struct audit_part *all)
{
	for (size_t i = 0; i < c->count; i++) {
		struct candidate *x = &c->candidate[i];

		for (size_t s = 0; s < all->nr_suspects && !x->seen; s++) {
			if (!same(c->model, &x->f, &all->suspect[s].f))
				continue;
			x->seen = true;
			x->steady = !all->suspect[s].moving || lasts(x->f.rule);
		}
	}
}

/* One more image, of everything or of the block at @start, audited for @rules. */
static int look(struct confirm *c, uint64_t rules, uint64_t start, uint64_t len)
{
	struct spt_request req = { .parts = c->parts, .start = start, .len = len };
	struct spt_audit again = { .request = c->out->request };
	struct audit_part all = { 0 };
	int ret;

	again.request.rules = rules;
	again.request.progress = NULL;
	if (len) {
		again.request.start = start;
		again.request.len = len;
	}
	/* As many as there could be: those that are looked for may not be the first. */
	again.request.max = 0xffff;
	ret = spt_source_read(c->src, &req, c->flags, &c->model->image, c->err);
	if (!ret)
		ret = spt_model_load(c->model, &c->model->image, c->err);
	if (!ret)
		ret = audit_run(&again, c->model, true, &all, c->err);
	if (!ret)
		match(c, &all);
	audit_part_free(&all);
	c->out->reads++;
	return ret;
}

/* The blocks that the open candidates lie in; more than @max: returns @max + 1. */
static size_t find_blocks(const struct confirm *c, const bool *narrow, uint64_t *block, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < c->count; i++) {
		size_t b = 0;

		if (!is_open(&c->candidate[i]) || !narrow[i])
			continue;
		while (b < count && block[b] != block_of(&c->candidate[i].f))
			b++;
		if (b == count && count == max)
			return max + 1;
		if (b == count)
			block[count++] = block_of(&c->candidate[i].f);
	}
	return count;
}

static uint64_t open_rules(const struct confirm *c, const bool *narrow, bool which)
{
	uint64_t rules = 0;

	for (size_t i = 0; i < c->count; i++)
		if (is_open(&c->candidate[i]) && narrow[i] == which)
			rules |= 1ULL << c->candidate[i].f.rule;
	return rules;
}

/* Every open candidate once more. */
static int look_at_all(struct confirm *c, bool *narrow)
{
	uint64_t block[NARROW_BLOCKS], rules = open_rules(c, narrow, true);
	size_t blocks = find_blocks(c, narrow, block, NARROW_BLOCKS);
	int ret = 0;

	if (blocks > NARROW_BLOCKS) {
		memset(narrow, 0, c->count * sizeof(*narrow));
		blocks = 0;
	}
	for (size_t b = 0; b < blocks && !ret; b++)
		ret = look(c, rules, block[b], spt_level_size(BLOCK_LEVEL));
	rules = open_rules(c, narrow, false);
	return ret || !rules ? ret : look(c, rules, 0, 0);
}

/* After a look that began at @start. */
static void judge(struct confirm *c, int64_t start)
{
	for (size_t i = 0; i < c->count; i++) {
		struct candidate *x = &c->candidate[i];

		if (!is_open(x))
			continue;
		if (!x->seen)
			x->gone = true;
		if (!x->seen || !x->steady)
			continue;
		if (!x->confirmed++)
			x->since = now_ns();
		x->until = start;
	}
}

static bool any_open(const struct confirm *c, bool lasting)
{
	for (size_t i = 0; i < c->count; i++)
		if (is_open(&c->candidate[i]) && (!lasting || lasts(c->candidate[i].f.rule)))
			return true;
	return false;
}

static void pause_ms(unsigned int ms)
{
	struct timespec ts = { .tv_nsec = ms * NS_PER_MS };

	if (ms)
		nanosleep(&ts, NULL);
}

static int interrupted(const struct confirm *c)
{
	const struct spt_audit_request *req = &c->out->request;

	if (req->progress && req->progress(req->progress_arg, 1, 1))
		return spt_fail(c->err, EINTR, "%s: interrupted", spt_source_name(c->src));
	return 0;
}

static int confirm(struct confirm *c, bool *narrow)
{
	unsigned int nr = 0;
	int ret = 0;

	while (!ret && any_open(c, nr >= MAX_LOOKS)) {
		pause_ms(pauses[nr < MAX_LOOKS ? nr : MAX_LOOKS - 1]);
		for (size_t i = 0; i < c->count; i++)
			c->candidate[i].seen = c->candidate[i].steady = false;
		ret = interrupted(c);

		int64_t start = now_ns();

		if (!ret)
			ret = look_at_all(c, narrow);
		if (!ret)
			judge(c, start);
		nr++;
	}
	return ret;
}

/* What was confirmed, and of the rest how much. */
static int settle(struct confirm *c, const struct audit_part *first)
{
	uint64_t confirmed[SPT_AUDIT_RULE_COUNT] = { 0 };
	struct spt_audit *out = c->out;

	out->findings = calloc(c->count + 1, sizeof(*out->findings));
	if (!out->findings)
		return -ENOMEM;
	for (size_t i = 0; i < c->count; i++) {
		struct candidate *x = &c->candidate[i];

		if (x->gone || is_open(x))
			continue;
		confirmed[x->f.rule]++;
		out->findings[out->nr_findings++] = x->f;
	}
	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++) {
		struct spt_audit_result *r = &out->result[i];
		uint64_t suspects = first->found[i] + first->moving[i];
		uint64_t more = suspects - first->kept[i];

		r->checked = first->checked[i];
		/* Of those that were not looked at again: like the others, if all of them held. */
		if (confirmed[i] != first->kept[i])
			more = 0;
		r->violations = confirmed[i] + more;
		r->in_flux = suspects - r->violations;
		if (i == SPT_AUDIT_INVALIDATE_SEQ) {
			out->hints += r->violations;
			r->violations = 0;
		}
		out->violations += r->violations;
		out->in_flux += r->in_flux;
	}
	return 0;
}

static int look_again(struct confirm *c, const struct audit_part *first)
{
	bool *narrow = calloc(first->nr_suspects + 1, sizeof(*narrow));
	int ret = 0;

	c->candidate = calloc(first->nr_suspects + 1, sizeof(*c->candidate));
	if (!narrow || !c->candidate)
		ret = spt_fail(c->err, ENOMEM, "%s: out of memory", spt_source_name(c->src));
	for (size_t i = 0; !ret && i < first->nr_suspects; i++) {
		c->candidate[c->count].f = first->suspect[i].f;
		narrow[c->count++] = is_narrow(c->model, &first->suspect[i].f);
	}
	if (!ret)
		ret = confirm(c, narrow);
	if (!ret && settle(c, first))
		ret = spt_fail(c->err, ENOMEM, "%s: out of memory", spt_source_name(c->src));
	free(narrow);
	free(c->candidate);
	return ret;
}

int spt_audit_source(struct spt_audit *out, struct spt_source *src, struct spt_model *model,
		     const struct spt_audit_request *request, unsigned int image_flags,
		     struct spt_error *err)
{
	struct spt_request req = { .parts = spt_audit_parts(request->rules),
				   .start = request->start,
				   .len = request->len };
	struct confirm c = { .out = out,
			     .src = src,
			     .model = model,
			     .flags = image_flags,
			     .parts = req.parts,
			     .err = err };
	bool live = spt_source_is_live(src);
	struct audit_part first = { 0 };
	int ret;

	memset(out, 0, sizeof(*out));
	out->request = *request;
	ret = spt_model_read(model, src, &req, image_flags, err);
	if (ret)
		return ret;
	ret = audit_run(out, model, live, &first, err);
	if (!ret && live)
		ret = look_again(&c, &first);
	else if (!ret && audit_conclude(out, &first))
		ret = spt_fail(err, ENOMEM, "%s: out of memory", model->image.name);
	audit_part_free(&first);
	return ret;
}
