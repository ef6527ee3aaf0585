// SPDX-License-Identifier: GPL-2.0
/* `walk hpa`: from a page of the host back to the guest. */
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "cli/cmd_walk.h"
#include "cli/json.h"
#include "cli/show_hpa.h"
#include "cli/target.h"

/* Shown on a terminal only; asked also whether Ctrl-C was pressed. */
static int show_progress(void *arg, uint64_t done, uint64_t total)
{
	bool show = *(const bool *)arg;

	if (show && total)
		fprintf(stderr, "\r%3" PRIu64 "%%", done * 100 / total);
	return cli_interrupted;
}

static int find(struct cli *cli, uint64_t hpa, struct spt_reverse *ret)
{
	bool show = isatty(STDERR_FILENO) && !cli->opt.json;
	struct spt_sweep sweep = { .progress = show_progress, .progress_arg = &show };
	struct spt_source *source;
	int rc = cli_source(cli, &source);

	if (rc)
		return rc;
	rc = spt_walk_hpa_from(source, cli_empty_model(cli), hpa, &sweep, cli_image_flags(cli), ret,
			       &cli->error);
	if (show)
		fputs("\r    \r", stderr);
	if (rc)
		cli_target_close(cli);
	return rc;
}

/* A page that no entry maps: a table of KVM's, or nothing of this VM. */
static void show_unmapped(struct cli *cli, const struct cli_walk_from *from,
			  const struct spt_reverse *reverse)
{
	struct spt_walk walk = { .hva = SPT_NO_HVA, .verdict = SPT_VERDICT_UNMAPPED };

	snprintf(
		walk.reason, sizeof(walk.reason), "%s",
		reverse->count
			? "a page table of KVM's own: no entry maps it into the guest"
			: "no entry of any root maps this page, and it is no page table of this VM");
	if (cli->opt.json)
		cli_walk_to_json(cli, cli_empty_model(cli), from, &walk);
	else
		cli_print_verdict(cli, cli_empty_model(cli), from, &walk);
}

int cli_walk_hpa(struct cli *cli, const struct cli_walk_from *from)
{
	const struct spt_model *model;
	uint64_t gpa[CLI_MAX_ALIASES];
	struct spt_reverse reverse;
	size_t count;
	int rc = find(cli, from->address, &reverse);
	bool found;

	if (rc)
		return rc;
	model = cli_empty_model(cli);
	found = reverse.count;
	cli_note_torn(cli, model);
	count = spt_reverse_gpas(model, &reverse, from->address, gpa, CLI_MAX_ALIASES);
	if (cli->opt.json)
		cli_reverse_to_json(cli, model, from->address, &reverse);
	else
		cli_print_reverse(cli, model, from->address, &reverse);
	if (!count)
		show_unmapped(cli, from, &reverse);
	spt_reverse_free(&reverse);
	if (!count)
		return !found;
	if (count > CLI_MAX_ALIASES) {
		cli_warn(cli,
			 "HPA 0x%" PRIx64 " is at %zu guest addresses: the first %d are walked",
			 from->address, count, CLI_MAX_ALIASES);
		count = CLI_MAX_ALIASES;
	}
	if (!cli->opt.json)
		fputc('\n', cli->out);
	rc = cli_walk_aliases(cli, from, gpa, count);
	return rc < 0 ? rc : 0;
}
