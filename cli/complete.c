// SPDX-License-Identifier: GPL-2.0
#include "cli/complete.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/target.h"
#include "spt/source.h"

#define WORD_BREAKS " \t="
#define MAX_WORDS   64

/* Candidates that begin with what has been typed. */
struct candidates {
	struct cli *cli;
	const char *typed;
	size_t len;
	char **list;
	size_t count;
};

static void offer(struct candidates *c, const char *word)
{
	char **list;

	if (strncmp(word, c->typed, c->len))
		return;
	list = realloc(c->list, (c->count + 2) * sizeof(*list));
	if (!list)
		return;
	c->list = list;
	list[c->count] = strdup(word);
	if (list[c->count])
		c->count++;
	list[c->count] = NULL;
}

static void offer_words(struct candidates *c, const char *const *words)
{
	for (; *words; words++)
		offer(c, *words);
}

static void offer_options(struct candidates *c, const struct cli_option *options)
{
	for (int i = 0; options && options[i].name; i++) {
		char name[64];

		snprintf(name, sizeof(name), "--%s", options[i].name);
		offer(c, name);
	}
}

static void offer_vms(struct candidates *c)
{
	struct spt_vm_name *vms;
	size_t count;

	if (spt_vms_list(&vms, &count, NULL))
		return;
	for (size_t i = 0; i < count; i++) {
		char name[128];

		offer(c, vms[i].id);
		spt_vm_guest_name(vms[i].pid, name, sizeof(name));
		if (name[0])
			offer(c, name);
	}
	free(vms);
}

/* A VM that cannot be read has no candidates: whoever only completes need not hear why. */
static struct spt_model *read_target(struct cli *cli, uint32_t parts)
{
	const struct spt_request request = { .parts = SPT_PART_VM | parts };
	struct spt_error before;
	struct spt_model *model;
	int rc;

	if (!cli)
		return NULL;
	before = cli->error;
	rc = cli_read(cli, &request, &model);
	cli->error = before;
	return rc ? NULL : model;
}

static void offer_roots(struct candidates *c)
{
	const struct spt_model *model = read_target(c->cli, SPT_PART_ROOTS);
	char text[24];

	for (uint32_t i = 0; model && i < model->nr_roots; i++) {
		snprintf(text, sizeof(text), "0x%" PRIx64, model->roots[i].hpa);
		offer(c, text);
	}
}

static void offer_slots(struct candidates *c)
{
	const struct spt_model *model = read_target(c->cli, SPT_PART_MEMSLOTS);
	char text[24];

	for (uint32_t i = 0; model && i < model->memslots.count; i++) {
		snprintf(text, sizeof(text), "%d", model->memslots.slots[i].slot->id);
		offer(c, text);
	}
}

/* A list of columns may begin with '+', see cli/table.c. */
static void offer_column(struct candidates *c, const char *name)
{
	char more[64];

	snprintf(more, sizeof(more), "+%s", name);
	offer(c, c->len && c->typed[0] == '+' ? more : name);
}

static void offer_kind(struct candidates *c, enum cli_completion kind,
		       const struct cli_command *command, bool *file)
{
	switch (kind) {
	case CLI_COMPLETE_NONE:
		break;
	case CLI_COMPLETE_VM:
		offer_vms(c);
		break;
	case CLI_COMPLETE_FILE:
		*file = true;
		break;
	case CLI_COMPLETE_COMMAND:
		for (int i = 0; cli_commands[i]; i++)
			offer(c, cli_commands[i]->name);
		break;
	case CLI_COMPLETE_ROOT:
		offer_roots(c);
		break;
	case CLI_COMPLETE_SLOT:
		offer_slots(c);
		break;
	case CLI_COMPLETE_COLUMN:
		for (int i = 0; command && command->columns && command->columns[i].name; i++)
			offer_column(c, command->columns[i].name);
		break;
	}
}

