// SPDX-License-Identifier: GPL-2.0
/* The line that asks for an action. */
#include "spt/action.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct spt_action spt_actions[SPT_ACT_COUNT] = {
#define A(id, name, must, may, flags, text) [SPT_ACT_##id] = { #name, must, may, flags, text },
	SPT_ACTIONS(A)
#undef A
};

static const char *const key_names[SPT_KEY_NAMES] = {
#define K(id, key, form) [SPT_KEY_##id] = key,
	SPT_ACTION_KEYS(K)
#undef K
};

const char *spt_result_name(enum spt_result result)
{
	static const char *const names[] = {
#define R(id, name) [SPT_RESULT_##id] = name,
		SPT_RESULTS(R)
#undef R
	};

	return (unsigned int)result < SPT_RESULT_COUNT ? names[result] : NULL;
}

const char *spt_reason_name(enum spt_reason reason)
{
	static const char *const names[] = {
#define W(id, name) [SPT_WHY_##id] = name,
		SPT_REASONS(W)
#undef W
	};

	return (unsigned int)reason < SPT_WHY_COUNT ? names[reason] : NULL;
}

enum spt_action_id spt_action_find(const char *name)
{
	unsigned int i = 0;

	while (i < SPT_ACT_COUNT && strcmp(spt_actions[i].name, name))
		i++;
	return i;
}

static int key_value(const struct spt_action_request *r, enum spt_action_key key, char *text,
		     size_t size)
{
	switch (key) {
	case SPT_KEY_GPA:
		if (r->all)
			return snprintf(text, size, "all");
		if (r->len)
			return snprintf(text, size, "0x%" PRIx64 "+0x%" PRIx64, r->gpa, r->len);
		return snprintf(text, size, "0x%" PRIx64, r->gpa);
	case SPT_KEY_ROOT:
		return snprintf(text, size, "0x%" PRIx64, r->root);
	case SPT_KEY_ACCESS:
		return snprintf(text, size, "%c", r->access);
	case SPT_KEY_PERM:
		return snprintf(text, size, "%s", r->perm);
	case SPT_KEY_VCPU:
		return snprintf(text, size, "%u", r->vcpu);
	case SPT_KEY_COUNT:
		return snprintf(text, size, "%u", r->count);
	case SPT_KEY_TIMEOUT:
		return snprintf(text, size, "%u", r->timeout);
	case SPT_KEY_LISTEN:
		return snprintf(text, size, "%d", r->listen);
	case SPT_KEY_SHOW:
		return snprintf(text, size, "%d", r->show);
	case SPT_KEY_ID:
		return r->all ? snprintf(text, size, "all")
			      : snprintf(text, size, "%" PRIu64, r->id);
	case SPT_KEY_DRY_RUN:
		return snprintf(text, size, "%d", r->dry_run);
	default:
		return 0;
	}
}

int spt_action_line(const struct spt_action_request *request, char *line, struct spt_error *err)
{
	const struct spt_action *a = &spt_actions[request->action];
	unsigned int may = a->must | a->may | SPT_KEY_BIT(DRY_RUN);
	size_t at;

	if (a->must & ~request->keys || request->keys & ~may)
		return spt_fail(err, EINVAL, "%s: it wants other keys", a->name);
	if (request->keys & SPT_KEY_BIT(GPA) && ((request->all && !(a->flags & SPT_ACTION_ALL)) ||
						 (request->len && !(a->flags & SPT_ACTION_RANGE))))
		return spt_fail(err, EINVAL, "%s: it takes one address, not a range", a->name);
	at = snprintf(line, SPT_ACTION_LINE_MAX, "%s", a->name);
	for (unsigned int key = 0; key < SPT_KEY_NAMES; key++) {
		if (!(request->keys >> key & 1))
			continue;
		at += snprintf(line + at, SPT_ACTION_LINE_MAX - at, " %s=", key_names[key]);
		at += key_value(request, key, line + at, SPT_ACTION_LINE_MAX - at);
	}
	/* All keys together are shorter than a line may be. */
	line[at++] = '\n';
	line[at] = '\0';
	return at;
}
