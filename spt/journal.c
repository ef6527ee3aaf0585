// SPDX-License-Identifier: GPL-2.0
#include "spt/journal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spt/action.h"
#include "spt/source.h"

static const char *const undo_states[SPT_UNDO_STATE_COUNT] = {
#define U(id, name) [SPT_UNDO_##id] = #name,
	SPT_UNDO_STATES(U)
#undef U
};

const char *spt_undo_state_name(enum spt_undo_state state)
{
	return undo_states[state];
}

static bool take_text(const char *line, const char *key, char *ret, size_t size)
{
	size_t len;
	const char *value = spt_act_word(line, key, &len);

	if (!value || !len || len >= size)
		return false;
	memcpy(ret, value, len);
	ret[len] = '\0';
	return true;
}

/* SECONDS.NANOSECONDS */
static bool take_time(const char *line, uint64_t *ret)
{
	unsigned long long seconds;
	char text[40];
	unsigned int ns;
	int used = 0;

	if (!take_text(line, "time", text, sizeof(text)) ||
	    sscanf(text, "%llu.%9u%n", &seconds, &ns, &used) != 2 || text[used])
		return false;
	*ret = seconds * 1000000000ULL + ns;
	return true;
}

static bool take_undo(const char *line, enum spt_undo_state *ret)
{
	char text[16];

	if (!take_text(line, "undo", text, sizeof(text)))
		return false;
	for (unsigned int i = 0; i < SPT_UNDO_STATE_COUNT; i++)
		if (!strcmp(text, undo_states[i])) {
			*ret = i;
			return true;
		}
	return false;
}

int spt_journal_parse(const char *line, struct spt_journal_entry *ret, struct spt_error *err)
{
	uint64_t pid;

	*ret = (struct spt_journal_entry){ 0 };
	if (!spt_act_number(line, "id", &ret->id) || !take_time(line, &ret->time_ns) ||
	    !spt_act_number(line, "pid", &pid) ||
	    !take_text(line, "comm", ret->comm, sizeof(ret->comm)) ||
	    !take_text(line, "vm", ret->vm, sizeof(ret->vm)) ||
	    !take_text(line, "action", ret->action, sizeof(ret->action)) ||
	    !take_text(line, "target", ret->target, sizeof(ret->target)) ||
	    !take_text(line, "before", ret->before, sizeof(ret->before)) ||
	    !take_text(line, "after", ret->after, sizeof(ret->after)) ||
	    !take_text(line, "result", ret->result, sizeof(ret->result)) ||
	    !take_text(line, "reason", ret->reason, sizeof(ret->reason)) ||
	    !take_undo(line, &ret->undo))
		return spt_fail(err, EBADMSG, "the agent's journal is not understood: '%.120s'",
				line);
	ret->pid = (int)pid;
	return 0;
}

static int add(struct spt_journal_entry **list, size_t *count, size_t *room,
	       const struct spt_journal_entry *entry, struct spt_error *err)
{
	if (*count == *room) {
		struct spt_journal_entry *more =
			realloc(*list, (*room = *room * 2 + 64) * sizeof(*more));

		if (!more)
			return spt_fail(err, ENOMEM, "out of memory");
		*list = more;
	}
	(*list)[(*count)++] = *entry;
	return 0;
}

int spt_journal_read(const char *vm, struct spt_journal_entry **ret, size_t *count,
		     struct spt_error *err)
{
	struct spt_journal_entry *list = NULL, entry;
	char path[512], line[1024];
	size_t room = 0;
	FILE *file;
	int rc = 0;

	*count = 0;
	snprintf(path, sizeof(path), "%s/journal", spt_debugfs());
	file = fopen(path, "re");
	if (!file) {
		rc = -errno;
		return spt_agent_check(err) ?: spt_fail(err, -rc, "%s: %s", path, strerror(-rc));
	}
	while (!rc && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		rc = spt_journal_parse(line, &entry, err);
		if (!rc && (!vm || !strcmp(vm, entry.vm)))
			rc = add(&list, count, &room, &entry, err);
	}
	fclose(file);
	if (rc) {
		free(list);
		return rc;
	}
	*ret = list;
	return 0;
}
