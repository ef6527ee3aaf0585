// SPDX-License-Identifier: GPL-2.0
/*
 * The line that is written to 'control', into struct spt_action_args.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "action.h"

/* What a value may look like, with the parser of each; true: *args has it. */
typedef bool (*spt_form_fn)(struct spt_action_args *args, enum spt_action_key key,
			    const char *value);

static bool spt_parse_u64(const char *text, u64 *value)
{
	bool hex = text[0] == '0' && text[1] == 'x';

	/* No sign: kstrtou64() would take a plus. */
	if (hex ? !isxdigit(text[2]) : !isdigit(text[0]))
		return false;
	return !kstrtou64(text, hex ? 16 : 10, value);
}

static bool spt_form_RANGE(struct spt_action_args *args, enum spt_action_key key,
			   const char *value)
{
	char start[32];
	const char *plus = strchr(value, '+');

	if (!strcmp(value, "all")) {
		args->all = true;
		return true;
	}
	if (!plus)
		return spt_parse_u64(value, &args->gpa);
	if (plus - value >= sizeof(start))
		return false;
	memcpy(start, value, plus - value);
	start[plus - value] = '\0';
	return spt_parse_u64(start, &args->gpa) && spt_parse_u64(plus + 1, &args->len) &&
	       args->len && args->len <= SPT_ACTION_RANGE_MAX && args->gpa + args->len > args->gpa;
}

static bool spt_form_ADDRESS(struct spt_action_args *args, enum spt_action_key key,
			     const char *value)
{
	return spt_parse_u64(value, &args->root);
}

static bool spt_form_NUMBER(struct spt_action_args *args, enum spt_action_key key,
			    const char *value)
{
	u64 number;

	if (!spt_parse_u64(value, &number) || number > U32_MAX)
		return false;
	switch (key) {
	case SPT_KEY_VCPU:
		args->vcpu = number;
		return true;
	case SPT_KEY_COUNT:
		args->count = number;
		return number && number <= SPT_ACTION_COUNT_MAX;
	case SPT_KEY_TIMEOUT:
		args->timeout = number;
		return number && number <= SPT_ACTION_TIMEOUT_MAX;
	default:
		return false;
	}
}

static bool spt_form_FLAG(struct spt_action_args *args, enum spt_action_key key,
			  const char *value)
{
	bool set = value[0] == '1';

	if ((value[0] != '0' && !set) || value[1])
		return false;
	switch (key) {
	case SPT_KEY_LISTEN:
		args->listen = set;
		return true;
	case SPT_KEY_SHOW:
		args->show = set;
		return true;
	case SPT_KEY_DRY_RUN:
		args->dry_run = set;
		return true;
	default:
		return false;
	}
}

static bool spt_parse_perm(const char *value, u32 *perm)
{
	static const struct {
		const char *name;
		u32 perm;
	} perms[] = {
		{ "r", SPT_PERM_R },
		{ "w", SPT_PERM_W },
		{ "x", SPT_PERM_X },
		{ "rw", SPT_PERM_R | SPT_PERM_W },
		{ "rx", SPT_PERM_R | SPT_PERM_X },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(perms); i++)
		if (!strcmp(value, perms[i].name)) {
			*perm = perms[i].perm;
			return true;
		}
	return false;
}

static bool spt_form_ACCESS(struct spt_action_args *args, enum spt_action_key key,
			    const char *value)
{
	return !value[1] && spt_parse_perm(value, &args->access);
}

static bool spt_form_PERM(struct spt_action_args *args, enum spt_action_key key,
			  const char *value)
{
	return spt_parse_perm(value, &args->perm) && (args->perm & SPT_PERM_R);
}

static bool spt_form_ID(struct spt_action_args *args, enum spt_action_key key,
			const char *value)
{
	args->all = !strcmp(value, "all");
	return args->all || spt_parse_u64(value, &args->id);
}

static const struct {
	const char *name;
	spt_form_fn parse;
} spt_action_keys[SPT_KEY_NAMES] = {
#define K(id, key, form) \
	[SPT_KEY_##id] = { key, spt_form_##form },
	SPT_ACTION_KEYS(K)
#undef K
};

static const struct spt_action_row *spt_action_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < SPT_ACT_COUNT; i++)
		if (!strcmp(name, spt_action_rows[i].name))
			return &spt_action_rows[i];
	return NULL;
}

/* One KEY=VALUE. */
static int spt_parse_word(struct spt_action *act, char *word)
{
	char *value = strchr(word, '=');
	unsigned int i;

	if (value)
		*value++ = '\0';
	for (i = 0; i < SPT_KEY_NAMES; i++)
		if (!strcmp(word, spt_action_keys[i].name))
			break;
	if (i == SPT_KEY_NAMES)
		return spt_refuse_action(act, SPT_WHY_BAD_LINE, "unknown key '%.32s'", word);
	if (!((act->row->must | act->row->may | SPT_KEY_BIT(DRY_RUN)) & BIT(i)))
		return spt_refuse_action(act, SPT_WHY_BAD_LINE, "%s has no key '%s'",
					 act->row->name, word);
	if (act->args.given & BIT(i))
		return spt_refuse_action(act, SPT_WHY_BAD_LINE, "'%s' is given twice", word);
	act->args.given |= BIT(i);
	if (!value || !spt_action_keys[i].parse(&act->args, i, value))
		return spt_refuse_action(act, SPT_WHY_BAD_LINE, "'%.40s' is no value of '%s'",
					 value ? value : "", word);
	return 0;
}

/* What the row allows beyond keys. */
static int spt_parse_check(struct spt_action *act)
{
	const struct spt_action_args *args = &act->args;
	u32 missing = act->row->must & ~args->given;

	if (missing)
		return spt_refuse_action(act, SPT_WHY_BAD_LINE, "%s needs '%s'", act->row->name,
					 spt_action_keys[__ffs(missing)].name);
	if (args->len && !(act->row->flags & SPT_ACTION_RANGE))
		return spt_refuse_action(act, SPT_WHY_BAD_LINE, "%s takes one address",
					 act->row->name);
	if (args->all && (args->given & SPT_KEY_BIT(GPA)) &&
	    !(act->row->flags & SPT_ACTION_ALL))
		return spt_refuse_action(act, SPT_WHY_BAD_LINE, "%s takes no 'all'",
					 act->row->name);
	return 0;
}

int spt_action_parse(struct spt_action *act, char *line)
{
	char *word = strsep(&line, " ");
	int error = 0;

	act->args.access = SPT_PERM_R;
	act->args.count = 1;
	act->args.timeout = SPT_ACTION_TIMEOUT;
	act->row = spt_action_find(word);
	if (!act->row)
		return spt_refuse_action(act, SPT_WHY_BAD_LINE, "unknown action '%.32s'", word);
	while (!error && (word = strsep(&line, " ")))
		error = spt_parse_word(act, word);
	if (!error)
		error = spt_parse_check(act);
	if (act->row->flags & SPT_ACTION_LISTEN)
		act->args.listen = true;
	return error;
}