/* The option that @word is, with or without its value; NULL: none, or it takes no value. */
static const struct cli_option *option_with_value(const struct cli_option *options,
						  const char *word)
{
	for (int i = 0; options && options[i].name; i++) {
		const struct cli_option *o = &options[i];

		if (!o->arg)
			continue;
		if (word[0] == '-' && word[1] == '-' && !strcmp(word + 2, o->name))
			return o;
		if (word[0] == '-' && o->letter && word[1] == o->letter && !word[2])
			return o;
	}
	return NULL;
}

static const struct cli_option *find_option(const struct cli_command *command, const char *word)
{
	const struct cli_option *o = option_with_value(cli_global_options, word);

	if (!o && command)
		o = option_with_value(command->options, word);
	return o;
}

/* What is known about the words before the one to complete. */
struct position {
	const struct cli_command *command; /* NULL: not named yet, or unknown */
	const struct cli_option *option;   /* the word is this option's value */
	bool named;			   /* a command's name stands before */
	int args;			   /* of the command, before the word */
	const char *first;		   /* of them; NULL: none */
};

static struct position find_position(char *before)
{
	struct position at = { 0 };
	char *save;

	for (char *word = strtok_r(before, WORD_BREAKS, &save); word;
	     word = strtok_r(NULL, WORD_BREAKS, &save)) {
		if (at.option) {
			at.option = NULL;
			continue;
		}
		at.option = find_option(at.command, word);
		if (at.option || word[0] == '-')
			continue;
		/* Behind the arguments of its own stands another command, with its own. */
		if (at.command && at.command->flags & CLI_WRAPS && at.args == 1) {
			at = (struct position){ .command = cli_find_command(word), .named = true };
		} else if (at.named) {
			at.first = at.args++ ? at.first : word;
		} else {
			at.command = cli_find_command(word);
			at.named = true;
		}
	}
	return at;
}

/* The part of line[0..start) that belongs to the command of the word at @start. */
static char *words_before(const char *line, size_t start)
{
	char *before = strndup(line, start);
	char *last;

	if (!before)
		return NULL;
	last = strrchr(before, ';');
	if (last)
		memmove(before, last + 1, strlen(last + 1) + 1);
	/* A quote that the word begins with is no word of its own. */
	if (before[0] && strchr("'\"", before[strlen(before) - 1]))
		before[strlen(before) - 1] = '\0';
	/* In a list (-o a,b) the value goes on after a comma: it is one word with what is before.
	 */
	if (before[0] && before[strlen(before) - 1] == ',') {
		char *value = before + strlen(before);

		while (value > before && !strchr(WORD_BREAKS, value[-1]))
			value--;
		*value = '\0';
	}
	return before;
}

char **cli_complete(struct cli *cli, const char *line, size_t start, size_t end, bool *file)
{
	struct candidates c = { .cli = cli, .typed = line + start, .len = end - start };
	char *before = words_before(line, start);
	struct position at;

	*file = false;
	if (!before)
		return NULL;
	/* What is piped to is not ours. */
	if (strchr(before, '|')) {
		free(before);
		*file = true;
		return NULL;
	}
	at = find_position(before);
	if (at.args == 1 && at.command && at.command->value_of)
		at.option = at.command->value_of(at.first);
	free(before);

	if (at.option) {
		if (at.option->words)
			offer_words(&c, at.option->words);
		else
			offer_kind(&c, at.option->complete, at.command, file);
	} else if (line[start] == '-' && c.len) {
		offer_options(&c, cli_global_options);
		if (at.command)
			offer_options(&c, at.command->options);
	} else if (!at.named) {
		offer_kind(&c, CLI_COMPLETE_COMMAND, NULL, file);
	} else if (at.command) {
		if (at.args == 0 && at.command->words)
			offer_words(&c, at.command->words);
		else if (at.args == 1 && at.command->second)
			offer_words(&c, at.command->second);
		else if (at.args < at.command->max_args &&
			 !(at.command->flags & CLI_WRAPS && at.args == 0))
			offer_kind(&c, at.command->complete, at.command, file);
	}
	return c.list;
}
