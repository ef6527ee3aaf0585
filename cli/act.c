// SPDX-License-Identifier: GPL-2.0
#include "cli/act.h"

#include <errno.h>
#include <string.h>

#include "cli/address.h"
#include "cli/json.h"
#include "cli/show_answer.h"
#include "cli/target.h"

/* A number of an option, and what it is limited to. */
static const struct number_option {
	const char *name;
	enum spt_action_key key;
	uint64_t least, most;
} numbers[] = {
	{ "vcpu", SPT_KEY_VCPU, 0, CLI_ACT_VCPU_MAX },
	{ "count", SPT_KEY_COUNT, 1, SPT_ACTION_COUNT_MAX },
	{ "timeout", SPT_KEY_TIMEOUT, 1, SPT_ACTION_TIMEOUT_MAX },
	{ "root", SPT_KEY_ROOT, 0x1000, ~0ULL },
};

static void set_number(struct spt_action_request *request, enum spt_action_key key, uint64_t n)
{
	request->keys |= 1U << key;
	if (key == SPT_KEY_VCPU)
		request->vcpu = (uint32_t)n;
	else if (key == SPT_KEY_COUNT)
		request->count = (uint32_t)n;
	else if (key == SPT_KEY_TIMEOUT)
		request->timeout = (uint32_t)n;
	else
		request->root = n;
}

int cli_act_options(struct cli *cli, const struct cli_call *call,
		    struct spt_action_request *request)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct number_option *o = &numbers[i];
		const char *value = cli_option(call, o->name);
		uint64_t n;
		int rc;

		if (!value)
			continue;
		rc = cli_parse_address(value, o->name, &n, &cli->error);
		if (rc)
			return rc;
		if (n < o->least || n > o->most)
			return cli_fail(cli, EINVAL, "--%s %s: not from %llu to %llu", o->name,
					value, (unsigned long long)o->least,
					(unsigned long long)o->most);
		set_number(request, o->key, n);
	}
	if (cli_has_option(call, "show")) {
		request->keys |= SPT_KEY_BIT(SHOW);
		request->show = true;
	}
	if (cli_has_option(call, "dry-run")) {
		request->keys |= SPT_KEY_BIT(DRY_RUN);
		request->dry_run = true;
	}
	return 0;
}

int cli_act_target(struct cli *cli, const char *text, struct spt_action_request *request)
{
	unsigned int flags = spt_actions[request->action].flags;

	request->keys |= SPT_KEY_BIT(GPA);
	if (!strcmp(text, "all") && flags & SPT_ACTION_ALL) {
		request->all = true;
		return 0;
	}
	if (flags & SPT_ACTION_RANGE)
		return cli_parse_range(text, &request->gpa, &request->len, &cli->error);
	return cli_parse_address(text, "GPA", &request->gpa, &cli->error);
}

int cli_act_open(struct cli *cli, struct cli_act *act)
{
	struct spt_request parts = { .parts = SPT_PART_VM | SPT_PART_ROOTS };
	struct spt_model *model;
	struct spt_vm_name vm;
	int rc;

	memset(act, 0, sizeof(*act));
	spt_debugfs_set(cli->opt.debug_dir);
	rc = spt_agent_check(&cli->error);
	if (!rc)
		rc = spt_vm_find(cli->opt.vm, &vm, &cli->error);
	if (rc)
		return rc;
	strcpy(act->vm, vm.id);
	rc = spt_control_open(act->vm, &act->control, &cli->error);
	if (!rc)
		rc = cli_read(cli, &parts, &model);
	if (rc)
		return rc;
	act->format = model->format;
	cli_target_close(cli);
	return 0;
}

void cli_act_close(struct cli_act *act)
{
	spt_control_close(act->control);
	act->control = NULL;
}

/* What goes on while an action listens. */
struct listening {
	struct cli *cli;
	const struct cli_act *act;
	char slot[16];
	bool json_open;
};

static void on_armed(void *arg, const struct spt_answer *answer)
{
	struct listening *l = arg;
	const struct spt_act_line *slot = spt_answer_find(answer, 0, SPT_LINE_SLOT);
	const struct spt_act_line *gpa = spt_answer_find(answer, 0, SPT_LINE_GPA);

	if (slot)
		snprintf(l->slot, sizeof(l->slot), "%.*s", (int)strcspn(slot->text, " "),
			 slot->text);
	if (l->cli->opt.json) {
		cli_json_array_begin(l->cli, "hits");
		l->json_open = true;
	} else {
		fprintf(l->cli->out, "%s armed at %s; Ctrl-C ends it\n",
			spt_actions[answer->action].name, gpa ? gpa->text : "");
	}
	fflush(l->cli->out);
}

static int on_hit(void *arg, const struct spt_act_hit *hit)
{
	struct listening *l = arg;

	if (l->cli->opt.json && !l->json_open) {
		cli_json_array_begin(l->cli, "hits");
		l->json_open = true;
	}
	cli_show_hit(l->cli, &l->act->format, hit, l->slot[0] ? l->slot : NULL);
	/* Nobody reads any more. */
	return ferror(l->cli->out);
}

static bool interrupted(void *arg)
{
	return cli_interrupted;
}

int cli_act_run(struct cli *cli, const struct spt_action_request *request)
{
	struct cli_act act;
	struct listening listening = { .cli = cli, .act = &act };
	struct spt_control_watch watch = { on_hit, on_armed, interrupted, &listening };
	struct spt_answer answer = { 0 };
	int rc = cli_act_open(cli, &act);

	if (!rc)
		rc = spt_control_run(act.control, request, &watch, &answer, &cli->error);
	if (listening.json_open)
		cli_json_array_end(cli);
	if (!rc)
		rc = cli_show_answer(cli, &act.format, &answer);
	spt_answer_deinit(&answer);
	cli_act_close(&act);
	return rc;
}
