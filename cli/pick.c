// SPDX-License-Identifier: GPL-2.0
#include "cli/pick.h"

#include <errno.h>
#include <inttypes.h>

#include "cli/address.h"

/* The part of address space 0, or of the other where that one has no such slot. */
static int narrow_to_slot(struct cli *cli, const char *text, struct spt_request *request)
{
	const struct spt_request slots = { .parts = SPT_PART_VM | SPT_PART_MEMSLOTS };
	struct spt_model *model;
	uint64_t id;
	int rc = cli_parse_address(text, "--slot", &id, &cli->error);

	if (!rc)
		rc = cli_read(cli, &slots, &model);
	for (uint32_t i = 0; !rc && i < model->memslots.count; i++) {
		const struct spt_slot *slot = model->memslots.slots[i].slot;

		if (slot->id < 0 || (uint64_t)slot->id != id)
			continue;
		request->start = slot->base_gfn << SPT_PAGE_SHIFT;
		request->len = slot->npages << SPT_PAGE_SHIFT;
		return 0;
	}
	return rc ? rc : cli_fail(cli, ENOENT, "no memory slot %s: 'memslots' lists them", text);
}

static int check_root(struct cli *cli, const struct cli_call *call, const struct spt_model *model)
{
	const char *text = cli_option(call, "root");
	uint64_t hpa;
	int rc;

	if (!text)
		return 0;
	rc = cli_parse_address(text, "--root", &hpa, &cli->error);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < model->nr_roots; i++)
		if (model->roots[i].hpa == hpa)
			return 0;
	return cli_fail(cli, ENOENT, "no root at 0x%" PRIx64 ": 'roots' lists them", hpa);
}

int cli_pick(struct cli *cli, const struct cli_call *call, struct spt_request *request,
	     struct spt_model **ret)
{
	const char *slot = cli_option(call, "slot");
	int rc = 0;

	if (slot && call->argc)
		return cli_fail(cli, EINVAL, "%s: RANGE and --slot exclude each other",
				call->command->name);
	if (call->argc)
		rc = cli_parse_range(call->argv[0], &request->start, &request->len, &cli->error);
	else if (slot)
		rc = narrow_to_slot(cli, slot, request);
	if (!rc)
		rc = cli_model(cli, request, ret);
	return rc ? rc : check_root(cli, call, *ret);
}

bool cli_picked(const struct cli_call *call, const struct spt_root_ref *root)
{
	const char *text = cli_option(call, "root");
	struct spt_error ignored;
	uint64_t hpa;

	return !text || (!cli_parse_address(text, "--root", &hpa, &ignored) && root->hpa == hpa);
}
