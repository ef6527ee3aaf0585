// SPDX-License-Identifier: GPL-2.0
/* What an audit has found: counted for each rule, and the first of them kept with their words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spt/audit_engine.h"

static bool grow(void *array, size_t *room, size_t want, size_t size)
{
	void **p = array, *more;
	size_t next = *room ? *room * 2 : 16;

	if (want <= *room)
		return true;
	more = realloc(*p, next * size);
	if (!more)
		return false;
	*p = more;
	*room = next;
	return true;
}

static struct spt_audit_finding *keep(const struct audit *a, struct audit_part *part,
				      enum spt_audit_rule_nr rule, const struct audit_place *p,
				      bool moving)
{
	const struct spt_root_ref *root = p->node ? audit_root(a, p->node) : NULL;
	struct audit_suspect *s;

	if (!grow(&part->suspect, &part->room, part->nr_suspects + 1, sizeof(*part->suspect))) {
		part->error = -ENOMEM;
		return NULL;
	}
	s = &part->suspect[part->nr_suspects++];
	part->kept[rule]++;
	*s = (struct audit_suspect){
		.moving = moving,
		.f = { .rule = rule,
		       .hint = rule == SPT_AUDIT_INVALIDATE_SEQ,
		       .root = root ? root->hpa : SPT_NO_HPA,
		       .gpa = p->node ? p->gpa : ~0ULL,
		       .table = p->node ? p->node->hpa : SPT_NO_HPA,
		       .level = p->level,
		       .index = p->index,
		       .have_spte = p->level,
		       .spte = p->spte },
	};
	return &s->f;
}

struct spt_audit_finding *audit_found_as(const struct audit *a, struct audit_part *part,
					 enum spt_audit_rule_nr rule, const struct audit_place *p,
					 bool moving)
{
	if (!audit_wants(a, rule))
		return NULL;
	(moving ? part->moving : part->found)[rule]++;
	return part->kept[rule] < a->max ? keep(a, part, rule, p, moving) : NULL;
}

struct spt_audit_finding *audit_found(const struct audit *a, struct audit_part *part,
				      enum spt_audit_rule_nr rule, const struct audit_place *p)
{
	return audit_found_as(a, part, rule, p, !a->calm[audit_calm_of(rule)]);
}

void audit_say(struct spt_audit_finding *f, const char *expected, const char *found,
	       const char *fmt, ...)
{
	va_list ap;

	if (!f)
		return;
	snprintf(f->expected, sizeof(f->expected), "%s", expected);
	snprintf(f->found, sizeof(f->found), "%s", found);
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

struct audit_text audit_text(const char *fmt, ...)
{
	struct audit_text t;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t.text, sizeof(t.text), fmt, ap);
	va_end(ap);
	return t;
}

void audit_part_free(struct audit_part *part)
{
	free(part->suspect);
	free(part->mmio);
	part->suspect = NULL;
	part->mmio = NULL;
	part->nr_suspects = part->nr_mmio = part->room = part->mmio_room = 0;
}

int audit_part_merge(struct audit_part *to, struct audit_part *from, unsigned int max)
{
	if (from->error)
		return from->error;
	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++) {
		to->checked[i] += from->checked[i];
		to->found[i] += from->found[i];
		to->moving[i] += from->moving[i];
	}
	for (int i = 0; i <= SPT_MAX_LEVEL; i++)
		to->leaves[i] += from->leaves[i];
	to->tables.shadow += from->tables.shadow;
	to->tables.indirect += from->tables.indirect;
	to->tables.tdp += from->tables.tdp;
	to->tables.nx += from->tables.nx;
	to->tables.knows_nx |= from->tables.knows_nx;
	to->tables.aliens |= from->tables.aliens;
	for (size_t i = 0; i < from->nr_suspects; i++) {
		enum spt_audit_rule_nr rule = from->suspect[i].f.rule;

		if (to->kept[rule] >= max)
			continue;
		if (!grow(&to->suspect, &to->room, to->nr_suspects + 1, sizeof(*to->suspect)))
			return -ENOMEM;
		to->suspect[to->nr_suspects++] = from->suspect[i];
		to->kept[rule]++;
	}
	for (size_t i = 0; i < from->nr_mmio; i++) {
		if (!grow(&to->mmio, &to->mmio_room, to->nr_mmio + 1, sizeof(*to->mmio)))
			return -ENOMEM;
		to->mmio[to->nr_mmio++] = from->mmio[i];
	}
	return 0;
}
